/* Small bodies of JSON. */
#include "body.h"

#include "crypto/crypto.h"

void json_release(json_t **json) { json_decref(*json); }

enum rs_code json_body_begin(struct request *request, struct rs_error *err)
{
	struct rs_buffer *body = rs_allocate(sizeof *body);
	if (!body)
		return rs_error_memory(err, sizeof *body, "a body");
	rs_buffer_init(body, (size_t)request->route->body_max);
	request->state = body;
	return RS_OK;
}

enum rs_code json_body_take(struct request *request, struct rs_bytes bytes, struct rs_error *err)
{
	struct rs_buffer *body = request->state;
	rs_buffer_append_bytes(body, bytes);
	return rs_buffer_check(body, "a body", err);
}

void json_body_finish(struct request *request)
{
	rs_secret_buffer_finish(request->state);
	rs_free(request->state);
	request->state = NULL;
}

enum rs_code json_body_read(struct request *request, json_t **out, struct rs_error *err)
{
	const struct rs_buffer *body = request->state;
	json_error_t why;
	json_t *json = body && body->size ? json_loadb((const char *)body->data, body->size,
	                                               JSON_REJECT_DUPLICATES, &why)
	                                  : json_object();
	if (!json_is_object(json)) {
		json_decref(json);
		return rs_error_set(err, RS_MALFORMED, "the body is no JSON object");
	}
	*out = json;
	return RS_OK;
}
