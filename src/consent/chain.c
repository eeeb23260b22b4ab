/* Tokens are read here, strictly: one form, every signature, every link from block to block, and what ends the chain. */
#include <string.h>

#include "token.h"

static enum rs_code expect(struct rs_cbor_reader *reader, const char *field, int64_t value,
                           struct rs_error *err)
{
	int64_t found;
	RS_TRY(rs_cbor_read_i64(reader, field, &found, err));
	return found == value ? RS_OK
	                      : rs_error_set(err, RS_MALFORMED, "%s: %lld stands where %lld must", field,
	                                     (long long)found, (long long)value);
}

static enum rs_code expect_map(struct rs_cbor_reader *reader, const char *field, size_t wanted,
                               struct rs_error *err)
{
	size_t count;
	RS_TRY(rs_cbor_read_map(reader, field, &count, err));
	return count == wanted ? RS_OK
	                       : rs_error_set(err, RS_MALFORMED, "%s: %zu fields stand where %zu must", field,
	                                      count, wanted);
}

static enum rs_code read_organisation(struct rs_cbor_reader *reader, struct rs_consent_terms *out,
                                      struct rs_error *err)
{
	struct rs_str name;
	RS_TRY(rs_cbor_read_str(reader, "organisation", &name, err));
	if (name.size == 0 || name.size > RS_ORGANISATION_NAME_MAX)
		return rs_error_set(err, RS_MALFORMED, "organisation: 1 to %d bytes",
		                    RS_ORGANISATION_NAME_MAX);
	memcpy(out->organisation, name.data, name.size);
	out->organisation_size = name.size;
	return RS_OK;
}

static enum rs_code read_set(struct rs_cbor_reader *reader, const char *field, uint32_t all, uint32_t *out,
                             struct rs_error *err)
{
	uint64_t set;
	RS_TRY(rs_cbor_read_u64(reader, field, &set, err));
	if (set == 0 || set & ~(uint64_t)all)
		return rs_error_set(err, RS_MALFORMED, "%s: no set of those that there are", field);
	*out = (uint32_t)set;
	return RS_OK;
}

static enum rs_code read_time(struct rs_cbor_reader *reader, const char *field, uint64_t after, uint64_t *out,
                              struct rs_error *err)
{
	uint64_t time_ms;
	RS_TRY(rs_cbor_read_u64(reader, field, &time_ms, err));
	if (time_ms <= after)
		return rs_error_set(err, RS_MALFORMED, "%s: it is not after %s", field,
		                    after ? "from" : "zero");
	*out = time_ms;
	return RS_OK;
}

static enum rs_code read_studies(struct rs_cbor_reader *reader, struct rs_consent_terms *out,
                                 struct rs_error *err)
{
	struct rs_bytes list;
	RS_TRY(rs_cbor_read_bytes(reader, "studies", &list, err));
	if (list.size == 0 || list.size % RS_SHA256_SIZE || list.size > sizeof out->studies)
		return rs_error_set(err, RS_MALFORMED, "studies: 1 to %d commitments", RS_STUDIES_MAX);
	for (size_t i = RS_SHA256_SIZE; i < list.size; i += RS_SHA256_SIZE)
		if (memcmp(list.data + i - RS_SHA256_SIZE, list.data + i, RS_SHA256_SIZE) >= 0)
			return rs_error_set(err, RS_MALFORMED, "studies: they must ascend");
	memcpy(out->studies, list.data, list.size);
	out->studies_size = list.size;
	return RS_OK;
}

static enum rs_code read_term(struct rs_cbor_reader *reader, uint64_t field, struct rs_consent_terms *out,
                              struct rs_error *err)
{
	switch (field) {
	case TERMS_ORGANISATION: return read_organisation(reader, out, err);
	case TERMS_ROLES: return read_set(reader, "roles", RS_SET_ROLES_ALL, &out->roles, err);
	case TERMS_PURPOSES: return read_set(reader, "purposes", RS_SET_PURPOSES_ALL, &out->purposes, err);
	case TERMS_OPERATIONS:
		return read_set(reader, "operations", RS_SET_OPERATIONS_ALL, &out->operations, err);
	case TERMS_FROM: return read_time(reader, "from", 0, &out->from_ms, err);
	case TERMS_UNTIL: return read_time(reader, "until", out->from_ms, &out->until_ms, err);
	case TERMS_STUDIES: return read_studies(reader, out, err);
	default:
		return rs_error_set(err, RS_UNSUPPORTED, "terms: %llu is no term that is known here",
		                    (unsigned long long)field);
	}
}

static enum rs_code read_terms(struct rs_cbor_reader *reader, bool is_first, struct rs_consent_terms *out,
                               struct rs_error *err)
{
	size_t count;
	RS_TRY(rs_cbor_read_map(reader, "terms", &count, err));
	for (size_t i = 0; i < count; i++) {
		uint64_t field;
		RS_TRY(rs_cbor_read_u64(reader, "terms", &field, err));
		RS_TRY(read_term(reader, field, out, err));
	}
	if (count == 0)
		return rs_error_set(err, RS_MALFORMED, "terms: there are none");
	if (is_first && (!out->roles || !out->purposes || !out->operations))
		return rs_error_set(err, RS_MALFORMED,
		                    "terms: the first block names roles, purposes and operations");
	return RS_OK;
}

static enum rs_code read_authority(struct rs_cbor_reader *reader, struct rs_consent_token *out,
                                   struct rs_error *err)
{
	uint8_t random[RANDOM_SIZE];
	uint64_t effect;
	RS_TRY(expect(reader, "payload", BLOCK_SUBJECT, err));
	RS_TRY(rs_cbor_read_fixed(reader, "subject", out->subject.bytes, RS_SHA256_SIZE, err));
	RS_TRY(expect(reader, "payload", BLOCK_EFFECT, err));
	RS_TRY(rs_cbor_read_u64(reader, "effect", &effect, err));
	if (effect != RS_CONSENT_PERMIT && effect != RS_CONSENT_DENY)
		return rs_error_set(err, RS_MALFORMED, "effect: it neither permits nor denies");
	out->effect = (enum rs_consent_effect)effect;
	out->blocks[0].terms.effect = out->effect;
	if (effect == RS_CONSENT_PERMIT && out->blocks[0].terms.organisation_size == 0)
		return rs_error_set(err, RS_MALFORMED, "terms: a permission names an organisation");
	RS_TRY(expect(reader, "payload", BLOCK_ISSUED, err));
	RS_TRY(rs_cbor_read_u64(reader, "issued", &out->issued_ms, err));
	RS_TRY(expect(reader, "payload", BLOCK_RANDOM, err));
	return rs_cbor_read_fixed(reader, "random", random, sizeof random, err);
}

static enum rs_code read_payload(struct rs_bytes payload, struct rs_consent_token *out, size_t number,
                                 uint8_t next[static RS_KEY_SIZE], struct rs_error *err)
{
	struct rs_cbor_reader reader;
	RS_TRY(rs_cbor_reader_init(&reader, payload, err));
	RS_TRY(expect_map(&reader, "payload", number == 0 ? 7 : 3, err));
	RS_TRY(expect(&reader, "payload", BLOCK_VERSION, err));
	RS_TRY(expect(&reader, "version", TOKEN_VERSION, err));
	RS_TRY(expect(&reader, "payload", BLOCK_NEXT, err));
	RS_TRY(rs_cbor_read_fixed(&reader, "next key", next, RS_KEY_SIZE, err));
	RS_TRY(expect(&reader, "payload", BLOCK_TERMS, err));
	RS_TRY(read_terms(&reader, number == 0, &out->blocks[number].terms, err));
	return number == 0 ? read_authority(&reader, out, err) : RS_OK;
}

struct parts {
	struct rs_bytes header, payload, signature;
};

static enum rs_code read_sign1(struct rs_bytes block, struct parts *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	uint64_t tag;
	size_t count;
	RS_TRY(rs_cbor_reader_init(&reader, block, err));
	RS_TRY(rs_cbor_read_tag(&reader, "COSE_Sign1", &tag, err));
	RS_TRY(rs_cbor_read_array(&reader, "COSE_Sign1", &count, err));
	if (tag != COSE_SIGN1_TAG || count != 4)
		return rs_error_set(err, RS_MALFORMED, "it is no COSE_Sign1");
	RS_TRY(rs_cbor_read_bytes(&reader, "protected header", &out->header, err));
	RS_TRY(expect_map(&reader, "unprotected header", 0, err));
	RS_TRY(rs_cbor_read_bytes(&reader, "payload", &out->payload, err));
	RS_TRY(rs_cbor_read_bytes(&reader, "signature", &out->signature, err));
	return out->signature.size == RS_SIGNATURE_SIZE
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED, "signature: 64 bytes are needed");
}

static enum rs_code read_header(struct rs_bytes header, struct rs_member_key *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	RS_TRY(rs_cbor_reader_init(&reader, header, err));
	RS_TRY(expect_map(&reader, "protected header", 2, err));
	RS_TRY(expect(&reader, "protected header", COSE_ALGORITHM, err));
	RS_TRY(expect(&reader, "algorithm", COSE_EDDSA, err));
	RS_TRY(expect(&reader, "protected header", COSE_KID, err));
	return rs_cbor_read_fixed(&reader, "key", out->bytes, RS_KEY_SIZE, err);
}

static enum rs_code verify_block(const struct parts *parts, struct rs_bytes before,
                                 const struct rs_member_key *signer, struct rs_error *err)
{
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&message, BLOCK_SIZE_MAX);
	token_write_to_be_signed(&message, parts->header, before, parts->payload);
	RS_TRY(rs_buffer_check(&message, "a consent's block", err));
	return rs_signature_valid(signer->bytes, rs_buffer_bytes(&message), parts->signature.data)
	               ? RS_OK
	               : rs_error_set(err, RS_ALTERED, "its signature does not fit its content and place");
}

/* `next`: in, the key that must sign (not of the first); out, the one that signs the block after it. */
static enum rs_code read_block(const struct envelope *envelope, size_t number, struct rs_bytes *before,
                               uint8_t next[static RS_KEY_SIZE], struct rs_consent_token *out,
                               struct rs_error *err)
{
	struct rs_consent_block *block = &out->blocks[number];
	struct parts parts;
	uint8_t following[RS_KEY_SIZE];
	RS_TRY(read_sign1(envelope->blocks[number], &parts, err));
	RS_TRY(read_header(parts.header, &block->signer, err));
	RS_TRY(read_payload(parts.payload, out, number, following, err));
	if (number > 0 && memcmp(block->signer.bytes, next, RS_KEY_SIZE) != 0)
		return rs_error_set(err, RS_ALTERED,
		                    "it is not signed by the key that the block before names");
	RS_TRY(verify_block(&parts, *before, &block->signer, err));
	rs_sha256(parts.signature, &block->id);
	*before = parts.signature;
	memcpy(next, following, RS_KEY_SIZE);
	return RS_OK;
}

static enum rs_code check_end(const struct envelope *envelope, const uint8_t next[static RS_KEY_SIZE],
                              struct rs_error *err)
{
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish) = {.public_key = {0}};
	struct rs_secret seed RS_CLEANUP(rs_secret_finish) = {{0}};
	bool fits;
	if (envelope->sealed) {
		rs_buffer_init(&message, 128);
		token_write_seal_message(&message, envelope->last_signature);
		fits = rs_signature_valid(next, rs_buffer_bytes(&message), envelope->end.data);
	} else {
		memcpy(seed.bytes, envelope->end.data, RS_KEY_SIZE);
		rs_signing_key_from_seed(&seed, &key);
		fits = rs_equal_constant_time(key.public_key, next, RS_KEY_SIZE);
	}
	return fits ? RS_OK
	            : rs_error_set(err, RS_ALTERED,
	                           "what ends the consent token does not fit its last block: blocks were "
	                           "taken off, or it was altered");
}

static enum rs_code read_envelope(struct rs_bytes bytes, struct envelope *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	uint64_t field;
	if (bytes.size > RS_CONSENT_TOKEN_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "%zu bytes, at most %zu", bytes.size,
		                    RS_CONSENT_TOKEN_SIZE_MAX);
	RS_TRY(rs_cbor_reader_init(&reader, bytes, err));
	RS_TRY(expect_map(&reader, "token", 3, err));
	RS_TRY(expect(&reader, "token", TOKEN_FIELD_VERSION, err));
	RS_TRY(expect(&reader, "version", TOKEN_VERSION, err));
	RS_TRY(expect(&reader, "token", TOKEN_FIELD_BLOCKS, err));
	RS_TRY(rs_cbor_read_array(&reader, "blocks", &out->count, err));
	if (out->count == 0 || out->count > RS_CONSENT_BLOCKS_MAX)
		return rs_error_set(err, RS_MALFORMED, "blocks: 1 to %d", RS_CONSENT_BLOCKS_MAX);
	for (size_t i = 0; i < out->count; i++)
		RS_TRY(rs_cbor_read_bytes(&reader, "block", &out->blocks[i], err));
	RS_TRY(rs_cbor_read_u64(&reader, "token", &field, err));
	RS_TRY(rs_cbor_read_bytes(&reader, "what ends the token", &out->end, err));
	out->sealed = field == TOKEN_FIELD_SEAL;
	if ((field != TOKEN_FIELD_SEED && field != TOKEN_FIELD_SEAL) ||
	    out->end.size != (out->sealed ? (size_t)RS_SIGNATURE_SIZE : (size_t)RS_KEY_SIZE))
		return rs_error_set(err, RS_MALFORMED, "it must end with a seed or a seal");
	return RS_OK;
}

static enum rs_code open_all(struct rs_bytes bytes, struct rs_consent_token *out, struct envelope *envelope,
                             struct rs_error *err)
{
	struct rs_bytes before = {.size = 0};
	uint8_t next[RS_KEY_SIZE];
	RS_TRY(read_envelope(bytes, envelope, err));
	out->count = envelope->count;
	out->sealed = envelope->sealed;
	for (size_t i = 0; i < envelope->count; i++)
		if (read_block(envelope, i, &before, next, out, err) != RS_OK)
			return rs_error_context(err, "block %zu", i);
	envelope->last_signature = before;
	RS_TRY(check_end(envelope, next, err));
	if (out->effect == RS_CONSENT_DENY && (out->count > 1 || !out->sealed))
		return rs_error_set(err, RS_MALFORMED, "a denial is sealed and has one block");
	return RS_OK;
}

enum rs_code token_open(struct rs_bytes bytes, struct rs_consent_token *out, struct envelope *envelope,
                        struct rs_error *err)
{
	memset(out, 0, sizeof *out);
	memset(envelope, 0, sizeof *envelope);
	struct rs_error own = {0};
	if (open_all(bytes, out, envelope, &own) == RS_OK)
		return RS_OK;
	rs_error_context(&own, "consent token");
	if (err)
		*err = own;
	return own.code;
}

enum rs_code rs_consent_token_open(struct rs_bytes bytes, struct rs_consent_token *out, struct rs_error *err)
{
	struct rs_consent_token token;
	struct envelope envelope;
	RS_TRY(token_open(bytes, &token, &envelope, err));
	*out = token;
	return RS_OK;
}
