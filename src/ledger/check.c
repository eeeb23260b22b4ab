/* Checking the whole ledger: entries, signatures, tree, checkpoints, and the contract replayed into temporary tables
 * that must equal the stored state and its map. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"

struct checking {
	struct rs_ledger *ledger;
	rs_ledger_fault *fault;
	void *context;
	uint64_t faults;
	struct table state, map, changed; /* replayed */
	struct mapped mapped;
};

static void found(struct checking *checking, const char *format, ...) RS_PRINTF(2, 3);

static void found(struct checking *checking, const char *format, ...)
{
	char sentence[RS_ERROR_MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	checking->faults++;
	checking->fault(checking->context, sentence);
}

/* An error that tells of altered content is a fault and the check goes on; any other ends it. */
static enum rs_code judged(struct checking *checking, enum rs_code code, const struct rs_error *reason,
                           struct rs_error *err)
{
	if (code == RS_ALTERED || code == RS_MALFORMED || code == RS_UNSUPPORTED || code == RS_TOO_LARGE) {
		found(checking, "%s", reason->message);
		return RS_OK;
	}
	if (code != RS_OK && err)
		*err = *reason;
	return code;
}

static enum rs_code replay_entry(struct checking *checking, uint64_t index, struct rs_bytes entry,
                                 struct rs_error *err)
{
	const struct rs_state *state = &checking->mapped.state;
	struct rs_act act;
	enum rs_refusal refusal;
	uint8_t key[ID_KEY_SIZE], place[8];
	RS_TRY(rs_transaction_verify(entry, &act, err));
	RS_TRY(mapped_apply(&checking->mapped, &act, index, &refusal, err));
	if (refusal != RS_REFUSAL_NONE)
		return rs_error_set(err, RS_ALTERED, "the contract refuses it (%s): %s",
		                    rs_refusal_name(refusal), rs_refusal_text(refusal));
	ledger_id_key(act.id, key);
	rs_write_be64(place, index);
	return state->put(state->context, rs_bytes_of(key, sizeof key), rs_bytes_of(place, sizeof place),
	                  err);
}

static enum rs_code check_entries(struct checking *checking, struct rs_error *err)
{
	struct rs_ledger *ledger = checking->ledger;
	for (uint64_t index = 0; index < ledger->size; index++) {
		struct rs_bytes entry;
		struct rs_error reason = {0};
		enum rs_code code = rs_ledger_entry(ledger, index, &entry, &reason);
		if (code == RS_OK)
			code = replay_entry(checking, index, entry, &reason);
		if (code != RS_OK)
			rs_error_context(&reason, "entry %" PRIu64, index);
		RS_TRY(judged(checking, code, &reason, err));
	}
	return RS_OK;
}

/* Every stored node against its two children; then no row is left over. */
static enum rs_code check_nodes(struct checking *checking, struct rs_error *err)
{
	struct rs_ledger *ledger = checking->ledger;
	uint64_t expected = 0;
	bool row;
	for (unsigned level = 1; level < 63 && ledger->size >> level; level++)
		for (uint64_t index = 0; index < ledger->size >> level; index++, expected++) {
			struct rs_digest left, right, computed, stored;
			struct rs_error reason = {0};
			enum rs_code code = ledger_read_node(ledger, level - 1, 2 * index, &left, &reason);
			if (code == RS_OK)
				code = ledger_read_node(ledger, level - 1, 2 * index + 1, &right, &reason);
			if (code == RS_OK)
				code = ledger_read_node(ledger, level, index, &stored, &reason);
			if (code == RS_OK) {
				rs_node_hash(&left, &right, &computed);
				if (!rs_digest_equal(&computed, &stored))
					code = rs_error_set(&reason, RS_ALTERED,
					                    "the tree's node %u/%" PRIu64
					                    " is not the hash of what lies below it",
					                    level, index);
			}
			RS_TRY(judged(checking, code, &reason, err));
		}
	RS_TRY(rs_statement_step(ledger->statements[COUNT_NODES], &row, err));
	uint64_t count = (uint64_t)rs_statement_i64(ledger->statements[COUNT_NODES], 0);
	rs_statement_reset(ledger->statements[COUNT_NODES]);
	if (count != expected)
		found(checking, "the tree has %" PRIu64 " nodes, %" PRIu64 " belong to it", count, expected);
	return RS_OK;
}

static enum rs_code check_checkpoint(struct checking *checking, uint64_t size, struct rs_str note,
                                     struct rs_error *err)
{
	struct rs_ledger *ledger = checking->ledger;
	struct rs_checkpoint checkpoint;
	struct rs_digest root;
	RS_TRY(rs_checkpoint_verify(note, &ledger->note_key, &checkpoint, err));
	if (checkpoint.size != size || size > ledger->size || size == 0)
		return rs_error_set(err, RS_ALTERED, "it signs %" PRIu64 " entries", checkpoint.size);
	RS_TRY(rs_tree_root(ledger_read_node, ledger, size, &root, err));
	if (!rs_digest_equal(&root, &checkpoint.root))
		return rs_error_set(err, RS_ALTERED, "it signs another root than its entries have");
	return RS_OK;
}

static enum rs_code check_checkpoints(struct checking *checking, struct rs_error *err)
{
	struct rs_statement *statement = checking->ledger->statements[EACH_CHECKPOINT];
	uint64_t last = 0;
	for (;;) {
		bool more;
		struct rs_error reason = {0};
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			break;
		uint64_t size = (uint64_t)rs_statement_i64(statement, 0);
		enum rs_code code = check_checkpoint(checking, size, rs_statement_str(statement, 1), &reason);
		if (code != RS_OK)
			rs_error_context(&reason, "checkpoint %" PRIu64, size);
		code = judged(checking, code, &reason, err);
		if (code != RS_OK) {
			rs_statement_reset(statement);
			return code;
		}
		last = size;
	}
	if (last != checking->ledger->size)
		found(checking, "the last checkpoint signs %" PRIu64 " of %" PRIu64 " entries", last,
		      checking->ledger->size);
	return RS_OK;
}

/* Rows of one state that the other does not have with the same value. */
static enum rs_code compare(struct checking *checking, const char *table, const char *sql, const char *what,
                            struct rs_error *err)
{
	struct rs_statement *statement RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	RS_TRY(rs_statement_prepare(checking->ledger->store, sql, &statement, err));
	for (;;) {
		bool more;
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			return RS_OK;
		struct rs_bytes key = rs_statement_bytes(statement, 0);
		char text[2 * 12 + 1];
		rs_hex_encode(rs_bytes_of(key.data, key.size < 12 ? key.size : 12), text);
		found(checking, "row %s… of %s %s", text, table, what);
	}
}

static const char *const replayed[] = {"state", "map", "changed"};

static enum rs_code prepare_replay(struct checking *checking, struct rs_error *err)
{
	struct table *tables[] = {&checking->state, &checking->map, &checking->changed};
	struct rs_store *store = checking->ledger->store;
	RS_TRY(rs_store_run(store, "PRAGMA temp_store=MEMORY", err));
	for (size_t i = 0; i < RS_COUNT(replayed); i++) {
		char sql[256], name[32];
		snprintf(name, sizeof name, "temp.replayed_%s", replayed[i]);
		snprintf(sql, sizeof sql,
		         "DROP TABLE IF EXISTS %s;"
		         "CREATE TABLE %s(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
		         name, name);
		RS_TRY(rs_store_run(store, sql, err));
		RS_TRY(table_prepare(store, name, tables[i], err));
	}
	checking->mapped = (struct mapped){table_view(&checking->state), table_view(&checking->map),
	                                   table_view(&checking->changed)};
	return RS_OK;
}

static enum rs_code compare_replay(struct checking *checking, struct rs_error *err)
{
	for (size_t i = 0; i < RS_COUNT(replayed); i++) {
		char sql[160];
		snprintf(sql, sizeof sql,
		         "SELECT key,value FROM main.%s EXCEPT SELECT key,value FROM temp.replayed_%s",
		         replayed[i], replayed[i]);
		RS_TRY(compare(checking, replayed[i], sql, "is not what the entries lead to", err));
		snprintf(sql, sizeof sql,
		         "SELECT key,value FROM temp.replayed_%s EXCEPT SELECT key,value FROM main.%s",
		         replayed[i], replayed[i]);
		RS_TRY(compare(checking, replayed[i], sql, "is missing or altered", err));
	}
	return RS_OK;
}

static enum rs_code check_all(struct checking *checking, struct rs_error *err)
{
	struct rs_error reason = {0};
	RS_TRY(judged(checking, rs_store_check(checking->ledger->store, &reason), &reason, err));
	RS_TRY(prepare_replay(checking, err));
	RS_TRY(check_entries(checking, err));
	RS_TRY(check_nodes(checking, err));
	RS_TRY(check_checkpoints(checking, err));
	return compare_replay(checking, err);
}

enum rs_code rs_ledger_check(struct rs_ledger *ledger, rs_ledger_fault *fault, void *context,
                             struct rs_error *err)
{
	struct checking checking = {.ledger = ledger, .fault = fault, .context = context};
	enum rs_code code = check_all(&checking, err);
	table_finish(&checking.state);
	table_finish(&checking.map);
	table_finish(&checking.changed);
	if (code == RS_OK && checking.faults)
		return rs_error_set(err, RS_ALTERED, "the ledger has %" PRIu64 " faults", checking.faults);
	return code;
}
