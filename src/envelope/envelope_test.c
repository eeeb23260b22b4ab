/* COSE_Sign1 against the COSE working group's examples (cose-wg/Examples: ecdsa-sig-01, eddsa-sig-01, sign1-tests), P-256 against
 * RFC 6979 A.2.5, thumbprints against RFC 9679 section 6; envelopes there and back, and every bit of them flipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "envelope/envelope.h"

#define KEY_OF_11                                                          \
	"bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff" \
	"20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e"
#define ED25519_11 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define CONTENT "546869732069732074686520636f6e74656e742e"

static size_t from_hex(const char *hex, uint8_t *out, size_t maximum)
{
	size_t size = strlen(hex) / 2;
	assert_true(size <= maximum && rs_hex_decode(rs_str_from(hex), out, size));
	return size;
}

static const struct {
	const char *name, *key, *external, *message;
	enum rs_code parse, verify;
} examples[] = {
	{"ecdsa-sig-01", KEY_OF_11, "",
         "d28445a201260300a10442313154" CONTENT
         "58406520bbaf2081d7e0ed0f95f76eb0733d667005f7467cec4b87b9381a6ba1ede8"
         "e00df29f32a37230f39a842a54821fdd223092819d7728efb9d3a0080b75380b",
         RS_OK, RS_OK},
	{"eddsa-sig-01", ED25519_11, "",
         "d28445a201270300a10442313154" CONTENT
         "58407142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb87"
         "11497dfa751bf40b58b3bcc32300b1487f3db34085eef013bf08f4a44d6fef0d",
         RS_OK, RS_OK},
	{"sign-pass-02", KEY_OF_11, "11aa22bb33cc44dd55006699",
         "d28443a10126a10442313154" CONTENT "584010729cd711cb3813d8d8e944a8da7111e7b258c9bdca6135f7ae1adbee95"
         "09891267837e1e33bd36c150326ae62755c6bd8e540c3e8f92d7d225e8db72b8820b",
         RS_OK, RS_OK},
	{"sign-pass-02 without its external data", KEY_OF_11, "",
         "d28443a10126a10442313154" CONTENT "584010729cd711cb3813d8d8e944a8da7111e7b258c9bdca6135f7ae1adbee95"
         "09891267837e1e33bd36c150326ae62755c6bd8e540c3e8f92d7d225e8db72b8820b",
         RS_OK, RS_ALTERED},
	{"sign-fail-01", KEY_OF_11, "",
         "d903e68443a10126a10442313154" CONTENT
         "58408eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e"
         "2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36",
         RS_MALFORMED, RS_OK},
	{"sign-fail-02", KEY_OF_11, "",
         "d28443a10126a10442313154546869732069732074686520636f6e74656e742f58408eb33e4ca31d1c465ab05aac34cc6b23d58fef5c"
         "083106c4d25a91aef0b0117e2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36",
         RS_OK, RS_ALTERED},
	{"sign-fail-03", KEY_OF_11, "",
         "d28445a1013903e6a10442313154" CONTENT
         "58408eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e"
         "2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36",
         RS_UNSUPPORTED, RS_OK},
	{"sign-fail-04", KEY_OF_11, "",
         "d2844aa10167756e6b6e6f776ea10442313154" CONTENT
         "58408eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91ae"
         "f0b0117e2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36",
         RS_MALFORMED, RS_OK},
	{"sign-fail-06", KEY_OF_11, "",
         "d28445a201260300a10442313154" CONTENT
         "58408eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e"
         "2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36",
         RS_OK, RS_ALTERED},
	{"sign-fail-07", KEY_OF_11, "",
         "d28443a10126a10442313154" CONTENT
         "58406520bbaf2081d7e0ed0f95f76eb0733d667005f7467cec4b87b9381a6ba1ede8"
         "e00df29f32a37230f39a842a54821fdd223092819d7728efb9d3a0080b75380b",
         RS_OK, RS_ALTERED},
	{"the key of another algorithm", ED25519_11, "",
         "d28445a201260300a10442313154" CONTENT
         "58406520bbaf2081d7e0ed0f95f76eb0733d667005f7467cec4b87b9381a6ba1ede8"
         "e00df29f32a37230f39a842a54821fdd223092819d7728efb9d3a0080b75380b",
         RS_OK, RS_ALTERED},
};

static void agrees_with_the_working_group(void **state RS_UNUSED)
{
	for (size_t i = 0; i < RS_COUNT(examples); i++) {
		uint8_t message[256], external[32];
		struct rs_cose_key key = {.algorithm = strlen(examples[i].key) == 64 ? RS_COSE_EDDSA
		                                                                     : RS_COSE_ES256};
		struct rs_error err = {0};
		struct rs_cose_sign1 sign1;
		(void)from_hex(examples[i].key, key.bytes, sizeof key.bytes);
		size_t external_size = from_hex(examples[i].external, external, sizeof external);
		struct rs_bytes bytes = rs_bytes_of(message,
		                                    from_hex(examples[i].message, message, sizeof message));
		enum rs_code code = rs_cose_sign1_parse(bytes, &sign1, &err);
		if (code == RS_OK)
			code = rs_cose_sign1_verify(
				&sign1, &key, (struct rs_str){(const char *)external, external_size}, &err);
		enum rs_code expected = examples[i].parse != RS_OK ? examples[i].parse : examples[i].verify;
		if (code != expected)
			fail_msg("%s: %s", examples[i].name, err.message);
	}
}

/* RFC 6979 A.2.5: "sample" with SHA-256. */
static void agrees_with_rfc_6979(void **state RS_UNUSED)
{
	uint8_t key[64], signature[64];
	(void)from_hex("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
	               "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
	               key, 64);
	(void)from_hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
	               "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
	               signature, 64);
	assert_true(rs_p256_valid(key, rs_bytes_of("sample", 6), signature));
	assert_false(rs_p256_valid(key, rs_bytes_of("Sample", 6), signature));
	key[3] ^= 1; /* no point of the curve any more */
	assert_false(rs_p256_valid(key, rs_bytes_of("sample", 6), signature));
	memset(signature, 0, sizeof signature);
	key[3] ^= 1;
	assert_false(rs_p256_valid(key, rs_bytes_of("sample", 6), signature));
}

/* RFC 9679 section 6. */
static void agrees_with_rfc_9679(void **state RS_UNUSED)
{
	struct rs_cose_key key = {.algorithm = RS_COSE_ES256};
	struct rs_member_key id;
	char text[RS_MEMBER_KEY_TEXT_SIZE];
	(void)from_hex("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d"
	               "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c",
	               key.bytes, 64);
	rs_cose_key_id(&key, &id);
	rs_member_key_format(&id, text);
	assert_string_equal(text, "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec");
}

static const struct rs_envelope instance = {.kind = RS_ENVELOPE_INSTANCE,
                                            .device = {"mr-1", 4},
                                            .boot = {1, 2, 3},
                                            .sequence = 7,
                                            .captured_ms = 1700000000000,
                                            .clock = RS_CLOCK_NETWORK,
                                            .clock_error_ms = 20,
                                            .study = {"1.2.3", 5},
                                            .series = {"1.2.3.4", 7},
                                            .sop_class = {"1.2.840.10008.5.1.4.1.1.2", 25},
                                            .sop_instance = {"1.2.3.4.5", 9},
                                            .sha256 = {{9}},
                                            .length = 1234,
                                            .transfer_syntax = {"1.2.840.10008.1.2.1", 19}};

static void sign(const struct rs_envelope *envelope, const struct rs_listed *listed, struct rs_buffer *out)
{
	const struct rs_secret seed = {{5}};
	struct rs_signing_key key;
	struct rs_error err = {0};
	rs_signing_key_from_seed(&seed, &key);
	const struct rs_cose_signer signer = rs_cose_signer_of(&key);
	rs_buffer_init(out, RS_MANIFEST_SIZE_MAX);
	if (rs_envelope_sign(envelope, listed, &signer, out, &err) != RS_OK)
		fail_msg("%s", err.message);
}

static void goes_there_and_back(void **state RS_UNUSED)
{
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_envelope envelope;
	struct rs_error err = {0};
	sign(&instance, NULL, &message);
	assert_int_equal(rs_envelope_verify(rs_buffer_bytes(&message), &envelope, &err), RS_OK);
	assert_true(rs_str_equal(envelope.sop_instance, instance.sop_instance));
	assert_int_equal(envelope.sequence, 7);
	assert_int_equal(envelope.length, 1234);
	assert_memory_equal(envelope.boot, instance.boot, RS_BOOT_SIZE);
	for (size_t bit = 0; bit < 8 * message.size; bit++) {
		message.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(rs_envelope_verify(rs_buffer_bytes(&message), &envelope, NULL), RS_OK);
		message.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t size = 0; size < message.size; size++)
		assert_int_not_equal(rs_envelope_parse(rs_bytes_of(message.data, size), &envelope, NULL),
		                     RS_OK);
}

static enum rs_code count_listed(void *context, const struct rs_listed *listed,
                                 struct rs_error *err RS_UNUSED)
{
	size_t *count = context;
	assert_int_equal(listed->sha256.bytes[0], ++*count);
	return RS_OK;
}

static void lists_what_a_series_has(void **state RS_UNUSED)
{
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_listed listed[2] = {{{"1.2.3.4.5", 9}, {{1}}}, {{"1.2.3.4.6", 9}, {{2}}}};
	struct rs_envelope manifest = instance, envelope;
	struct rs_error err = {0};
	size_t count = 0;
	manifest.kind = RS_ENVELOPE_MANIFEST;
	manifest.previous.bytes[31] = 1;
	manifest.listed_count = 2;
	sign(&manifest, listed, &message);
	assert_int_equal(rs_envelope_verify(rs_buffer_bytes(&message), &envelope, &err), RS_OK);
	assert_int_equal(envelope.listed_count, 2);
	assert_int_equal(envelope.previous.bytes[31], 1);
	assert_int_equal(rs_envelope_each(&envelope, count_listed, &count, &err), RS_OK);
	assert_int_equal(count, 2);
}

static void signs_with_p256(void **state RS_UNUSED)
{
	/* RFC 6979 A.2.5's key, in PEM as Python cryptography 48 writes it. */
	static const char pem[] = "-----BEGIN EC PRIVATE KEY-----\n"
				  "MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49\n"
				  "AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8\n"
				  "maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"
				  "-----END EC PRIVATE KEY-----\n";
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	struct rs_cose_signer signer;
	struct rs_envelope envelope;
	struct rs_member_key id;
	struct rs_p256 *key;
	if (rs_p256_open(rs_bytes_of(pem, sizeof pem - 1), &key, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(rs_cose_signer_of_p256(key, &signer, &err), RS_OK);
	rs_buffer_init(&message, RS_ENVELOPE_SIZE_MAX);
	assert_int_equal(rs_envelope_sign(&instance, NULL, &signer, &message, &err), RS_OK);
	assert_int_equal(rs_envelope_verify(rs_buffer_bytes(&message), &envelope, &err), RS_OK);
	rs_cose_key_id(&signer.key, &id);
	assert_true(rs_member_key_equal(&id, &envelope.signer));
	message.data[message.size - 1] ^= 1;
	assert_int_equal(rs_envelope_verify(rs_buffer_bytes(&message), &envelope, &err), RS_ALTERED);
	rs_p256_close(key);
	assert_int_equal(rs_p256_open(rs_bytes_of("no key", 6), &key, &err), RS_MALFORMED);
}

static void signs_only_what_can_be_read(void **state RS_UNUSED)
{
	static const struct rs_str bad[] = {{"", 0}, {"a/b", 3}, {"a+", 2}, {"a#", 2}, {"\xc3\xa4", 2}};
	const struct rs_secret seed = {{5}};
	struct rs_signing_key key;
	rs_signing_key_from_seed(&seed, &key);
	const struct rs_cose_signer signer = rs_cose_signer_of(&key);
	for (size_t i = 0; i < RS_COUNT(bad); i++) {
		struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_envelope envelope = instance;
		struct rs_error err = {0};
		envelope.device = bad[i];
		rs_buffer_init(&message, RS_ENVELOPE_SIZE_MAX);
		assert_int_equal(rs_envelope_sign(&envelope, NULL, &signer, &message, &err), RS_USAGE);
		assert_int_equal(message.size, 0);
	}
}

static void acknowledges(void **state RS_UNUSED)
{
	const struct rs_acknowledgement given = {{{1, 2}}, RS_ACKNOWLEDGED_QUARANTINED, 17};
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_secret seed = {{6}};
	struct rs_acknowledgement found;
	struct rs_signing_key key;
	struct rs_error err = {0};
	rs_signing_key_from_seed(&seed, &key);
	rs_buffer_init(&message, RS_ACKNOWLEDGEMENT_SIZE_MAX);
	assert_int_equal(rs_acknowledgement_sign(&given, &key, &message, &err), RS_OK);
	assert_int_equal(rs_acknowledgement_verify(rs_buffer_bytes(&message), key.public_key, &found, &err),
	                 RS_OK);
	assert_true(rs_digest_equal(&found.envelope, &given.envelope));
	assert_string_equal(rs_acknowledged_name(found.outcome), "quarantined");
	for (size_t i = 0; i < message.size; i++) {
		message.data[i] ^= 4;
		assert_int_not_equal(
			rs_acknowledgement_verify(rs_buffer_bytes(&message), key.public_key, &found, NULL),
			RS_OK);
		message.data[i] ^= 4;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_working_group), cmocka_unit_test(agrees_with_rfc_6979),
		cmocka_unit_test(agrees_with_rfc_9679),          cmocka_unit_test(goes_there_and_back),
		cmocka_unit_test(lists_what_a_series_has),       cmocka_unit_test(signs_with_p256),
		cmocka_unit_test(signs_only_what_can_be_read),   cmocka_unit_test(acknowledges),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return rs_crypto_init(NULL) == RS_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
