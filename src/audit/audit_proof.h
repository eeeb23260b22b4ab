/* The proof of one entry, as `radseal audit --proofs` and `radseal log --proof` write it, checked without the node. */
#ifndef RS_AUDIT_PROOF_H
#define RS_AUDIT_PROOF_H

#include "ledger/ledger.h"

#define RS_AUDIT_PROOF_SIZE_MAX ((size_t)256 * 1024)

struct rs_audit_proof {
	struct rs_tlog_proof file;
	struct rs_checkpoint checkpoint;
	struct rs_act act; /* borrows from file.extra */
};
void rs_audit_proof_finish(struct rs_audit_proof *proof); /* accepts zeroed memory */
/* That the log with this key signed a tree which holds this entry at this place, and that who it names signed the entry. The
 * text must outlive the proof.
 * errors  RS_MALFORMED, RS_ALTERED: it proves nothing, and why */
enum rs_code rs_audit_proof_check(struct rs_str text, const struct rs_note_key *log,
                                  struct rs_audit_proof *out, struct rs_error *err);

#endif
