/* Tokens: which are believed, and why others are not; against what other programs and RFC 7515 made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "account/account_jwt.h"
#include "jwt_vectors.h"

static struct rs_jwks *keys_of(const char *json)
{
	struct rs_jwks *keys = NULL;
	struct rs_error err = {0};
	if (rs_jwks_parse(rs_bytes_of(json, strlen(json)), &keys, &err) != RS_OK)
		fail_msg("%s", err.message);
	return keys;
}

static void tokens_are_believed_or_not(void **state)
{
	const struct rs_jwt_expectation expectation = {"https://idp.example", "radseal", VECTORS_NOW_MS,
	                                               60000};
	struct rs_jwks *keys = keys_of(vector_keys);
	(void)state;
	assert_int_equal(rs_jwks_count(keys), 3);
	for (size_t i = 0; i < RS_COUNT(vectors); i++) {
		struct rs_error err = {.message = ""};
		json_t *claims = NULL;
		enum rs_code code = rs_jwt_check(rs_str_from(vectors[i].token), keys, &expectation, &claims,
		                                 &err);
		if (code != vectors[i].code || !strstr(err.message, vectors[i].why))
			fail_msg("%s: %s, %s", vectors[i].name, rs_code_name(code), err.message);
		if (code == RS_OK)
			assert_non_null(json_object_get(claims, "iss"));
		json_decref(claims);
	}
	rs_jwks_free(keys);
}

/* They have no audience: that is found after the signature was. */
static void the_rfcs_signatures_are_right_to_the_last_bit(void **state)
{
	const struct rs_jwt_expectation expectation = {"joe", "radseal", (uint64_t)1300819000000, 0};
	struct rs_jwks *keys = keys_of(rfc7515_keys);
	struct rs_error err;
	json_t *claims;
	char issuer[16];
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rfc7515_tokens); i++) {
		char token[1024];
		size_t size = strlen(rfc7515_tokens[i]);
		memcpy(token, rfc7515_tokens[i], size + 1);
		assert_int_equal(rs_jwt_check(rs_str_from(token), keys, &expectation, &claims, &err),
		                 RS_DENIED);
		assert_string_equal(err.message, "the token is for another audience");
		assert_int_equal(rs_jwt_issuer(rs_str_from(token), issuer, sizeof issuer, &err), RS_OK);
		assert_string_equal(issuer, "joe");
		for (size_t k = 0; k < size; k++) {
			if (token[k] == '.')
				continue;
			token[k] = token[k] == 'A' ? 'B' : 'A';
			assert_int_not_equal(
				rs_jwt_check(rs_str_from(token), keys, &expectation, &claims, &err), RS_OK);
			assert_string_not_equal(err.message, "the token is for another audience");
			token[k] = rfc7515_tokens[i][k];
		}
	}
	rs_jwks_free(keys);
}

static void sets_of_keys_are_keys(void **state)
{
	static const struct {
		const char *json;
		enum rs_code code;
	} cases[] = {
		{"", RS_MALFORMED},
		{"{\"keys\": 1}", RS_MALFORMED},
		{"{\"keys\": []}", RS_NOT_FOUND},
		{"{\"keys\": [{\"kty\": \"oct\", \"k\": \"AAAA\"}, 7, null]}", RS_NOT_FOUND},
		{"{\"keys\": [{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"x\": \"AAAA\"}]}", RS_MALFORMED},
		{"{\"keys\": [{\"kty\": \"OKP\", \"crv\": \"Ed25519\"}]}", RS_MALFORMED},
		{vector_weak_key, RS_MALFORMED}};
	struct rs_jwks *keys = NULL;
	struct rs_error err;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++)
		assert_int_equal(
			rs_jwks_parse(rs_bytes_of(cases[i].json, strlen(cases[i].json)), &keys, &err),
			cases[i].code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_believed_or_not),
		cmocka_unit_test(the_rfcs_signatures_are_right_to_the_last_bit),
		cmocka_unit_test(sets_of_keys_are_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
