/* Words of consents: sets, times, studies. */
#include "consent_words.h"

#include <stdlib.h>
#include <string.h>

#include "consent/consent_fhir.h"

struct word {
	unsigned number;
	const char *name;
};
struct words {
	const char *option, *single; /* of terms; of a question */
	const struct word *list;
	size_t count;
	uint32_t all;
};

static const struct word role_words[] = {
#define ROLE_WORD(member, number, name, text) {number, name},
	RS_ROLES(ROLE_WORD)
#undef ROLE_WORD
};
static const struct word purpose_words[] = {
#define PURPOSE_WORD(member, number, name, code) {number, name},
	RS_PURPOSES(PURPOSE_WORD)
#undef PURPOSE_WORD
};
static const struct word operation_words[] = {
#define OPERATION_WORD(member, number, name) {number, name},
	RS_OPERATIONS(OPERATION_WORD)
#undef OPERATION_WORD
};
static const struct words roles = {"roles", "role", role_words, RS_COUNT(role_words), RS_SET_ROLES_ALL};
static const struct words purposes = {"purposes", "purpose", purpose_words, RS_COUNT(purpose_words),
                                      RS_SET_PURPOSES_ALL};
static const struct words operations = {"operations", "operation", operation_words, RS_COUNT(operation_words),
                                        RS_SET_OPERATIONS_ALL};

static unsigned number_of(const struct words *words, uint32_t allowed, struct rs_str text)
{
	for (size_t i = 0; i < words->count; i++)
		if (allowed >> words->list[i].number & 1 && rs_str_equal_text(text, words->list[i].name))
			return words->list[i].number;
	return 0;
}

static enum rs_code unknown(const struct words *words, const char *option, uint32_t allowed,
                            struct rs_str text, struct rs_error *err)
{
	struct rs_buffer choices RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&choices, 1024);
	for (size_t i = 0; i < words->count; i++)
		if (allowed >> words->list[i].number & 1)
			rs_buffer_printf(&choices, "%s%s", choices.size ? ", " : "", words->list[i].name);
	return rs_error_set(err, RS_USAGE, "--%s: '" RS_STR_FORMAT "' is none of " RS_STR_FORMAT, option,
	                    RS_STR_ARGUMENTS(text), RS_STR_ARGUMENTS(rs_buffer_str(&choices)));
}

static enum rs_code set_of(const struct command_line *line, const struct words *words, uint32_t *out,
                           struct rs_error *err)
{
	struct rs_str rest = rs_str_from(option_value(line, words->option)), text;
	if (rs_str_equal_text(rest, "all")) {
		*out = words->all;
		return RS_OK;
	}
	while (rs_str_split(&rest, ',', &text)) {
		unsigned number = number_of(words, words->all, rs_str_trim(text));
		if (!number)
			return unknown(words, words->option, words->all, text, err);
		*out |= RS_SET(number);
	}
	return RS_OK;
}

static enum rs_code one_of(const struct command_line *line, const struct words *words, unsigned *out,
                           struct rs_error *err)
{
	const uint32_t any = ~(uint32_t)0;
	const char *text = option_value(line, words->single);
	if (!text)
		return rs_error_set(err, RS_USAGE, "consent verify: a question needs --%s, too",
		                    words->single);
	*out = number_of(words, any, rs_str_from(text));
	return *out ? RS_OK : unknown(words, words->single, any, rs_str_from(text), err);
}

static enum rs_code time_of(const struct command_line *line, const char *option, uint64_t *begin,
                            uint64_t *end, struct rs_error *err)
{
	const char *text = option_value(line, option);
	return rs_fhir_time_parse(rs_str_from(text), begin, end)
	               ? RS_OK
	               : rs_error_set(err, RS_USAGE,
	                              "--%s: '%s' is no time; write 2026-12-31 or 2026-12-31T23:59:59Z",
	                              option, text);
}

static int ascending(const void *a, const void *b) { return memcmp(a, b, RS_SHA256_SIZE); }

static enum rs_code study_of(struct rs_str text, struct rs_node *node, const struct rs_node_subject *subject,
                             struct rs_digest *out, struct rs_error *err)
{
	if (text.size == 2 * RS_SHA256_SIZE && rs_hex_decode(text, out->bytes, RS_SHA256_SIZE))
		return RS_OK;
	if (!subject || text.size == 0)
		return rs_error_set(
			err, RS_USAGE,
			"--studies: '" RS_STR_FORMAT
			"' is no commitment (64 hexadecimal digits), and without --subject no study of "
			"a patient here",
			RS_STR_ARGUMENTS(text));
	return rs_node_commitment(node, subject, RS_COMMITMENT_STUDY, text, out, err);
}

static enum rs_code studies_of(const struct command_line *line, struct rs_node *node,
                               const struct rs_node_subject *subject, struct rs_consent_terms *out,
                               struct rs_error *err)
{
	struct rs_str rest = rs_str_from(option_value(line, "studies")), text;
	while (rs_str_split(&rest, ',', &text)) {
		struct rs_digest study;
		if (out->studies_size == sizeof out->studies)
			return rs_error_set(err, RS_USAGE, "--studies: more than %d", RS_STUDIES_MAX);
		RS_TRY(study_of(rs_str_trim(text), node, subject, &study, err));
		memcpy(out->studies + out->studies_size, study.bytes, RS_SHA256_SIZE);
		out->studies_size += RS_SHA256_SIZE;
	}
	qsort(out->studies, out->studies_size / RS_SHA256_SIZE, RS_SHA256_SIZE, ascending);
	return RS_OK;
}

enum rs_code consent_terms_of(const struct command_line *line, struct rs_node *node,
                              const struct rs_node_subject *subject, struct rs_consent_terms *out,
                              struct rs_error *err)
{
	struct rs_consent_terms terms = {.effect = option_given(line, "deny") ? RS_CONSENT_DENY
	                                                                      : RS_CONSENT_PERMIT};
	struct rs_str organisation = rs_str_from(option_value(line, "organisation"));
	uint64_t ignored;
	if (organisation.size > RS_ORGANISATION_NAME_MAX)
		return rs_error_set(err, RS_USAGE, "--organisation: more than %d bytes",
		                    RS_ORGANISATION_NAME_MAX);
	if (organisation.size)
		memcpy(terms.organisation, organisation.data, organisation.size);
	terms.organisation_size = organisation.size;
	RS_TRY(set_of(line, &roles, &terms.roles, err));
	RS_TRY(set_of(line, &purposes, &terms.purposes, err));
	RS_TRY(set_of(line, &operations, &terms.operations, err));
	if (option_given(line, "from"))
		RS_TRY(time_of(line, "from", &terms.from_ms, &ignored, err));
	if (option_given(line, "until"))
		RS_TRY(time_of(line, "until", &ignored, &terms.until_ms, err));
	if (terms.until_ms && terms.until_ms <= terms.from_ms)
		return rs_error_set(err, RS_USAGE, "--until lies before --from");
	RS_TRY(studies_of(line, node, subject, &terms, err));
	*out = terms;
	return RS_OK;
}

enum rs_code consent_question_of(const struct command_line *line, struct rs_consent_question *out,
                                 bool *out_asked, struct rs_error *err)
{
	static const char *const asking[] = {"organisation", "role", "purpose", "operation",
	                                     "study",        "time", "skew"};
	struct rs_consent_question question = {.time_ms = rs_world_now_ms(rs_world_system())};
	const char *study = option_value(line, "study");
	unsigned role, purpose, operation;
	uint64_t ignored, skew_s;
	*out_asked = false;
	for (size_t i = 0; i < RS_COUNT(asking); i++)
		*out_asked |= option_given(line, asking[i]);
	if (!*out_asked)
		return RS_OK;
	if (!option_given(line, "organisation"))
		return rs_error_set(err, RS_USAGE, "consent verify: a question needs --organisation, too");
	question.organisation = rs_str_from(option_value(line, "organisation"));
	RS_TRY(one_of(line, &roles, &role, err));
	RS_TRY(one_of(line, &purposes, &purpose, err));
	RS_TRY(one_of(line, &operations, &operation, err));
	if (study && !rs_hex_decode(rs_str_from(study), question.study.bytes, RS_SHA256_SIZE))
		return rs_error_set(err, RS_USAGE,
		                    "--study: 64 hexadecimal digits, as the ledger names the study");
	if (option_given(line, "time"))
		RS_TRY(time_of(line, "time", &question.time_ms, &ignored, err));
	RS_TRY(option_u64(line, "skew", 0, UINT64_MAX / 1000, &skew_s, err));
	question.skew_ms = skew_s * 1000;
	question.role = (enum rs_role)role;
	question.purpose = (enum rs_purpose)purpose;
	question.operation = (enum rs_operation)operation;
	*out = question;
	return RS_OK;
}

static void set_text(struct rs_buffer *out, const struct words *words, uint32_t set)
{
	const char *comma = "";
	rs_buffer_printf(out, "  %-13s ", words->option);
	if (set == words->all)
		rs_buffer_append_text(out, "all");
	for (size_t i = 0; i < words->count && set != words->all; i++)
		if (set >> words->list[i].number & 1) {
			rs_buffer_printf(out, "%s%s", comma, words->list[i].name);
			comma = ", ";
		}
	rs_buffer_append_text(out, "\n");
}

void consent_terms_text(struct rs_buffer *out, const struct rs_consent_terms *terms)
{
	char time[RS_TIME_TEXT_SIZE], study[2 * RS_SHA256_SIZE + 1];
	struct rs_str organisation = terms->organisation_size ? rs_consent_terms_organisation(terms)
	                                                      : RS_STR("any");
	rs_buffer_printf(out, "  %-13s %s\n", "effect", terms->effect == RS_CONSENT_DENY ? "deny" : "permit");
	rs_buffer_printf(out, "  %-13s " RS_STR_FORMAT "\n", "organisation", RS_STR_ARGUMENTS(organisation));
	set_text(out, &roles, terms->roles);
	set_text(out, &purposes, terms->purposes);
	set_text(out, &operations, terms->operations);
	if (terms->from_ms) {
		rs_format_time_ms(terms->from_ms, time);
		rs_buffer_printf(out, "  %-13s %s\n", "from", time);
	}
	if (terms->until_ms) {
		rs_format_time_ms(terms->until_ms, time);
		rs_buffer_printf(out, "  %-13s %s\n", "before", time);
	}
	for (size_t i = 0; i < terms->studies_size; i += RS_SHA256_SIZE) {
		rs_hex_encode(rs_bytes_of(terms->studies + i, RS_SHA256_SIZE), study);
		rs_buffer_printf(out, "  %-13s %s\n", "study", study);
	}
}
