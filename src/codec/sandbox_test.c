/* What the worker's sandbox allows, seen from within: each call is made by a process of its own, which dies of what is not
 * allowed. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "codec/worker.h"

static void open_file(void) { (void)!open("/etc/passwd", O_RDONLY); }
static void connect_somewhere(void) { (void)!socket(AF_INET, SOCK_STREAM, 0); }
static void make_process(void) { (void)!fork(); }
static void run_program(void)
{
	char name[] = "/bin/true", *arguments[] = {name, NULL};
	execv(name, arguments);
}
static void make_code(void)
{
	(void)!mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static void unprotect(void)
{
	static char page[8192];
	(void)!mprotect(page, 4096, PROT_READ | PROT_EXEC);
}
static void kill_parent(void) { kill(getppid(), SIGTERM); }
static void compute(void)
{
	for (size_t size = 1; size < (size_t)64 << 20; size *= 2)
		rs_free(rs_allocate(size));
}
static void take_too_much(void)
{
	if (rs_allocate((size_t)5 << 30) == NULL)
		_exit(0);
	_exit(1);
}

static int status_of(void (*act)(void))
{
	int status = 0;
	const pid_t child = fork();
	if (child == 0) {
		if (!sandbox_close())
			_exit(9);
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void nothing_but_computing(void **state)
{
	static void (*const forbidden[])(void) = {open_file, connect_somewhere, make_process, run_program,
	                                          make_code, unprotect,         kill_parent};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(forbidden); i++) {
		const int status = status_of(forbidden[i]);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
	assert_int_equal(status_of(compute), 0);
	assert_int_equal(status_of(take_too_much), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_but_computing)};
#ifdef RADSEAL_SANITIZED
	puts("1..0 # SKIP the sandbox does not close under sanitizers, which need calls of their own");
	return 0;
#endif
	return cmocka_run_group_tests(tests, NULL, NULL);
}
