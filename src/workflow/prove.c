/* Claims about what is in force, made from the node's ledger. */
#include <inttypes.h>
#include <string.h>

#include "node/node_parts.h"
#include "ledger/ledger_history.h"
#include "workflow/workflow_prove.h"
#include "workflow/workflow_witness.h"

#define NOTE_SIZE_MAX ((size_t)64 * 1024)

static enum rs_code write_head(struct rs_node *node, const struct rs_actor *actor, struct rs_error *err)
{
	struct rs_buffer origin RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_act act = {.organisation = rs_actor_organisation(actor)};
	struct rs_map_head head;
	uint64_t index;
	enum rs_code code = rs_ledger_map_last(node->ledger, &index, err);
	if (code != RS_NOT_FOUND)
		RS_TRY(code);
	if (code == RS_OK && index + 1 == rs_ledger_size(node->ledger))
		return RS_OK;
	rs_buffer_init(&origin, RS_ORIGIN_MAX);
	RS_TRY(rs_ledger_map_next(node->ledger, &head, err));
	RS_TRY(rs_map_head_act(&head, &origin, &act, err));
	return rs_node_transact(node, actor, &act, &index, err);
}

struct search {
	struct rs_bytes consent;
	struct rs_digest *subject;
	bool found;
};

static enum rs_code see_consent(void *visitor, struct rs_bytes key, struct rs_bytes value RS_UNUSED,
                                struct rs_error *err RS_UNUSED)
{
	struct search *search = visitor;
	if (key.size != 1 + 2 * RS_SHA256_SIZE ||
	    memcmp(key.data + 1 + RS_SHA256_SIZE, search->consent.data, RS_SHA256_SIZE) != 0)
		return RS_OK;
	memcpy(search->subject->bytes, key.data + 1, RS_SHA256_SIZE);
	search->found = true;
	return RS_OK;
}

/* By looking at all consents that were ever given. */
static enum rs_code find_subject(struct rs_node *node, const struct rs_digest *consent, struct rs_digest *out,
                                 struct rs_error *err)
{
	struct rs_state state = rs_node_state(node);
	struct search search = {{consent->bytes, RS_SHA256_SIZE}, out, false};
	RS_TRY(state.each(state.context, rs_bytes_of("C", 1), see_consent, &search, err));
	if (!search.found)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "nobody gave a consent of this name; to prove that a subject has none, "
		                    "name the subject");
	return RS_OK;
}

/* The checkpoint of the claim: the cosigned one where it covers the head. */
static enum rs_code choose_checkpoint(struct rs_node *node, uint64_t index, bool cosigned,
                                      struct rs_buffer *note, uint64_t *out_size, struct rs_error *err)
{
	struct rs_trust trust = {.witness_count = 0};
	struct rs_checkpoint checkpoint = {.size = 0};
	size_t count;
	RS_TRY(rs_note_key_parse(rs_str_from(node->vkey), &trust.log, err));
	enum rs_code code = rs_node_cosigned_checkpoint(node, note, err);
	if (code == RS_OK)
		code = rs_checkpoint_open(rs_buffer_str(note), &trust, &checkpoint, &count, err);
	if (code != RS_OK && (cosigned || code != RS_NOT_FOUND))
		return code;
	if (checkpoint.size > index) {
		*out_size = checkpoint.size;
		return RS_OK;
	}
	if (cosigned)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "the last head of the map, entry %" PRIu64
		                    ", is newer than the cosigned checkpoint of %" PRIu64
		                    " entries; ask the witnesses anew: radseal witness cosign",
		                    index, checkpoint.size);
	rs_buffer_clear(note);
	rs_buffer_append_str(note, rs_ledger_checkpoint(node->ledger));
	*out_size = rs_ledger_size(node->ledger);
	return rs_buffer_check(note, "a checkpoint", err);
}

static bool holds(const struct rs_claim *claim, const struct rs_act *head, bool present)
{
	return present ? rs_map_presence_valid(&head->root, claim->key, claim->value, &claim->proof)
	               : rs_map_absence_valid(&head->root, claim->key, &claim->proof);
}

/* The claim at the last head; its value lies in `value`. */
static enum rs_code make_claim(struct rs_node *node, struct rs_claim *claim, uint64_t *out_index,
                               struct rs_buffer *value, struct rs_error *err)
{
	struct rs_act head;
	bool present;
	enum rs_code code = rs_ledger_map_last(node->ledger, out_index, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, code,
		                    "the log has no head of its map yet: radseal prove writes one");
	RS_TRY(code);
	RS_TRY(rs_ledger_map_prove(node->ledger, claim->key, &claim->proof, &present, value, err));
	claim->value = rs_buffer_bytes(value);
	RS_TRY(rs_ledger_entry(node->ledger, *out_index, &claim->entry, err));
	RS_TRY(rs_transaction_parse(claim->entry, &head, err));
	if (!holds(claim, &head, present))
		return rs_error_set(err, RS_ALTERED,
		                    "the stored map is not what its head says: radseal fsck");
	return RS_OK;
}

enum rs_code rs_node_prove(struct rs_node *node, const struct rs_actor *actor,
                           const struct rs_question *question, bool cosigned, struct rs_buffer *out,
                           struct rs_error *err)
{
	static const struct rs_digest none;
	struct rs_buffer value RS_CLEANUP(rs_buffer_finish) = {0}, note RS_CLEANUP(rs_buffer_finish) = {0};
	uint8_t key[1 + 2 * RS_SHA256_SIZE] = {(uint8_t)question->letter};
	bool is_consent = !rs_digest_equal(&question->consent, &none);
	struct rs_claim claim = {.key = {key, is_consent ? sizeof key : 1 + RS_SHA256_SIZE}};
	struct rs_digest what = question->what, path[RS_PROOF_HASHES_MAX];
	uint64_t index, size = 0;
	size_t count;
	rs_buffer_init(&value, RS_MAP_VALUE_MAX);
	rs_buffer_init(&note, NOTE_SIZE_MAX);
	if (is_consent && rs_digest_equal(&what, &none))
		RS_TRY(find_subject(node, &question->consent, &what, err));
	memcpy(key + 1, what.bytes, RS_SHA256_SIZE);
	memcpy(key + 1 + RS_SHA256_SIZE, question->consent.bytes, RS_SHA256_SIZE);
	if (actor)
		RS_TRY(write_head(node, actor, err));
	RS_TRY(make_claim(node, &claim, &index, &value, err));
	RS_TRY(choose_checkpoint(node, index, cosigned, &note, &size, err));
	RS_TRY(rs_ledger_prove_at(node->ledger, index, size, path, &count, err));
	return rs_claim_format(&claim, index, path, count, rs_buffer_str(&note), out, err);
}
