/* Words for what data are used for. */
#include "access_words.h"

#include <stdio.h>
#include <string.h>

struct word {
	unsigned number;
	const char *name;
};

static const struct word purposes[] = {
#define PURPOSE_WORD(member, number, name, code) {number, name},
	RS_PURPOSES(PURPOSE_WORD)
#undef PURPOSE_WORD
};

static const struct word operations[] = {
#define OPERATION_WORD(member, number, name) {number, name},
	RS_OPERATIONS(OPERATION_WORD)
#undef OPERATION_WORD
};

/* 0 with a sentence when the text is none of the allowed ones. */
static unsigned find(const char *option, const char *text, const struct word *words, size_t count,
                     unsigned allowed, struct rs_error *err)
{
	char choices[256] = "";
	for (size_t i = 0; i < count; i++) {
		if (!(allowed >> words[i].number & 1))
			continue;
		if (text && strcmp(text, words[i].name) == 0)
			return words[i].number;
		size_t used = strlen(choices);
		(void)snprintf(choices + used, sizeof choices - used, "%s%s", used ? ", " : "",
		               words[i].name);
	}
	if (text)
		rs_error_set(err, RS_USAGE, "--%s is one of %s, not '%s'", option, choices, text);
	else
		rs_error_set(err, RS_USAGE, "--%s is missing: one of %s", option, choices);
	return 0;
}

enum rs_code option_purpose(const struct command_line *line, enum rs_purpose *out, struct rs_error *err)
{
	unsigned number = find("purpose", option_value(line, "purpose"), purposes, RS_COUNT(purposes), ~0u,
	                       err);
	if (!number)
		return RS_USAGE;
	*out = (enum rs_purpose)number;
	return RS_OK;
}

enum rs_code option_operation(const struct command_line *line, unsigned allowed, enum rs_operation fallback,
                              enum rs_operation *out, struct rs_error *err)
{
	const char *text = option_value(line, "operation");
	unsigned number = text ? find("operation", text, operations, RS_COUNT(operations), allowed, err)
	                       : fallback;
	if (!number)
		return RS_USAGE;
	*out = (enum rs_operation)number;
	return RS_OK;
}
