/* The REST interface described, from the table that it is made of. */
#ifndef RS_WEB_OPENAPI_H
#define RS_WEB_OPENAPI_H

#include "base/base.h"

#define RS_OPENAPI_SIZE_MAX ((size_t)4 << 20)
/* An OpenAPI 3.1 document, JSON, appended. */
enum rs_code rs_web_openapi(struct rs_buffer *out, struct rs_error *err);

#endif
