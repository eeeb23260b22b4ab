/* Claims about what is in force: made, checked, and said in words. */
#include <inttypes.h>
#include <string.h>

#include "contract/contract_say.h"
#include "ledger/ledger_claim.h"

#define VERSION 1
#define EXTRA_SIZE_MAX ((size_t)64 * 1024)
#define SENTENCE_SIZE_MAX ((size_t)1024 * 1024)

enum claim_field {
	CLAIM_VERSION = 1,
	CLAIM_ENTRY,
	CLAIM_KEY,
	CLAIM_VALUE,
	CLAIM_PROOF,
	CLAIM_CONSENT,
};

static void write_field(struct rs_buffer *out, enum claim_field field, struct rs_bytes value)
{
	rs_cbor_write_u64(out, field);
	rs_cbor_write_bytes(out, value);
}

enum rs_code rs_claim_format(const struct rs_claim *claim, uint64_t index, const struct rs_digest *path,
                             size_t count, struct rs_str checkpoint, struct rs_buffer *out,
                             struct rs_error *err)
{
	struct rs_buffer extra RS_CLEANUP(rs_buffer_finish) = {0}, proof RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&extra, EXTRA_SIZE_MAX);
	rs_buffer_init(&proof, RS_MAP_PROOF_SIZE_MAX);
	RS_TRY(rs_map_proof_encode(&claim->proof, &proof, err));
	rs_cbor_write_map(&extra, claim->consent.size ? 6 : 5);
	rs_cbor_write_u64(&extra, CLAIM_VERSION);
	rs_cbor_write_u64(&extra, VERSION);
	write_field(&extra, CLAIM_ENTRY, claim->entry);
	write_field(&extra, CLAIM_KEY, claim->key);
	write_field(&extra, CLAIM_VALUE, claim->value);
	write_field(&extra, CLAIM_PROOF, rs_buffer_bytes(&proof));
	if (claim->consent.size)
		write_field(&extra, CLAIM_CONSENT, claim->consent);
	RS_TRY(rs_buffer_check(&extra, "a claim", err));
	return rs_tlog_proof_format(rs_buffer_bytes(&extra), index, path, count, checkpoint, out, err);
}

static enum rs_code read_field(struct rs_cbor_reader *reader, enum claim_field field, const char *name,
                               struct rs_bytes *out, struct rs_error *err)
{
	uint64_t found;
	RS_TRY(rs_cbor_read_u64(reader, name, &found, err));
	if (found != field)
		return rs_error_set(err, RS_MALFORMED, "%s: missing", name);
	return rs_cbor_read_bytes(reader, name, out, err);
}

static enum rs_code read_claim(struct rs_bytes extra, struct rs_claim *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	struct rs_bytes proof;
	uint64_t field, version;
	size_t fields;
	RS_TRY(rs_cbor_reader_init(&reader, extra, err));
	RS_TRY(rs_cbor_read_map(&reader, "claim", &fields, err));
	RS_TRY(rs_cbor_read_u64(&reader, "version", &field, err));
	RS_TRY(rs_cbor_read_u64(&reader, "version", &version, err));
	if (field != CLAIM_VERSION || version != VERSION || (fields != 5 && fields != 6))
		return rs_error_set(err, RS_MALFORMED, "it is no claim of a version that is known here");
	RS_TRY(read_field(&reader, CLAIM_ENTRY, "entry", &out->entry, err));
	RS_TRY(read_field(&reader, CLAIM_KEY, "key", &out->key, err));
	RS_TRY(read_field(&reader, CLAIM_VALUE, "value", &out->value, err));
	RS_TRY(read_field(&reader, CLAIM_PROOF, "proof", &proof, err));
	if (fields == 6)
		RS_TRY(read_field(&reader, CLAIM_CONSENT, "consent", &out->consent, err));
	bool is_consents = out->key.size && out->key.data[0] == RS_MAP_CONSENTS_LETTER;
	if (out->key.size != 1 + RS_SHA256_SIZE ||
	    (fields == 6 && (!is_consents || out->consent.size != RS_SHA256_SIZE)))
		return rs_error_set(err, RS_MALFORMED, "key: it is about nothing that is known here");
	return rs_map_proof_decode(proof, &out->proof, err);
}

static void say_hex(struct rs_buffer *out, const char *what, struct rs_bytes id)
{
	char text[2 * RS_SHA256_SIZE + 1];
	rs_hex_encode(id, text);
	rs_buffer_append_text(out, what);
	rs_buffer_append_text(out, text);
}

static enum rs_code say_consents(const struct rs_claim *claim, struct rs_claim_facts *facts,
                                 struct rs_error *err)
{
	struct rs_buffer *out = &facts->sentence;
	struct rs_bytes rest = claim->value, name, row;
	bool found = false;
	say_hex(out, "of subject ", rs_bytes_of(claim->key.data + 1, RS_SHA256_SIZE));
	while (rs_map_next_consent(&rest, &name, &row)) {
		uint8_t key[1 + 2 * RS_SHA256_SIZE];
		if (claim->consent.size && !rs_bytes_equal(name, claim->consent))
			continue;
		memcpy(key, claim->key.data, claim->key.size);
		memcpy(key + claim->key.size, name.data, name.size);
		rs_buffer_append_text(out, found ? "\nand " : ", ");
		found = true;
		RS_TRY(rs_row_say(rs_bytes_of(key, sizeof key), row, out, err));
	}
	if (rest.size)
		return rs_error_set(err, RS_ALTERED, "the subject's consents are cut");
	if (!found)
		say_hex(out, claim->consent.size ? ", there is no consent " : ", there is no consent at all",
		        claim->consent);
	facts->present = found;
	return RS_OK;
}

static enum rs_code say(const struct rs_claim *claim, struct rs_claim_facts *facts, struct rs_error *err)
{
	static const struct {
		char letter;
		const char *absent;
	} kinds[] = {
		{'M', "there is no member "}, {'D', "there is no device "}, {'S', "there is no subject "}};
	if (claim->key.data[0] == RS_MAP_CONSENTS_LETTER)
		return say_consents(claim, facts, err);
	facts->present = claim->value.size > 0;
	if (facts->present)
		return rs_row_say(claim->key, claim->value, &facts->sentence, err);
	for (size_t i = 0; i < RS_COUNT(kinds); i++)
		if (claim->key.data[0] == kinds[i].letter) {
			say_hex(&facts->sentence, kinds[i].absent,
			        rs_bytes_of(claim->key.data + 1, RS_SHA256_SIZE));
			return RS_OK;
		}
	return rs_error_set(err, RS_MALFORMED, "key: it is about nothing that is known here");
}

/* That the entry is a head, at its place of the log that the checkpoint is of. */
static enum rs_code check_head(const struct rs_claim *claim, const struct rs_tlog_proof *proof,
                               const struct rs_trust *trust, struct rs_map_head *out,
                               struct rs_claim_facts *facts, struct rs_error *err)
{
	struct rs_checkpoint checkpoint;
	struct rs_digest leaf;
	struct rs_act act;
	RS_TRY(rs_checkpoint_open(proof->checkpoint, trust, &checkpoint, &facts->cosigned, err));
	rs_leaf_hash(claim->entry, &leaf);
	if (!rs_inclusion_valid(&leaf, proof->index, checkpoint.size, proof->path, proof->path_count,
	                        &checkpoint.root))
		return rs_error_set(err, RS_ALTERED, "its entry is not at that place of the log");
	RS_TRY(rs_transaction_verify(claim->entry, &act, err));
	if (!rs_map_head_of(&act, out) || out->entries != proof->index)
		return rs_error_set(err, RS_ALTERED, "its entry is no head of the log's map");
	memcpy(facts->origin, checkpoint.origin, sizeof facts->origin);
	facts->tree_size = checkpoint.size;
	facts->entries = out->entries;
	facts->time_ms = act.time_ms;
	return RS_OK;
}

static enum rs_code check(const struct rs_tlog_proof *proof, const struct rs_trust *trust,
                          struct rs_claim_facts *facts, struct rs_error *err)
{
	struct rs_claim claim = {.proof = {.count = 0}};
	struct rs_map_head head;
	RS_TRY(read_claim(rs_buffer_bytes(&proof->extra), &claim, err));
	RS_TRY(check_head(&claim, proof, trust, &head, facts, err));
	bool holds = claim.value.size
	                     ? rs_map_presence_valid(&head.root, claim.key, claim.value, &claim.proof)
	                     : rs_map_absence_valid(&head.root, claim.key, &claim.proof);
	if (!holds)
		return rs_error_set(err, RS_ALTERED, "the map of this head does not say so");
	RS_TRY(say(&claim, facts, err));
	return rs_buffer_check(&facts->sentence, "a sentence", err);
}

void rs_claim_facts_finish(struct rs_claim_facts *facts) { rs_buffer_finish(&facts->sentence); }

enum rs_code rs_claim_check(struct rs_str text, const struct rs_trust *trust, struct rs_claim_facts *out,
                            struct rs_error *err)
{
	struct rs_tlog_proof proof RS_CLEANUP(rs_tlog_proof_finish) = {.index = 0};
	struct rs_claim_facts facts = {.present = false};
	rs_buffer_init(&facts.sentence, SENTENCE_SIZE_MAX);
	enum rs_code code = rs_tlog_proof_parse(text, &proof, err);
	if (code == RS_OK)
		code = check(&proof, trust, &facts, err);
	if (code != RS_OK) {
		rs_claim_facts_finish(&facts);
		return code;
	}
	*out = facts;
	return RS_OK;
}
