/* Matching after PS3.4 section C.2.2.2. Names are compared without regard to case, and one of their component groups is enough;
 * times by what they mean; numbers as numbers; all else as it is written. */
#include "match.h"

#include <stdio.h>
#include <string.h>

#include "fold.h"

#define LIST_MAX 20000

static bool vr_is(const struct rs_catalogue_attribute *attribute, const char *vr)
{
	return strcmp(attribute->vr, vr) == 0;
}

static bool is_number(const struct rs_catalogue_attribute *attribute)
{
	return vr_is(attribute, "IS") || vr_is(attribute, "US") || vr_is(attribute, "DS");
}

static bool takes_wildcards(const struct rs_catalogue_attribute *attribute)
{
	static const char *const none[] = {"UI", "DA", "TM", "IS", "US", "DS", "AS"};
	for (size_t i = 0; i < RS_COUNT(none); i++)
		if (vr_is(attribute, none[i]))
			return false;
	return true;
}

static bool digits(struct rs_str text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.size > 0;
}

static bool below(const char *two, int limit) { return (two[0] - '0') * 10 + two[1] - '0' < limit; }

/* Without the points of before 1993; "" when it is no date. */
static bool read_date(struct rs_str text, char out[static TIME_SIZE])
{
	size_t size = 0;
	for (size_t i = 0; i < text.size && size < 9; i++)
		if (text.data[i] != '.')
			out[size++] = text.data[i];
	out[size] = '\0';
	return size == 8 && digits((struct rs_str){out, 8}) && below(out + 4, 13) && below(out + 6, 32) &&
	       strncmp(out + 4, "00", 2) != 0 && strncmp(out + 6, "00", 2) != 0;
}

/* HH[MM[SS[.F…]]], with or without colons, to microseconds; what is missing is `fill`. */
static bool read_time(struct rs_str text, char fill, char out[static TIME_SIZE])
{
	static const int limits[] = {24, 60, 61};
	char plain[TIME_SIZE + 2];
	size_t size = 0;
	for (size_t i = 0; i < text.size && size < TIME_SIZE; i++)
		if (text.data[i] != ':' && (text.data[i] != '.' || size != 6))
			plain[size++] = text.data[i];
	if (size < 2 || size > TIME_SIZE - 1 || (size < 6 && size % 2 != 0) ||
	    !digits((struct rs_str){plain, size}))
		return false;
	for (size_t i = 0; i < 3 && 2 * i < size; i++)
		if (!below(plain + 2 * i, limits[i]))
			return false;
	memset(out, fill, TIME_SIZE - 1);
	memcpy(out, plain, size);
	out[TIME_SIZE - 1] = '\0';
	return true;
}

static bool read_moment(const struct rs_catalogue_attribute *attribute, struct rs_str text, char fill,
                        char out[static TIME_SIZE])
{
	text = rs_str_trim(text);
	return vr_is(attribute, "DA") ? read_date(text, out) : read_time(text, fill, out);
}

static bool is_moment(const struct rs_catalogue_attribute *attribute)
{
	return vr_is(attribute, "DA") || vr_is(attribute, "TM");
}

static enum rs_code read_range(struct key *key, struct rs_error *err)
{
	struct rs_str rest = key->value, from;
	bool is_range = memchr(rest.data, '-', rest.size) != NULL;
	(void)rs_str_split(&rest, '-', &from);
	from = rs_str_trim(from);
	rest = rs_str_trim(rest);
	bool good = (from.size || rest.size) &&
	            (!from.size || read_moment(key->attribute, from, '0', key->from)) &&
	            (!rest.size || read_moment(key->attribute, rest, '9', key->to));
	if (!is_range && good)
		memcpy(key->to, key->from, sizeof key->to);
	key->kind = KEY_RANGE;
	return good ? RS_OK
	            : rs_error_set(err, RS_USAGE, "a key that is a %s, or a range of them, is none",
	                           vr_is(key->attribute, "DA") ? "date" : "time");
}

static bool has_any(struct rs_str text, const char *characters)
{
	for (size_t i = 0; i < text.size; i++)
		if (strchr(characters, text.data[i]) && text.data[i])
			return true;
	return false;
}

enum rs_code key_read(const struct rs_catalogue_key *from, struct key *out, struct rs_error *err)
{
	const struct rs_catalogue_attribute *attribute = rs_catalogue_attribute(from->tag);
	*out = (struct key){.attribute = attribute, .value = rs_str_trim(from->value)};
	if (from->value.size > RS_CATALOGUE_KEY_SIZE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a key has %zu bytes", from->value.size);
	/* Counts are told, not asked for. */
	if (!attribute || !attribute->number || out->value.size == 0 || rs_str_equal_text(out->value, "*"))
		return RS_OK;
	if (!rs_utf8_valid(out->value) || memchr(out->value.data, '\0', out->value.size))
		return rs_error_set(err, RS_USAGE, "a key has characters that are none");
	if (is_moment(attribute))
		return read_range(out, err);
	if (vr_is(attribute, "PN")) {
		if (out->value.size > VALUE_MAX)
			return rs_error_set(err, RS_USAGE, "a name has more than %zu bytes", VALUE_MAX);
		out->value = (struct rs_str){out->name, name_normalise(out->value, out->name)};
	}
	out->kind = takes_wildcards(attribute) && has_any(out->value, "*?") ? KEY_WILD
	            : has_any(out->value, "\\")                             ? KEY_LIST
	                                                                    : KEY_SINGLE;
	return RS_OK;
}

/* '*' any characters, '?' one. */
static bool fits(struct rs_str pattern, struct rs_str text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, again = 0;
	while (t < text.size) {
		if (p < pattern.size && pattern.data[p] == '?') {
			p++;
			t += character_size(text, t);
		} else if (p < pattern.size && pattern.data[p] == '*') {
			star = p++;
			again = t;
		} else if (p < pattern.size && pattern.data[p] == text.data[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = again += character_size(text, again);
		} else {
			return false;
		}
	}
	while (p < pattern.size && pattern.data[p] == '*')
		p++;
	return p == pattern.size;
}

static bool numbers_equal(struct rs_str a, struct rs_str b)
{
	double first, second;
	return rs_parse_f64(a, &first) && rs_parse_f64(b, &second) ? !(first < second) && !(first > second)
	                                                           : rs_str_equal(a, b);
}

static bool one_matches(const struct key *key, struct rs_str wanted, struct rs_str value)
{
	char moment[TIME_SIZE];
	if (key->kind == KEY_RANGE)
		return read_moment(key->attribute, value, '0', moment) &&
		       (!key->from[0] || strcmp(moment, key->from) >= 0) &&
		       (!key->to[0] || strcmp(moment, key->to) <= 0);
	if (key->kind == KEY_WILD)
		return fits(wanted, value);
	return is_number(key->attribute) ? numbers_equal(wanted, value) : rs_str_equal(wanted, value);
}

/* "DOE^*" is asked for by who means everybody called Doe, given names or not: the pattern without its end, where that says
 * something. */
static bool without_given_name(struct rs_str wanted, struct rs_str *out)
{
	*out = (struct rs_str){wanted.data, wanted.size > 2 ? wanted.size - 2 : 0};
	return rs_str_ends_with(wanted, "^*") && out->size && !has_any(*out, "*^");
}

/* The whole name, or one of its groups. */
static bool name_matches(const struct key *key, struct rs_str wanted, struct rs_str value)
{
	char name[VALUE_MAX];
	struct rs_str shorter, group;
	if (value.size > VALUE_MAX)
		return false;
	struct rs_str rest = {name, name_normalise(value, name)};
	bool is_short = key->kind == KEY_WILD && without_given_name(wanted, &shorter);
	if (one_matches(key, wanted, rest))
		return true;
	while (rs_str_split(&rest, '=', &group))
		if (one_matches(key, wanted, group) || (is_short && one_matches(key, shorter, group)))
			return true;
	return false;
}

static bool component_matches(const struct key *key, struct rs_str value)
{
	struct rs_str rest = key->value, wanted;
	bool is_name = vr_is(key->attribute, "PN");
	if (key->kind == KEY_RANGE)
		return one_matches(key, rest, value);
	while (rs_str_split(&rest, '\\', &wanted)) {
		wanted = rs_str_trim(wanted);
		if (is_name ? name_matches(key, wanted, value) : one_matches(key, wanted, value))
			return true;
	}
	return false;
}

bool key_matches(const struct key *key, struct rs_str value)
{
	struct rs_str component;
	if (key->kind == KEY_ANY)
		return true;
	while (rs_str_split(&value, '\\', &component))
		if (component_matches(key, component))
			return true;
	return false;
}

void token_make(const struct rs_secret *key, uint8_t attribute, enum token_kind kind, struct rs_str value,
                struct token *out)
{
	const uint8_t head[2] = {attribute, (uint8_t)kind};
	const struct rs_bytes parts[2] = {{head, sizeof head}, rs_bytes_of_str(value)};
	struct rs_digest digest;
	rs_hmac_sha256_parts(rs_bytes_of(key->bytes, RS_KEY_SIZE), parts, 2, &digest);
	memcpy(out->bytes, digest.bytes, TOKEN_SIZE);
}

struct making {
	const struct rs_secret *key;
	struct token *tokens;
	size_t count;
};

static void add(struct making *making, uint8_t attribute, enum token_kind kind, struct rs_str value)
{
	if (making->count < TOKENS_MAX)
		token_make(making->key, attribute, kind, value, &making->tokens[making->count++]);
}

/* The first characters; false when there are fewer. */
static bool prefix_of(struct rs_str name, struct rs_str *out)
{
	size_t at = 0;
	for (int i = 0; i < TOKEN_PREFIX_SIZE; i++) {
		if (at >= name.size)
			return false;
		at += character_size(name, at);
	}
	*out = (struct rs_str){name.data, at};
	return true;
}

static void add_name(struct making *making, struct rs_str value)
{
	char name[VALUE_MAX];
	struct rs_str group, prefix;
	struct rs_str rest = {name, value.size <= VALUE_MAX ? name_normalise(value, name) : 0};
	if (memchr(name, '=', rest.size))
		add(making, ATTRIBUTE_NAME, TOKEN_NAME, rest);
	while (rs_str_split(&rest, '=', &group)) {
		if (group.size)
			add(making, ATTRIBUTE_NAME, TOKEN_NAME, group);
		if (prefix_of(group, &prefix))
			add(making, ATTRIBUTE_NAME, TOKEN_PREFIX, prefix);
	}
}

#define FIRST_YEAR "1800"
#define LAST_YEAR "2199"

static void add_date(struct making *making, uint8_t attribute, struct rs_str value)
{
	char date[TIME_SIZE];
	if (!read_date(rs_str_trim(value), date))
		return;
	add(making, attribute, TOKEN_DAY, (struct rs_str){date, 8});
	if (attribute != ATTRIBUTE_STUDY_DATE) /* nobody's year of birth is told by how many share it */
		return;
	add(making, attribute, TOKEN_MONTH, (struct rs_str){date, 6});
	add(making, attribute, TOKEN_YEAR, (struct rs_str){date, 4});
	bool odd = strncmp(date, FIRST_YEAR, 4) < 0 || strncmp(date, LAST_YEAR, 4) > 0;
	add(making, attribute, odd ? TOKEN_ODD_YEAR : TOKEN_DECADE, (struct rs_str){date, odd ? 0 : 3});
}

static bool is_exact(uint8_t number)
{
	return number == ATTRIBUTE_PATIENT_ID || number == ATTRIBUTE_ACCESSION;
}

static bool is_dated(uint8_t number)
{
	return number == ATTRIBUTE_BIRTHDATE || number == ATTRIBUTE_STUDY_DATE;
}

size_t tokens_of_row(const struct rs_secret *key, enum rs_level level, struct rs_bytes values,
                     struct token out[static TOKENS_MAX])
{
	struct making making = {.key = key, .tokens = out};
	struct rs_str value, one;
	uint8_t number;
	while (level <= RS_LEVEL_STUDY && values_next(&values, &number, &value)) {
		if (!rs_str_split(&value, '\\', &one)) /* each of them has one value */
			continue;
		if (is_exact(number))
			add(&making, number, TOKEN_EXACT, rs_str_trim(one));
		else if (is_dated(number))
			add_date(&making, number, one);
		else if (number == ATTRIBUTE_NAME)
			add_name(&making, one);
	}
	return making.count;
}

/* A range of days in as few tokens as it takes, from its end to its beginning. Every month has 31 days here, so that dates that
 * never were are covered, too. */
struct covering {
	const struct rs_secret *secret;
	uint8_t attribute;
	struct rs_buffer *out;
};

static void cover(struct covering *covering, enum token_kind kind, const char *date, size_t size)
{
	struct token token;
	token_make(covering->secret, covering->attribute, kind, (struct rs_str){date, size}, &token);
	rs_buffer_append(covering->out, token.bytes, TOKEN_SIZE);
}

static int number_at(const char *text, size_t size)
{
	int number = 0;
	for (size_t i = 0; i < size; i++)
		number = 10 * number + text[i] - '0';
	return number;
}

static int ordinal(const char *date) /* days, of 372 in a year */
{
	return (number_at(date, 4) * 12 + number_at(date + 4, 2) - 1) * 31 + number_at(date + 6, 2) - 1;
}

static void cover_days(struct covering *covering, int from, int to)
{
	static const struct {
		enum token_kind kind;
		int days;
		size_t size;
	} spans[] = {{TOKEN_DECADE, 3720, 3}, {TOKEN_YEAR, 372, 4}, {TOKEN_MONTH, 31, 6}, {TOKEN_DAY, 1, 8}};
	while (to >= from) {
		size_t i = 0;
		while ((to + 1) % spans[i].days != 0 || to + 1 - spans[i].days < from)
			i++;
		char date[32];
		snprintf(date, sizeof date, "%04d%02d%02d", to / 372, to % 372 / 31 + 1, to % 31 + 1);
		cover(covering, spans[i].kind, date, spans[i].size);
		to -= spans[i].days;
	}
}

static void cover_range(struct covering *covering, const struct key *key)
{
	const int first = ordinal(FIRST_YEAR "0101"), last = ordinal(LAST_YEAR "1231");
	int from = key->from[0] ? ordinal(key->from) : 0, to = key->to[0] ? ordinal(key->to) : INT32_MAX;
	cover_days(covering, from > first ? from : first, to < last ? to : last);
	if (from < first || to > last)
		cover(covering, TOKEN_ODD_YEAR, "", 0);
}

static void cover_list(struct covering *covering, enum token_kind kind, struct rs_str list)
{
	struct rs_str one;
	while (rs_str_split(&list, '\\', &one)) {
		one = rs_str_trim(one);
		cover(covering, kind, one.data, one.size);
	}
}

static bool prefix_of_pattern(const struct key *key, struct rs_str *out)
{
	return !has_any(key->value, "=\\") && prefix_of(key->value, out) && !has_any(*out, "*?");
}

static bool cover_key(struct covering *covering, const struct key *key)
{
	uint8_t number = key->attribute->number;
	struct rs_str prefix;
	if (number == ATTRIBUTE_STUDY_DATE && key->kind == KEY_RANGE)
		cover_range(covering, key);
	else if (number == ATTRIBUTE_BIRTHDATE && key->kind == KEY_RANGE && strcmp(key->from, key->to) == 0)
		cover(covering, TOKEN_DAY, key->from, 8);
	else if (key->kind == KEY_SINGLE && number == ATTRIBUTE_NAME)
		cover(covering, TOKEN_NAME, key->value.data, key->value.size);
	else if (key->kind == KEY_WILD && number == ATTRIBUTE_NAME && prefix_of_pattern(key, &prefix))
		cover(covering, TOKEN_PREFIX, prefix.data, prefix.size);
	else if ((key->kind == KEY_SINGLE || key->kind == KEY_LIST) &&
	         (is_exact(number) || vr_is(key->attribute, "UI")))
		cover_list(covering, TOKEN_EXACT, key->value);
	else
		return false;
	return true;
}

enum rs_code tokens_of_key(const struct rs_secret *secret, const struct key *key, struct rs_buffer *out,
                           bool *out_usable, struct rs_error *err)
{
	struct covering covering = {secret, key->attribute ? key->attribute->number : 0, out};
	*out_usable = key->attribute && cover_key(&covering, key);
	if (out->size > LIST_MAX * TOKEN_SIZE)
		return rs_error_set(err, RS_TOO_LARGE, "a list has more than %d values", LIST_MAX);
	return rs_buffer_check(out, "the tokens of a key", err);
}
