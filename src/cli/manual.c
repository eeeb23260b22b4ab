/* The manual page (roff man macros) and shell completion, written from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "command.h"

/* roff: a backslash or a leading dot or quote would be a request; a hyphen must stay a hyphen. */
static void roff(FILE *out, const char *text)
{
	bool start = true;
	for (const char *p = text; *p; p++) {
		if (start && (*p == '.' || *p == '\''))
			fputs("\\&", out);
		if (*p == '\\')
			fputs("\\e", out);
		else if (*p == '-')
			fputs("\\-", out);
		else
			fputc(*p, out);
		start = *p == '\n';
	}
}

static void roff_line(FILE *out, const char *request, const char *text)
{
	fputs(request, out);
	roff(out, text);
	fputc('\n', out);
}

static void manual_options(const struct option *options, FILE *out)
{
	for (const struct option *option = options; option->name; option++) {
		fputs(".TP\n\\fB\\-\\-", out);
		roff(out, option->name);
		fputs("\\fR", out);
		if (option->argument)
			fprintf(out, " \\fI%s\\fR", option->argument);
		fputc('\n', out);
		roff_line(out, "", option->help);
	}
}

static void manual_command(const struct command *command, FILE *out)
{
	fputs(".SS radseal ", out);
	roff(out, command->name);
	roff_line(out, *command->arguments ? " " : "", command->arguments);
	roff_line(out, "", command->description);
	if (command->details)
		roff_line(out, "", command->details);
	manual_options(command->options, out);
	for (const struct example *example = command->examples; example->line; example++) {
		fputs(".PP\n", out);
		roff_line(out, "", example->help);
		fputs(".nf\n.RS\n", out);
		roff_line(out, "", example->line);
		fputs(".RE\n.fi\n", out);
	}
}

enum rs_code run_manual(const struct command_line *line, struct rs_error *err)
{
	FILE *out = stdout;
	if (line->operand_count)
		return rs_error_set(err, RS_USAGE, "manual takes no operand");
	fputs(".TH RADSEAL 1 \"\" \"radseal " RADSEAL_VERSION "\" \"User Commands\"\n.SH NAME\n"
	      "radseal \\- seal medical images, measure them, prove them unchanged\n.SH SYNOPSIS\n"
	      ".B radseal\n.I COMMAND\n[OPTION]... [OPERAND]...\n.SH COMMANDS\n",
	      out);
	for (const struct command *const *row = commands; *row; row++)
		manual_command(*row, out);
	fputs(".SH COMMON OPTIONS\n", out);
	manual_options(common_options, out);
	fputs(".SH EXIT STATUS\n0 ok; 1 verification or check failed; 2 usage; 3 refused by the contract; "
	      "4 input/output.\n",
	      out);
	return RS_OK;
}

static void bash_words(const struct command *command, FILE *out)
{
	for (const struct option *option = command->options; option->name; option++)
		fprintf(out, " --%s", option->name);
	for (const struct option *option = common_options; option->name; option++)
		if (command_takes(command, option))
			fprintf(out, " --%s", option->name);
}

static void completion_bash(FILE *out)
{
	fputs("_radseal() {\n  local word=${COMP_WORDS[COMP_CWORD]} words\n"
	      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    words='",
	      out);
	for (const struct command *const *row = commands; *row; row++)
		fprintf(out, "%s%s", row == commands ? "" : " ", (*row)->name);
	fputs("'\n  else\n    case ${COMP_WORDS[1]} in\n", out);
	for (const struct command *const *row = commands; *row; row++) {
		fprintf(out, "    %s) words='", (*row)->name);
		bash_words(*row, out);
		fputs("' ;;\n", out);
	}
	fputs("    esac\n  fi\n  case $word in\n"
	      "  -*) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\") ;;\n"
	      "  *) if [ \"$COMP_CWORD\" -eq 1 ]; then mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
	      "     else mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); fi ;;\n"
	      "  esac\n}\ncomplete -o filenames -F _radseal radseal\n",
	      out);
}

static void fish_option(const char *command, const struct option *option, FILE *out)
{
	fprintf(out, "complete -c radseal -n '__fish_seen_subcommand_from %s' -l %s%s -d \"", command,
	        option->name, option->argument ? " -r" : "");
	for (const char *p = option->help; *p; p++) {
		if (*p == '"' || *p == '$' || *p == '\\')
			fputc('\\', out);
		fputc(*p, out);
	}
	fputs("\"\n", out);
}

static void completion_fish(FILE *out)
{
	for (const struct command *const *row = commands; *row; row++) {
		fprintf(out, "complete -c radseal -n __fish_use_subcommand -a %s -d \"%s\"\n", (*row)->name,
		        (*row)->summary);
		for (const struct option *option = (*row)->options; option->name; option++)
			fish_option((*row)->name, option, out);
		for (const struct option *option = common_options; option->name; option++)
			if (command_takes(*row, option))
				fish_option((*row)->name, option, out);
	}
}

enum rs_code run_completion(const struct command_line *line, struct rs_error *err)
{
	const char *shell = line->operand_count == 1 ? line->operands[0] : "";
	if (strcmp(shell, "bash") == 0) {
		completion_bash(stdout);
	} else if (strcmp(shell, "zsh") == 0) {
		fputs("autoload -U +X bashcompinit && bashcompinit\n", stdout);
		completion_bash(stdout);
	} else if (strcmp(shell, "fish") == 0) {
		completion_fish(stdout);
	} else {
		return rs_error_set(err, RS_USAGE, "completion: name one shell: bash, zsh or fish");
	}
	return RS_OK;
}
