/* SQLite opened over the world: files of the operating system by SQLite itself, files of a simulated
 * disk through a VFS of ours, so that crash tests reach every write. WAL, synchronous=FULL, foreign keys
 * on, trusted_schema off, defensive mode. One struct rs_store belongs to one thread at a time. */
#ifndef RS_STORE_H
#define RS_STORE_H

#include "base/base.h"

struct rs_store;
struct rs_statement; /* a prepared statement */

enum rs_store_access { RS_STORE_READ, RS_STORE_WRITE };

/* schema NULL: whatever database of radseal it is. Otherwise SQL run when the database is new (user_version 0); afterwards
 * user_version must be schema_version, else RS_UNSUPPORTED with both numbers. Mode 0600. With RS_STORE_READ the file must
 * exist. */
enum rs_code rs_store_open(const struct rs_world *world, const char *path, enum rs_store_access access,
                           const char *schema, int schema_version, struct rs_store **out,
                           struct rs_error *err);
void rs_store_close(struct rs_store *store); /* accepts NULL; statements must be finished */
enum rs_code rs_store_run(struct rs_store *store, const char *sql, struct rs_error *err);
enum rs_code rs_store_begin(struct rs_store *store, struct rs_error *err);  /* BEGIN IMMEDIATE */
enum rs_code rs_store_commit(struct rs_store *store, struct rs_error *err); /* durable when it returns OK */
void rs_store_rollback(struct rs_store *store);                             /* no-op outside a transaction */
bool rs_store_is_writing(const struct rs_store *store); /* in a transaction that may write */
/* Ends every walk that a statement is in the middle of, so that nothing is held against other processes. */
void rs_store_rest(struct rs_store *store);
bool rs_store_in_transaction(
	const struct rs_store *store); /* after a rollback: that failed, as memory ended */
/* Leaves nothing of what was deleted: neither in free pages nor in the log. RS_BUSY when another process reads just now: the
 * database is rewritten then, but its log still holds traces. */
enum rs_code rs_store_scrub(struct rs_store *store, struct rs_error *err);
/* From now until rs_store_rollback() all that is read here is of one moment. The version is another one when another process
 * wrote meanwhile. */
enum rs_code rs_store_pin(struct rs_store *store, int64_t *out_version, struct rs_error *err);
/* What is read here, pinned or not, into a new file of mode 0600; not durable. A file that is there is overwritten. */
enum rs_code rs_store_copy(struct rs_store *store, const struct rs_world *world, const char *path,
                           struct rs_error *err);
/* PRAGMA integrity_check; RS_ALTERED with its first sentence. */
enum rs_code rs_store_check(struct rs_store *store, struct rs_error *err);

enum rs_code rs_statement_prepare(struct rs_store *store, const char *sql, struct rs_statement **out,
                                  struct rs_error *err);
void rs_statement_finish(struct rs_statement *statement);          /* accepts NULL */
void rs_statement_finish_pointer(struct rs_statement **statement); /* for RS_CLEANUP */
/* Parameters are 1-based; bytes and text must stay valid until the statement is reset. Failures are remembered until step. */
void rs_statement_bind_i64(struct rs_statement *statement, int index, int64_t value);
void rs_statement_bind_bytes(struct rs_statement *statement, int index, struct rs_bytes value);
void rs_statement_bind_str(struct rs_statement *statement, int index, struct rs_str value);
void rs_statement_bind_null(struct rs_statement *statement, int index);
/* *out_row tells whether a row is there. After the last row, or on error, the statement is reset with its bindings. */
enum rs_code rs_statement_step(struct rs_statement *statement, bool *out_row, struct rs_error *err);
/* Steps a statement that returns no row. */
enum rs_code rs_statement_run(struct rs_statement *statement, struct rs_error *err);
void rs_statement_reset(struct rs_statement *statement);
/* Columns are 0-based; views are valid until the next step or reset. */
int64_t rs_statement_i64(struct rs_statement *statement, int column);
struct rs_bytes rs_statement_bytes(struct rs_statement *statement, int column);
struct rs_str rs_statement_str(struct rs_statement *statement, int column);
bool rs_statement_is_null(struct rs_statement *statement, int column);

#endif
