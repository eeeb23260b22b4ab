/* The store on the operating system's files: transactions, columns, errors, permissions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base_sim.h"
#include "store/store.h"

#define SCHEMA "CREATE TABLE t(id INTEGER PRIMARY KEY, value BLOB UNIQUE, word TEXT)"

static char directory[64], path[96];
/* The operating system's files, by SQLite itself or through the VFS for other worlds. */
static const struct rs_world *world;

static int set_up(void **state)
{
	(void)state;
	world = rs_world_system();
	(void)snprintf(directory, sizeof(directory), "/tmp/rs_store_test_XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/a.sqlite", directory);
	return 0;
}

static int set_up_through_vfs(void **state)
{
	static struct rs_files files;
	static struct rs_world other;
	if (set_up(state) != 0)
		return -1;
	files = *rs_world_system()->files;
	other = (struct rs_world){world->clock, world->random, &files};
	world = &other;
	return rs_world_is_system(world) ? -1 : 0;
}

static int tear_down(void **state)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	char name[128];
	(void)state;
	for (size_t i = 0; i < RS_COUNT(endings); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, endings[i]);
		(void)unlink(name);
	}
	return rmdir(directory);
}

static struct rs_store *open_store(enum rs_store_access access)
{
	struct rs_store *store = NULL;
	struct rs_error err = {0};
	if (rs_store_open(world, path, access, SCHEMA, 3, &store, &err) != RS_OK)
		fail_msg("%s", err.message);
	return store;
}

static struct rs_statement *prepare(struct rs_store *store, const char *sql)
{
	struct rs_statement *statement = NULL;
	struct rs_error err = {0};
	if (rs_statement_prepare(store, sql, &statement, &err) != RS_OK)
		fail_msg("%s", err.message);
	return statement;
}

static int64_t count(struct rs_store *store)
{
	struct rs_statement *statement = prepare(store, "SELECT count(*) FROM t");
	bool row = false;
	int64_t result;
	assert_int_equal(rs_statement_step(statement, &row, NULL), RS_OK);
	assert_true(row);
	result = rs_statement_i64(statement, 0);
	rs_statement_finish(statement);
	return result;
}

static void keeps_what_was_committed(void **state)
{
	struct rs_store *store = open_store(RS_STORE_WRITE);
	struct stat stat_buffer;
	(void)state;

	assert_int_equal(rs_store_begin(store, NULL), RS_OK);
	assert_int_equal(rs_store_run(store, "INSERT INTO t VALUES(1, x'01', 'a')", NULL), RS_OK);
	assert_int_equal(rs_store_commit(store, NULL), RS_OK);
	assert_int_equal(rs_store_begin(store, NULL), RS_OK);
	assert_int_equal(rs_store_run(store, "INSERT INTO t VALUES(2, x'02', 'b')", NULL), RS_OK);
	rs_store_rollback(store);
	rs_store_rollback(store);
	assert_int_equal(rs_store_check(store, NULL), RS_OK);
	rs_store_close(store);

	assert_int_equal(stat(path, &stat_buffer), 0);
	assert_int_equal(stat_buffer.st_mode & 0777, 0600);
	store = open_store(RS_STORE_READ);
	assert_int_equal(count(store), 1);
	assert_int_equal(rs_store_run(store, "DELETE FROM t", NULL), RS_DENIED);
	rs_store_close(store);
}

static void binds_and_reads_every_kind(void **state)
{
	struct rs_store *store = open_store(RS_STORE_WRITE);
	struct rs_statement *insert = prepare(store, "INSERT INTO t VALUES(?1, ?2, ?3)");
	struct rs_statement *select;
	bool row = false;
	(void)state;

	rs_statement_bind_i64(insert, 1, INT64_MIN);
	rs_statement_bind_bytes(insert, 2, rs_bytes_of("a\0b", 3));
	rs_statement_bind_str(insert, 3, RS_STR("gr\xc3\xbc\xc3\x9f"));
	assert_int_equal(rs_statement_run(insert, NULL), RS_OK);
	rs_statement_bind_i64(insert, 1, 5);
	rs_statement_bind_bytes(insert, 2, (struct rs_bytes){0});
	rs_statement_bind_null(insert, 3);
	assert_int_equal(rs_statement_run(insert, NULL), RS_OK);
	rs_statement_finish(insert);

	select = prepare(store, "SELECT id, value, word FROM t ORDER BY id");
	assert_int_equal(rs_statement_step(select, &row, NULL), RS_OK);
	assert_true(row);
	assert_true(rs_statement_i64(select, 0) == INT64_MIN);
	assert_true(rs_bytes_equal(rs_statement_bytes(select, 1), rs_bytes_of("a\0b", 3)));
	assert_true(rs_str_equal_text(rs_statement_str(select, 2), "gr\xc3\xbc\xc3\x9f"));
	assert_int_equal(rs_statement_step(select, &row, NULL), RS_OK);
	assert_false(rs_statement_is_null(select, 1));
	assert_int_equal(rs_statement_bytes(select, 1).size, 0);
	assert_true(rs_statement_is_null(select, 2));
	assert_int_equal(rs_statement_step(select, &row, NULL), RS_OK);
	assert_false(row);
	rs_statement_finish(select);
	rs_store_close(store);
}

static void remembers_a_bad_binding(void **state)
{
	struct rs_store *store = open_store(RS_STORE_WRITE);
	struct rs_statement *insert = prepare(store, "INSERT INTO t(id) VALUES(?1)");
	(void)state;
	rs_statement_bind_i64(insert, 2, 1); /* there is no second parameter */
	rs_statement_bind_i64(insert, 1, 1);
	assert_int_equal(rs_statement_run(insert, NULL), RS_INTERNAL);
	assert_int_equal(count(store), 0);
	rs_statement_bind_i64(insert, 1, 1);
	assert_int_equal(rs_statement_run(insert, NULL), RS_OK);
	rs_statement_finish(insert);
	rs_store_close(store);
}

static void tells_what_is_wrong(void **state)
{
	struct rs_store *store = NULL, *second = NULL;
	struct rs_error err = {0};
	(void)state;

	assert_int_equal(rs_store_open(world, path, RS_STORE_READ, SCHEMA, 3, &store, &err), RS_NOT_FOUND);
	assert_int_equal(rs_store_open(world, ":memory:", RS_STORE_WRITE, SCHEMA, 3, &store, &err), RS_USAGE);
	store = open_store(RS_STORE_WRITE);
	assert_int_equal(rs_store_run(store, "INSERT INTO t VALUES(1, x'01', 'a')", &err), RS_OK);
	assert_int_equal(rs_store_run(store, "INSERT INTO t VALUES(2, x'01', 'a')", &err), RS_EXISTS);
	assert_non_null(strstr(err.message, path));
	assert_int_equal(rs_store_run(store, "no such words", &err), RS_INTERNAL);
	assert_int_equal(rs_store_open(world, path, RS_STORE_WRITE, SCHEMA, 4, &second, &err),
	                 RS_UNSUPPORTED);
	assert_non_null(strstr(err.message, "version 3, this radseal needs 4"));
	assert_null(second);
	rs_store_close(store);
}

static void refuses_what_is_not_its_own(void **state)
{
	struct rs_store *store = NULL;
	struct rs_error err = {0};
	FILE *file = fopen(path, "wb");
	(void)state;
	assert_non_null(file);
	for (int i = 0; i < 300; i++)
		(void)fputs("this is not a database\n", file);
	(void)fclose(file);
	assert_int_equal(rs_store_open(world, path, RS_STORE_WRITE, SCHEMA, 3, &store, &err), RS_ALTERED);
	assert_non_null(strstr(err.message, path));
}

static void finds_damage(void **state)
{
	struct rs_store *store = open_store(RS_STORE_WRITE);
	struct rs_error err = {0};
	FILE *file;
	(void)state;
	assert_int_equal(rs_store_run(store,
	                              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
	                              "WHERE i < 2000) INSERT INTO t SELECT i, randomblob(40), i FROM n",
	                              &err),
	                 RS_OK);
	rs_store_close(store);
	file = fopen(path, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, 3 * 4096, SEEK_SET), 0);
	for (int i = 0; i < 64; i++)
		(void)fputc(0xff, file);
	(void)fclose(file);
	store = open_store(RS_STORE_READ);
	assert_int_equal(rs_store_check(store, &err), RS_ALTERED);
	rs_store_close(store);
}

static void keeps_a_second_writer_out(void **state)
{
	struct rs_store *first = open_store(RS_STORE_WRITE), *second = open_store(RS_STORE_WRITE);
	(void)state;
	assert_int_equal(rs_store_begin(first, NULL), RS_OK);
	assert_int_equal(rs_store_run(second, "PRAGMA busy_timeout=10", NULL), RS_OK);
	assert_int_equal(rs_store_begin(second, NULL), RS_BUSY);
	rs_store_rollback(first);
	assert_int_equal(rs_store_begin(second, NULL), RS_OK);
	rs_store_close(second);
	rs_store_close(first);
}

/* In another world than the system's, SQLite's clock is that world's. */
static void asks_its_world(void **state)
{
	struct rs_sim *sim = NULL;
	struct rs_error err = {0};
	struct rs_store *first = NULL;
	bool row = false;
	(void)state;
	assert_int_equal(rs_sim_create(1, &sim, &err), RS_OK);
	assert_int_equal(
		rs_store_open(rs_sim_world(sim), "/a.sqlite", RS_STORE_WRITE, SCHEMA, 3, &first, &err),
		RS_OK);
	struct rs_statement *ask = prepare(first, "SELECT CAST(strftime('%s', 'now') AS INTEGER)");
	assert_int_equal(rs_statement_step(ask, &row, &err), RS_OK);
	assert_true((uint64_t)rs_statement_i64(ask, 0) == rs_world_now_ms(rs_sim_world(sim)) / 1000);
	rs_statement_finish(ask);
	rs_store_close(first);
	rs_sim_destroy(sim);
}

/* Not a check but a figure in the log; the disk decides. */
static void commits_one_by_one(void **state)
{
	struct rs_store *store = open_store(RS_STORE_WRITE);
	struct rs_statement *insert = prepare(store, "INSERT INTO t VALUES(?1, ?2, NULL)");
	uint8_t value[200] = {0};
	uint64_t begun = world->clock->monotonic_ns(world->clock), ns;
	const int rounds = 2000;
	(void)state;
	for (int i = 0; i < rounds; i++) {
		memcpy(value, &i, sizeof(i));
		assert_int_equal(rs_store_begin(store, NULL), RS_OK);
		rs_statement_bind_i64(insert, 1, i);
		rs_statement_bind_bytes(insert, 2, rs_bytes_of(value, sizeof(value)));
		assert_int_equal(rs_statement_run(insert, NULL), RS_OK);
		assert_int_equal(rs_store_commit(store, NULL), RS_OK);
	}
	ns = world->clock->monotonic_ns(world->clock) - begun;
	print_message("# %.0f durable commits/s\n", rounds * 1e9 / (double)ns);
	assert_int_equal(count(store), rounds);
	rs_statement_finish(insert);
	rs_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_VFS(name) cmocka_unit_test_setup_teardown(name, set_up_through_vfs, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_what_was_committed),
		TEST(binds_and_reads_every_kind),
		TEST(remembers_a_bad_binding),
		TEST(tells_what_is_wrong),
		TEST(refuses_what_is_not_its_own),
		TEST(finds_damage),
		TEST(keeps_a_second_writer_out),
		TEST(commits_one_by_one),
		TEST(asks_its_world),
		TEST_VFS(keeps_what_was_committed),
		TEST_VFS(binds_and_reads_every_kind),
		TEST_VFS(refuses_what_is_not_its_own),
		TEST_VFS(finds_damage),
		TEST_VFS(commits_one_by_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
