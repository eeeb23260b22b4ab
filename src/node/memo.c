/* The memory of vault maintenance over SQLite. */
#include "node/node_memo.h"

#define MARKS_MAX 64

static const char schema[] =
	"CREATE TABLE checked(cid BLOB PRIMARY KEY, at_ms INTEGER NOT NULL, sound INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE copied(cid BLOB PRIMARY KEY) WITHOUT ROWID;";

#define SUMMARISE                                                       \
	"SELECT count(*),count(*)-total(sound),coalesce(min(at_ms),0)," \
	"(SELECT count(*) FROM copied) FROM checked"

enum statement_name {
	FIND_CHECK,
	ADD_CHECK,
	DROP_CHECK,
	ADD_COPY,
	DROP_COPY,
	CHECKS,
	COPIES,
	SUMMARY,
	STATEMENT_COUNT
};

static const char *const statements[STATEMENT_COUNT] = {
	[FIND_CHECK] = "SELECT at_ms FROM checked WHERE cid=?1 AND sound",
	[ADD_CHECK] = "INSERT INTO checked VALUES(?1,?2,?3) ON CONFLICT DO UPDATE SET at_ms=?2,sound=?3",
	[DROP_CHECK] = "DELETE FROM checked WHERE cid=?1",
	[ADD_COPY] = "INSERT INTO copied VALUES(?1) ON CONFLICT DO NOTHING",
	[DROP_COPY] = "DELETE FROM copied WHERE cid=?1",
	[CHECKS] = "SELECT cid FROM checked",
	[COPIES] = "SELECT cid FROM copied",
	[SUMMARY] = SUMMARISE,
};

struct mark {
	struct rs_cid cid;
	uint64_t at_ms;
	bool sound;
};

struct memo {
	struct rs_store *store;
	struct rs_statement *statements[STATEMENT_COUNT];
	struct mark marks[MARKS_MAX];
	size_t mark_count;
};

void memo_close_pointer(struct memo **address)
{
	struct memo *memo = *address;
	if (!memo)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		rs_statement_finish(memo->statements[i]);
	rs_store_close(memo->store);
	rs_free(memo);
}

enum rs_code memo_open(const struct rs_node *node, struct memo **out, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct memo *memo RS_CLEANUP(memo_close_pointer) = rs_allocate(sizeof *memo);
	if (!memo)
		return rs_error_memory(err, sizeof *memo, "vault.sqlite");
	RS_TRY(node_path(node, "vault.sqlite", &path, err));
	RS_TRY(rs_store_open(node->world, path, RS_STORE_WRITE, schema, 1, &memo->store, err));
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		RS_TRY(rs_statement_prepare(memo->store, statements[i], &memo->statements[i], err));
	*out = memo;
	memo = NULL;
	return RS_OK;
}

static struct rs_statement *about(struct memo *memo, enum statement_name name, const struct rs_cid *cid)
{
	rs_statement_reset(memo->statements[name]);
	rs_statement_bind_bytes(memo->statements[name], 1, rs_bytes_of(cid->bytes, sizeof cid->bytes));
	return memo->statements[name];
}

enum rs_code memo_find_check(struct memo *memo, const struct rs_cid *cid, uint64_t *out_at_ms,
                             struct rs_error *err)
{
	struct rs_statement *statement = about(memo, FIND_CHECK, cid);
	bool found;
	RS_TRY(rs_statement_step(statement, &found, err));
	*out_at_ms = found ? (uint64_t)rs_statement_i64(statement, 0) : 0;
	rs_statement_reset(statement);
	return RS_OK;
}

static enum rs_code write_marks(struct memo *memo, struct rs_error *err)
{
	for (size_t i = 0; i < memo->mark_count; i++) {
		const struct mark *mark = &memo->marks[i];
		struct rs_statement *statement = about(memo, ADD_CHECK, &mark->cid);
		rs_statement_bind_i64(statement, 2, (int64_t)mark->at_ms);
		rs_statement_bind_i64(statement, 3, mark->sound);
		RS_TRY(rs_statement_run(statement, err));
	}
	return RS_OK;
}

enum rs_code memo_flush(struct memo *memo, struct rs_error *err)
{
	if (memo->mark_count == 0)
		return RS_OK;
	RS_TRY(rs_store_begin(memo->store, err));
	enum rs_code code = write_marks(memo, err);
	if (code == RS_OK)
		code = rs_store_commit(memo->store, err);
	if (code != RS_OK)
		rs_store_rollback(memo->store);
	else
		memo->mark_count = 0;
	return code;
}

enum rs_code memo_add_check(struct memo *memo, const struct rs_cid *cid, uint64_t at_ms, bool sound,
                            struct rs_error *err)
{
	if (memo->mark_count == MARKS_MAX)
		RS_TRY(memo_flush(memo, err));
	memo->marks[memo->mark_count++] = (struct mark){*cid, at_ms, sound};
	return RS_OK;
}

enum rs_code memo_drop_check(struct memo *memo, const struct rs_cid *cid, struct rs_error *err)
{
	return rs_statement_run(about(memo, DROP_CHECK, cid), err);
}

enum rs_code memo_add_copy(struct memo *memo, const struct rs_cid *cid, struct rs_error *err)
{
	return rs_statement_run(about(memo, ADD_COPY, cid), err);
}

enum rs_code memo_drop_copy(struct memo *memo, const struct rs_cid *cid, struct rs_error *err)
{
	return rs_statement_run(about(memo, DROP_COPY, cid), err);
}

static enum rs_code list(struct rs_statement *statement, struct rs_buffer *out, struct rs_error *err)
{
	for (;;) {
		bool more;
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			return rs_buffer_check(out, "a list of objects", err);
		struct rs_bytes cid = rs_statement_bytes(statement, 0);
		if (cid.size == sizeof(struct rs_cid))
			rs_buffer_append_bytes(out, cid);
	}
}

enum rs_code memo_checks(struct memo *memo, struct rs_buffer *out, struct rs_error *err)
{
	return list(memo->statements[CHECKS], out, err);
}

enum rs_code memo_copies(struct memo *memo, struct rs_buffer *out, struct rs_error *err)
{
	return list(memo->statements[COPIES], out, err);
}

enum rs_code memo_summarise(struct memo *memo, struct memo_summary *out, struct rs_error *err)
{
	struct rs_statement *statement = memo->statements[SUMMARY];
	bool row;
	RS_TRY(rs_statement_step(statement, &row, err));
	*out = (struct memo_summary){
		(uint64_t)rs_statement_i64(statement, 0), (uint64_t)rs_statement_i64(statement, 1),
		(uint64_t)rs_statement_i64(statement, 2), (uint64_t)rs_statement_i64(statement, 3)};
	rs_statement_reset(statement);
	return RS_OK;
}
