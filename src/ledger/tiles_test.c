/* Paths of tiles: made as C2SP has them, and recognised when a client asks. What is in the files is for tests/system/tiles.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/ledger_tiles.h"

static void numbers_are_written_in_groups_of_three(void **state)
{
	static const struct {
		const char *kind;
		uint64_t number;
		unsigned width;
		const char *path;
	} cases[] = {
		{"0", 0, 256, "/tile/0/000"},
		{"0", 999, 256, "/tile/0/999"},
		{"1", 1000, 256, "/tile/1/x001/000"},
		{"entries", 1234067, 256, "/tile/entries/x001/x234/067"},
		{"7", 5, 1, "/tile/7/005.p/1"},
		{"entries", 1000000, 255, "/tile/entries/x001/x000/000.p/255"},
		{"0", UINT64_MAX >> 8, 256, "/tile/0/x072/x057/x594/x037/x927/935"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		char path[1 + RS_TILE_PATH_SIZE] = "/";
		rs_tile_path(cases[i].kind, cases[i].number, cases[i].width, path + 1);
		assert_string_equal(path, cases[i].path);
		assert_true(rs_tile_path_valid(rs_str_from(path)));
	}
}

static void other_paths_are_none(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"/checkpoint/",
		"/checkpoints",
		"tile/0/000",
		"/tile",
		"/tile/",
		"/tile/0",
		"/tile/0/",
		"/tile/8/000",
		"/tile/-1/000",
		"/tile/00/000",
		"/tile/entry/000",
		"/tile/0/00",
		"/tile/0/0000",
		"/tile/0/x001",
		"/tile/0/x001/",
		"/tile/0/001/000",
		"/tile/0/x00a/000",
		"/tile/0/000.p",
		"/tile/0/000.p/",
		"/tile/0/000.p/256",
		"/tile/0/000.p/01",
		"/tile/0/000.p/1/2",
		"/tile/0/x001.p/1",
		"/tile/0/..",
		"/tile/0/../x",
		"/tile/0/x../000",
		"/tile/0/000?x",
		"/tile/0/%30",
		"/tile/0//000",
		"/tile/entries/000.p/+1",
	};
	(void)state;
	assert_true(rs_tile_path_valid(RS_STR("/checkpoint")));
	for (size_t i = 0; i < RS_COUNT(paths); i++)
		if (rs_tile_path_valid(rs_str_from(paths[i])))
			fail_msg("%s", paths[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written_in_groups_of_three),
		cmocka_unit_test(other_paths_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
