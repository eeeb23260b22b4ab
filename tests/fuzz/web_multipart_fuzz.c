/* Hostile bodies of parts: however they are cut, the same is heard, and every part that ended had begun. The first byte is the
 * boundary, the second the size of the pieces. */
#include <stdlib.h>
#include <string.h>

#include "web/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
	struct rs_buffer bytes;
	size_t begun, ended;
};

static enum rs_code begin(void *context, const struct media *type, struct rs_error *err)
{
	struct heard *heard = context;
	char text[PARAMETER_SIZE];
	(void)err;
	if (heard->begun++ != heard->ended)
		abort();
	(void)media_parameter(type, "boundary", text);
	rs_buffer_append_u8(&heard->bytes, '<');
	return RS_OK;
}

static enum rs_code take(void *context, struct rs_bytes bytes, struct rs_error *err)
{
	struct heard *heard = context;
	(void)err;
	if (heard->begun != heard->ended + 1)
		abort();
	rs_buffer_append_bytes(&heard->bytes, bytes);
	return RS_OK;
}

static enum rs_code end(void *context, struct rs_error *err)
{
	struct heard *heard = context;
	(void)err;
	if (heard->begun != ++heard->ended)
		abort();
	rs_buffer_append_u8(&heard->bytes, '>');
	return RS_OK;
}

static enum rs_code hear(const char *boundary, struct rs_bytes body, size_t piece, struct heard *out)
{
	const struct multipart_parts parts = {begin, take, end, out};
	struct multipart multipart RS_CLEANUP(multipart_finish) = {.held = 0};
	struct rs_error err = {0};
	RS_TRY(multipart_init(&multipart, boundary, &parts, &err));
	for (size_t at = 0; at < body.size; at += piece)
		RS_TRY(multipart_take(
			&multipart,
			rs_bytes_of(body.data + at, body.size - at < piece ? body.size - at : piece), &err));
	return multipart_end(&multipart, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard whole = {.begun = 0}, cut = {.begun = 0};
	if (size < 2)
		return 0;
	const char boundary[] = {(char)data[0], '\0'};
	const struct rs_bytes body = rs_bytes_of(data + 2, size - 2);
	rs_buffer_init(&whole.bytes, 2 * size);
	rs_buffer_init(&cut.bytes, 2 * size);
	enum rs_code first = hear(boundary, body, size, &whole);
	enum rs_code second = hear(boundary, body, (size_t)data[1] + 1, &cut);
	if (first != second ||
	    (first == RS_OK && !rs_bytes_equal(rs_buffer_bytes(&whole.bytes), rs_buffer_bytes(&cut.bytes))))
		abort();
	rs_buffer_finish(&whole.bytes);
	rs_buffer_finish(&cut.bytes);
	return 0;
}
