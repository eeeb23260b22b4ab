#include "option_lists.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum rs_code option_number(const struct command_line *line, const char *name, double fallback, double *out,
                           struct rs_error *err)
{
	const char *value = option_value(line, name);
	*out = fallback;
	if (!value)
		return RS_OK;
	if (rs_parse_f64(rs_str_from(value), out) && isfinite(*out))
		return RS_OK;
	return rs_error_set(err, RS_USAGE, "--%s %s: not a number", name, value);
}

enum rs_code option_numbers(const struct command_line *line, const char *name, double *out, size_t most,
                            size_t *out_count, struct rs_error *err)
{
	const char *value = option_value(line, name), *rest = value;
	*out_count = 0;
	while (rest && *out_count < most) {
		size_t length = strcspn(rest, ",");
		if (!rs_parse_f64((struct rs_str){rest, length}, &out[*out_count]))
			return rs_error_set(err, RS_USAGE, "--%s %s: numbers with commas between them", name,
			                    value);
		*out_count += 1;
		rest = rest[length] ? rest + length + 1 : NULL;
	}
	return rest ? rs_error_set(err, RS_USAGE, "--%s: at most %zu", name, most) : RS_OK;
}

enum rs_code option_names(const struct command_line *line, const char *name, const char **out, size_t most,
                          size_t *out_count, char **out_text, struct rs_error *err)
{
	const char *value = option_value(line, name);
	*out_count = 0;
	*out_text = value ? rs_text_printf("%s", value) : NULL;
	if (value && !*out_text)
		return rs_error_memory(err, strlen(value), "names of columns");
	for (char *rest = *out_text; rest; *out_count += 1) {
		char *comma = strchr(rest, ',');
		if (*out_count == most)
			return rs_error_set(err, RS_USAGE, "--%s: at most %zu columns", name, most);
		out[*out_count] = rest;
		if (comma)
			*comma = '\0';
		rest = comma ? comma + 1 : NULL;
	}
	return RS_OK;
}

enum rs_code option_word(const struct command_line *line, const char *name, const char *const *words,
                         unsigned fallback, unsigned *out, struct rs_error *err)
{
	const char *value = option_value(line, name);
	char known[256] = "";
	*out = fallback;
	for (unsigned w = 0; value && words[w]; w++) {
		if (strcmp(value, words[w]) == 0) {
			*out = w;
			return RS_OK;
		}
		size_t used = strlen(known);
		snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", words[w]);
	}
	return value ? rs_error_set(err, RS_USAGE, "--%s %s: not one of %s", name, value, known) : RS_OK;
}

enum rs_code option_level(const struct command_line *line, double *out, struct rs_error *err)
{
	RS_TRY(option_number(line, "level", 0.95, out, err));
	return *out > 0 && *out < 1 ? RS_OK
	                            : rs_error_set(err, RS_USAGE, "--level: between 0 and 1, such as 0.95");
}
