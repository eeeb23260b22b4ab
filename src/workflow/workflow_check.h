/* fsck: everything in a node against everything. */
#ifndef RS_WORKFLOW_CHECK_H
#define RS_WORKFLOW_CHECK_H

#include "node/node.h"

/* A fault: which part ("vault", "ledger", "index", "subjects", "receipts", "audit"), which thing in it, what is wrong. */
typedef void rs_fault_report(void *context, const char *part, const char *sentence);

struct rs_check_counts {
	uint64_t entries, records, objects, receipts, subjects, faults;
};

/* Everything against everything. RS_ALTERED when there was a fault; each is reported. */
enum rs_code rs_node_check(struct rs_node *node, rs_fault_report *report, void *context,
                           struct rs_check_counts *out, struct rs_error *err);

#endif
