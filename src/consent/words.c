/* Words of consents. */
#include "consent/consent_words.h"

struct word {
	unsigned number;
	const char *name;
};

static const struct word roles[] = {
#define ROLE_WORD(member, number, name, text) {number, name},
	RS_ROLES(ROLE_WORD)
#undef ROLE_WORD
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
static const struct {
	const char *key;
	const struct word *list;
	size_t count;
} words[] = {[RS_WORD_ROLE] = {"roles", roles, RS_COUNT(roles)},
             [RS_WORD_PURPOSE] = {"purposes", purposes, RS_COUNT(purposes)},
             [RS_WORD_OPERATION] = {"operations", operations, RS_COUNT(operations)}};

unsigned rs_consent_word_number(enum rs_consent_word kind, struct rs_str word)
{
	for (size_t i = 0; i < words[kind].count; i++)
		if (rs_str_equal_text(word, words[kind].list[i].name))
			return words[kind].list[i].number;
	return 0;
}

static void set_json(struct rs_json *json, enum rs_consent_word kind, uint32_t set)
{
	rs_json_key(json, words[kind].key);
	rs_json_array_begin(json);
	for (size_t i = 0; i < words[kind].count; i++)
		if (set >> words[kind].list[i].number & 1)
			rs_json_text(json, words[kind].list[i].name);
	rs_json_array_end(json);
}

static void time_json(struct rs_json *json, const char *key, uint64_t time_ms)
{
	char time[RS_TIME_TEXT_SIZE];
	rs_json_key(json, key);
	rs_format_time_ms(time_ms, time);
	if (time_ms)
		rs_json_text(json, time);
	else
		rs_json_null(json);
}

void rs_consent_terms_json(struct rs_json *json, const struct rs_consent_terms *terms)
{
	rs_json_key(json, "effect");
	rs_json_text(json, terms->effect == RS_CONSENT_DENY ? "deny" : "permit");
	rs_json_key(json, "organisation");
	if (terms->organisation_size)
		rs_json_str(json, rs_consent_terms_organisation(terms));
	else
		rs_json_null(json);
	set_json(json, RS_WORD_ROLE, terms->roles);
	set_json(json, RS_WORD_PURPOSE, terms->purposes);
	set_json(json, RS_WORD_OPERATION, terms->operations);
	time_json(json, "from", terms->from_ms);
	time_json(json, "before", terms->until_ms);
	rs_json_key(json, "studies");
	rs_json_array_begin(json);
	for (size_t i = 0; i < terms->studies_size; i += RS_SHA256_SIZE)
		rs_json_hex(json, rs_bytes_of(terms->studies + i, RS_SHA256_SIZE));
	rs_json_array_end(json);
}
