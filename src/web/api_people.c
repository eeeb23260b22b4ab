/* Organisations, members, devices: who may do what. */
#include <string.h>

#include "access/access_people.h"
#include "api.h"
#include "node/node_subject.h"

#define ROLES_GRANTED \
	"radiologist,oncologist,researcher,data-engineer,hospital-administrator,regulator,patient"
#define KINDS "radiology,oncology,hospital-administration,research,regulator"
#define BODY_SMALL 8192

static enum rs_code tell_organisation(void *context, const struct rs_organisation *organisation,
                                      struct rs_error *err)
{
	struct call *call = context;
	row_begin(call);
	put_text(call, "name", organisation->name);
	put_text(call, "kind", rs_organisation_kind_name(organisation->kind));
	put_hex(call, "administrator", organisation->administrator.bytes, RS_KEY_SIZE);
	return row_end(call, err);
}

static enum rs_code organisations(struct call *call, struct rs_error *err)
{
	const struct rs_state state = rs_node_state(call->node);
	return rs_contract_each_organisation(&state, tell_organisation, call, err);
}

static enum rs_code add_organisation(struct call *call, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_ORGANISATION_ADD,
	                     .organisation = rs_str_from(call_text(call, "name"))};
	const char *kind = call_text(call, "kind");
	if (kind)
		(void)rs_organisation_kind_from_name(rs_str_from(kind), &act.organisation_kind);
	RS_TRY(rs_node_find_person(call->node, call_text(call, "administrator"), &act.member, err));
	return call_act(call, &act, err);
}

static const char *state_of(const struct rs_person *person, uint64_t now_ms)
{
	if (person->revoked)
		return "revoked";
	if (person->until_ms && person->until_ms <= now_ms)
		return "expired";
	return person->from_ms > now_ms ? "not yet" : "valid";
}

static void put_key(struct call *call, const char *key, const struct rs_member_key *value)
{
	static const struct rs_member_key none;
	if (rs_member_key_equal(value, &none))
		put_text(call, key, NULL);
	else
		put_hex(call, key, value->bytes, RS_KEY_SIZE);
}

static enum rs_code tell_person(struct call *call, const struct rs_person_status *status, uint64_t now_ms,
                                struct rs_error *err)
{
	const struct rs_person *person = &status->person;
	row_begin(call);
	put_key(call, "key", &person->key);
	put_text(call, "role", rs_role_name(person->role));
	put_text(call, "organisation", person->organisation);
	put_time(call, "from", person->from_ms);
	put_time(call, "until", person->until_ms);
	put_text(call, "state", state_of(person, now_ms));
	put_time(call, "revoked_at", status->revoked_ms);
	put_key(call, "rotated_to", &status->successor);
	put_text(call, "name", status->name);
	return row_end(call, err);
}

static void people_free(struct rs_people *people) { rs_people_finish(people); }

static enum rs_code people(struct call *call, bool devices, struct rs_error *err)
{
	struct rs_people list RS_CLEANUP(people_free) = {.count = 0};
	const uint64_t now_ms = rs_world_now_ms(rs_world_system());
	RS_TRY(rs_node_people(call->node, &list, err));
	for (size_t i = 0; i < list.count; i++)
		if ((list.list[i].person.role == RS_ROLE_DEVICE) == devices)
			RS_TRY(tell_person(call, &list.list[i], now_ms, err));
	return RS_OK;
}

static enum rs_code members(struct call *call, struct rs_error *err) { return people(call, false, err); }
static enum rs_code devices(struct call *call, struct rs_error *err) { return people(call, true, err); }

static enum rs_code keep_name(struct call *call, struct rs_act *act, struct rs_digest *out_label,
                              struct rs_error *err)
{
	const char *name = call_text(call, "name");
	return name ? rs_node_name_keep(call->node, &act->member, rs_str_from(name), out_label, err) : RS_OK;
}

static enum rs_code grant(struct call *call, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_MEMBER_GRANT,
	                     .organisation = rs_str_from(call_text(call, "organisation"))};
	(void)rs_role_from_name(rs_str_from(call_text(call, "role")), &act.role);
	act.from_ms = call_time(call, "from", rs_world_now_ms(rs_world_system()));
	act.until_ms = call_time(call, "until", 0);
	if (act.until_ms && act.until_ms <= act.from_ms)
		return rs_error_set(err, RS_USAGE, "until is not after from");
	RS_TRY(rs_node_find_person(call->node, call_text(call, "who"), &act.member, err));
	RS_TRY(keep_name(call, &act, &act.label, err));
	return call_act(call, &act, err);
}

/* What is done to the one whom the path names. */
static enum rs_code act_on(struct call *call, enum rs_transaction_type type, struct rs_error *err)
{
	struct rs_act act = {.type = type};
	char name[129];
	RS_TRY(call_name(call, name, err));
	RS_TRY(rs_node_find_person(call->node, name, &act.member, err));
	return call_act(call, &act, err);
}

static enum rs_code revoke(struct call *call, struct rs_error *err)
{
	return act_on(call, RS_TRANSACTION_MEMBER_REVOKE, err);
}

static enum rs_code revoke_device(struct call *call, struct rs_error *err)
{
	return act_on(call, RS_TRANSACTION_DEVICE_REVOKE, err);
}

static enum rs_code rotate(struct call *call, struct rs_error *err)
{
	struct rs_member_key old, replacement;
	uint64_t entry;
	RS_TRY(rs_node_find_person(call->node, call_text(call, "who"), &old, err));
	RS_TRY(rs_node_find_person(call->node, call_text(call, "successor"), &replacement, err));
	RS_TRY(rs_node_member_rotate(call->node, call->actor, &old, &replacement, &entry, err));
	put_number(call, "entry", entry);
	return RS_OK;
}

static enum rs_code act_for(struct call *call, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_SUBJECT_REGISTER};
	struct rs_node_subject subject;
	RS_TRY(rs_node_find_person(call->node, call_text(call, "who"), &act.member, err));
	RS_TRY(call_subject(call, &subject, err));
	act.subject = subject.token;
	return call_act(call, &act, err);
}

/* What the ledger calls a patient, and what it knows of the subject. */
static enum rs_code subject(struct call *call, struct rs_error *err)
{
	const struct rs_state state = rs_node_state(call->node);
	struct rs_node_subject found;
	struct rs_subject_facts facts;
	RS_TRY(call_subject(call, &found, err));
	enum rs_code code = rs_contract_subject(&state, &found.token, &facts, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, code, "the ledger does not know the subject");
	RS_TRY(code);
	put_hex(call, "token", found.token.bytes, RS_SHA256_SIZE);
	put_text(call, "custodian", facts.custodian);
	put_key(call, "acted_for_by", &facts.patient);
	put_number(call, "objects", facts.objects);
	return RS_OK;
}

static enum rs_code tell_event(void *context, const struct rs_person_event *event, struct rs_error *err)
{
	struct call *call = context;
	const struct rs_act *act = &event->act;
	bool grants = act->type == RS_TRANSACTION_MEMBER_GRANT;
	row_begin(call);
	put_number(call, "entry", event->entry);
	put_time(call, "time", act->time_ms);
	put_text(call, "type", rs_transaction_type_name(act->type));
	put_text(call, "role", grants ? rs_role_name(act->role) : NULL);
	put_time(call, "from", grants ? act->from_ms : 0);
	put_time(call, "until", grants ? act->until_ms : 0);
	put_key(call, "by", &act->signer);
	put_key(call, "rotated_from", &event->predecessor);
	put_key(call, "rotated_to", &event->successor);
	return row_end(call, err);
}

static enum rs_code history(struct call *call, struct rs_error *err)
{
	const struct rs_state state = rs_node_state(call->node);
	struct rs_member_key key;
	struct rs_person person;
	char name[129];
	RS_TRY(call_name(call, name, err));
	RS_TRY(rs_node_find_person(call->node, name, &key, err));
	RS_TRY(rs_contract_person(&state, &key, &person, err));
	return rs_node_each_person_event(call->node, &key, tell_event, call, err);
}

static enum rs_code forget(struct call *call, struct rs_error *err)
{
	struct rs_member_key key;
	char name[129];
	RS_TRY(call_name(call, name, err));
	RS_TRY(rs_node_find_person(call->node, name, &key, err));
	return rs_node_name_forget(call->node, &key, err);
}

static enum rs_code enrol(struct call *call, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_DEVICE_ENROL,
	                     .organisation = rs_str_from(call_text(call, "organisation"))};
	struct rs_digest label; /* a device's row has none: its name is known to this node alone */
	RS_TRY(rs_node_find_person(call->node, call_text(call, "who"), &act.member, err));
	RS_TRY(keep_name(call, &act, &label, err));
	return call_act(call, &act, err);
}

static enum rs_code rotate_device(struct call *call, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_DEVICE_ROTATE};
	RS_TRY(rs_node_find_person(call->node, call_text(call, "who"), &act.member, err));
	RS_TRY(rs_node_find_person(call->node, call_text(call, "successor"), &act.successor, err));
	return call_act(call, &act, err);
}

#define END                                         \
	{                                           \
		NULL, FIELD_TEXT, false, NULL, NULL \
	}
#define WHO                                                                                                 \
	{                                                                                                   \
		"who", FIELD_TEXT, true, "a public key, its first digits, the name of a key file, or node", \
			NULL                                                                                \
	}
static const struct field entry_fields[] = {FIELD_ENTRY, END};
static const struct field organisation_fields[] = {
	{"name", FIELD_TEXT, true, "the organisation", NULL},
	{"kind", FIELD_TEXT, false, "what it is", KINDS},
	{"administrator", FIELD_HEX, true, "its first administrator's key", NULL},
	END};
static const struct field add_organisation_fields[] = {
	{"name", FIELD_TEXT, true, "the organisation", NULL},
	{"kind", FIELD_TEXT, false, "what it is; otherwise it may give all roles", KINDS},
	{"administrator", FIELD_TEXT, true, "its first administrator: as who elsewhere", NULL},
	END};
static const struct field person_fields[] = {
	{"key", FIELD_HEX, true, "the public key, which is who that is", NULL},
	{"role", FIELD_TEXT, true, "its role", ROLES_GRANTED ",device"},
	{"organisation", FIELD_TEXT, true, "of which organisation", NULL},
	{"from", FIELD_TIME, false, "when the role began or begins", NULL},
	{"until", FIELD_TIME, false, "when it ends; null: it is open", NULL},
	{"state", FIELD_TEXT, true, "now", "valid,revoked,expired,not yet"},
	{"revoked_at", FIELD_TIME, false, "by which entry's time", NULL},
	{"rotated_to", FIELD_HEX, false, "the key that came in its place", NULL},
	{"name", FIELD_TEXT, false, "kept in this node alone", NULL},
	END};
static const struct field grant_fields[] = {
	WHO,
	{"role", FIELD_TEXT, true, "the role", ROLES_GRANTED},
	{"organisation", FIELD_TEXT, false, "otherwise that of who signs", NULL},
	{"from", FIELD_TIME, false, "when the role begins; otherwise now", NULL},
	{"until", FIELD_TIME, false, "when it ends; otherwise it is open", NULL},
	{"name", FIELD_TEXT, false, "who that is, kept encrypted in this node", NULL},
	END};
static const struct field rotate_fields[] = {
	WHO, {"successor", FIELD_TEXT, true, "the new key, as who", NULL}, END};
static const struct field act_for_fields[] = {WHO, FIELDS_SUBJECT, END};
static const struct field subject_fields[] = {FIELDS_SUBJECT, END};
static const struct field known_fields[] = {
	{"token", FIELD_HEX, true, "what the ledger calls the subject", NULL},
	{"custodian", FIELD_TEXT, true, "whose the data are to keep", NULL},
	{"acted_for_by", FIELD_HEX, false, "the patient's or guardian's key", NULL},
	{"objects", FIELD_NUMBER, true, "registered", NULL},
	END};
static const struct field enrol_fields[] = {
	WHO,
	{"organisation", FIELD_TEXT, false, "otherwise that of who signs", NULL},
	{"name", FIELD_TEXT, false, "which device that is, kept encrypted in this node", NULL},
	END};
static const struct field event_fields[] = {{"entry", FIELD_NUMBER, true, "its place in the ledger", NULL},
                                            {"time", FIELD_TIME, true, "as its signer states", NULL},
                                            {"type", FIELD_TEXT, true, "of the transaction", NULL},
                                            {"role", FIELD_TEXT, false, "of a grant", ROLES_GRANTED},
                                            {"from", FIELD_TIME, false, "of a grant", NULL},
                                            {"until", FIELD_TIME, false, "of a grant", NULL},
                                            {"by", FIELD_HEX, true, "who signed", NULL},
                                            {"rotated_from", FIELD_HEX, false, "the key before", NULL},
                                            {"rotated_to", FIELD_HEX, false, "the key after", NULL},
                                            END};

#define READS(path_)                                                                \
	{                                                                           \
		.method = "GET", .path = "/api/v1" path_, .right = RS_WEB_MAY_QUERY \
	}
#define WRITES(method_, path_)                                                          \
	{                                                                               \
		.method = method_, .path = "/api/v1" path_, .right = RS_WEB_MAY_MANAGE, \
		.body_max = BODY_SMALL                                                  \
	}
#define REMOVES(path_)                                                                  \
	{                                                                               \
		.method = "DELETE", .path = "/api/v1" path_, .right = RS_WEB_MAY_MANAGE \
	}

const struct operation operations_people[] = {
	{READS("/organisations"), .group = "people", .summary = "Lists the organisations of the ledger",
         .answer = organisation_fields, .answers_list = true, .run = organisations},
	{WRITES("POST", "/organisations"), .group = "people", .summary = "Adds an organisation",
         .body = add_organisation_fields, .answer = entry_fields, .status = 201, .run = add_organisation},
	{READS("/members"), .group = "people", .summary = "Lists members with their roles",
         .answer = person_fields, .answers_list = true, .run = members},
	{WRITES("POST", "/members"), .group = "people", .summary = "Grants a role", .body = grant_fields,
         .answer = entry_fields, .status = 201, .run = grant},
	{WRITES("POST", "/members/rotate"), .group = "people",
         .summary = "Hands a role on to another key of the member", .body = rotate_fields,
         .answer = entry_fields, .run = rotate},
	{WRITES("POST", "/members/act-for"), .group = "people",
         .summary = "Names the key of a patient or guardian, who acts for a subject", .body = act_for_fields,
         .answer = entry_fields, .run = act_for},
	{REMOVES("/members/{name}"), .group = "people", .summary = "Revokes a member, for good",
         .answer = entry_fields, .run = revoke},
	{REMOVES("/members/{name}/name"), .group = "people",
         .summary = "Forgets a member's or device's name: what the ledger has of it tells nothing any more",
         .status = 204, .run = forget},
	{READS("/members/{name}/history"), .group = "people", .summary = "Tells what happened to a key",
         .answer = event_fields, .answers_list = true, .run = history},
	{READS("/devices"), .group = "people", .summary = "Lists devices", .answer = person_fields,
         .answers_list = true, .run = devices},
	{WRITES("POST", "/devices"), .group = "people", .summary = "Enrols a scanner or gateway",
         .body = enrol_fields, .answer = entry_fields, .status = 201, .run = enrol},
	{WRITES("POST", "/devices/rotate"), .group = "people",
         .summary = "Puts another key in place of a device's", .body = rotate_fields, .answer = entry_fields,
         .run = rotate_device},
	{REMOVES("/devices/{name}"), .group = "people", .summary = "Revokes a device, for good",
         .answer = entry_fields, .run = revoke_device},
	{.route = {.method = "POST",
                   .path = "/api/v1/subjects/find",
                   .right = RS_WEB_MAY_QUERY,
                   .body_max = BODY_SMALL},
         .group = "people",
         .summary =
                 "Tells what the ledger calls a patient; the identifier stays out of addresses and their logs",
         .body = subject_fields,
         .answer = known_fields,
         .run = subject},
	{.run = NULL},
};
