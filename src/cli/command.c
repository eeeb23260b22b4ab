/* Parsing of command lines and their help, driven by the table of commands. */
#include "command.h"

#include <string.h>

const struct option common_options[] = {
	{"home", "DIR", "the node's directory; otherwise $RADSEAL_HOME, otherwise ./radseal-home"},
	{"passphrase-file", "FILE", "read the passphrase of the node's keys from FILE"},
	{"wait", "SECONDS", "how long to wait while others write to the node; 30 by default"},
	{"threads", "N", "threads to use; 0, the default, takes every processor"},
	{"json", NULL, "print one JSON document on standard output"},
	{"quiet", NULL, "print results and errors only"},
	{"help", NULL, "show this help"},
	{NULL, NULL, NULL},
};

bool command_takes(const struct command *command, const struct option *common)
{
	return !command->text_only || strcmp(common->name, "json") != 0;
}

/* Row number of an option in values[]: the command's own rows, then the common ones. */
static size_t find_option(const struct command *command, struct rs_str name, const struct option **out)
{
	size_t row = 0;
	for (const struct option *option = command->options; option->name; option++, row++)
		if (rs_str_equal_text(name, option->name)) {
			*out = option;
			return row;
		}
	for (const struct option *option = common_options; option->name; option++, row++)
		if (rs_str_equal_text(name, option->name) && command_takes(command, option)) {
			*out = option;
			return row;
		}
	*out = NULL;
	return row;
}

const char *option_value(const struct command_line *line, const char *name)
{
	const struct option *option;
	size_t row = find_option(line->command, rs_str_from(name), &option);
	return option ? line->values[row] : NULL;
}

bool option_given(const struct command_line *line, const char *name)
{
	return option_value(line, name) != NULL;
}

enum rs_code option_u64(const struct command_line *line, const char *name, uint64_t fallback,
                        uint64_t maximum, uint64_t *out, struct rs_error *err)
{
	const char *text = option_value(line, name);
	uint64_t value = fallback;
	if (text && (!rs_parse_u64(rs_str_from(text), &value) || value > maximum))
		return rs_error_set(err, RS_USAGE, "--%s: '%s' is not a whole number from 0 to %llu", name,
		                    text, (unsigned long long)maximum);
	*out = value;
	return RS_OK;
}

/* What the user typed as an option: its row, and the value that hangs on it ("--label=2", "-l2"). */
struct typed {
	const struct option *option;
	size_t row;
	const char *value; /* NULL: none hangs on */
};

static const struct alias common_aliases[] = {{"-h", "help"}, {"-j", "threads"}, {NULL, NULL}};

/* An alias as it stands, else one of a letter with its value behind it; *out_value is left alone otherwise. */
static const char *find_alias(const struct alias *aliases, const char *text, const char **out_value)
{
	for (const struct alias *row = aliases; row != NULL && row->spelling != NULL; row++)
		if (strcmp(row->spelling, text) == 0)
			return row->option;
	for (const struct alias *row = aliases; row != NULL && row->spelling != NULL; row++)
		if (row->spelling[1] != '-' && row->spelling[2] == '\0' &&
		    strncmp(row->spelling, text, 2) == 0) {
			*out_value = text + 2;
			return row->option;
		}
	return NULL;
}

static bool look_up(const struct command *command, const char *text, struct typed *out)
{
	struct rs_str rest = rs_str_from(text), head, name;
	(void)rs_str_split(&rest, '=', &head);
	out->value = NULL;
	if (text[1] == '-') {
		name = (struct rs_str){head.data + 2, head.size - 2};
		for (const struct alias *row = command->aliases; row != NULL && row->spelling != NULL; row++)
			if (rs_str_equal_text(head, row->spelling))
				name = rs_str_from(row->option);
		out->value = rest.data;
	} else {
		const char *option = find_alias(command->aliases, text, &out->value);
		name = rs_str_from(option ? option : find_alias(common_aliases, text, &out->value));
	}
	out->row = find_option(command, name, &out->option);
	return out->option != NULL;
}

static enum rs_code parse_option(struct command_line *line, int count, char **arguments, int *index,
                                 struct rs_error *err)
{
	const char *text = arguments[*index];
	struct typed typed;
	uint64_t number;
	if (!look_up(line->command, text, &typed))
		return rs_error_set(err, RS_USAGE, "%s: unknown option '%s'; see radseal %s --help",
		                    line->command->name, text, line->command->name);
	const struct option *option = typed.option;
	bool repeatable = line->command->repeatable != NULL &&
	                  strcmp(line->command->repeatable, option->name) == 0;
	if (line->values[typed.row] && !repeatable)
		return rs_error_set(err, RS_USAGE, "--%s is given twice", option->name);
	if (!option->argument) {
		if (typed.value)
			return rs_error_set(err, RS_USAGE, "--%s takes no value", option->name);
		line->values[typed.row] = "";
		return RS_OK;
	}
	const char *value = typed.value;
	bool more = *index + 1 < count;
	if (!value && line->command->implied_option != NULL &&
	    strcmp(line->command->implied_option, option->name) == 0 &&
	    (!more ||
	     (*arguments[*index + 1] != '\0' && !rs_parse_u64(rs_str_from(arguments[*index + 1]), &number))))
		value = line->command->implied_value;
	if (!value && more)
		value = arguments[++*index];
	/* An empty value is most often a variable that is not set: "--home $NODE" must not mean another node. */
	if (!value || !*value)
		return rs_error_set(err, RS_USAGE, "--%s needs a value (%s)", option->name, option->argument);
	line->values[typed.row] = value;
	if (repeatable && line->repeat_count == REPEATS_MAX)
		return rs_error_set(err, RS_USAGE, "--%s is given more than %d times", option->name,
		                    REPEATS_MAX);
	if (repeatable)
		line->repeats[line->repeat_count++] = value;
	return RS_OK;
}

enum rs_code command_parse(const struct command *command, int count, char **arguments,
                           struct command_line *out, struct rs_error *err)
{
	struct command_line line = {.command = command};
	size_t operands = 0;
	bool options_ended = false;
	for (int i = 0; i < count; i++) {
		char *text = arguments[i];
		if (options_ended || text[0] != '-' || text[1] == '\0') {
			arguments[operands++] = text;
		} else if (strcmp(text, "--") == 0) {
			options_ended = true;
		} else {
			RS_TRY(parse_option(&line, count, arguments, &i, err));
		}
	}
	line.operands = arguments;
	line.operand_count = operands;
	*out = line;
	return RS_OK;
}

static bool is_taken(const struct alias *aliases, const char *spelling)
{
	for (; aliases != NULL && aliases->spelling != NULL; aliases++)
		if (strcmp(aliases->spelling, spelling) == 0)
			return true;
	return false;
}

static void print_aliases(const struct command *command, const struct option *option, FILE *out)
{
	const char *before = " (also ";
	for (const struct alias *row = command->aliases; row != NULL && row->spelling != NULL; row++)
		if (strcmp(row->option, option->name) == 0) {
			fprintf(out, "%s%s", before, row->spelling);
			before = ", ";
		}
	for (const struct alias *row = common_aliases; row->spelling != NULL; row++)
		if (strcmp(row->option, option->name) == 0 && !is_taken(command->aliases, row->spelling)) {
			fprintf(out, "%s%s", before, row->spelling);
			before = ", ";
		}
	if (strcmp(before, ", ") == 0)
		fputc(')', out);
}

static void print_options(const struct command *command, const struct option *options, FILE *out)
{
	for (const struct option *option = options; option->name; option++) {
		char head[64];
		if (options == common_options && !command_takes(command, option))
			continue;
		snprintf(head, sizeof head, "--%s%s%s", option->name, option->argument ? " " : "",
		         option->argument ? option->argument : "");
		fprintf(out, "  %-24s %s", head, option->help);
		print_aliases(command, option, out);
		fputc('\n', out);
	}
}

void command_help(const struct command *command, FILE *out)
{
	fprintf(out, "radseal %s %s\n\n%s\n", command->name, command->arguments, command->description);
	if (command->details)
		fprintf(out, "%s\n", command->details);
	if (command->options->name) {
		fprintf(out, "\nOptions:\n");
		print_options(command, command->options, out);
	}
	fprintf(out, "\nCommon options:\n");
	print_options(command, common_options, out);
	fprintf(out, "\nExamples:\n");
	for (const struct example *example = command->examples; example->line; example++)
		fprintf(out, "  %s\n      %s\n", example->line, example->help);
	fprintf(out, "\nExit status: 0 ok, 1 verification or check failed, 2 usage, 3 refused by the "
	             "contract,\n4 input/output.\n");
}

void program_help(FILE *out)
{
	fprintf(out, "radseal seals medical images, measures what is in them, and proves that none of it "
	             "was changed.\n\nUsage: radseal COMMAND [OPTION…] [OPERAND…]\n\nCommands:\n");
	for (const struct command *const *row = commands; *row; row++)
		fprintf(out, "  %-12s %s\n", (*row)->name, (*row)->summary);
	fprintf(out, "\nradseal COMMAND --help tells more, with examples. New here? radseal demo\n");
}

int exit_status_of(enum rs_code code)
{
	switch (code) {
	case RS_OK: return EXIT_OK;
	case RS_USAGE: return EXIT_USAGE;
	case RS_REFUSED: return EXIT_REFUSED;
	case RS_MALFORMED:
	case RS_UNSUPPORTED:
	case RS_TOO_LARGE:
	case RS_ALTERED: return EXIT_CHECK_FAILED;
	default: return EXIT_INPUT_OUTPUT;
	}
}
