/* Targets: what they are taken apart into, what fits a path, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "target.h"

static void parts_are_decoded(void **state)
{
	static struct target target;
	struct rs_str value;
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(target_parse(RS_STR("/studies/1%2E2?PatientName=D%C3%B6%2a+x&limit=1&&a&limit=2"),
	                              &target, &err),
	                 RS_OK);
	assert_int_equal(target.segment_count, 2);
	assert_true(rs_str_equal_text(target.segments[1], "1.2"));
	assert_int_equal(target.query_count, 4);
	assert_true(target_query(&target, "PatientName", &value) && rs_str_equal_text(value, "D\xc3\xb6* x"));
	assert_true(target_query(&target, "limit", &value) && rs_str_equal_text(value, "1"));
	assert_true(target_query(&target, "a", &value) && value.size == 0);
	assert_false(target_query(&target, "b", &value));
	assert_int_equal(target_parse(RS_STR("/"), &target, &err), RS_OK);
	assert_int_equal(target.segment_count, 0);
}

static void hostile_targets_are_refused(void **state)
{
	static const char *const bad[] = {"",         "studies", "//",       "/a/",   "/a//b",    "/../a",
	                                  "/a/.",     "/%2e%2e", "/a%2fb",   "/a%00", "/a%0d%0a", "/a%",
	                                  "/a%4",     "/a%zz",   "/a%5cb",   "/%ff",  "/a?b=%",   "/a?b=%00",
	                                  "/a?b=%fe", "*",       "http://x/"};
	static char deep[64] = "";
	static struct target target;
	struct rs_error err = {0};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(bad); i++)
		if (target_parse(rs_str_from(bad[i]), &target, &err) != RS_MALFORMED)
			fail_msg("'%s' was taken", bad[i]);
	memset(deep, 'a', sizeof deep);
	for (size_t i = 0; i < sizeof deep; i += 2)
		deep[i] = '/';
	assert_int_equal(target_parse((struct rs_str){deep, sizeof deep}, &target, &err), RS_TOO_LARGE);
}

static void paths_fit_or_not(void **state)
{
	static const struct {
		const char *target, *path;
		bool fits;
		const char *first;
	} cases[] = {
		{"/studies", "/studies", true, ""},
		{"/studies/1.2.3", "/studies/{uid}", true, "1.2.3"},
		{"/studies/1..3", "/studies/{uid}", false, ""},
		{"/studies/x", "/studies/{uid}", false, ""},
		{"/studies/1.2/series", "/studies/{uid}", false, ""},
		{"/studies", "/studies/{uid}", false, ""},
		{"/studies/1/frames/1,2,10", "/studies/{uid}/frames/{list}", true, "1"},
		{"/studies/1/frames/1;2", "/studies/{uid}/frames/{list}", false, ""},
		{"/keys/ward-3.key", "/keys/{name}", true, "ward-3.key"},
		{"/keys/a%20b", "/keys/{name}", false, ""},
	};
	static struct target target;
	struct rs_str values[2];
	struct rs_error err = {0};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		assert_int_equal(target_parse(rs_str_from(cases[i].target), &target, &err), RS_OK);
		if (target_matches(&target, cases[i].path, values, 2) != cases[i].fits)
			fail_msg("%s and %s", cases[i].target, cases[i].path);
		if (cases[i].first[0])
			assert_true(rs_str_equal_text(values[0], cases[i].first));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_decoded),
		cmocka_unit_test(hostile_targets_are_refused),
		cmocka_unit_test(paths_fit_or_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
