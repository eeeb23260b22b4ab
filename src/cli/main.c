/* radseal: one program, a table of subcommands. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "command.h"
#include "crypto/crypto.h"

static const struct command *find(const char *name)
{
	for (const struct command *const *row = commands; *row; row++)
		if (strcmp((*row)->name, name) == 0)
			return *row;
	return NULL;
}

static int unknown_command(const char *name)
{
	fprintf(stderr, "radseal: unknown command '%s'; radseal help lists them\n", name);
	return EXIT_USAGE;
}

static int complain(const struct rs_error *err)
{
	fprintf(stderr, "radseal: %s\n", err->message);
	return exit_status_of(err->code);
}

/* What was printed counts only when it arrived: a full disk or a closed pipe shows here. */
static int finish(int status)
{
	struct rs_error err = {0};
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	rs_error_errno(&err, errno ? errno : EIO, "standard output"); /* an earlier write's errno is gone */
	return status == EXIT_OK ? complain(&err) : status;
}

static int help(int count, char **arguments)
{
	const struct command *command = count > 2 ? find(arguments[2]) : NULL;
	if (count > 2 && !command)
		return unknown_command(arguments[2]);
	if (command)
		command_help(command, stdout);
	else
		program_help(stdout);
	return EXIT_OK;
}

/* A core dump would hold keys and patients' data: none is written, neither to a file nor to a collector behind a pipe, and
 * no other process of the same user reads this one's memory. A sanitizer needs just that. */
static void keep_memory_private(void)
{
	const struct rlimit no_core = {0, 0};
	(void)setrlimit(RLIMIT_CORE, &no_core);
#ifndef RADSEAL_SANITIZED
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

int main(int count, char **arguments)
{
	struct rs_error err = {0};
	keep_memory_private();
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of the write, not the end of the program */
	/* Files of some megabytes come and go: keep their memory instead of asking the kernel for zeroed pages each time. */
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	if (count < 2) {
		program_help(stderr);
		return EXIT_USAGE;
	}
	const char *name = arguments[1];
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return finish(help(count, arguments));
	if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
		puts("radseal " RADSEAL_VERSION);
		return finish(EXIT_OK);
	}
	const struct command *command = find(name);
	if (!command)
		return unknown_command(name);
	struct command_line line;
	if (command_parse(command, count - 2, arguments + 2, &line, &err) != RS_OK)
		return complain(&err);
	line.program = arguments[0];
	if (option_given(&line, "help")) {
		command_help(command, stdout);
		return finish(EXIT_OK);
	}
	/* Not every command has a use for threads, but all refuse a number that is none. */
	uint64_t threads;
	if (option_u64(&line, "threads", 0, 1024, &threads, &err) != RS_OK || rs_crypto_init(&err) != RS_OK ||
	    command->run(&line, &err) != RS_OK)
		return finish(complain(&err));
	return finish(EXIT_OK);
}
