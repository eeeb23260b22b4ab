/* What the commands about organisations, members and devices share: choosing the action, lists, histories. */
#include "people.h"

#include <stdio.h>
#include <string.h>

#include "report.h"

#define DAY_MS UINT64_C(86400000)

static enum rs_code usage(const struct command_line *line, const struct people_action *actions, size_t count,
                          struct rs_error *err)
{
	rs_error_set(err, RS_USAGE, "%s: name what to do:", line->command->name);
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(err->message);
		(void)snprintf(err->message + used, sizeof err->message - used, "%s %s",
		               i ? i + 1 < count ? "," : " or" : "", actions[i].name);
	}
	return RS_USAGE;
}

enum rs_code people_run(const struct command_line *line, const struct people_action *actions, size_t count,
                        struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	size_t i = 0;
	while (i < count && (line->operand_count == 0 || strcmp(line->operands[0], actions[i].name) != 0))
		i++;
	if (i == count)
		return usage(line, actions, count, err);
	if (line->operand_count != 1 + actions[i].operands)
		return rs_error_set(err, RS_USAGE, "%s %s takes %zu operand%s; see radseal %s --help",
		                    line->command->name, actions[i].name, actions[i].operands,
		                    actions[i].operands == 1 ? "" : "s", line->command->name);
	RS_TRY(session_node(line, actions[i].acts ? RS_NODE_WRITE : RS_NODE_READ, NULL, &node, err));
	if (actions[i].acts)
		RS_TRY(session_actor(line, node, &actor, err));
	return actions[i].run(line, node, actor, err);
}

void people_fingerprint(const struct rs_member_key *key, char out[static FINGERPRINT_SIZE])
{
	static const struct rs_member_key none;
	out[0] = '\0';
	if (!rs_member_key_equal(key, &none))
		rs_hex_encode(rs_bytes_of(key->bytes, FINGERPRINT_SIZE / 2), out);
}

/* "" for 0. */
static void people_day(uint64_t time_ms, char out[static RS_TIME_TEXT_SIZE], size_t size)
{
	out[0] = '\0';
	if (time_ms == 0)
		return;
	rs_format_time_ms(time_ms, out);
	if (size < RS_TIME_TEXT_SIZE)
		out[size] = '\0';
}

enum rs_code people_told(const struct command_line *line, const struct rs_member_key *key,
                         enum rs_transaction_type type, uint64_t entry, struct rs_error *err)
{
	struct report report RS_CLEANUP(report_finish) = {.as_json = false};
	char text[RS_MEMBER_KEY_TEXT_SIZE], number[24];
	rs_member_key_format(key, text);
	(void)snprintf(number, sizeof number, "%llu", (unsigned long long)entry);
	const struct field fields[] = {
		{"type", rs_transaction_type_name(type), 16}, {"key", text, 64}, {"#entry", number, 1}};
	report_begin(&report, line, false);
	report_row(&report, fields, RS_COUNT(fields));
	return option_given(line, "quiet") && !report.as_json ? RS_OK : report_end(&report, err);
}

enum rs_code people_act(const struct command_line *line, struct rs_node *node, const struct rs_actor *actor,
                        struct rs_act *act, struct rs_error *err)
{
	uint64_t index;
	RS_TRY(rs_node_transact(node, actor, act, &index, err));
	return people_told(line, &act->member, act->type, index, err);
}

static const char *state_of(const struct rs_person *person, uint64_t now_ms)
{
	if (person->revoked)
		return "revoked";
	if (person->until_ms && person->until_ms <= now_ms)
		return "expired";
	return person->from_ms > now_ms ? "not yet" : "valid";
}

struct times {
	char from[RS_TIME_TEXT_SIZE], until[RS_TIME_TEXT_SIZE], revoked[RS_TIME_TEXT_SIZE];
};

static void list_one(struct report *report, const struct rs_person_status *status, uint64_t now_ms)
{
	const struct rs_person *person = &status->person;
	const size_t size = report->as_json ? RS_TIME_TEXT_SIZE : strlen("2026-11-21");
	char key[RS_MEMBER_KEY_TEXT_SIZE], short_key[FINGERPRINT_SIZE], successor[FINGERPRINT_SIZE];
	char whole_successor[RS_MEMBER_KEY_TEXT_SIZE] = "";
	struct times times;
	rs_member_key_format(&person->key, key);
	people_fingerprint(&person->key, short_key);
	people_fingerprint(&status->successor, successor);
	if (successor[0])
		rs_member_key_format(&status->successor, whole_successor);
	people_day(person->from_ms, times.from, size);
	people_day(person->until_ms, times.until, size);
	people_day(status->revoked_ms, times.revoked, size);
	const struct field fields[] = {{"key", key, 0},
	                               {NULL, short_key, 16},
	                               {"role", rs_role_name(person->role), 22},
	                               {"organisation", person->organisation, 20},
	                               {"from", times.from, 10},
	                               {"until", times.until, 10},
	                               {"state", state_of(person, now_ms), 7},
	                               {"revoked_at", times.revoked, 10},
	                               {"rotated_to", whole_successor, 0},
	                               {NULL, successor, 16},
	                               {"name", status->name, 1}};
	report_row(report, fields, RS_COUNT(fields));
}

static void list_head(struct report *report)
{
	static const struct field head[] = {
		{NULL, "key", 16},        {NULL, "role", 22},       {NULL, "organisation", 20},
		{NULL, "from", 10},       {NULL, "until", 10},      {NULL, "state", 7},
		{NULL, "revoked at", 10}, {NULL, "rotated to", 16}, {NULL, "name", 1}};
	if (!report->as_json)
		report_row(report, head, RS_COUNT(head));
}

static bool in_question(const struct rs_person *person, bool devices, uint64_t expiring_before_ms)
{
	if ((person->role == RS_ROLE_DEVICE) != devices)
		return false;
	return expiring_before_ms == 0 ||
	       (!person->revoked && person->until_ms && person->until_ms < expiring_before_ms);
}

static enum rs_code tell_event(void *context, const struct rs_person_event *event, struct rs_error *err)
{
	struct report *report = context;
	const struct rs_act *act = &event->act;
	char number[24], time[RS_TIME_TEXT_SIZE], signer[FINGERPRINT_SIZE], next[FINGERPRINT_SIZE];
	char before[FINGERPRINT_SIZE], from[RS_TIME_TEXT_SIZE] = "", until[RS_TIME_TEXT_SIZE] = "";
	bool grants = act->type == RS_TRANSACTION_MEMBER_GRANT;
	(void)snprintf(number, sizeof number, "%llu", (unsigned long long)event->entry);
	rs_format_time_ms(act->time_ms, time);
	people_fingerprint(&act->signer, signer);
	people_fingerprint(&event->successor, next);
	people_fingerprint(&event->predecessor, before);
	if (grants) {
		people_day(act->from_ms, from, RS_TIME_TEXT_SIZE);
		people_day(act->until_ms, until, RS_TIME_TEXT_SIZE);
	}
	const struct field fields[] = {{"#entry", number, 8},
	                               {"time", time, 24},
	                               {"type", rs_transaction_type_name(act->type), 16},
	                               {"role", grants ? rs_role_name(act->role) : "", 22},
	                               {"from", from, 24},
	                               {"until", until, 24},
	                               {"by", signer, 16},
	                               {"rotated_from", before, 16},
	                               {"rotated_to", next, 16}};
	report_row(report, fields, RS_COUNT(fields));
	return rs_buffer_check(&report->text, "the history", err);
}

static enum rs_code print_history(const struct command_line *line, struct rs_node *node, struct rs_error *err)
{
	struct report report RS_CLEANUP(report_finish) = {.as_json = false};
	const struct rs_state state = rs_node_state(node);
	struct rs_member_key key;
	struct rs_person person;
	RS_TRY(rs_node_find_person(node, option_value(line, "history"), &key, err));
	RS_TRY(rs_contract_person(&state, &key, &person, err));
	report_begin(&report, line, true);
	RS_TRY(rs_node_each_person_event(node, &key, tell_event, &report, err));
	return report_end(&report, err);
}

static void people_finish(struct rs_people *people) { rs_people_finish(people); }

enum rs_code people_list(const struct command_line *line, struct rs_node *node, bool devices,
                         struct rs_error *err)
{
	struct report report RS_CLEANUP(report_finish) = {.as_json = false};
	struct rs_people people RS_CLEANUP(people_finish) = {.count = 0};
	const uint64_t now_ms = rs_world_now_ms(rs_world_system());
	uint64_t days;
	if (option_given(line, "history"))
		return print_history(line, node, err);
	RS_TRY(option_u64(line, "expiring", 0, 36500, &days, err));
	uint64_t before_ms = option_given(line, "expiring") ? now_ms + days * DAY_MS + 1 : 0;
	RS_TRY(rs_node_people(node, &people, err));
	report_begin(&report, line, true);
	list_head(&report);
	for (size_t i = 0; i < people.count; i++)
		if (in_question(&people.list[i].person, devices, before_ms))
			list_one(&report, &people.list[i], now_ms);
	return report_end(&report, err);
}
