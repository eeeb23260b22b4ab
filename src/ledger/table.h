/* Rows of keys and values in a table of SQLite, behind the contract's view of a state. */
#ifndef LEDGER_TABLE_H
#define LEDGER_TABLE_H

#include "contract/contract.h"
#include "store/store.h"

struct table {
	struct rs_statement *get, *put, *each, *drop;
	uint8_t value[RS_STATE_VALUE_MAX];
};
/* name: "state", "temp.replay": a table of key and value. */
enum rs_code table_prepare(struct rs_store *store, const char *name, struct table *out, struct rs_error *err);
void table_finish(struct table *table); /* accepts zeroed memory */
/* An empty value takes the row away: no row of a state has one. */
struct rs_state table_view(struct table *table);

#endif
