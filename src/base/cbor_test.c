/* Deterministic CBOR against RFC 8949: the examples of Appendix A that are deterministic are written and read, everything
 * else is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

static void assert_hex(struct rs_buffer *out, const char *expected)
{
	char text[256];
	rs_hex_encode(rs_buffer_bytes(out), text);
	assert_string_equal(text, expected);
	assert_int_equal(rs_cbor_check(rs_buffer_bytes(out), NULL), RS_OK);
	rs_buffer_clear(out);
}

static void numbers_are_those_of_appendix_a(void **state)
{
	(void)state;
	static const struct {
		int64_t value;
		const char *hex;
	} rows[] = { { 0, "00" },   { 23, "17" },       { 24, "1818" },       { 100, "1864" },
		     { 1000, "1903e8" }, { 1000000, "1a000f4240" }, { 1000000000000, "1b000000e8d4a51000" },
		     { -1, "20" },  { -10, "29" },      { -100, "3863" },     { -1000, "3903e7" } };
	static const struct {
		double value;
		const char *hex;
	} reals[] = { { 0.0, "f90000" }, { -0.0, "f98000" }, { 1.0, "f93c00" }, { 1.1, "fb3ff199999999999a" },
		      { 1.5, "f93e00" }, { 65504.0, "f97bff" }, { 100000.0, "fa47c35000" },
		      { 3.4028234663852886e+38, "fa7f7fffff" }, { 1.0e+300, "fb7e37e43c8800759c" },
		      { 5.960464477539063e-8, "f90001" }, { 0.00006103515625, "f90400" }, { -4.0, "f9c400" },
		      { -4.1, "fbc010666666666666" }, { INFINITY, "f97c00" }, { NAN, "f97e00" }, { -INFINITY, "f9fc00" } };
	struct rs_buffer out;
	rs_buffer_init(&out, 64);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_cbor_reader reader;
		int64_t value;
		rs_cbor_write_i64(&out, rows[i].value);
		assert_int_equal(rs_cbor_reader_init(&reader, rs_buffer_bytes(&out), NULL), RS_OK);
		assert_int_equal(rs_cbor_read_i64(&reader, "value", &value, NULL), RS_OK);
		assert_int_equal(value, rows[i].value);
		assert_hex(&out, rows[i].hex);
	}
	for (size_t i = 0; i < RS_COUNT(reals); i++) {
		struct rs_cbor_reader reader;
		double value;
		rs_cbor_write_f64(&out, reals[i].value);
		assert_int_equal(rs_cbor_reader_init(&reader, rs_buffer_bytes(&out), NULL), RS_OK);
		assert_int_equal(rs_cbor_read_f64(&reader, "value", &value, NULL), RS_OK);
		assert_true(value == reals[i].value || (isnan(value) && isnan(reals[i].value)));
		assert_hex(&out, reals[i].hex);
	}
	rs_buffer_finish(&out);
}

static void what_is_not_deterministic_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",                 /* nothing */
		"1817",             /* 23 in two bytes */
		"190018",           /* 24 in three */
		"1a0000ffff",       /* 65535 in five */
		"9f01ff",           /* indefinite array */
		"5f4101ff",         /* indefinite byte string */
		"a201010101",       /* a key twice */
		"a202010101",       /* keys out of order */
		"0000",             /* something behind the item */
		"43aabb",           /* cut off */
		"9b00000000ffffffff", /* more items than bytes */
		"61ff",             /* no UTF-8 */
		"fa3fc00000",       /* 1.5 in four bytes */
		"fb3ff8000000000000", /* 1.5 in eight */
		"f97e01",           /* another NaN */
		"f7",               /* undefined */
		"f818",             /* a simple value */
		"1c",               /* reserved */
		"8181818181818181818181818181818181818181", /* too deep */
		"3bffffffffffffffff", /* below 64 bits */
	};
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		uint8_t bytes[64];
		struct rs_error err = { 0 };
		size_t size = strlen(rows[i]) / 2;
		assert_true(rs_hex_decode(rs_str_from(rows[i]), bytes, size));
		assert_int_equal(rs_cbor_check(rs_bytes_of(bytes, size), &err), RS_MALFORMED);
		assert_non_null(strstr(err.message, "CBOR at byte"));
	}
}

static void readers_say_what_they_needed(void **state)
{
	(void)state;
	const uint8_t bytes[] = { 0x82, 0x43, 1, 2, 3, 0xf5 };
	struct rs_cbor_reader reader;
	struct rs_error err = { 0 };
	uint8_t fixed[4];
	size_t count;
	bool truth;
	assert_int_equal(rs_cbor_reader_init(&reader, rs_bytes_of(bytes, sizeof bytes), &err), RS_OK);
	assert_int_equal(rs_cbor_read_array(&reader, "pair", &count, &err), RS_OK);
	struct rs_cbor_reader again = reader;
	assert_int_equal(rs_cbor_read_fixed(&again, "key", fixed, 4, &err), RS_MALFORMED);
	assert_string_equal(err.message, "key: has 3 bytes, 4 are needed");
	assert_int_equal(rs_cbor_read_fixed(&reader, "key", fixed, 3, &err), RS_OK);
	assert_int_equal(rs_cbor_read_null(&reader, "end", &err), RS_MALFORMED);
	assert_int_equal(rs_cbor_read_bool(&reader, "end", &truth, &err), RS_OK);
	assert_true(truth && rs_cbor_at_end(&reader));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_those_of_appendix_a),
		cmocka_unit_test(what_is_not_deterministic_is_refused),
		cmocka_unit_test(readers_say_what_they_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
