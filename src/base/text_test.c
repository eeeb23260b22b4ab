/* Numbers, hexadecimal, base64 (RFC 4648 §10), UTF-8, time and bounded buffers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

static void base64_is_that_of_the_rfc_and_only_that(void **state)
{
	(void)state;
	static const char *const rows[][2] = { { "", "" },         { "f", "Zg==" },       { "fo", "Zm8=" }, { "foo", "Zm9v" },
		                               { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
	static const char *const wrong[] = { "Zg=", "Zg", "Zh==", "Zm9=", "Z===", "Zm 9v", "=Zm9", "Zm9v\n", "Zg==Zg==" };
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		char text[16];
		uint8_t bytes[16];
		size_t size;
		rs_base64_encode(rs_bytes_of(rows[i][0], strlen(rows[i][0])), text);
		assert_string_equal(text, rows[i][1]);
		assert_true(rs_base64_decode(rs_str_from(text), bytes, &size));
		assert_int_equal(size, strlen(rows[i][0]));
		assert_memory_equal(bytes, rows[i][0], size);
	}
	for (size_t i = 0; i < RS_COUNT(wrong); i++) {
		uint8_t bytes[16];
		size_t size;
		assert_false(rs_base64_decode(rs_str_from(wrong[i]), bytes, &size));
	}
}

static void numbers_are_the_whole_text(void **state)
{
	(void)state;
	uint64_t u;
	int64_t i;
	double d;
	assert_true(rs_parse_u64(RS_STR("18446744073709551615"), &u) && u == UINT64_MAX);
	assert_false(rs_parse_u64(RS_STR("18446744073709551616"), &u));
	assert_false(rs_parse_u64(RS_STR(" 1"), &u) || rs_parse_u64(RS_STR("1x"), &u) || rs_parse_u64(RS_STR(""), &u));
	assert_true(rs_parse_i64(RS_STR("-9223372036854775808"), &i) && i == INT64_MIN);
	assert_false(rs_parse_i64(RS_STR("9223372036854775808"), &i));
	assert_true(rs_parse_f64(RS_STR("-1.5e3"), &d) && d == -1500);
	assert_false(rs_parse_f64(RS_STR("1,5"), &d) || rs_parse_f64(RS_STR("0x10"), &d) || rs_parse_f64(RS_STR("1e"), &d));
	assert_true(rs_parse_f64(RS_STR("NaN"), &d) && isnan(d));
}

static void a_double_reads_back_to_the_same_bits(void **state)
{
	(void)state;
	const double values[] = { 0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -2.5, 123456789012345680.0, 0.30000000000000004 };
	for (size_t i = 0; i < RS_COUNT(values); i++) {
		char text[RS_F64_TEXT_SIZE];
		double again;
		size_t size = rs_format_f64(values[i], text);
		assert_int_equal(size, strlen(text));
		assert_true(rs_parse_f64(rs_str_from(text), &again) && again == values[i]);
	}
	char text[RS_F64_TEXT_SIZE];
	rs_format_f64(0.1, text);
	assert_string_equal(text, "0.1");
}

static void utf8_has_one_form(void **state)
{
	(void)state;
	assert_true(rs_utf8_valid(RS_STR("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")));
	assert_false(rs_utf8_valid(RS_STR("\xc0\xaf")));         /* overlong */
	assert_false(rs_utf8_valid(RS_STR("\xe0\x80\xaf")));     /* overlong */
	assert_false(rs_utf8_valid(RS_STR("\xed\xa0\x80")));     /* surrogate */
	assert_false(rs_utf8_valid(RS_STR("\xf4\x90\x80\x80"))); /* beyond U+10FFFF */
	assert_false(rs_utf8_valid(RS_STR("\xc3")));             /* cut off */
}

static void times_are_civil(void **state)
{
	(void)state;
	static const struct {
		uint64_t ms;
		const char *text;
	} rows[] = { { 0, "1970-01-01T00:00:00.000Z" },
		     { UINT64_C(951782400000), "2000-02-29T00:00:00.000Z" },
		     { UINT64_C(1709251199999), "2024-02-29T23:59:59.999Z" },
		     { UINT64_C(4102444800000), "2100-01-01T00:00:00.000Z" } };
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		char text[RS_TIME_TEXT_SIZE];
		rs_format_time_ms(rows[i].ms, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void a_buffer_keeps_its_maximum_and_remembers_its_failure(void **state)
{
	(void)state;
	struct rs_buffer buffer;
	struct rs_error err = { 0 };
	rs_buffer_init(&buffer, 8);
	assert_int_equal(rs_buffer_append(&buffer, "12345678", 8), RS_OK);
	assert_int_equal(rs_buffer_append(&buffer, "9", 1), RS_TOO_LARGE);
	rs_buffer_clear(&buffer);
	assert_int_equal(rs_buffer_append(&buffer, "123456789", 9), RS_TOO_LARGE);
	assert_int_equal(rs_buffer_append(&buffer, "1", 1), RS_TOO_LARGE);
	assert_int_equal(rs_buffer_check(&buffer, "test", &err), RS_TOO_LARGE);
	assert_int_equal(buffer.size, 0);
	rs_buffer_finish(&buffer);
}

static void errors_carry_context_and_no_controls(void **state)
{
	(void)state;
	struct rs_error err = { 0 };
	rs_error_set(&err, RS_IO, "bad \033[31m name");
	assert_int_equal(rs_error_context(&err, "file %d", 7), RS_IO);
	assert_string_equal(err.message, "file 7: bad ?[31m name");
	for (int i = 0; i < 100; i++)
		rs_error_context(&err, "a rather long context in front");
	assert_true(strlen(err.message) < sizeof err.message);
}

static enum rs_code fail_from_five(void *context, size_t index, struct rs_error *err)
{
	__atomic_add_fetch((int *)context, 1, __ATOMIC_RELAXED);
	return index >= 5 ? rs_error_set(err, RS_IO, "item %zu", index) : RS_OK;
}

static void a_loop_reports_the_failure_of_the_lowest_index(void **state)
{
	(void)state;
	for (unsigned threads = 1; threads <= 8; threads++) {
		struct rs_pool *pool;
		struct rs_error err = { 0 };
		int done = 0;
		assert_int_equal(rs_pool_create(threads, &pool, &err), RS_OK);
		assert_int_equal(rs_pool_for(pool, 1000, fail_from_five, &done, &err), RS_IO);
		assert_string_equal(err.message, "item 5");
		assert_true(done >= 6 && done < 1000);
		rs_pool_destroy(pool);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_is_that_of_the_rfc_and_only_that),
		cmocka_unit_test(numbers_are_the_whole_text),
		cmocka_unit_test(a_double_reads_back_to_the_same_bits),
		cmocka_unit_test(utf8_has_one_form),
		cmocka_unit_test(times_are_civil),
		cmocka_unit_test(a_buffer_keeps_its_maximum_and_remembers_its_failure),
		cmocka_unit_test(errors_carry_context_and_no_controls),
		cmocka_unit_test(a_loop_reports_the_failure_of_the_lowest_index),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
