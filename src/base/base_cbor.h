/* Deterministic CBOR (RFC 8949 §4.2.1, "core deterministic encoding"): the one form of
 * everything that is hashed or signed. Shortest heads, definite lengths, map keys in
 * bytewise order of their encodings, no duplicates, shortest floats.
 *
 * The reader accepts that form and nothing else, so that a value has exactly one byte
 * string, and every flipped bit is either refused or a different value. */
#ifndef RS_BASE_CBOR_H
#define RS_BASE_CBOR_H

#include "base/base_buffer.h"

#define RS_CBOR_DEPTH_MAX 16

/* Writer: appends one item's head (and content); failures are remembered by the buffer.
 * A map's keys must be written in order; rs_cbor_check() in tests tells when they are not. */
void rs_cbor_write_u64(struct rs_buffer *out, uint64_t value);
void rs_cbor_write_i64(struct rs_buffer *out, int64_t value);
void rs_cbor_write_bytes(struct rs_buffer *out, struct rs_bytes value);
void rs_cbor_write_str(struct rs_buffer *out, struct rs_str value); /* valid UTF-8 */
void rs_cbor_write_array(struct rs_buffer *out, size_t count);      /* then `count` items */
void rs_cbor_write_map(struct rs_buffer *out, size_t count);        /* then `count` pairs */
void rs_cbor_write_tag(struct rs_buffer *out, uint64_t tag);        /* then one item */
void rs_cbor_write_bool(struct rs_buffer *out, bool value);
void rs_cbor_write_null(struct rs_buffer *out);
void rs_cbor_write_f64(struct rs_buffer *out, double value); /* half, single or double; one NaN */

enum rs_cbor_kind {
	RS_CBOR_UNSIGNED,
	RS_CBOR_NEGATIVE,
	RS_CBOR_BYTES,
	RS_CBOR_TEXT,
	RS_CBOR_ARRAY,
	RS_CBOR_MAP,
	RS_CBOR_TAG,
	RS_CBOR_BOOL,
	RS_CBOR_NULL,
	RS_CBOR_FLOAT,
};

struct rs_cbor_reader {
	struct rs_bytes input;
	size_t position;
};

/* Checks the whole input once (one item, deterministic, depth <= RS_CBOR_DEPTH_MAX, nothing
 * after it) and sets the reader to its start. RS_MALFORMED tells the offset and what is wrong.
 * The read functions may then be called in any order; a wrong kind is RS_MALFORMED, and
 * `field` names what was expected in the sentence. Views borrow from the input. */
enum rs_code rs_cbor_reader_init(struct rs_cbor_reader *reader, struct rs_bytes input, struct rs_error *err);
/* The check alone. */
enum rs_code rs_cbor_check(struct rs_bytes input, struct rs_error *err);
enum rs_code rs_cbor_peek(const struct rs_cbor_reader *reader, enum rs_cbor_kind *out, struct rs_error *err);
enum rs_code rs_cbor_read_u64(struct rs_cbor_reader *reader, const char *field, uint64_t *out,
                              struct rs_error *err);
enum rs_code rs_cbor_read_i64(struct rs_cbor_reader *reader, const char *field, int64_t *out,
                              struct rs_error *err);
enum rs_code rs_cbor_read_bytes(struct rs_cbor_reader *reader, const char *field, struct rs_bytes *out,
                                struct rs_error *err);
/* A byte string of exactly `size` bytes, copied. */
enum rs_code rs_cbor_read_fixed(struct rs_cbor_reader *reader, const char *field, uint8_t *out, size_t size,
                                struct rs_error *err);
enum rs_code rs_cbor_read_str(struct rs_cbor_reader *reader, const char *field, struct rs_str *out,
                              struct rs_error *err);
enum rs_code rs_cbor_read_array(struct rs_cbor_reader *reader, const char *field, size_t *out_count,
                                struct rs_error *err);
enum rs_code rs_cbor_read_map(struct rs_cbor_reader *reader, const char *field, size_t *out_count,
                              struct rs_error *err);
enum rs_code rs_cbor_read_tag(struct rs_cbor_reader *reader, const char *field, uint64_t *out,
                              struct rs_error *err);
enum rs_code rs_cbor_read_bool(struct rs_cbor_reader *reader, const char *field, bool *out,
                               struct rs_error *err);
enum rs_code rs_cbor_read_null(struct rs_cbor_reader *reader, const char *field, struct rs_error *err);
enum rs_code rs_cbor_read_f64(struct rs_cbor_reader *reader, const char *field, double *out,
                              struct rs_error *err);
/* Skips one item with all it holds; *out_item (may be NULL) is its encoding. */
enum rs_code rs_cbor_skip(struct rs_cbor_reader *reader, struct rs_bytes *out_item, struct rs_error *err);
bool rs_cbor_at_end(const struct rs_cbor_reader *reader);

#endif
