/* The embedded engine: entries, tree, state and checkpoints in one SQLite file. A group of transactions is one SQLite
 * transaction, and one signed checkpoint. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "ledger/ledger_history.h"

static const char schema[] = "CREATE TABLE entry(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
			     "CREATE TABLE node(id INTEGER PRIMARY KEY, hash BLOB NOT NULL);"
			     "CREATE TABLE state(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
			     "CREATE TABLE map(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
			     "CREATE TABLE changed(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
			     "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note TEXT NOT NULL);";

static const char *const statements[STATEMENT_COUNT] = {
	[ADD_ENTRY] = "INSERT INTO entry VALUES(?1,?2)",
	[GET_ENTRY] = "SELECT bytes FROM entry WHERE id=?1",
	[COUNT_ENTRIES] = "SELECT (SELECT min(id) FROM entry),(SELECT max(id) FROM entry)",
	[ADD_NODE] = "INSERT INTO node VALUES(?1,?2)",
	[GET_NODE] = "SELECT hash FROM node WHERE id=?1",
	[COUNT_NODES] = "SELECT count(*) FROM node",
	[ADD_CHECKPOINT] = "INSERT INTO checkpoint VALUES(?1,?2)",
	[LAST_CHECKPOINT] = "SELECT size,note FROM checkpoint ORDER BY size DESC LIMIT 1",
	[EACH_CHECKPOINT] = "SELECT size,note FROM checkpoint ORDER BY size",
};

/* The row of a complete subtree. Eight levels of 256 leaves (or roots of lower ones) lie together, in the order in which they
 * get complete: new rows go to the end, and a proof finds eight of its hashes in two or three pages. 2^56 entries are enough. */
#define TILE_LEVELS 8u
static int64_t node_id(unsigned level, uint64_t index)
{
	unsigned group = (level - 1) / TILE_LEVELS, own = level - group * TILE_LEVELS;
	uint64_t tile = index >> (TILE_LEVELS - own), place = 0;
	/* So many leaves of the tile are there when this one gets complete, and so many subtrees before it. */
	uint64_t leaves = ((index & ((UINT64_C(1) << (TILE_LEVELS - own)) - 1)) + 1) << own;
	for (unsigned below = 1; below <= TILE_LEVELS; below++)
		place += (below <= own ? leaves : leaves - 1) >> below;
	return (int64_t)((uint64_t)group << 56 | tile << TILE_LEVELS | (place - 1));
}

void rs_ledger_close(struct rs_ledger *ledger)
{
	if (!ledger)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		rs_statement_finish(ledger->statements[i]);
	table_finish(&ledger->state);
	table_finish(&ledger->map);
	table_finish(&ledger->changed);
	rs_store_close(ledger->store);
	rs_buffer_finish(&ledger->checkpoint);
	node_cache_destroy(ledger->cache);
	rs_free(ledger);
}

/* Level 0 is hashed from the entry itself; higher complete subtrees are stored. */
enum rs_code ledger_read_node(void *context, unsigned level, uint64_t index, struct rs_digest *out,
                              struct rs_error *err)
{
	struct rs_ledger *ledger = context;
	bool found;
	struct rs_statement *statement = ledger->statements[level ? GET_NODE : GET_ENTRY];
	rs_statement_bind_i64(statement, 1, level ? node_id(level, index) : (int64_t)index);
	RS_TRY(rs_statement_step(statement, &found, err));
	if (!found)
		return rs_error_set(err, RS_ALTERED, "ledger: the tree's node %u/%" PRIu64 " is missing",
		                    level, index);
	struct rs_bytes bytes = rs_statement_bytes(statement, 0);
	enum rs_code code = RS_OK;
	if (level == 0)
		rs_leaf_hash(bytes, out);
	else if (bytes.size == RS_SHA256_SIZE)
		memcpy(out->bytes, bytes.data, RS_SHA256_SIZE);
	else
		code = rs_error_set(err, RS_ALTERED, "ledger: the tree's node %u/%" PRIu64 " is no hash",
		                    level, index);
	rs_statement_reset(statement);
	return code;
}

/* The frontier: one complete subtree for each bit of the size. */
static enum rs_code load_frontier(struct rs_ledger *ledger, struct rs_error *err)
{
	uint64_t start = 0;
	for (unsigned level = 64; level-- > 0;)
		if (ledger->size >> level & 1) {
			RS_TRY(ledger_read_node(ledger, level, start >> level, &ledger->frontier[level],
			                        err));
			start += (uint64_t)1 << level;
		}
	return RS_OK;
}

static void frontier_root(const struct rs_ledger *ledger, struct rs_digest *out)
{
	bool started = false;
	for (unsigned level = 0; level < 64; level++) {
		if (!(ledger->size >> level & 1))
			continue;
		if (started)
			rs_node_hash(&ledger->frontier[level], out, out);
		else
			*out = ledger->frontier[level];
		started = true;
	}
	if (!started)
		rs_sha256(rs_bytes_of("", 0), out);
}

/* By the first and the last number: an entry that is missing between them is missed when it is read, or by fsck. */
static enum rs_code read_counts(struct rs_ledger *ledger, struct rs_error *err)
{
	struct rs_statement *statement = ledger->statements[COUNT_ENTRIES];
	bool row;
	RS_TRY(rs_statement_step(statement, &row, err));
	bool none = rs_statement_is_null(statement, 0);
	int64_t first = rs_statement_i64(statement, 0), last = rs_statement_i64(statement, 1);
	rs_statement_reset(statement);
	if (!none && (first != 0 || last < 0))
		return rs_error_set(err, RS_ALTERED,
		                    "ledger: its entries are numbered %" PRId64 " to %" PRId64, first, last);
	ledger->size = none ? 0 : (uint64_t)last + 1;
	return RS_OK;
}

/* The last checkpoint is what we promised: the tree on disk must still be that tree. */
static enum rs_code check_promise(struct rs_ledger *ledger, struct rs_error *err)
{
	struct rs_statement *statement = ledger->statements[LAST_CHECKPOINT];
	struct rs_checkpoint checkpoint;
	struct rs_digest root;
	bool found;
	RS_TRY(rs_statement_step(statement, &found, err));
	if (!found) {
		if (ledger->size)
			return rs_error_set(err, RS_ALTERED, "ledger: there are entries but no checkpoint");
		return RS_OK;
	}
	rs_buffer_clear(&ledger->checkpoint);
	rs_buffer_append_str(&ledger->checkpoint, rs_statement_str(statement, 1));
	rs_statement_reset(statement);
	RS_TRY(rs_buffer_check(&ledger->checkpoint, "a checkpoint", err));
	if (rs_checkpoint_verify(rs_buffer_str(&ledger->checkpoint), &ledger->note_key, &checkpoint, err) !=
	    RS_OK) {
		rs_error_context(err, "ledger: the last checkpoint");
		return err ? (err->code = RS_ALTERED) : RS_ALTERED;
	}
	frontier_root(ledger, &root);
	if (checkpoint.size != ledger->size || !rs_digest_equal(&checkpoint.root, &root))
		return rs_error_set(err, RS_ALTERED,
		                    "ledger: it has %" PRIu64 " entries, its last checkpoint signs %" PRIu64
		                    " with %s root: it was rolled back or changed behind radseal's back",
		                    ledger->size, checkpoint.size,
		                    checkpoint.size == ledger->size ? "another" : "its own");
	return RS_OK;
}

/* Of one moment: somebody may be writing. */
static enum rs_code read_promise(struct rs_ledger *ledger, struct rs_error *err)
{
	int64_t version;
	RS_TRY(rs_store_pin(ledger->store, &version, err));
	RS_TRY(read_counts(ledger, err));
	RS_TRY(load_frontier(ledger, err));
	return check_promise(ledger, err);
}

static enum rs_code open_parts(struct rs_ledger *ledger, const struct rs_world *world, const char *path,
                               const struct rs_ledger_options *options, struct rs_error *err)
{
	const uint8_t *public_key = options->key ? options->key->public_key : options->public_key;
	RS_TRY(rs_note_key_init(&ledger->note_key, options->origin, public_key, err));
	RS_TRY(rs_store_open(world, path, options->key ? RS_STORE_WRITE : RS_STORE_READ, schema, 2,
	                     &ledger->store, err));
	/* The inner pages of the tables of ten million entries stay in memory: up to 32 MB, as they are read. */
	RS_TRY(rs_store_run(ledger->store, "PRAGMA cache_size=-32768", err));
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		RS_TRY(rs_statement_prepare(ledger->store, statements[i], &ledger->statements[i], err));
	RS_TRY(table_prepare(ledger->store, "state", &ledger->state, err));
	RS_TRY(table_prepare(ledger->store, "map", &ledger->map, err));
	RS_TRY(table_prepare(ledger->store, "changed", &ledger->changed, err));
	ledger->mapped = (struct mapped){table_view(&ledger->state), table_view(&ledger->map),
	                                 table_view(&ledger->changed)};
	enum rs_code code = read_promise(ledger, err);
	rs_store_rollback(ledger->store);
	return code;
}

enum rs_code rs_ledger_open(const struct rs_world *world, const char *path,
                            const struct rs_ledger_options *options, struct rs_ledger **out,
                            struct rs_error *err)
{
	struct rs_ledger *ledger = rs_allocate(sizeof *ledger);
	if (!ledger)
		return rs_error_memory(err, sizeof *ledger, "the ledger");
	ledger->key = options->key;
	ledger->pool = options->pool;
	rs_buffer_init(&ledger->checkpoint, CHECKPOINT_SIZE_MAX);
	enum rs_code code = open_parts(ledger, world, path, options, err);
	if (code != RS_OK) {
		rs_ledger_close(ledger);
		return code;
	}
	*out = ledger;
	return RS_OK;
}

static enum rs_code refuse_put(void *context, struct rs_bytes key, struct rs_bytes value,
                               struct rs_error *err)
{
	(void)context, (void)key, (void)value;
	return rs_error_set(err, RS_USAGE, "an engine's state is changed by transactions only");
}

struct rs_state rs_ledger_state(struct rs_ledger *ledger)
{
	struct rs_state state = ledger->mapped.state;
	state.put = refuse_put;
	return state;
}

static enum rs_code add_node(struct rs_ledger *ledger, unsigned level, uint64_t index,
                             const struct rs_digest *hash, struct rs_error *err)
{
	struct rs_statement *statement = ledger->statements[ADD_NODE];
	rs_statement_bind_i64(statement, 1, node_id(level, index));
	rs_statement_bind_bytes(statement, 2, rs_bytes_of(hash->bytes, RS_SHA256_SIZE));
	return rs_statement_run(statement, err);
}

static enum rs_code add_entry(struct rs_ledger *ledger, struct rs_bytes entry, struct rs_error *err)
{
	struct rs_statement *statement = ledger->statements[ADD_ENTRY];
	struct rs_digest hash;
	uint64_t index = ledger->size;
	rs_statement_bind_i64(statement, 1, (int64_t)index);
	rs_statement_bind_bytes(statement, 2, entry);
	RS_TRY(rs_statement_run(statement, err));
	rs_leaf_hash(entry, &hash);
	unsigned level = 0;
	for (; index & 1; index >>= 1, level++) {
		rs_node_hash(&ledger->frontier[level], &hash, &hash);
		RS_TRY(add_node(ledger, level + 1, index >> 1, &hash, err));
	}
	ledger->frontier[level] = hash;
	ledger->size++;
	return RS_OK;
}

void ledger_id_key(const uint8_t id[static RS_TRANSACTION_ID_SIZE], uint8_t out[static ID_KEY_SIZE])
{
	out[0] = 'T';
	memcpy(out + 1, id, RS_TRANSACTION_ID_SIZE);
}

static enum rs_code find_place(struct rs_ledger *ledger, const uint8_t id[static RS_TRANSACTION_ID_SIZE],
                               uint64_t *out_index, struct rs_error *err)
{
	const struct rs_state *state = &ledger->mapped.state;
	uint8_t key[ID_KEY_SIZE];
	struct rs_bytes value;
	ledger_id_key(id, key);
	RS_TRY(state->get(state->context, rs_bytes_of(key, sizeof key), &value, err));
	if (value.size != 8)
		return rs_error_set(err, RS_ALTERED, "ledger: the place of a transaction is not one");
	*out_index = rs_read_be64(value.data);
	return RS_OK;
}

/* When memory ended, taking a group back may have failed, too: what is not durable is not found meanwhile. */
static enum rs_code settle(struct rs_ledger *ledger, struct rs_error *err)
{
	if (rs_store_is_writing(ledger->store))
		rs_store_rollback(ledger->store);
	if (rs_store_is_writing(ledger->store))
		return rs_error_set(err, RS_NO_MEMORY,
		                    "out of memory: a group that failed is not taken back yet");
	return RS_OK;
}

enum rs_code rs_ledger_find(struct rs_ledger *ledger, const uint8_t id[static RS_TRANSACTION_ID_SIZE],
                            uint64_t *out_index, struct rs_error *err)
{
	RS_TRY(settle(ledger, err));
	return find_place(ledger, id, out_index, err);
}

/* A transaction whose id is in the log: the same bytes are the same transaction, others are refused. */
static enum rs_code answer_known(struct rs_ledger *ledger, struct rs_bytes entry, uint64_t index,
                                 struct rs_append_result *result, struct rs_error *err)
{
	struct rs_bytes known;
	RS_TRY(rs_ledger_entry(ledger, index, &known, err));
	result->refusal = rs_bytes_equal(known, entry) ? RS_REFUSAL_NONE : RS_REFUSAL_ID_TAKEN;
	result->index = index;
	return RS_OK;
}

static enum rs_code append_one(struct rs_ledger *ledger, struct rs_bytes entry,
                               struct rs_append_result *result, struct rs_error *err)
{
	const struct rs_state *state = &ledger->mapped.state;
	uint8_t key[ID_KEY_SIZE], place[8];
	struct rs_act act;
	uint64_t index;
	RS_TRY(rs_transaction_parse(entry, &act, err));
	enum rs_code code = find_place(ledger, act.id, &index, err);
	if (code == RS_OK)
		return answer_known(ledger, entry, index, result, err);
	if (code != RS_NOT_FOUND)
		return code;
	RS_TRY(mapped_apply(&ledger->mapped, &act, ledger->size, &result->refusal, err));
	if (result->refusal != RS_REFUSAL_NONE)
		return RS_OK;
	result->index = ledger->size;
	ledger_id_key(act.id, key);
	rs_write_be64(place, ledger->size);
	RS_TRY(state->put(state->context, rs_bytes_of(key, sizeof key), rs_bytes_of(place, sizeof place),
	                  err));
	return add_entry(ledger, entry, err);
}

struct verifying {
	const struct rs_transaction *transactions;
};

static enum rs_code verify_one(void *context, size_t index, struct rs_error *err)
{
	const struct verifying *verifying = context;
	const struct rs_transaction *transaction = &verifying->transactions[index];
	struct rs_act act;
	if (transaction->checked)
		return RS_OK;
	return rs_transaction_verify(rs_buffer_bytes(&transaction->entry), &act, err);
}

static enum rs_code sign_checkpoint(struct rs_ledger *ledger, struct rs_error *err)
{
	struct rs_checkpoint checkpoint = {.size = ledger->size};
	struct rs_statement *statement = ledger->statements[ADD_CHECKPOINT];
	memcpy(checkpoint.origin, ledger->note_key.name, sizeof checkpoint.origin);
	frontier_root(ledger, &checkpoint.root);
	rs_buffer_clear(&ledger->checkpoint);
	RS_TRY(rs_checkpoint_sign(&checkpoint, ledger->key, &ledger->checkpoint, err));
	rs_statement_bind_i64(statement, 1, (int64_t)ledger->size);
	rs_statement_bind_str(statement, 2, rs_buffer_str(&ledger->checkpoint));
	return rs_statement_run(statement, err);
}

static enum rs_code append_all(struct rs_ledger *ledger, const struct rs_transaction *transactions,
                               size_t count, struct rs_append_result *results, struct rs_error *err)
{
	uint64_t before = ledger->size;
	RS_TRY(settle(ledger, err));
	rs_store_rollback(ledger->store); /* what was pinned */
	RS_TRY(rs_store_begin(ledger->store, err));
	for (size_t i = 0; i < count; i++)
		RS_TRY(append_one(ledger, rs_buffer_bytes(&transactions[i].entry), &results[i], err));
	if (ledger->size != before)
		RS_TRY(sign_checkpoint(ledger, err));
	return rs_store_commit(ledger->store, err);
}

/* What memory says of the log, to go back to it. */
struct known {
	struct rs_digest frontier[64];
	uint64_t size;
	struct rs_buffer checkpoint;
};

static void known_finish(struct known *known) { rs_buffer_finish(&known->checkpoint); }

static enum rs_code keep_known(const struct rs_ledger *ledger, struct known *out, struct rs_error *err)
{
	memcpy(out->frontier, ledger->frontier, sizeof out->frontier);
	out->size = ledger->size;
	rs_buffer_init(&out->checkpoint, CHECKPOINT_SIZE_MAX);
	rs_buffer_append_bytes(&out->checkpoint, rs_buffer_bytes(&ledger->checkpoint));
	return rs_buffer_check(&out->checkpoint, "a checkpoint", err);
}

static void go_back(struct rs_ledger *ledger, const struct known *known)
{
	memcpy(ledger->frontier, known->frontier, sizeof known->frontier);
	ledger->size = known->size;
	rs_buffer_clear(&ledger->checkpoint);
	rs_buffer_append_bytes(&ledger->checkpoint, rs_buffer_bytes(&known->checkpoint));
}

enum rs_code rs_ledger_append(struct rs_ledger *ledger, const struct rs_transaction *transactions,
                              size_t count, struct rs_append_result *results, struct rs_error *err)
{
	struct verifying verifying = {transactions};
	struct known known RS_CLEANUP(known_finish) = {.size = 0};
	if (!ledger->key)
		return rs_error_set(err, RS_USAGE, "the ledger is open for reading only");
	RS_TRY(rs_pool_for(ledger->pool, count, verify_one, &verifying, err));
	RS_TRY(keep_known(ledger, &known, err));
	enum rs_code code = append_all(ledger, transactions, count, results, err);
	if (code == RS_OK)
		return RS_OK;
	/* Nothing of the group is in: memory goes back to what the disk has. */
	rs_store_rollback(ledger->store);
	go_back(ledger, &known);
	return code;
}

enum rs_code rs_ledger_pin(struct rs_ledger *ledger, struct rs_error *err)
{
	struct known known RS_CLEANUP(known_finish) = {.size = 0};
	RS_TRY(keep_known(ledger, &known, err));
	rs_store_rest(ledger->store);
	rs_store_rollback(ledger->store);
	enum rs_code code = read_promise(ledger, err);
	if (code == RS_OK &&
	    !rs_bytes_equal(rs_buffer_bytes(&known.checkpoint), rs_buffer_bytes(&ledger->checkpoint)))
		code = rs_ledger_check_promise(ledger, &ledger->note_key, rs_buffer_str(&known.checkpoint),
		                               "what this process read before", err);
	if (code == RS_OK)
		return RS_OK;
	rs_store_rollback(ledger->store);
	go_back(ledger, &known);
	return code;
}

enum rs_code rs_ledger_refresh(struct rs_ledger *ledger, struct rs_error *err)
{
	RS_TRY(rs_ledger_pin(ledger, err));
	rs_store_rollback(ledger->store);
	return RS_OK;
}

uint64_t rs_ledger_size(const struct rs_ledger *ledger) { return ledger->size; }

struct rs_str rs_ledger_checkpoint(const struct rs_ledger *ledger)
{
	return rs_buffer_str(&ledger->checkpoint);
}

enum rs_code rs_ledger_entry(struct rs_ledger *ledger, uint64_t index, struct rs_bytes *out,
                             struct rs_error *err)
{
	struct rs_statement *statement = ledger->statements[GET_ENTRY];
	bool found = false;
	rs_statement_reset(statement);
	rs_statement_bind_i64(statement, 1, (int64_t)index);
	if (index < ledger->size)
		RS_TRY(rs_statement_step(statement, &found, err));
	if (!found)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "ledger: there is no entry %" PRIu64 "; it has %" PRIu64, index,
		                    ledger->size);
	struct rs_bytes entry = rs_statement_bytes(statement, 0);
	enum rs_code code = RS_OK;
	if (entry.size > sizeof ledger->entry)
		code = rs_error_set(err, RS_ALTERED, "ledger: entry %" PRIu64 " is too long", index);
	else if (entry.size)
		memcpy(ledger->entry, entry.data, entry.size);
	*out = rs_bytes_of(ledger->entry, entry.size);
	rs_statement_reset(statement);
	return code;
}

enum rs_code rs_ledger_each_checkpoint(struct rs_ledger *ledger, rs_checkpoint_visit *visit, void *context,
                                       struct rs_error *err)
{
	struct rs_statement *statement = ledger->statements[EACH_CHECKPOINT];
	for (;;) {
		bool more;
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			return RS_OK;
		enum rs_code code = visit(context, rs_statement_str(statement, 1), err);
		if (code != RS_OK) {
			rs_statement_reset(statement);
			return code;
		}
	}
}

enum rs_code rs_ledger_map_next(struct rs_ledger *ledger, struct rs_map_head *out, struct rs_error *err)
{
	out->entries = ledger->size;
	return mapped_root(&ledger->mapped, &out->root, err);
}

enum rs_code rs_ledger_map_last(struct rs_ledger *ledger, uint64_t *out_index, struct rs_error *err)
{
	return mapped_last_head(&ledger->mapped, out_index, err);
}

enum rs_code rs_ledger_map_prove(struct rs_ledger *ledger, struct rs_bytes key, struct rs_map_proof *out,
                                 bool *out_present, struct rs_buffer *value, struct rs_error *err)
{
	return mapped_prove(&ledger->mapped, key, out, out_present, value, err);
}
