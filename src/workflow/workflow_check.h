/* fsck: everything in a node against everything. */
#ifndef RS_WORKFLOW_CHECK_H
#define RS_WORKFLOW_CHECK_H

#include "node/node.h"

/* A fault: which part ("vault", "ledger", "index", "catalogue", "subjects", "receipts", "audit"), which thing in it,
 * what is wrong. */
typedef void rs_fault_report(void *context, const char *part, const char *sentence);

struct rs_check_counts {
	uint64_t entries, records, objects, receipts, subjects, faults;
};

/* Everything against everything. RS_ALTERED when there was a fault; each is reported. */
enum rs_code rs_node_check(struct rs_node *node, rs_fault_report *report, void *context,
                           struct rs_check_counts *out, struct rs_error *err);

/* What is sealed and cannot be found by its attributes (a node of before there was a catalogue, or one whose rows
 * were lost) is read again and put into the catalogue. Interrupted, it goes on when it is called again. *out_filled:
 * how many were missing. */
enum rs_code rs_node_fill_catalogue(struct rs_node *node, uint64_t *out_filled, struct rs_error *err);

#endif
