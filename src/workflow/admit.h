/* Groups on their way into the ledger: what admitting files and taking what arrives over a network share. */
#ifndef RS_WORKFLOW_ADMIT_H
#define RS_WORKFLOW_ADMIT_H

#include "stage.h"

#define GROUP_MAX 256 /* files: bounds what a group holds in memory and what a crash takes back */

/* The files of one series in a group: one ledger entry. */
struct leaf {
	struct staged **files;
	size_t count;
	struct rs_digest subject, study; /* their names on the ledger */
	uint8_t record_nonce[NONCE_SIZE];
	struct rs_transaction transaction;
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	struct rs_digest *hashes; /* of the instances: leaves of the instance tree */
	struct rs_buffer *boxes;  /* the instances' records, encrypted */
	struct rs_secret index_key;
	struct rs_append_result result;
};

struct group {
	struct rs_node *node;
	const struct rs_actor *actor;
	const char *place; /* may be NULL */
	struct staged *files;
	size_t count;
	struct staged **order; /* sealed ones, sorted by series then by place */
	size_t order_count;
	struct leaf *leaves;
	size_t leaf_count;
	struct rs_transaction *subjects; /* that the ledger does not know yet */
	size_t subject_count;
	/* More that must be durable before objects get their names, done beside the rest; NULL for nothing. */
	enum rs_code (*beside)(void *context, struct rs_error *err);
	void *beside_context;
};

/* To the ledger: intent, objects and entries are durable when it returns RS_OK; what the contract refuses is taken back. A
 * failure after the intent leaves the rest to node_recover(), which it calls. */
enum rs_code group_to_ledger(struct group *group, struct rs_error *err);
/* The end of groups, or of several at once: receipts, then the index marks them complete. */
enum rs_code group_settle(struct rs_node *node, const struct node_placed *placed, size_t count,
                          struct rs_error *err);
/* The index and the vault after a failure. */
void group_give_up(struct rs_node *node);
void group_finish(struct group *group);

#endif
