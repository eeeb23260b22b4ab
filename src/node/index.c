/* The index over SQLite. */
#include "node/node_index.h"

static const char schema[] =
	"CREATE TABLE intent(transaction_id BLOB PRIMARY KEY, transaction_bytes BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE record("
	" id INTEGER PRIMARY KEY,"
	" transaction_id BLOB NOT NULL,"
	" instance INTEGER NOT NULL,"
	" instances INTEGER NOT NULL,"
	" path BLOB NOT NULL,"
	" subject BLOB NOT NULL,"
	" record_nonce BLOB NOT NULL,"
	" object_nonce BLOB NOT NULL,"
	" content_locator BLOB NOT NULL,"
	" identity_locator BLOB,"
	" size INTEGER NOT NULL,"
	" cid BLOB NOT NULL,"
	" box BLOB NOT NULL,"
	" entry INTEGER,"
	" UNIQUE(content_locator,subject));"
	"CREATE INDEX record_transaction ON record(transaction_id);"
	"CREATE INDEX record_identity ON record(identity_locator);"
	"CREATE INDEX record_size ON record(size);"
	"CREATE INDEX record_cid ON record(cid);";

#define COLUMNS                                                                                        \
	"id,transaction_id,instance,instances,path,subject,record_nonce,object_nonce,content_locator," \
	"identity_locator,size,cid,box,entry"

#define FOUND_SIZE_MAX ((size_t)1 << 20)

enum statement_name {
	ADD_INTENT,
	DROP_INTENT,
	ADD_ROW,
	LAST_ROW,
	COMPLETE,
	DROP_ROWS,
	FIND_CONTENT,
	FIND_CONTENT_OF,
	FIND_IDENTITY,
	FIND_OBJECT,
	FIND_ROW,
	HAS_OBJECT,
	STORED_SIZE,
	EACH_ROW,
	EACH_ROW_OF,
	EACH_ROW_OF_SUBJECT,
	DROP_SUBJECT,
	EACH_INTENT,
	STATEMENT_COUNT,
};

static const char *const statements[STATEMENT_COUNT] = {
	[ADD_INTENT] = "INSERT INTO intent VALUES(?1,?2)",
	[DROP_INTENT] = "DELETE FROM intent WHERE transaction_id=?1",
	[ADD_ROW] = "INSERT INTO record(" COLUMNS
		    ") VALUES(NULL,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,NULL)",
	[LAST_ROW] = "SELECT last_insert_rowid()",
	[COMPLETE] = "UPDATE record SET entry=?2 WHERE transaction_id=?1",
	[DROP_ROWS] = "DELETE FROM record WHERE transaction_id=?1",
	[FIND_CONTENT] = "SELECT " COLUMNS
			 " FROM record WHERE content_locator=?1 ORDER BY entry IS NULL,id LIMIT 1",
	[FIND_CONTENT_OF] = "SELECT " COLUMNS " FROM record WHERE content_locator=?1 AND subject=?2",
	[FIND_IDENTITY] = "SELECT " COLUMNS " FROM record WHERE identity_locator=?1 ORDER BY id DESC LIMIT 1",
	[FIND_ROW] = "SELECT " COLUMNS " FROM record WHERE id=?1",
	[FIND_OBJECT] = "SELECT " COLUMNS " FROM record WHERE cid=?1 LIMIT 1",
	/* 64 bytes of header, 16 for each MiB, at least one: see rs_vault_stored_size(). */
	[STORED_SIZE] = "SELECT coalesce(sum(size+64+16*max(1,(size+1048575)/1048576)),0) FROM record",
	[HAS_OBJECT] = "SELECT 1 FROM record WHERE cid=?1 LIMIT 1",
	[EACH_ROW] = "SELECT " COLUMNS " FROM record ORDER BY id",
	[EACH_ROW_OF] = "SELECT " COLUMNS " FROM record WHERE transaction_id=?1 ORDER BY instance",
	[EACH_ROW_OF_SUBJECT] = "SELECT " COLUMNS " FROM record WHERE subject=?1 ORDER BY id",
	[DROP_SUBJECT] = "DELETE FROM record WHERE subject=?1",
	[EACH_INTENT] = "SELECT transaction_id,transaction_bytes FROM intent ORDER BY transaction_id",
};

struct index {
	struct rs_store *store;
	struct rs_statement *statements[STATEMENT_COUNT];
	struct rs_buffer found; /* the values of the row that was found last */
};

void index_close(struct index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		rs_statement_finish(index->statements[i]);
	rs_store_close(index->store);
	rs_buffer_finish(&index->found);
	rs_free(index);
}

enum rs_code index_open(const struct rs_world *world, const char *path, enum rs_store_access access,
                        struct index **out, struct rs_error *err)
{
	struct index *index = rs_allocate(sizeof *index);
	if (!index)
		return rs_error_memory(err, sizeof *index, "the index");
	rs_buffer_init(&index->found, FOUND_SIZE_MAX);
	enum rs_code code = rs_store_open(world, path, access, schema, 1, &index->store, err);
	/* Nodes of before have it not. */
	if (code == RS_OK && access == RS_STORE_WRITE)
		code = rs_store_run(index->store,
		                    "CREATE INDEX IF NOT EXISTS record_subject ON record(subject);"
		                    "PRAGMA secure_delete=ON",
		                    err);
	for (size_t i = 0; code == RS_OK && i < STATEMENT_COUNT; i++)
		code = rs_statement_prepare(index->store, statements[i], &index->statements[i], err);
	if (code != RS_OK) {
		index_close(index);
		return code;
	}
	*out = index;
	return RS_OK;
}

struct rs_store *index_store(struct index *index) { return index->store; }

enum rs_code index_begin(struct index *index, struct rs_error *err)
{
	return rs_store_begin(index->store, err);
}

enum rs_code index_commit(struct index *index, struct rs_error *err)
{
	return rs_store_commit(index->store, err);
}

void index_rollback(struct index *index) { rs_store_rollback(index->store); }

enum rs_code index_check_file(struct index *index, struct rs_error *err)
{
	return rs_store_check(index->store, err);
}

enum rs_code index_add_intent(struct index *index, struct rs_bytes transaction_id,
                              struct rs_bytes transaction, struct rs_error *err)
{
	struct rs_statement *statement = index->statements[ADD_INTENT];
	rs_statement_bind_bytes(statement, 1, transaction_id);
	rs_statement_bind_bytes(statement, 2, transaction);
	return rs_statement_run(statement, err);
}

enum rs_code index_add_row(struct index *index, const struct index_row *row, int64_t *out_row,
                           struct rs_error *err)
{
	struct rs_statement *statement = index->statements[ADD_ROW], *last = index->statements[LAST_ROW];
	bool there;
	rs_statement_bind_bytes(statement, 1, row->transaction_id);
	rs_statement_bind_i64(statement, 2, (int64_t)row->instance);
	rs_statement_bind_i64(statement, 3, (int64_t)row->instances);
	rs_statement_bind_bytes(statement, 4, row->path);
	rs_statement_bind_bytes(statement, 5, row->subject);
	rs_statement_bind_bytes(statement, 6, row->record_nonce);
	rs_statement_bind_bytes(statement, 7, row->object_nonce);
	rs_statement_bind_bytes(statement, 8, row->content_locator);
	if (row->identity_locator.size)
		rs_statement_bind_bytes(statement, 9, row->identity_locator);
	else
		rs_statement_bind_null(statement, 9);
	rs_statement_bind_i64(statement, 10, (int64_t)row->size);
	rs_statement_bind_bytes(statement, 11, row->cid);
	rs_statement_bind_bytes(statement, 12, row->box);
	RS_TRY(rs_statement_run(statement, err));
	if (!out_row)
		return RS_OK;
	RS_TRY(rs_statement_step(last, &there, err));
	*out_row = rs_statement_i64(last, 0);
	rs_statement_reset(last);
	return RS_OK;
}

static enum rs_code run_with_id(struct index *index, enum statement_name name, struct rs_bytes transaction_id,
                                struct rs_error *err)
{
	rs_statement_bind_bytes(index->statements[name], 1, transaction_id);
	return rs_statement_run(index->statements[name], err);
}

enum rs_code index_complete(struct index *index, struct rs_bytes transaction_id, uint64_t entry,
                            struct rs_error *err)
{
	rs_statement_bind_i64(index->statements[COMPLETE], 2, (int64_t)entry);
	RS_TRY(run_with_id(index, COMPLETE, transaction_id, err));
	return run_with_id(index, DROP_INTENT, transaction_id, err);
}

enum rs_code index_take_back(struct index *index, struct rs_bytes transaction_id, struct rs_error *err)
{
	RS_TRY(run_with_id(index, DROP_ROWS, transaction_id, err));
	return run_with_id(index, DROP_INTENT, transaction_id, err);
}

static void row_of(struct rs_statement *statement, struct index_row *out)
{
	*out = (struct index_row){
		.row = rs_statement_i64(statement, 0),
		.transaction_id = rs_statement_bytes(statement, 1),
		.instance = (uint64_t)rs_statement_i64(statement, 2),
		.instances = (uint64_t)rs_statement_i64(statement, 3),
		.path = rs_statement_bytes(statement, 4),
		.subject = rs_statement_bytes(statement, 5),
		.record_nonce = rs_statement_bytes(statement, 6),
		.object_nonce = rs_statement_bytes(statement, 7),
		.content_locator = rs_statement_bytes(statement, 8),
		.identity_locator = rs_statement_bytes(statement, 9),
		.size = (uint64_t)rs_statement_i64(statement, 10),
		.cid = rs_statement_bytes(statement, 11),
		.box = rs_statement_bytes(statement, 12),
		.entry = rs_statement_is_null(statement, 13) ? -1 : rs_statement_i64(statement, 13),
	};
}

/* Copies a row's values, so that no statement stays open while the index is written. */
static enum rs_code keep(struct index *index, struct index_row *row, struct rs_error *err)
{
	struct rs_bytes *const values[] = {&row->transaction_id,   &row->path,         &row->subject,
	                                   &row->record_nonce,     &row->object_nonce, &row->content_locator,
	                                   &row->identity_locator, &row->cid,          &row->box};
	size_t total = 0;
	for (size_t i = 0; i < RS_COUNT(values); i++)
		total += values[i]->size;
	rs_buffer_clear(&index->found);
	if (rs_buffer_reserve(&index->found, total) != RS_OK)
		return rs_buffer_check(&index->found, "a row of the index", err);
	for (size_t i = 0; i < RS_COUNT(values); i++) {
		uint8_t *copy = index->found.data + index->found.size;
		rs_buffer_append_bytes(&index->found, *values[i]);
		values[i]->data = copy;
	}
	return RS_OK;
}

/* The row that a statement, bound already, leads to. */
static enum rs_code find_bound(struct index *index, struct rs_statement *statement, struct index_row *out,
                               struct rs_error *err)
{
	bool found;
	RS_TRY(rs_statement_step(statement, &found, err));
	if (!found)
		return RS_NOT_FOUND;
	row_of(statement, out);
	enum rs_code code = keep(index, out, err);
	rs_statement_reset(statement);
	return code;
}

static enum rs_code find(struct index *index, enum statement_name name, struct rs_bytes locator,
                         const struct rs_bytes *subject, struct index_row *out, struct rs_error *err)
{
	struct rs_statement *statement = index->statements[name];
	rs_statement_reset(statement);
	rs_statement_bind_bytes(statement, 1, locator);
	if (subject)
		rs_statement_bind_bytes(statement, 2, *subject);
	return find_bound(index, statement, out, err);
}

enum rs_code index_find_row(struct index *index, int64_t row, struct index_row *out, struct rs_error *err)
{
	rs_statement_bind_i64(index->statements[FIND_ROW], 1, row);
	return find_bound(index, index->statements[FIND_ROW], out, err);
}

enum rs_code index_find_content(struct index *index, struct rs_bytes locator, struct index_row *out,
                                struct rs_error *err)
{
	return find(index, FIND_CONTENT, locator, NULL, out, err);
}

enum rs_code index_find_content_of(struct index *index, struct rs_bytes locator, struct rs_bytes subject,
                                   struct index_row *out, struct rs_error *err)
{
	return find(index, FIND_CONTENT_OF, locator, &subject, out, err);
}

enum rs_code index_find_identity(struct index *index, struct rs_bytes locator, struct index_row *out,
                                 struct rs_error *err)
{
	return find(index, FIND_IDENTITY, locator, NULL, out, err);
}

enum rs_code index_find_object(struct index *index, struct rs_bytes cid, struct index_row *out,
                               struct rs_error *err)
{
	return find(index, FIND_OBJECT, cid, NULL, out, err);
}

enum rs_code index_stored_size(struct index *index, uint64_t *out, struct rs_error *err)
{
	struct rs_statement *statement = index->statements[STORED_SIZE];
	bool row;
	RS_TRY(rs_statement_step(statement, &row, err));
	*out = (uint64_t)rs_statement_i64(statement, 0);
	rs_statement_reset(statement);
	return RS_OK;
}

enum rs_code index_has_object(struct index *index, struct rs_bytes cid, bool *out, struct rs_error *err)
{
	struct rs_statement *statement = index->statements[HAS_OBJECT];
	rs_statement_bind_bytes(statement, 1, cid);
	enum rs_code code = rs_statement_step(statement, out, err);
	rs_statement_reset(statement);
	return code;
}

static enum rs_code each_row(struct rs_statement *statement, index_visit_row *visit, void *context,
                             struct rs_error *err)
{
	for (;;) {
		bool more;
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			return RS_OK;
		struct index_row row;
		row_of(statement, &row);
		enum rs_code code = visit(context, &row, err);
		if (code != RS_OK) {
			rs_statement_reset(statement);
			return code;
		}
	}
}

enum rs_code index_each_row(struct index *index, index_visit_row *visit, void *context, struct rs_error *err)
{
	return each_row(index->statements[EACH_ROW], visit, context, err);
}

enum rs_code index_each_row_of(struct index *index, struct rs_bytes transaction_id, index_visit_row *visit,
                               void *context, struct rs_error *err)
{
	rs_statement_bind_bytes(index->statements[EACH_ROW_OF], 1, transaction_id);
	return each_row(index->statements[EACH_ROW_OF], visit, context, err);
}

enum rs_code index_each_row_of_subject(struct index *index, struct rs_bytes subject, index_visit_row *visit,
                                       void *context, struct rs_error *err)
{
	rs_statement_bind_bytes(index->statements[EACH_ROW_OF_SUBJECT], 1, subject);
	return each_row(index->statements[EACH_ROW_OF_SUBJECT], visit, context, err);
}

enum rs_code index_drop_subject(struct index *index, struct rs_bytes subject, struct rs_error *err)
{
	rs_statement_bind_bytes(index->statements[DROP_SUBJECT], 1, subject);
	return rs_statement_run(index->statements[DROP_SUBJECT], err);
}

enum rs_code index_scrub(struct index *index, struct rs_error *err)
{
	return rs_store_scrub(index->store, err);
}

enum rs_code index_each_intent(struct index *index, index_visit_intent *visit, void *context,
                               struct rs_error *err)
{
	struct rs_statement *statement = index->statements[EACH_INTENT];
	for (;;) {
		bool more;
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			return RS_OK;
		enum rs_code code = visit(context, rs_statement_bytes(statement, 0),
		                          rs_statement_bytes(statement, 1), err);
		if (code != RS_OK) {
			rs_statement_reset(statement);
			return code;
		}
	}
}
