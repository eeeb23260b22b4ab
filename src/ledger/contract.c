/* The contract: who may do what. Pure and deterministic: no clock, no random number, no floating point; time and
 * identity come with the transaction. Keys of the state: a letter, then what it is about.
 *   O name → administrator      an organisation          M key → role, period, revoked, organisation   a member
 *   D key → revoked, organisation   a device              B commitment → kind, instances, organisation  an object */
#include <string.h>

#include "ledger/ledger.h"

#define KEY_SIZE_MAX (1 + RS_ORGANISATION_NAME_MAX)
#define VALUE_SIZE_MAX (64 + RS_ORGANISATION_NAME_MAX)

static const char *const refusal_names[] = {
#define REFUSAL_NAME(name, text) #name,
	RS_REFUSALS(REFUSAL_NAME)
#undef REFUSAL_NAME
};
static const char *const refusal_texts[] = {
#define REFUSAL_TEXT(name, text) text,
	RS_REFUSALS(REFUSAL_TEXT)
#undef REFUSAL_TEXT
};

const char *rs_refusal_name(enum rs_refusal refusal) { return refusal_names[refusal]; }

const char *rs_refusal_text(enum rs_refusal refusal) { return refusal_texts[refusal]; }

#define ROLE(role) (1u << RS_ROLE_##role)

/* Which roles may sign which type, and whether only for their own organisation. What stands in no row is refused. */
static const struct {
	enum rs_transaction_type type;
	unsigned roles;
	bool own_organisation;
} rules[] = {
	{RS_TRANSACTION_ORGANISATION_ADD, ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(REGULATOR), false},
	{RS_TRANSACTION_MEMBER_GRANT, ROLE(HOSPITAL_ADMINISTRATOR), true},
	{RS_TRANSACTION_MEMBER_REVOKE, ROLE(HOSPITAL_ADMINISTRATOR), true},
	{RS_TRANSACTION_DEVICE_ENROL, ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(DATA_ENGINEER), true},
	{RS_TRANSACTION_DEVICE_REVOKE, ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(DATA_ENGINEER), true},
	{RS_TRANSACTION_OBJECT_REGISTER,
         ROLE(RADIOLOGIST) | ROLE(ONCOLOGIST) | ROLE(RESEARCHER) | ROLE(DATA_ENGINEER) |
                 ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(DEVICE),
         true},
};

/* A member or a device as the state has it. */
struct person {
	enum rs_role role;
	uint64_t from_ms, until_ms;
	bool revoked;
	char organisation[RS_ORGANISATION_NAME_MAX];
	size_t organisation_size;
};

static struct rs_bytes make_key(uint8_t out[static KEY_SIZE_MAX], char letter, struct rs_bytes about)
{
	out[0] = (uint8_t)letter;
	memcpy(out + 1, about.data, about.size);
	return rs_bytes_of(out, 1 + about.size);
}

static enum rs_code has(const struct rs_state *state, char letter, struct rs_bytes about, bool *out,
                        struct rs_error *err)
{
	uint8_t key[KEY_SIZE_MAX];
	struct rs_bytes value;
	enum rs_code code = state->get(state->context, make_key(key, letter, about), &value, err);
	*out = code == RS_OK;
	return code == RS_NOT_FOUND ? RS_OK : code;
}

static enum rs_code put_person(const struct rs_state *state, char letter, const struct rs_member_key *id,
                               const struct person *person, struct rs_error *err)
{
	uint8_t key[KEY_SIZE_MAX], value[VALUE_SIZE_MAX];
	struct rs_buffer out = {.data = value, .capacity = sizeof value, .maximum = sizeof value};
	rs_cbor_write_array(&out, 5);
	rs_cbor_write_u64(&out, person->role);
	rs_cbor_write_u64(&out, person->from_ms);
	rs_cbor_write_u64(&out, person->until_ms);
	rs_cbor_write_bool(&out, person->revoked);
	rs_cbor_write_str(&out, (struct rs_str){person->organisation, person->organisation_size});
	return state->put(state->context, make_key(key, letter, rs_bytes_of(id->bytes, RS_KEY_SIZE)),
	                  rs_buffer_bytes(&out), err);
}

static enum rs_code decode_person(struct rs_bytes value, struct person *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	struct rs_str organisation;
	uint64_t role;
	size_t count;
	RS_TRY(rs_cbor_reader_init(&reader, value, err));
	RS_TRY(rs_cbor_read_array(&reader, "member", &count, err));
	RS_TRY(rs_cbor_read_u64(&reader, "role", &role, err));
	RS_TRY(rs_cbor_read_u64(&reader, "from", &out->from_ms, err));
	RS_TRY(rs_cbor_read_u64(&reader, "until", &out->until_ms, err));
	RS_TRY(rs_cbor_read_bool(&reader, "revoked", &out->revoked, err));
	RS_TRY(rs_cbor_read_str(&reader, "organisation", &organisation, err));
	if (count != 5 || !rs_role_from_number(role, &out->role) ||
	    organisation.size > sizeof out->organisation)
		return rs_error_set(err, RS_ALTERED, "the state's row of a member is not one");
	memcpy(out->organisation, organisation.data, organisation.size);
	out->organisation_size = organisation.size;
	return RS_OK;
}

/* RS_NOT_FOUND (no sentence) when there is no such member or device. */
static enum rs_code get_person(const struct rs_state *state, char letter, const struct rs_member_key *id,
                               struct person *out, struct rs_error *err)
{
	uint8_t key[KEY_SIZE_MAX];
	struct rs_bytes value;
	RS_TRY(state->get(state->context, make_key(key, letter, rs_bytes_of(id->bytes, RS_KEY_SIZE)), &value,
	                  err));
	if (decode_person(value, out, err) != RS_OK)
		return err ? (err->code = RS_ALTERED) : RS_ALTERED;
	return RS_OK;
}

static bool same_organisation(const struct person *person, struct rs_str organisation)
{
	return rs_str_equal((struct rs_str){person->organisation, person->organisation_size}, organisation);
}

/* May the signer sign this type, at this time, for this organisation? */
static enum rs_code judge(const struct rs_state *state, const struct rs_act *act, struct rs_str organisation,
                          enum rs_refusal *out, struct rs_error *err)
{
	struct person signer = {.role = RS_ROLE_NONE};
	enum rs_code code = get_person(state, 'M', &act->signer, &signer, err);
	if (code == RS_NOT_FOUND)
		code = get_person(state, 'D', &act->signer, &signer, err);
	*out = RS_REFUSAL_UNKNOWN_SIGNER;
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	*out = RS_REFUSAL_REVOKED;
	if (signer.revoked)
		return RS_OK;
	*out = RS_REFUSAL_OUT_OF_PERIOD;
	if (act->time_ms < signer.from_ms || (signer.until_ms && act->time_ms >= signer.until_ms))
		return RS_OK;
	*out = RS_REFUSAL_ROLE;
	for (size_t i = 0; i < RS_COUNT(rules); i++)
		if (rules[i].type == act->type && rules[i].roles & 1u << signer.role)
			*out = rules[i].own_organisation && !same_organisation(&signer, organisation)
			               ? RS_REFUSAL_SCOPE
			               : RS_REFUSAL_NONE;
	return RS_OK;
}

static void fill_person(struct person *out, enum rs_role role, uint64_t from_ms, uint64_t until_ms,
                        struct rs_str organisation)
{
	*out = (struct person){.role = role, .from_ms = from_ms, .until_ms = until_ms};
	memcpy(out->organisation, organisation.data, organisation.size);
	out->organisation_size = organisation.size;
}

static enum rs_code add_organisation(const struct rs_state *state, const struct rs_act *act,
                                     enum rs_refusal *out, struct rs_error *err)
{
	bool taken, member;
	uint8_t key[KEY_SIZE_MAX];
	struct person administrator;
	RS_TRY(has(state, 'O', rs_bytes_of_str(act->organisation), &taken, err));
	RS_TRY(has(state, 'M', rs_bytes_of(act->member.bytes, RS_KEY_SIZE), &member, err));
	*out = RS_REFUSAL_ALREADY_THERE;
	if (taken || member)
		return RS_OK;
	*out = RS_REFUSAL_NONE;
	fill_person(&administrator, RS_ROLE_HOSPITAL_ADMINISTRATOR, act->time_ms, 0, act->organisation);
	RS_TRY(put_person(state, 'M', &act->member, &administrator, err));
	return state->put(state->context, make_key(key, 'O', rs_bytes_of_str(act->organisation)),
	                  rs_bytes_of(act->member.bytes, RS_KEY_SIZE), err);
}

static enum rs_code add_person(const struct rs_state *state, const struct rs_act *act, enum rs_refusal *out,
                               struct rs_error *err)
{
	bool is_device = act->type == RS_TRANSACTION_DEVICE_ENROL, known;
	struct person person, old = {.role = RS_ROLE_NONE};
	RS_TRY(has(state, is_device ? 'M' : 'D', rs_bytes_of(act->member.bytes, RS_KEY_SIZE), &known, err));
	enum rs_code code = get_person(state, is_device ? 'D' : 'M', &act->member, &old, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	/* A member of another organisation is not ours to change; a revoked key never comes back. */
	*out = RS_REFUSAL_ALREADY_THERE;
	if (known ||
	    (code == RS_OK && (is_device || old.revoked || !same_organisation(&old, act->organisation))))
		return RS_OK;
	*out = RS_REFUSAL_NONE;
	enum rs_role role = is_device ? RS_ROLE_DEVICE : act->role;
	fill_person(&person, role, is_device ? act->time_ms : act->from_ms, act->until_ms, act->organisation);
	return put_person(state, is_device ? 'D' : 'M', &act->member, &person, err);
}

static enum rs_code revoke_person(const struct rs_state *state, const struct rs_act *act,
                                  struct person *person, enum rs_refusal *out, struct rs_error *err)
{
	person->revoked = true;
	*out = RS_REFUSAL_NONE;
	return put_person(state, act->type == RS_TRANSACTION_DEVICE_REVOKE ? 'D' : 'M', &act->member, person,
	                  err);
}

static enum rs_code register_object(const struct rs_state *state, const struct rs_act *act,
                                    enum rs_refusal *out, struct rs_error *err)
{
	bool there;
	uint8_t key[KEY_SIZE_MAX], value[VALUE_SIZE_MAX];
	struct rs_buffer encoded = {.data = value, .capacity = sizeof value, .maximum = sizeof value};
	*out = RS_REFUSAL_ALREADY_THERE;
	RS_TRY(has(state, 'B', rs_bytes_of(act->commitment.bytes, RS_SHA256_SIZE), &there, err));
	if (there)
		return RS_OK;
	*out = RS_REFUSAL_NOT_THERE;
	if (act->has_previous) {
		RS_TRY(has(state, 'B', rs_bytes_of(act->previous.bytes, RS_SHA256_SIZE), &there, err));
		if (!there)
			return RS_OK;
	}
	for (size_t i = 0; i < act->parents.size; i += RS_SHA256_SIZE) {
		RS_TRY(has(state, 'B', rs_bytes_of(act->parents.data + i, RS_SHA256_SIZE), &there, err));
		if (!there)
			return RS_OK;
	}
	*out = RS_REFUSAL_NONE;
	rs_cbor_write_array(&encoded, 3);
	rs_cbor_write_u64(&encoded, act->kind);
	rs_cbor_write_u64(&encoded, act->instances);
	rs_cbor_write_str(&encoded, act->organisation);
	return state->put(state->context,
	                  make_key(key, 'B', rs_bytes_of(act->commitment.bytes, RS_SHA256_SIZE)),
	                  rs_buffer_bytes(&encoded), err);
}

static const uint8_t founded_key[1] = {'F'};

/* The first transaction of all: an organisation whose administrator signs it. */
static enum rs_code found(const struct rs_state *state, const struct rs_act *act, enum rs_refusal *out,
                          struct rs_error *err)
{
	*out = RS_REFUSAL_NOT_FOUNDED;
	if (act->type != RS_TRANSACTION_ORGANISATION_ADD || !rs_member_key_equal(&act->signer, &act->member))
		return RS_OK;
	RS_TRY(add_organisation(state, act, out, err));
	return state->put(state->context, rs_bytes_of(founded_key, 1), rs_bytes_of(act->id, sizeof act->id),
	                  err);
}

enum rs_code rs_contract_apply(const struct rs_state *state, const struct rs_act *act, enum rs_refusal *out,
                               struct rs_error *err)
{
	struct rs_bytes value;
	struct person person = {.role = RS_ROLE_NONE};
	struct rs_str organisation = act->organisation;
	bool known, revokes = act->type == RS_TRANSACTION_MEMBER_REVOKE ||
	                      act->type == RS_TRANSACTION_DEVICE_REVOKE;
	enum rs_code code = state->get(state->context, rs_bytes_of(founded_key, 1), &value, err);
	if (code == RS_NOT_FOUND)
		return found(state, act, out, err);
	RS_TRY(code);
	*out = RS_REFUSAL_NOT_THERE;
	if (revokes) {
		code = get_person(state, act->type == RS_TRANSACTION_DEVICE_REVOKE ? 'D' : 'M', &act->member,
		                  &person, err);
		if (code != RS_OK)
			return code == RS_NOT_FOUND ? RS_OK : code;
		organisation = (struct rs_str){person.organisation, person.organisation_size};
	}
	RS_TRY(judge(state, act, organisation, out, err));
	if (*out != RS_REFUSAL_NONE)
		return RS_OK;
	if (act->type == RS_TRANSACTION_ORGANISATION_ADD)
		return add_organisation(state, act, out, err);
	RS_TRY(has(state, 'O', rs_bytes_of_str(organisation), &known, err));
	*out = RS_REFUSAL_UNKNOWN_ORGANISATION;
	if (!known)
		return RS_OK;
	if (act->type == RS_TRANSACTION_OBJECT_REGISTER)
		return register_object(state, act, out, err);
	return revokes ? revoke_person(state, act, &person, out, err) : add_person(state, act, out, err);
}
