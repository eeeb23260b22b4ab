/* Views of text and bytes, numbers in and out, hexadecimal and base64.
 * No function depends on the locale. */
#ifndef RS_BASE_TEXT_H
#define RS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base_memory.h"

struct rs_str {
	const char *data; /* not NUL-terminated */
	size_t size;
};

struct rs_bytes {
	const uint8_t *data;
	size_t size;
};

#define RS_STR(literal) ((struct rs_str){(literal), sizeof(literal) - 1})
#define RS_STR_FORMAT "%.*s"
#define RS_STR_ARGUMENTS(s) (int)(s).size, (s).data

struct rs_str rs_str_from(const char *text); /* NULL gives an empty view */
struct rs_bytes rs_bytes_of(const void *data, size_t size);
struct rs_bytes rs_bytes_of_str(struct rs_str text);
struct rs_str rs_str_of_bytes(struct rs_bytes bytes);
bool rs_str_equal(struct rs_str a, struct rs_str b);
bool rs_str_equal_text(struct rs_str a, const char *b);
bool rs_str_equal_ignoring_case(struct rs_str a, struct rs_str b); /* ASCII */
bool rs_str_starts_with(struct rs_str text, const char *prefix);
bool rs_str_ends_with(struct rs_str text, const char *suffix);
bool rs_bytes_equal(struct rs_bytes a, struct rs_bytes b); /* not constant time */
struct rs_str rs_str_trim(struct rs_str text);             /* ASCII white space, both ends */
/* Cuts at the first `separator`: *out_head before it, *rest after it (empty at the end).
 * False when *rest was exhausted, so `while (rs_str_split(&rest, ',', &head))` sees every part. */
bool rs_str_split(struct rs_str *rest, char separator, struct rs_str *out_head);
bool rs_utf8_valid(struct rs_str text); /* RFC 3629: no surrogates, no overlong forms */
/* NUL-terminated copy for the border to other libraries; NULL without memory. rs_free() it. */
char *rs_str_duplicate(struct rs_str text) RS_MUST_CHECK;
/* printf into a new heap string; NULL without memory. rs_free() it. */
char *rs_text_printf(const char *format, ...) RS_PRINTF(1, 2) RS_MUST_CHECK;

/* The whole of `text` must be the number; no leading or trailing space; false otherwise,
 * and when it does not fit. *out is left alone on failure. */
bool rs_parse_u64(struct rs_str text, uint64_t *out);
bool rs_parse_i64(struct rs_str text, int64_t *out);
/* Decimal or exponent form with a point, "nan", "inf", "-inf" (any case). */
bool rs_parse_f64(struct rs_str text, double *out);

/* Shortest decimal text that reads back to the same double (of a power of two it may be one digit
 * longer); "nan", "inf", "-inf". Always NUL-terminated. Returns the length. */
#define RS_F64_TEXT_SIZE 32
size_t rs_format_f64(double value, char out[static RS_F64_TEXT_SIZE]);

/* Lower-case hexadecimal, NUL-terminated; out holds 2*size + 1. */
void rs_hex_encode(struct rs_bytes bytes, char *out);
/* Exactly out_size bytes, either case; false otherwise. */
bool rs_hex_decode(struct rs_str text, uint8_t *out, size_t out_size);

/* RFC 4648 §4 with padding. Decoding is strict: no white space, and unused bits must be
 * zero, so that every byte string has one text. */
#define RS_BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1)
void rs_base64_encode(struct rs_bytes bytes, char *out); /* RS_BASE64_SIZE(size), NUL-terminated */
/* out holds at least text.size / 4 * 3 bytes. */
bool rs_base64_decode(struct rs_str text, uint8_t *out, size_t *out_size);

/* Little- and big-endian numbers in byte strings. */
uint16_t rs_read_le16(const uint8_t *p);
uint32_t rs_read_le32(const uint8_t *p);
uint64_t rs_read_le64(const uint8_t *p);
uint16_t rs_read_be16(const uint8_t *p);
uint32_t rs_read_be32(const uint8_t *p);
uint64_t rs_read_be64(const uint8_t *p);
void rs_write_le16(uint8_t *p, uint16_t value);
void rs_write_le32(uint8_t *p, uint32_t value);
void rs_write_le64(uint8_t *p, uint64_t value);
void rs_write_be16(uint8_t *p, uint16_t value);
void rs_write_be32(uint8_t *p, uint32_t value);
void rs_write_be64(uint8_t *p, uint64_t value);

#endif
