/* A reader of structured fields. */
#include "fields.h"

#include <string.h>

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
static bool is_one_of(char c, const char *set) { return c != '\0' && strchr(set, c) != NULL; }

static char peek(const struct fields *fields) { return fields->at < fields->end ? *fields->at : '\0'; }

static bool skip(struct fields *fields, char c)
{
	bool is = peek(fields) == c && c != '\0';
	fields->at += is;
	return is;
}

static enum rs_code malformed(const char *what, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "a structured field (RFC 8941) has %s", what);
}

enum rs_code fields_init(struct fields *fields, struct rs_str text, struct rs_error *err)
{
	if (text.size > FIELD_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a structured field has more than %zu bytes",
		                    FIELD_SIZE_MAX);
	text = rs_str_trim(text);
	const char *start = text.size ? text.data : ""; /* a field that is not there has no data */
	*fields = (struct fields){start, start + text.size};
	return RS_OK;
}

static enum rs_code read_key(struct fields *fields, struct rs_str *out, struct rs_error *err)
{
	const char *start = fields->at;
	if (!is_lower(peek(fields)) && peek(fields) != '*')
		return malformed("no key where one belongs", err);
	while (is_lower(peek(fields)) || is_digit(peek(fields)) || is_one_of(peek(fields), "_-.*"))
		fields->at++;
	*out = (struct rs_str){start, (size_t)(fields->at - start)};
	return RS_OK;
}

static void skip_space(struct fields *fields, const char *space)
{
	while (is_one_of(peek(fields), space))
		fields->at++;
}

enum rs_code fields_key(struct fields *fields, bool *first, struct rs_str *out, bool *out_any,
                        struct rs_error *err)
{
	if (!*first) {
		skip_space(fields, " \t");
		if (fields->at < fields->end && !skip(fields, ','))
			return malformed("members without a comma between", err);
		bool ended = fields->at[-1] != ',';
		skip_space(fields, " \t");
		if (!ended && fields->at == fields->end)
			return malformed("a comma at its end", err);
	}
	*first = false;
	*out_any = fields->at < fields->end;
	return *out_any ? read_key(fields, out, err) : RS_OK;
}

static enum rs_code read_string(struct fields *fields, struct item *out, struct rs_error *err)
{
	const char *start = ++fields->at;
	while (fields->at < fields->end && *fields->at != '"') {
		if (*fields->at < ' ' || *fields->at > '~')
			return malformed("a string with characters that none may have", err);
		if (*fields->at == '\\' && (++fields->at == fields->end || !is_one_of(*fields->at, "\"\\")))
			return malformed("a string with an escape that is none", err);
		fields->at++;
	}
	*out = (struct item){ITEM_STRING, {start, (size_t)(fields->at - start)}};
	return skip(fields, '"') ? RS_OK : malformed("a string without an end", err);
}

static enum rs_code read_bytes(struct fields *fields, struct item *out, struct rs_error *err)
{
	const char *start = ++fields->at;
	while (is_letter(peek(fields)) || is_digit(peek(fields)) || is_one_of(peek(fields), "+/="))
		fields->at++;
	*out = (struct item){ITEM_BYTES, {start, (size_t)(fields->at - start)}};
	return skip(fields, ':') ? RS_OK : malformed("bytes without an end", err);
}

/* Integers of up to 15 digits; decimals of up to 12, a point, and 1 to 3 (section 4.2.4). */
static enum rs_code read_number(struct fields *fields, struct item *out, struct rs_error *err)
{
	const char *start = fields->at;
	size_t before = 0, after = 0;
	(void)skip(fields, '-');
	for (; is_digit(peek(fields)); before++)
		fields->at++;
	bool has_point = skip(fields, '.');
	for (; has_point && is_digit(peek(fields)); after++)
		fields->at++;
	*out = (struct item){ITEM_NUMBER, {start, (size_t)(fields->at - start)}};
	if (before == 0 || before > (has_point ? 12 : 15) || (has_point && (after == 0 || after > 3)))
		return malformed("a number that is none", err);
	return RS_OK;
}

static enum rs_code read_item(struct fields *fields, struct item *out, struct rs_error *err)
{
	const char *start = fields->at;
	char c = peek(fields);
	if (c == '"')
		return read_string(fields, out, err);
	if (c == ':')
		return read_bytes(fields, out, err);
	if (c == '-' || is_digit(c))
		return read_number(fields, out, err);
	if (skip(fields, '?')) {
		if (!skip(fields, '0') && !skip(fields, '1'))
			return malformed("a boolean that is none", err);
		*out = (struct item){ITEM_SWITCH, {start, 2}};
		return RS_OK;
	}
	if (!is_letter(c) && c != '*')
		return malformed("no value where one belongs", err);
	while (is_letter(peek(fields)) || is_digit(peek(fields)) ||
	       is_one_of(peek(fields), "!#$%&'*+-.^_`|~:/"))
		fields->at++;
	*out = (struct item){ITEM_TOKEN, {start, (size_t)(fields->at - start)}};
	return RS_OK;
}

enum rs_code fields_item(struct fields *fields, struct item *out, struct rs_error *err)
{
	*out = (struct item){ITEM_SWITCH, {"?1", 2}};
	return skip(fields, '=') ? read_item(fields, out, err) : RS_OK;
}

bool fields_list(struct fields *fields)
{
	bool is = fields->end - fields->at >= 2 && fields->at[0] == '=' && fields->at[1] == '(';
	fields->at += is ? 2 : 0;
	return is;
}

enum rs_code fields_listed(struct fields *fields, bool *first, struct item *out, bool *out_any,
                           struct rs_error *err)
{
	const char *before = fields->at;
	skip_space(fields, " ");
	*out_any = !skip(fields, ')');
	if (!*out_any)
		return RS_OK;
	if (!*first && fields->at == before)
		return malformed("a list whose items have no space between", err);
	*first = false;
	return read_item(fields, out, err);
}

enum rs_code fields_parameter(struct fields *fields, struct rs_str *out_key, struct item *out, bool *out_any,
                              struct rs_error *err)
{
	*out_any = skip(fields, ';');
	if (!*out_any)
		return RS_OK;
	skip_space(fields, " ");
	RS_TRY(read_key(fields, out_key, err));
	return fields_item(fields, out, err);
}

static enum rs_code pass_parameters(struct fields *fields, struct rs_error *err)
{
	struct rs_str key;
	struct item value;
	for (bool any = true; any;)
		RS_TRY(fields_parameter(fields, &key, &value, &any, err));
	return RS_OK;
}

enum rs_code fields_pass(struct fields *fields, struct rs_error *err)
{
	struct item item;
	bool first = true, any = true;
	if (!fields_list(fields)) {
		RS_TRY(fields_item(fields, &item, err));
		return pass_parameters(fields, err);
	}
	while (any) {
		RS_TRY(fields_listed(fields, &first, &item, &any, err));
		RS_TRY(pass_parameters(fields, err));
	}
	return RS_OK;
}
