/* Audits of a node: its log's answers (audit/audit.h), the leave to ask, and proofs of what is told. */
#ifndef RS_ACCESS_AUDIT_H
#define RS_ACCESS_AUDIT_H

#include "audit/audit.h"
#include "node/node_act.h"

/* The node's audit.sqlite, caught up with the log; `replay` makes it anew; progress may be NULL. The node must be open for
 * writing, so that the log stays as it is meanwhile, and must outlive the audit. */
enum rs_code rs_node_audit_open(struct rs_node *node, bool replay, rs_audit_progress *progress, void *context,
                                struct rs_audit **out, struct rs_error *err);
/* The commitment of an object that is called by it (64 hexadecimal digits), by the address (CID) of what was sealed here, or
 * by such a file. */
enum rs_code rs_node_object_named(struct rs_node *node, const char *name, struct rs_digest *out,
                                  struct rs_error *err);

struct rs_audit_leave {
	uint64_t
		entry; /* the access request; RS_AUDIT_NO_ENTRY: there is nothing personal that it could be about */
	bool identify; /* the actor may know whose data they are: the custodian's member, or the patient */
};
/* Who audits a subject's data uses them: a request to read, for the purpose that the actor's role has for it (audit, the
 * patient's own request, operations), is an entry before anything is answered.
 * about  RS_AUDIT_SUBJECT (id: the token) or RS_AUDIT_OBJECT
 * errors RS_REFUSED "NAME: sentence": it is an entry, too; RS_NOT_FOUND */
enum rs_code rs_node_audit_leave(struct rs_node *node, const struct rs_actor *actor,
                                 enum rs_audit_about about, const struct rs_digest *id,
                                 struct rs_audit_leave *out, struct rs_error *err);
/* The log's last checkpoint, its signature verified. */
enum rs_code rs_node_checkpoint(struct rs_node *node, struct rs_checkpoint *out, struct rs_error *err);
/* The proof (C2SP tlog-proof; extra: the entry) that an entry is in the log under this checkpoint, checked; appended.
 * RS_ALTERED when it is not. */
enum rs_code rs_node_entry_proof(struct rs_node *node, const struct rs_checkpoint *checkpoint, uint64_t entry,
                                 struct rs_buffer *out, struct rs_error *err);

#endif
