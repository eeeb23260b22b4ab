/* Parts of model files that learners and steps share: numbers as byte strings of little-endian records, read strictly. */
#ifndef RS_RECIPE_PACKED_H
#define RS_RECIPE_PACKED_H

#include "base/base_buffer.h"
#include "base/base_cbor.h"

void rs_packed_append_u32(struct rs_buffer *out, uint32_t value);
void rs_packed_append_f64(struct rs_buffer *out, double value);
double rs_packed_f64_at(const uint8_t *bytes);

/* One byte string. Failures are remembered by `out`. */
void rs_packed_write_f64s(struct rs_buffer *out, const double *values, size_t count);
void rs_packed_write_u32s(struct rs_buffer *out, const uint32_t *values, size_t count);

/* A byte string of what stands in `part`, an initialised buffer. */
void rs_packed_write_part(struct rs_buffer *out, const struct rs_buffer *part);

/* RS_MALFORMED: "a model file whose <what> cannot be". */
enum rs_code rs_packed_wrong(const char *what, struct rs_error *err);
/* An array of exactly `count` items follows. */
enum rs_code rs_packed_read_parts(struct rs_cbor_reader *reader, const char *field, size_t count,
                                  struct rs_error *err);
/* The start of a file that is an array of `count` items: "<what>"'s format and version.
 * errors  RS_UNSUPPORTED where they are others */
enum rs_code rs_packed_read_begin(struct rs_cbor_reader *reader, struct rs_bytes file, size_t count,
                                  const char *what, const char *format, uint64_t version,
                                  struct rs_error *err);
enum rs_code rs_packed_read_count(struct rs_cbor_reader *reader, const char *field, uint64_t maximum,
                                  uint64_t *out, struct rs_error *err);
/* Finite. */
enum rs_code rs_packed_read_number(struct rs_cbor_reader *reader, const char *field, double *out,
                                   struct rs_error *err);
/* A byte string of records of `size` bytes, fewer than 2^32. */
enum rs_code rs_packed_read_records(struct rs_cbor_reader *reader, const char *field, size_t size,
                                    struct rs_bytes *out, size_t *out_count, struct rs_error *err);
/* Finite numbers; *out is the caller's to free, NULL on failure. */
enum rs_code rs_packed_read_f64s(struct rs_cbor_reader *reader, const char *field, double **out,
                                 size_t *out_count, struct rs_error *err);
/* Exactly `count` of them. */
enum rs_code rs_packed_read_f64s_of(struct rs_cbor_reader *reader, const char *field, size_t count,
                                    double **out, struct rs_error *err);
/* Each below `limit`. */
enum rs_code rs_packed_read_u32s(struct rs_cbor_reader *reader, const char *field, uint32_t limit,
                                 uint32_t **out, size_t *out_count, struct rs_error *err);
/* Ascending; strictly, where `strictly`. */
bool rs_packed_ascends(const double *values, size_t count, bool strictly);

#endif
