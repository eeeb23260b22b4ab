#include "recipe/recipe_packed.h"

#include <math.h>
#include <string.h>

void rs_packed_append_u32(struct rs_buffer *out, uint32_t value)
{
	uint8_t bytes[4];
	rs_write_le32(bytes, value);
	rs_buffer_append(out, bytes, sizeof bytes);
}

void rs_packed_append_f64(struct rs_buffer *out, double value)
{
	uint8_t bytes[8];
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	rs_write_le64(bytes, bits);
	rs_buffer_append(out, bytes, sizeof bytes);
}

double rs_packed_f64_at(const uint8_t *bytes)
{
	uint64_t bits = rs_read_le64(bytes);
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

void rs_packed_write_part(struct rs_buffer *out, const struct rs_buffer *part)
{
	/* A part that did not fit leaves a hole that `out` must not keep. */
	if (part->failed)
		out->failed = part->failed;
	rs_cbor_write_bytes(out, rs_buffer_bytes(part));
}

void rs_packed_write_f64s(struct rs_buffer *out, const double *values, size_t count)
{
	struct rs_buffer part RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&part, out->maximum);
	for (size_t i = 0; i < count; i++)
		rs_packed_append_f64(&part, values[i]);
	rs_packed_write_part(out, &part);
}

void rs_packed_write_u32s(struct rs_buffer *out, const uint32_t *values, size_t count)
{
	struct rs_buffer part RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&part, out->maximum);
	for (size_t i = 0; i < count; i++)
		rs_packed_append_u32(&part, values[i]);
	rs_packed_write_part(out, &part);
}

enum rs_code rs_packed_wrong(const char *what, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "a model file whose %s cannot be", what);
}

enum rs_code rs_packed_read_parts(struct rs_cbor_reader *reader, const char *field, size_t count,
                                  struct rs_error *err)
{
	size_t parts;
	RS_TRY(rs_cbor_read_array(reader, field, &parts, err));
	return parts == count ? RS_OK : rs_packed_wrong(field, err);
}

enum rs_code rs_packed_read_begin(struct rs_cbor_reader *reader, struct rs_bytes file, size_t count,
                                  const char *what, const char *format, uint64_t version,
                                  struct rs_error *err)
{
	struct rs_str told;
	uint64_t told_version;
	RS_TRY(rs_cbor_reader_init(reader, file, err));
	RS_TRY(rs_packed_read_parts(reader, "model", count, err));
	RS_TRY(rs_cbor_read_str(reader, "format", &told, err));
	RS_TRY(rs_cbor_read_u64(reader, "version", &told_version, err));
	return rs_str_equal_text(told, format) && told_version == version
	               ? RS_OK
	               : rs_error_set(err, RS_UNSUPPORTED, "no model of %s of version %llu", what,
	                              (unsigned long long)version);
}

enum rs_code rs_packed_read_count(struct rs_cbor_reader *reader, const char *field, uint64_t maximum,
                                  uint64_t *out, struct rs_error *err)
{
	RS_TRY(rs_cbor_read_u64(reader, field, out, err));
	return *out <= maximum ? RS_OK : rs_packed_wrong(field, err);
}

enum rs_code rs_packed_read_number(struct rs_cbor_reader *reader, const char *field, double *out,
                                   struct rs_error *err)
{
	RS_TRY(rs_cbor_read_f64(reader, field, out, err));
	return isfinite(*out) ? RS_OK : rs_packed_wrong(field, err);
}

enum rs_code rs_packed_read_records(struct rs_cbor_reader *reader, const char *field, size_t size,
                                    struct rs_bytes *out, size_t *out_count, struct rs_error *err)
{
	RS_TRY(rs_cbor_read_bytes(reader, field, out, err));
	*out_count = out->size / size;
	return out->size % size == 0 && *out_count < UINT32_MAX ? RS_OK : rs_packed_wrong(field, err);
}

enum rs_code rs_packed_read_f64s(struct rs_cbor_reader *reader, const char *field, double **out,
                                 size_t *out_count, struct rs_error *err)
{
	struct rs_bytes bytes;
	size_t count;
	RS_TRY(rs_packed_read_records(reader, field, 8, &bytes, &count, err));
	double *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *values);
	if (!values)
		return rs_error_memory(err, bytes.size, "a model");
	for (size_t i = 0; i < count; i++) {
		values[i] = rs_packed_f64_at(bytes.data + i * 8);
		if (!isfinite(values[i]))
			return rs_packed_wrong(field, err);
	}
	*out = values;
	*out_count = count;
	values = NULL;
	return RS_OK;
}

enum rs_code rs_packed_read_f64s_of(struct rs_cbor_reader *reader, const char *field, size_t count,
                                    double **out, struct rs_error *err)
{
	double *values RS_CLEANUP(rs_free_pointer) = NULL;
	size_t found;
	RS_TRY(rs_packed_read_f64s(reader, field, &values, &found, err));
	if (found != count)
		return rs_packed_wrong(field, err);
	*out = values;
	values = NULL;
	return RS_OK;
}

enum rs_code rs_packed_read_u32s(struct rs_cbor_reader *reader, const char *field, uint32_t limit,
                                 uint32_t **out, size_t *out_count, struct rs_error *err)
{
	struct rs_bytes bytes;
	size_t count;
	RS_TRY(rs_packed_read_records(reader, field, 4, &bytes, &count, err));
	uint32_t *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *values);
	if (!values)
		return rs_error_memory(err, bytes.size, "a model");
	for (size_t i = 0; i < count; i++) {
		values[i] = rs_read_le32(bytes.data + i * 4);
		if (values[i] >= limit)
			return rs_packed_wrong(field, err);
	}
	*out = values;
	*out_count = count;
	values = NULL;
	return RS_OK;
}

bool rs_packed_ascends(const double *values, size_t count, bool strictly)
{
	for (size_t i = 1; i < count; i++)
		if (strictly ? values[i] <= values[i - 1] : values[i] < values[i - 1])
			return false;
	return true;
}
