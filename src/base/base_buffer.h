/* A growing byte buffer that is born with a maximum: whatever comes from outside,
 * it cannot grow past what its owner allowed.
 *
 * Appending never fails half-way: on RS_TOO_LARGE or RS_NO_MEMORY nothing was added, the
 * buffer remembers it (`failed`), and later appends are refused too, so a writer may append
 * many times and look once with rs_buffer_check(). */
#ifndef RS_BASE_BUFFER_H
#define RS_BASE_BUFFER_H

#include "base/base_text.h"

struct rs_buffer {
	uint8_t *data;
	size_t size;
	size_t capacity;
	size_t maximum;
	enum rs_code failed; /* RS_OK, or the first failure */
};

void rs_buffer_init(struct rs_buffer *buffer, size_t maximum);
void rs_buffer_finish(struct rs_buffer *buffer); /* accepts NULL and zeroed memory */
void rs_buffer_clear(struct rs_buffer *buffer);  /* size 0, failure forgotten, memory kept */
struct rs_bytes rs_buffer_bytes(const struct rs_buffer *buffer);
struct rs_str rs_buffer_str(const struct rs_buffer *buffer);
/* RS_OK, or the remembered failure with a sentence naming `purpose`. */
enum rs_code rs_buffer_check(const struct rs_buffer *buffer, const char *purpose, struct rs_error *err);

enum rs_code rs_buffer_reserve(struct rs_buffer *buffer, size_t more);
enum rs_code rs_buffer_append(struct rs_buffer *buffer, const void *data, size_t size);
enum rs_code rs_buffer_append_bytes(struct rs_buffer *buffer, struct rs_bytes bytes);
enum rs_code rs_buffer_append_str(struct rs_buffer *buffer, struct rs_str text);
enum rs_code rs_buffer_append_text(struct rs_buffer *buffer, const char *text);
enum rs_code rs_buffer_append_u8(struct rs_buffer *buffer, uint8_t value);
enum rs_code rs_buffer_append_f64_text(struct rs_buffer *buffer, double value); /* rs_format_f64 */
enum rs_code rs_buffer_printf(struct rs_buffer *buffer, const char *format, ...) RS_PRINTF(2, 3);

#endif
