/* Lines between parts. */
#include "parts.h"

#include <stdio.h>

enum rs_code boundary_make(char out[static BOUNDARY_SIZE], struct rs_error *err)
{
	uint8_t random[(BOUNDARY_SIZE - 1) / 2];
	RS_TRY(rs_world_random(rs_world_system(), random, sizeof random, err));
	rs_hex_encode(rs_bytes_of(random, sizeof random), out);
	return RS_OK;
}

size_t boundary_begin(const char *boundary, const char *type, const char *syntax,
                      char out[static PART_HEAD_SIZE])
{
	return (size_t)snprintf(out, PART_HEAD_SIZE, "\r\n--%s\r\nContent-Type: %s%s%s\r\n\r\n", boundary,
	                        type, syntax[0] ? "; transfer-syntax=" : "", syntax);
}

size_t boundary_end(const char *boundary, char out[static PART_HEAD_SIZE])
{
	return (size_t)snprintf(out, PART_HEAD_SIZE, "\r\n--%s--\r\n", boundary);
}

void boundary_media(struct request *request, const char *boundary, const char *type)
{
	snprintf(request->media, sizeof request->media, "multipart/related; type=\"%s\"; boundary=%s", type,
	         boundary);
}
