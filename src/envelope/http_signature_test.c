/* HTTP Message Signatures against RFC 9421 appendix B.2 (bases of B.2.1, B.2.3, B.2.4 and B.2.6, signatures of B.2.4 and
 * B.2.6) and B.1.4's key; Content-Digest against RFC 9530 appendix B.1; structured fields that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "envelope/envelope_http.h"

/* RFC 9421 appendix B.1.4 and B.1.3. */
#define SEED "9f8362f87a484a954e6e740c5b4c0e84229139a20aa8ab56ff66586f6a7d29c5"
#define ED25519 "26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb"
#define P256                                                               \
	"a885586552c2acf6471878cfd7b0935b4ffe0fd2dfc341248ea17bc41e058af0" \
	"31ce2737d2d30ce0617e851e83c61ef5679d151867657649035d90a74cd9e85d"
#define DIGEST_SHA512 \
	"sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
#define DIGEST_ANSWER \
	"sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:"

struct pair {
	const char *name, *value;
};
static const struct pair request[] = {{"date", "Tue, 20 Apr 2021 02:07:55 GMT"},
                                      {"content-type", "application/json"},
                                      {"content-digest", DIGEST_SHA512},
                                      {"content-length", "18"},
                                      {NULL, NULL}};
static const struct pair answer[] = {{"content-type", "application/json"},
                                     {"content-digest", DIGEST_ANSWER},
                                     {"content-length", "23"},
                                     {NULL, NULL}};

static struct rs_str field(const void *context, const char *name)
{
	for (const struct pair *at = context; at->name; at++)
		if (strcmp(at->name, name) == 0)
			return rs_str_from(at->value);
	return (struct rs_str){NULL, 0};
}

static struct rs_http_message message_of(bool is_answer)
{
	return (struct rs_http_message){.method = RS_STR("POST"),
	                                .authority = RS_STR("Example.COM"),
	                                .target = RS_STR("/foo?param=Value&Pet=dog"),
	                                .status = is_answer ? 200 : 0,
	                                .field = field,
	                                .context = is_answer ? answer : request};
}

#define B26 \
	"sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
#define B26_INPUT                                                                                                        \
	"sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\");created=1618884473" \
	";keyid=\"test-key-ed25519\""
#define B24 \
	"sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:"
#define B24_INPUT                                                                                         \
	"sig-b24=(\"@status\" \"content-type\" \"content-digest\" \"content-length\");created=1618884473" \
	";keyid=\"test-key-ecc-p256\""

static const struct {
	const char *input, *signature, *base;
	bool is_answer;
} vectors[] = {
	{"sig-b21=();created=1618884473;keyid=\"test-key-rsa-pss\";nonce=\"b3k2pp5k7z-50gnwp.yemd\"",
         "sig-b21=:AA==:",
         "\"@signature-params\": ();created=1618884473;keyid=\"test-key-rsa-pss\";nonce=\"b3k2pp5k7z-50gnwp.yemd\"",
         false},
	{"sig-b23=(\"date\" \"@method\" \"@path\" \"@query\" \"@authority\" \"content-type\" \"content-digest\" "
         "\"content-length\");created=1618884473;keyid=\"test-key-rsa-pss\"",
         "sig-b23=:AA==:",
         "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\"@query\": "
         "?param=Value&Pet=dog\n\"@authority\": example.com\n\"content-type\": application/json\n"
         "\"content-digest\": " DIGEST_SHA512
         "\n\"content-length\": 18\n\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@query\" "
         "\"@authority\" \"content-type\" \"content-digest\" \"content-length\");created=1618884473;"
         "keyid=\"test-key-rsa-pss\"",
         false},
	{B24_INPUT, B24,
         "\"@status\": 200\n\"content-type\": application/json\n\"content-digest\": " DIGEST_ANSWER
         "\n\"content-length\": 23\n\"@signature-params\": (\"@status\" \"content-type\" \"content-digest\" "
         "\"content-length\");created=1618884473;keyid=\"test-key-ecc-p256\"",
         true},
	{B26_INPUT, B26,
         "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\"@authority\": "
         "example.com\n\"content-type\": application/json\n\"content-length\": 18\n\"@signature-params\": (\"date\" "
         "\"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\");created=1618884473;"
         "keyid=\"test-key-ed25519\"",
         false},
};

static void parse(const char *input, const char *text, struct rs_http_signature *out)
{
	struct rs_error err = {0};
	if (rs_http_signature_parse(rs_str_from(input), rs_str_from(text), NULL, out, &err) != RS_OK)
		fail_msg("%s: %s", input, err.message);
}

static void bases_are_those_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < RS_COUNT(vectors); i++) {
		const struct rs_http_message message = message_of(vectors[i].is_answer);
		struct rs_http_signature signature;
		struct rs_buffer base RS_CLEANUP(rs_buffer_finish) = {0};
		rs_buffer_init(&base, 8192);
		parse(vectors[i].input, vectors[i].signature, &signature);
		assert_int_equal(rs_http_signature_base(&signature, &message, &base, NULL), RS_OK);
		assert_int_equal(base.size, strlen(vectors[i].base));
		assert_memory_equal(base.data, vectors[i].base, base.size);
		assert_true(signature.has_created && signature.created_s == 1618884473);
	}
}

static struct rs_cose_key key_of(const char *hex)
{
	struct rs_cose_key key;
	assert_int_equal(rs_http_key_parse(hex, &key, NULL), RS_OK);
	return key;
}

static void signatures_of_the_rfc_fit(void **state)
{
	const struct rs_http_message question = message_of(false), answered = message_of(true);
	const struct rs_cose_key ed25519 = key_of(ED25519), p256 = key_of(P256);
	struct rs_http_message other = question;
	struct rs_http_signature signature;
	(void)state;
	parse(B24_INPUT, B24, &signature);
	assert_int_equal(rs_http_signature_verify(&signature, &answered, &p256, NULL), RS_OK);
	assert_int_equal(rs_http_signature_verify(&signature, &answered, &ed25519, NULL), RS_ALTERED);
	parse(B26_INPUT, B26, &signature);
	assert_int_equal(rs_http_signature_verify(&signature, &question, &ed25519, NULL), RS_OK);
	other.target = RS_STR("/bar");
	assert_int_equal(rs_http_signature_verify(&signature, &other, &ed25519, NULL), RS_ALTERED);
	other = question;
	other.authority = RS_STR("example.org");
	assert_int_equal(rs_http_signature_verify(&signature, &other, &ed25519, NULL), RS_ALTERED);
	signature.bytes[5] ^= 1;
	assert_int_equal(rs_http_signature_verify(&signature, &question, &ed25519, NULL), RS_ALTERED);
	/* Spaces where there may be some do not count (RFC 8941 section 3.1). */
	parse("sig-b26=(  \"date\" \"@method\"  \"@path\" \"@authority\" \"content-type\" \"content-length\" );"
	      " created=1618884473; keyid=\"test-key-ed25519\" ,\tproxy=()",
	      "proxy=:AA==: , " B26, &signature);
	assert_int_equal(rs_http_signature_verify(&signature, &question, &ed25519, NULL), RS_OK);
}

/* What B.2.6 signs, signed with its key: Ed25519 has one signature alone. */
static void what_is_signed_is_verified(void **state)
{
	static const char *const covered[] = {"date",       "@method",      "@path",
	                                      "@authority", "content-type", "content-digest"};
	const struct rs_http_message message = message_of(false);
	struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish) = {.public_key = {0}};
	struct rs_secret seed RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_http_signature signature;
	struct rs_buffer input RS_CLEANUP(rs_buffer_finish) = {0}, text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_cose_key named;
	(void)state;
	assert_true(rs_hex_decode(RS_STR(SEED), seed.bytes, RS_KEY_SIZE));
	rs_signing_key_from_seed(&seed, &key);
	const struct rs_cose_signer signer = rs_cose_signer_of(&key);
	rs_buffer_init(&input, 1024);
	rs_buffer_init(&text, 1024);
	assert_int_equal(rs_http_sign(&message, covered, RS_COUNT(covered), 7, &signer, &input, &text, NULL),
	                 RS_OK);
	assert_int_equal(rs_http_signature_parse(rs_buffer_str(&input), rs_buffer_str(&text), RS_HTTP_TAG,
	                                         &signature, NULL),
	                 RS_OK);
	assert_string_equal(signature.keyid, ED25519);
	assert_true(rs_http_signature_covers(&signature, "content-digest"));
	assert_false(rs_http_signature_covers(&signature, "@query"));
	assert_int_equal(rs_http_key_parse(signature.keyid, &named, NULL), RS_OK);
	assert_int_equal(rs_http_signature_verify(&signature, &message, &named, NULL), RS_OK);
	assert_int_equal(rs_http_signature_parse(rs_buffer_str(&input), rs_buffer_str(&text), "other",
	                                         &signature, NULL),
	                 RS_NOT_FOUND);
}

static const struct {
	const char *input, *signature;
	enum rs_code code;
} refused[] = {
	{"", "", RS_NOT_FOUND},
	{"a=()", "", RS_NOT_FOUND},
	{"a=()", "b=:AA==:", RS_NOT_FOUND},
	{"a=()", "a=:AA==:,", RS_MALFORMED},
	{"a=()", "a=:AA==:, a=:AB==:", RS_MALFORMED},
	{"a=()", "a=:AB==:", RS_MALFORMED},
	{"a=()", "a=:AA==", RS_MALFORMED},
	{"a=()", "a=\"AA\"", RS_MALFORMED},
	{"a", "a=:AA==:", RS_MALFORMED},
	{"a=(\"@method\"", "a=:AA==:", RS_MALFORMED},
	{"a=(\"@method\"\"@path\")", "a=:AA==:", RS_MALFORMED},
	{"a=(\"@method\" \"@method\")", "a=:AA==:", RS_MALFORMED},
	{"a=(method)", "a=:AA==:", RS_MALFORMED},
	{"a=(\"\")", "a=:AA==:", RS_MALFORMED},
	{"a=(\"@query-param\";name=\"Pet\")", "a=:AA==:", RS_UNSUPPORTED},
	{"a=();created=-5", "a=:AA==:", RS_MALFORMED},
	{"a=();created=1.5", "a=:AA==:", RS_MALFORMED},
	{"a=();created=1;created=1", "a=:AA==:", RS_MALFORMED},
	{"a=();keyid=text", "a=:AA==:", RS_MALFORMED},
	{"a=();keyid=\"x", "a=:AA==:", RS_MALFORMED},
	{"a=();keyid=\"x\\y\"", "a=:AA==:", RS_MALFORMED},
	{"a=();x=1234567890123456", "a=:AA==:", RS_MALFORMED},
	{"a=();x=1.2345", "a=:AA==:", RS_MALFORMED},
	{"a=();x=?2", "a=:AA==:", RS_MALFORMED},
	{"a=();X=1", "a=:AA==:", RS_MALFORMED},
	{"A=()", "A=:AA==:", RS_MALFORMED},
	{"a=();x;y=?1;z=tok/en:*;b=:AA==:;n=-1.5", "a=:AA==:", RS_OK},
};

static void what_is_no_signature_is_refused(void **state)
{
	struct rs_http_signature signature;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(refused); i++) {
		struct rs_error err = {0};
		enum rs_code code = rs_http_signature_parse(rs_str_from(refused[i].input),
		                                            rs_str_from(refused[i].signature), NULL,
		                                            &signature, &err);
		if (code == RS_OK)
			assert_string_equal(signature.parameters, "();x;y;z=tok/en:*;b=:AA==:;n=-1.5");
		if (code != refused[i].code)
			fail_msg("%s %s: %s", refused[i].input, refused[i].signature, rs_code_name(code));
	}
}

/* RFC 9530 appendix B.1: {"hello": "world"} and a new line. */
static void digests_are_read_and_written(void **state)
{
	static const char said[] = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
	struct rs_digest digest, read;
	char text[RS_CONTENT_DIGEST_SIZE];
	(void)state;
	rs_sha256(rs_bytes_of_str(RS_STR("{\"hello\": \"world\"}\n")), &digest);
	rs_content_digest_format(&digest, text);
	assert_string_equal(text, said);
	assert_int_equal(
		rs_content_digest_parse(
			RS_STR("sha-512=:AA==:;a=1, sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"),
			&read, NULL),
		RS_OK);
	assert_true(rs_digest_equal(&read, &digest));
	assert_int_equal(rs_content_digest_parse(RS_STR(DIGEST_SHA512), &read, NULL), RS_UNSUPPORTED);
	assert_int_equal(rs_content_digest_parse(RS_STR("sha-256=:AA==:"), &read, NULL), RS_MALFORMED);
	assert_int_equal(rs_content_digest_parse(RS_STR("sha-256"), &read, NULL), RS_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bases_are_those_of_the_rfc),
		cmocka_unit_test(signatures_of_the_rfc_fit),
		cmocka_unit_test(what_is_signed_is_verified),
		cmocka_unit_test(what_is_no_signature_is_refused),
		cmocka_unit_test(digests_are_read_and_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
