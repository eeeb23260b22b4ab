/* The power goes at every step of making an account, logging in, changing the password and disabling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "account/account.h"
#include "base/base_sim.h"

#define RUNS 6 /* seeds of tearing for each step */

static const struct rs_secret node_key = {{1}}, seed = {{7}};
static const struct rs_account_settings settings = {
	{1, 8192}, RS_SESSION_IDLE_MS, RS_SESSION_LIFETIME_MS, "A"};
static const struct rs_bytes first = {(const uint8_t *)"the first password", 18},
			     second = {(const uint8_t *)"the second password", 19};

/* What the caller was told, and what it was about to do when the power went. */
struct told {
	unsigned doing, done; /* 1: made, 2: logged in, 3: password changed, 4: disabled */
	char token[RS_SESSION_TOKEN_SIZE];
};

static enum rs_code login(struct rs_accounts *accounts, struct rs_bytes password, char *token,
                          struct rs_error *err)
{
	const struct rs_credentials credentials = {RS_STR("lee"), password, RS_STR("")};
	struct rs_session session;
	uint64_t wait_ms;
	return rs_session_begin(accounts, &credentials, token, &session, &wait_ms, err);
}

static void work(const struct rs_world *world, struct told *told)
{
	struct rs_accounts *accounts RS_CLEANUP(rs_accounts_close_pointer) = NULL;
	if (rs_accounts_open(world, "/accounts.sqlite", &node_key, &settings, &accounts, NULL) != RS_OK)
		return;
	for (told->doing = 1; told->doing <= 4; told->doing++) {
		enum rs_code code = told->doing == 1
		                            ? rs_account_add(accounts, RS_STR("lee"), first, &seed, NULL)
		                    : told->doing == 2 ? login(accounts, first, told->token, NULL)
		                    : told->doing == 3
		                            ? rs_account_change_password(accounts, RS_STR("lee"), first,
		                                                         second, NULL)
		                            : rs_account_disable(accounts, RS_STR("lee"), true, NULL);
		if (code != RS_OK)
			return;
		told->done = told->doing;
	}
}

/* All that was told is there; what was on its way is there or is not; nothing is in between. */
static void check(const struct rs_world *world, const struct told *told, uint64_t step)
{
	struct rs_accounts *accounts RS_CLEANUP(rs_accounts_close_pointer) = NULL;
	struct rs_account_facts facts;
	struct rs_session session;
	struct rs_error err = {0};
	char token[RS_SESSION_TOKEN_SIZE];
	if (rs_accounts_open(world, "/accounts.sqlite", &node_key, &settings, &accounts, &err) != RS_OK)
		fail_msg("step %llu: %s", (unsigned long long)step, err.message);
	enum rs_code code = rs_account_find(accounts, RS_STR("lee"), &facts, &err);
	if (code == RS_NOT_FOUND && told->done == 0)
		return;
	if (code != RS_OK)
		fail_msg("step %llu: %s", (unsigned long long)step, err.message);
	bool changed = !facts.must_change;
	assert_true(changed ? told->doing >= 3 : told->done < 3);
	assert_true(facts.disabled ? told->doing >= 4 : told->done < 4);
	if (told->done >= 2)
		assert_int_equal(rs_session_find(accounts, rs_str_from(told->token), &session, &err),
		                 changed || facts.disabled ? RS_DENIED : RS_OK);
	assert_int_equal(login(accounts, changed ? second : first, token, &err),
	                 facts.disabled ? RS_DENIED : RS_OK);
	assert_int_equal(login(accounts, changed ? first : second, token, &err), RS_DENIED);
}

static void survives_a_power_cut_at_every_step(void **state)
{
	uint64_t steps = 0;
	(void)state;
	for (uint64_t step = 0; step <= steps; step++)
		for (uint64_t run = 0; run < RUNS; run++) {
			struct told told = {.done = 0};
			struct rs_sim *sim = NULL;
			assert_int_equal(rs_sim_create(step * RUNS + run, &sim, NULL), RS_OK);
			rs_sim_fail_at(sim, step, RS_IO, true);
			work(rs_sim_world(sim), &told);
			if (step == 0) {
				assert_int_equal(told.done, 4);
				steps = rs_sim_steps(sim);
			}
			rs_sim_fail_at(sim, 0, RS_OK, false);
			rs_sim_cut(sim, run < RS_SIM_TEAR ? (enum rs_sim_cut)run : RS_SIM_TEAR);
			check(rs_sim_world(sim), &told, step);
			rs_sim_destroy(sim);
		}
	print_message("# %llu steps\n", (unsigned long long)steps);
	assert_true(steps > 20);
}

static int set_up(void **state)
{
	(void)state;
	return rs_crypto_init(NULL) == RS_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(survives_a_power_cut_at_every_step)};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
