/* Subjects: found by what a user calls them, registered on the ledger once. */
#include <string.h>

#include "node/node_parts.h"

void node_commitment(const struct rs_secret *subject_key, enum rs_commitment_kind kind, struct rs_str value,
                     struct rs_digest *out)
{
	*out = (struct rs_digest){{0}};
	if (value.size)
		rs_subject_commitment(subject_key, (uint8_t)kind, rs_bytes_of_str(value), out);
}

enum rs_code rs_node_subject(struct rs_node *node, const char *issuer, const char *patient_id,
                             struct rs_node_subject *out, struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_node_subject subject;
	RS_TRY(rs_keyring_pseudonym(node->keyring, rs_str_from(issuer), rs_str_from(patient_id),
	                            &subject.pseudonym, err));
	enum rs_code code = rs_subject_key_get(node->subjects, &subject.pseudonym, false, &key, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(
			err, code,
			"nothing of this subject is here: never sealed, erased, or of another --issuer");
	RS_TRY(code);
	rs_subject_token(&key, &subject.token);
	*out = subject;
	return RS_OK;
}

enum rs_code rs_node_commitment(struct rs_node *node, const struct rs_node_subject *subject,
                                enum rs_commitment_kind kind, struct rs_str value, struct rs_digest *out,
                                struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	RS_TRY(rs_subject_key_get(node->subjects, &subject->pseudonym, false, &key, err));
	node_commitment(&key, kind, value, out);
	return RS_OK;
}

enum rs_code rs_node_commitment_key(struct rs_node *node, const struct rs_node_subject *subject,
                                    struct rs_secret *out, struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	RS_TRY(rs_subject_key_get(node->subjects, &subject->pseudonym, false, &key, err));
	rs_subject_commitment_key(&key, out);
	return RS_OK;
}

/* The ledger tells, not the index: a crash, or a sealing of years ago, may have left the one without the other. */
enum rs_code node_subject_entry(struct rs_node *node, const struct rs_actor *actor,
                                const struct rs_digest *token, struct rs_transaction *out, bool *out_needed,
                                struct rs_error *err)
{
	const struct rs_state state = rs_ledger_state(node->ledger);
	struct rs_act act = {.type = RS_TRANSACTION_SUBJECT_REGISTER, .subject = *token};
	struct rs_subject_facts facts;
	enum rs_code code = rs_contract_subject(&state, token, &facts, err);
	*out_needed = code == RS_NOT_FOUND;
	if (code != RS_NOT_FOUND)
		return code;
	return node_sign(node, actor, &act, out, err);
}

void rs_node_project_key(const struct rs_node *node, struct rs_str name, struct rs_secret *out)
{
	struct rs_digest digest;
	node_locator(node, LOCATOR_PROJECT, rs_bytes_of_str(name), &digest);
	memcpy(out->bytes, digest.bytes, RS_KEY_SIZE);
	rs_wipe(&digest, sizeof digest);
}
