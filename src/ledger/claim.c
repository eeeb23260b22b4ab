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
	rs_cbor_write_map(&extra, 5);
	rs_cbor_write_u64(&extra, CLAIM_VERSION);
	rs_cbor_write_u64(&extra, VERSION);
	write_field(&extra, CLAIM_ENTRY, claim->entry);
	write_field(&extra, CLAIM_KEY, claim->key);
	write_field(&extra, CLAIM_VALUE, claim->value);
	write_field(&extra, CLAIM_PROOF, rs_buffer_bytes(&proof));
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
	if (field != CLAIM_VERSION || version != VERSION || fields != 5)
		return rs_error_set(err, RS_MALFORMED, "it is no claim of a version that is known here");
	RS_TRY(read_field(&reader, CLAIM_ENTRY, "entry", &out->entry, err));
	RS_TRY(read_field(&reader, CLAIM_KEY, "key", &out->key, err));
	RS_TRY(read_field(&reader, CLAIM_VALUE, "value", &out->value, err));
	RS_TRY(read_field(&reader, CLAIM_PROOF, "proof", &proof, err));
	return rs_map_proof_decode(proof, &out->proof, err);
}

#define ID_SIZE 32 /* of a key, a token, a consent's name */

static void say_hex(struct rs_buffer *out, const char *what, const uint8_t *id)
{
	char text[2 * ID_SIZE + 1];
	rs_hex_encode(rs_bytes_of(id, ID_SIZE), text);
	rs_buffer_append_text(out, what);
	rs_buffer_append_text(out, text);
}

static enum rs_code say_consents(const struct rs_claim *claim, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_bytes rest = claim->value, name, row;
	const char *between = ", ";
	say_hex(out, "of subject ", claim->key.data + 1);
	while (rs_map_next_consent(&rest, &name, &row)) {
		uint8_t key[1 + 2 * ID_SIZE];
		memcpy(key, claim->key.data, claim->key.size);
		memcpy(key + claim->key.size, name.data, name.size);
		rs_buffer_append_text(out, between);
		between = "\nand ";
		RS_TRY(rs_row_say(rs_bytes_of(key, sizeof key), row, out, err));
	}
	return rest.size ? rs_error_set(err, RS_ALTERED, "the subject's consents are cut") : RS_OK;
}

static void say_absence(const struct rs_claim *claim, struct rs_buffer *out)
{
	const uint8_t *key = claim->key.data;
	if (key[0] == 'M')
		say_hex(out, "there is no member ", key + 1);
	else if (key[0] == 'D')
		say_hex(out, "there is no device ", key + 1);
	else if (key[0] == 'S')
		say_hex(out, "there is no subject ", key + 1);
	else
		say_hex(out, "of subject ", key + 1);
	if (key[0] == RS_MAP_CONSENTS_LETTER && claim->key.size > 1 + ID_SIZE)
		say_hex(out, ", there is no consent ", key + 1 + ID_SIZE);
	else if (key[0] == RS_MAP_CONSENTS_LETTER)
		rs_buffer_append_text(out, ", there is no consent at all");
}

static enum rs_code say(const struct rs_claim *claim, struct rs_buffer *out, struct rs_error *err)
{
	size_t size = claim->key.size;
	char letter = size ? (char)claim->key.data[0] : 0;
	bool is_consent = letter == RS_MAP_CONSENTS_LETTER && size == 1 + 2 * ID_SIZE;
	bool is_consents = letter == RS_MAP_CONSENTS_LETTER && size == 1 + ID_SIZE;
	bool is_one = (letter == 'M' || letter == 'D' || letter == 'S') && size == 1 + ID_SIZE;
	if (!is_consent && !is_consents && !is_one)
		return rs_error_set(err, RS_MALFORMED, "key: it is about nothing that is known here");
	if (claim->value.size == 0) {
		say_absence(claim, out);
		return RS_OK;
	}
	if (is_consents)
		return say_consents(claim, out, err);
	if (is_consent) {
		say_hex(out, "of subject ", claim->key.data + 1);
		rs_buffer_append_text(out, ", ");
	}
	return rs_row_say(claim->key, claim->value, out, err);
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
	facts->present = claim.value.size > 0;
	RS_TRY(say(&claim, &facts->sentence, err));
	rs_buffer_append_bytes(&facts->key, claim.key);
	rs_buffer_append_bytes(&facts->value, claim.value);
	RS_TRY(rs_buffer_check(&facts->value, "a value of the map", err));
	return rs_buffer_check(&facts->sentence, "a sentence", err);
}

void rs_claim_facts_finish(struct rs_claim_facts *facts)
{
	rs_buffer_finish(&facts->sentence);
	rs_buffer_finish(&facts->key);
	rs_buffer_finish(&facts->value);
}

enum rs_code rs_claim_check(struct rs_str text, const struct rs_trust *trust, struct rs_claim_facts *out,
                            struct rs_error *err)
{
	struct rs_tlog_proof proof RS_CLEANUP(rs_tlog_proof_finish) = {.index = 0};
	struct rs_claim_facts facts = {.present = false};
	rs_buffer_init(&facts.sentence, SENTENCE_SIZE_MAX);
	rs_buffer_init(&facts.key, RS_STATE_KEY_MAX);
	rs_buffer_init(&facts.value, RS_MAP_VALUE_MAX);
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
