/* The program's own commands, run as somebody would type them: each is a process, its line is shown, what it printed is
 * kept. */
#ifndef RS_STORY_CHILD_H
#define RS_STORY_CHILD_H

#include <sys/types.h>

#include "base/base.h"

#define CHILD_OUTPUT_MAX ((size_t)64 << 20)
#define CHILD_ARGUMENTS_MAX 64

struct child {
	pid_t pid;
	int out, said;           /* ends of the pipes from standard output and error; -1: closed */
	struct rs_buffer text;   /* what came on standard output */
	struct rs_buffer reason; /* and on standard error */
	char *line;              /* as it may be typed again */
	int status;              /* of a child that ended */
};

/* program: NULL for this one, else one that $PATH has. arguments: without the program's name, end with NULL.
 * errors  RS_NOT_FOUND: there is no such program */
enum rs_code child_start(const char *program, const char *const *arguments, struct child *out,
                         struct rs_error *err);
/* Reads until `until` came on standard output (NULL: to the end).
 * errors  RS_IO: it ended before; the sentence is what it said */
enum rs_code child_read(struct child *child, const char *until, struct rs_error *err);
/* Reads to the end and waits. errors  RS_IO, by the sentence it ended with, when its exit status is not this one, and
 * not 1 either where it `may_leave_out` something */
enum rs_code child_end(struct child *child, int status, bool may_leave_out, struct rs_error *err);
/* Ends what still runs; accepts zeroed memory. */
void child_finish(struct child *child);

#endif
