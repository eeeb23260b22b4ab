/* What a receipt tells, for who asked. */
#ifndef RS_WORKFLOW_TRUST_H
#define RS_WORKFLOW_TRUST_H

#include "ledger/ledger.h"
#include "workflow/workflow.h"

void trust_details(const struct rs_receipt_facts *facts, struct rs_proof_details *out);

#endif
