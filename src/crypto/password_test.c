/* One-time codes of RFC 4226 appendix D and RFC 6238 appendix B; Argon2id against a value of the reference program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/crypto_password.h"

static const struct rs_bytes rfc_secret = {(const uint8_t *)"12345678901234567890", 20};

static void codes_are_those_of_rfc_4226(void **state)
{
	static const uint32_t codes[] = {755224, 287082, 359152, 969429, 338314,
	                                 254676, 287922, 162583, 399871, 520489};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(codes); i++)
		assert_int_equal(rs_one_time_code(rfc_secret, i), codes[i]);
}

/* Its codes have eight digits; the last six of them are ours. */
static void codes_are_those_of_rfc_6238(void **state)
{
	static const struct {
		uint64_t time_s;
		uint32_t code;
	} cases[] = {{59, 94287082},         {1111111109, 7081804},  {1111111111, 14050471},
	             {1234567890, 89005924}, {2000000000, 69279037}, {20000000000, 65353130}};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++)
		assert_int_equal(rs_one_time_code(rfc_secret, cases[i].time_s / 30), cases[i].code % 1000000);
}

/* printf password | argon2 somesaltsomesalt -id -t 2 -k 64 -p 1 -l 32 -r, of the reference implementation
 * (Python's argon2-cffi 25.1 gave it). */
static void passwords_become_the_key_of_argon2id(void **state)
{
	static const uint8_t salt[RS_PASSWORD_SALT_SIZE] = "somesaltsomesalt";
	static const char expected[] = "1a98fba8e6394425c9bdc333a9c750aaf811df070f5fb4a5788e1cf4db5793a1";
	const struct rs_password_cost cost = {2, 65536},
				      greedy[] = {{17, 65536}, {1, (uint64_t)2 << 30}, {0, 65536}};
	struct rs_secret key;
	struct rs_error err;
	char hex[65];
	(void)state;
	assert_int_equal(rs_password_key(&cost, salt, rs_bytes_of("password", 8), &key, &err), RS_OK);
	rs_hex_encode(rs_bytes_of(key.bytes, sizeof key.bytes), hex);
	assert_string_equal(hex, expected);
	for (size_t i = 0; i < RS_COUNT(greedy); i++)
		assert_int_equal(rs_password_key(&greedy[i], salt, rs_bytes_of("password", 8), &key, &err),
		                 RS_REFUSED);
}

static int set_up(void **state)
{
	(void)state;
	return rs_crypto_init(NULL) == RS_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_those_of_rfc_4226),
		cmocka_unit_test(codes_are_those_of_rfc_6238),
		cmocka_unit_test(passwords_become_the_key_of_argon2id),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
