/* Whose data a node keeps: from what a user calls a patient to what the ledger calls the subject. */
#ifndef RS_NODE_SUBJECT_H
#define RS_NODE_SUBJECT_H

#include "contract/contract_subject.h"
#include "node/node.h"

struct rs_node_subject {
	struct rs_pseudonym pseudonym; /* in this node */
	struct rs_digest token;        /* on the ledger: rs_subject_token() */
};
/* Whose key this node has. issuer: IssuerOfPatientID, "" without one. Files that named no patient belong to the issuer
 * "radseal:study" (patient_id: the StudyInstanceUID) or "radseal:content" (the SHA-256 of the content).
 * errors  RS_NOT_FOUND: never seen here, or erased */
enum rs_code rs_node_subject(struct rs_node *node, const char *issuer, const char *patient_id,
                             struct rs_node_subject *out, struct rs_error *err);

/* Kinds of rs_subject_commitment(); never renumber. */
enum rs_commitment_kind {
	RS_COMMITMENT_STUDY = 1, /* StudyInstanceUID */
	RS_COMMITMENT_REASON,    /* why a glass was broken, or what its review found */
	RS_COMMITMENT_PLACE,     /* what was imaged (paper B) */
	RS_COMMITMENT_BIRTHDAY,
	RS_COMMITMENT_CONTACT,
};
/* What the ledger calls a study of the subject; the zeros that stand for none when `value` is empty. */
enum rs_code rs_node_commitment(struct rs_node *node, const struct rs_node_subject *subject,
                                enum rs_commitment_kind kind, struct rs_str value, struct rs_digest *out,
                                struct rs_error *err);
/* The key of the subject's commitments: for the patient, who can then check what they are of. */
enum rs_code rs_node_commitment_key(struct rs_node *node, const struct rs_node_subject *subject,
                                    struct rs_secret *out, struct rs_error *err);

/* The key of a project's pseudonyms (deidentify/deidentify.h): the same name, the same key, as long as the node's keys are. */
void rs_node_project_key(const struct rs_node *node, struct rs_str name, struct rs_secret *out);

#endif
