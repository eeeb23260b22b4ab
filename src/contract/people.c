/* Organisations, members, devices. */
#include <string.h>

#include "scene.h"

#define ROLE(role) RS_SET(RS_ROLE_##role)

/* Which roles an organisation of each kind may give. A device is enrolled, not granted. */
static const unsigned roles_of_kind[RS_ORGANISATION_KIND_COUNT] = {
	[RS_ORGANISATION_ANY] = RS_SET_ROLES_ALL & ~ROLE(DEVICE),
	[RS_ORGANISATION_RADIOLOGY] = ROLE(RADIOLOGIST) | ROLE(DATA_ENGINEER) | ROLE(HOSPITAL_ADMINISTRATOR) |
                                      ROLE(PATIENT),
	[RS_ORGANISATION_ONCOLOGY] = ROLE(ONCOLOGIST) | ROLE(DATA_ENGINEER) | ROLE(HOSPITAL_ADMINISTRATOR) |
                                     ROLE(PATIENT),
	[RS_ORGANISATION_ADMINISTRATION] = ROLE(RADIOLOGIST) | ROLE(ONCOLOGIST) | ROLE(DATA_ENGINEER) |
                                           ROLE(HOSPITAL_ADMINISTRATOR) | ROLE(PATIENT),
	[RS_ORGANISATION_RESEARCH] = ROLE(RESEARCHER) | ROLE(DATA_ENGINEER) | ROLE(HOSPITAL_ADMINISTRATOR),
	[RS_ORGANISATION_REGULATOR] = ROLE(REGULATOR) | ROLE(HOSPITAL_ADMINISTRATOR),
};

/* Scanners and gateways stand where patients are. */
static const bool kind_has_devices[RS_ORGANISATION_KIND_COUNT] = {
	[RS_ORGANISATION_ANY] = true,
	[RS_ORGANISATION_RADIOLOGY] = true,
	[RS_ORGANISATION_ONCOLOGY] = true,
	[RS_ORGANISATION_ADMINISTRATION] = true,
};

enum rs_code kind_of(const struct rs_state *state, struct rs_str name, enum rs_organisation_kind *out,
                     struct rs_error *err)
{
	struct key key = key_of('O', rs_bytes_of_str(name));
	struct rs_bytes value;
	RS_TRY(row_find(state, &key, &value, err));
	bool has_kind = value.size == RS_KEY_SIZE + 1;
	if ((value.size != RS_KEY_SIZE && !has_kind) ||
	    (has_kind && value.data[RS_KEY_SIZE] >= RS_ORGANISATION_KIND_COUNT))
		return rs_error_set(err, RS_ALTERED, "the state's row of an organisation is not one");
	*out = has_kind ? (enum rs_organisation_kind)value.data[RS_KEY_SIZE] : RS_ORGANISATION_ANY;
	return RS_OK;
}

enum rs_code organisation_known(const struct rs_state *state, struct rs_str name, bool *out,
                                struct rs_error *err)
{
	struct key key = key_of('O', rs_bytes_of_str(name));
	return row_has(state, &key, out, err);
}

enum rs_code nothing_to_find(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	(void)scene, (void)out, (void)err;
	return RS_OK;
}

enum rs_code own_organisation(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	(void)out, (void)err;
	scene->organisation = scene->act->organisation;
	return RS_OK;
}

static enum rs_code find_person(struct scene *scene, char letter, enum rs_refusal *out, struct rs_error *err)
{
	enum rs_code code = person_get(scene->state, letter, &scene->act->member, &scene->other, err);
	if (code == RS_NOT_FOUND)
		*out = RS_REFUSAL_NOT_THERE;
	scene->organisation = name_str(&scene->other.organisation);
	return code == RS_NOT_FOUND ? RS_OK : code;
}

enum rs_code find_member(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	return find_person(scene, 'M', out, err);
}

enum rs_code find_device(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	return find_person(scene, 'D', out, err);
}

/* Whether a key is a member's or a device's already: it stands for one of them, and for ever. */
static enum rs_code is_taken(const struct rs_state *state, const struct rs_member_key *id, bool *out,
                             struct rs_error *err)
{
	struct key member = key_of('M', member_bytes(id)), device = key_of('D', member_bytes(id));
	RS_TRY(row_has(state, &member, out, err));
	return *out ? RS_OK : row_has(state, &device, out, err);
}

static struct person person_of(enum rs_role role, uint64_t from_ms, uint64_t until_ms,
                               struct rs_str organisation)
{
	struct person person = {.role = role, .from_ms = from_ms, .until_ms = until_ms};
	name_set(&person.organisation, organisation);
	return person;
}

#define GOVERNS                                                                 \
	(RS_SET(RS_ORGANISATION_ANY) | RS_SET(RS_ORGANISATION_ADMINISTRATION) | \
	 RS_SET(RS_ORGANISATION_REGULATOR))

/* Who may give every role, or oversight, comes from one that may: else any administrator could make a regulator. */
enum rs_code add_another_organisation(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	enum rs_organisation_kind kind;
	RS_TRY(kind_of(scene->state, name_str(&scene->signer.organisation), &kind, err));
	*out = RS_REFUSAL_SCOPE;
	if (GOVERNS >> scene->act->organisation_kind & 1 && !(GOVERNS >> kind & 1))
		return RS_OK;
	return add_organisation(scene, out, err);
}

enum rs_code add_organisation(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	uint8_t value[RS_KEY_SIZE + 1];
	bool known, taken;
	struct key key = key_of('O', rs_bytes_of_str(act->organisation));
	RS_TRY(organisation_known(scene->state, act->organisation, &known, err));
	RS_TRY(is_taken(scene->state, &act->member, &taken, err));
	*out = RS_REFUSAL_ALREADY_THERE;
	if (known || taken)
		return RS_OK;
	*out = RS_REFUSAL_NONE;
	struct person administrator = person_of(RS_ROLE_HOSPITAL_ADMINISTRATOR, act->time_ms, 0,
	                                        act->organisation);
	RS_TRY(person_put(scene->state, 'M', &act->member, &administrator, err));
	memcpy(value, act->member.bytes, RS_KEY_SIZE);
	value[RS_KEY_SIZE] = (uint8_t)act->organisation_kind;
	return row_put(scene->state, &key,
	               rs_bytes_of(value, RS_KEY_SIZE + (act->organisation_kind != RS_ORGANISATION_ANY)),
	               err);
}

enum rs_code grant_member(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	struct key device = key_of('D', member_bytes(&act->member)),
		   label = key_of('L', member_bytes(&act->member));
	enum rs_organisation_kind kind;
	struct person old;
	bool is_device;
	RS_TRY(kind_of(scene->state, act->organisation, &kind, err));
	RS_TRY(row_has(scene->state, &device, &is_device, err));
	enum rs_code code = person_get(scene->state, 'M', &act->member, &old, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	/* A member of another organisation is not ours to change; a revoked key never comes back. */
	*out = RS_REFUSAL_ALREADY_THERE;
	if (is_device ||
	    (code == RS_OK && (old.revoked || !rs_str_equal(name_str(&old.organisation), act->organisation))))
		return RS_OK;
	*out = RS_REFUSAL_ORGANISATION_KIND;
	if (!(roles_of_kind[kind] >> act->role & 1))
		return RS_OK;
	*out = RS_REFUSAL_NONE;
	struct person person = person_of(act->role, act->from_ms, act->until_ms, act->organisation);
	RS_TRY(person_put(scene->state, 'M', &act->member, &person, err));
	return ACT_HAS(act->label) ? row_put(scene->state, &label, digest_bytes(&act->label), err) : RS_OK;
}

enum rs_code enrol_device(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	enum rs_organisation_kind kind;
	bool taken;
	RS_TRY(kind_of(scene->state, act->organisation, &kind, err));
	RS_TRY(is_taken(scene->state, &act->member, &taken, err));
	*out = RS_REFUSAL_ALREADY_THERE;
	if (taken)
		return RS_OK;
	*out = RS_REFUSAL_ORGANISATION_KIND;
	if (!kind_has_devices[kind])
		return RS_OK;
	*out = RS_REFUSAL_NONE;
	struct person device = person_of(RS_ROLE_DEVICE, act->time_ms, 0, act->organisation);
	return person_put(scene->state, 'D', &act->member, &device, err);
}

enum rs_code revoke_person(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	(void)out;
	scene->other.revoked = true;
	return person_put(scene->state, act->type == RS_TRANSACTION_DEVICE_REVOKE ? 'D' : 'M', &act->member,
	                  &scene->other, err);
}

/* The old key is revoked, and what stands in its place is kept: a device has a history. */
enum rs_code rotate_device(struct scene *scene, enum rs_refusal *out, struct rs_error *err)
{
	const struct rs_act *act = scene->act;
	struct key link = key_of('R', member_bytes(&act->member));
	bool taken;
	*out = RS_REFUSAL_NOT_THERE;
	if (scene->other.revoked)
		return RS_OK;
	RS_TRY(is_taken(scene->state, &act->successor, &taken, err));
	*out = RS_REFUSAL_ALREADY_THERE;
	if (taken)
		return RS_OK;
	*out = RS_REFUSAL_NONE;
	struct person device = person_of(RS_ROLE_DEVICE, act->time_ms, 0,
	                                 name_str(&scene->other.organisation));
	RS_TRY(person_put(scene->state, 'D', &act->successor, &device, err));
	scene->other.revoked = true;
	RS_TRY(person_put(scene->state, 'D', &act->member, &scene->other, err));
	return row_put(scene->state, &link, member_bytes(&act->successor), err);
}
