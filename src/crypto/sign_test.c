/* Ed25519 against RFC 8032 §7.1 and against OpenSSL; sealed boxes; figures for the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <string.h>

#include "crypto/crypto.h"

static const struct {
	const char *seed, *public_key, *message, *signature;
} rows[] = {
	{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
	{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
         "387b2eaeb4302aeeb00d291612bb0c00"},
	{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
         "4a7c15e9716ed28dc027beceea1ec40a"},
};

static void agrees_with_rfc_8032(void **state)
{
	struct rs_secret seed;
	struct rs_signing_key key;
	uint8_t public_key[32], message[8], expected[64], signature[64];
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		size_t size = strlen(rows[i].message) / 2;
		assert_true(rs_hex_decode(rs_str_from(rows[i].seed), seed.bytes, 32));
		assert_true(rs_hex_decode(rs_str_from(rows[i].public_key), public_key, 32));
		assert_true(rs_hex_decode(rs_str_from(rows[i].message), message, size));
		assert_true(rs_hex_decode(rs_str_from(rows[i].signature), expected, 64));
		rs_signing_key_from_seed(&seed, &key);
		assert_memory_equal(key.public_key, public_key, 32);
		rs_sign(&key, rs_bytes_of(message, size), signature);
		assert_memory_equal(signature, expected, 64);
		assert_true(rs_signature_valid(public_key, rs_bytes_of(message, size), signature));
		rs_signing_key_finish(&key);
	}
}

static void refuses_every_flip(void **state)
{
	struct rs_secret seed = {{3}};
	struct rs_signing_key key;
	uint8_t message[40] = {1, 2, 3}, signature[64];
	(void)state;
	rs_signing_key_from_seed(&seed, &key);
	rs_sign(&key, rs_bytes_of(message, sizeof(message)), signature);
	for (size_t bit = 0; bit < sizeof(signature) * 8; bit++) {
		signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(
			rs_signature_valid(key.public_key, rs_bytes_of(message, sizeof(message)), signature));
		signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t bit = 0; bit < sizeof(message) * 8; bit++) {
		message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(
			rs_signature_valid(key.public_key, rs_bytes_of(message, sizeof(message)), signature));
		message[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* A key of small order verifies anything in careless implementations. */
	uint8_t weak[32] = {1}, zeros[64] = {1};
	assert_false(rs_signature_valid(weak, rs_bytes_of(message, sizeof(message)), zeros));
}

static void seals_to_one_reader(void **state)
{
	/* X25519 ignores the lowest three bits of the first byte: the keys differ in the second. */
	struct rs_secret reader = {{0, 5}}, other = {{0, 6}};
	struct rs_bytes plain = rs_bytes_of("a key", 5);
	struct rs_buffer sealed, out;
	uint8_t public_key[32], weak[32] = {0};
	(void)state;
	rs_buffer_init(&sealed, 200);
	rs_buffer_init(&out, 100);
	rs_seal_public_key(&reader, public_key);
	assert_int_equal(rs_seal_to(public_key, plain, &sealed, NULL), RS_OK);
	assert_int_equal(sealed.size, 5 + RS_SEAL_OVERHEAD);
	assert_int_equal(rs_seal_open(&other, rs_buffer_bytes(&sealed), &out, NULL), RS_ALTERED);
	for (size_t i = 0; i < sealed.size; i++) {
		sealed.data[i] ^= 1;
		assert_int_equal(rs_seal_open(&reader, rs_buffer_bytes(&sealed), &out, NULL), RS_ALTERED);
		sealed.data[i] ^= 1;
	}
	assert_int_equal(rs_seal_open(&reader, rs_bytes_of(sealed.data, 47), &out, NULL), RS_ALTERED);
	assert_int_equal(out.size, 0);
	assert_int_equal(rs_seal_open(&reader, rs_buffer_bytes(&sealed), &out, NULL), RS_OK);
	assert_true(rs_bytes_equal(rs_buffer_bytes(&out), plain));
	assert_int_equal(rs_seal_to(weak, plain, &sealed, NULL), RS_REFUSED);
	rs_buffer_finish(&sealed);
	rs_buffer_finish(&out);
}

/* The choice of library rests on these figures; OpenSSL's verdict must be the same. */
static void figures(void **state)
{
	enum { ROUNDS = 2000 };
	const struct rs_clock *clock = rs_world_system()->clock;
	struct rs_secret seed = {{3}};
	struct rs_signing_key key;
	uint8_t message[200] = {1}, signature[64];
	uint64_t times[5];
	EVP_PKEY *theirs, *their_secret;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = 64;
	(void)state;

	rs_signing_key_from_seed(&seed, &key);
	theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key.public_key, 32);
	their_secret = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.bytes, 32);
	assert_true(theirs != NULL && their_secret != NULL && context != NULL);
	times[0] = clock->monotonic_ns(clock);
	for (int i = 0; i < ROUNDS; i++)
		rs_sign(&key, rs_bytes_of(message, sizeof(message)), signature);
	times[1] = clock->monotonic_ns(clock);
	for (int i = 0; i < ROUNDS; i++)
		assert_true(
			rs_signature_valid(key.public_key, rs_bytes_of(message, sizeof(message)), signature));
	times[2] = clock->monotonic_ns(clock);
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(EVP_MD_CTX_reset(context), 1);
		assert_int_equal(EVP_DigestVerifyInit(context, NULL, NULL, NULL, theirs), 1);
		assert_int_equal(EVP_DigestVerify(context, signature, 64, message, sizeof(message)), 1);
	}
	times[3] = clock->monotonic_ns(clock);
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(EVP_MD_CTX_reset(context), 1);
		assert_int_equal(EVP_DigestSignInit(context, NULL, NULL, NULL, their_secret), 1);
		assert_int_equal(EVP_DigestSign(context, signature, &size, message, sizeof(message)), 1);
	}
	times[4] = clock->monotonic_ns(clock);
	print_message(
		"# per second: libsodium signs %.0f, verifies %.0f; OpenSSL signs %.0f, verifies %.0f\n",
		ROUNDS * 1e9 / (double)(times[1] - times[0]), ROUNDS * 1e9 / (double)(times[2] - times[1]),
		ROUNDS * 1e9 / (double)(times[4] - times[3]), ROUNDS * 1e9 / (double)(times[3] - times[2]));
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(theirs);
	EVP_PKEY_free(their_secret);
}

static int set_up(void **state)
{
	(void)state;
	return rs_crypto_init(NULL) == RS_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_rfc_8032),
		cmocka_unit_test(refuses_every_flip),
		cmocka_unit_test(seals_to_one_reader),
		cmocka_unit_test(figures),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
