/* Tokens are written here: granted, narrowed, sealed. */
#include <string.h>

#include "token.h"

static void write_terms(struct rs_buffer *out, const struct rs_consent_terms *terms)
{
	const uint64_t numbers[] = {terms->roles, terms->purposes, terms->operations, terms->from_ms,
	                            terms->until_ms};
	size_t count = (size_t)(terms->organisation_size > 0) + (terms->studies_size > 0);
	for (size_t i = 0; i < RS_COUNT(numbers); i++)
		count += numbers[i] > 0;
	rs_cbor_write_map(out, count);
	if (terms->organisation_size) {
		rs_cbor_write_u64(out, TERMS_ORGANISATION);
		rs_cbor_write_str(out, rs_consent_terms_organisation(terms));
	}
	for (size_t i = 0; i < RS_COUNT(numbers); i++)
		if (numbers[i]) {
			rs_cbor_write_u64(out, TERMS_ROLES + i);
			rs_cbor_write_u64(out, numbers[i]);
		}
	if (terms->studies_size) {
		rs_cbor_write_u64(out, TERMS_STUDIES);
		rs_cbor_write_bytes(out, rs_consent_terms_studies(terms));
	}
}

static void token_write_header(struct rs_buffer *out, const uint8_t key[static RS_KEY_SIZE])
{
	rs_cbor_write_map(out, 2);
	rs_cbor_write_u64(out, COSE_ALGORITHM);
	rs_cbor_write_i64(out, COSE_EDDSA);
	rs_cbor_write_u64(out, COSE_KID);
	rs_cbor_write_bytes(out, rs_bytes_of(key, RS_KEY_SIZE));
}

void token_write_to_be_signed(struct rs_buffer *out, struct rs_bytes header, struct rs_bytes before,
                              struct rs_bytes payload)
{
	static const struct rs_str context = {"radseal consent v1", 18};
	uint8_t external[18 + RS_SIGNATURE_SIZE];
	memcpy(external, context.data, context.size);
	if (before.size)
		memcpy(external + context.size, before.data, RS_SIGNATURE_SIZE);
	rs_cbor_write_array(out, 4);
	rs_cbor_write_str(out, RS_STR("Signature1"));
	rs_cbor_write_bytes(out, header);
	rs_cbor_write_bytes(out, rs_bytes_of(external, context.size + before.size));
	rs_cbor_write_bytes(out, payload);
}

void token_write_seal_message(struct rs_buffer *out, struct rs_bytes last_signature)
{
	rs_buffer_append_text(out, "radseal consent seal v1");
	rs_buffer_append_bytes(out, last_signature);
}

static enum rs_code sign_block(const struct rs_signing_key *key, struct rs_bytes before,
                               struct rs_bytes payload, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer header RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	uint8_t signature[RS_SIGNATURE_SIZE];
	rs_buffer_init(&header, 64);
	rs_buffer_init(&message, BLOCK_SIZE_MAX);
	token_write_header(&header, key->public_key);
	token_write_to_be_signed(&message, rs_buffer_bytes(&header), before, payload);
	RS_TRY(rs_buffer_check(&message, "a consent's block", err));
	rs_sign(key, rs_buffer_bytes(&message), signature);
	rs_cbor_write_tag(out, COSE_SIGN1_TAG);
	rs_cbor_write_array(out, 4);
	rs_cbor_write_bytes(out, rs_buffer_bytes(&header));
	rs_cbor_write_map(out, 0);
	rs_cbor_write_bytes(out, payload);
	rs_cbor_write_bytes(out, rs_bytes_of(signature, sizeof signature));
	return rs_buffer_check(out, "a consent's block", err);
}

/* `last`: a block more than those of the envelope, or empty. */
static enum rs_code write_token(const struct envelope *envelope, struct rs_bytes last, struct rs_bytes end,
                                struct rs_buffer *out, struct rs_error *err)
{
	rs_cbor_write_map(out, 3);
	rs_cbor_write_u64(out, TOKEN_FIELD_VERSION);
	rs_cbor_write_u64(out, TOKEN_VERSION);
	rs_cbor_write_u64(out, TOKEN_FIELD_BLOCKS);
	rs_cbor_write_array(out, envelope->count + (size_t)(last.size > 0));
	for (size_t i = 0; i < envelope->count; i++)
		rs_cbor_write_bytes(out, envelope->blocks[i]);
	if (last.size)
		rs_cbor_write_bytes(out, last);
	rs_cbor_write_u64(out, end.size == RS_KEY_SIZE ? TOKEN_FIELD_SEED : TOKEN_FIELD_SEAL);
	rs_cbor_write_bytes(out, end);
	return rs_buffer_check(out, "a consent token", err);
}

static void sign_seal(const struct rs_signing_key *key, struct rs_bytes last_signature,
                      uint8_t out[static RS_SIGNATURE_SIZE])
{
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&message, 128);
	token_write_seal_message(&message, last_signature);
	rs_sign(key, rs_buffer_bytes(&message), out);
}

static void signing_key_of(struct rs_bytes seed, struct rs_signing_key *out)
{
	struct rs_secret secret RS_CLEANUP(rs_secret_finish) = {{0}};
	memcpy(secret.bytes, seed.data, RS_KEY_SIZE);
	rs_signing_key_from_seed(&secret, out);
}

static enum rs_code random_key(const struct rs_world *world, struct rs_signing_key *out, struct rs_error *err)
{
	struct rs_secret seed RS_CLEANUP(rs_secret_finish) = {{0}};
	RS_TRY(rs_secret_random(world, &seed, err));
	rs_signing_key_from_seed(&seed, out);
	return RS_OK;
}

static void begin_payload(struct rs_buffer *out, size_t count, const struct rs_signing_key *next,
                          const struct rs_consent_terms *terms)
{
	rs_cbor_write_map(out, count);
	rs_cbor_write_u64(out, BLOCK_VERSION);
	rs_cbor_write_u64(out, TOKEN_VERSION);
	rs_cbor_write_u64(out, BLOCK_NEXT);
	rs_cbor_write_bytes(out, rs_bytes_of(next->public_key, RS_KEY_SIZE));
	rs_cbor_write_u64(out, BLOCK_TERMS);
	write_terms(out, terms);
}

static enum rs_code write_authority(const struct rs_world *world, const struct rs_signing_key *next,
                                    const struct rs_digest *subject, const struct rs_consent_terms *terms,
                                    struct rs_buffer *out, struct rs_error *err)
{
	uint8_t random[RANDOM_SIZE];
	RS_TRY(rs_world_random(world, random, sizeof random, err));
	begin_payload(out, 7, next, terms);
	rs_cbor_write_u64(out, BLOCK_SUBJECT);
	rs_cbor_write_bytes(out, rs_bytes_of(subject->bytes, RS_SHA256_SIZE));
	rs_cbor_write_u64(out, BLOCK_EFFECT);
	rs_cbor_write_u64(out, terms->effect);
	rs_cbor_write_u64(out, BLOCK_ISSUED);
	rs_cbor_write_u64(out, rs_world_now_ms(world));
	rs_cbor_write_u64(out, BLOCK_RANDOM);
	rs_cbor_write_bytes(out, rs_bytes_of(random, sizeof random));
	return rs_buffer_check(out, "a consent's block", err);
}

/* What was written must read back: so no token leaves that others would refuse. */
static enum rs_code append_checked(const struct rs_buffer *token, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_consent_token check;
	struct rs_error own = {0};
	if (rs_consent_token_open(rs_buffer_bytes(token), &check, &own) != RS_OK)
		return rs_error_set(err, RS_USAGE, "these terms are none of a consent: %s", own.message);
	rs_buffer_append_bytes(out, rs_buffer_bytes(token));
	return rs_buffer_check(out, "a consent token", err);
}

enum rs_code rs_consent_token_grant(const struct rs_world *world, const struct rs_signing_key *issuer,
                                    const struct rs_digest *subject, const struct rs_consent_terms *terms,
                                    struct rs_buffer *out, struct rs_error *err)
{
	struct rs_signing_key next RS_CLEANUP(rs_signing_key_finish) = {.public_key = {0}};
	struct rs_buffer payload RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer block RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer token RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct envelope none = {.count = 0};
	uint8_t seal[RS_SIGNATURE_SIZE];
	rs_buffer_init(&payload, BLOCK_SIZE_MAX);
	rs_buffer_init(&block, BLOCK_SIZE_MAX);
	rs_buffer_init(&token, RS_CONSENT_TOKEN_SIZE_MAX);
	RS_TRY(random_key(world, &next, err));
	RS_TRY(write_authority(world, &next, subject, terms, &payload, err));
	RS_TRY(sign_block(issuer, rs_bytes_of("", 0), rs_buffer_bytes(&payload), &block, err));
	struct rs_bytes signature = rs_bytes_of(block.data + block.size - RS_SIGNATURE_SIZE,
	                                        RS_SIGNATURE_SIZE);
	struct rs_bytes end = rs_bytes_of(next.seed.bytes, RS_KEY_SIZE);
	if (terms->effect == RS_CONSENT_DENY) {
		sign_seal(&next, signature, seal);
		end = rs_bytes_of(seal, sizeof seal);
	}
	RS_TRY(write_token(&none, rs_buffer_bytes(&block), end, &token, err));
	return append_checked(&token, out, err);
}

static bool narrows_nothing(const struct rs_consent_terms *terms)
{
	return !terms->organisation_size && !terms->roles && !terms->purposes && !terms->operations &&
	       !terms->from_ms && !terms->until_ms && !terms->studies_size;
}

/* As the contract has it: what is stated must lie within what is in force. */
static bool lies_within(const struct rs_consent_terms *stated, const struct rs_consent_terms *in_force,
                        const struct rs_consent_terms *left)
{
	return (stated->roles & ~in_force->roles) == 0 && (stated->purposes & ~in_force->purposes) == 0 &&
	       (stated->operations & ~in_force->operations) == 0 &&
	       (stated->from_ms == 0 || stated->from_ms >= in_force->from_ms) &&
	       (stated->until_ms == 0 || stated->until_ms == left->until_ms) &&
	       (stated->studies_size == 0 || stated->studies_size == left->studies_size);
}

static enum rs_code check_narrowing(const struct rs_consent_token *token,
                                    const struct rs_consent_terms *terms, struct rs_error *err)
{
	struct rs_consent_terms in_force, left;
	if (token->sealed)
		return rs_error_set(err, RS_REFUSED,
		                    "the consent token is sealed: ask whoever sealed it for another one");
	if (token->count == RS_CONSENT_BLOCKS_MAX)
		return rs_error_set(err, RS_REFUSED, "the consent token has %d blocks, and no more fit",
		                    RS_CONSENT_BLOCKS_MAX);
	if (narrows_nothing(terms))
		return rs_error_set(err, RS_USAGE, "narrowing needs a term that narrows");
	(void)rs_consent_token_terms(token, &in_force);
	left = in_force;
	if (!terms_narrow(&left, terms) || !lies_within(terms, &in_force, &left))
		return rs_error_set(err, RS_REFUSED, "%s: %s", rs_refusal_name(RS_REFUSAL_WIDENS),
		                    rs_refusal_text(RS_REFUSAL_WIDENS));
	return RS_OK;
}

enum rs_code rs_consent_token_narrow(const struct rs_world *world, struct rs_bytes bytes,
                                     const struct rs_consent_terms *terms, struct rs_buffer *out,
                                     struct rs_error *err)
{
	struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish) = {.public_key = {0}};
	struct rs_signing_key next RS_CLEANUP(rs_signing_key_finish) = {.public_key = {0}};
	struct rs_buffer payload RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer block RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer token RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_consent_token old;
	struct envelope envelope;
	RS_TRY(token_open(bytes, &old, &envelope, err));
	RS_TRY(check_narrowing(&old, terms, err));
	rs_buffer_init(&payload, BLOCK_SIZE_MAX);
	rs_buffer_init(&block, BLOCK_SIZE_MAX);
	rs_buffer_init(&token, RS_CONSENT_TOKEN_SIZE_MAX);
	signing_key_of(envelope.end, &key);
	RS_TRY(random_key(world, &next, err));
	begin_payload(&payload, 3, &next, terms);
	RS_TRY(rs_buffer_check(&payload, "a consent's block", err));
	RS_TRY(sign_block(&key, envelope.last_signature, rs_buffer_bytes(&payload), &block, err));
	RS_TRY(write_token(&envelope, rs_buffer_bytes(&block), rs_bytes_of(next.seed.bytes, RS_KEY_SIZE),
	                   &token, err));
	return append_checked(&token, out, err);
}

enum rs_code rs_consent_token_seal(struct rs_bytes bytes, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish) = {.public_key = {0}};
	struct rs_consent_token token;
	struct envelope envelope;
	uint8_t seal[RS_SIGNATURE_SIZE];
	RS_TRY(token_open(bytes, &token, &envelope, err));
	if (token.sealed)
		return rs_error_set(err, RS_REFUSED, "the consent token is sealed already");
	signing_key_of(envelope.end, &key);
	sign_seal(&key, envelope.last_signature, seal);
	return write_token(&envelope, rs_bytes_of("", 0), rs_bytes_of(seal, sizeof seal), out, err);
}
