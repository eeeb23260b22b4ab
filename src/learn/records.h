/* Numbers within the byte strings of a model's file: little-endian, doubles and floats by their bits. */
#ifndef RS_LEARN_RECORDS_H
#define RS_LEARN_RECORDS_H

#include <string.h>

#include "base/base.h"

static RS_UNUSED void put_u32(struct rs_buffer *out, uint32_t value)
{
	uint8_t bytes[4];
	rs_write_le32(bytes, value);
	rs_buffer_append(out, bytes, sizeof bytes);
}

static RS_UNUSED void put_f32(struct rs_buffer *out, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	put_u32(out, bits);
}

static RS_UNUSED void put_f64(struct rs_buffer *out, double value)
{
	uint8_t bytes[8];
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	rs_write_le64(bytes, bits);
	rs_buffer_append(out, bytes, sizeof bytes);
}

static RS_UNUSED float f32_at(const uint8_t *bytes)
{
	uint32_t bits = rs_read_le32(bytes);
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static RS_UNUSED double f64_at(const uint8_t *bytes)
{
	uint64_t bits = rs_read_le64(bytes);
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

/* A byte string of whole records, fewer than 2^32. */
static RS_UNUSED enum rs_code read_records(struct rs_cbor_reader *reader, const char *field, size_t size,
                                           struct rs_bytes *out, size_t *out_count, struct rs_error *err)
{
	RS_TRY(rs_cbor_read_bytes(reader, field, out, err));
	*out_count = out->size / size;
	if (out->size % size != 0 || *out_count >= UINT32_MAX)
		return rs_error_set(err, RS_MALFORMED, "a model file whose %s cannot be", field);
	return RS_OK;
}

#endif
