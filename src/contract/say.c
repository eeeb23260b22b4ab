/* Rows of the state in words. */
#include "contract/contract_say.h"

#include <string.h>

#include "rows.h"

/* A state of one row. */
struct one_row {
	struct rs_bytes key, value;
};

static enum rs_code one_get(void *context, struct rs_bytes key, struct rs_bytes *out,
                            struct rs_error *err RS_UNUSED)
{
	const struct one_row *row = context;
	if (!rs_bytes_equal(row->key, key))
		return RS_NOT_FOUND;
	*out = row->value;
	return RS_OK;
}

static void say_hex(struct rs_buffer *out, struct rs_bytes bytes)
{
	char text[2 * RS_STATE_KEY_MAX + 1];
	rs_hex_encode(bytes, text);
	rs_buffer_append_text(out, text);
}

static void say_period(struct rs_buffer *out, uint64_t from_ms, uint64_t until_ms)
{
	char from[RS_TIME_TEXT_SIZE], until[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(from_ms, from);
	rs_format_time_ms(until_ms, until);
	if (until_ms)
		rs_buffer_printf(out, ", from %s until %s", from, until);
	else
		rs_buffer_printf(out, ", from %s on", from);
}

static enum rs_code say_person(const struct rs_state *state, const struct one_row *row, struct rs_buffer *out,
                               struct rs_error *err)
{
	struct rs_member_key id;
	struct person person;
	memcpy(id.bytes, row->key.data + 1, RS_KEY_SIZE);
	RS_TRY(person_get(state, (char)row->key.data[0], &id, &person, err));
	rs_buffer_append_text(out, row->key.data[0] == 'M' ? "member " : "device ");
	say_hex(out, member_bytes(&id));
	if (person.revoked)
		rs_buffer_append_text(out, " is revoked; it was ");
	else
		rs_buffer_append_text(out, " is ");
	rs_buffer_printf(out, "%s of " RS_STR_FORMAT, rs_role_name(person.role),
	                 RS_STR_ARGUMENTS(name_str(&person.organisation)));
	say_period(out, person.from_ms, person.until_ms);
	return RS_OK;
}

static enum rs_code say_subject(const struct rs_state *state, const struct one_row *row,
                                struct rs_buffer *out, struct rs_error *err)
{
	struct rs_digest id;
	struct subject subject;
	memcpy(id.bytes, row->key.data + 1, RS_SHA256_SIZE);
	RS_TRY(subject_get(state, &id, &subject, err));
	rs_buffer_append_text(out, "subject ");
	say_hex(out, digest_bytes(&id));
	rs_buffer_printf(out, "%s is in the custody of " RS_STR_FORMAT ", with %llu object%s",
	                 subject.erased ? " is erased; it" : "",
	                 RS_STR_ARGUMENTS(name_str(&subject.organisation)),
	                 (unsigned long long)subject.objects, subject.objects == 1 ? "" : "s");
	if (ACT_HAS(subject.patient)) {
		rs_buffer_append_text(out, "; key ");
		say_hex(out, member_bytes(&subject.patient));
		rs_buffer_append_text(out, " acts for it");
	}
	return RS_OK;
}

static const char *const purpose_names[] = {
#define PURPOSE_NAME(member, number, name, code) [number] = (name),
	RS_PURPOSES(PURPOSE_NAME)
#undef PURPOSE_NAME
};
static const char *const operation_names[] = {
#define OPERATION_NAME(member, number, name) [number] = (name),
	RS_OPERATIONS(OPERATION_NAME)
#undef OPERATION_NAME
};

/* The names of a set's members; number 0 is none. */
static void say_set(struct rs_buffer *out, uint32_t set, const char *const *names, size_t count)
{
	const char *between = " ";
	for (unsigned number = 1; number < 32; number++) {
		if (!(set >> number & 1))
			continue;
		const char *name = !names           ? rs_role_name((enum rs_role)number)
		                   : number < count ? names[number]
		                                    : "unknown";
		rs_buffer_printf(out, "%s%s", between, name);
		between = ", ";
	}
}

static void say_terms(const struct consent *consent, struct rs_buffer *out)
{
	struct rs_str organisation = name_str(&consent->organisation);
	rs_buffer_append_text(out, consent->effect == RS_CONSENT_DENY ? " denies" : " permits");
	say_set(out, consent->operations, operation_names, RS_COUNT(operation_names));
	rs_buffer_append_text(out, " for");
	say_set(out, consent->purposes, purpose_names, RS_COUNT(purpose_names));
	rs_buffer_append_text(out, " by");
	say_set(out, consent->roles, NULL, 0);
	rs_buffer_append_text(out, " of ");
	rs_buffer_append_str(out, organisation.size ? organisation : RS_STR("any organisation"));
	if (consent->studies_size)
		rs_buffer_printf(out, " in %zu studies", consent->studies_size / RS_SHA256_SIZE);
	say_period(out, consent->from_ms, consent->until_ms);
}

static enum rs_code say_consent(const struct one_row *row, struct rs_buffer *out, struct rs_error *err)
{
	struct consent consent;
	RS_TRY(consent_decode(row->value, &consent, err));
	rs_buffer_append_text(out, "consent ");
	say_hex(out, rs_bytes_of(row->key.data + 1 + RS_SHA256_SIZE, RS_SHA256_SIZE));
	rs_buffer_append_text(out, consent.revoked ? " is revoked; it" : " is in force; it");
	say_terms(&consent, out);
	return RS_OK;
}

enum rs_code rs_row_say(struct rs_bytes key, struct rs_bytes value, struct rs_buffer *out,
                        struct rs_error *err)
{
	struct one_row row = {key, value};
	const struct rs_state state = {.get = one_get, .context = &row};
	char letter = key.size ? (char)key.data[0] : 0;
	enum rs_code code = RS_UNSUPPORTED;
	if ((letter == 'M' || letter == 'D') && key.size == 1 + RS_KEY_SIZE)
		code = say_person(&state, &row, out, err);
	else if (letter == 'S' && key.size == 1 + RS_SHA256_SIZE)
		code = say_subject(&state, &row, out, err);
	else if (letter == 'C' && key.size == 1 + 2 * RS_SHA256_SIZE)
		code = say_consent(&row, out, err);
	else
		return rs_error_set(err, RS_UNSUPPORTED, "no words are known for this row");
	if (code != RS_OK)
		return rs_error_set(err, RS_ALTERED, "a row of the state is not one");
	return rs_buffer_check(out, "a sentence", err);
}
