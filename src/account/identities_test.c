/* Rules about tokens and certificates, and keys that are fetched, kept and exchanged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "account/account_identities.h"
#include "base/base_sim.h"
#include "jwt_vectors.h"

#define PROVIDERS                                                                          \
	"\"providers\": [{\"issuer\": \"https://idp.example\", \"audience\": \"radseal\"," \
	" \"jwks\": \"https://idp.example/keys\"}]"
static const char rules[] =
	"{" PROVIDERS ", \"tokens\": ["
	"{\"issuer\": \"https://idp.example\", \"claims\": {\"sub\": \"u-18\"}, \"member\": \"other\", \"rights\": \"all\"},"
	"{\"issuer\": \"https://idp.example\", \"claims\": {\"groups\": \"night\", \"sub\": \"u-17\"}, \"member\": \"reader\","
	" \"role\": \"radiologist\", \"rights\": \"query\", \"purpose\": \"treatment\"}],"
	"\"certificates\": [{\"san\": \"dns:MR-1.example\", \"member\": \"mr-1\", \"rights\": \"store\"}]}";

/* A provider as a test wants it. */
struct source {
	const char *keys; /* NULL: it is away */
	unsigned asked;
};

static enum rs_code fetch(void *context, const char *url, const char *authorities, struct rs_buffer *out,
                          struct rs_error *err)
{
	struct source *source = context;
	source->asked++;
	assert_string_equal(url, "https://idp.example/keys");
	assert_null(authorities);
	if (!source->keys)
		return rs_error_set(err, RS_IO, "away");
	return rs_buffer_append_text(out, source->keys);
}

struct fixture {
	struct rs_sim *sim;
	struct source source;
	struct rs_identities *identities;
	const struct rs_identity *identity;
	struct rs_digest subject;
	struct rs_error err;
};

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){.source = {.keys = vector_keys}};
	assert_int_equal(rs_crypto_init(NULL), RS_OK);
	assert_int_equal(rs_sim_create(1, &f.sim, NULL), RS_OK);
	rs_sim_advance_ms(f.sim, VECTORS_NOW_MS - rs_world_now_ms(rs_sim_world(f.sim)));
	if (rs_identities_parse(rs_sim_world(f.sim), rs_bytes_of(rules, strlen(rules)), fetch, &f.source,
	                        &f.identities, &f.err) != RS_OK)
		fail_msg("%s", f.err.message);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	rs_identities_free(f->identities);
	rs_sim_destroy(f->sim);
	return 0;
}

static enum rs_code show(struct fixture *f, const char *token)
{
	return rs_identities_token(f->identities, rs_str_from(token), &f->identity, &f->subject, &f->err);
}

static const char *token_named(const char *name)
{
	for (size_t i = 0; i < RS_COUNT(vectors); i++)
		if (strcmp(vectors[i].name, name) == 0)
			return vectors[i].token;
	fail_msg("%s", name);
	return NULL;
}

static void the_rule_whose_claims_are_there_says_who(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(show(f, token_named("EdDSA")), RS_OK);
	assert_string_equal(f->identity->member, "reader");
	assert_string_equal(f->identity->role, "radiologist");
	assert_string_equal(f->identity->rights, "query");
	assert_string_equal(f->identity->purpose, "treatment");
	assert_int_equal(show(f, token_named("only what is needed")), RS_DENIED);
	assert_non_null(strstr(f->err.message, "no rule"));
	assert_int_equal(show(f, token_named("expired")), RS_DENIED);
	assert_int_equal(show(f, token_named("another issuer")), RS_NOT_FOUND);
	assert_int_equal(show(f, "x.y"), RS_MALFORMED);
	assert_int_equal(f->source.asked, 1);
}

static void keys_are_fetched_seldom_and_when_they_change(void **state)
{
	struct fixture *f = *state;
	f->source.keys = rfc7515_keys; /* of before an exchange */
	assert_int_equal(show(f, token_named("EdDSA")), RS_DENIED);
	assert_int_equal(show(f, token_named("EdDSA")), RS_DENIED);
	assert_int_equal(f->source.asked, 1); /* who sends bad tokens does not make us ask */
	f->source.keys = vector_keys;
	rs_sim_advance_ms(f->sim, 60000);
	assert_int_equal(show(f, token_named("EdDSA")), RS_OK);
	assert_int_equal(f->source.asked, 2);
	f->source.keys = NULL;
	rs_sim_advance_ms(f->sim, 60000);
	assert_int_equal(show(f, token_named("unknown kid")), RS_IO);
	assert_int_equal(show(f, token_named("EdDSA")), RS_OK); /* away: those that are there serve */
	rs_sim_advance_ms(f->sim, (uint64_t)24 * 3600 * 1000);
	assert_int_equal(show(f, token_named("EdDSA")), RS_DENIED);
	assert_non_null(strstr(f->err.message, "away"));
}

static void certificates_are_known_by_name_or_fingerprint(void **state)
{
	struct fixture *f = *state;
	const struct rs_bytes der = {vector_certificate, sizeof vector_certificate};
	struct rs_digest digest;
	char hex[65], text[512];
	static const char *const names[] = {"DNS:mr-1.example", "URI:urn:uuid:1", "email:a@b.example",
	                                    "IP:10.0.0.7"};
	static const char *const strangers[] = {"DNS:mr-9.example", "DNS:mr-1.example.", "URI:mr-1.example",
	                                        "IP:10.0.0.8"};
	assert_int_equal(rs_identities_certificate(f->identities, der, &f->identity, &f->err), RS_OK);
	assert_string_equal(f->identity->member, "mr-1");
	assert_int_equal(rs_identities_certificate(f->identities, rs_bytes_of("x", 1), &f->identity, &f->err),
	                 RS_NOT_FOUND);
	rs_sha256(der, &digest);
	rs_hex_encode(rs_bytes_of(digest.bytes, sizeof digest.bytes), hex);
	for (size_t i = 0; i < RS_COUNT(names) + RS_COUNT(strangers) + 1; i++) {
		struct rs_identities *one = NULL;
		bool known = i < RS_COUNT(names) || i == RS_COUNT(names) + RS_COUNT(strangers);
		const char *san = i < RS_COUNT(names) ? names[i] : strangers[i % RS_COUNT(strangers)];
		int size =
			i == RS_COUNT(names) + RS_COUNT(strangers)
				? snprintf(text, sizeof text,
		                           "{\"certificates\": [{\"fingerprint\": \"%s\", \"member\": \"m\","
		                           " \"rights\": \"store\"}]}",
		                           hex)
				: snprintf(
					  text, sizeof text,
					  "{\"certificates\": [{\"san\": \"%s\", \"member\": \"m\", \"rights\": \"store\"}]}",
					  san);
		assert_int_equal(rs_identities_parse(rs_sim_world(f->sim), rs_bytes_of(text, (size_t)size),
		                                     NULL, NULL, &one, &f->err),
		                 RS_OK);
		assert_int_equal(rs_identities_certificate(one, der, &f->identity, &f->err),
		                 known ? RS_OK : RS_NOT_FOUND);
		rs_identities_free(one);
	}
}

static void a_wrong_file_is_refused_with_its_place(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *json, *why;
	} wrong[] = {
		{"", "line"},
		{"[]", "no JSON object"},
		{"{\"provider\": []}", "'provider' is not known"},
		{"{\"providers\": {}}", "no list"},
		{"{\"providers\": [{\"issuer\": \"i\", \"audience\": \"a\", \"jwks\": \"http://i\"}]}",
	         "https only"},
		{"{\"providers\": [{\"issuer\": \"i\", \"audience\": \"a\", \"jwks\": \"f\", \"skew_s\": 601}]}",
	         "skew_s"},
		{"{\"providers\": [{\"issuer\": \"i\", \"jwks\": \"f\"}]}", "audience is missing"},
		{"{\"tokens\": [{\"issuer\": \"i\", \"claims\": {\"a\": \"b\"}, \"member\": \"m\", \"rights\": \"all\"}]}",
	         "none of the providers"},
		{"{" PROVIDERS
	         ", \"tokens\": [{\"issuer\": \"https://idp.example\", \"claims\": {}, \"member\": \"m\","
	         " \"rights\": \"all\"}]}",
	         "number 1: claims"},
		{"{\"certificates\": [{\"san\": \"x\", \"member\": \"m\", \"rights\": \"all\"}]}", "DNS:"},
		{"{\"certificates\": [{\"member\": \"m\", \"rights\": \"all\"}]}", "one of san"},
		{"{\"certificates\": [{\"san\": \"DNS:a\", \"member\": 7, \"rights\": \"all\"}]}",
	         "member is no text"},
		{"{\"certificates\": [{\"fingerprint\": \"00\", \"member\": \"m\", \"rights\": \"all\"}]}",
	         "64 hex"}};
	for (size_t i = 0; i < RS_COUNT(wrong); i++) {
		struct rs_identities *one = NULL;
		assert_int_equal(rs_identities_parse(rs_sim_world(f->sim),
		                                     rs_bytes_of(wrong[i].json, strlen(wrong[i].json)), NULL,
		                                     NULL, &one, &f->err),
		                 RS_MALFORMED);
		if (!strstr(f->err.message, wrong[i].why))
			fail_msg("%s: %s", wrong[i].json, f->err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(the_rule_whose_claims_are_there_says_who),
		CASE(keys_are_fetched_seldom_and_when_they_change),
		CASE(certificates_are_known_by_name_or_fingerprint),
		CASE(a_wrong_file_is_refused_with_its_place),
#undef CASE
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
