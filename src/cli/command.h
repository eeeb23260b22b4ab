/* One subcommand is one row: its options, help, examples and function. From the same rows come
 * parsing, --help, the manual page and shell completion. */
#ifndef RS_CLI_COMMAND_H
#define RS_CLI_COMMAND_H

#include "base/base.h"

#define OPTIONS_MAX 48
#define REPEATS_MAX 64

enum exit_status {
	EXIT_OK = 0,
	EXIT_CHECK_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_REFUSED = 3,
	EXIT_INPUT_OUTPUT = 4,
};

struct option {
	const char *name;     /* long name without dashes */
	const char *argument; /* NULL: a switch */
	const char *help;
};

/* Another spelling of an option, as programs that radseal replaces have it: {"-o", "output"}. */
struct alias {
	const char *spelling, *option;
};

struct example {
	const char *line, *help;
};

struct command_line; /* what the user typed, parsed */

struct command {
	const char *name, *arguments, *summary, *description;
	const char *details; /* goes on with the description: C promises strings of 4095 only; NULL: none */
	const struct option *options;   /* ends with a NULL name; the common options are added */
	const struct example *examples; /* ends with a NULL line */
	const struct alias *aliases;    /* ends with a NULL spelling; NULL: none but -h */
	const char *repeatable;         /* the option that may be given several times; NULL: none */
	/* An option that may stand without its value, and what it means then; NULL: none. */
	const char *implied_option, *implied_value;
	bool text_only; /* prints for people: has no --json */
	enum rs_code (*run)(const struct command_line *line, struct rs_error *err);
};

struct command_line {
	const struct command *command;
	const char *program;              /* as the user called it: what is printed to be typed again works */
	const char *values[OPTIONS_MAX];  /* by row of options, then common ones; "" for a given switch */
	const char *repeats[REPEATS_MAX]; /* every value of the repeatable option */
	size_t repeat_count;
	char *const *operands;
	size_t operand_count;
};

extern const struct command *const commands[]; /* ends with NULL */
extern const struct option common_options[];

/* Whether a common option is one of this command. */
bool command_takes(const struct command *command, const struct option *common);
/* NULL when the option was not given. */
const char *option_value(const struct command_line *line, const char *name);
bool option_given(const struct command_line *line, const char *name);
/* "--json" and "--quiet" are common. */
enum rs_code option_u64(const struct command_line *line, const char *name, uint64_t fallback,
                        uint64_t maximum, uint64_t *out, struct rs_error *err);

/* Operands are moved behind options in place ("--" ends the options). RS_USAGE names what is wrong. */
enum rs_code command_parse(const struct command *command, int count, char **arguments,
                           struct command_line *out, struct rs_error *err);
void command_help(const struct command *command, FILE *out);
void program_help(FILE *out);
enum rs_code run_manual(const struct command_line *line, struct rs_error *err);
enum rs_code run_completion(const struct command_line *line, struct rs_error *err);

int exit_status_of(enum rs_code code);

#endif
