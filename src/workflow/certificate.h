/* The text of an erasure's certificate. */
#ifndef RS_WORKFLOW_CERTIFICATE_H
#define RS_WORKFLOW_CERTIFICATE_H

#include "node.h"
#include "workflow/workflow_erase.h"

/* Counts from the log what it holds of the subject, proves the entry at the present checkpoint, signs; appended. */
enum rs_code certificate_make(struct rs_node *node, const struct rs_digest *token,
                              struct rs_erasure_facts *facts, struct rs_buffer *out, struct rs_error *err);

#endif
