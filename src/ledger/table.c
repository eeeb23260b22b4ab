/* Rows of keys and values in a table of SQLite. */
#include "table.h"

#include <string.h>

static enum rs_code prepare(struct rs_store *store, const char *name, const char *before, const char *after,
                            struct rs_statement **out, struct rs_error *err)
{
	char *sql RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s %s %s", before, name, after);
	return sql ? rs_statement_prepare(store, sql, out, err) : rs_error_memory(err, 1, "a statement");
}

enum rs_code table_prepare(struct rs_store *store, const char *name, struct table *out, struct rs_error *err)
{
	RS_TRY(prepare(store, name, "SELECT value FROM", "WHERE key=?1", &out->get, err));
	RS_TRY(prepare(store, name, "INSERT INTO",
	               "VALUES(?1,?2) ON CONFLICT(key) DO UPDATE SET value=excluded.value", &out->put, err));
	RS_TRY(prepare(store, name, "SELECT key,value FROM", "WHERE key>=?1 ORDER BY key", &out->each, err));
	return prepare(store, name, "DELETE FROM", "WHERE key=?1", &out->drop, err);
}

void table_finish(struct table *table)
{
	rs_statement_finish(table->get);
	rs_statement_finish(table->put);
	rs_statement_finish(table->each);
	rs_statement_finish(table->drop);
}

static enum rs_code table_get(void *context, struct rs_bytes key, struct rs_bytes *out, struct rs_error *err)
{
	struct table *table = context;
	bool found;
	rs_statement_reset(table->get);
	rs_statement_bind_bytes(table->get, 1, key);
	RS_TRY(rs_statement_step(table->get, &found, err));
	if (!found)
		return RS_NOT_FOUND;
	/* Copied, so that no cursor stays open under the writes that follow. */
	struct rs_bytes value = rs_statement_bytes(table->get, 0);
	enum rs_code code = RS_OK;
	if (value.size > sizeof table->value)
		code = rs_error_set(err, RS_ALTERED, "ledger: a value of the state is too long");
	else if (value.size)
		memcpy(table->value, value.data, value.size);
	*out = rs_bytes_of(table->value, value.size);
	rs_statement_reset(table->get);
	return code;
}

static enum rs_code table_put(void *context, struct rs_bytes key, struct rs_bytes value, struct rs_error *err)
{
	struct table *table = context;
	struct rs_statement *statement = value.size ? table->put : table->drop;
	rs_statement_bind_bytes(statement, 1, key);
	if (value.size)
		rs_statement_bind_bytes(statement, 2, value);
	return rs_statement_run(statement, err);
}

static enum rs_code table_each(void *context, struct rs_bytes prefix, rs_state_visit *visit, void *visitor,
                               struct rs_error *err)
{
	struct rs_statement *statement = ((struct table *)context)->each;
	enum rs_code code = RS_OK;
	rs_statement_reset(statement);
	rs_statement_bind_bytes(statement, 1, prefix.size ? prefix : rs_bytes_of("", 0));
	while (code == RS_OK) {
		bool more;
		RS_TRY(rs_statement_step(statement, &more, err));
		if (!more)
			return RS_OK;
		struct rs_bytes key = rs_statement_bytes(statement, 0);
		if (key.size < prefix.size || !rs_bytes_equal(rs_bytes_of(key.data, prefix.size), prefix))
			break;
		code = visit(visitor, key, rs_statement_bytes(statement, 1), err);
	}
	rs_statement_reset(statement);
	return code;
}

struct rs_state table_view(struct table *table)
{
	return (struct rs_state){table_get, table_put, table_each, table};
}
