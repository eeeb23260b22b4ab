/* Certificates of erasure: lines "name value" in a fixed order, then one for each access, then the entry, its path and the
 * checkpoint in base64; a note signed by the log's key. */
#include "certificate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEADLINE "radseal erasure certificate v1"
#define CERTIFICATE_MAX ((size_t)16 << 20)
#define CHECKPOINT_MAX ((size_t)64 * 1024)

bool rs_erasure_ground_is(const char *name)
{
	static const char *const names[] = {
#define GROUND_NAME(letter, text) text,
		RS_ERASURE_GROUNDS(GROUND_NAME)
#undef GROUND_NAME
	};
	for (size_t i = 0; i < RS_COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* One walk over the log: the subject's objects, and who asked for them. */
struct gathering {
	struct rs_node *node;
	struct rs_state state;
	const struct rs_digest *token;
	struct rs_buffer objects; /* commitments */
	struct rs_buffer lines;   /* of accesses */
	uint64_t instances, accesses;
};

static bool is_object(const struct gathering *gathering, const struct rs_digest *commitment)
{
	for (size_t at = 0; at < gathering->objects.size; at += RS_SHA256_SIZE)
		if (memcmp(gathering->objects.data + at, commitment->bytes, RS_SHA256_SIZE) == 0)
			return true;
	return false;
}

static void add_access(struct gathering *gathering, uint64_t index, const struct rs_act *act,
                       const char *what)
{
	char member[RS_MEMBER_KEY_TEXT_SIZE], time[RS_TIME_TEXT_SIZE];
	rs_member_key_format(&act->signer, member);
	rs_format_time_ms(act->time_ms, time);
	rs_buffer_printf(&gathering->lines, "access %" PRIu64 " %s %s %s\n", index, time, what, member);
	gathering->accesses++;
}

static enum rs_code gather_one(struct gathering *gathering, uint64_t index, const struct rs_act *act,
                               struct rs_error *err)
{
	struct rs_decision decision;
	bool own = rs_digest_equal(&act->subject, gathering->token);
	if (act->type == RS_TRANSACTION_OBJECT_REGISTER && own) {
		gathering->instances += act->instances;
		rs_buffer_append(&gathering->objects, act->commitment.bytes, RS_SHA256_SIZE);
	} else if (act->type == RS_TRANSACTION_BREAK_GLASS && own) {
		add_access(gathering, index, act, "break-glass");
	} else if (act->type == RS_TRANSACTION_ACCESS_REQUEST && is_object(gathering, &act->commitment)) {
		enum rs_code code = rs_contract_decision(&gathering->state, act->id, &decision, err);
		if (code == RS_OK && decision.refusal == RS_REFUSAL_NONE)
			add_access(gathering, index, act, rs_basis_name(decision.basis));
		else if (code != RS_OK && code != RS_NOT_FOUND)
			return code;
	}
	return RS_OK;
}

static enum rs_code gather(struct gathering *gathering, struct rs_error *err)
{
	struct rs_ledger *ledger = gathering->node->ledger;
	rs_buffer_init(&gathering->objects, (size_t)1 << 28);
	rs_buffer_init(&gathering->lines, CERTIFICATE_MAX / 2);
	for (uint64_t index = 0; index < rs_ledger_size(ledger); index++) {
		struct rs_bytes entry;
		struct rs_act act;
		RS_TRY(rs_ledger_entry(ledger, index, &entry, err));
		RS_TRY(rs_transaction_parse(entry, &act, err));
		RS_TRY(gather_one(gathering, index, &act, err));
	}
	RS_TRY(rs_buffer_check(&gathering->objects, "a subject's objects", err));
	return rs_buffer_check(&gathering->lines, "a certificate", err);
}

static enum rs_code append_base64(struct rs_buffer *out, const char *name, struct rs_bytes bytes,
                                  struct rs_error *err)
{
	char *text RS_CLEANUP(rs_free_pointer) = rs_allocate(RS_BASE64_SIZE(bytes.size));
	if (!text)
		return rs_error_memory(err, RS_BASE64_SIZE(bytes.size), "a certificate");
	rs_base64_encode(bytes, text);
	rs_buffer_printf(out, "%s %s\n", name, text);
	return rs_buffer_check(out, "a certificate", err);
}

static enum rs_code append_proof(struct rs_node *node, uint64_t entry, struct rs_buffer *out,
                                 struct rs_error *err)
{
	struct rs_digest path[RS_PROOF_HASHES_MAX];
	struct rs_bytes bytes;
	size_t count;
	RS_TRY(rs_ledger_prove(node->ledger, entry, path, &count, err));
	RS_TRY(rs_ledger_entry(node->ledger, entry, &bytes, err));
	RS_TRY(append_base64(out, "entry-bytes", bytes, err));
	RS_TRY(append_base64(out, "entry-path", rs_bytes_of(path, count * sizeof *path), err));
	return append_base64(out, "checkpoint", rs_bytes_of_str(rs_ledger_checkpoint(node->ledger)), err);
}

static enum rs_code write_text(struct gathering *gathering, const struct rs_erasure_facts *facts,
                               struct rs_buffer *out, struct rs_error *err)
{
	struct rs_node *node = gathering->node;
	char token[2 * RS_SHA256_SIZE + 1];
	rs_hex_encode(rs_bytes_of(gathering->token->bytes, RS_SHA256_SIZE), token);
	rs_buffer_printf(out, HEADLINE "\nlog %s\norganisation %s\nsubject %s\n", node->config.origin,
	                 node->config.organisation, token);
	rs_buffer_printf(out, "entry %" PRIu64 "\nerased-at %s\nground %s\n", facts->entry, facts->erased_at,
	                 facts->ground);
	rs_buffer_printf(out,
	                 "commitments-unopenable %" PRIu64 "\nobjects-removed %" PRIu64
	                 "\nreceipts-removed %" PRIu64 "\nrecords-removed %" PRIu64 "\n",
	                 facts->commitments, facts->objects, facts->receipts, facts->records);
	rs_buffer_printf(out, "keys-tried %" PRIu64 "\nbytes-searched %" PRIu64 "\naccesses %" PRIu64 "\n",
	                 facts->keys_tried, facts->bytes_searched, facts->accesses);
	rs_buffer_append_text(
		out, "beyond key-store backups made before, until they are deleted; copies and receipts "
		     "given out before, those of the accesses below among them\n");
	rs_buffer_append_bytes(out, rs_buffer_bytes(&gathering->lines));
	return append_proof(node, facts->entry, out, err);
}

enum rs_code certificate_make(struct rs_node *node, const struct rs_digest *token,
                              struct rs_erasure_facts *facts, struct rs_buffer *out, struct rs_error *err)
{
	struct gathering gathering = {.node = node, .state = rs_node_state(node), .token = token};
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&text, CERTIFICATE_MAX);
	enum rs_code code = gather(&gathering, err);
	if (code == RS_OK) {
		facts->commitments = gathering.instances;
		facts->accesses = gathering.accesses;
		code = write_text(&gathering, facts, &text, err);
	}
	rs_buffer_finish(&gathering.objects);
	rs_buffer_finish(&gathering.lines);
	RS_TRY(code);
	return rs_note_sign(rs_buffer_str(&text), node->config.origin, rs_keyring_log_key(node->keyring), out,
	                    err);
}

/* Reading: every line is where it belongs, or the certificate is none. */
struct reading {
	struct rs_str rest;
	struct rs_error *err;
	enum rs_code code;
};

static struct rs_str next_value(struct reading *reading, const char *name)
{
	struct rs_str line = {NULL, 0}, word = {NULL, 0};
	if (reading->code != RS_OK)
		return line;
	if (rs_str_split(&reading->rest, '\n', &line) && rs_str_split(&line, ' ', &word) &&
	    rs_str_equal_text(word, name) && line.data)
		return line;
	reading->code = rs_error_set(reading->err, RS_MALFORMED,
	                             "the certificate has no line '%s' where it belongs", name);
	return (struct rs_str){NULL, 0};
}

static uint64_t next_number(struct reading *reading, const char *name)
{
	uint64_t value = 0;
	struct rs_str text = next_value(reading, name);
	if (reading->code == RS_OK && !rs_parse_u64(text, &value))
		reading->code = rs_error_set(reading->err, RS_MALFORMED, "'%s' is not a number", name);
	return value;
}

static void next_text(struct reading *reading, const char *name, char *out, size_t size)
{
	struct rs_str text = next_value(reading, name);
	if (reading->code != RS_OK)
		return;
	if (text.size >= size) {
		reading->code = rs_error_set(reading->err, RS_MALFORMED, "'%s' is too long", name);
		return;
	}
	memcpy(out, text.data, text.size);
	out[text.size] = '\0';
}

static void next_base64(struct reading *reading, const char *name, size_t maximum, struct rs_buffer *out)
{
	struct rs_str text = next_value(reading, name);
	rs_buffer_init(out, maximum + 4);
	if (reading->code != RS_OK)
		return;
	if (text.size > RS_BASE64_SIZE(maximum) || rs_buffer_reserve(out, text.size / 4 * 3 + 1) != RS_OK ||
	    !rs_base64_decode(text, out->data, &out->size))
		reading->code = rs_error_set(reading->err, RS_MALFORMED,
		                             "'%s' is not base64 of a fitting size", name);
}

void certificate_proof_finish(struct certificate_proof *proof)
{
	rs_buffer_finish(&proof->entry);
	rs_buffer_finish(&proof->path);
	rs_buffer_finish(&proof->checkpoint);
}

enum rs_code certificate_read(struct rs_str text, struct rs_erasure_facts *facts,
                              struct certificate_proof *proof, struct rs_error *err)
{
	struct reading reading = {text, err, RS_OK};
	char skipped[256], token[2 * RS_SHA256_SIZE + 1] = "";
	struct rs_str headline;
	if (!rs_str_split(&reading.rest, '\n', &headline) || !rs_str_equal_text(headline, HEADLINE))
		return rs_error_set(err, RS_MALFORMED, "this is no certificate of an erasure");
	next_text(&reading, "log", skipped, sizeof skipped);
	next_text(&reading, "organisation", skipped, sizeof skipped);
	next_text(&reading, "subject", token, sizeof token);
	facts->entry = next_number(&reading, "entry");
	next_text(&reading, "erased-at", facts->erased_at, sizeof facts->erased_at);
	next_text(&reading, "ground", facts->ground, sizeof facts->ground);
	facts->commitments = next_number(&reading, "commitments-unopenable");
	facts->objects = next_number(&reading, "objects-removed");
	facts->receipts = next_number(&reading, "receipts-removed");
	facts->records = next_number(&reading, "records-removed");
	facts->keys_tried = next_number(&reading, "keys-tried");
	facts->bytes_searched = next_number(&reading, "bytes-searched");
	facts->accesses = next_number(&reading, "accesses");
	(void)next_value(&reading, "beyond");
	for (uint64_t i = 0; i < facts->accesses && reading.code == RS_OK; i++)
		(void)next_value(&reading, "access");
	next_base64(&reading, "entry-bytes", RS_ENTRY_SIZE_MAX, &proof->entry);
	next_base64(&reading, "entry-path", RS_PROOF_HASHES_MAX * RS_SHA256_SIZE, &proof->path);
	next_base64(&reading, "checkpoint", CHECKPOINT_MAX, &proof->checkpoint);
	RS_TRY(reading.code);
	if (reading.rest.size || !rs_hex_decode(rs_str_from(token), proof->token.bytes, RS_SHA256_SIZE))
		return rs_error_set(err, RS_MALFORMED, "the certificate's end or its subject is none");
	return RS_OK;
}

static enum rs_code check_entry(const struct certificate_proof *proof, const struct rs_erasure_facts *facts,
                                const struct rs_checkpoint *checkpoint, struct rs_error *err)
{
	struct rs_digest leaf;
	struct rs_act act;
	RS_TRY(rs_transaction_verify(rs_buffer_bytes(&proof->entry), &act, err));
	if (act.type != RS_TRANSACTION_ERASURE || !rs_digest_equal(&act.subject, &proof->token))
		return rs_error_set(err, RS_ALTERED, "its entry is not the erasure of this subject");
	rs_leaf_hash(rs_buffer_bytes(&proof->entry), &leaf);
	if (proof->path.size % RS_SHA256_SIZE ||
	    !rs_inclusion_valid(&leaf, facts->entry, checkpoint->size,
	                        (const struct rs_digest *)proof->path.data, proof->path.size / RS_SHA256_SIZE,
	                        &checkpoint->root))
		return rs_error_set(err, RS_ALTERED, "its entry is not in the log at that place");
	return RS_OK;
}

enum rs_code rs_erasure_verify(struct rs_str certificate, const char *vkey, struct rs_erasure_facts *out,
                               struct rs_error *err)
{
	struct rs_note_key key;
	struct certificate_proof proof RS_CLEANUP(certificate_proof_finish) = {.entry = {0}};
	struct rs_erasure_facts facts = {.entry = 0};
	struct rs_checkpoint checkpoint;
	struct rs_str text;
	RS_TRY(rs_note_key_parse(rs_str_from(vkey), &key, err));
	RS_TRY(rs_note_open(certificate, &key, &text, err));
	RS_TRY(certificate_read(text, &facts, &proof, err));
	RS_TRY(rs_checkpoint_verify(rs_buffer_str(&proof.checkpoint), &key, &checkpoint, err));
	RS_TRY(check_entry(&proof, &facts, &checkpoint, err));
	*out = facts;
	return RS_OK;
}
