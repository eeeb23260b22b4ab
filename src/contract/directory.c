/* The rows of organisations, members and devices, as contract_people.h shows them. */
#include "contract/contract_people.h"

#include <string.h>

#include "scene.h"

const char *rs_organisation_kind_name(enum rs_organisation_kind kind)
{
	switch (kind) {
#define KIND_CASE(member, number, name) \
	case RS_ORGANISATION_##member: return name;
		RS_ORGANISATION_KINDS(KIND_CASE)
#undef KIND_CASE
	default: return "";
	}
}

bool rs_organisation_kind_from_name(struct rs_str name, enum rs_organisation_kind *out)
{
	for (int kind = 1; kind < RS_ORGANISATION_KIND_COUNT; kind++)
		if (rs_str_equal_text(name, rs_organisation_kind_name((enum rs_organisation_kind)kind))) {
			*out = (enum rs_organisation_kind)kind;
			return true;
		}
	return false;
}

/* A row of one fixed size beside a person's; left alone when there is none. */
static enum rs_code beside(const struct rs_state *state, char letter, const struct rs_member_key *id,
                           uint8_t out[static RS_KEY_SIZE], struct rs_error *err)
{
	struct key key = key_of(letter, member_bytes(id));
	struct rs_bytes value;
	enum rs_code code = row_find(state, &key, &value, err);
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	if (value.size != RS_KEY_SIZE)
		return rs_error_set(err, RS_ALTERED, "the state's row of a member is not one");
	memcpy(out, value.data, RS_KEY_SIZE);
	return RS_OK;
}

static enum rs_code find(const struct rs_state *state, char letter, const struct rs_member_key *id,
                         struct rs_person *out, struct rs_error *err)
{
	struct person row;
	RS_TRY(person_get(state, letter, id, &row, err));
	struct rs_person person = {.key = *id,
	                           .role = row.role,
	                           .from_ms = row.from_ms,
	                           .until_ms = row.until_ms,
	                           .revoked = row.revoked};
	memcpy(person.organisation, row.organisation.text, row.organisation.size);
	RS_TRY(beside(state, 'L', id, person.label.bytes, err));
	RS_TRY(beside(state, 'R', id, person.successor.bytes, err));
	*out = person;
	return RS_OK;
}

enum rs_code rs_contract_person(const struct rs_state *state, const struct rs_member_key *key,
                                struct rs_person *out, struct rs_error *err)
{
	char text[RS_MEMBER_KEY_TEXT_SIZE];
	enum rs_code code = find(state, 'M', key, out, err);
	if (code == RS_NOT_FOUND)
		code = find(state, 'D', key, out, err);
	if (code != RS_NOT_FOUND)
		return code;
	rs_member_key_format(key, text);
	return rs_error_set(err, code, "no member and no device has the key %s", text);
}

struct walking {
	const struct rs_state *state;
	rs_person_visit *person;
	rs_organisation_visit *organisation;
	void *context;
};

static enum rs_code see_person(void *context, struct rs_bytes key, struct rs_bytes value RS_UNUSED,
                               struct rs_error *err)
{
	const struct walking *walking = context;
	struct rs_member_key id;
	struct rs_person person;
	if (key.size != 1 + RS_KEY_SIZE)
		return rs_error_set(err, RS_ALTERED, "the state's row of a member is not one");
	char letter = (char)key.data[0];
	memcpy(id.bytes, key.data + 1, RS_KEY_SIZE);
	RS_TRY(find(walking->state, letter, &id, &person, err));
	return walking->person(walking->context, &person, err);
}

enum rs_code rs_contract_each_person(const struct rs_state *state, rs_person_visit *visit, void *context,
                                     struct rs_error *err)
{
	struct walking walking = {.state = state, .person = visit, .context = context};
	RS_TRY(state->each(state->context, rs_bytes_of("M", 1), see_person, &walking, err));
	return state->each(state->context, rs_bytes_of("D", 1), see_person, &walking, err);
}

static enum rs_code see_organisation(void *context, struct rs_bytes key, struct rs_bytes value,
                                     struct rs_error *err)
{
	const struct walking *walking = context;
	struct rs_organisation organisation = {.kind = RS_ORGANISATION_ANY};
	if (key.size < 2 || key.size > 1 + RS_ORGANISATION_NAME_MAX || value.size < RS_KEY_SIZE)
		return rs_error_set(err, RS_ALTERED, "the state's row of an organisation is not one");
	memcpy(organisation.name, key.data + 1, key.size - 1);
	memcpy(organisation.administrator.bytes, value.data, RS_KEY_SIZE);
	RS_TRY(kind_of(walking->state, rs_str_from(organisation.name), &organisation.kind, err));
	return walking->organisation(walking->context, &organisation, err);
}

enum rs_code rs_contract_each_organisation(const struct rs_state *state, rs_organisation_visit *visit,
                                           void *context, struct rs_error *err)
{
	struct walking walking = {.state = state, .organisation = visit, .context = context};
	return state->each(state->context, rs_bytes_of("O", 1), see_organisation, &walking, err);
}
