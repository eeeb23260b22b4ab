/* radseal.yaml as people write it: what is read, and the line and reason of what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/base_sim.h"
#include "node/node_config.h"

#define PATH "/radseal.yaml"
#define BASE "organisation: A\norigin: o\nunlock: file\n"
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static struct rs_sim *sim;

static int set_up(void **state)
{
	(void)state;
	return rs_sim_create(1, &sim, NULL) == RS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	rs_sim_destroy(sim);
	return 0;
}

static enum rs_code read_text(const char *text, struct config *out, struct rs_error *err)
{
	const struct rs_world *world = rs_sim_world(sim);
	*err = (struct rs_error){0};
	assert_int_equal(rs_file_replace(world, PATH, rs_bytes_of_str(rs_str_from(text)), 0600, err), RS_OK);
	return config_read(world, PATH, out, err);
}

static void what_is_written_is_read(void **state)
{
	struct config made, back;
	struct rs_error err = {0};
	const struct rs_world *world = rs_sim_world(sim);
	(void)state;
	assert_int_equal(config_init(&made,
	                             "Klinik S\xc3\xbc"
	                             "d",
	                             &err),
	                 RS_OK);
	assert_int_equal(config_write(world, PATH, &made, &err), RS_OK);
	assert_int_equal(config_read(world, PATH, &back, &err), RS_OK);
	assert_string_equal(back.organisation, made.organisation);
	assert_string_equal(back.origin, made.origin);
}

static void people_may_write_it_their_way(void **state)
{
	struct config config;
	struct rs_error err;
	(void)state;
	assert_int_equal(
		read_text("# ours\n{unlock: passphrase, origin: 'log.example/a', organisation: \"A: B\"}\n",
	                  &config, &err),
		RS_OK);
	assert_string_equal(config.organisation, "A: B");
	assert_string_equal(config.origin, "log.example/a");
}

static void the_vault_has_its_own_section(void **state)
{
	static const struct {
		const char *text;
		uint64_t quota, reserve;
		bool ipfs;
		const char *url;
	} cases[] = {
		{BASE, 0, 64 << 20, false, "http://127.0.0.1:5001"},
		{BASE "vault: {}\n", 0, 64 << 20, false, "http://127.0.0.1:5001"},
		{BASE "vault:\n  quota: 500 GB\n  reserve: 0\n", UINT64_C(500000000000), 0, false,
	         "http://127.0.0.1:5001"},
		{"vault:\n  store: ipfs\n  url: http://a:1\n  quota: 3KiB\n" BASE, 3072, 64 << 20, true,
	         "http://a:1"},
		{BASE "vault: {store: local, quota: 17}\n", 17, 64 << 20, false, "http://127.0.0.1:5001"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct config config;
		struct rs_error err;
		if (read_text(cases[i].text, &config, &err) != RS_OK)
			fail_msg("%s", err.message);
		assert_int_equal(config.vault_quota, cases[i].quota);
		assert_int_equal(config.vault_reserve, cases[i].reserve);
		assert_int_equal(config.vault_ipfs, cases[i].ipfs);
		assert_string_equal(config.vault_url, cases[i].url);
	}
}

static void faults_are_named_with_their_line(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "organisation is missing"},
		{"just words\n", "line 1: a mapping"},
		{"- a\n- b\n", "line 1"},
		{"organisation: A\nunlock: file\n", "origin is missing"},
		{"organisation: A\norigin: ''\nunlock: file\n", "line 2: origin must have 1 to 128"},
		{"organisation: A\norganisation: B\norigin: o\nunlock: file\n",
	         "line 2: organisation stands twice"},
		{"organisation: A\norigni: o\nunlock: file\n", "line 2: unknown key 'origni'"},
		{"organisation: {a: b}\norigin: o\nunlock: file\n",
	         "line 1: a value is needed, not a mapping"},
		{"organisation: A\norigin: [o]\nunlock: file\n", "line 2: a value is needed, not a list"},
		{"organisation: &x A\norigin: *x\nunlock: file\n",
	         "line 2: a value is needed, not a list or an alias"},
		{"organisation: \"A\norigin: o\n", "line 3"},
		{BASE "vault: ipfs\n", "line 4: a mapping"},
		{BASE "vault: {store: disk}\n", "line 4: store is"},
		{BASE "vault:\n  url: ftp://a\n", "line 5: url is http://"},
		{BASE "vault:\n  quota: much\n", "line 5: 'much' is no number of bytes"},
		{BASE "vault:\n  quota: 9999999 TiB\n", "line 5"},
		{BASE "vault:\n  quota: {a: b}\n", "line 5: a value is needed"},
		{BASE "vault:\n  origin: b\n", "line 5: unknown key 'origin'"},
		{BASE "quota: 5\n", "line 4: unknown key 'quota'"},
		{BASE "vault:\n  quota: 5\n  quota: 6\n", "line 6: vault: quota stands twice"},
		{BASE "vault:\n  quota: 5\nvault:\n  reserve: 6\n", "line 6: unknown key 'vault'"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct config config = {.organisation = "untouched"};
		struct rs_error err;
		assert_int_equal(read_text(cases[i].text, &config, &err), RS_MALFORMED);
		if (!strstr(err.message, cases[i].words) || !strstr(err.message, PATH))
			fail_msg("'%s' is not in '%s'", cases[i].words, err.message);
		assert_string_equal(config.organisation, "untouched");
	}
}

static void names_that_cannot_be_are_refused(void **state)
{
	static const char *const names[] = {"", "a\nb", "tab\there", "\x7f", HUNDRED HUNDRED};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(names); i++) {
		struct config config;
		struct rs_error err = {0};
		assert_int_equal(config_init(&config, names[i], &err), RS_USAGE);
		assert_true(err.message[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(people_may_write_it_their_way),
		cmocka_unit_test(the_vault_has_its_own_section),
		cmocka_unit_test(faults_are_named_with_their_line),
		cmocka_unit_test(names_that_cannot_be_are_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
