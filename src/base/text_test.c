/* Views, numbers, hexadecimal, base64, UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_random.h"
#include "base/base_text.h"

static void views(void **state)
{
	static const char *const trimmed[][2] = {{"", ""}, {" \t\r\n", ""}, {" a b ", "a b"}, {"a", "a"}};
	(void)state;
	assert_int_equal(rs_str_from(NULL).size, 0);
	assert_true(rs_str_equal(rs_str_from(NULL), RS_STR("")));
	assert_true(rs_str_equal_text(RS_STR("abc"), "abc"));
	assert_false(rs_str_equal_text(RS_STR("abc"), "ab"));
	assert_false(rs_str_equal(RS_STR("a\0b"), RS_STR("a\0c")));
	assert_true(rs_str_equal_ignoring_case(RS_STR("aZ@["), RS_STR("Az@[")));
	assert_false(rs_str_equal_ignoring_case(RS_STR("@["), RS_STR("`{")));
	assert_true(rs_str_starts_with(RS_STR("abc"), "ab") && rs_str_starts_with(RS_STR("abc"), ""));
	assert_false(rs_str_starts_with(RS_STR("a"), "ab"));
	assert_true(rs_str_ends_with(RS_STR("abc"), "bc") && rs_str_ends_with(RS_STR(""), ""));
	assert_false(rs_str_ends_with(RS_STR("c"), "bc"));
	assert_true(rs_bytes_equal(rs_bytes_of("x", 1), rs_bytes_of_str(RS_STR("x"))));
	for (size_t i = 0; i < RS_COUNT(trimmed); i++)
		assert_true(rs_str_equal_text(rs_str_trim(rs_str_from(trimmed[i][0])), trimmed[i][1]));
}

static void splitting(void **state)
{
	static const char *const rows[][2] = {{"a,b", "<a><b>"}, {"a,", "<a><>"},  {",", "<><>"},
	                                      {"", "<>"},        {"abc", "<abc>"}, {",,x", "<><><x>"}};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_str rest = rs_str_from(rows[i][0]), head;
		char seen[64] = "";
		while (rs_str_split(&rest, ',', &head))
			snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "<%.*s>",
			         RS_STR_ARGUMENTS(head));
		assert_string_equal(seen, rows[i][1]);
	}
}

/* An encoder written from RFC 3629's table, so that the checker is judged by something else. */
static size_t encode_utf8(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = size - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[size] | c);
	return size;
}

static void utf8(void **state)
{
	static const char *const bad[] = {"\x80",
	                                  "\xbf",
	                                  "\xc0\x80",
	                                  "\xc1\xbf",
	                                  "\xe0\x80\x80",
	                                  "\xe0\x9f\xbf",
	                                  "\xf0\x80\x80\x80",
	                                  "\xf0\x8f\xbf\xbf",
	                                  "\xed\xa0\x80",
	                                  "\xed\xbf\xbf",
	                                  "\xf4\x90\x80\x80",
	                                  "\xf5\x80\x80\x80",
	                                  "\xfe",
	                                  "\xff",
	                                  "\xc3",
	                                  "\xe2\x82",
	                                  "\xf0\x90\x85",
	                                  "\xc3\x28",
	                                  "a\xe2\x28\xa1z",
	                                  "\xc3\xc3"};
	char bytes[4];
	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++) {
		struct rs_str text = {bytes, encode_utf8(c, bytes)};
		bool surrogate = c >= 0xd800 && c <= 0xdfff;
		if (rs_utf8_valid(text) == surrogate)
			fail_msg("U+%04X", (unsigned)c);
		text.size--;
		if (text.size && rs_utf8_valid(text))
			fail_msg("U+%04X cut short", (unsigned)c);
	}
	assert_true(rs_utf8_valid(RS_STR("")));
	for (size_t i = 0; i < RS_COUNT(bad); i++)
		if (rs_utf8_valid(rs_str_from(bad[i])))
			fail_msg("row %zu", i);
}

static void whole_numbers(void **state)
{
	static const char *const bad_u64[] = {"",
	                                      " 1",
	                                      "1 ",
	                                      "+1",
	                                      "-1",
	                                      "-0",
	                                      "0x1",
	                                      "1.0",
	                                      "1e3",
	                                      "18446744073709551616",
	                                      "99999999999999999999",
	                                      "\xd9\xa1"};
	static const char *const bad_i64[] = {
		"", "-", "+", "--1", "+-1", " 1", "9223372036854775808", "-9223372036854775809", "1a"};
	uint64_t u = 5;
	int64_t i = 5;
	(void)state;
	for (size_t n = 0; n < RS_COUNT(bad_u64); n++)
		if (rs_parse_u64(rs_str_from(bad_u64[n]), &u))
			fail_msg("\"%s\"", bad_u64[n]);
	for (size_t n = 0; n < RS_COUNT(bad_i64); n++)
		if (rs_parse_i64(rs_str_from(bad_i64[n]), &i))
			fail_msg("\"%s\"", bad_i64[n]);
	assert_true(u == 5 && i == 5);
	assert_true(rs_parse_u64(RS_STR("18446744073709551615"), &u) && u == UINT64_MAX);
	assert_true(rs_parse_u64(RS_STR("007"), &u) && u == 7);
	assert_false(rs_parse_u64(RS_STR("1\0"), &u));
	assert_true(rs_parse_i64(RS_STR("-9223372036854775808"), &i) && i == INT64_MIN);
	assert_true(rs_parse_i64(RS_STR("9223372036854775807"), &i) && i == INT64_MAX);
	assert_true(rs_parse_i64(RS_STR("+5"), &i) && i == 5);
	assert_true(rs_parse_i64(RS_STR("-0"), &i) && i == 0);
}

static void real_numbers(void **state)
{
	static const char *const bad[] = {"",        ".",     "-",   "e5", "1e",    "1e+",    "0x10",
	                                  "0x1p3",   "1,5",   " 1",  "1 ", "1e999", "-1e999", "nan(1)",
	                                  "infinit", "1.2.3", "++1", "1f", "NaN "};
	static const struct {
		const char *text;
		double value;
	} good[] = {{"1", 1},
	            {"-.5", -0.5},
	            {"5.", 5},
	            {"1e3", 1000},
	            {"1E-2", 0.01},
	            {"+2.5e+1", 25},
	            {"INF", (double)INFINITY},
	            {"-Inf", -(double)INFINITY},
	            {"4.9406564584124654e-324", 0x1p-1074},
	            {"1.7976931348623157e308", DBL_MAX},
	            {"9007199254740993", 9007199254740992.0}};
	double value = 3;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(bad); i++)
		if (rs_parse_f64(rs_str_from(bad[i]), &value))
			fail_msg("\"%s\"", bad[i]);
	assert_true(value == 3);
	for (size_t i = 0; i < RS_COUNT(good); i++) {
		assert_true(rs_parse_f64(rs_str_from(good[i].text), &value));
		assert_memory_equal(&value, &good[i].value, sizeof value);
	}
	assert_true(rs_parse_f64(RS_STR("NaN"), &value) && isnan(value));
	assert_true(rs_parse_f64(RS_STR("-0"), &value) && signbit(value));
	char huge[4000]; /* longer than any number needs to be */
	memset(huge, '1', sizeof huge);
	assert_false(rs_parse_f64((struct rs_str){huge, sizeof huge}, &value));
}

/* The digits are those of Python's repr(), which prints the shortest that read back. */
static void shortest_digits(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{0, "0"},
		{-0.0, "-0"},
		{1, "1"},
		{0.1, "0.1"},
		{0.1 + 0.2, "0.30000000000000004"},
		{1.0 / 3, "0.3333333333333333"},
		{2.0 / 3, "0.6666666666666666"},
		{1e23, "1e+23"},
		{5e-324, "5e-324"},
		{1.5e-323, "1.5e-323"},
		{2.225073858507201e-308, "2.225073858507201e-308"},
		{DBL_MIN, "2.2250738585072014e-308"},
		{DBL_MAX, "1.7976931348623157e+308"},
		{123456789012345680.0, "1.2345678901234568e+17"},
		{9007199254740993.0, "9007199254740992"},
		{5e15, "5e+15"},
		{123456, "123456"},
		{1e-5, "1e-05"},
		{-2.5e-7, "-2.5e-07"},
		{(double)INFINITY, "inf"},
		{-(double)INFINITY, "-inf"},
		{(double)NAN, "nan"},
	};
	char text[RS_F64_TEXT_SIZE];
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		assert_int_equal(rs_format_f64(rows[i].value, text), strlen(rows[i].text));
		assert_string_equal(text, rows[i].text);
	}
}

static void every_double_reads_back(void **state)
{
	struct rs_stream stream = {1};
	(void)state;
	for (int i = 0; i < 200000; i++) {
		char text[RS_F64_TEXT_SIZE];
		double value, again;
		uint64_t bits = rs_stream_next(&stream);
		if (i % 4 == 0)
			bits &= UINT64_C(0x800fffffffffffff); /* subnormal */
		memcpy(&value, &bits, sizeof value);
		struct rs_str view = {text, rs_format_f64(value, text)};
		assert_true(rs_parse_f64(view, &again));
		if (isnan(value))
			assert_true(isnan(again));
		else
			assert_memory_equal(&value, &again, sizeof value);
	}
}

static void hexadecimal(void **state)
{
	uint8_t bytes[4] = {9, 9, 9, 9};
	char text[9];
	(void)state;
	rs_hex_encode(rs_bytes_of("\x00\x7f\xab\xff", 4), text);
	assert_string_equal(text, "007fabff");
	assert_false(rs_hex_decode(RS_STR("007fabf"), bytes, 4));
	assert_false(rs_hex_decode(RS_STR("007fabff0"), bytes, 4));
	assert_false(rs_hex_decode(RS_STR("007fabfg"), bytes, 4));
	assert_false(rs_hex_decode(RS_STR("007fab"), bytes, 4));
	assert_memory_equal(bytes, "\t\t\t\t", 4);
	assert_true(rs_hex_decode(RS_STR("007fABfF"), bytes, 4));
	assert_memory_equal(bytes, "\x00\x7f\xab\xff", 4);
	assert_true(rs_hex_decode(RS_STR(""), bytes, 0));
}

/* The vectors of RFC 4648 §10, and strictness. */
static void base64(void **state)
{
	static const char *const rows[][2] = {{"", ""},
	                                      {"f", "Zg=="},
	                                      {"fo", "Zm8="},
	                                      {"foo", "Zm9v"},
	                                      {"foob", "Zm9vYg=="},
	                                      {"fooba", "Zm9vYmE="},
	                                      {"foobar", "Zm9vYmFy"}};
	static const char *const bad[] = {"Z",        "Zg",   "Zg=",    "Zh==", "Zm9=", "====",    "=Zg=",
	                                  "Zg==Zg==", "Zm 9", "Zm9v\n", "Z===", "Zm-_", "Zm9vZ==="};
	uint8_t bytes[64];
	size_t size = 77;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		char text[RS_BASE64_SIZE(6)];
		rs_base64_encode(rs_bytes_of_str(rs_str_from(rows[i][0])), text);
		assert_string_equal(text, rows[i][1]);
		assert_true(rs_base64_decode(rs_str_from(rows[i][1]), bytes, &size));
		assert_int_equal(size, strlen(rows[i][0]));
		assert_memory_equal(bytes, rows[i][0], size);
	}
	size = 77;
	for (size_t i = 0; i < RS_COUNT(bad); i++)
		if (rs_base64_decode(rs_str_from(bad[i]), bytes, &size))
			fail_msg("\"%s\"", bad[i]);
	assert_int_equal(size, 77);
	/* All 64 digits stand for their values. */
	assert_true(rs_base64_decode(
		RS_STR("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"), bytes, &size));
	assert_int_equal(size, 48);
	for (size_t i = 0; i < 64; i++) {
		size_t bit = 6 * i;
		unsigned pair = (unsigned)bytes[bit / 8] << 8 | (bit / 8 < 47 ? bytes[bit / 8 + 1] : 0u);
		assert_int_equal(pair >> (10 - bit % 8) & 63, i);
	}
}

static void byte_order(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 0xf8};
	uint8_t out[8];
	(void)state;
	assert_int_equal(rs_read_le16(bytes), 0x0201);
	assert_int_equal(rs_read_be16(bytes), 0x0102);
	assert_int_equal(rs_read_le32(bytes + 4), 0xf8070605);
	assert_int_equal(rs_read_be32(bytes + 4), 0x050607f8);
	assert_true(rs_read_le64(bytes) == UINT64_C(0xf807060504030201));
	assert_true(rs_read_be64(bytes) == UINT64_C(0x01020304050607f8));
	rs_write_le64(out, UINT64_C(0xf807060504030201));
	assert_memory_equal(out, bytes, 8);
	rs_write_be64(out, UINT64_C(0x01020304050607f8));
	assert_memory_equal(out, bytes, 8);
}

static void heap_strings(void **state)
{
	char *copy RS_CLEANUP(rs_free_pointer) = rs_str_duplicate((struct rs_str){"abcdef", 3});
	char *text RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s-%0600d", "x", 7);
	(void)state;
	assert_string_equal(copy, "abc");
	assert_int_equal(strlen(text), 602);
	assert_string_equal(text + 600, "07");
	rs_memory_fail_at(1);
	assert_null(rs_str_duplicate(RS_STR("a")));
	assert_null(rs_text_printf("a"));
	rs_memory_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(views),
		cmocka_unit_test(splitting),
		cmocka_unit_test(utf8),
		cmocka_unit_test(whole_numbers),
		cmocka_unit_test(real_numbers),
		cmocka_unit_test(shortest_digits),
		cmocka_unit_test(every_double_reads_back),
		cmocka_unit_test(hexadecimal),
		cmocka_unit_test(base64),
		cmocka_unit_test(byte_order),
		cmocka_unit_test(heap_strings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
