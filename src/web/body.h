/* Small bodies of JSON in requests, and answers of JSON. */
#ifndef WEB_BODY_H
#define WEB_BODY_H

#include <jansson.h>

#include "service.h"

/* For routes: begin, take and finish of a body that answer() reads with json_body_read(). */
enum rs_code json_body_begin(struct request *request, struct rs_error *err);
enum rs_code json_body_take(struct request *request, struct rs_bytes bytes, struct rs_error *err);
void json_body_finish(struct request *request); /* wipes it: it may hold a password */
/* The body as an object; json_decref() it. An empty body is an empty object. errors  RS_MALFORMED */
enum rs_code json_body_read(struct request *request, json_t **out, struct rs_error *err);
void json_release(json_t **json); /* for RS_CLEANUP */

#endif
