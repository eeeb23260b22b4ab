/* A C2SP tlog-proof whose extra data are the entry. */
#include "audit/audit_proof.h"

#include <inttypes.h>

void rs_audit_proof_finish(struct rs_audit_proof *proof) { rs_tlog_proof_finish(&proof->file); }

static enum rs_code check(struct rs_audit_proof *proof, const struct rs_note_key *log, struct rs_error *err)
{
	const struct rs_tlog_proof *file = &proof->file;
	struct rs_digest leaf;
	RS_TRY(rs_checkpoint_verify(file->checkpoint, log, &proof->checkpoint, err));
	rs_leaf_hash(rs_buffer_bytes(&file->extra), &leaf);
	if (!rs_inclusion_valid(&leaf, file->index, proof->checkpoint.size, file->path, file->path_count,
	                        &proof->checkpoint.root))
		return rs_error_set(err, RS_ALTERED,
		                    "its extra data are not entry %" PRIu64
		                    " of the tree that the checkpoint signs",
		                    file->index);
	return rs_transaction_verify(rs_buffer_bytes(&file->extra), &proof->act, err);
}

enum rs_code rs_audit_proof_check(struct rs_str text, const struct rs_note_key *log,
                                  struct rs_audit_proof *out, struct rs_error *err)
{
	struct rs_audit_proof proof = {.checkpoint = {.size = 0}};
	RS_TRY(rs_tlog_proof_parse(text, &proof.file, err));
	enum rs_code code = check(&proof, log, err);
	if (code != RS_OK) {
		rs_audit_proof_finish(&proof);
		return code;
	}
	*out = proof;
	return RS_OK;
}
