/* radseal manual and completion: what make install puts beside the program. */
#include "command.h"

static const struct option options[] = {{NULL, NULL, NULL}};

static const struct example manual_examples[] = {
	{"radseal manual > radseal.1", "write the manual page"},
	{NULL, NULL},
};

const struct command command_manual = {
	.name = "manual",
	.arguments = "",
	.summary = "print the manual page (roff)",
	.description = "Prints the manual page, written from the same table as --help.",
	.options = options,
	.examples = manual_examples,
	.text_only = true,
	.run = run_manual,
};

static const struct example completion_examples[] = {
	{"radseal completion bash > /etc/bash_completion.d/radseal", "complete commands and options in bash"},
	{NULL, NULL},
};

const struct command command_completion = {
	.name = "completion",
	.arguments = "bash|zsh|fish",
	.summary = "print completion for a shell",
	.description = "Prints a completion script, written from the same table as --help.",
	.options = options,
	.examples = completion_examples,
	.text_only = true,
	.run = run_completion,
};
