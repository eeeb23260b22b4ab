/* A database as it is at one moment, copied while other processes write on; and one that forgets. */
#include "store/store_private.h"

enum rs_code rs_store_pin(struct rs_store *store, int64_t *out_version, struct rs_error *err)
{
	struct rs_statement *statement RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	bool row = false;
	rs_store_end_former(store);
	enum rs_code code = rs_store_run(store, "BEGIN; SELECT count(*) FROM sqlite_schema", err);
	if (code == RS_OK)
		code = rs_statement_prepare(store, "PRAGMA data_version", &statement, err);
	if (code == RS_OK)
		code = rs_statement_step(statement, &row, err);
	if (code != RS_OK || !row) {
		rs_store_rollback(store);
		return code == RS_OK ? rs_error_set(err, RS_INTERNAL, "%s: no data_version", store->path)
		                     : code;
	}
	*out_version = rs_statement_i64(statement, 0);
	return RS_OK;
}

enum rs_code rs_store_scrub(struct rs_store *store, struct rs_error *err)
{
	struct rs_statement *checkpoint RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	bool row = false;
	RS_TRY(rs_store_run(store, "VACUUM", err));
	RS_TRY(rs_statement_prepare(store, "PRAGMA wal_checkpoint(TRUNCATE)", &checkpoint, err));
	RS_TRY(rs_statement_step(checkpoint, &row, err));
	if (!row || rs_statement_i64(checkpoint, 0) != 0)
		return rs_error_set(err, RS_BUSY, "%s: another process reads it", store->path);
	return RS_OK;
}

/* The copy is thrown away when anything goes wrong, so it is not journaled; who needs it durable syncs it. */
static enum rs_code copy_into(struct rs_store *store, sqlite3 *to, struct rs_error *err)
{
	int result = sqlite3_exec(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL, NULL);
	if (result != SQLITE_OK)
		return rs_store_error(store, result, "copying the database", err);
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", store->db, "main");
	if (backup == NULL)
		return rs_store_error(store, sqlite3_extended_errcode(to), "copying the database", err);
	(void)sqlite3_backup_step(backup, -1);
	result = sqlite3_backup_finish(backup);
	return result == SQLITE_OK ? RS_OK : rs_store_error(store, result, "copying the database", err);
}

enum rs_code rs_store_copy(struct rs_store *store, const struct rs_world *world, const char *path,
                           struct rs_error *err)
{
	const unsigned flags = RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_TRUNCATE;
	struct rs_file *file = NULL;
	sqlite3 *to = NULL;
	RS_TRY(rs_file_open(world, path, flags, &file, err)); /* SQLite would make it readable by others */
	rs_file_close(file);
	int result = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
	                             store->vfs.registered ? store->vfs.name : NULL);
	enum rs_code code = result == SQLITE_OK ? copy_into(store, to, err)
	                                        : rs_store_error(store, result, "making its copy", err);
	result = sqlite3_close(to);
	if (code == RS_OK && result != SQLITE_OK)
		code = rs_store_error(store, result, "closing its copy", err);
	return code;
}
