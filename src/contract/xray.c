/* Paper B's operations over the contract's transactions and state. */
#include "contract/contract_xray.h"

#include <inttypes.h>
#include <string.h>

#include "rows.h"

typedef enum rs_code fill(const struct rs_xray_arguments *arguments, struct rs_act *act,
                          struct rs_error *err);

static enum rs_code set_permission(const struct rs_xray_arguments *arguments, struct rs_act *act,
                                   struct rs_error *err)
{
	static const enum rs_role roles[] = {[RS_XRAY_HOST] = RS_ROLE_HOSPITAL_ADMINISTRATOR,
	                                     [RS_XRAY_DOCTOR] = RS_ROLE_RADIOLOGIST,
	                                     [RS_XRAY_GOV] = RS_ROLE_REGULATOR};
	if ((unsigned)arguments->type >= RS_COUNT(roles))
		return rs_error_set(err, RS_USAGE,
		                    "setPermission: %u is no type of user (0 host, 1 doctor, 2 gov)",
		                    (unsigned)arguments->type);
	act->member = arguments->user;
	act->type = RS_TRANSACTION_MEMBER_REVOKE;
	if (!arguments->allowed)
		return RS_OK;
	act->type = RS_TRANSACTION_MEMBER_GRANT;
	act->organisation = arguments->organisation;
	act->role = roles[arguments->type];
	act->from_ms = arguments->time_ms;
	act->until_ms = arguments->until_ms;
	act->label = arguments->name;
	return RS_OK;
}

static enum rs_code remove_permission(const struct rs_xray_arguments *arguments, struct rs_act *act,
                                      struct rs_error *err)
{
	(void)err;
	act->type = RS_TRANSACTION_MEMBER_REVOKE;
	act->member = arguments->user;
	return RS_OK;
}

static enum rs_code set_xrayhash(const struct rs_xray_arguments *arguments, struct rs_act *act,
                                 struct rs_error *err)
{
	(void)err;
	act->type = RS_TRANSACTION_OBJECT_REGISTER;
	act->organisation = arguments->organisation;
	act->kind = RS_OBJECT_IMAGE;
	act->instances = 1;
	act->commitment = arguments->commitment;
	act->subject = arguments->subject;
	act->label = arguments->place;
	return RS_OK;
}

static enum rs_code set_profile(const struct rs_xray_arguments *arguments,
                                enum rs_profile_attribute attribute, struct rs_act *act)
{
	act->type = RS_TRANSACTION_PROFILE_SET;
	act->subject = arguments->subject;
	act->attribute = attribute;
	act->commitment = arguments->commitment;
	memcpy(act->locator, arguments->locator, sizeof act->locator);
	return RS_OK;
}

static enum rs_code set_birthday(const struct rs_xray_arguments *arguments, struct rs_act *act,
                                 struct rs_error *err)
{
	(void)err;
	return set_profile(arguments, RS_PROFILE_BIRTHDAY, act);
}

static enum rs_code set_contact(const struct rs_xray_arguments *arguments, struct rs_act *act,
                                struct rs_error *err)
{
	(void)err;
	return set_profile(arguments, RS_PROFILE_CONTACT, act);
}

/* Names as in the paper; those without a function read only. */
static const struct {
	const char *name;
	fill *fill;
} functions[] = {
	{"setPermission", set_permission}, {"removePermission", remove_permission},
	{"setXrayhash", set_xrayhash},     {"getXrayhash", NULL},
	{"getXrayhashCount", NULL},        {"setBirthday", set_birthday},
	{"setContact", set_contact},       {"profile", NULL},
};

enum rs_code rs_xray_act(struct rs_str name, const struct rs_xray_arguments *arguments, struct rs_act *out,
                         struct rs_error *err)
{
	struct rs_act act = {.time_ms = arguments->time_ms};
	size_t i = 0;
	while (i < RS_COUNT(functions) && !rs_str_equal_text(name, functions[i].name))
		i++;
	if (i == RS_COUNT(functions))
		return rs_error_set(
			err, RS_NOT_FOUND,
			"there is no function '" RS_STR_FORMAT "'; there are setPermission, "
			"removePermission, setXrayhash, getXrayhash, getXrayhashCount, setBirthday, "
			"setContact and profile",
			RS_STR_ARGUMENTS(name));
	if (!functions[i].fill)
		return rs_error_set(err, RS_USAGE, "%s reads only; it is no transaction", functions[i].name);
	memcpy(act.id, arguments->id, sizeof act.id);
	RS_TRY(functions[i].fill(arguments, &act, err));
	*out = act;
	return RS_OK;
}

static enum rs_code find(const struct rs_state *state, const struct rs_digest *id, struct subject *out,
                         struct rs_error *err)
{
	enum rs_code code = subject_get(state, id, out, err);
	return code == RS_NOT_FOUND ? rs_error_set(err, code, "there is no such subject") : code;
}

enum rs_code rs_xray_count(const struct rs_state *state, const struct rs_digest *subject, uint64_t *out,
                           struct rs_error *err)
{
	struct subject row;
	RS_TRY(find(state, subject, &row, err));
	*out = row.objects;
	return RS_OK;
}

enum rs_code rs_xray_get(const struct rs_state *state, const struct rs_digest *subject, uint64_t index,
                         struct rs_xray_hash *out, struct rs_error *err)
{
	struct rs_xray_hash hash = {.time_ms = 0};
	struct subject row;
	struct object object;
	struct rs_bytes value;
	uint8_t number[8];
	RS_TRY(find(state, subject, &row, err));
	rs_write_be64(number, index);
	struct key place = key_of_two('X', digest_bytes(subject), rs_bytes_of(number, sizeof number));
	enum rs_code code = row_find(state, &place, &value, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, code, "there is no object %" PRIu64 "; the subject has %" PRIu64,
		                    index, row.objects);
	RS_TRY(code);
	if (value.size != RS_SHA256_SIZE)
		return rs_error_set(err, RS_ALTERED, "the state's row of a subject's object is not one");
	memcpy(hash.commitment.bytes, value.data, RS_SHA256_SIZE);
	code = object_get(state, &hash.commitment, &object, err);
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? rs_error_set(err, RS_ALTERED, "a subject's object is not there")
		                            : code;
	hash.kind = object.kind;
	hash.doctor = object.signer;
	hash.place = object.label;
	hash.time_ms = object.time_ms;
	struct key label = key_of('L', member_bytes(&object.signer));
	code = row_find(state, &label, &value, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	if (code == RS_OK && value.size == RS_SHA256_SIZE)
		memcpy(hash.doctor_name.bytes, value.data, RS_SHA256_SIZE);
	*out = hash;
	return RS_OK;
}

enum rs_code rs_xray_profile(const struct rs_state *state, const struct rs_digest *subject,
                             struct rs_xray_profile *out, struct rs_error *err)
{
	static const enum rs_profile_attribute attributes[] = {RS_PROFILE_BIRTHDAY, RS_PROFILE_CONTACT};
	struct rs_xray_profile profile = {.erased = false};
	struct subject row;
	RS_TRY(find(state, subject, &row, err));
	profile.patient = row.patient;
	profile.erased = row.erased;
	for (size_t i = 0; i < RS_COUNT(attributes); i++) {
		struct profile value;
		enum rs_code code = profile_get(state, subject, attributes[i], &value, err);
		if (code == RS_NOT_FOUND)
			continue;
		RS_TRY(code);
		struct rs_xray_value *part = i ? &profile.contact : &profile.birthday;
		part->set = true;
		part->has_locator = value.has_locator;
		part->commitment = value.commitment;
		memcpy(part->locator, value.locator, sizeof part->locator);
	}
	*out = profile;
	return RS_OK;
}
