/* The progress bar: silent in files, drawn on a terminal, no oftener than ten times a second. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base_progress.h"
#include "base/base_sim.h"

static void silent_in_files(void **state)
{
	const struct rs_world *world = rs_world_system();
	struct rs_progress progress;
	FILE *stream = tmpfile();
	(void)state;
	assert_non_null(stream);
	rs_progress_begin(&progress, world->clock, stream, "sealing", 10);
	rs_progress_update(&progress, 5);
	rs_progress_end(&progress);
	assert_int_equal(ftell(stream), 0);
	fclose(stream);
	rs_progress_begin(&progress, world->clock, NULL, "sealing", 10);
	rs_progress_update(&progress, 5);
	rs_progress_end(&progress);
}

/* A terminal made for the test; what is written to it comes out of the other end. */
struct terminal {
	int master;
	FILE *stream;
};

static bool open_terminal(struct terminal *terminal)
{
	terminal->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (terminal->master < 0 || grantpt(terminal->master) != 0 || unlockpt(terminal->master) != 0)
		return false;
	terminal->stream = fopen(ptsname(terminal->master), "w");
	return terminal->stream != NULL;
}

static size_t shown(struct terminal *terminal, char *out, size_t size)
{
	ssize_t got = read(terminal->master, out, size - 1);
	size_t used = got < 0 ? 0 : (size_t)got;
	out[used] = '\0';
	return used;
}

static void drawn_on_a_terminal(void **state)
{
	struct rs_sim *sim = NULL;
	struct rs_progress progress;
	struct terminal terminal = {.stream = NULL};
	char text[1000];
	(void)state;
	assert_true(open_terminal(&terminal));
	assert_int_equal(rs_sim_create(1, &sim, NULL), RS_OK);
	rs_sim_advance_ms(sim, 1000);
	rs_progress_begin(&progress, rs_sim_world(sim)->clock, terminal.stream, "sealing", 200);
	rs_sim_advance_ms(sim, 2000);
	rs_progress_update(&progress, 50);
	shown(&terminal, text, sizeof text);
	assert_non_null(strstr(text, "sealing [#######                       ]  25 %, 6 s left"));
	rs_sim_advance_ms(sim, 99);
	rs_progress_update(&progress, 60);
	assert_int_equal(shown(&terminal, text, sizeof text), 0); /* too soon */
	rs_sim_advance_ms(sim, 1);
	rs_progress_update(&progress, 250); /* more than was said */
	shown(&terminal, text, sizeof text);
	assert_non_null(strstr(text, "[##############################] 100 %"));
	rs_progress_end(&progress);
	shown(&terminal, text, sizeof text);
	assert_string_equal(text, "\r\033[K");
	rs_progress_begin(&progress, rs_sim_world(sim)->clock, terminal.stream, "reading", 0);
	rs_progress_update(&progress, 7);
	shown(&terminal, text, sizeof text);
	assert_non_null(strstr(text, "reading 7"));
	fclose(terminal.stream);
	close(terminal.master);
	rs_sim_destroy(sim);
}

int main(void)
{
	const struct CMUnitTest everywhere[] = {cmocka_unit_test(silent_in_files)};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_in_files),
		cmocka_unit_test(drawn_on_a_terminal),
	};
	if (access("/dev/ptmx", R_OK | W_OK) != 0) {
		puts("# no terminal can be made here: what is drawn on one is not tested");
		return cmocka_run_group_tests(everywhere, NULL, NULL);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
