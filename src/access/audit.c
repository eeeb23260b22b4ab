/* Leave to audit, and proofs for what an audit tells. */
#include "access/access_audit.h"

#include <inttypes.h>

#include "contract/contract_people.h"
#include "contract/contract_subject.h"
#include "contract/contract_xray.h"
#include "node/node_parts.h"
#include "workflow/workflow_source.h"

enum rs_code rs_node_audit_open(struct rs_node *node, bool replay, rs_audit_progress *progress, void *context,
                                struct rs_audit **out, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_audit *audit RS_CLEANUP(rs_audit_close_pointer) = NULL;
	const struct rs_engine engine = rs_ledger_engine(node->ledger);
	RS_TRY(node_path(node, "audit.sqlite", &path, err));
	RS_TRY(node_lock_part(node, "audit.lock", err));
	RS_TRY(rs_audit_open(node->world, path, &engine, RS_AUDIT_WRITE, &audit, err));
	RS_TRY((replay ? rs_audit_replay : rs_audit_update)(audit, progress, context, err));
	*out = audit;
	audit = NULL;
	return RS_OK;
}

static enum rs_code commitment_of_entry(struct rs_node *node, int64_t index, struct rs_digest *out,
                                        struct rs_error *err)
{
	struct rs_bytes entry;
	struct rs_act act;
	if (index < 0)
		return rs_error_set(err, RS_NOT_FOUND, "a sealing of it has not ended");
	RS_TRY(rs_ledger_entry(node->ledger, (uint64_t)index, &entry, err));
	RS_TRY(rs_transaction_parse(entry, &act, err));
	*out = act.commitment;
	return RS_OK;
}

enum rs_code rs_node_object_named(struct rs_node *node, const char *name, struct rs_digest *out,
                                  struct rs_error *err)
{
	struct source source RS_CLEANUP(source_finish) = {.size = 0};
	struct rs_digest locator;
	struct index_row row;
	struct rs_cid cid;
	if (rs_hex_decode(rs_str_from(name), out->bytes, sizeof out->bytes))
		return RS_OK;
	if (rs_cid_parse(rs_str_from(name), &cid)) {
		enum rs_code code = index_find_object(node->index, rs_bytes_of(cid.bytes, sizeof cid.bytes),
		                                      &row, err);
		if (code == RS_NOT_FOUND)
			return rs_error_set(err, code, "%s: no object with this address was sealed here",
			                    name);
		return code == RS_OK ? commitment_of_entry(node, row.entry, out, err) : code;
	}
	RS_TRY(source_open(node->world, name, node->memory_max, &source, err));
	RS_TRY(source_hash(&source, err));
	node_locator(node, LOCATOR_CONTENT, rs_bytes_of(source.sha256.bytes, RS_SHA256_SIZE), &locator);
	enum rs_code code = index_find_content(node->index, rs_bytes_of(locator.bytes, LOCATOR_SIZE), &row,
	                                       err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, code, "%s: no file with these bytes was sealed here", name);
	return code == RS_OK ? commitment_of_entry(node, row.entry, out, err) : code;
}

/* For what the role may read data in order to see what became of them; 0: for nothing. */
static enum rs_purpose purpose_of(enum rs_role role)
{
	static const enum rs_purpose purposes[] = {RS_PURPOSE_AUDIT, RS_PURPOSE_PATIENT_REQUEST,
	                                           RS_PURPOSE_OPERATIONS};
	for (size_t i = 0; i < RS_COUNT(purposes); i++)
		if (rs_contract_bases(role, purposes[i], RS_OPERATION_READ))
			return purposes[i];
	return 0;
}

static enum rs_code refuse(enum rs_refusal refusal, struct rs_error *err)
{
	return rs_error_set(err, RS_REFUSED, "%s: %s", rs_refusal_name(refusal), rs_refusal_text(refusal));
}

/* The object that stands for the subject: the last one. *out_any is false when there is none, or the subject was erased. */
static enum rs_code object_of_subject(const struct rs_state *state, const struct rs_digest *token,
                                      struct rs_digest *out, bool *out_any, struct rs_error *err)
{
	struct rs_subject_facts facts;
	struct rs_xray_hash last;
	enum rs_code code = rs_contract_subject(state, token, &facts, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, code, "no subject has this token on the ledger");
	RS_TRY(code);
	*out_any = !facts.erased && facts.objects;
	if (!*out_any)
		return RS_OK;
	RS_TRY(rs_xray_get(state, token, facts.objects - 1, &last, err));
	*out = last.commitment;
	return RS_OK;
}

static enum rs_code request(struct rs_node *node, const struct rs_actor *actor, struct rs_act *act,
                            struct rs_audit_leave *out, struct rs_error *err)
{
	const struct rs_state state = rs_node_state(node);
	struct rs_decision decision;
	uint64_t entry;
	RS_TRY(rs_node_transact(node, actor, act, &entry, err));
	RS_TRY(rs_contract_decision(&state, act->id, &decision, err));
	if (decision.refusal != RS_REFUSAL_NONE) {
		refuse(decision.refusal, err);
		return rs_error_context(err, "the audit's own access request (entry %" PRIu64 ")", entry);
	}
	out->entry = entry;
	out->identify = decision.basis == RS_BASIS_CARE || decision.basis == RS_BASIS_OWN_DATA;
	return RS_OK;
}

enum rs_code rs_node_audit_leave(struct rs_node *node, const struct rs_actor *actor,
                                 enum rs_audit_about about, const struct rs_digest *id,
                                 struct rs_audit_leave *out, struct rs_error *err)
{
	const struct rs_state state = rs_node_state(node);
	const struct rs_member_key who = rs_actor_id(actor);
	struct rs_act act = {.type = RS_TRANSACTION_ACCESS_REQUEST,
	                     .operation = RS_OPERATION_READ,
	                     .commitment = *id,
	                     .signer = who,
	                     .time_ms = rs_world_now_ms(node->world)};
	struct rs_audit_leave leave = {.entry = RS_AUDIT_NO_ENTRY};
	struct rs_person person;
	struct rs_decision decision;
	bool any = true;
	enum rs_code code = rs_contract_person(&state, &who, &person, err);
	if (code == RS_NOT_FOUND)
		return refuse(RS_REFUSAL_UNKNOWN_SIGNER, err);
	RS_TRY(code);
	enum rs_purpose purpose = purpose_of(person.role);
	act.purpose = purpose ? purpose : RS_PURPOSE_AUDIT;
	if (about == RS_AUDIT_SUBJECT)
		RS_TRY(object_of_subject(&state, id, &act.commitment, &any, err));
	if (any) {
		RS_TRY(rs_contract_decide(&state, &act, &decision, err));
		if (decision.refusal == RS_REFUSAL_NOT_THERE)
			return rs_error_set(err, RS_NOT_FOUND, "no object has this commitment on the ledger");
		any = decision.refusal != RS_REFUSAL_ERASED;
	}
	/* Nothing is left that could be released, and the contract would not hear of it; what happened is told to auditors. */
	if (!any && (person.revoked || !purpose))
		return refuse(person.revoked ? RS_REFUSAL_REVOKED : RS_REFUSAL_PURPOSE, err);
	if (any)
		RS_TRY(request(node, actor, &act, &leave, err));
	*out = leave;
	return RS_OK;
}

enum rs_code rs_node_checkpoint(struct rs_node *node, struct rs_checkpoint *out, struct rs_error *err)
{
	struct rs_note_key key;
	RS_TRY(rs_note_key_parse(rs_str_from(node->vkey), &key, err));
	return rs_checkpoint_verify(rs_ledger_checkpoint(node->ledger), &key, out, err);
}

enum rs_code rs_node_entry_proof(struct rs_node *node, const struct rs_checkpoint *checkpoint, uint64_t entry,
                                 struct rs_buffer *out, struct rs_error *err)
{
	struct rs_digest path[RS_PROOF_HASHES_MAX], leaf;
	struct rs_bytes bytes;
	size_t count;
	RS_TRY(rs_ledger_prove(node->ledger, entry, path, &count, err));
	RS_TRY(rs_ledger_entry(node->ledger, entry, &bytes, err));
	rs_leaf_hash(bytes, &leaf);
	if (!rs_inclusion_valid(&leaf, entry, checkpoint->size, path, count, &checkpoint->root))
		return rs_error_set(err, RS_ALTERED,
		                    "entry %" PRIu64 " is not in the log under its checkpoint", entry);
	return rs_tlog_proof_format(bytes, entry, path, count, rs_ledger_checkpoint(node->ledger), out, err);
}
