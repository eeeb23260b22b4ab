/* JSON output, read back by jansson, and by eye where the form matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/base_json.h"

static void assert_written(struct rs_buffer *out, const char *expected)
{
	assert_int_equal(rs_buffer_append_u8(out, 0), RS_OK);
	assert_string_equal((const char *)out->data, expected);
	rs_buffer_clear(out);
}

static void write_sample(struct rs_json *json)
{
	rs_json_object_begin(json);
	rs_json_key(json, "a");
	rs_json_u64(json, UINT64_MAX);
	rs_json_key(json, "b");
	rs_json_array_begin(json);
	rs_json_u64(json, 7);
	rs_json_bool(json, true);
	rs_json_null(json);
	rs_json_object_begin(json);
	rs_json_object_end(json);
	rs_json_array_begin(json);
	rs_json_array_end(json);
	rs_json_array_end(json);
	rs_json_key(json, "c");
	rs_json_hex(json, rs_bytes_of("\x00\xff", 2));
	rs_json_object_end(json);
}

static void commas_and_lines(void **state)
{
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	(void)state;
	rs_buffer_init(&out, 1000);
	rs_json_init(&json, &out, false);
	write_sample(&json);
	assert_int_equal(json.depth, 0);
	assert_written(&out, "{\"a\":18446744073709551615,\"b\":[7,true,null,{},[]],\"c\":\"00ff\"}");
	rs_json_init(&json, &out, true);
	write_sample(&json);
	assert_written(&out, "{\n  \"a\": 18446744073709551615,\n  \"b\": [\n    7,\n    true,\n"
	                     "    null,\n    {},\n    []\n  ],\n  \"c\": \"00ff\"\n}");
}

static void single_values(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {{0.5, "0.5"},          {1e300, "1e+300"},          {-0.0, "-0"},
	            {(double)NAN, "null"}, {(double)INFINITY, "null"}, {-(double)INFINITY, "null"}};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	(void)state;
	rs_buffer_init(&out, 1000);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		rs_json_init(&json, &out, true);
		rs_json_f64(&json, rows[i].value);
		assert_written(&out, rows[i].text);
	}
	rs_json_init(&json, &out, false);
	rs_json_text(&json, "a\"\\/\b\n\t\x7f\xc3\xa9");
	assert_written(&out, "\"a\\\"\\\\/\\u0008\\n\\t\\u007f\xc3\xa9\"");
	rs_json_init(&json, &out, false);
	rs_json_str(&json, RS_STR("a\0b"));
	assert_written(&out, "\"a\\u0000b\"");
}

static void invalid_text_is_replaced(void **state)
{
	static const char *const rows[][2] = {
		{"\xff", "\xef\xbf\xbd"},
		{"a\xc3", "a\xef\xbf\xbd"},
		{"\xc3(", "\xef\xbf\xbd("},
		{"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe6\xb0\xb4\xf0\x90\x85\x91", "\xe6\xb0\xb4\xf0\x90\x85\x91"}};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	(void)state;
	rs_buffer_init(&out, 1000);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_json json;
		char expected[64];
		snprintf(expected, sizeof expected, "\"%s\"", rows[i][1]);
		rs_json_init(&json, &out, false);
		rs_json_text(&json, rows[i][0]);
		assert_written(&out, expected);
	}
}

static json_t *read_back(const struct rs_buffer *out)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)out->data, out->size, JSON_DECODE_ANY | JSON_ALLOW_NUL,
	                          &error);
	if (!root)
		fail_msg("jansson: %s at %d in %.*s", error.text, error.position, (int)out->size,
		         (const char *)out->data);
	return root;
}

static uint64_t seeded(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed;
}

/* Random bytes as key and as value: always JSON, and valid text comes back as it went in. */
static void any_bytes_become_json(void **state)
{
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	uint64_t seed = 4;
	unsigned valid = 0;
	(void)state;
	rs_buffer_init(&out, 100000);
	for (unsigned round = 0; round < 30000; round++) {
		char bytes[13];
		for (size_t i = 0; i < 12; i++)
			bytes[i] = (char)(seeded(&seed) >>
			                  (round % 2 ? 56 : 57)); /* every second round ASCII */
		bytes[12] = '\0';
		struct rs_str text = {bytes, round % 13};
		struct rs_json json;
		rs_buffer_clear(&out);
		rs_json_init(&json, &out, round % 3 == 0);
		rs_json_object_begin(&json);
		rs_json_key(&json, "value");
		rs_json_str(&json, text);
		rs_json_key(&json, bytes);
		rs_json_bool(&json, false);
		rs_json_object_end(&json);
		json_t *root = read_back(&out);
		json_t *value = json_object_get(root, "value");
		if (rs_utf8_valid(text)) {
			struct rs_str back = {json_string_value(value), json_string_length(value)};
			assert_true(rs_str_equal(back, text));
			valid++;
		}
		json_decref(root);
	}
	assert_true(valid > 10000);
}

static void numbers_come_back(void **state)
{
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	uint64_t seed = 4;
	(void)state;
	rs_buffer_init(&out, 1000);
	for (unsigned round = 0; round < 20000; round++) {
		struct rs_json json;
		double value;
		uint64_t bits = seeded(&seed);
		memcpy(&value, &bits, sizeof value);
		rs_buffer_clear(&out);
		rs_json_init(&json, &out, false);
		rs_json_f64(&json, value);
		json_t *root = read_back(&out);
		assert_true(isfinite(value) ? json_number_value(root) == value : json_is_null(root));
		json_decref(root);
	}
}

static void depth_reaches_its_maximum(void **state)
{
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	(void)state;
	rs_buffer_init(&out, 1000000);
	rs_json_init(&json, &out, true);
	for (int i = 0; i < RS_JSON_DEPTH_MAX; i++)
		rs_json_array_begin(&json);
	for (int i = 0; i < RS_JSON_DEPTH_MAX; i++)
		rs_json_array_end(&json);
	json_decref(read_back(&out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_lines),         cmocka_unit_test(single_values),
		cmocka_unit_test(invalid_text_is_replaced), cmocka_unit_test(any_bytes_become_json),
		cmocka_unit_test(numbers_come_back),        cmocka_unit_test(depth_reaches_its_maximum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
