/* The parts of the embedded engine that its check needs too. */
#ifndef LEDGER_EMBEDDED_H
#define LEDGER_EMBEDDED_H

#include "ledger/ledger.h"
#include "mapped.h"
#include "table.h"

#define CHECKPOINT_SIZE_MAX 1024
#define ID_KEY_SIZE (1 + RS_TRANSACTION_ID_SIZE)

enum statement_name {
	ADD_ENTRY,
	GET_ENTRY,
	COUNT_ENTRIES,
	ADD_NODE,
	GET_NODE,
	COUNT_NODES,
	ADD_CHECKPOINT,
	LAST_CHECKPOINT,
	EACH_CHECKPOINT,
	STATEMENT_COUNT,
};

struct rs_ledger {
	struct rs_store *store;
	struct rs_statement *statements[STATEMENT_COUNT];
	struct table state, map, changed;
	struct mapped mapped;             /* over these three */
	const struct rs_signing_key *key; /* NULL: read only */
	struct rs_note_key note_key;
	struct rs_pool *pool;
	uint64_t size;
	struct node_cache *cache;      /* of proofs; NULL until the first */
	struct rs_digest frontier[64]; /* [level]: the complete subtree of that bit of size */
	struct rs_buffer checkpoint;   /* the last one */
	uint8_t entry[RS_ENTRY_SIZE_MAX];
};

void node_cache_destroy(struct node_cache *cache); /* accepts NULL */
/* ledger_read_node() for proofs: the check of the ledger reads the file itself. */
enum rs_code ledger_read_cached(void *context, unsigned level, uint64_t index, struct rs_digest *out,
                                struct rs_error *err);
enum rs_code ledger_read_node(void *context, unsigned level, uint64_t index, struct rs_digest *out,
                              struct rs_error *err);
void ledger_id_key(const uint8_t id[static RS_TRANSACTION_ID_SIZE], uint8_t out[static ID_KEY_SIZE]);

#endif
