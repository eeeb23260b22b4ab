/* Opening a database, its schema, transactions. The settings are those under which SQLite
 * promises that a commit survives a power cut: WAL with synchronous=FULL. */
#include "store/store_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BUSY_TIMEOUT_MS 5000
#define RENEWED_AT_ONCE ((size_t)256 * 1024) /* bytes */

/* With extended codes the lowest byte is the primary one (sqlite.org/rescode.html). */
static enum rs_code code_of(int result)
{
	switch (result) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY: return RS_EXISTS;
	}
	switch (result & 0xff) {
	case SQLITE_FULL: return RS_NO_SPACE;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return RS_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return RS_ALTERED;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN: return RS_IO;
	case SQLITE_NOMEM: return RS_NO_MEMORY;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH: return RS_DENIED;
	case SQLITE_TOOBIG: return RS_TOO_LARGE;
	default: return RS_INTERNAL;
	}
}

enum rs_code rs_store_error(const struct rs_store *store, int result, const char *doing, struct rs_error *err)
{
	const char *words = sqlite3_errstr(result);
	/* errmsg tells more than errstr, but only while it speaks of this result. */
	if (store->db != NULL && sqlite3_extended_errcode(store->db) == result)
		words = sqlite3_errmsg(store->db);
	/* Not every way of running out of space is SQLITE_FULL: a place for the log's index is an I/O error. */
	if ((result & 0xff) == SQLITE_IOERR && store->db != NULL && sqlite3_system_errno(store->db) == ENOSPC)
		return rs_error_set(err, RS_NO_SPACE, "%s: %s: no space left on the device", store->path,
		                    doing);
	return rs_error_set(err, code_of(result), "%s: %s: %s", store->path, doing, words);
}

enum rs_code rs_store_run(struct rs_store *store, const char *sql, struct rs_error *err)
{
	int result = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
	return result == SQLITE_OK ? RS_OK : rs_store_error(store, result, "running SQL", err);
}

/* The first column of the first row as a number; 0 when there is no row. */
static enum rs_code ask_number(struct rs_store *store, const char *sql, int64_t *out, struct rs_error *err)
{
	struct rs_statement *statement RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	bool row = false;
	RS_TRY(rs_statement_prepare(store, sql, &statement, err));
	RS_TRY(rs_statement_step(statement, &row, err));
	*out = row ? rs_statement_i64(statement, 0) : 0;
	return RS_OK;
}

/* SQLite would make the file readable by others (0644), and does not sync the directory of a
 * new database. An existing file is not touched: closing a second descriptor would drop the
 * POSIX locks that another connection of this process holds on it. */
static enum rs_code create_file(const struct rs_world *world, const char *path, struct rs_error *err)
{
	struct rs_file *file = NULL;
	char *directory RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_error ignored;
	enum rs_code code = rs_file_open(world, path,
	                                 RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_EXCLUSIVE,
	                                 &file, &ignored);

	if (code == RS_EXISTS)
		return RS_OK;
	if (code != RS_OK)
		return rs_error_set(err, code, "%s", ignored.message);
	rs_file_close(file);
	directory = rs_path_directory(path);
	if (directory == NULL)
		return rs_error_memory(err, strlen(path), "a path");
	return world->files->sync_directory(world->files, directory, err);
}

static enum rs_code check_path(const struct rs_world *world, const char *path, enum rs_store_access access,
                               struct rs_error *err)
{
	struct rs_file_stat stat;
	/* SQLite gives these names a meaning; a database there would not be durable. */
	if (path[0] == '\0' || path[0] == ':' || strncmp(path, "file:", 5) == 0)
		return rs_error_set(err, RS_USAGE, "'%s' cannot name a database; write ./%s", path, path);
	if (access == RS_STORE_WRITE)
		return create_file(world, path, err);
	return world->files->stat(world->files, path, &stat, err);
}

static enum rs_code open_database(struct rs_store *store, const struct rs_world *world,
                                  enum rs_store_access access, struct rs_error *err)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	const char *vfs_name = NULL;
	int result;

	if (!rs_world_is_system(world)) {
		RS_TRY(rs_store_vfs_register(&store->vfs, world, err));
		vfs_name = store->vfs.name;
	}
	flags |= access == RS_STORE_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	result = sqlite3_open_v2(store->path, &store->db, flags, vfs_name);
	if (result != SQLITE_OK)
		return rs_store_error(store, result, "opening the database", err);
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	if (sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK)
		return rs_error_set(err, RS_UNSUPPORTED, "SQLite %s lacks the defensive mode; 3.40 has it",
		                    sqlite3_libversion());
	return RS_OK;
}

static enum rs_code configure(struct rs_store *store, enum rs_store_access access, struct rs_error *err)
{
	struct rs_statement *mode RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	bool row = false;

	/* Before WAL: only so does SQLite do without shared memory. */
	if (store->vfs.registered)
		RS_TRY(rs_store_run(store, "PRAGMA locking_mode=EXCLUSIVE", err));
	RS_TRY(rs_store_run(store,
	                    "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; "
	                    "PRAGMA synchronous=FULL",
	                    err));
	if (access == RS_STORE_READ)
		return RS_OK;
	RS_TRY(rs_statement_prepare(store, "PRAGMA journal_mode=WAL", &mode, err));
	RS_TRY(rs_statement_step(mode, &row, err));
	if (!row || !rs_str_equal_text(rs_statement_str(mode, 0), "wal"))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "%s: SQLite cannot keep a write-ahead log here; "
		                    "use a local disk",
		                    store->path);
	return RS_OK;
}

static enum rs_code write_again(struct rs_file *file, struct rs_error *err)
{
	uint8_t *block RS_CLEANUP(rs_free_pointer) = rs_allocate(RENEWED_AT_ONCE);
	size_t read = RENEWED_AT_ONCE;
	if (block == NULL)
		return rs_error_memory(err, RENEWED_AT_ONCE, "a log");
	for (uint64_t offset = 0; read == RENEWED_AT_ONCE; offset += read) {
		RS_TRY(rs_file_read_at(file, offset, block, RENEWED_AT_ONCE, &read, err));
		RS_TRY(rs_file_write_at(file, offset, block, read, err));
	}
	return rs_file_sync(file, err);
}

/* A log that is there already was left by a process that died, perhaps because the disk could not write. What we read of
 * it then is in the system's cache only, and a sync says nothing of it, because the system takes dropped pages for clean.
 * Transactions after such ones would hang in the air; so the log is written once more. */
static enum rs_code renew_log(struct rs_store *store, const struct rs_world *world, struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s-wal", store->path);
	struct rs_file_stat stat = {0};
	if (path == NULL)
		return rs_error_memory(err, strlen(store->path), "a path");
	if (world->files->stat(world->files, path, &stat, NULL) != RS_OK || stat.size == 0)
		return RS_OK;
	/* Who writes holds this lock. A process that has it now is alive, and did this when it began. */
	sqlite3_busy_timeout(store->db, 0);
	enum rs_code code = rs_store_run(store, "BEGIN IMMEDIATE", err);
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	if (code == RS_BUSY)
		return RS_OK;
	if (code == RS_OK)
		code = rs_file_open(world, path, RS_OPEN_READ | RS_OPEN_WRITE, &file, err);
	if (code == RS_OK)
		code = write_again(file, err);
	(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL); /* nothing is open when it fails */
	return code;
}

static enum rs_code make_schema(struct rs_store *store, const char *schema, int schema_version,
                                struct rs_error *err)
{
	char set_version[64];
	int64_t version = 0, objects = 0;

	RS_TRY(ask_number(store, "PRAGMA user_version", &version, err));
	if (version != 0) /* another process made it meanwhile */
		return RS_OK;
	RS_TRY(ask_number(store, "SELECT count(*) FROM sqlite_schema", &objects, err));
	if (objects != 0)
		return rs_error_set(err, RS_UNSUPPORTED, "%s: an SQLite database, but not one of radseal",
		                    store->path);
	RS_TRY(rs_store_run(store, schema, err));
	(void)snprintf(set_version, sizeof(set_version), "PRAGMA user_version=%d", schema_version);
	return rs_store_run(store, set_version, err);
}

static enum rs_code check_schema(struct rs_store *store, enum rs_store_access access, const char *schema,
                                 int schema_version, struct rs_error *err)
{
	int64_t version = 0;

	RS_TRY(ask_number(store, "PRAGMA user_version", &version, err));
	if (!schema && version != 0)
		return RS_OK;
	if (schema && version == 0 && access == RS_STORE_WRITE) {
		RS_TRY(rs_store_begin(store, err));
		if (make_schema(store, schema, schema_version, err) != RS_OK ||
		    rs_store_commit(store, err) != RS_OK) {
			rs_store_rollback(store);
			return rs_error_context(err, "making the tables");
		}
		RS_TRY(ask_number(store, "PRAGMA user_version", &version, err));
	}
	if (version != schema_version)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "%s: the database has version %lld, this radseal needs %d", store->path,
		                    (long long)version, schema_version);
	return RS_OK;
}

static enum rs_code prepare(struct rs_store *store, struct rs_error *err)
{
	RS_TRY(rs_statement_prepare(store, "BEGIN IMMEDIATE", &store->begin, err));
	RS_TRY(rs_statement_prepare(store, "COMMIT", &store->commit, err));
	return rs_statement_prepare(store, "ROLLBACK", &store->rollback, err);
}

enum rs_code rs_store_open(const struct rs_world *world, const char *path, enum rs_store_access access,
                           const char *schema, int schema_version, struct rs_store **out,
                           struct rs_error *err)
{
	struct rs_store *store;
	enum rs_code code;

	assert(!schema || schema_version > 0);
	RS_TRY(check_path(world, path, access, err));
	store = rs_allocate(sizeof(*store));
	if (store == NULL)
		return rs_error_memory(err, sizeof(*store), "a database");
	store->path = rs_str_duplicate(rs_str_from(path));
	code = store->path == NULL ? rs_error_memory(err, strlen(path), "a path") : RS_OK;
	if (code == RS_OK)
		code = open_database(store, world, access, err);
	if (code == RS_OK)
		code = configure(store, access, err);
	if (code == RS_OK && access == RS_STORE_WRITE)
		code = renew_log(store, world, err);
	if (code == RS_OK)
		code = prepare(store, err);
	if (code == RS_OK)
		code = check_schema(store, access, schema, schema_version, err);
	if (code != RS_OK) {
		rs_store_close(store);
		return code;
	}
	*out = store;
	return RS_OK;
}

void rs_store_close(struct rs_store *store)
{
	if (store == NULL)
		return;
	if (store->db != NULL)
		rs_store_rollback(store);
	rs_statement_finish(store->begin);
	rs_statement_finish(store->commit);
	rs_statement_finish(store->rollback);
	/* BUSY here means a statement was left open: a fault of the caller. */
	int result = sqlite3_close(store->db);
	assert(result == SQLITE_OK);
	(void)result;
	rs_store_vfs_unregister(&store->vfs);
	rs_free(store->path);
	rs_free(store);
}

void rs_store_end_former(struct rs_store *store)
{
	if (store->left_open)
		rs_store_rollback(store);
}

enum rs_code rs_store_begin(struct rs_store *store, struct rs_error *err)
{
	rs_store_end_former(store);
	return rs_statement_run(store->begin, err);
}

enum rs_code rs_store_commit(struct rs_store *store, struct rs_error *err)
{
	return rs_statement_run(store->commit, err);
}

void rs_store_rollback(struct rs_store *store)
{
	/* After some failures SQLite has rolled back by itself. */
	if (store->rollback != NULL && !sqlite3_get_autocommit(store->db))
		(void)rs_statement_run(store->rollback, NULL);
	store->left_open = !sqlite3_get_autocommit(store->db);
}

void rs_store_rest(struct rs_store *store)
{
	for (sqlite3_stmt *at = sqlite3_next_stmt(store->db, NULL); at; at = sqlite3_next_stmt(store->db, at))
		(void)sqlite3_reset(at);
}

bool rs_store_is_writing(const struct rs_store *store)
{
	return sqlite3_txn_state(store->db, NULL) == SQLITE_TXN_WRITE;
}

bool rs_store_in_transaction(const struct rs_store *store) { return !sqlite3_get_autocommit(store->db); }

enum rs_code rs_store_check(struct rs_store *store, struct rs_error *err)
{
	struct rs_statement *statement RS_CLEANUP(rs_statement_finish_pointer) = NULL;
	struct rs_str finding;
	bool row = false;

	RS_TRY(rs_statement_prepare(store, "PRAGMA integrity_check(1)", &statement, err));
	RS_TRY(rs_statement_step(statement, &row, err));
	if (!row)
		return rs_error_set(err, RS_INTERNAL, "%s: integrity_check said nothing", store->path);
	finding = rs_statement_str(statement, 0);
	if (!rs_str_equal_text(finding, "ok"))
		return rs_error_set(err, RS_ALTERED, "%s: " RS_STR_FORMAT, store->path,
		                    RS_STR_ARGUMENTS(finding));
	return RS_OK;
}
