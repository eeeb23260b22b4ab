/* Deterministic CBOR: a writer that can only write the one form (but for the order of map keys,
 * which is the caller's), and a checker that accepts nothing else. RFC 8949 §3, §4.2.1. */
#include "base/base_cbor.h"

#include <math.h>
#include <string.h>

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

#define SIMPLE_FALSE 20
#define SIMPLE_TRUE 21
#define SIMPLE_NULL 22

static void write_head(struct rs_buffer *out, enum major major, uint64_t value)
{
	uint8_t head[9];
	size_t size;
	if (value < 24) {
		head[0] = (uint8_t)value;
		size = 1;
	} else if (value <= UINT8_MAX) {
		head[0] = 24;
		head[1] = (uint8_t)value;
		size = 2;
	} else if (value <= UINT16_MAX) {
		head[0] = 25;
		rs_write_be16(head + 1, (uint16_t)value);
		size = 3;
	} else if (value <= UINT32_MAX) {
		head[0] = 26;
		rs_write_be32(head + 1, (uint32_t)value);
		size = 5;
	} else {
		head[0] = 27;
		rs_write_be64(head + 1, value);
		size = 9;
	}
	head[0] = (uint8_t)(head[0] | major << 5);
	rs_buffer_append(out, head, size);
}

void rs_cbor_write_u64(struct rs_buffer *out, uint64_t value) { write_head(out, UNSIGNED, value); }

void rs_cbor_write_i64(struct rs_buffer *out, int64_t value)
{
	if (value >= 0)
		write_head(out, UNSIGNED, (uint64_t)value);
	else
		write_head(out, NEGATIVE, ~(uint64_t)value);
}

void rs_cbor_write_bytes(struct rs_buffer *out, struct rs_bytes value)
{
	write_head(out, BYTES, value.size);
	rs_buffer_append_bytes(out, value);
}

void rs_cbor_write_str(struct rs_buffer *out, struct rs_str value)
{
	write_head(out, TEXT, value.size);
	rs_buffer_append_str(out, value);
}

void rs_cbor_write_array(struct rs_buffer *out, size_t count) { write_head(out, ARRAY, count); }

void rs_cbor_write_map(struct rs_buffer *out, size_t count) { write_head(out, MAP, count); }

void rs_cbor_write_tag(struct rs_buffer *out, uint64_t tag) { write_head(out, TAG, tag); }

void rs_cbor_write_bool(struct rs_buffer *out, bool value)
{
	write_head(out, SIMPLE, value ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void rs_cbor_write_null(struct rs_buffer *out) { write_head(out, SIMPLE, SIMPLE_NULL); }

static uint64_t bits_of_f64(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static uint32_t bits_of_f32(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static double f64_of_half(uint16_t bits)
{
	int exponent = bits >> 10 & 31;
	double fraction = bits & 1023, value;
	if (exponent == 0)
		value = ldexp(fraction, -24);
	else if (exponent < 31)
		value = ldexp(fraction + 1024, exponent - 25);
	else
		value = fraction == 0 ? INFINITY : NAN;
	return bits & 0x8000 ? -value : value;
}

/* The half-precision number equal to a finite value, if there is one. */
static bool half_of_f64(double value, uint16_t *out)
{
	uint64_t bits = bits_of_f64(value);
	uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
	double magnitude = fabs(value);
	uint16_t half;
	if (magnitude == 0) {
		half = 0;
	} else if (magnitude < ldexp(1, -14)) {
		double fraction = ldexp(magnitude, 24);
		if (fraction != floor(fraction))
			return false;
		half = (uint16_t)fraction;
	} else if (magnitude < 65536) {
		int exponent;
		double fraction = ldexp(frexp(magnitude, &exponent), 11) - 1024;
		if (fraction != floor(fraction))
			return false;
		half = (uint16_t)((exponent + 14) << 10 | (int)fraction);
	} else {
		return false;
	}
	*out = sign | half;
	return true;
}

void rs_cbor_write_f64(struct rs_buffer *out, double value)
{
	uint8_t text[9];
	uint16_t half;
	bool has_half;
	if (isnan(value)) {
		half = 0x7e00;
		has_half = true;
	} else if (isinf(value)) {
		half = value < 0 ? 0xfc00 : 0x7c00;
		has_half = true;
	} else {
		has_half = half_of_f64(value, &half);
	}
	if (has_half) {
		text[0] = SIMPLE << 5 | 25;
		rs_write_be16(text + 1, half);
		rs_buffer_append(out, text, 3);
	} else if (fabs(value) <= 3.4028234663852886e38 && (double)(float)value == value) {
		text[0] = SIMPLE << 5 | 26;
		rs_write_be32(text + 1, bits_of_f32((float)value));
		rs_buffer_append(out, text, 5);
	} else {
		text[0] = SIMPLE << 5 | 27;
		rs_write_be64(text + 1, bits_of_f64(value));
		rs_buffer_append(out, text, 9);
	}
}

/* One head: major type, the argument, and for floats the width of it. */
struct head {
	enum major major;
	uint64_t value;
	size_t size; /* of the head in bytes */
};

static enum rs_code malformed(struct rs_error *err, size_t offset, const char *what)
{
	return rs_error_set(err, RS_MALFORMED, "CBOR at byte %zu: %s", offset, what);
}

static enum rs_code read_head(struct rs_bytes input, size_t offset, struct head *out, struct rs_error *err)
{
	if (offset >= input.size)
		return malformed(err, offset, "the input ends where an item should begin");
	const uint8_t *p = input.data + offset;
	uint8_t info = p[0] & 31;
	size_t left = input.size - offset;
	*out = (struct head){.major = (enum major)(p[0] >> 5), .value = info, .size = 1};
	if (info < 24)
		return RS_OK;
	if (info > 27)
		return malformed(err, offset,
		                 info == 31 ? "indefinite lengths are not deterministic"
		                            : "the item's head is reserved");
	size_t width = (size_t)1 << (info - 24);
	if (left < 1 + width)
		return malformed(err, offset, "the item's head is cut off");
	out->size = 1 + width;
	out->value = width == 1   ? p[1]
	             : width == 2 ? rs_read_be16(p + 1)
	             : width == 4 ? rs_read_be32(p + 1)
	                          : rs_read_be64(p + 1);
	static const uint64_t least[] = {24, 0x100, 0x10000, 0x100000000};
	if (out->major != SIMPLE && out->value < least[info - 24])
		return malformed(err, offset, "the number is not in its shortest form");
	return RS_OK;
}

/* Decodes a float head; checks that no shorter form exists by encoding it again. */
static enum rs_code check_float(struct rs_bytes input, size_t offset, const struct head *head, double *out,
                                struct rs_error *err)
{
	double value;
	if (head->size == 3) {
		value = f64_of_half((uint16_t)head->value);
	} else if (head->size == 5) {
		uint32_t bits = (uint32_t)head->value;
		float narrow;
		memcpy(&narrow, &bits, sizeof narrow);
		value = (double)narrow;
	} else {
		memcpy(&value, &head->value, sizeof value);
	}
	struct rs_buffer again;
	uint8_t bytes[9];
	again = (struct rs_buffer){.data = bytes, .capacity = sizeof bytes, .maximum = sizeof bytes};
	rs_cbor_write_f64(&again, value);
	if (!rs_bytes_equal(rs_buffer_bytes(&again), rs_bytes_of(input.data + offset, head->size)))
		return malformed(err, offset, "the floating-point number is not in its shortest form");
	*out = value;
	return RS_OK;
}

static enum rs_code check_simple(struct rs_bytes input, size_t offset, const struct head *head,
                                 struct rs_error *err)
{
	double ignored;
	if (head->size >= 3)
		return check_float(input, offset, head, &ignored, err);
	if (head->size != 1 ||
	    (head->value != SIMPLE_FALSE && head->value != SIMPLE_TRUE && head->value != SIMPLE_NULL))
		return malformed(err, offset, "only false, true, null and floating-point numbers are used");
	return RS_OK;
}

static enum rs_code check_string(struct rs_bytes input, size_t *offset, const struct head *head,
                                 struct rs_error *err)
{
	size_t start = *offset + head->size;
	if (head->value > input.size - start)
		return malformed(err, *offset, "the string is longer than the input");
	size_t size = (size_t)head->value;
	if (head->major == TEXT && !rs_utf8_valid((struct rs_str){(const char *)input.data + start, size}))
		return malformed(err, *offset, "the text is not UTF-8");
	*offset = start + size;
	return RS_OK;
}

/* Bytewise order of encodings (§4.2.1): memcmp, then length. */
static int compare_encodings(struct rs_bytes a, struct rs_bytes b)
{
	size_t shorter = a.size < b.size ? a.size : b.size;
	int order = memcmp(a.data, b.data, shorter);
	return order ? order : (a.size > b.size) - (a.size < b.size);
}

static enum rs_code check_item(struct rs_bytes input, size_t *offset, unsigned depth, struct rs_error *err);

static enum rs_code check_map(struct rs_bytes input, size_t *offset, uint64_t pairs, unsigned depth,
                              struct rs_error *err)
{
	struct rs_bytes previous = {NULL, 0};
	for (uint64_t i = 0; i < pairs; i++) {
		size_t start = *offset;
		RS_TRY(check_item(input, offset, depth, err));
		struct rs_bytes key = {input.data + start, *offset - start};
		if (i && compare_encodings(previous, key) >= 0)
			return malformed(err, start, "map keys are out of order or stand twice");
		previous = key;
		RS_TRY(check_item(input, offset, depth, err));
	}
	return RS_OK;
}

static enum rs_code check_item(struct rs_bytes input, size_t *offset, unsigned depth, struct rs_error *err)
{
	struct head head;
	RS_TRY(read_head(input, *offset, &head, err));
	if (depth > RS_CBOR_DEPTH_MAX)
		return malformed(err, *offset, "items are nested too deeply");
	size_t start = *offset;
	switch (head.major) {
	case BYTES:
	case TEXT: return check_string(input, offset, &head, err);
	case SIMPLE: *offset = start + head.size; return check_simple(input, start, &head, err);
	case UNSIGNED: *offset = start + head.size; return RS_OK;
	case NEGATIVE:
		*offset = start + head.size;
		return head.value > INT64_MAX
		               ? malformed(err, start, "the negative number needs more than 64 bits")
		               : RS_OK;
	default: break;
	}
	*offset = start + head.size;
	/* Each item needs a byte, so counts beyond the input are refused before the loop. */
	if (head.major != TAG && head.value > input.size - *offset)
		return malformed(err, start, "more items are announced than the input can hold");
	if (head.major == MAP)
		return check_map(input, offset, head.value, depth + 1, err);
	uint64_t count = head.major == TAG ? 1 : head.value;
	for (uint64_t i = 0; i < count; i++)
		RS_TRY(check_item(input, offset, depth + 1, err));
	return RS_OK;
}

enum rs_code rs_cbor_check(struct rs_bytes input, struct rs_error *err)
{
	size_t offset = 0;
	RS_TRY(check_item(input, &offset, 0, err));
	if (offset != input.size)
		return malformed(err, offset, "bytes follow the item");
	return RS_OK;
}

enum rs_code rs_cbor_reader_init(struct rs_cbor_reader *reader, struct rs_bytes input, struct rs_error *err)
{
	RS_TRY(rs_cbor_check(input, err));
	*reader = (struct rs_cbor_reader){.input = input};
	return RS_OK;
}

enum rs_code rs_cbor_peek(const struct rs_cbor_reader *reader, enum rs_cbor_kind *out, struct rs_error *err)
{
	struct head head;
	RS_TRY(read_head(reader->input, reader->position, &head, err));
	static const enum rs_cbor_kind kinds[] = {RS_CBOR_UNSIGNED, RS_CBOR_NEGATIVE, RS_CBOR_BYTES,
	                                          RS_CBOR_TEXT,     RS_CBOR_ARRAY,    RS_CBOR_MAP,
	                                          RS_CBOR_TAG};
	if (head.major != SIMPLE)
		*out = kinds[head.major];
	else if (head.size > 1)
		*out = RS_CBOR_FLOAT;
	else
		*out = head.value == SIMPLE_NULL ? RS_CBOR_NULL : RS_CBOR_BOOL;
	return RS_OK;
}

static enum rs_code wrong_kind(const struct rs_cbor_reader *reader, const char *field, const char *expected,
                               struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "%s: %s is needed at byte %zu", field, expected,
	                    reader->position);
}

/* Takes the head of an item of the expected major type. */
static enum rs_code take(struct rs_cbor_reader *reader, enum major major, const char *field,
                         const char *expected, uint64_t *out, struct rs_error *err)
{
	struct head head = {.major = SIMPLE};
	if (read_head(reader->input, reader->position, &head, NULL) != RS_OK || head.major != major)
		return wrong_kind(reader, field, expected, err);
	reader->position += head.size;
	*out = head.value;
	return RS_OK;
}

enum rs_code rs_cbor_read_u64(struct rs_cbor_reader *reader, const char *field, uint64_t *out,
                              struct rs_error *err)
{
	return take(reader, UNSIGNED, field, "an unsigned number", out, err);
}

enum rs_code rs_cbor_read_i64(struct rs_cbor_reader *reader, const char *field, int64_t *out,
                              struct rs_error *err)
{
	struct head head = {.major = SIMPLE};
	if (read_head(reader->input, reader->position, &head, NULL) != RS_OK ||
	    (head.major != UNSIGNED && head.major != NEGATIVE) || head.value > INT64_MAX)
		return wrong_kind(reader, field, "a signed number", err);
	reader->position += head.size;
	*out = head.major == UNSIGNED ? (int64_t)head.value : -1 - (int64_t)head.value;
	return RS_OK;
}

static enum rs_code take_string(struct rs_cbor_reader *reader, enum major major, const char *field,
                                const char *expected, struct rs_bytes *out, struct rs_error *err)
{
	uint64_t size;
	RS_TRY(take(reader, major, field, expected, &size, err));
	*out = rs_bytes_of(reader->input.data + reader->position, (size_t)size);
	reader->position += (size_t)size;
	return RS_OK;
}

enum rs_code rs_cbor_read_bytes(struct rs_cbor_reader *reader, const char *field, struct rs_bytes *out,
                                struct rs_error *err)
{
	return take_string(reader, BYTES, field, "a byte string", out, err);
}

enum rs_code rs_cbor_read_fixed(struct rs_cbor_reader *reader, const char *field, uint8_t *out, size_t size,
                                struct rs_error *err)
{
	struct rs_bytes bytes;
	RS_TRY(rs_cbor_read_bytes(reader, field, &bytes, err));
	if (bytes.size != size)
		return rs_error_set(err, RS_MALFORMED, "%s: has %zu bytes, %zu are needed", field, bytes.size,
		                    size);
	memcpy(out, bytes.data, size);
	return RS_OK;
}

enum rs_code rs_cbor_read_str(struct rs_cbor_reader *reader, const char *field, struct rs_str *out,
                              struct rs_error *err)
{
	struct rs_bytes bytes;
	RS_TRY(take_string(reader, TEXT, field, "text", &bytes, err));
	*out = rs_str_of_bytes(bytes);
	return RS_OK;
}

static enum rs_code take_count(struct rs_cbor_reader *reader, enum major major, const char *field,
                               const char *expected, size_t *out, struct rs_error *err)
{
	uint64_t count = 0;
	RS_TRY(take(reader, major, field, expected, &count, err));
	*out = (size_t)count;
	return RS_OK;
}

enum rs_code rs_cbor_read_array(struct rs_cbor_reader *reader, const char *field, size_t *out_count,
                                struct rs_error *err)
{
	return take_count(reader, ARRAY, field, "an array", out_count, err);
}

enum rs_code rs_cbor_read_map(struct rs_cbor_reader *reader, const char *field, size_t *out_count,
                              struct rs_error *err)
{
	return take_count(reader, MAP, field, "a map", out_count, err);
}

enum rs_code rs_cbor_read_tag(struct rs_cbor_reader *reader, const char *field, uint64_t *out,
                              struct rs_error *err)
{
	return take(reader, TAG, field, "a tag", out, err);
}

enum rs_code rs_cbor_read_bool(struct rs_cbor_reader *reader, const char *field, bool *out,
                               struct rs_error *err)
{
	enum rs_cbor_kind kind = RS_CBOR_NULL;
	uint64_t value = 0;
	if (rs_cbor_peek(reader, &kind, NULL) != RS_OK || kind != RS_CBOR_BOOL)
		return wrong_kind(reader, field, "true or false", err);
	RS_TRY(take(reader, SIMPLE, field, "true or false", &value, err));
	*out = value == SIMPLE_TRUE;
	return RS_OK;
}

enum rs_code rs_cbor_read_null(struct rs_cbor_reader *reader, const char *field, struct rs_error *err)
{
	enum rs_cbor_kind kind = RS_CBOR_BOOL;
	uint64_t value;
	if (rs_cbor_peek(reader, &kind, NULL) != RS_OK || kind != RS_CBOR_NULL)
		return wrong_kind(reader, field, "null", err);
	return take(reader, SIMPLE, field, "null", &value, err);
}

enum rs_code rs_cbor_read_f64(struct rs_cbor_reader *reader, const char *field, double *out,
                              struct rs_error *err)
{
	struct head head = {.major = SIMPLE};
	if (read_head(reader->input, reader->position, &head, NULL) != RS_OK || head.major != SIMPLE ||
	    head.size < 3)
		return wrong_kind(reader, field, "a floating-point number", err);
	RS_TRY(check_float(reader->input, reader->position, &head, out, err));
	reader->position += head.size;
	return RS_OK;
}

enum rs_code rs_cbor_skip(struct rs_cbor_reader *reader, struct rs_bytes *out_item, struct rs_error *err)
{
	size_t end = reader->position;
	RS_TRY(check_item(reader->input, &end, 0, err));
	if (out_item)
		*out_item = rs_bytes_of(reader->input.data + reader->position, end - reader->position);
	reader->position = end;
	return RS_OK;
}

bool rs_cbor_at_end(const struct rs_cbor_reader *reader) { return reader->position == reader->input.size; }
