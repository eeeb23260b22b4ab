/* Whom to believe without a node, and what a receipt then tells. */
#ifndef RS_WORKFLOW_TRUST_H
#define RS_WORKFLOW_TRUST_H

#include "ledger/ledger.h"
#include "workflow/workflow.h"

/* RS_USAGE names the option. *out borrows from `witnesses`. */
enum rs_code trust_read(const struct rs_offline_keys *keys,
                        struct rs_note_key witnesses[static RS_WITNESSES_MAX], struct rs_trust *out,
                        struct rs_error *err);
void trust_details(const struct rs_receipt_facts *facts, struct rs_proof_details *out);

#endif
