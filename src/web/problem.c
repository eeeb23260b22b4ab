/* Failures as answers (RFC 9457). */
#include "server.h"

unsigned problem_status(enum rs_code code)
{
	switch (code) {
	case RS_USAGE:
	case RS_MALFORMED: return MHD_HTTP_BAD_REQUEST;
	case RS_UNSUPPORTED: return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
	case RS_TOO_LARGE: return MHD_HTTP_CONTENT_TOO_LARGE;
	case RS_NOT_FOUND: return MHD_HTTP_NOT_FOUND;
	case RS_EXISTS: return MHD_HTTP_CONFLICT;
	case RS_REFUSED: return MHD_HTTP_FORBIDDEN;
	case RS_DENIED: return MHD_HTTP_UNAUTHORIZED;
	case RS_NO_SPACE: return MHD_HTTP_INSUFFICIENT_STORAGE;
	case RS_NO_MEMORY:
	case RS_BUSY:
	case RS_CANCELLED: return MHD_HTTP_SERVICE_UNAVAILABLE;
	default: return MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
}

void problem_format(const struct request *request, const struct rs_error *failure, struct rs_buffer *out)
{
	struct rs_json json;
	rs_json_init(&json, out, false);
	rs_json_object_begin(&json);
	rs_json_key(&json, "type");
	rs_json_text(&json, "about:blank");
	rs_json_key(&json, "title");
	rs_json_text(&json, MHD_get_reason_phrase_for(request->status));
	rs_json_key(&json, "status");
	rs_json_u64(&json, request->status);
	rs_json_key(&json, "detail");
	rs_json_text(&json, failure->message);
	rs_json_key(&json, "code");
	rs_json_text(&json, rs_code_name(failure->code));
	rs_json_key(&json, "instance");
	rs_json_text(&json, request->id);
	rs_json_object_end(&json);
}
