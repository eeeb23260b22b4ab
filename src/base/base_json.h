/* JSON output (RFC 8259): a writer over rs_buffer that places commas and escapes text.
 * Reading JSON is done with jansson where it is needed. */
#ifndef RS_BASE_JSON_H
#define RS_BASE_JSON_H

#include "base/base_buffer.h"

#define RS_JSON_DEPTH_MAX 256

struct rs_json {
	struct rs_buffer *out; /* borrowed */
	unsigned depth;
	bool indent; /* two spaces and line feeds, else none */
	bool after_key;
	bool has_item[RS_JSON_DEPTH_MAX];
};

void rs_json_init(struct rs_json *json, struct rs_buffer *out, bool indent);
void rs_json_object_begin(struct rs_json *json);
void rs_json_object_end(struct rs_json *json);
void rs_json_array_begin(struct rs_json *json);
void rs_json_array_end(struct rs_json *json);
void rs_json_key(struct rs_json *json, const char *key);
void rs_json_str(struct rs_json *json, struct rs_str value); /* invalid UTF-8 becomes U+FFFD */
void rs_json_text(struct rs_json *json, const char *value);
void rs_json_u64(struct rs_json *json, uint64_t value);
void rs_json_i64(struct rs_json *json, int64_t value);
void rs_json_f64(struct rs_json *json, double value); /* NaN and infinities become null */
void rs_json_bool(struct rs_json *json, bool value);
void rs_json_null(struct rs_json *json);
void rs_json_hex(struct rs_json *json, struct rs_bytes value); /* as a hexadecimal string */

#endif
