/* Buffers: growth, the maximum, the remembered failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/base_buffer.h"

static void everything_is_appended(void **state)
{
	struct rs_buffer buffer RS_CLEANUP(rs_buffer_finish) = {0};
	(void)state;
	rs_buffer_init(&buffer, 100);
	assert_int_equal(rs_buffer_append(&buffer, "ab", 2), RS_OK);
	assert_int_equal(rs_buffer_append(&buffer, NULL, 0), RS_OK);
	assert_int_equal(rs_buffer_append_bytes(&buffer, rs_bytes_of("c", 1)), RS_OK);
	assert_int_equal(rs_buffer_append_str(&buffer, RS_STR("d")), RS_OK);
	assert_int_equal(rs_buffer_append_text(&buffer, "e"), RS_OK);
	assert_int_equal(rs_buffer_append_u8(&buffer, 'f'), RS_OK);
	assert_int_equal(rs_buffer_append_f64_text(&buffer, 0.5), RS_OK);
	assert_int_equal(rs_buffer_printf(&buffer, "%03d", 7), RS_OK);
	assert_true(rs_str_equal_text(rs_buffer_str(&buffer), "abcdef0.5007"));
	assert_int_equal(rs_buffer_bytes(&buffer).size, 12);
	assert_int_equal(rs_buffer_check(&buffer, "x", NULL), RS_OK);
}

/* At every maximum: either the whole piece stands there, or nothing of it and nothing after it. */
static void the_maximum_holds(void **state)
{
	(void)state;
	for (size_t maximum = 0; maximum < 1200; maximum += maximum < 20 ? 1 : 97) {
		struct rs_buffer buffer;
		size_t expected = 0;
		bool full = false;
		rs_buffer_init(&buffer, maximum);
		for (size_t piece = 1; piece < 60; piece++) {
			uint8_t bytes[60];
			memset(bytes, (int)piece, sizeof bytes);
			enum rs_code code = rs_buffer_append(&buffer, bytes, piece);
			full = full || expected + piece > maximum;
			if (!full)
				expected += piece;
			assert_int_equal(code, full ? RS_TOO_LARGE : RS_OK);
			assert_int_equal(buffer.size, expected);
			assert_true(buffer.capacity <= maximum);
		}
		if (full) {
			struct rs_error err = {0};
			assert_int_equal(rs_buffer_append_u8(&buffer, 0), RS_TOO_LARGE); /* even if it fits */
			assert_int_equal(rs_buffer_check(&buffer, "a header", &err), RS_TOO_LARGE);
			assert_ptr_equal(strstr(err.message, "a header: more than the "), err.message);
			rs_buffer_clear(&buffer);
			assert_int_equal(buffer.size, 0);
			assert_int_equal(rs_buffer_append(&buffer, "", 0), RS_OK);
		}
		rs_buffer_finish(&buffer);
	}
}

static void sizes_do_not_overflow(void **state)
{
	struct rs_buffer buffer RS_CLEANUP(rs_buffer_finish) = {0};
	(void)state;
	rs_buffer_init(&buffer, SIZE_MAX);
	assert_int_equal(rs_buffer_append_text(&buffer, "abc"), RS_OK);
	assert_int_equal(rs_buffer_reserve(&buffer, SIZE_MAX - 2), RS_TOO_LARGE);
	rs_buffer_clear(&buffer);
	assert_int_equal(rs_buffer_reserve(&buffer, 1000), RS_OK);
	assert_true(buffer.capacity >= 1000 && buffer.size == 0);
}

static void long_printf(void **state)
{
	(void)state;
	for (int width = 505; width < 520; width++) {
		struct rs_buffer buffer;
		rs_buffer_init(&buffer, 600);
		assert_int_equal(rs_buffer_printf(&buffer, "%0*d", width, 5), RS_OK);
		assert_int_equal(buffer.size, width);
		assert_int_equal(buffer.data[width - 1], '5');
		assert_int_equal(rs_buffer_printf(&buffer, "%0*d", width, 5), RS_TOO_LARGE);
		assert_int_equal(buffer.size, width);
		rs_buffer_finish(&buffer);
	}
}

static void no_memory_adds_nothing(void **state)
{
	struct rs_buffer buffer RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	static const uint8_t large[1000];
	(void)state;
	rs_buffer_init(&buffer, 100000);
	assert_int_equal(rs_buffer_append_text(&buffer, "kept"), RS_OK);
	rs_memory_fail_at(1);
	assert_int_equal(rs_buffer_append(&buffer, large, sizeof large), RS_NO_MEMORY);
	rs_memory_fail_at(0);
	assert_true(rs_str_equal_text(rs_buffer_str(&buffer), "kept"));
	assert_int_equal(rs_buffer_append_u8(&buffer, 0), RS_NO_MEMORY);
	assert_int_equal(rs_buffer_check(&buffer, "pixels", &err), RS_NO_MEMORY);
	assert_non_null(strstr(err.message, "pixels"));
	rs_buffer_clear(&buffer);
	assert_int_equal(rs_buffer_append(&buffer, large, sizeof large), RS_OK);
	for (uint64_t k = 1; k <= 2; k++) {
		struct rs_buffer text;
		rs_buffer_init(&text, 100000);
		rs_memory_fail_at(k);
		assert_int_equal(rs_buffer_printf(&text, "%0600d", 1), RS_NO_MEMORY);
		rs_memory_fail_at(0);
		assert_int_equal(text.size, 0);
		rs_buffer_finish(&text);
	}
}

static void finishing_twice(void **state)
{
	struct rs_buffer buffer = {0};
	(void)state;
	rs_buffer_finish(NULL);
	rs_buffer_finish(&buffer);
	rs_buffer_init(&buffer, 10);
	rs_buffer_append_text(&buffer, "a");
	rs_buffer_finish(&buffer);
	rs_buffer_finish(&buffer);
	assert_null(buffer.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_appended), cmocka_unit_test(the_maximum_holds),
		cmocka_unit_test(sizes_do_not_overflow),  cmocka_unit_test(long_printf),
		cmocka_unit_test(no_memory_adds_nothing), cmocka_unit_test(finishing_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
