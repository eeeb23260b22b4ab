/* The text of an erasure's certificate. */
#ifndef RS_NODE_CERTIFICATE_H
#define RS_NODE_CERTIFICATE_H

#include "node/node_parts.h"
#include "node/node_erase.h"

/* Counts from the log what it holds of the subject, proves the entry at the present checkpoint, signs; appended. */
enum rs_code certificate_make(struct rs_node *node, const struct rs_digest *token,
                              struct rs_erasure_facts *facts, struct rs_buffer *out, struct rs_error *err);

/* What a certificate's text says; its signature is the caller's to check. Finish the proof either way. */
struct certificate_proof {
	struct rs_digest token;
	struct rs_buffer entry, path, checkpoint;
};
void certificate_proof_finish(struct certificate_proof *proof);
enum rs_code certificate_read(struct rs_str text, struct rs_erasure_facts *facts,
                              struct certificate_proof *proof, struct rs_error *err);

#endif
