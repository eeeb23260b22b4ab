/* JSON output. */
#include "base/base_json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

void rs_json_init(struct rs_json *json, struct rs_buffer *out, bool indent)
{
	*json = (struct rs_json){.out = out, .indent = indent};
}

static void line(struct rs_json *json)
{
	if (!json->indent)
		return;
	rs_buffer_append_u8(json->out, '\n');
	for (unsigned i = 0; i < json->depth; i++)
		rs_buffer_append_text(json->out, "  ");
}

/* Comma and line before an item; nothing between a key and its value. */
static void begin_item(struct rs_json *json)
{
	if (json->after_key) {
		json->after_key = false;
		return;
	}
	if (json->depth == 0)
		return;
	if (json->has_item[json->depth - 1])
		rs_buffer_append_u8(json->out, ',');
	json->has_item[json->depth - 1] = true;
	line(json);
}

static void begin(struct rs_json *json, char open)
{
	begin_item(json);
	assert(json->depth < RS_JSON_DEPTH_MAX);
	rs_buffer_append_u8(json->out, (uint8_t)open);
	json->has_item[json->depth++] = false;
}

static void end(struct rs_json *json, char close)
{
	assert(json->depth > 0 && !json->after_key);
	bool had_items = json->has_item[--json->depth];
	if (had_items)
		line(json);
	rs_buffer_append_u8(json->out, (uint8_t)close);
}

void rs_json_object_begin(struct rs_json *json) { begin(json, '{'); }

void rs_json_object_end(struct rs_json *json) { end(json, '}'); }

void rs_json_array_begin(struct rs_json *json) { begin(json, '['); }

void rs_json_array_end(struct rs_json *json) { end(json, ']'); }

/* Length of the valid UTF-8 sequence at the start of text, 0 when it is not valid. */
static size_t valid_sequence(struct rs_str text)
{
	for (size_t size = 1; size <= 4 && size <= text.size; size++)
		if (rs_utf8_valid((struct rs_str){text.data, size}))
			return size;
	return 0;
}

static void quoted(struct rs_json *json, struct rs_str value)
{
	struct rs_buffer *out = json->out;
	rs_buffer_append_u8(out, '"');
	while (value.size) {
		unsigned char c = (unsigned char)value.data[0];
		size_t size = c < 0x80 ? 1 : valid_sequence(value);
		if (size == 0) {
			rs_buffer_append_text(out, "\xef\xbf\xbd");
			size = 1;
		} else if (c == '"' || c == '\\') {
			rs_buffer_append_u8(out, '\\');
			rs_buffer_append_u8(out, c);
		} else if (c == '\n') {
			rs_buffer_append_text(out, "\\n");
		} else if (c == '\t') {
			rs_buffer_append_text(out, "\\t");
		} else if (c < 0x20 || c == 0x7f) {
			rs_buffer_printf(out, "\\u%04x", c);
		} else {
			rs_buffer_append(out, value.data, size);
		}
		value.data += size;
		value.size -= size;
	}
	rs_buffer_append_u8(out, '"');
}

void rs_json_key(struct rs_json *json, const char *key)
{
	begin_item(json);
	quoted(json, rs_str_from(key));
	rs_buffer_append_text(json->out, json->indent ? ": " : ":");
	json->after_key = true;
}

void rs_json_str(struct rs_json *json, struct rs_str value)
{
	begin_item(json);
	quoted(json, value);
}

void rs_json_text(struct rs_json *json, const char *value) { rs_json_str(json, rs_str_from(value)); }

void rs_json_u64(struct rs_json *json, uint64_t value)
{
	begin_item(json);
	rs_buffer_printf(json->out, "%" PRIu64, value);
}

void rs_json_i64(struct rs_json *json, int64_t value)
{
	begin_item(json);
	rs_buffer_printf(json->out, "%" PRId64, value);
}

void rs_json_f64(struct rs_json *json, double value)
{
	begin_item(json);
	if (isfinite(value))
		rs_buffer_append_f64_text(json->out, value);
	else
		rs_buffer_append_text(json->out, "null");
}

void rs_json_bool(struct rs_json *json, bool value)
{
	begin_item(json);
	rs_buffer_append_text(json->out, value ? "true" : "false");
}

void rs_json_null(struct rs_json *json)
{
	begin_item(json);
	rs_buffer_append_text(json->out, "null");
}

void rs_json_hex(struct rs_json *json, struct rs_bytes value)
{
	begin_item(json);
	rs_buffer_append_u8(json->out, '"');
	for (size_t i = 0; i < value.size; i++)
		rs_buffer_printf(json->out, "%02x", value.data[i]);
	rs_buffer_append_u8(json->out, '"');
}
