/* Nodes as witnesses of each other: this node cosigns the checkpoints of other logs, and has its own cosigned.
 *
 * In the node's directory: witness/ holds what it must not forget, one checkpoint for each log it signs for (and, of a
 * log that forked, both checkpoints, in *.split-view); keys/cosigned-checkpoint is its own log's checkpoint with the
 * cosignatures it got. The witness's key is derived from the log's. */
#ifndef RS_WORKFLOW_WITNESS_H
#define RS_WORKFLOW_WITNESS_H

#include "ledger/ledger_witness.h"
#include "node/node.h"

/* This node's verifier key as a witness: "origin/witness+hash+key". */
enum rs_code rs_node_witness_vkey(struct rs_node *node, char out[static RS_VKEY_SIZE], struct rs_error *err);

/* Signing for others. One process at a time (RS_BUSY); the node itself stays free for others. `logs` must outlive it. */
struct rs_witnessing;
enum rs_code rs_witnessing_open(struct rs_node *node, const struct rs_note_key *logs, size_t log_count,
                                struct rs_witnessing **out, struct rs_error *err);
void rs_witnessing_close(struct rs_witnessing *witnessing); /* accepts NULL */
/* One add-checkpoint, as rs_witness_add_checkpoint(); finish the answer. */
enum rs_code rs_witnessing_answer(struct rs_witnessing *witnessing, struct rs_str request,
                                  struct rs_witness_answer *out, struct rs_error *err);

/* Takes an add-checkpoint to a witness and brings back what it said. */
typedef enum rs_code rs_witness_post(void *context, struct rs_bytes request, unsigned *out_status,
                                     struct rs_buffer *out_body, struct rs_error *err);
/* Asks one witness to cosign the node's checkpoint; appends the lines of the known witnesses that hold.
 * errors  RS_ALTERED: the witness knows another or a longer log, the sentence says which; RS_NOT_FOUND: no line of a known
 *         witness; RS_REFUSED: it does not sign for this log */
enum rs_code rs_node_ask_witness(struct rs_node *node, const struct rs_note_key *witnesses, size_t count,
                                 rs_witness_post *post, void *context, struct rs_buffer *out_lines,
                                 struct rs_error *err);
/* Keeps the checkpoint with these lines; durable when it returns. */
enum rs_code rs_node_keep_cosignatures(struct rs_node *node, struct rs_str lines, struct rs_error *err);
/* What was kept last (appended); RS_NOT_FOUND names what to do. */
enum rs_code rs_node_cosigned_checkpoint(struct rs_node *node, struct rs_buffer *out, struct rs_error *err);
/* A receipt of this node's log, made anew at the cosigned checkpoint (appended). */
enum rs_code rs_node_cosigned_receipt(struct rs_node *node, struct rs_str receipt, struct rs_buffer *out,
                                      struct rs_error *err);

#endif
