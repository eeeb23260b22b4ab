/* Making the audit's file: opening it, catching up with the log, making it anew, checking it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "past.h"

#define GROUP 16384 /* entries of one commit */
#define TOLD_AT_ONCE 256

static const char schema[] =
	"CREATE TABLE past(key BLOB NOT NULL, entry INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY(key,entry)) "
	"WITHOUT ROWID;"
	"CREATE TABLE about(topic BLOB NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY(topic,entry)) WITHOUT ROWID;"
	"CREATE TABLE done(id INTEGER PRIMARY KEY CHECK(id=0), size INTEGER NOT NULL, newest INTEGER NOT NULL, "
	"tree BLOB NOT NULL);";

static const char *const statements[PAST_STATEMENT_COUNT] = {
	[PUT_ROW] =
		"INSERT INTO past VALUES(?1,?2,?3) ON CONFLICT(key,entry) DO UPDATE SET value=excluded.value",
	[GET_ROW] = "SELECT value FROM past WHERE key=?1 AND entry<?2 ORDER BY entry DESC LIMIT 1",
	[LAST_ROW] = "SELECT entry FROM past WHERE key=?1 AND entry<?2 ORDER BY entry DESC LIMIT 1",
	[ROW_AT] = "SELECT value FROM past WHERE key=?1 AND entry=?2",
	[EACH_ROW] = "SELECT key,value FROM past WHERE key>=?1 AND entry<?2 ORDER BY key,entry",
	[PUT_TOPIC] = "INSERT OR IGNORE INTO about VALUES(?1,?2)",
	[HAS_TOPIC] = "SELECT 1 FROM about WHERE topic=?1 AND entry=?2",
	[EACH_TOPIC] = "SELECT topic,entry FROM about WHERE topic>=?1 ORDER BY topic,entry",
	[SAVE_DONE] = "INSERT OR REPLACE INTO done VALUES(0,?1,?2,?3)",
	[LOAD_DONE] = "SELECT size,newest,tree FROM done",
	[COUNT_ROWS] = "SELECT count(*) FROM past",
	[COUNT_TOPICS] = "SELECT count(*) FROM about",
	[PUT_TOLD] = "INSERT INTO temp.told VALUES(?1)",
	[HAS_TOLD] = "SELECT 1 FROM temp.told WHERE entry=?1",
	[PUT_SEEN] = "INSERT OR IGNORE INTO temp.seen(object,relation) VALUES(?1,?2)",
	[GET_SEEN] = "SELECT object,relation FROM temp.seen WHERE place=?1",
};

void rs_audit_close(struct rs_audit *audit)
{
	if (!audit)
		return;
	for (size_t i = 0; i < PAST_STATEMENT_COUNT; i++)
		rs_statement_finish(audit->statements[i]);
	rs_store_close(audit->store);
	rs_free(audit);
}

void rs_audit_close_pointer(struct rs_audit **audit) { rs_audit_close(*audit); }

static enum rs_code load_done(struct rs_audit *audit, struct rs_error *err)
{
	struct rs_statement *statement = audit->statements[LOAD_DONE];
	enum rs_code code = RS_OK;
	bool found;
	rs_statement_reset(statement);
	RS_TRY(rs_statement_step(statement, &found, err));
	audit->size = audit->newest_ms = 0;
	if (!found)
		return RS_OK;
	struct rs_bytes tree = rs_statement_bytes(statement, 2);
	audit->size = (uint64_t)rs_statement_i64(statement, 0);
	audit->newest_ms = (uint64_t)rs_statement_i64(statement, 1);
	if (tree.size != sizeof audit->tree)
		code = rs_error_set(err, RS_ALTERED,
		                    "audit: its file is not one; make it anew with: radseal audit --replay");
	else
		memcpy(audit->tree, tree.data, tree.size);
	rs_statement_reset(statement);
	return code;
}

static enum rs_code save_done(struct rs_audit *audit, struct rs_error *err)
{
	struct rs_statement *statement = audit->statements[SAVE_DONE];
	rs_statement_bind_i64(statement, 1, (int64_t)audit->size);
	rs_statement_bind_i64(statement, 2, (int64_t)audit->newest_ms);
	rs_statement_bind_bytes(statement, 3, rs_bytes_of(audit->tree, sizeof audit->tree));
	return rs_statement_run(statement, err);
}

static enum rs_code open_parts(struct rs_audit *audit, const struct rs_world *world, const char *path,
                               enum rs_audit_access access, struct rs_error *err)
{
	RS_TRY(rs_store_open(world, path, access == RS_AUDIT_WRITE ? RS_STORE_WRITE : RS_STORE_READ, schema,
	                     1, &audit->store, err));
	/* What is derived may be lost by a power cut, and is caught up then; it may not be torn. */
	RS_TRY(rs_store_run(audit->store,
	                    "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
	                    "CREATE TEMP TABLE seen(place INTEGER PRIMARY KEY, object BLOB UNIQUE NOT NULL, "
	                    "relation INTEGER NOT NULL);"
	                    "CREATE TEMP TABLE told(entry INTEGER PRIMARY KEY)",
	                    err));
	for (size_t i = 0; i < PAST_STATEMENT_COUNT; i++)
		RS_TRY(rs_statement_prepare(audit->store, statements[i], &audit->statements[i], err));
	return load_done(audit, err);
}

enum rs_code rs_audit_open(const struct rs_world *world, const char *path, const struct rs_engine *engine,
                           enum rs_audit_access access, struct rs_audit **out, struct rs_error *err)
{
	struct rs_audit *audit = rs_allocate(sizeof *audit);
	if (!audit)
		return rs_error_memory(err, sizeof *audit, "an audit");
	audit->engine = *engine;
	enum rs_code code = open_parts(audit, world, path, access, err);
	if (code != RS_OK) {
		rs_audit_close(audit);
		return code;
	}
	*out = audit;
	return RS_OK;
}

/* --- Catching up --- */

static void add_leaf(struct rs_audit *audit, struct rs_bytes entry)
{
	struct rs_digest hash;
	unsigned level = 0;
	rs_leaf_hash(entry, &hash);
	for (; audit->size >> level & 1; level++)
		rs_node_hash(&audit->tree[level], &hash, &hash);
	audit->tree[level] = hash;
	audit->size++;
}

static void tree_root(const struct rs_audit *audit, struct rs_digest *out)
{
	bool started = false;
	rs_sha256(rs_bytes_of("", 0), out);
	for (unsigned level = 0; level < 64; level++) {
		if (!(audit->size >> level & 1))
			continue;
		if (started)
			rs_node_hash(&audit->tree[level], out, out);
		else
			*out = audit->tree[level];
		started = true;
	}
}

static enum rs_code put_topics(struct rs_audit *audit, uint64_t index, const struct topics *topics,
                               struct rs_error *err)
{
	struct rs_statement *statement = audit->statements[PUT_TOPIC];
	for (size_t i = 0; i < topics->count; i++) {
		rs_statement_bind_bytes(statement, 1, past_key_bytes(&topics->keys[i]));
		rs_statement_bind_i64(statement, 2, (int64_t)index);
		RS_TRY(rs_statement_run(statement, err));
	}
	return RS_OK;
}

static enum rs_code replay_one(struct rs_audit *audit, uint64_t index, bool verify, struct rs_error *err)
{
	struct past_view view = {.audit = audit, .before = index, .writes = index};
	const struct rs_state state = past_state(&view);
	const struct rs_act *act = &audit->current.act;
	struct topics topics;
	enum rs_refusal refusal;
	RS_TRY(past_load(audit, index, verify, &audit->current, err));
	enum rs_code code = rs_contract_apply(&state, act, &refusal, err);
	if (code == RS_OK && refusal != RS_REFUSAL_NONE)
		code = rs_error_set(err, RS_ALTERED, "the contract refuses it (%s): %s",
		                    rs_refusal_name(refusal), rs_refusal_text(refusal));
	if (code == RS_OK)
		code = topics_of(audit, index, audit->newest_ms, &topics, err);
	if (code == RS_OK)
		code = put_topics(audit, index, &topics, err);
	if (code != RS_OK)
		return rs_error_context(err, "entry %" PRIu64, index);
	if (act->time_ms > audit->newest_ms)
		audit->newest_ms = act->time_ms;
	add_leaf(audit, rs_bytes_of(audit->current.bytes, audit->current.size));
	return RS_OK;
}

/* How a log is replayed. */
struct replaying {
	bool verify;
	rs_audit_progress *progress; /* may be NULL */
	void *context;
	uint64_t total;
};

static enum rs_code replay_group(struct rs_audit *audit, uint64_t end, const struct replaying *replaying,
                                 struct rs_error *err)
{
	RS_TRY(rs_store_begin(audit->store, err));
	enum rs_code code = RS_OK;
	while (code == RS_OK && audit->size < end) {
		code = replay_one(audit, audit->size, replaying->verify, err);
		if (replaying->progress && audit->size % TOLD_AT_ONCE == 0)
			replaying->progress(replaying->context, audit->size, replaying->total);
	}
	if (code == RS_OK)
		code = save_done(audit, err);
	if (code == RS_OK)
		code = rs_store_commit(audit->store, err);
	if (code == RS_OK)
		return RS_OK;
	rs_store_rollback(audit->store);
	(void)load_done(audit, NULL);
	return code;
}

static enum rs_code catch_up(struct rs_audit *audit, struct replaying replaying, struct rs_error *err)
{
	uint64_t size = replaying.total = audit->engine.size(audit->engine.context);
	struct rs_digest root, expected;
	if (audit->size > size)
		return rs_error_set(err, RS_ALTERED,
		                    "audit: %" PRIu64 " entries were replayed, the log has %" PRIu64
		                    ": it is not the log that was replayed. If it is the right one, make the "
		                    "audit's file anew with: radseal audit --replay",
		                    audit->size, size);
	while (audit->size < size)
		RS_TRY(replay_group(audit, size - audit->size > GROUP ? audit->size + GROUP : size,
		                    &replaying, err));
	RS_TRY(audit->engine.root(audit->engine.context, &expected, err));
	tree_root(audit, &root);
	if (!rs_digest_equal(&root, &expected))
		return rs_error_set(err, RS_ALTERED,
		                    "audit: the %" PRIu64
		                    " entries that were replayed are not those of this log. "
		                    "If it is the right one, make the audit's file anew with: radseal audit "
		                    "--replay",
		                    size);
	return RS_OK;
}

enum rs_code rs_audit_update(struct rs_audit *audit, rs_audit_progress *progress, void *context,
                             struct rs_error *err)
{
	const struct replaying replaying = {.progress = progress, .context = context};
	return catch_up(audit, replaying, err);
}

enum rs_code rs_audit_replay(struct rs_audit *audit, rs_audit_progress *progress, void *context,
                             struct rs_error *err)
{
	const struct replaying replaying = {.verify = true, .progress = progress, .context = context};
	RS_TRY(rs_store_run(audit->store,
	                    "BEGIN; DELETE FROM past; DELETE FROM about; DELETE FROM done; COMMIT", err));
	RS_TRY(load_done(audit, err));
	return catch_up(audit, replaying, err);
}

/* --- Checking --- */

struct checking {
	struct rs_audit *audit;
	rs_audit_fault *fault;
	void *context;
	uint64_t faults, rows, topics, newest_ms;
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

static enum rs_code check_topics(struct checking *checking, uint64_t index, struct rs_error *err)
{
	struct rs_audit *audit = checking->audit;
	struct topics topics;
	RS_TRY(topics_of(audit, index, checking->newest_ms, &topics, err));
	for (size_t i = 0; i < topics.count; i++) {
		bool has;
		RS_TRY(past_has_topic(audit, past_key_bytes(&topics.keys[i]), index, &has, err));
		if (!has)
			found(checking, "entry %" PRIu64 " would be missing in an answer about '%c'", index,
			      topics.keys[i].bytes[0]);
	}
	checking->topics += topics.count;
	return RS_OK;
}

static enum rs_code check_one(struct checking *checking, uint64_t index, struct rs_error *err)
{
	struct rs_audit *audit = checking->audit;
	RS_TRY(past_load(audit, index, false, &audit->current, err));
	RS_TRY(past_repeat(audit, index, &audit->current.act, &checking->rows, err));
	RS_TRY(check_topics(checking, index, err));
	if (audit->current.act.time_ms > checking->newest_ms)
		checking->newest_ms = audit->current.act.time_ms;
	return RS_OK;
}

static enum rs_code check_count(struct checking *checking, enum past_statement which, uint64_t expected,
                                const char *what, struct rs_error *err)
{
	struct rs_statement *statement = checking->audit->statements[which];
	bool row;
	RS_TRY(rs_statement_step(statement, &row, err));
	uint64_t count = (uint64_t)rs_statement_i64(statement, 0);
	rs_statement_reset(statement);
	if (count != expected)
		found(checking, "it keeps %" PRIu64 " %s, the log has %" PRIu64, count, what, expected);
	return RS_OK;
}

static enum rs_code check_all(struct checking *checking, struct rs_error *err)
{
	struct rs_audit *audit = checking->audit;
	RS_TRY(load_done(audit, err));
	if (audit->size > audit->engine.size(audit->engine.context)) {
		found(checking, "it has replayed more entries than the log has");
		return RS_OK;
	}
	for (uint64_t index = 0; index < audit->size; index++) {
		struct rs_error reason = {0};
		enum rs_code code = check_one(checking, index, &reason);
		if (code == RS_ALTERED || code == RS_MALFORMED || code == RS_NOT_FOUND)
			found(checking, "%s", reason.message);
		else if (code != RS_OK)
			return rs_error_set(err, code, "%s", reason.message);
	}
	RS_TRY(check_count(checking, COUNT_ROWS, checking->rows, "rows", err));
	return check_count(checking, COUNT_TOPICS, checking->topics, "places", err);
}

enum rs_code rs_audit_check(struct rs_audit *audit, rs_audit_fault *fault, void *context,
                            struct rs_error *err)
{
	struct checking checking = {.audit = audit, .fault = fault, .context = context};
	/* One view of the file, though an audit may catch up meanwhile. */
	RS_TRY(rs_store_run(audit->store, "BEGIN", err));
	enum rs_code code = check_all(&checking, err);
	rs_store_rollback(audit->store);
	if (code == RS_OK && checking.faults)
		return rs_error_set(err, RS_ALTERED, "the audit's file has %" PRIu64 " faults",
		                    checking.faults);
	return code;
}
