/* Consent tokens: vectors of another implementation (tests/vectors/consent.py) both ways, every flipped bit, narrowing. */
#include <stdio.h>
#include <stdlib.h>

#include "consent_test.h"

#include <jansson.h>

#define VECTOR_MAX 32768

static struct rs_bytes from_hex(const json_t *text, uint8_t *out, size_t capacity)
{
	const char *hex = json_string_value(text);
	size_t size = hex ? strlen(hex) / 2 : 0;
	assert_true(size <= capacity && rs_hex_decode(rs_str_from(hex), out, size));
	return rs_bytes_of(out, size);
}

static void check_hex(const json_t *text, const uint8_t *bytes, size_t size)
{
	uint8_t wanted[64];
	struct rs_bytes read = from_hex(text, wanted, sizeof wanted);
	assert_int_equal(read.size, size);
	assert_memory_equal(read.data, bytes, size);
}

static void read_terms(const json_t *json, struct rs_consent_terms *out)
{
	const char *name = json_string_value(json_object_get(json, "organisation"));
	const json_t *studies = json_object_get(json, "studies");
	*out = (struct rs_consent_terms){
		.effect = RS_CONSENT_PERMIT,
		.organisation_size = name ? strlen(name) : 0,
		.roles = (uint32_t)json_integer_value(json_object_get(json, "roles")),
		.purposes = (uint32_t)json_integer_value(json_object_get(json, "purposes")),
		.operations = (uint32_t)json_integer_value(json_object_get(json, "operations")),
		.from_ms = (uint64_t)json_integer_value(json_object_get(json, "from")),
		.until_ms = (uint64_t)json_integer_value(json_object_get(json, "until"))};
	memcpy(out->organisation, name ? name : "", out->organisation_size);
	if (json_is_string(studies))
		out->studies_size = from_hex(studies, out->studies, sizeof out->studies).size;
}

static int ascending(const void *a, const void *b) { return memcmp(a, b, RS_SHA256_SIZE); }

/* As a caller states them: a list of studies in any order. */
static void read_stated(const json_t *json, struct rs_consent_terms *out)
{
	const json_t *studies = json_object_get(json, "studies");
	read_terms(json, out);
	for (size_t i = 0; i < json_array_size(studies); i++)
		(void)from_hex(json_array_get(studies, i), out->studies + i * RS_SHA256_SIZE, RS_SHA256_SIZE);
	out->studies_size = json_array_size(studies) * RS_SHA256_SIZE;
	qsort(out->studies, json_array_size(studies), RS_SHA256_SIZE, ascending);
}

static void check_says(const json_t *says, const struct rs_consent_token *token)
{
	const json_t *blocks = json_object_get(says, "blocks"), *terms = json_object_get(says, "terms");
	struct rs_consent_terms wanted, found;
	check_hex(json_object_get(says, "subject"), token->subject.bytes, RS_SHA256_SIZE);
	assert_int_equal(json_integer_value(json_object_get(says, "effect")), token->effect);
	assert_int_equal(json_integer_value(json_object_get(says, "issued")), token->issued_ms);
	assert_int_equal(json_is_true(json_object_get(says, "sealed")), token->sealed);
	assert_int_equal(json_array_size(blocks), token->count);
	for (size_t i = 0; i < token->count; i++) {
		const json_t *block = json_array_get(blocks, i);
		check_hex(json_object_get(block, "signer"), token->blocks[i].signer.bytes, RS_KEY_SIZE);
		check_hex(json_object_get(block, "id"), token->blocks[i].id.bytes, RS_SHA256_SIZE);
	}
	assert_int_equal(rs_consent_token_terms(token, &found), !json_is_null(terms));
	if (json_is_null(terms))
		return;
	read_terms(terms, &wanted);
	wanted.effect = token->effect;
	assert_true(rs_consent_terms_equal(&wanted, &found));
}

/* The same token from the same random bytes. False where the vector widens, which no token of ours does. */
static bool make_again(const json_t *vector, const struct rs_consent_token *token, struct rs_buffer *out)
{
	static uint8_t random[1024];
	const json_t *stated = json_object_get(vector, "stated");
	struct rs_secret seed;
	struct rs_signing_key issuer;
	struct test_world world;
	struct rs_consent_terms terms;
	struct rs_error err = {0};
	(void)from_hex(json_object_get(vector, "issuer"), seed.bytes, sizeof seed.bytes);
	rs_signing_key_from_seed(&seed, &issuer);
	test_world_init(&world, token->issued_ms,
	                from_hex(json_object_get(vector, "random"), random, sizeof random));
	read_stated(json_array_get(stated, 0), &terms);
	terms.effect = token->effect;
	assert_int_equal(rs_consent_token_grant(&world.world, &issuer, &token->subject, &terms, out, &err),
	                 RS_OK);
	for (size_t i = 1; i < token->count; i++) {
		struct rs_buffer next;
		rs_buffer_init(&next, RS_CONSENT_TOKEN_SIZE_MAX);
		read_stated(json_array_get(stated, i), &terms);
		enum rs_code code = rs_consent_token_narrow(&world.world, rs_buffer_bytes(out), &terms, &next,
		                                            &err);
		rs_buffer_finish(out);
		*out = next;
		if (code == RS_REFUSED)
			return false;
		assert_int_equal(code, RS_OK);
	}
	return true;
}

static bool check_accepted(const json_t *vector, struct rs_bytes bytes)
{
	struct rs_buffer again RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer sealed RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_consent_token token, check;
	struct rs_error err = {0};
	if (rs_consent_token_open(bytes, &token, &err) != RS_OK)
		fail_msg("%s", err.message);
	check_says(json_object_get(vector, "says"), &token);
	rs_buffer_init(&again, RS_CONSENT_TOKEN_SIZE_MAX);
	rs_buffer_init(&sealed, RS_CONSENT_TOKEN_SIZE_MAX);
	if (!make_again(vector, &token, &again))
		return false;
	assert_int_equal(rs_consent_token_open(rs_buffer_bytes(&again), &check, NULL), RS_OK);
	if (token.sealed && !check.sealed)
		assert_int_equal(rs_consent_token_seal(rs_buffer_bytes(&again), &sealed, NULL), RS_OK);
	assert_true(rs_bytes_equal(rs_buffer_bytes(sealed.size ? &sealed : &again), bytes));
	return true;
}

static void vectors_of_another_implementation(void **state)
{
	static uint8_t bytes[VECTOR_MAX];
	char path[1024];
	json_error_t fault;
	unsigned read = 0, made = 0, refused = 0;
	(void)state;
	snprintf(path, sizeof path, "%s/tests/vectors/consent.json", getenv("RADSEAL_SOURCE"));
	json_t *vectors = json_load_file(path, 0, &fault);
	assert_true(json_is_array(vectors));
	for (size_t i = 0; i < json_array_size(vectors); i++) {
		const json_t *vector = json_array_get(vectors, i);
		struct rs_bytes token = from_hex(json_object_get(vector, "token"), bytes, sizeof bytes);
		struct rs_consent_token ignored;
		struct rs_error err = {0};
		if (!json_object_get(vector, "refused")) {
			read++;
			made += check_accepted(vector, token);
			continue;
		}
		refused++;
		if (rs_consent_token_open(token, &ignored, &err) == RS_OK)
			fail_msg("%s: it was accepted",
			         json_string_value(json_object_get(vector, "refused")));
		assert_true(err.message[0]);
	}
	print_message("# %u read, %u of them made alike, %u refused\n", read, made, refused);
	assert_true(read == 40 && made >= 25 && refused >= 34);
	json_decref(vectors);
}

static void make(struct test_world *world, unsigned blocks, bool seal, struct rs_buffer *out)
{
	struct rs_signing_key issuer;
	struct rs_digest subject = {{9}};
	struct rs_consent_terms terms = test_terms("Research"), less = {.operations = 0};
	test_key(1, &issuer);
	terms.studies[31] = 1;
	terms.studies_size = RS_SHA256_SIZE;
	rs_buffer_init(out, RS_CONSENT_TOKEN_SIZE_MAX);
	assert_int_equal(rs_consent_token_grant(&world->world, &issuer, &subject, &terms, out, NULL), RS_OK);
	for (unsigned i = 0; i < blocks + seal; i++) {
		struct rs_buffer next;
		rs_buffer_init(&next, RS_CONSENT_TOKEN_SIZE_MAX);
		less.until_ms = 2000000 - 1000 * i;
		assert_int_equal(i < blocks ? rs_consent_token_narrow(&world->world, rs_buffer_bytes(out),
		                                                      &less, &next, NULL)
		                            : rs_consent_token_seal(rs_buffer_bytes(out), &next, NULL),
		                 RS_OK);
		rs_buffer_finish(out);
		*out = next;
	}
}

static void every_flipped_bit_is_refused(void **state)
{
	struct test_world world;
	(void)state;
	test_world_init(&world, 1000, rs_bytes_of("", 0));
	for (unsigned round = 0; round < 2; round++) {
		struct rs_buffer token;
		struct rs_consent_token ignored;
		make(&world, 2, round == 1, &token);
		assert_int_equal(rs_consent_token_open(rs_buffer_bytes(&token), &ignored, NULL), RS_OK);
		for (size_t bit = 0; bit < 8 * token.size; bit++) {
			token.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (rs_consent_token_open(rs_buffer_bytes(&token), &ignored, NULL) == RS_OK)
				fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
			token.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t size = 0; size < token.size; size++)
			assert_int_not_equal(
				rs_consent_token_open(rs_bytes_of(token.data, size), &ignored, NULL), RS_OK);
		rs_buffer_finish(&token);
	}
}

/* What each holder may not do. */
static void widening_is_refused(void **state)
{
	static const struct {
		const char *organisation;
		uint32_t roles, purposes, operations;
		uint64_t from_ms, until_ms;
		uint8_t study;
		enum rs_code code;
	} cases[] = {
		{.code = RS_USAGE},
		{.organisation = "Research", .code = RS_OK},
		{.organisation = "Oncology", .code = RS_REFUSED},
		{.roles = 6, .code = RS_OK},
		{.roles = 8, .code = RS_REFUSED},
		{.purposes = 4, .code = RS_OK},
		{.purposes = 6, .code = RS_REFUSED},
		{.operations = 2, .code = RS_OK},
		{.operations = 4, .code = RS_REFUSED},
		{.from_ms = 100, .code = RS_OK},
		{.from_ms = 99, .code = RS_REFUSED},
		{.until_ms = 200, .code = RS_OK},
		{.until_ms = 201, .code = RS_REFUSED},
		{.until_ms = 100, .code = RS_REFUSED},
		{.study = 1, .code = RS_OK},
		{.study = 2, .code = RS_REFUSED},
	};
	struct test_world world;
	struct rs_signing_key issuer;
	struct rs_buffer token;
	struct rs_digest subject = {{9}};
	struct rs_consent_terms wide = test_terms("Research");
	(void)state;
	test_world_init(&world, 1000, rs_bytes_of("", 0));
	test_key(1, &issuer);
	wide.roles = 6, wide.purposes = 4, wide.operations = 2, wide.from_ms = 100, wide.until_ms = 200;
	wide.studies[0] = 1, wide.studies_size = RS_SHA256_SIZE;
	rs_buffer_init(&token, RS_CONSENT_TOKEN_SIZE_MAX);
	assert_int_equal(rs_consent_token_grant(&world.world, &issuer, &subject, &wide, &token, NULL), RS_OK);
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_consent_terms less = test_terms(cases[i].organisation ? cases[i].organisation : "");
		struct rs_buffer next RS_CLEANUP(rs_buffer_finish) = {0};
		less.roles = cases[i].roles, less.purposes = cases[i].purposes;
		less.operations = cases[i].operations, less.from_ms = cases[i].from_ms;
		less.until_ms = cases[i].until_ms, less.studies[0] = cases[i].study;
		less.studies_size = cases[i].study ? RS_SHA256_SIZE : 0;
		rs_buffer_init(&next, RS_CONSENT_TOKEN_SIZE_MAX);
		if (rs_consent_token_narrow(&world.world, rs_buffer_bytes(&token), &less, &next, NULL) !=
		    cases[i].code)
			fail_msg("case %zu", i);
		assert_int_equal(next.size > 0, cases[i].code == RS_OK);
	}
	rs_buffer_finish(&token);
}

static void what_is_sealed_ends(void **state)
{
	struct test_world world;
	struct rs_buffer token, out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_consent_terms less = {.operations = 2}, denial = test_terms("");
	struct rs_signing_key issuer;
	struct rs_digest subject = {{9}};
	(void)state;
	test_world_init(&world, 1000, rs_bytes_of("", 0));
	rs_buffer_init(&out, RS_CONSENT_TOKEN_SIZE_MAX);
	make(&world, 1, true, &token);
	assert_int_equal(rs_consent_token_seal(rs_buffer_bytes(&token), &out, NULL), RS_REFUSED);
	assert_int_equal(rs_consent_token_narrow(&world.world, rs_buffer_bytes(&token), &less, &out, NULL),
	                 RS_REFUSED);
	rs_buffer_finish(&token);
	make(&world, RS_CONSENT_BLOCKS_MAX - 1, false, &token);
	assert_int_equal(rs_consent_token_narrow(&world.world, rs_buffer_bytes(&token), &less, &out, NULL),
	                 RS_REFUSED);
	rs_buffer_finish(&token);
	test_key(1, &issuer);
	denial.effect = RS_CONSENT_DENY;
	rs_buffer_init(&token, RS_CONSENT_TOKEN_SIZE_MAX);
	assert_int_equal(rs_consent_token_grant(&world.world, &issuer, &subject, &denial, &token, NULL),
	                 RS_OK);
	assert_int_equal(rs_consent_token_narrow(&world.world, rs_buffer_bytes(&token), &less, &out, NULL),
	                 RS_REFUSED);
	assert_int_equal(out.size, 0);
	rs_buffer_finish(&token);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_another_implementation),
		cmocka_unit_test(every_flipped_bit_is_refused),
		cmocka_unit_test(widening_is_refused),
		cmocka_unit_test(what_is_sealed_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
