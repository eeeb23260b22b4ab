/* Hostile consent tokens: as bytes, and as payloads (2 bytes of size each) that the right keys signed, so that what stands
 * behind the signatures is reached, too. What is read answers, narrows and is written as FHIR alike; no signature, no token. */
#include <assert.h>
#include <string.h>

#include "base/base_sim.h"
#include "consent/consent.h"
#include "consent/consent_fhir.h"

static struct rs_signing_key key_of(uint8_t number)
{
	struct rs_secret seed = {{number}};
	struct rs_signing_key key;
	rs_signing_key_from_seed(&seed, &key);
	return key;
}

/* Block 0 is signed by key 1, all others by key 2, whose seed ends the token. */
static void write_block(struct rs_buffer *out, struct rs_bytes payload, const struct rs_signing_key *key,
                        struct rs_bytes before, uint8_t signature[static RS_SIGNATURE_SIZE])
{
	struct rs_buffer header, message, external;
	rs_buffer_init(&header, 64);
	rs_buffer_init(&message, 1 << 17);
	rs_buffer_init(&external, 128);
	rs_cbor_write_map(&header, 2);
	rs_cbor_write_u64(&header, 1);
	rs_cbor_write_i64(&header, -8);
	rs_cbor_write_u64(&header, 4);
	rs_cbor_write_bytes(&header, rs_bytes_of(key->public_key, RS_KEY_SIZE));
	rs_buffer_append_text(&external, "radseal consent v1");
	rs_buffer_append_bytes(&external, before);
	rs_cbor_write_array(&message, 4);
	rs_cbor_write_str(&message, RS_STR("Signature1"));
	rs_cbor_write_bytes(&message, rs_buffer_bytes(&header));
	rs_cbor_write_bytes(&message, rs_buffer_bytes(&external));
	rs_cbor_write_bytes(&message, payload);
	rs_sign(key, rs_buffer_bytes(&message), signature);
	rs_cbor_write_tag(out, 18);
	rs_cbor_write_array(out, 4);
	rs_cbor_write_bytes(out, rs_buffer_bytes(&header));
	rs_cbor_write_map(out, 0);
	rs_cbor_write_bytes(out, payload);
	rs_cbor_write_bytes(out, rs_bytes_of(signature, RS_SIGNATURE_SIZE));
	rs_buffer_finish(&header);
	rs_buffer_finish(&message);
	rs_buffer_finish(&external);
}

static void write_token(struct rs_bytes input, struct rs_buffer *out)
{
	struct rs_signing_key first = key_of(1), rest = key_of(2);
	struct rs_buffer blocks;
	uint8_t signature[RS_SIGNATURE_SIZE];
	size_t at = 0, count = 0;
	rs_buffer_init(&blocks, (size_t)1 << 20);
	while (input.size - at >= 2 && count <= RS_CONSENT_BLOCKS_MAX) {
		size_t size = rs_read_be16(input.data + at);
		struct rs_buffer block;
		at += 2;
		size = size > input.size - at ? input.size - at : size;
		rs_buffer_init(&block, 1 << 17);
		write_block(&block, rs_bytes_of(input.data + at, size), count ? &rest : &first,
		            rs_bytes_of(signature, count ? RS_SIGNATURE_SIZE : 0), signature);
		rs_cbor_write_bytes(&blocks, rs_buffer_bytes(&block));
		rs_buffer_finish(&block);
		at += size;
		count++;
	}
	rs_cbor_write_map(out, 3);
	rs_cbor_write_u64(out, 1);
	rs_cbor_write_u64(out, 1);
	rs_cbor_write_u64(out, 2);
	rs_cbor_write_array(out, count);
	rs_buffer_append_bytes(out, rs_buffer_bytes(&blocks));
	rs_cbor_write_u64(out, 3);
	rs_cbor_write_bytes(out, rs_bytes_of(rest.seed.bytes, RS_KEY_SIZE));
	rs_buffer_finish(&blocks);
}

static void write_and_read(const struct rs_consent_token *token, const struct rs_consent_terms *terms)
{
	struct rs_fhir_consent consent = {.subject = token->subject, .count = 1}, again;
	struct rs_fhir_context nobody = {.subject = NULL};
	struct rs_buffer json, notes;
	struct rs_error err = {0};
	consent.rules[0] = *terms;
	rs_buffer_init(&json, RS_FHIR_SIZE_MAX);
	rs_buffer_init(&notes, RS_FHIR_SIZE_MAX);
	enum rs_code code = rs_fhir_consent_write(RS_FHIR_R4, &consent, &json, &err);
	/* JSON of jansson's has no zero characters in texts */
	bool has_zero = terms->organisation_size && memchr(terms->organisation, 0, terms->organisation_size);
	if (code == RS_OK && !has_zero) {
		code = rs_fhir_consent_read(rs_buffer_bytes(&json), &nobody, &again, &notes, &err);
		assert(code == RS_OK && again.count == 1 && rs_consent_terms_equal(&again.rules[0], terms));
	}
	rs_buffer_finish(&json);
	rs_buffer_finish(&notes);
}

static void use(struct rs_bytes bytes, const struct rs_consent_token *token)
{
	struct rs_signing_key first = key_of(1);
	struct rs_member_key issuer;
	struct rs_consent_terms terms, less = {.until_ms = 1000};
	struct rs_consent_answer answer;
	struct rs_buffer narrowed;
	struct rs_sim *sim;
	memcpy(issuer.bytes, first.public_key, RS_KEY_SIZE);
	const struct rs_consent_trust trust = {.issuers = &issuer, .issuer_count = 1};
	struct rs_consent_question question = {.subject = token->subject,
	                                       .organisation = {"Research", 8},
	                                       .role = RS_ROLE_RESEARCHER,
	                                       .purpose = RS_PURPOSE_RESEARCH,
	                                       .operation = RS_OPERATION_READ,
	                                       .time_ms = 500};
	rs_consent_judge(token, 1, &trust, &question, &answer);
	bool any = rs_consent_token_terms(token, &terms);
	assert(answer.sentence[0] && (any || answer.refusal != RS_REFUSAL_NONE));
	if (!any)
		return;
	write_and_read(token, &terms);
	enum rs_code code = rs_sim_create(1, &sim, NULL);
	assert(code == RS_OK);
	rs_buffer_init(&narrowed, RS_CONSENT_TOKEN_SIZE_MAX);
	code = rs_consent_token_narrow(rs_sim_world(sim), bytes, &less, &narrowed, NULL);
	struct rs_consent_token opened;
	if (code == RS_OK) {
		code = rs_consent_token_open(rs_buffer_bytes(&narrowed), &opened, NULL);
		assert(code == RS_OK && opened.count == token->count + 1);
	}
	rs_buffer_finish(&narrowed);
	rs_sim_destroy(sim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_bytes input = rs_bytes_of(data, size);
	struct rs_consent_token token;
	struct rs_buffer made;
	struct rs_error err = {0};
	if (rs_consent_token_open(input, &token, &err) == RS_OK)
		use(input, &token);
	else
		assert(err.message[0]);
	rs_buffer_init(&made, (size_t)1 << 21);
	write_token(input, &made);
	err.message[0] = 0;
	if (rs_consent_token_open(rs_buffer_bytes(&made), &token, &err) == RS_OK)
		use(rs_buffer_bytes(&made), &token);
	else
		assert(err.message[0]);
	rs_buffer_finish(&made);
	return 0;
}
