/* Views, numbers, hexadecimal, base64, byte order. */
#include "base/base_text.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rs_str rs_str_from(const char *text) { return (struct rs_str){text, text ? strlen(text) : 0}; }

struct rs_bytes rs_bytes_of(const void *data, size_t size) { return (struct rs_bytes){data, size}; }

struct rs_bytes rs_bytes_of_str(struct rs_str text)
{
	return (struct rs_bytes){(const uint8_t *)text.data, text.size};
}

struct rs_str rs_str_of_bytes(struct rs_bytes bytes)
{
	return (struct rs_str){(const char *)bytes.data, bytes.size};
}

bool rs_str_equal(struct rs_str a, struct rs_str b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool rs_str_equal_text(struct rs_str a, const char *b) { return rs_str_equal(a, rs_str_from(b)); }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

bool rs_str_equal_ignoring_case(struct rs_str a, struct rs_str b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++)
		if (lower(a.data[i]) != lower(b.data[i]))
			return false;
	return true;
}

bool rs_str_starts_with(struct rs_str text, const char *prefix)
{
	size_t size = strlen(prefix);
	return text.size >= size && (size == 0 || memcmp(text.data, prefix, size) == 0);
}

bool rs_str_ends_with(struct rs_str text, const char *suffix)
{
	size_t size = strlen(suffix);
	return text.size >= size && (size == 0 || memcmp(text.data + text.size - size, suffix, size) == 0);
}

bool rs_bytes_equal(struct rs_bytes a, struct rs_bytes b)
{
	return rs_str_equal(rs_str_of_bytes(a), rs_str_of_bytes(b));
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

struct rs_str rs_str_trim(struct rs_str text)
{
	while (text.size && is_space(text.data[0])) {
		text.data++;
		text.size--;
	}
	while (text.size && is_space(text.data[text.size - 1]))
		text.size--;
	return text;
}

bool rs_str_split(struct rs_str *rest, char separator, struct rs_str *out_head)
{
	if (!rest->data)
		return false;
	const char *end = rest->size ? memchr(rest->data, separator, rest->size) : NULL;
	if (!end) {
		*out_head = *rest;
		*rest = (struct rs_str){NULL, 0};
		return true;
	}
	size_t size = (size_t)(end - rest->data);
	*out_head = (struct rs_str){rest->data, size};
	*rest = (struct rs_str){end + 1, rest->size - size - 1};
	return true;
}

/* Length of the sequence that starts with `first`, and the least code point it may encode. */
static size_t utf8_sequence(uint8_t first, uint32_t *least, uint32_t *value)
{
	if (first < 0x80) {
		*least = 0;
		*value = first;
		return 1;
	}
	if (first >= 0xc2 && first <= 0xdf) {
		*least = 0x80;
		*value = first & 0x1f;
		return 2;
	}
	if (first >= 0xe0 && first <= 0xef) {
		*least = 0x800;
		*value = first & 0x0f;
		return 3;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*least = 0x10000;
		*value = first & 0x07;
		return 4;
	}
	return 0;
}

bool rs_utf8_valid(struct rs_str text)
{
	size_t i = 0;
	while (i < text.size) {
		uint32_t least, value;
		size_t size = utf8_sequence((uint8_t)text.data[i], &least, &value);
		if (size == 0 || size > text.size - i)
			return false;
		for (size_t k = 1; k < size; k++) {
			uint8_t next = (uint8_t)text.data[i + k];
			if ((next & 0xc0) != 0x80)
				return false;
			value = value << 6 | (next & 0x3f);
		}
		if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
			return false;
		i += size;
	}
	return true;
}

char *rs_str_duplicate(struct rs_str text)
{
	size_t size;
	char *copy = rs_add_size(text.size, 1, &size) ? rs_allocate(size) : NULL;
	if (copy && text.size)
		memcpy(copy, text.data, text.size);
	return copy;
}

char *rs_text_printf(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int needed = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	char *text = needed < 0 ? NULL : rs_allocate((size_t)needed + 1);
	if (!text)
		return NULL;
	va_start(arguments, format);
	vsnprintf(text, (size_t)needed + 1, format, arguments);
	va_end(arguments);
	return text;
}

bool rs_parse_u64(struct rs_str text, uint64_t *out)
{
	uint64_t value = 0;
	if (text.size == 0)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(c - '0'), &value))
			return false;
	}
	*out = value;
	return true;
}

bool rs_parse_i64(struct rs_str text, int64_t *out)
{
	bool negative = text.size && text.data[0] == '-';
	bool sign = negative || (text.size && text.data[0] == '+');
	uint64_t magnitude;
	if (!rs_parse_u64((struct rs_str){text.data + sign, text.size - sign}, &magnitude))
		return false;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return false;
	*out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}

/* Only what a number may hold reaches strtod(), which would take hexadecimal too. */
static bool is_decimal(struct rs_str text)
{
	size_t i = 0, digits = 0;
	if (i < text.size && (text.data[i] == '-' || text.data[i] == '+'))
		i++;
	for (; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
		digits++;
	if (i < text.size && text.data[i] == '.')
		for (i++; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
			digits++;
	if (digits && i < text.size && (text.data[i] == 'e' || text.data[i] == 'E')) {
		i++;
		if (i < text.size && (text.data[i] == '-' || text.data[i] == '+'))
			i++;
		size_t start = i;
		while (i < text.size && text.data[i] >= '0' && text.data[i] <= '9')
			i++;
		if (i == start)
			return false;
	}
	return digits > 0 && i == text.size;
}

bool rs_parse_f64(struct rs_str text, double *out)
{
	static const struct {
		const char *name;
		double value;
	} words[] = {{"nan", NAN},        {"inf", INFINITY},      {"+inf", INFINITY},
	             {"-inf", -INFINITY}, {"infinity", INFINITY}, {"-infinity", -INFINITY}};
	for (size_t i = 0; i < RS_COUNT(words); i++)
		if (rs_str_equal_ignoring_case(text, rs_str_from(words[i].name))) {
			*out = words[i].value;
			return true;
		}
	char copy[512];
	if (text.size >= sizeof copy || !is_decimal(text))
		return false;
	memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	/* radseal never calls setlocale(), so the "C" locale's point is the one strtod() knows;
	 * is_decimal() has refused everything else. */
	char *end;
	double value = strtod(copy, &end);
	if (end != copy + text.size || !isfinite(value))
		return false;
	*out = value;
	return true;
}

size_t rs_format_f64(double value, char out[static RS_F64_TEXT_SIZE])
{
	if (isnan(value))
		return (size_t)snprintf(out, RS_F64_TEXT_SIZE, "nan");
	if (isinf(value))
		return (size_t)snprintf(out, RS_F64_TEXT_SIZE, value < 0 ? "-inf" : "inf");
	int size = 0;
	/* A normal number keeps any 15 digits, so fewer need no try; a subnormal one has fewer. */
	for (int digits = fabs(value) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
		size = snprintf(out, RS_F64_TEXT_SIZE, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			break;
	}
	return (size_t)size;
}

void rs_hex_encode(struct rs_bytes bytes, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < bytes.size; i++) {
		*out++ = digits[bytes.data[i] >> 4];
		*out++ = digits[bytes.data[i] & 15];
	}
	*out = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool rs_hex_decode(struct rs_str text, uint8_t *out, size_t out_size)
{
	if (text.size / 2 != out_size || text.size % 2)
		return false;
	for (size_t i = 0; i < text.size; i++)
		if (hex_value(text.data[i]) < 0)
			return false;
	for (size_t i = 0; i < out_size; i++)
		out[i] = (uint8_t)(hex_value(text.data[2 * i]) << 4 | hex_value(text.data[2 * i + 1]));
	return true;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void rs_base64_encode(struct rs_bytes bytes, char *out)
{
	for (size_t i = 0; i < bytes.size; i += 3) {
		size_t left = bytes.size - i;
		uint32_t group = (uint32_t)bytes.data[i] << 16;
		if (left > 1)
			group |= (uint32_t)bytes.data[i + 1] << 8;
		if (left > 2)
			group |= bytes.data[i + 2];
		*out++ = base64_digits[group >> 18];
		*out++ = base64_digits[group >> 12 & 63];
		*out++ = left > 1 ? base64_digits[group >> 6 & 63] : '=';
		*out++ = left > 2 ? base64_digits[group & 63] : '=';
	}
	*out = '\0';
}

static int base64_value(char c)
{
	const char *found = c ? strchr(base64_digits, c) : NULL;
	return found ? (int)(found - base64_digits) : -1;
}

bool rs_base64_decode(struct rs_str text, uint8_t *out, size_t *out_size)
{
	if (text.size % 4)
		return false;
	size_t padding = 0;
	while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
		padding++;
	uint8_t *p = out;
	for (size_t i = 0; i < text.size; i += 4) {
		bool last = i + 4 == text.size;
		size_t digits = last ? 4 - padding : 4;
		uint32_t group = 0;
		for (size_t k = 0; k < 4; k++) {
			int value = k < digits ? base64_value(text.data[i + k]) : 0;
			if (value < 0)
				return false;
			group = group << 6 | (uint32_t)value;
		}
		/* Bits beyond the last byte must be zero. */
		if ((digits == 3 && (group & 0xff)) || (digits == 2 && (group & 0xffff)))
			return false;
		*p++ = (uint8_t)(group >> 16);
		if (digits > 2)
			*p++ = (uint8_t)(group >> 8);
		if (digits > 3)
			*p++ = (uint8_t)group;
	}
	*out_size = (size_t)(p - out);
	return true;
}

uint16_t rs_read_le16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

uint32_t rs_read_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t rs_read_le64(const uint8_t *p) { return rs_read_le32(p) | (uint64_t)rs_read_le32(p + 4) << 32; }

uint16_t rs_read_be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

uint32_t rs_read_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

uint64_t rs_read_be64(const uint8_t *p) { return (uint64_t)rs_read_be32(p) << 32 | rs_read_be32(p + 4); }

void rs_write_le16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

void rs_write_le32(uint8_t *p, uint32_t value)
{
	rs_write_le16(p, (uint16_t)value);
	rs_write_le16(p + 2, (uint16_t)(value >> 16));
}

void rs_write_le64(uint8_t *p, uint64_t value)
{
	rs_write_le32(p, (uint32_t)value);
	rs_write_le32(p + 4, (uint32_t)(value >> 32));
}

void rs_write_be16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

void rs_write_be32(uint8_t *p, uint32_t value)
{
	rs_write_be16(p, (uint16_t)(value >> 16));
	rs_write_be16(p + 2, (uint16_t)value);
}

void rs_write_be64(uint8_t *p, uint64_t value)
{
	rs_write_be32(p, (uint32_t)(value >> 32));
	rs_write_be32(p + 4, (uint32_t)value);
}
