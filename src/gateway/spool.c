/* Events that wait, in SQLite: durable before they are told of, gone when they are delivered. */
#include "spool.h"

#include <string.h>

#define SCHEMA_VERSION 1
#define SCHEMA                                                                                                             \
	"CREATE TABLE event(number INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,"                              \
	" failed INTEGER NOT NULL, time_ms INTEGER NOT NULL, user TEXT NOT NULL, host TEXT NOT NULL,"                      \
	" count INTEGER NOT NULL);"                                                                                        \
	"CREATE TABLE delivered(id INTEGER PRIMARY KEY CHECK(id = 1), entries INTEGER NOT NULL, events INTEGER NOT NULL);" \
	"INSERT INTO delivered VALUES(1, 0, 0);"

static const char *const statement_text[SPOOL_STATEMENT_COUNT] = {
	[SPOOL_GET] = "SELECT entries, events FROM delivered",
	[SPOOL_SET] = "UPDATE delivered SET entries = ?1, events = ?2",
	[SPOOL_PUT] =
		"INSERT INTO event(kind, failed, time_ms, user, host, count) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[SPOOL_COUNT] = "SELECT count(*) FROM event",
	[SPOOL_EACH] = ("SELECT number, kind, failed, time_ms, user, host, count FROM event"
                        " WHERE number > ?1 ORDER BY number LIMIT ?2"),
	[SPOOL_DROP] = "DELETE FROM event WHERE number <= ?1",
};

void spool_close(struct spool *spool)
{
	for (int i = 0; i < SPOOL_STATEMENT_COUNT; i++)
		rs_statement_finish(spool->statements[i]);
	rs_store_close(spool->store);
	*spool = (struct spool){.store = NULL};
}

static enum rs_code load(struct spool *spool, struct rs_error *err)
{
	struct rs_statement *get = spool->statements[SPOOL_GET], *count = spool->statements[SPOOL_COUNT];
	bool row;
	RS_TRY(rs_statement_step(get, &row, err));
	spool->entries = (uint64_t)rs_statement_i64(get, 0);
	spool->events = (uint64_t)rs_statement_i64(get, 1);
	rs_statement_reset(get);
	RS_TRY(rs_statement_step(count, &row, err));
	spool->waiting = (uint64_t)rs_statement_i64(count, 0);
	rs_statement_reset(count);
	return RS_OK;
}

enum rs_code spool_open(const struct rs_world *world, const char *path, struct spool *out,
                        struct rs_error *err)
{
	struct spool spool = {.store = NULL};
	enum rs_code code = rs_store_open(world, path, RS_STORE_WRITE, SCHEMA, SCHEMA_VERSION, &spool.store,
	                                  err);
	for (int i = 0; code == RS_OK && i < SPOOL_STATEMENT_COUNT; i++)
		code = rs_statement_prepare(spool.store, statement_text[i], &spool.statements[i], err);
	if (code == RS_OK)
		code = load(&spool, err);
	if (code != RS_OK)
		spool_close(&spool);
	else
		*out = spool;
	return code;
}

static enum rs_code insert(struct spool *spool, const struct rs_atna_event *event, struct rs_error *err)
{
	struct rs_statement *put = spool->statements[SPOOL_PUT];
	rs_statement_bind_i64(put, 1, event->kind);
	rs_statement_bind_i64(put, 2, event->failed);
	rs_statement_bind_i64(put, 3, (int64_t)event->time_ms);
	rs_statement_bind_str(put, 4, rs_str_from(event->user));
	rs_statement_bind_str(put, 5, rs_str_from(event->host));
	rs_statement_bind_i64(put, 6, (int64_t)event->count);
	RS_TRY(rs_statement_run(put, err));
	spool->waiting++;
	return RS_OK;
}

enum rs_code spool_put(struct spool *spool, const struct rs_atna_event *event, uint64_t maximum,
                       struct rs_error *err)
{
	if (spool->waiting >= maximum) {
		spool->lost++;
		return RS_OK;
	}
	if (spool->lost > 0) {
		const struct rs_atna_event lost = {.kind = RS_ATNA_LOST,
		                                   .failed = true,
		                                   .time_ms = event->time_ms,
		                                   .count = spool->lost};
		RS_TRY(insert(spool, &lost, err));
		spool->lost = 0;
	}
	return insert(spool, event, err);
}

static void copy(struct rs_str text, char *out, size_t size)
{
	size_t count = text.size < size ? text.size : size - 1;
	memcpy(out, text.data ? text.data : "", count);
	out[count] = '\0';
}

enum rs_code spool_each(struct spool *spool, uint64_t number, uint64_t count, spool_visit *visit,
                        void *context, struct rs_error *err)
{
	struct rs_statement *each = spool->statements[SPOOL_EACH];
	enum rs_code code;
	bool row = false;
	rs_statement_bind_i64(each, 1, (int64_t)number);
	rs_statement_bind_i64(each, 2, (int64_t)count);
	while ((code = rs_statement_step(each, &row, err)) == RS_OK && row) {
		struct rs_atna_event event = {.kind = (enum rs_atna_kind)rs_statement_i64(each, 1),
		                              .failed = rs_statement_i64(each, 2) != 0,
		                              .time_ms = (uint64_t)rs_statement_i64(each, 3),
		                              .count = (uint64_t)rs_statement_i64(each, 6)};
		copy(rs_statement_str(each, 4), event.user, sizeof event.user);
		copy(rs_statement_str(each, 5), event.host, sizeof event.host);
		if (event.kind < RS_ATNA_START || event.kind > RS_ATNA_LOST)
			code = rs_error_set(err, RS_ALTERED, "collector.sqlite: an event is of no kind");
		else
			code = visit(context, (uint64_t)rs_statement_i64(each, 0), &event, err);
		if (code != RS_OK)
			break;
	}
	rs_statement_reset(each);
	return code;
}

static enum rs_code write_delivered(struct spool *spool, uint64_t entries, uint64_t events,
                                    struct rs_error *err)
{
	struct rs_statement *set = spool->statements[SPOOL_SET], *drop = spool->statements[SPOOL_DROP];
	rs_statement_bind_i64(set, 1, (int64_t)entries);
	rs_statement_bind_i64(set, 2, (int64_t)events);
	RS_TRY(rs_statement_run(set, err));
	rs_statement_bind_i64(drop, 1, (int64_t)events);
	RS_TRY(rs_statement_run(drop, err));
	return rs_store_commit(spool->store, err);
}

enum rs_code spool_delivered(struct spool *spool, uint64_t entries, uint64_t events, struct rs_error *err)
{
	RS_TRY(rs_store_begin(spool->store, err));
	enum rs_code code = write_delivered(spool, entries, events, err);
	rs_store_rollback(spool->store);
	return code == RS_OK ? load(spool, err) : code;
}
