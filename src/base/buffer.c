/* Growing buffers with a maximum. */
#include "base/base_buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void rs_buffer_init(struct rs_buffer *buffer, size_t maximum)
{
	*buffer = (struct rs_buffer){.maximum = maximum};
}

void rs_buffer_finish(struct rs_buffer *buffer)
{
	if (!buffer)
		return;
	rs_free(buffer->data);
	*buffer = (struct rs_buffer){.maximum = buffer->maximum};
}

void rs_buffer_clear(struct rs_buffer *buffer)
{
	buffer->size = 0;
	buffer->failed = RS_OK;
}

struct rs_bytes rs_buffer_bytes(const struct rs_buffer *buffer)
{
	return (struct rs_bytes){buffer->data, buffer->size};
}

struct rs_str rs_buffer_str(const struct rs_buffer *buffer)
{
	return (struct rs_str){(const char *)buffer->data, buffer->size};
}

enum rs_code rs_buffer_check(const struct rs_buffer *buffer, const char *purpose, struct rs_error *err)
{
	if (buffer->failed == RS_OK)
		return RS_OK;
	if (buffer->failed == RS_NO_MEMORY)
		return rs_error_memory(err, buffer->size, purpose);
	return rs_error_set(err, buffer->failed, "%s: more than the %zu bytes allowed", purpose,
	                    buffer->maximum);
}

enum rs_code rs_buffer_reserve(struct rs_buffer *buffer, size_t more)
{
	if (buffer->failed != RS_OK)
		return buffer->failed;
	size_t needed;
	if (!rs_add_size(buffer->size, more, &needed) || needed > buffer->maximum)
		return buffer->failed = RS_TOO_LARGE;
	if (needed <= buffer->capacity)
		return RS_OK;
	size_t capacity = buffer->capacity ? buffer->capacity : 256;
	while (capacity < needed)
		if (!rs_mul_size(capacity, 2, &capacity))
			capacity = needed;
	if (capacity > buffer->maximum)
		capacity = buffer->maximum;
	uint8_t *data = rs_reallocate(buffer->data, capacity);
	if (!data)
		return buffer->failed = RS_NO_MEMORY;
	buffer->data = data;
	buffer->capacity = capacity;
	return RS_OK;
}

enum rs_code rs_buffer_append(struct rs_buffer *buffer, const void *data, size_t size)
{
	if (size == 0)
		return buffer->failed;
	RS_TRY(rs_buffer_reserve(buffer, size));
	memcpy(buffer->data + buffer->size, data, size);
	buffer->size += size;
	return RS_OK;
}

enum rs_code rs_buffer_append_bytes(struct rs_buffer *buffer, struct rs_bytes bytes)
{
	return rs_buffer_append(buffer, bytes.data, bytes.size);
}

enum rs_code rs_buffer_append_str(struct rs_buffer *buffer, struct rs_str text)
{
	return rs_buffer_append(buffer, text.data, text.size);
}

enum rs_code rs_buffer_append_text(struct rs_buffer *buffer, const char *text)
{
	return rs_buffer_append(buffer, text, strlen(text));
}

enum rs_code rs_buffer_append_u8(struct rs_buffer *buffer, uint8_t value)
{
	return rs_buffer_append(buffer, &value, 1);
}

enum rs_code rs_buffer_append_f64_text(struct rs_buffer *buffer, double value)
{
	char text[RS_F64_TEXT_SIZE];
	size_t size = rs_format_f64(value, text);
	return rs_buffer_append(buffer, text, size);
}

enum rs_code rs_buffer_printf(struct rs_buffer *buffer, const char *format, ...)
{
	char small[512];
	va_list arguments;
	va_start(arguments, format);
	int needed = vsnprintf(small, sizeof small, format, arguments);
	va_end(arguments);
	assert(needed >= 0);
	size_t size = (size_t)needed;
	if (size < sizeof small)
		return rs_buffer_append(buffer, small, size);
	RS_TRY(rs_buffer_reserve(buffer, size));
	char *large = rs_allocate(size + 1);
	if (!large)
		return buffer->failed = RS_NO_MEMORY;
	va_start(arguments, format);
	vsnprintf(large, size + 1, format, arguments);
	va_end(arguments);
	enum rs_code code = rs_buffer_append(buffer, large, size);
	rs_free(large);
	return code;
}
