/* Consents of patients: given, narrowed, revoked, listed. */
#include <stdlib.h>
#include <string.h>

#include "access/access_consent.h"
#include "api.h"
#include "consent/consent_words.h"
#include "node/node_subject.h"

#define ROLES \
	"radiologist,oncologist,researcher,data-engineer,hospital-administrator,regulator,patient,device"
#define PURPOSES "treatment,research,operations,emergency,audit,patient-request"
#define OPERATIONS "read,extract,train,predict,export"

static uint32_t set_of(const struct call *call, const char *name, enum rs_consent_word kind)
{
	const json_t *list = json_object_get(call->body, name);
	uint32_t set = 0;
	for (size_t i = 0; i < json_array_size(list); i++)
		set |= RS_SET(rs_consent_word_number(
			kind, rs_str_from(json_string_value(json_array_get(list, i)))));
	return set;
}

static int ascending(const void *a, const void *b) { return memcmp(a, b, RS_SHA256_SIZE); }

/* By StudyInstanceUID where it is known whose, else by commitment. */
static enum rs_code studies_of(const struct call *call, const struct rs_node_subject *subject,
                               struct rs_consent_terms *out, struct rs_error *err)
{
	const json_t *list = json_object_get(call->body, "studies");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct rs_str text = rs_str_from(json_string_value(json_array_get(list, i)));
		struct rs_digest study;
		if (out->studies_size == sizeof out->studies)
			return rs_error_set(err, RS_USAGE, "there are more than %d studies", RS_STUDIES_MAX);
		if (!rs_hex_decode(text, study.bytes, RS_SHA256_SIZE)) {
			if (!subject)
				return rs_error_set(
					err, RS_USAGE,
					"studies are named by 64 hexadecimal digits, as the ledger does");
			RS_TRY(rs_node_commitment(call->node, subject, RS_COMMITMENT_STUDY, text, &study,
			                          err));
		}
		memcpy(out->studies + out->studies_size, study.bytes, RS_SHA256_SIZE);
		out->studies_size += RS_SHA256_SIZE;
	}
	qsort(out->studies, out->studies_size / RS_SHA256_SIZE, RS_SHA256_SIZE, ascending);
	return RS_OK;
}

static enum rs_code terms_of(const struct call *call, const struct rs_node_subject *subject,
                             struct rs_consent_terms *out, struct rs_error *err)
{
	const char *effect = call_text(call, "effect");
	struct rs_str organisation = rs_str_from(call_text(call, "organisation"));
	struct rs_consent_terms terms = {
		.effect = effect && strcmp(effect, "deny") == 0 ? RS_CONSENT_DENY : RS_CONSENT_PERMIT,
		.organisation_size = organisation.size,
		.roles = set_of(call, "roles", RS_WORD_ROLE),
		.purposes = set_of(call, "purposes", RS_WORD_PURPOSE),
		.operations = set_of(call, "operations", RS_WORD_OPERATION),
		.from_ms = call_time(call, "from", 0),
		.until_ms = call_time(call, "before", 0),
	};
	if (organisation.size > RS_ORGANISATION_NAME_MAX)
		return rs_error_set(err, RS_USAGE, "organisation has more than %d bytes",
		                    RS_ORGANISATION_NAME_MAX);
	if (organisation.size)
		memcpy(terms.organisation, organisation.data, organisation.size);
	if (terms.until_ms && terms.until_ms <= terms.from_ms)
		return rs_error_set(err, RS_USAGE, "before is not after from");
	RS_TRY(studies_of(call, subject, &terms, err));
	*out = terms;
	return RS_OK;
}

static enum rs_code tell_token(struct call *call, struct rs_bytes token, struct rs_error *err)
{
	char *text RS_CLEANUP(rs_free_pointer) = rs_allocate(RS_BASE64_SIZE(token.size));
	if (!text)
		return rs_error_memory(err, RS_BASE64_SIZE(token.size), "a token");
	rs_base64_encode(token, text);
	put_text(call, "token", text);
	rs_wipe(text, RS_BASE64_SIZE(token.size));
	return RS_OK;
}

static enum rs_code grant(struct call *call, struct rs_error *err)
{
	struct rs_buffer token RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_node_subject subject;
	struct rs_consent_terms terms;
	struct rs_digest name;
	uint64_t entry;
	RS_TRY(call_subject(call, &subject, err));
	RS_TRY(terms_of(call, &subject, &terms, err));
	rs_buffer_init(&token, RS_CONSENT_TOKEN_SIZE_MAX);
	RS_TRY(rs_node_consent_grant(call->node, call->actor, &subject.token, &terms, &token, &name, &entry,
	                             err));
	put_hex(call, "consent", name.bytes, RS_SHA256_SIZE);
	put_number(call, "entry", entry);
	return tell_token(call, rs_buffer_bytes(&token), err);
}

static enum rs_code find(struct call *call, struct rs_consent_facts *out, struct rs_error *err)
{
	char name[129];
	RS_TRY(call_name(call, name, err));
	return rs_node_consent_find(call->node, rs_str_from(name), out, err);
}

static enum rs_code narrow(struct call *call, struct rs_error *err)
{
	struct rs_consent_facts consent;
	struct rs_consent_terms terms;
	uint64_t entry;
	RS_TRY(find(call, &consent, err));
	RS_TRY(terms_of(call, NULL, &terms, err));
	RS_TRY(rs_node_consent_narrow(call->node, call->actor, &consent, &terms, &entry, err));
	put_number(call, "entry", entry);
	return RS_OK;
}

static enum rs_code revoke(struct call *call, struct rs_error *err)
{
	struct rs_consent_facts consent;
	uint64_t entry;
	RS_TRY(find(call, &consent, err));
	RS_TRY(rs_node_consent_revoke(call->node, call->actor, &consent, &entry, err));
	put_number(call, "entry", entry);
	return RS_OK;
}

static enum rs_code tell(void *context, const struct rs_consent_facts *consent, struct rs_error *err)
{
	struct call *call = context;
	row_begin(call);
	put_hex(call, "consent", consent->name.bytes, RS_SHA256_SIZE);
	put_hex(call, "subject", consent->subject.bytes, RS_SHA256_SIZE);
	put_switch(call, "revoked", consent->revoked);
	rs_consent_terms_json(&call->json, &consent->terms);
	return row_end(call, err);
}

static enum rs_code list(struct call *call, struct rs_error *err)
{
	const struct rs_state state = rs_node_state(call->node);
	struct rs_node_subject subject;
	bool one = call_text(call, "subject") != NULL;
	if (one)
		RS_TRY(call_subject(call, &subject, err));
	else
		one = call_hex(call, "token", &subject.token);
	return rs_contract_consents(&state, one ? &subject.token : NULL, tell, call, err);
}

#define END                                         \
	{                                           \
		NULL, FIELD_TEXT, false, NULL, NULL \
	}
#define TERMS(required_)                                                                                \
	{"effect", FIELD_TEXT, false, "otherwise permit", "permit,deny"},                               \
		{"organisation", FIELD_TEXT, false, "to whom it is given; of a denial null: everybody", \
	         NULL},                                                                                 \
		{"roles", FIELD_TEXTS, required_, "of that organisation", ROLES},                       \
		{"purposes", FIELD_TEXTS, required_, "for what", PURPOSES},                             \
		{"operations", FIELD_TEXTS, required_, "doing what", OPERATIONS},                       \
		{"from", FIELD_TIME, false, "otherwise always", NULL},                                  \
		{"before", FIELD_TIME, false, "otherwise for good", NULL},                              \
	{                                                                                               \
		"studies", FIELD_TEXTS, false,                                                          \
			"of these studies only: StudyInstanceUIDs, or as the ledger names them", NULL   \
	}

static const struct field grant_fields[] = {FIELDS_SUBJECT, TERMS(true), END};
static const struct field narrow_fields[] = {TERMS(false), END};
static const struct field entry_fields[] = {FIELD_ENTRY, END};
static const struct field granted_fields[] = {
	{"consent", FIELD_HEX, true, "its name", NULL},
	FIELD_ENTRY,
	{"token", FIELD_TEXT, true,
         "base64: shows the consent without the ledger, and can be narrowed: keep it secret", NULL},
	END};
static const struct field query_fields[] = {
	{"subject", FIELD_TEXT, false, "of this patient", NULL},
	{"issuer", FIELD_TEXT, false, "who issued that identifier", NULL},
	{"token", FIELD_HEX, false, "of the subject with this token", NULL},
	END};
static const struct field consent_fields[] = {
	{"consent", FIELD_HEX, true, "its name", NULL},
	{"subject", FIELD_HEX, true, "the subject's token", NULL},
	{"revoked", FIELD_SWITCH, true, "it counts no more", NULL},
	{"effect", FIELD_TEXT, true, "what it does", "permit,deny"},
	{"organisation", FIELD_TEXT, false, "to whom; null: everybody", NULL},
	{"roles", FIELD_TEXTS, true, "of that organisation", ROLES},
	{"purposes", FIELD_TEXTS, true, "for what", PURPOSES},
	{"operations", FIELD_TEXTS, true, "doing what", OPERATIONS},
	{"from", FIELD_TIME, false, "null: always", NULL},
	{"before", FIELD_TIME, false, "null: for good", NULL},
	{"studies", FIELD_TEXTS, true, "as the ledger names them; none: all", NULL},
	END};

#define WRITES(path_)                                                                           \
	{                                                                                       \
		.method = "POST", .path = "/api/v1/consents" path_, .right = RS_WEB_MAY_MANAGE, \
		.body_max = 65536                                                               \
	}

const struct operation operations_consents[] = {
	{.route = {.method = "GET", .path = "/api/v1/consents", .right = RS_WEB_MAY_QUERY},
         .group = "consents",
         .summary = "Lists consents",
         .query = query_fields,
         .answer = consent_fields,
         .answers_list = true,
         .run = list},
	{WRITES(""), .group = "consents", .summary = "Gives or denies consent", .body = grant_fields,
         .answer = granted_fields, .status = 201, .run = grant},
	{WRITES("/{name}/narrow"), .group = "consents", .summary = "Takes something away from a consent",
         .body = narrow_fields, .answer = entry_fields, .run = narrow},
	{.route = {.method = "DELETE", .path = "/api/v1/consents/{name}", .right = RS_WEB_MAY_MANAGE},
         .group = "consents",
         .summary = "Revokes a consent, for good",
         .answer = entry_fields,
         .run = revoke},
	{.run = NULL},
};
