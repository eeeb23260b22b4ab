/* radseal break-glass: emergencies, and what became of them. */
#include <stdio.h>
#include <string.h>

#include "session.h"
#include "access/access_glass.h"

#define OUTPUT_SIZE_MAX ((size_t)1 << 28)

static enum rs_code parse_id(const char *text, uint8_t out[static RS_TRANSACTION_ID_SIZE],
                             struct rs_error *err)
{
	if (!rs_hex_decode(rs_str_from(text), out, RS_TRANSACTION_ID_SIZE))
		return rs_error_set(err, RS_USAGE, "'%s' is no id of a broken glass: 32 hexadecimal digits",
		                    text);
	return RS_OK;
}

static enum rs_code tell_id(const struct command_line *line, const uint8_t *id, struct rs_error *err)
{
	char hex[2 * RS_TRANSACTION_ID_SIZE + 1], due[RS_TIME_TEXT_SIZE];
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	rs_hex_encode(rs_bytes_of(id, RS_TRANSACTION_ID_SIZE), hex);
	rs_format_time_ms(rs_world_now_ms(rs_world_system()) + RS_REVIEW_WITHIN_MS, due);
	rs_buffer_init(&text, 4096);
	if (option_given(line, "json")) {
		rs_json_init(&json, &text, true);
		rs_json_object_begin(&json);
		rs_json_key(&json, "id");
		rs_json_text(&json, hex);
		rs_json_object_end(&json);
		rs_buffer_append_text(&text, "\n");
	} else {
		rs_buffer_printf(&text, "%s\n", hex);
		if (!option_given(line, "quiet"))
			fprintf(stderr,
			        "the subject's data are open to you for 24 hours; somebody else has to review this "
			        "by %s, or you lose all access\n",
			        due);
	}
	return session_write(NULL, rs_buffer_bytes(&text), err);
}

static enum rs_code break_it(const struct command_line *line, struct rs_node *node,
                             const struct rs_actor *actor, struct rs_error *err)
{
	const char *issuer = option_value(line, "issuer"), *subject = option_value(line, "subject");
	struct rs_node_subject found;
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	RS_TRY(rs_node_subject(node, issuer ? issuer : "", subject, &found, err));
	RS_TRY(rs_node_break_glass(node, actor, &found, option_value(line, "reason"), id, err));
	return tell_id(line, id, err);
}

static enum rs_code read_outcome(const struct command_line *line, enum rs_review_outcome *out,
                                 struct rs_error *err)
{
	const char *text = option_value(line, "outcome");
	if (text && strcmp(text, "justified") == 0)
		*out = RS_REVIEW_JUSTIFIED;
	else if (text && strcmp(text, "unjustified") == 0)
		*out = RS_REVIEW_UNJUSTIFIED;
	else
		return rs_error_set(err, RS_USAGE,
		                    "break-glass review: --outcome is justified or unjustified");
	return RS_OK;
}

static enum rs_code review(const struct command_line *line, struct rs_node *node,
                           const struct rs_actor *actor, struct rs_error *err)
{
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	enum rs_review_outcome outcome = RS_REVIEW_UNJUSTIFIED;
	RS_TRY(parse_id(line->operands[1], id, err));
	RS_TRY(read_outcome(line, &outcome, err));
	return rs_node_review_glass(node, actor, id, outcome, option_value(line, "reason"), err);
}

struct listing {
	struct rs_buffer text;
	struct rs_json json;
	bool as_json;
};

static const char *outcome_of(const struct rs_glass_details *details)
{
	switch (details->glass.outcome) {
	case RS_REVIEW_JUSTIFIED: return "justified";
	case RS_REVIEW_UNJUSTIFIED: return "unjustified";
	default: return details->overdue ? "overdue" : "open";
	}
}

static void list_json(struct rs_json *json, const struct rs_glass_details *details, const char *broken,
                      const char *due)
{
	const struct rs_glass *glass = &details->glass;
	rs_json_object_begin(json);
	rs_json_key(json, "id");
	rs_json_hex(json, rs_bytes_of(glass->id, sizeof glass->id));
	rs_json_key(json, "member");
	rs_json_hex(json, rs_bytes_of(glass->member.bytes, sizeof glass->member.bytes));
	rs_json_key(json, "organisation");
	rs_json_text(json, glass->organisation);
	rs_json_key(json, "subject");
	rs_json_hex(json, rs_bytes_of(glass->subject.bytes, sizeof glass->subject.bytes));
	rs_json_key(json, "broken_at");
	rs_json_text(json, broken);
	rs_json_key(json, "review_due");
	rs_json_text(json, due);
	rs_json_key(json, "review");
	rs_json_text(json, outcome_of(details));
	if (details->readable) {
		rs_json_key(json, "reason");
		rs_json_text(json, details->reason);
		rs_json_key(json, "review_reason");
		rs_json_text(json, details->reviewing);
	}
	rs_json_object_end(json);
}

static enum rs_code list_one(void *context, const struct rs_glass_details *details,
                             struct rs_error *err RS_UNUSED)
{
	struct listing *listing = context;
	const struct rs_glass *glass = &details->glass;
	char broken[RS_TIME_TEXT_SIZE], due[RS_TIME_TEXT_SIZE], id[2 * RS_TRANSACTION_ID_SIZE + 1];
	rs_format_time_ms(glass->time_ms, broken);
	rs_format_time_ms(details->due_ms, due);
	rs_hex_encode(rs_bytes_of(glass->id, sizeof glass->id), id);
	if (listing->as_json)
		list_json(&listing->json, details, broken, due);
	else
		rs_buffer_printf(&listing->text, "%s  %s  %-11s  review due %s  %s%s%s\n", id, broken,
		                 outcome_of(details), due, glass->organisation, *details->reason ? ": " : "",
		                 details->reason);
	return RS_OK;
}

static enum rs_code list(const struct command_line *line, struct rs_node *node, const struct rs_actor *actor,
                         struct rs_error *err)
{
	struct listing listing = {.as_json = option_given(line, "json")};
	rs_buffer_init(&listing.text, OUTPUT_SIZE_MAX);
	rs_json_init(&listing.json, &listing.text, true);
	if (listing.as_json)
		rs_json_array_begin(&listing.json);
	enum rs_code code = rs_node_each_glass(node, actor, option_given(line, "all"), list_one, &listing,
	                                       err);
	if (listing.as_json) {
		rs_json_array_end(&listing.json);
		rs_buffer_append_text(&listing.text, "\n");
	}
	if (code == RS_OK)
		code = rs_buffer_check(&listing.text, "the list", err);
	if (code == RS_OK)
		code = session_write(NULL, rs_buffer_bytes(&listing.text), err);
	rs_buffer_finish(&listing.text);
	return code;
}

typedef enum rs_code deed(const struct command_line *line, struct rs_node *node, const struct rs_actor *actor,
                          struct rs_error *err);

static deed *choose(const struct command_line *line, struct rs_error *err)
{
	const char *word = line->operand_count ? line->operands[0] : "";
	bool has_reason = option_given(line, "reason"), has_subject = option_given(line, "subject");
	if (line->operand_count == 1 && strcmp(word, "list") == 0 && !has_reason && !has_subject)
		return list;
	if (line->operand_count == 2 && strcmp(word, "review") == 0 && has_reason && !has_subject)
		return review;
	if (line->operand_count == 0 && has_reason && has_subject)
		return break_it;
	rs_error_set(
		err, RS_USAGE,
		"break-glass: give --subject ID --reason TEXT; or review ID --outcome WORD --reason TEXT; "
		"or list");
	return NULL;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	deed *chosen = choose(line, err);
	if (!chosen)
		return RS_USAGE;
	RS_TRY(session_node(line, chosen == list ? RS_NODE_READ : RS_NODE_WRITE, NULL, &node, err));
	RS_TRY(session_actor(line, node, &actor, err));
	return chosen(line, node, actor, err);
}

static const struct option options[] = {
	{"subject", "ID", "whose data are needed: the PatientID, or what was given to seal --subject"},
	{"issuer", "NAME", "the subject's IssuerOfPatientID, where files state one"},
	{"reason", "TEXT", "why; kept encrypted, for who reviews it"},
	{"outcome", "WORD", "of a review: justified or unjustified"},
	{"all", NULL, "list reviewed ones, too"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal break-glass --subject P017 --reason \"stroke, patient unconscious\" --as doctor",
         "then: radseal retrieve --subject P017 --purpose emergency --as doctor -o out"},
	{"radseal break-glass list", "what has to be reviewed, and until when"},
	{"radseal break-glass review ID --outcome justified --reason \"seen in the ward's log\"",
         "by somebody else than who broke it"},
	{NULL, NULL},
};

const struct command command_break_glass = {
	.name = "break-glass",
	.arguments = "--subject ID --reason TEXT | review ID --outcome WORD --reason TEXT | list",
	.summary = "open a subject's data in an emergency; review that",
	.description =
		"Lets a radiologist or oncologist have a subject's data for 24 hours without consent, and prints the\n"
		"id under which somebody else must review it within seven days: until then whoever broke it loses all\n"
		"access. A denial that names emergencies stands. The ledger keeps a commitment to the reason; the text\n"
		"is for who broke the glass and for those who may review it, and ends with the subject's key.",
	.options = options,
	.examples = examples,
	.run = run,
};
