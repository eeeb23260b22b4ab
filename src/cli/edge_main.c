/* radseal-edge: `radseal edge` alone, for machines with little memory. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "command.h"
#include "crypto/crypto.h"

extern const struct command command_edge;
const struct command *const commands[] = {&command_edge, NULL};

int main(int count, char **arguments)
{
	const struct rlimit no_core = {0, 0};
	struct command_line line;
	struct rs_error err = {0};
	uint64_t threads;
	(void)setrlimit(RLIMIT_CORE, &no_core);
	/* Messages of half a MiB come and go: their memory is kept, not given back and asked for again page by page. */
	(void)mallopt(M_MMAP_THRESHOLD, 2 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 2 << 20);
	signal(SIGPIPE, SIG_IGN);
	if (count == 2 && (strcmp(arguments[1], "--version") == 0 || strcmp(arguments[1], "version") == 0)) {
		puts("radseal-edge " RADSEAL_VERSION);
		return EXIT_OK;
	}
	enum rs_code code = command_parse(&command_edge, count - 1, arguments + 1, &line, &err);
	if (code == RS_OK && option_given(&line, "help")) {
		command_help(&command_edge, stdout);
		return EXIT_OK;
	}
	line.program = arguments[0];
	if (code == RS_OK)
		code = option_u64(&line, "threads", 0, 1024, &threads, &err);
	if (code == RS_OK)
		code = rs_crypto_init(&err);
	if (code == RS_OK)
		code = command_edge.run(&line, &err);
	if (code != RS_OK)
		fprintf(stderr, "radseal-edge: %s\n", err.message);
	return exit_status_of(code);
}
