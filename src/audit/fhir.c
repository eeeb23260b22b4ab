/* A FHIR R4 Bundle of AuditEvents (hl7.org/fhir/R4/auditevent.html), one for each entry. Codes: DICOM audit messages (PS3.16
 * CID 400 and 401), ISO 21089 lifecycle, IHE BALP's subtypes of authorization decisions, HL7 v3 PurposeOfUse. BALP's profiles
 * ask for network addresses, which a ledger does not know; so none of them is claimed. Identifiers are keys, tokens and
 * commitments as the ledger has them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/audit_fhir.h"
#include "write.h"

#define TERMINOLOGY "http://terminology.hl7.org/CodeSystem/"
#define DICOM "http://dicom.nema.org/resources/ontology/DCM"
#define LIFECYCLE TERMINOLOGY "iso-21089-lifecycle"
#define AUTHORIZATION "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"

struct coding {
	const char *system, *code, *display;
};
#define SECURITY                                  \
	{                                         \
		DICOM, "110113", "Security Alert" \
	}
#define ACTIVITY                                        \
	{                                               \
		DICOM, "110100", "Application Activity" \
	}
#define AUTHENTICATION                                 \
	{                                              \
		DICOM, "110114", "User Authentication" \
	}
#define USER_SECURITY                                               \
	{                                                           \
		DICOM, "110137", "User Security Attributes Changed" \
	}
#define ORIGINATE                                                                 \
	{                                                                         \
		LIFECYCLE, "originate", "Originate/Retain Record Lifecycle Event" \
	}
#define AMEND                                                               \
	{                                                                   \
		LIFECYCLE, "amend", "Amend (Update) Record Lifecycle Event" \
	}
#define ATTEST                                                       \
	{                                                            \
		LIFECYCLE, "attest", "Attest Record Lifecycle Event" \
	}

static const struct {
	struct coding type, subtype;
	const char *action;
} kinds[RS_TRANSACTION_TYPE_COUNT] = {
	[RS_TRANSACTION_ORGANISATION_ADD] = {SECURITY, USER_SECURITY, "C"},
	[RS_TRANSACTION_MEMBER_GRANT] = {SECURITY, USER_SECURITY, "C"},
	[RS_TRANSACTION_MEMBER_REVOKE] = {SECURITY, USER_SECURITY, "U"},
	[RS_TRANSACTION_DEVICE_ENROL] = {SECURITY, USER_SECURITY, "C"},
	[RS_TRANSACTION_DEVICE_REVOKE] = {SECURITY, USER_SECURITY, "U"},
	[RS_TRANSACTION_DEVICE_ROTATE] = {SECURITY, USER_SECURITY, "U"},
	[RS_TRANSACTION_OBJECT_REGISTER] = {ORIGINATE, {0}, "C"},
	[RS_TRANSACTION_SUBJECT_REGISTER] = {ORIGINATE, {0}, "C"},
	[RS_TRANSACTION_PROFILE_SET] = {AMEND, {0}, "U"},
	[RS_TRANSACTION_CONSENT_GRANT] = {ORIGINATE, {0}, "C"},
	[RS_TRANSACTION_CONSENT_NARROW] = {AMEND, {0}, "U"},
	[RS_TRANSACTION_CONSENT_REVOKE] = {{LIFECYCLE, "deprecate", "Deprecate Record Lifecycle Event"},
                                           {0},
                                           "U"},
	[RS_TRANSACTION_ACCESS_REQUEST] = {SECURITY, {0}, "E"},
	[RS_TRANSACTION_BREAK_GLASS] = {SECURITY, {DICOM, "110127", "Emergency Override Started"}, "E"},
	[RS_TRANSACTION_BREAK_GLASS_REVIEW] = {{LIFECYCLE, "verify", "Verify Record Lifecycle Event"},
                                               {0},
                                               "U"},
	[RS_TRANSACTION_ERASURE] = {{LIFECYCLE, "destroy", "Destroy/Delete Record Lifecycle Event"},
                                    {0},
                                    "D"},
	[RS_TRANSACTION_CHECKPOINT_ANCHOR] = {ATTEST, {0}, "C"},
};

static void member_text(struct rs_json *json, const char *key, const char *text)
{
	rs_json_key(json, key);
	rs_json_text(json, text);
}

static void coding_members(struct rs_json *json, const struct coding *coding)
{
	member_text(json, "system", coding->system);
	member_text(json, "code", coding->code);
	if (coding->display)
		member_text(json, "display", coding->display);
}

static void coding(struct rs_json *json, const char *key, const struct coding *value)
{
	rs_json_key(json, key);
	rs_json_object_begin(json);
	coding_members(json, value);
	rs_json_object_end(json);
}

static void concept_coding(struct rs_json *json, const struct coding *value)
{
	rs_json_key(json, "coding");
	rs_json_array_begin(json);
	rs_json_object_begin(json);
	coding_members(json, value);
	rs_json_object_end(json);
	rs_json_array_end(json);
}

/* Namespaces of identifiers. What is a log's own is named below the log's origin, a URL without scheme (C2SP tlog-checkpoint). */
#define OF_KEYS "urn:ietf:rfc:8032" /* Ed25519 public keys, in hexadecimal */
#define OF_LOGS "https://c2sp.org/tlog-checkpoint"

/* {"type": type, "identifier": {"system": system, "value": value}, "display": display} */
static void reference(struct rs_json *json, const char *key, const char *type, const char *system,
                      const char *value, const char *display)
{
	rs_json_key(json, key);
	rs_json_object_begin(json);
	if (type)
		member_text(json, "type", type);
	rs_json_key(json, "identifier");
	rs_json_object_begin(json);
	member_text(json, "system", system);
	member_text(json, "value", value);
	rs_json_object_end(json);
	if (display)
		member_text(json, "display", display);
	rs_json_object_end(json);
}

#define NAMESPACE_SIZE (RS_NOTE_NAME_MAX + 32)

static void namespace_of(const struct rs_audit_writer *writer, const char *what,
                         char out[static NAMESPACE_SIZE])
{
	snprintf(out, NAMESPACE_SIZE, "https://%s/%s", writer->heading->checkpoint.origin, what);
}

/* A transaction's id in the form of a UUID. */
static void uuid_of(const uint8_t id[static RS_TRANSACTION_ID_SIZE], char out[static 37])
{
	char hex[2 * RS_TRANSACTION_ID_SIZE + 1];
	rs_hex_encode(rs_bytes_of(id, RS_TRANSACTION_ID_SIZE), hex);
	snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

void fhir_begin(struct rs_audit_writer *writer)
{
	struct rs_json *json = &writer->json;
	char time[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(writer->heading->asked_ms, time);
	rs_json_object_begin(json);
	member_text(json, "resourceType", "Bundle");
	member_text(json, "type", "collection");
	member_text(json, "timestamp", time);
}

void fhir_end(struct rs_audit_writer *writer)
{
	if (writer->lines)
		rs_json_array_end(&writer->json);
	rs_json_object_end(&writer->json);
	rs_buffer_append_text(&writer->out, "\n");
}

/* Roles alone decide about care, audits and own data; else a consent does, or that there is none. */
static const char *authorization(const struct rs_decision *decision)
{
	bool by_consent = decision->basis == RS_BASIS_CONSENT || decision->refusal == RS_REFUSAL_NO_CONSENT ||
	                  decision->refusal == RS_REFUSAL_CONSENT_DENIES;
	return by_consent ? "AuthZ-Consent" : "AuthZ-Role";
}

static void event_type(struct rs_json *json, const struct rs_audit_line *line)
{
	enum rs_transaction_type type = line->act.type;
	const struct coding decided = {AUTHORIZATION, authorization(&line->decision), NULL};
	const struct coding *subtype = line->has_decision           ? &decided
	                               : kinds[type].subtype.system ? &kinds[type].subtype
	                                                            : NULL;
	const struct coding version = AMEND;
	bool amends = type == RS_TRANSACTION_OBJECT_REGISTER && line->act.has_previous;
	coding(json, "type", amends ? &version : &kinds[type].type);
	if (subtype) {
		rs_json_key(json, "subtype");
		rs_json_array_begin(json);
		rs_json_object_begin(json);
		coding_members(json, subtype);
		rs_json_object_end(json);
		rs_json_array_end(json);
	}
	member_text(json, "action", kinds[type].action);
}

static void purpose(struct rs_json *json, const struct rs_audit_line *line)
{
	static const char *const displays[] = {
		[RS_PURPOSE_TREATMENT] = "treatment",
		[RS_PURPOSE_RESEARCH] = "healthcare research",
		[RS_PURPOSE_OPERATIONS] = "healthcare operations",
		[RS_PURPOSE_EMERGENCY] = "Emergency Treatment",
		[RS_PURPOSE_AUDIT] = "health compliance",
		[RS_PURPOSE_PATIENT_REQUEST] = "patient requested",
	};
	enum rs_purpose number = line->act.type == RS_TRANSACTION_BREAK_GLASS ? RS_PURPOSE_EMERGENCY
	                                                                      : line->act.purpose;
	if (!number)
		return;
	const struct coding reason = {TERMINOLOGY "v3-ActReason", code_of_purpose(number), displays[number]};
	rs_json_key(json, "purposeOfEvent");
	rs_json_array_begin(json);
	rs_json_object_begin(json);
	concept_coding(json, &reason);
	rs_json_object_end(json);
	rs_json_array_end(json);
}

static void outcome(struct rs_json *json, const struct rs_audit_line *line)
{
	char text[RS_ERROR_MESSAGE_SIZE];
	bool refused = line->has_decision && line->decision.refusal != RS_REFUSAL_NONE;
	member_text(json, "outcome", refused ? "8" : "0");
	if (!line->has_decision)
		return;
	if (refused)
		snprintf(text, sizeof text, "refused (%s): %s", rs_refusal_name(line->decision.refusal),
		         rs_refusal_text(line->decision.refusal));
	else
		snprintf(text, sizeof text, "permitted on %s", rs_basis_name(line->decision.basis));
	member_text(json, "outcomeDesc", text);
}

static void agent_type(struct rs_json *json, const char *system, const char *code, const char *display)
{
	const struct coding value = {system, code, display};
	rs_json_key(json, "type");
	rs_json_object_begin(json);
	concept_coding(json, &value);
	rs_json_object_end(json);
}

static void requestor(struct rs_json *json, bool is_one)
{
	rs_json_key(json, "requestor");
	rs_json_bool(json, is_one);
}

/* Who signed, for whom, and the log that decided. */
static void agents(struct rs_audit_writer *writer, const struct rs_audit_line *line)
{
	struct rs_json *json = &writer->json;
	bool receives = line->act.type == RS_TRANSACTION_ACCESS_REQUEST;
	char organisations[NAMESPACE_SIZE];
	namespace_of(writer, "organisation", organisations);
	rs_json_key(json, "agent");
	rs_json_array_begin(json);
	rs_json_object_begin(json);
	agent_type(json, TERMINOLOGY "v3-ParticipationType", receives ? "IRCP" : "AUT",
	           receives ? "information recipient" : "author (originator)");
	rs_json_key(json, "role");
	rs_json_array_begin(json);
	rs_json_object_begin(json);
	member_text(json, "text", rs_role_name(line->signer.role));
	rs_json_object_end(json);
	rs_json_array_end(json);
	reference(json, "who", NULL, OF_KEYS, cells_get(&writer->cells, COLUMN_SIGNER), NULL);
	requestor(json, true);
	rs_json_object_end(json);
	rs_json_object_begin(json);
	agent_type(json, TERMINOLOGY "v3-RoleClass", "PROV", "healthcare provider");
	reference(json, "who", "Organization", organisations, line->signer.organisation,
	          line->signer.organisation);
	requestor(json, false);
	rs_json_object_end(json);
	rs_json_object_begin(json);
	agent_type(json, TERMINOLOGY "extra-security-role-type", "authserver", "authorization server");
	reference(json, "who", NULL, OF_LOGS, writer->heading->checkpoint.origin, NULL);
	requestor(json, false);
	rs_json_object_end(json);
	rs_json_array_end(json);
}

static void source(struct rs_audit_writer *writer)
{
	const struct coding server = {TERMINOLOGY "security-source-type", "4", "Application Server"};
	struct rs_json *json = &writer->json;
	rs_json_key(json, "source");
	rs_json_object_begin(json);
	reference(json, "observer", NULL, OF_LOGS, writer->heading->checkpoint.origin, NULL);
	rs_json_key(json, "type");
	rs_json_array_begin(json);
	rs_json_object_begin(json);
	coding_members(json, &server);
	rs_json_object_end(json);
	rs_json_array_end(json);
	rs_json_object_end(json);
}

static void entity_begin(struct rs_json *json, const char *resource, const char *system, const char *value,
                         const char *display, const struct coding *type, const struct coding *role)
{
	rs_json_object_begin(json);
	reference(json, "what", resource, system, value, display);
	coding(json, "type", type);
	coding(json, "role", role);
}

static void detail(struct rs_json *json, const char *type, const char *value)
{
	if (*value == '\0')
		return;
	rs_json_object_begin(json);
	member_text(json, "type", type);
	member_text(json, "valueString", value);
	rs_json_object_end(json);
}

static void details(struct rs_audit_writer *writer, const enum column *columns, size_t count)
{
	struct rs_json *json = &writer->json;
	bool any = false;
	for (size_t i = 0; i < count; i++)
		any = any || *cells_get(&writer->cells, columns[i]);
	if (!any)
		return;
	rs_json_key(json, "detail");
	rs_json_array_begin(json);
	for (size_t i = 0; i < count; i++)
		detail(json, column_name(columns[i]), cells_get(&writer->cells, columns[i]));
	rs_json_array_end(json);
}

static const struct coding person = {TERMINOLOGY "audit-entity-type", "1", "Person"},
			   thing = {TERMINOLOGY "audit-entity-type", "2", "System Object"},
			   patient_role = {TERMINOLOGY "object-role", "1", "Patient"},
			   resource_role = {TERMINOLOGY "object-role", "4", "Domain Resource"},
			   user_role = {TERMINOLOGY "object-role", "11", "Security User Entity"},
			   security_role = {TERMINOLOGY "object-role", "13", "Security Resource"};

/* The entry itself: where it stands, and under which checkpoint. */
static void log_entity(struct rs_audit_writer *writer)
{
	static const enum column columns[] = {COLUMN_TYPE,     COLUMN_REVIEW, COLUMN_REVIEW_ENTRY,
	                                      COLUMN_REASON,   COLUMN_GIVEN,  COLUMN_ROLE_ENTRY,
	                                      COLUMN_FINDINGS, COLUMN_PROOF};
	const struct rs_checkpoint *checkpoint = &writer->heading->checkpoint;
	struct rs_json *json = &writer->json;
	char entries[NAMESPACE_SIZE], size[24], root[RS_BASE64_SIZE(RS_SHA256_SIZE)];
	namespace_of(writer, "entry", entries);
	snprintf(size, sizeof size, "%" PRIu64, checkpoint->size);
	rs_base64_encode(rs_bytes_of(checkpoint->root.bytes, RS_SHA256_SIZE), root);
	entity_begin(json, NULL, entries, cells_get(&writer->cells, COLUMN_ENTRY), NULL, &thing,
	             &security_role);
	rs_json_key(json, "detail");
	rs_json_array_begin(json);
	detail(json, "tree_size", size);
	detail(json, "tree_root", root);
	for (size_t i = 0; i < RS_COUNT(columns); i++)
		detail(json, column_name(columns[i]), cells_get(&writer->cells, columns[i]));
	rs_json_array_end(json);
	rs_json_object_end(json);
}

static void entities(struct rs_audit_writer *writer)
{
	static const struct coding consent_type = {"http://hl7.org/fhir/resource-types", "Consent",
	                                           "Consent"};
	static const enum column of_object[] = {COLUMN_KIND,     COLUMN_OPERATION, COLUMN_STUDY,
	                                        COLUMN_PREVIOUS, COLUMN_PARENTS,   COLUMN_OBJECT_ENTRY};
	static const enum column of_consent[] = {COLUMN_TERMS, COLUMN_TERMS_ENTRY};
	static const enum column of_member[] = {COLUMN_SUCCESSOR};
	const struct cells *cells = &writer->cells;
	struct rs_json *json = &writer->json;
	char system[NAMESPACE_SIZE];
	rs_json_key(json, "entity");
	rs_json_array_begin(json);
	if (*cells_get(cells, COLUMN_SUBJECT)) {
		namespace_of(writer, "subject", system);
		entity_begin(json, "Patient", system, cells_get(cells, COLUMN_SUBJECT),
		             writer->heading->patient, &person, &patient_role);
		rs_json_object_end(json);
	}
	if (*cells_get(cells, COLUMN_OBJECT)) {
		namespace_of(writer, "object", system);
		entity_begin(json, NULL, system, cells_get(cells, COLUMN_OBJECT), NULL, &thing,
		             &resource_role);
		details(writer, of_object, RS_COUNT(of_object));
		rs_json_object_end(json);
	}
	if (*cells_get(cells, COLUMN_CONSENT)) {
		namespace_of(writer, "consent", system);
		entity_begin(json, "Consent", system, cells_get(cells, COLUMN_CONSENT), NULL, &consent_type,
		             &security_role);
		details(writer, of_consent, RS_COUNT(of_consent));
		rs_json_object_end(json);
	}
	if (*cells_get(cells, COLUMN_MEMBER)) {
		entity_begin(json, NULL, OF_KEYS, cells_get(cells, COLUMN_MEMBER), NULL, &thing, &user_role);
		details(writer, of_member, RS_COUNT(of_member));
		rs_json_object_end(json);
	}
	log_entity(writer);
	rs_json_array_end(json);
}

static void resource(struct rs_audit_writer *writer, const struct rs_audit_line *line)
{
	struct rs_json *json = &writer->json;
	char uuid[37], time[RS_TIME_TEXT_SIZE];
	uuid_of(line->act.id, uuid);
	rs_format_time_ms(line->act.time_ms, time);
	rs_json_object_begin(json);
	member_text(json, "resourceType", "AuditEvent");
	member_text(json, "id", uuid);
	event_type(json, line);
	member_text(json, "recorded", time);
	outcome(json, line);
	purpose(json, line);
	agents(writer, line);
	source(writer);
	entities(writer);
	rs_json_object_end(json);
}

void fhir_line(struct rs_audit_writer *writer, const struct rs_audit_line *line)
{
	struct rs_json *json = &writer->json;
	char uuid[37], url[64];
	uuid_of(line->act.id, uuid);
	snprintf(url, sizeof url, "urn:uuid:%s", uuid);
	if (writer->lines == 1) { /* FHIR knows no empty arrays */
		rs_json_key(json, "entry");
		rs_json_array_begin(json);
	}
	rs_json_object_begin(json);
	member_text(json, "fullUrl", url);
	rs_json_key(json, "resource");
	resource(writer, line);
	rs_json_object_end(json);
}

enum rs_code rs_fhir_line(const struct rs_audit_heading *heading, const struct rs_audit_line *line,
                          struct rs_buffer *out, struct rs_error *err)
{
	struct rs_audit_writer writer = {.heading = heading};
	rs_json_init(&writer.json, out, false);
	rs_buffer_init(&writer.cells.text, CELLS_MAX);
	cells_fill(&writer.cells, heading, line);
	enum rs_code code = rs_buffer_check(&writer.cells.text, "an audit event", err);
	if (code == RS_OK) {
		resource(&writer, line);
		code = rs_buffer_check(out, "an audit event", err);
	}
	rs_buffer_finish(&writer.cells.text);
	return code;
}

static void event_agent(struct rs_json *json, const struct rs_atna_event *event)
{
	rs_json_key(json, "agent");
	rs_json_array_begin(json);
	rs_json_object_begin(json);
	if (event->user[0])
		reference(json, "who", NULL, OF_KEYS, event->user, NULL);
	else
		member_text(json, "altId", "unknown");
	requestor(json, true);
	if (event->host[0]) {
		rs_json_key(json, "network");
		rs_json_object_begin(json);
		member_text(json, "address", event->host);
		member_text(json, "type", "2"); /* an IP address */
		rs_json_object_end(json);
	}
	rs_json_object_end(json);
	rs_json_array_end(json);
}

static void event_entity(struct rs_audit_writer *writer, const struct rs_atna_event *event, uint64_t number)
{
	struct rs_json *json = &writer->json;
	char events[NAMESPACE_SIZE], text[24];
	namespace_of(writer, "event", events);
	snprintf(text, sizeof text, "%" PRIu64, number);
	rs_json_key(json, "entity");
	rs_json_array_begin(json);
	entity_begin(json, NULL, events, text, NULL, &thing, &security_role);
	if (event->kind == RS_ATNA_LOST) {
		snprintf(text, sizeof text, "%" PRIu64, event->count);
		rs_json_key(json, "detail");
		rs_json_array_begin(json);
		detail(json, "lost", text);
		rs_json_array_end(json);
	}
	rs_json_object_end(json);
	rs_json_array_end(json);
}

/* As audit/atna.c has them. */
static const struct {
	struct coding type, subtype;
} doors[] = {
	[RS_ATNA_START] = {ACTIVITY, {DICOM, "110120", "Application Start"}},
	[RS_ATNA_STOP] = {ACTIVITY, {DICOM, "110121", "Application Stop"}},
	[RS_ATNA_LOGIN] = {AUTHENTICATION, {DICOM, "110122", "Login"}},
	[RS_ATNA_LOGOUT] = {AUTHENTICATION, {DICOM, "110123", "Logout"}},
	[RS_ATNA_REFUSED] = {SECURITY, {DICOM, "110126", "Node Authentication"}},
	[RS_ATNA_LOST] = {SECURITY, {DICOM, "110128", "Audit Recording Stopped"}},
};

enum rs_code rs_fhir_event(const struct rs_audit_heading *heading, const struct rs_atna_event *event,
                           uint64_t number, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_audit_writer writer = {.heading = heading};
	struct rs_json *json = &writer.json;
	char time[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(event->time_ms, time);
	rs_json_init(json, out, false);
	rs_json_object_begin(json);
	member_text(json, "resourceType", "AuditEvent");
	coding(json, "type", &doors[event->kind].type);
	rs_json_key(json, "subtype");
	rs_json_array_begin(json);
	rs_json_object_begin(json);
	coding_members(json, &doors[event->kind].subtype);
	rs_json_object_end(json);
	rs_json_array_end(json);
	member_text(json, "action", "E");
	member_text(json, "recorded", time);
	member_text(json, "outcome", event->failed || event->kind == RS_ATNA_REFUSED ? "8" : "0");
	event_agent(json, event);
	source(&writer);
	event_entity(&writer, event, number);
	rs_json_object_end(json);
	return rs_buffer_check(out, "an audit event", err);
}
