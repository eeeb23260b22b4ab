/* Emergencies: broken glass and its review. */
#include <string.h>

#include "access/access_glass.h"
#include "api.h"

static enum rs_code break_it(struct call *call, struct rs_error *err)
{
	struct rs_node_subject subject;
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	RS_TRY(call_subject(call, &subject, err));
	RS_TRY(rs_node_break_glass(call->node, call->actor, &subject, call_text(call, "reason"), id, err));
	put_hex(call, "id", id, sizeof id);
	put_time(call, "review_due", rs_world_now_ms(rs_world_system()) + RS_REVIEW_WITHIN_MS);
	return RS_OK;
}

static const char *outcome_of(const struct rs_glass_details *details)
{
	switch (details->glass.outcome) {
	case RS_REVIEW_JUSTIFIED: return "justified";
	case RS_REVIEW_UNJUSTIFIED: return "unjustified";
	default: return details->overdue ? "overdue" : "open";
	}
}

static enum rs_code tell(void *context, const struct rs_glass_details *details, struct rs_error *err)
{
	struct call *call = context;
	const struct rs_glass *glass = &details->glass;
	row_begin(call);
	put_hex(call, "id", glass->id, sizeof glass->id);
	put_hex(call, "member", glass->member.bytes, sizeof glass->member.bytes);
	put_text(call, "organisation", glass->organisation);
	put_hex(call, "subject", glass->subject.bytes, RS_SHA256_SIZE);
	put_time(call, "broken_at", glass->time_ms);
	put_time(call, "review_due", details->due_ms);
	put_text(call, "review", outcome_of(details));
	put_text(call, "reason", details->readable ? details->reason : NULL);
	put_text(call, "review_reason", details->readable ? details->reviewing : NULL);
	return row_end(call, err);
}

static enum rs_code list(struct call *call, struct rs_error *err)
{
	return rs_node_each_glass(call->node, call->actor, call_flag(call, "all"), tell, call, err);
}

static enum rs_code review(struct call *call, struct rs_error *err)
{
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	char name[129];
	bool justified = strcmp(call_text(call, "outcome"), "justified") == 0;
	RS_TRY(call_name(call, name, err));
	if (!rs_hex_decode(rs_str_from(name), id, sizeof id))
		return rs_error_set(err, RS_USAGE, "a broken glass has an id of 32 hexadecimal digits");
	return rs_node_review_glass(call->node, call->actor, id,
	                            justified ? RS_REVIEW_JUSTIFIED : RS_REVIEW_UNJUSTIFIED,
	                            call_text(call, "reason"), err);
}

#define END                                         \
	{                                           \
		NULL, FIELD_TEXT, false, NULL, NULL \
	}
static const struct field break_fields[] = {
	FIELDS_SUBJECT, {"reason", FIELD_TEXT, true, "why: somebody else will read it", NULL}, END};
static const struct field broken_fields[] = {
	{"id", FIELD_TEXT, true, "by which it is reviewed", NULL},
	{"review_due", FIELD_TIME, true, "until when, or all access is lost", NULL},
	END};
static const struct field list_query[] = {{"all", FIELD_SWITCH, false, "reviewed ones, too", NULL}, END};
static const struct field glass_fields[] = {
	{"id", FIELD_TEXT, true, "by which it is reviewed", NULL},
	{"member", FIELD_HEX, true, "who broke it", NULL},
	{"organisation", FIELD_TEXT, true, "of which organisation", NULL},
	{"subject", FIELD_HEX, true, "the subject's token", NULL},
	{"broken_at", FIELD_TIME, true, "when", NULL},
	{"review_due", FIELD_TIME, true, "until when it is to be reviewed", NULL},
	{"review", FIELD_TEXT, true, "what came of it", "open,overdue,justified,unjustified"},
	{"reason", FIELD_TEXT, false, "for whom it concerns; null: not for the caller, or gone", NULL},
	{"review_reason", FIELD_TEXT, false, "the same of the review", NULL},
	END};
static const struct field review_fields[] = {
	{"outcome", FIELD_TEXT, true, "what the review finds", "justified,unjustified"},
	{"reason", FIELD_TEXT, true, "why", NULL},
	END};

const struct operation operations_glass[] = {
	{.route = {.method = "GET", .path = "/api/v1/break-glass", .right = RS_WEB_MAY_QUERY},
         .group = "emergencies",
         .summary = "Lists broken glasses that wait for a review",
         .query = list_query,
         .answer = glass_fields,
         .answers_list = true,
         .run = list},
	{.route = {.method = "POST",
                   .path = "/api/v1/break-glass",
                   .right = RS_WEB_MAY_RETRIEVE,
                   .body_max = 16384},
         .group = "emergencies",
         .summary = "Opens a subject's data to the caller for 24 hours, without consent, for a reason",
         .body = break_fields,
         .answer = broken_fields,
         .status = 201,
         .run = break_it},
	{.route = {.method = "POST",
                   .path = "/api/v1/break-glass/{name}/review",
                   .right = RS_WEB_MAY_MANAGE,
                   .body_max = 16384},
         .group = "emergencies",
         .summary = "Reviews a broken glass of somebody else",
         .body = review_fields,
         .status = 204,
         .run = review},
	{.run = NULL},
};
