/* The power goes, or the disk fails, at every single step of making a database and writing to
 * it. Whatever was committed must be there afterwards, and nothing by halves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/base_sim.h"
#include "store/store.h"

#define PATH "/a.sqlite"
#define SCHEMA "CREATE TABLE t(round INTEGER, value BLOB); CREATE TABLE u(round INTEGER)"
#define ROUNDS 6
#define STEPS_TRIED 260 /* more than two openings and their closing take */
#define ROWS 3          /* in a transaction */

/* Returns how many transactions were answered with RS_OK. */
static int64_t work(const struct rs_world *world)
{
	struct rs_store *store = NULL;
	int64_t committed = 0;

	if (rs_store_open(world, PATH, RS_STORE_WRITE, SCHEMA, 1, &store, NULL) != RS_OK)
		return 0;
	/* A small limit brings the copying of the log into the database into reach of the test. */
	if (rs_store_run(store, "PRAGMA wal_autocheckpoint=4", NULL) != RS_OK)
		goto end;
	for (int64_t i = 0; i < ROUNDS; i++) {
		struct rs_statement *insert RS_CLEANUP(rs_statement_finish_pointer) = NULL;
		bool ok = rs_store_begin(store, NULL) == RS_OK &&
		          rs_statement_prepare(store, "INSERT INTO t VALUES(?1, zeroblob(1500))", &insert,
		                               NULL) == RS_OK;
		for (int row = 0; ok && row < ROWS; row++) {
			rs_statement_bind_i64(insert, 1, i);
			ok = rs_statement_run(insert, NULL) == RS_OK;
		}
		ok = ok && rs_store_run(store, "INSERT INTO u SELECT max(round) FROM t", NULL) == RS_OK &&
		     rs_store_commit(store, NULL) == RS_OK;
		if (!ok) {
			rs_store_rollback(store);
			break;
		}
		committed++;
	}
end:
	rs_store_close(store);
	return committed;
}

static int64_t ask(struct rs_store *store, const char *sql)
{
	struct rs_statement *statement = NULL;
	struct rs_error err = {0};
	bool row = false;
	int64_t result;
	if (rs_statement_prepare(store, sql, &statement, &err) != RS_OK ||
	    rs_statement_step(statement, &row, &err) != RS_OK)
		fail_msg("%s", err.message);
	result = rs_statement_i64(statement, 0);
	rs_statement_finish(statement);
	return result;
}

static void check(const struct rs_world *world, int64_t committed, uint64_t step, int how)
{
	struct rs_store *store = NULL;
	struct rs_error err = {0};
	int64_t rounds;

	if (rs_store_open(world, PATH, RS_STORE_WRITE, SCHEMA, 1, &store, &err) != RS_OK ||
	    rs_store_check(store, &err) != RS_OK)
		fail_msg("step %llu, cut %d: %s", (unsigned long long)step, how, err.message);
	rounds = ask(store, "SELECT count(*) FROM u");
	/* The one that was under way may have reached the disk, but then as a whole. */
	if (rounds < committed || rounds > committed + 1)
		fail_msg("step %llu, cut %d: %lld committed, %lld found", (unsigned long long)step, how,
		         (long long)committed, (long long)rounds);
	assert_int_equal(ask(store, "SELECT count(*) FROM t"), rounds * ROWS);
	assert_int_equal(ask(store, "SELECT count(*) FROM (SELECT round FROM t GROUP BY round HAVING "
	                            "count(*) <> 3)"),
	                 0);
	rs_store_close(store);
}

static uint64_t steps_in_all(void)
{
	struct rs_sim *sim = NULL;
	uint64_t steps;
	assert_int_equal(rs_sim_create(1, &sim, NULL), RS_OK);
	assert_int_equal(work(rs_sim_world(sim)), ROUNDS);
	steps = rs_sim_steps(sim);
	rs_sim_destroy(sim);
	assert_true(steps > 40);
	return steps;
}

static void run(uint64_t step, int how, enum rs_code fault, bool for_ever)
{
	struct rs_sim *sim = NULL;
	int64_t committed;
	assert_int_equal(rs_sim_create(step * 7 + (uint64_t)how, &sim, NULL), RS_OK);
	rs_sim_fail_at(sim, step, fault, for_ever);
	committed = work(rs_sim_world(sim));
	rs_sim_fail_at(sim, 0, RS_OK, false);
	rs_sim_cut(sim, (enum rs_sim_cut)how);
	check(rs_sim_world(sim), committed, step, how);
	rs_sim_destroy(sim);
}

static void survives_a_power_cut_at_every_step(void **state)
{
	uint64_t steps = steps_in_all();
	(void)state;
	for (uint64_t step = 1; step <= steps + 1; step++)
		for (int how = RS_SIM_LOSE_ALL; how <= RS_SIM_TEAR; how++)
			run(step, how, RS_IO, true);
	print_message("# %llu steps, each under 3 kinds of power cut\n", (unsigned long long)steps);
}

static void survives_a_full_disk_at_every_step(void **state)
{
	uint64_t steps = steps_in_all();
	(void)state;
	for (uint64_t step = 1; step <= steps; step++)
		run(step, RS_SIM_LOSE_ALL, RS_NO_SPACE, true);
}

/* One transaction; tells whether it was answered with RS_OK. */
static bool add_round(struct rs_store *store, int64_t round)
{
	char sql[160];
	snprintf(sql, sizeof sql,
	         "INSERT INTO t VALUES(%lld, zeroblob(1500)), (%lld, zeroblob(1500)), (%lld, x'');"
	         "INSERT INTO u VALUES(%lld)",
	         (long long)round, (long long)round, (long long)round, (long long)round);
	bool ok = rs_store_begin(store, NULL) == RS_OK && rs_store_run(store, sql, NULL) == RS_OK &&
	          rs_store_commit(store, NULL) == RS_OK;
	if (!ok)
		rs_store_rollback(store);
	return ok;
}

/* What a failing disk and a dying process do: the disk fails once and the process goes on, or the disk fails until the
 * process gives up; in both cases another opening goes on with a disk that is well again. */
static void work_on(struct rs_sim *sim, uint64_t step, uint64_t run, bool committed[2 * ROUNDS])
{
	bool for_ever = run & 1;
	rs_sim_fail_at(sim, step, RS_IO, for_ever);
	for (int opening = 0; opening < 2; opening++) {
		struct rs_store *store = NULL;
		if (rs_store_open(rs_sim_world(sim), PATH, RS_STORE_WRITE, SCHEMA, 1, &store, NULL) ==
		    RS_OK) {
			if (run & 2) /* else the log is never copied into the database */
				(void)rs_store_run(store, "PRAGMA wal_autocheckpoint=4", NULL);
			for (int64_t i = 0; i < ROUNDS; i++)
				committed[opening * ROUNDS + i] = add_round(store, opening * ROUNDS + i);
		}
		if (opening == 1)
			rs_sim_cut(sim, run < 4 ? RS_SIM_LOSE_ALL : RS_SIM_TEAR);
		rs_store_close(store);
		if (for_ever)
			rs_sim_fail_at(sim, 0, RS_OK, false);
	}
}

static void check_committed(struct rs_sim *sim, const bool committed[2 * ROUNDS], uint64_t step)
{
	struct rs_store *store = NULL;
	struct rs_error err = {0};
	if (rs_store_open(rs_sim_world(sim), PATH, RS_STORE_WRITE, SCHEMA, 1, &store, &err) != RS_OK ||
	    rs_store_check(store, &err) != RS_OK)
		fail_msg("step %llu: %s", (unsigned long long)step, err.message);
	for (int i = 0; i < 2 * ROUNDS; i++) {
		char sql[64];
		snprintf(sql, sizeof sql, "SELECT count(*) FROM u WHERE round=%d", i);
		if (committed[i] && ask(store, sql) != 1)
			fail_msg("step %llu: transaction %d is lost", (unsigned long long)step, i);
	}
	rs_store_close(store);
}

/* A disk that could not write may have dropped what it was given, and says nothing of it the next time: what is answered
 * afterwards must not rest on it. */
static void what_is_committed_after_a_failure_stays(void **state)
{
	(void)state;
	for (uint64_t step = 1; step <= STEPS_TRIED; step++)
		for (uint64_t run = 0; run < 12; run++) {
			struct rs_sim *sim = NULL;
			bool committed[2 * ROUNDS] = {false};
			assert_int_equal(rs_sim_create(step * 12 + run, &sim, NULL), RS_OK);
			work_on(sim, step, run, committed);
			check_committed(sim, committed, step);
			rs_sim_destroy(sim);
		}
}

static void names_a_full_disk(void **state)
{
	struct rs_sim *sim = NULL;
	struct rs_store *store = NULL;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_sim_create(1, &sim, NULL), RS_OK);
	assert_int_equal(rs_store_open(rs_sim_world(sim), PATH, RS_STORE_WRITE, SCHEMA, 1, &store, NULL),
	                 RS_OK);
	assert_int_equal(rs_store_begin(store, NULL), RS_OK);
	assert_int_equal(rs_store_run(store, "INSERT INTO u VALUES(1)", NULL), RS_OK);
	rs_sim_fail_at(sim, 1, RS_NO_SPACE, false);
	assert_int_equal(rs_store_commit(store, &err), RS_NO_SPACE);
	rs_store_rollback(store);
	rs_store_close(store);
	rs_sim_destroy(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_a_power_cut_at_every_step),
		cmocka_unit_test(survives_a_full_disk_at_every_step),
		cmocka_unit_test(what_is_committed_after_a_failure_stays),
		cmocka_unit_test(names_a_full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
