/* A state in memory: the contract's twin of a database. For tests, simulations, and replaying a log where none is stored. */
#ifndef RS_CONTRACT_MEMORY_H
#define RS_CONTRACT_MEMORY_H

#include "contract/contract.h"

struct rs_memory_row {
	uint8_t *bytes; /* key, then value */
	size_t key_size, value_size;
};

/* Rows in bytewise order of their keys. Between begin and commit, old values are kept for a rollback. */
struct rs_memory_state {
	struct rs_memory_row *rows;
	size_t count, capacity;
	struct rs_memory_row *undo; /* what put() replaced; value_size SIZE_MAX: there was none */
	size_t undo_count, undo_capacity;
	bool keeps_undo;
};

void rs_memory_state_finish(
	struct rs_memory_state *memory); /* accepts zeroed memory, which is an empty state */
/* The view stays valid as long as `memory` does not move. */
struct rs_state rs_memory_state_view(struct rs_memory_state *memory);
void rs_memory_state_begin(struct rs_memory_state *memory);
void rs_memory_state_commit(struct rs_memory_state *memory);
void rs_memory_state_rollback(struct rs_memory_state *memory); /* as it was at begin */

#endif
