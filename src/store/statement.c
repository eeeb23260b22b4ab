/* Prepared statements: binding, stepping, columns. */
#include "store/store_private.h"

struct rs_statement {
	struct rs_store *store;
	sqlite3_stmt *statement;
	int bind_result; /* first failure since the last reset */
};

enum rs_code rs_statement_prepare(struct rs_store *store, const char *sql, struct rs_statement **out,
                                  struct rs_error *err)
{
	struct rs_statement *statement = rs_allocate(sizeof(*statement));
	int result;

	if (statement == NULL)
		return rs_error_memory(err, sizeof(*statement), "a statement");
	statement->store = store;
	result = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement->statement,
	                            NULL);
	if (result != SQLITE_OK || statement->statement == NULL) {
		rs_statement_finish(statement);
		return rs_store_error(store, result, "preparing a statement", err);
	}
	*out = statement;
	return RS_OK;
}

void rs_statement_finish(struct rs_statement *statement)
{
	if (statement == NULL)
		return;
	sqlite3_finalize(statement->statement);
	rs_free(statement);
}

void rs_statement_finish_pointer(struct rs_statement **statement) { rs_statement_finish(*statement); }

static void remember(struct rs_statement *statement, int result)
{
	if (statement->bind_result == SQLITE_OK)
		statement->bind_result = result;
}

void rs_statement_bind_i64(struct rs_statement *statement, int index, int64_t value)
{
	remember(statement, sqlite3_bind_int64(statement->statement, index, value));
}

void rs_statement_bind_bytes(struct rs_statement *statement, int index, struct rs_bytes value)
{
	/* A NULL pointer would bind SQL's NULL, but no bytes are a value too. */
	const void *data = value.size > 0 ? (const void *)value.data : "";
	remember(statement,
	         sqlite3_bind_blob64(statement->statement, index, data, value.size, SQLITE_STATIC));
}

void rs_statement_bind_str(struct rs_statement *statement, int index, struct rs_str value)
{
	const char *data = value.size > 0 ? value.data : "";
	remember(statement, sqlite3_bind_text64(statement->statement, index, data, value.size, SQLITE_STATIC,
	                                        SQLITE_UTF8));
}

void rs_statement_bind_null(struct rs_statement *statement, int index)
{
	remember(statement, sqlite3_bind_null(statement->statement, index));
}

void rs_statement_reset(struct rs_statement *statement)
{
	sqlite3_reset(statement->statement);
	sqlite3_clear_bindings(statement->statement); /* they borrow memory of the caller */
	statement->bind_result = SQLITE_OK;
}

enum rs_code rs_statement_step(struct rs_statement *statement, bool *out_row, struct rs_error *err)
{
	int result = statement->bind_result;
	const char *doing = "binding a value";
	enum rs_code code;

	if (result == SQLITE_OK) {
		doing = "running a statement";
		result = sqlite3_step(statement->statement);
	}
	if (result == SQLITE_ROW) {
		*out_row = true;
		return RS_OK;
	}
	if (result == SQLITE_DONE) {
		rs_statement_reset(statement);
		*out_row = false;
		return RS_OK;
	}
	code = rs_store_error(statement->store, result, doing, err); /* before reset takes the words away */
	rs_statement_reset(statement);
	return code;
}

enum rs_code rs_statement_run(struct rs_statement *statement, struct rs_error *err)
{
	bool row = false;
	RS_TRY(rs_statement_step(statement, &row, err));
	if (!row)
		return RS_OK;
	rs_statement_reset(statement);
	return rs_error_set(err, RS_INTERNAL, "%s: a statement gave a row where none was expected",
	                    statement->store->path);
}

int64_t rs_statement_i64(struct rs_statement *statement, int column)
{
	return sqlite3_column_int64(statement->statement, column);
}

struct rs_bytes rs_statement_bytes(struct rs_statement *statement, int column)
{
	const void *data = sqlite3_column_blob(statement->statement, column);
	int size = sqlite3_column_bytes(statement->statement, column);
	return rs_bytes_of(data, data == NULL ? 0 : (size_t)size);
}

struct rs_str rs_statement_str(struct rs_statement *statement, int column)
{
	const unsigned char *data = sqlite3_column_text(statement->statement, column);
	int size = sqlite3_column_bytes(statement->statement, column);
	return (struct rs_str){(const char *)data, data == NULL ? 0 : (size_t)size};
}

bool rs_statement_is_null(struct rs_statement *statement, int column)
{
	return sqlite3_column_type(statement->statement, column) == SQLITE_NULL;
}
