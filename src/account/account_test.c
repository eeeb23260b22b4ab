/* Accounts: who is let in, who is locked out and for how long, what a session is good for. Time is the simulated world's. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "account/account.h"
#include "base/base_sim.h"

#define PATH "/accounts.sqlite"
#define MINUTE_MS ((uint64_t)60000)

static const struct rs_secret node_key = {{1, 2, 3}}, seed = {{7, 7, 7}}, other_seed = {{8}};
static const struct rs_account_settings settings = {
	{1, 8192}, RS_SESSION_IDLE_MS, RS_SESSION_LIFETIME_MS, "St. Mary's: Radiology"};
#define PASSWORD "a sentence that is long"
#define CHANGED "another sentence of mine"

struct fixture {
	struct rs_sim *sim;
	struct rs_accounts *accounts;
	char token[RS_SESSION_TOKEN_SIZE];
	struct rs_session session;
	struct rs_error err;
	uint64_t wait_ms;
};

static void open_accounts(struct fixture *f)
{
	rs_accounts_close(f->accounts);
	f->accounts = NULL;
	assert_int_equal(
		rs_accounts_open(rs_sim_world(f->sim), PATH, &node_key, &settings, &f->accounts, &f->err),
		RS_OK);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.sim = NULL};
	assert_int_equal(rs_crypto_init(NULL), RS_OK);
	assert_int_equal(rs_sim_create(1, &fixture.sim, NULL), RS_OK);
	rs_sim_advance_ms(fixture.sim, (uint64_t)1700000000000);
	open_accounts(&fixture);
	assert_int_equal(rs_account_add(fixture.accounts, RS_STR("Lee"), rs_bytes_of_str(RS_STR(PASSWORD)),
	                                &seed, &fixture.err),
	                 RS_OK);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	rs_accounts_close(f->accounts);
	rs_sim_destroy(f->sim);
	return 0;
}

static enum rs_code login(struct fixture *f, const char *name, const char *password, const char *code)
{
	const struct rs_credentials credentials = {rs_str_from(name), rs_bytes_of_str(rs_str_from(password)),
	                                           rs_str_from(code)};
	return rs_session_begin(f->accounts, &credentials, f->token, &f->session, &f->wait_ms, &f->err);
}

static enum rs_code find(struct fixture *f)
{
	return rs_session_find(f->accounts, rs_str_from(f->token), &f->session, &f->err);
}

static void the_right_password_opens_the_members_key(void **state)
{
	struct fixture *f = *state;
	struct rs_account_facts facts;
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
	assert_memory_equal(f->session.seed.bytes, seed.bytes, RS_KEY_SIZE);
	assert_true(f->session.must_change);
	memset(&f->session, 0, sizeof f->session);
	open_accounts(f);
	assert_int_equal(find(f), RS_OK); /* the token is all that is needed, after a restart too */
	assert_memory_equal(f->session.seed.bytes, seed.bytes, RS_KEY_SIZE);
	assert_int_equal(strlen(f->session.csrf), 64);
	assert_int_equal(rs_account_find(f->accounts, RS_STR("LEE"), &facts, &f->err), RS_OK);
	assert_string_equal(facts.name, "lee");
	assert_memory_equal(facts.member, f->session.member, RS_KEY_SIZE);
	assert_int_equal(
		rs_account_add(f->accounts, RS_STR("lee"), rs_bytes_of_str(RS_STR(PASSWORD)), &seed, &f->err),
		RS_EXISTS);
}

static void wrong_is_one_sentence_whatever_is_wrong(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *name, *password;
	} wrong[] = {{"lee", "wrong"}, {"leo", PASSWORD}, {"lee/..", PASSWORD}, {"", ""}, {"lee", ""}};
	for (size_t i = 0; i < RS_COUNT(wrong); i++) {
		assert_int_equal(login(f, wrong[i].name, wrong[i].password, ""), RS_DENIED);
		assert_string_equal(f->err.message, "name, password or code is wrong");
	}
	static const char *const bad[] = {"short", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"};
	for (size_t i = 0; i < RS_COUNT(bad); i++)
		assert_int_equal(rs_account_add(f->accounts, RS_STR("new"),
		                                rs_bytes_of_str(rs_str_from(bad[i])), &seed, &f->err),
		                 RS_USAGE);
	assert_int_equal(
		rs_account_add(f->accounts, RS_STR("a b"), rs_bytes_of_str(RS_STR(PASSWORD)), &seed, &f->err),
		RS_USAGE);
}

/* A name that nobody has is locked as one that somebody has: nobody can tell them apart. */
static void failures_lock_for_growing_times(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"lee", "nobody"};
	static const uint64_t waits_s[] = {5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600};
	for (size_t n = 0; n < RS_COUNT(names); n++) {
		for (size_t i = 0; i < RS_LOGIN_FREE_FAILURES; i++)
			assert_int_equal(login(f, names[n], "wrong", ""), RS_DENIED);
		assert_int_equal(f->wait_ms, 0);
		for (size_t i = 0; i < RS_COUNT(waits_s); i++) {
			assert_int_equal(login(f, names[n], "wrong", ""), RS_DENIED);
			open_accounts(f); /* a restart unlocks nobody */
			assert_int_equal(login(f, names[n], PASSWORD, ""), RS_DENIED);
			assert_int_equal(f->wait_ms, waits_s[i] * 1000);
			rs_sim_advance_ms(f->sim, waits_s[i] * 1000);
		}
	}
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
	assert_int_equal(login(f, "lee", "wrong", ""), RS_DENIED); /* and counting begins again */
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
}

static void an_administrator_unlocks(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i <= RS_LOGIN_FREE_FAILURES; i++)
		assert_int_equal(login(f, "lee", "wrong", ""), RS_DENIED);
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_DENIED);
	assert_int_equal(rs_account_unlock(f->accounts, RS_STR("lee"), &f->err), RS_OK);
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
	assert_int_equal(rs_account_unlock(f->accounts, RS_STR("leo"), &f->err), RS_NOT_FOUND);
}

static uint32_t code_at(const char *uri, uint64_t time_ms)
{
	uint8_t secret[RS_TOTP_SECRET_SIZE];
	const char *letters = strstr(uri, "secret=") + strlen("secret=");
	for (size_t i = 0; i < sizeof secret; i += 5) {
		uint64_t word = 0;
		for (size_t k = 0; k < 8; k++, letters++)
			word = word << 5 | (uint64_t)(*letters >= 'A' ? *letters - 'A' : *letters - '2' + 26);
		for (size_t k = 0; k < 5; k++)
			secret[i + k] = (uint8_t)(word >> (32 - 8 * k));
	}
	return rs_one_time_code(rs_bytes_of(secret, sizeof secret), time_ms / 30000);
}

static enum rs_code login_at(struct fixture *f, const struct rs_totp_enrolment *enrolment, int64_t shift_ms)
{
	char code[16];
	uint64_t time_ms = (uint64_t)((int64_t)rs_world_now_ms(rs_sim_world(f->sim)) + shift_ms);
	(void)snprintf(code, sizeof code, "%06u", code_at(enrolment->uri, time_ms));
	return login(f, "lee", PASSWORD, code);
}

static void codes_are_good_once_and_for_ninety_seconds(void **state)
{
	struct fixture *f = *state;
	static struct rs_totp_enrolment enrolment;
	assert_int_equal(rs_account_totp_enrol(f->accounts, RS_STR("lee"), &enrolment, &f->err), RS_OK);
	assert_non_null(strstr(enrolment.uri, "otpauth://totp/St.%20Mary%27s%3A%20Radiology:lee?secret="));
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_DENIED);
	assert_int_equal(login_at(f, &enrolment, -60000), RS_DENIED);
	assert_int_equal(login_at(f, &enrolment, -30000), RS_OK);
	assert_int_equal(login_at(f, &enrolment, -30000), RS_DENIED);
	assert_int_equal(login_at(f, &enrolment, 30000), RS_OK);
	assert_int_equal(login_at(f, &enrolment, 0), RS_DENIED); /* older than one that was used */
	rs_sim_advance_ms(f->sim, MINUTE_MS);
	assert_int_equal(login_at(f, &enrolment, 0), RS_OK);
	assert_int_equal(login(f, "lee", PASSWORD, enrolment.codes[4]), RS_OK);
	assert_int_equal(login(f, "lee", PASSWORD, enrolment.codes[4]), RS_DENIED);
	assert_int_equal(login(f, "lee", "wrong", enrolment.codes[5]), RS_DENIED);
	assert_int_equal(login(f, "lee", PASSWORD, enrolment.codes[5]), RS_OK); /* a failure takes no code */
	assert_int_equal(rs_account_totp_remove(f->accounts, RS_STR("lee"), &f->err), RS_OK);
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
}

static void sessions_end_by_silence_and_by_age(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
	for (int i = 0; i < 12 * 60 / 14; i++) {
		rs_sim_advance_ms(f->sim, 14 * MINUTE_MS);
		assert_int_equal(find(f), RS_OK);
	}
	assert_int_equal(f->session.idle_end_ms, f->session.end_ms);
	rs_sim_advance_ms(f->sim, 10 * MINUTE_MS);
	assert_int_equal(find(f), RS_DENIED); /* after 12 hours in any case */
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
	rs_sim_advance_ms(f->sim, 15 * MINUTE_MS);
	assert_int_equal(find(f), RS_DENIED);
	f->token[0] = f->token[0] == '0' ? '1' : '0';
	assert_int_equal(find(f), RS_DENIED);
}

static void a_refreshed_session_has_another_token_and_the_same_end(void **state)
{
	struct fixture *f = *state;
	char old[RS_SESSION_TOKEN_SIZE];
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
	uint64_t end_ms = f->session.end_ms;
	memcpy(old, f->token, sizeof old);
	rs_sim_advance_ms(f->sim, MINUTE_MS);
	assert_int_equal(rs_session_refresh(f->accounts, rs_str_from(old), f->token, &f->session, &f->err),
	                 RS_OK);
	assert_int_equal(f->session.end_ms, end_ms);
	assert_int_equal(find(f), RS_OK);
	assert_int_equal(rs_session_find(f->accounts, rs_str_from(old), &f->session, &f->err), RS_DENIED);
	assert_int_equal(rs_session_refresh(f->accounts, rs_str_from(old), old, &f->session, &f->err),
	                 RS_DENIED);
	assert_int_equal(rs_session_end(f->accounts, rs_str_from(f->token), &f->err), RS_OK);
	assert_int_equal(find(f), RS_DENIED);
}

static void changes_end_all_sessions(void **state)
{
	struct fixture *f = *state;
	const struct rs_bytes old = rs_bytes_of_str(RS_STR(PASSWORD)),
			      changed = rs_bytes_of_str(RS_STR(CHANGED));
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
	assert_int_equal(rs_account_change_password(f->accounts, RS_STR("lee"), changed, old, &f->err),
	                 RS_DENIED);
	assert_int_equal(rs_account_change_password(f->accounts, RS_STR("lee"), old, old, &f->err), RS_USAGE);
	assert_int_equal(find(f), RS_OK);
	assert_int_equal(rs_account_change_password(f->accounts, RS_STR("lee"), old, changed, &f->err),
	                 RS_OK);
	assert_int_equal(find(f), RS_DENIED);
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_DENIED);
	assert_int_equal(login(f, "lee", CHANGED, ""), RS_OK);
	assert_false(f->session.must_change);
	assert_int_equal(rs_account_disable(f->accounts, RS_STR("lee"), true, &f->err), RS_OK);
	assert_int_equal(find(f), RS_DENIED);
	assert_int_equal(login(f, "lee", CHANGED, ""), RS_DENIED);
	assert_non_null(strstr(f->err.message, "disabled"));
	assert_int_equal(rs_account_disable(f->accounts, RS_STR("lee"), false, &f->err), RS_OK);
	assert_int_equal(login(f, "lee", CHANGED, ""), RS_OK);
	assert_int_equal(rs_account_reset(f->accounts, RS_STR("lee"), old, &other_seed, &f->err), RS_OK);
	assert_int_equal(find(f), RS_DENIED);
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
	assert_memory_equal(f->session.seed.bytes, other_seed.bytes, RS_KEY_SIZE);
	assert_true(f->session.must_change);
}

static void at_most_sixteen_sessions(void **state)
{
	struct fixture *f = *state;
	char first[RS_SESSION_TOKEN_SIZE];
	assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
	memcpy(first, f->token, sizeof first);
	for (int i = 0; i < 16; i++) {
		rs_sim_advance_ms(f->sim, 1000);
		assert_int_equal(login(f, "lee", PASSWORD, ""), RS_OK);
	}
	assert_int_equal(find(f), RS_OK);
	assert_int_equal(rs_session_find(f->accounts, rs_str_from(first), &f->session, &f->err), RS_DENIED);
}

/* What lies on the disk tells neither names nor tokens nor keys, and opens with no other node's keys. */
static void the_database_tells_nothing(void **state)
{
	struct fixture *f = *state;
	static const struct rs_secret foreign = {{9}};
	static const char *const paths[] = {PATH, PATH "-wal"};
	struct rs_accounts *stolen = NULL;
	struct rs_account_facts facts;
	assert_int_equal(rs_account_add(f->accounts, RS_STR("marguerite"), rs_bytes_of_str(RS_STR(PASSWORD)),
	                                &seed, &f->err),
	                 RS_OK);
	assert_int_equal(login(f, "marguerite", PASSWORD, ""), RS_OK);
	for (size_t n = 0; n < RS_COUNT(paths); n++) {
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		if (rs_file_read_all(rs_sim_world(f->sim), paths[n], 10 << 20, &file, NULL) != RS_OK)
			continue;
		assert_null(memmem(file.data, file.size, "marguerite", 10));
		assert_null(memmem(file.data, file.size, seed.bytes, RS_KEY_SIZE));
		assert_null(memmem(file.data, file.size, f->session.member, RS_KEY_SIZE));
		assert_null(memmem(file.data, file.size, f->token, 16));
	}
	assert_int_equal(rs_accounts_open(rs_sim_world(f->sim), PATH, &foreign, &settings, &stolen, &f->err),
	                 RS_OK);
	assert_int_equal(rs_account_find(stolen, RS_STR("marguerite"), &facts, &f->err), RS_NOT_FOUND);
	assert_int_equal(rs_session_find(stolen, rs_str_from(f->token), &f->session, &f->err), RS_DENIED);
	rs_accounts_close(stolen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		CASE(the_right_password_opens_the_members_key),
		CASE(wrong_is_one_sentence_whatever_is_wrong),
		CASE(failures_lock_for_growing_times),
		CASE(an_administrator_unlocks),
		CASE(codes_are_good_once_and_for_ninety_seconds),
		CASE(sessions_end_by_silence_and_by_age),
		CASE(a_refreshed_session_has_another_token_and_the_same_end),
		CASE(changes_end_all_sessions),
		CASE(at_most_sixteen_sessions),
		CASE(the_database_tells_nothing),
#undef CASE
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
