/* Entries and events as DICOM audit messages (PS3.15 A.5.1; codes of PS3.16 CID 400 to 405), in syslog. */
#include "audit/audit_atna.h"

#include <inttypes.h>
#include <stdio.h>

#define FACILITY_SECURITY 10
#define SEVERITY_NOTICE 5
#define PRIORITY (FACILITY_SECURITY * 8 + SEVERITY_NOTICE)
#define DICOM_MESSAGE "DICOM+RFC3881"

struct code {
	const char *code, *text;
};
#define ACTIVITY                                 \
	{                                        \
		"110100", "Application Activity" \
	}
#define ACCESSED                                     \
	{                                            \
		"110103", "DICOM Instances Accessed" \
	}
#define DELETED                                 \
	{                                       \
		"110105", "DICOM Study Deleted" \
	}
#define EXPORT                     \
	{                          \
		"110106", "Export" \
	}
#define IMPORT                     \
	{                          \
		"110107", "Import" \
	}
#define RECORD                             \
	{                                  \
		"110110", "Patient Record" \
	}
#define ALERT                              \
	{                                  \
		"110113", "Security Alert" \
	}
#define AUTHENTICATION                          \
	{                                       \
		"110114", "User Authentication" \
	}
#define ATTRIBUTES                                           \
	{                                                    \
		"110137", "User Security Attributes Changed" \
	}
#define OVERRIDE                                       \
	{                                              \
		"110127", "Emergency Override Started" \
	}
#define NO_CODE            \
	{                  \
		NULL, NULL \
	}

struct event {
	struct code id, type;
	char action; /* C, R, U, D, E */
};
static const struct event entries[RS_TRANSACTION_TYPE_COUNT] = {
	[RS_TRANSACTION_ORGANISATION_ADD] = {ALERT, ATTRIBUTES, 'C'},
	[RS_TRANSACTION_MEMBER_GRANT] = {ALERT, ATTRIBUTES, 'C'},
	[RS_TRANSACTION_MEMBER_REVOKE] = {ALERT, ATTRIBUTES, 'U'},
	[RS_TRANSACTION_DEVICE_ENROL] = {ALERT, ATTRIBUTES, 'C'},
	[RS_TRANSACTION_DEVICE_REVOKE] = {ALERT, ATTRIBUTES, 'U'},
	[RS_TRANSACTION_DEVICE_ROTATE] = {ALERT, ATTRIBUTES, 'U'},
	[RS_TRANSACTION_OBJECT_REGISTER] = {IMPORT, NO_CODE, 'C'},
	[RS_TRANSACTION_SUBJECT_REGISTER] = {RECORD, NO_CODE, 'C'},
	[RS_TRANSACTION_PROFILE_SET] = {RECORD, NO_CODE, 'U'},
	[RS_TRANSACTION_CONSENT_GRANT] = {RECORD, NO_CODE, 'C'},
	[RS_TRANSACTION_CONSENT_NARROW] = {RECORD, NO_CODE, 'U'},
	[RS_TRANSACTION_CONSENT_REVOKE] = {RECORD, NO_CODE, 'D'},
	[RS_TRANSACTION_ACCESS_REQUEST] = {ACCESSED, NO_CODE, 'R'},
	[RS_TRANSACTION_BREAK_GLASS] = {ALERT, OVERRIDE, 'E'},
	[RS_TRANSACTION_BREAK_GLASS_REVIEW] = {ALERT, NO_CODE, 'U'},
	[RS_TRANSACTION_ERASURE] = {DELETED, NO_CODE, 'D'},
};
static const struct event other = {ACTIVITY, NO_CODE, 'E'}, exported = {EXPORT, NO_CODE, 'R'};
static const struct event events[] = {
	[RS_ATNA_START] = {ACTIVITY, {"110120", "Application Start"}, 'E'},
	[RS_ATNA_STOP] = {ACTIVITY, {"110121", "Application Stop"}, 'E'},
	[RS_ATNA_LOGIN] = {AUTHENTICATION, {"110122", "Login"}, 'E'},
	[RS_ATNA_LOGOUT] = {AUTHENTICATION, {"110123", "Logout"}, 'E'},
	[RS_ATNA_REFUSED] = {ALERT, {"110126", "Node Authentication"}, 'E'},
	[RS_ATNA_LOST] = {ALERT, {"110128", "Audit Recording Stopped"}, 'E'},
};

/* Text as the value of an attribute. */
static void put_text(struct rs_buffer *out, const char *text)
{
	for (; *text; text++) {
		const char c = *text;
		if (c == '&' || c == '<' || c == '>' || c == '"' || (unsigned char)c < ' ')
			rs_buffer_printf(out, "&#%u;",
			                 (unsigned char)c < ' ' ? (unsigned)' ' : (unsigned char)c);
		else
			rs_buffer_append_u8(out, (uint8_t)c);
	}
}

static void put_code(struct rs_buffer *out, const char *element, const struct code *code, const char *system)
{
	rs_buffer_printf(out, "<%s csd-code=\"", element);
	put_text(out, code->code);
	rs_buffer_printf(out, "\" codeSystemName=\"%s\" originalText=\"", system);
	put_text(out, code->text);
	rs_buffer_append_text(out, "\"/>");
}

static const char *purpose_code(enum rs_purpose purpose)
{
	static const char *const codes[] = {
#define PURPOSE_CODE(member, number, name, code) [number] = code,
		RS_PURPOSES(PURPOSE_CODE)
#undef PURPOSE_CODE
	};
	return codes[purpose];
}

static void begin(struct rs_buffer *out, const struct event *event, uint64_t time_ms, bool failed,
                  enum rs_purpose purpose)
{
	char time[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(time_ms, time);
	rs_buffer_append_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><AuditMessage>");
	rs_buffer_printf(out,
	                 "<EventIdentification EventActionCode=\"%c\" EventDateTime=\"%s\" "
	                 "EventOutcomeIndicator=\"%s\">",
	                 event->action, time, failed ? "8" : "0");
	put_code(out, "EventID", &event->id, "DCM");
	if (event->type.code)
		put_code(out, "EventTypeCode", &event->type, "DCM");
	if (purpose) {
		const struct code code = {purpose_code(purpose), purpose_code(purpose)};
		put_code(out, "PurposeOfUse", &code, "2.16.840.1.113883.5.8"); /* HL7 v3 ActReason */
	}
	rs_buffer_append_text(out, "</EventIdentification>");
}

static void put_user(struct rs_buffer *out, const char *user, const char *role, const char *host)
{
	rs_buffer_append_text(out, "<ActiveParticipant UserID=\"");
	put_text(out, *user ? user : "unknown");
	rs_buffer_append_text(out, "\" UserIsRequestor=\"true\"");
	if (*host) {
		rs_buffer_append_text(out, " NetworkAccessPointID=\"");
		put_text(out, host);
		rs_buffer_append_text(out, "\" NetworkAccessPointTypeCode=\"2\"");
	}
	if (!role) {
		rs_buffer_append_text(out, "/>");
		return;
	}
	const struct code code = {role, role};
	rs_buffer_append_text(out, ">");
	put_code(out, "RoleIDCode", &code, "radseal");
	rs_buffer_append_text(out, "</ActiveParticipant>");
}

static void put_source(struct rs_buffer *out, const struct rs_atna_source *source)
{
	rs_buffer_append_text(out, "<AuditSourceIdentification AuditSourceID=\"");
	put_text(out, source->origin);
	/* PS3.16 CID 404: application server. */
	rs_buffer_append_text(out, "\" code=\"4\"/>");
}

struct object {
	const char *id, *type, *role; /* ParticipantObjectTypeCode and -Role */
	struct code kind;
	const char *system;
};

static void put_object(struct rs_buffer *out, const struct object *object)
{
	rs_buffer_append_text(out, "<ParticipantObjectIdentification ParticipantObjectID=\"");
	put_text(out, object->id);
	rs_buffer_printf(out, "\" ParticipantObjectTypeCode=\"%s\" ParticipantObjectTypeCodeRole=\"%s\">",
	                 object->type, object->role);
	put_code(out, "ParticipantObjectIDTypeCode", &object->kind, object->system);
	rs_buffer_append_text(out, "</ParticipantObjectIdentification>");
}

/* The one that tells doubles apart. */
static void put_place(struct rs_buffer *out, const struct rs_atna_source *source, const char *what,
                      uint64_t number)
{
	char id[256 + 32];
	(void)snprintf(id, sizeof id, "%s#%s-%" PRIu64, source->origin, what, number);
	put_object(out,
	           &(struct object){
			   id, "2", "13", {what, "place in the log, or in the queue of events"}, "radseal"});
}

static bool hex_of(const void *bytes, size_t size, char *out)
{
	uint8_t any = 0;
	for (size_t i = 0; i < size; i++)
		any |= ((const uint8_t *)bytes)[i];
	rs_hex_encode(rs_bytes_of(bytes, size), out);
	return any != 0;
}

static void put_objects(struct rs_buffer *out, const struct rs_audit_line *line)
{
	char hex[2 * RS_SHA256_SIZE + 1];
	if (hex_of(line->subject.bytes, RS_SHA256_SIZE, hex))
		put_object(out, &(struct object){hex, "1", "1", {"2", "Patient Number"}, "RFC-3881"});
	if (hex_of(line->act.commitment.bytes, RS_SHA256_SIZE, hex))
		put_object(out, &(struct object){hex, "2", "3", {"110182", "Node ID"}, "DCM"});
	if (hex_of(line->act.member.bytes, RS_KEY_SIZE, hex))
		put_object(out, &(struct object){hex, "1", "11", {"11", "User Identifier"}, "RFC-3881"});
	if (line->has_decision) {
		const char *why = line->decision.refusal != RS_REFUSAL_NONE
		                          ? rs_refusal_name(line->decision.refusal)
		                          : rs_basis_name(line->decision.basis);
		put_object(out, &(struct object){
					why, "2", "13", {"decision", "the contract's decision"}, "radseal"});
	}
}

/* Anything in a syslog message of severity notice. */
static enum rs_code frame(const struct rs_atna_source *source, uint64_t time_ms, const char *message_id,
                          struct rs_str content, struct rs_buffer *out, struct rs_error *err)
{
	char time[RS_TIME_TEXT_SIZE], head[512];
	rs_format_time_ms(time_ms, time);
	int size = snprintf(head, sizeof head, "<%d>1 %s %.200s radseal %u %s - \xEF\xBB\xBF", PRIORITY, time,
	                    source->host, source->process, message_id);
	rs_buffer_printf(out, "%zu ", (size_t)size + content.size);
	rs_buffer_append(out, head, (size_t)size);
	rs_buffer_append_str(out, content);
	return rs_buffer_check(out, "an audit message", err);
}

static enum rs_code finish(const struct rs_atna_source *source, uint64_t time_ms, struct rs_buffer *xml,
                           struct rs_buffer *out, struct rs_error *err)
{
	rs_buffer_append_text(xml, "</AuditMessage>");
	RS_TRY(rs_buffer_check(xml, "an audit message", err));
	return frame(source, time_ms, DICOM_MESSAGE, rs_buffer_str(xml), out, err);
}

enum rs_code rs_atna_line(const struct rs_atna_source *source, const struct rs_audit_line *line,
                          struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer xml RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_act *act = &line->act;
	const bool asks = act->type == RS_TRANSACTION_ACCESS_REQUEST;
	const bool failed = line->has_decision && line->decision.refusal != RS_REFUSAL_NONE;
	const struct event *event = asks && act->operation == RS_OPERATION_EXPORT ? &exported
	                                                                          : &entries[act->type];
	char signer[2 * RS_KEY_SIZE + 1];
	rs_buffer_init(&xml, RS_ATNA_MESSAGE_MAX);
	begin(&xml, event->id.code ? event : &other, act->time_ms, failed,
	      act->type == RS_TRANSACTION_BREAK_GLASS ? RS_PURPOSE_EMERGENCY : act->purpose);
	rs_hex_encode(rs_bytes_of(act->signer.bytes, RS_KEY_SIZE), signer);
	put_user(&xml, signer, rs_role_name(line->signer.role), "");
	put_source(&xml, source);
	put_place(&xml, source, "entry", line->entry);
	put_objects(&xml, line);
	return finish(source, act->time_ms, &xml, out, err);
}

enum rs_code rs_atna_event(const struct rs_atna_source *source, const struct rs_atna_event *event,
                           uint64_t number, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer xml RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&xml, RS_ATNA_MESSAGE_MAX);
	begin(&xml, &events[event->kind], event->time_ms, event->failed || event->kind == RS_ATNA_REFUSED, 0);
	put_user(&xml, event->user, NULL, event->host);
	put_source(&xml, source);
	put_place(&xml, source, "event", number);
	if (event->kind == RS_ATNA_LOST)
		put_place(&xml, source, "lost", event->count);
	return finish(source, event->time_ms, &xml, out, err);
}
