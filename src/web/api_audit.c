/* Who did what with whose data. */
#include <stdio.h>
#include <string.h>

#include "access/access_audit.h"
#include "access/access_people.h"
#include "api.h"
#include "audit/audit_write.h"
#include "node/node_subject.h"

struct auditing {
	struct call *call;
	struct rs_audit_question question;
	struct rs_audit_heading heading;
	struct rs_audit_leave leave;
	struct rs_audit_writer *writer;
	char asked[128];
};

static enum rs_code take(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct rs_buffer *body = context;
	rs_buffer_append_bytes(body, piece);
	return rs_buffer_check(body, "an answer; ask for less time (from, until)", err);
}

static enum rs_code read_whom(struct auditing *auditing, const char *about, struct rs_error *err)
{
	struct call *call = auditing->call;
	struct rs_audit_question *question = &auditing->question;
	const char *what = call_text(call, "id");
	struct rs_node_subject subject;
	if (strcmp(about, "subject") == 0) {
		question->about = RS_AUDIT_SUBJECT;
		if (call_hex(call, "token", &question->id))
			return RS_OK;
		if (!call_text(call, "subject"))
			return rs_error_set(err, RS_USAGE, "name the subject, or its token");
		RS_TRY(call_subject(call, &subject, err));
		question->id = subject.token;
		return RS_OK;
	}
	question->about = strcmp(about, "anomalies") == 0 ? RS_AUDIT_ANOMALIES : RS_AUDIT_ALL;
	if (strcmp(about, "member") != 0 && strcmp(about, "object") != 0)
		return RS_OK;
	if (!what)
		return rs_error_set(err, RS_USAGE, "name the %s: id", about);
	question->about = strcmp(about, "member") == 0 ? RS_AUDIT_MEMBER : RS_AUDIT_OBJECT;
	return question->about == RS_AUDIT_MEMBER
	               ? rs_node_find_person(call->node, what, &question->member, err)
	               : rs_node_object_named(call->node, what, &question->id, err);
}

static enum rs_code read_question(struct auditing *auditing, const char *about, struct rs_error *err)
{
	struct call *call = auditing->call;
	struct rs_audit_question *question = &auditing->question;
	question->from_ms = call_time(call, "from", 0);
	question->until_ms = call_time(call, "until", 0);
	question->burst = call_number(call, "burst", RS_AUDIT_BURST_DEFAULT);
	if (question->burst == 0 || question->burst > RS_AUDIT_BURST_MAX)
		return rs_error_set(err, RS_USAGE, "burst is a number from 1 to %d", RS_AUDIT_BURST_MAX);
	question->now_ms = rs_world_now_ms(rs_world_system());
	question->provenance = call_flag(call, "provenance");
	question->refused = call_flag(call, "refused");
	question->open_reviews = call_flag(call, "open-reviews");
	(void)snprintf(auditing->asked, sizeof auditing->asked, "%s", about);
	return read_whom(auditing, about, err);
}

static enum rs_code write_line(void *context, const struct rs_audit_line *line, struct rs_error *err)
{
	struct auditing *auditing = context;
	return rs_audit_writer_line(auditing->writer, line, err);
}

static enum rs_code answer(struct auditing *auditing, enum rs_audit_format format, struct rs_audit *audit,
                           struct rs_error *err)
{
	struct call *call = auditing->call;
	struct rs_audit_heading *heading = &auditing->heading;
	RS_TRY(rs_node_checkpoint(call->node, &heading->checkpoint, err));
	heading->question = auditing->asked;
	heading->note = rs_ledger_checkpoint(rs_node_ledger(call->node));
	heading->asked_ms = auditing->question.now_ms;
	heading->request = auditing->leave.entry;
	RS_TRY(rs_audit_writer_create(heading, format, take, &call->request->body, &auditing->writer, err));
	enum rs_code code = rs_audit_ask(audit, &auditing->question, write_line, auditing, err);
	if (code == RS_OK)
		code = rs_audit_writer_end(auditing->writer, err);
	rs_audit_writer_destroy(auditing->writer);
	return code;
}

static enum rs_code audit(struct call *call, struct rs_error *err)
{
	struct rs_audit *opened RS_CLEANUP(rs_audit_close_pointer) = NULL;
	struct auditing auditing = {.call = call, .leave = {.entry = RS_AUDIT_NO_ENTRY}};
	const char *about = call_text(call, "about"), *format = call_text(call, "format");
	enum rs_audit_format chosen = RS_AUDIT_JSON;
	RS_TRY(read_question(&auditing, about, err));
	if (format)
		(void)rs_audit_format_from_name(rs_str_from(format), &chosen);
	if (auditing.question.about == RS_AUDIT_SUBJECT || auditing.question.about == RS_AUDIT_OBJECT)
		RS_TRY(rs_node_audit_leave(call->node, call->actor, auditing.question.about,
		                           &auditing.question.id, &auditing.leave, err));
	RS_TRY(rs_node_audit_open(call->node, false, NULL, NULL, &opened, err));
	if (chosen != RS_AUDIT_JSON)
		(void)snprintf(call->request->media, sizeof call->request->media, "%s",
		               chosen == RS_AUDIT_CSV ? "text/csv; charset=utf-8" : "application/fhir+json");
	return answer(&auditing, chosen, opened, err);
}

static const struct field query_fields[] = {
	{"about", FIELD_TEXT, true, "what is audited", "subject,member,object,all,anomalies"},
	{"subject", FIELD_TEXT, false, "the patient's identifier", NULL},
	{"issuer", FIELD_TEXT, false, "who issued that", NULL},
	{"token", FIELD_HEX, false, "the subject by its token", NULL},
	{"id", FIELD_TEXT, false, "the member, or the object by address or commitment", NULL},
	{"from", FIELD_TIME, false, "entries dated from then on", NULL},
	{"until", FIELD_TIME, false, "entries dated before", NULL},
	{"provenance", FIELD_SWITCH, false, "all that an object was made from, and all that was made of it",
         NULL},
	{"refused", FIELD_SWITCH, false, "access requests that were refused", NULL},
	{"open-reviews", FIELD_SWITCH, false, "broken glasses that nobody reviewed", NULL},
	{"burst", FIELD_NUMBER, false,
         "requests of a member within an hour that anomalies tells; 100 by default", NULL},
	{"format", FIELD_TEXT, false, "json, unless it is said", "json,csv,fhir"},
	{NULL, FIELD_TEXT, false, NULL, NULL}};

const struct operation operations_audit[] = {
	{.route = {.method = "GET", .path = "/api/v1/audit", .right = RS_WEB_MAY_QUERY},
         .group = "audit",
         .summary =
                 "Tells who did what with whose data, on which ground; of a subject or an object, it is an access itself",
         .query = query_fields,
         .media = "application/json",
         .run = audit},
	{.run = NULL},
};
