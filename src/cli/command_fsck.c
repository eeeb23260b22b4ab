/* radseal fsck: everything against everything. */
#include <stdio.h>

#include "contract/contract_people.h"
#include "session.h"
#include "workflow/workflow_check.h"

struct output {
	bool as_json;
	struct rs_json json;
};

static void fault(void *context, const char *part, const char *sentence)
{
	struct output *output = context;
	if (!output->as_json) {
		printf("fault in %s: %s\n", part, sentence);
		return;
	}
	rs_json_object_begin(&output->json);
	rs_json_key(&output->json, "part");
	rs_json_text(&output->json, part);
	rs_json_key(&output->json, "fault");
	rs_json_text(&output->json, sentence);
	rs_json_object_end(&output->json);
}

static void json_counts(struct rs_json *json, const struct rs_check_counts *counts)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"entries", counts->entries},   {"records", counts->records},   {"objects", counts->objects},
		{"receipts", counts->receipts}, {"subjects", counts->subjects}, {"faults", counts->faults},
	};
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		rs_json_key(json, rows[i].name);
		rs_json_u64(json, rows[i].value);
	}
}

/* No faults: keys whose roles ended but that nobody revoked are worth a look. */
struct ended {
	struct output *output;
	uint64_t now_ms;
};

static enum rs_code tell_ended(void *context, const struct rs_person *person, struct rs_error *err RS_UNUSED)
{
	const struct ended *ended = context;
	char time[RS_TIME_TEXT_SIZE], key[RS_MEMBER_KEY_TEXT_SIZE];
	if (person->revoked || person->until_ms == 0 || person->until_ms > ended->now_ms)
		return RS_OK;
	rs_format_time_ms(person->until_ms, time);
	rs_member_key_format(&person->key, key);
	if (ended->output->as_json)
		rs_json_text(&ended->output->json, key);
	else
		printf("expired: the role of %.16s (%s of %s) ended at %s\n", key, rs_role_name(person->role),
		       person->organisation, time);
	return RS_OK;
}

static enum rs_code list_ended(struct rs_node *node, struct output *output, struct rs_error *err)
{
	struct ended ended = {output, rs_world_now_ms(rs_world_system())};
	const struct rs_state state = rs_node_state(node);
	if (output->as_json) {
		rs_json_key(&output->json, "expired");
		rs_json_array_begin(&output->json);
	}
	RS_TRY(rs_contract_each_person(&state, tell_ended, &ended, err));
	if (output->as_json)
		rs_json_array_end(&output->json);
	return RS_OK;
}

static enum rs_code repair(const struct command_line *line, struct rs_node *node, struct rs_error *err)
{
	uint64_t filled;
	RS_TRY(rs_node_fill_catalogue(node, &filled, err));
	if (!option_given(line, "quiet"))
		fprintf(stderr, "%llu records were put into the catalogue\n", (unsigned long long)filled);
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct output output = {.as_json = option_given(line, "json")};
	struct rs_check_counts counts = {0};
	if (line->operand_count)
		return rs_error_set(err, RS_USAGE, "fsck takes no operand; name the node with --home");
	RS_TRY(session_pool(line, 1, &pool, err));
	RS_TRY(session_node(line, option_given(line, "repair") ? RS_NODE_WRITE : RS_NODE_READ, pool, &node,
	                    err));
	if (option_given(line, "repair"))
		RS_TRY(repair(line, node, err));
	rs_buffer_init(&text, (size_t)1 << 30);
	rs_json_init(&output.json, &text, true);
	rs_json_object_begin(&output.json);
	rs_json_key(&output.json, "faults_found");
	rs_json_array_begin(&output.json);
	enum rs_code code = rs_node_check(node, fault, &output, &counts, err);
	if (output.as_json) {
		rs_json_array_end(&output.json);
		json_counts(&output.json, &counts);
		if (code == RS_OK)
			RS_TRY(list_ended(node, &output, err));
		rs_json_object_end(&output.json);
		rs_buffer_append_text(&text, "\n");
		RS_TRY(session_write(NULL, rs_buffer_bytes(&text), err));
	} else if (!option_given(line, "quiet")) {
		printf("%llu ledger entries, %llu records, %llu objects, %llu receipts, %llu subjects: %llu faults\n",
		       (unsigned long long)counts.entries, (unsigned long long)counts.records,
		       (unsigned long long)counts.objects, (unsigned long long)counts.receipts,
		       (unsigned long long)counts.subjects, (unsigned long long)counts.faults);
		if (code == RS_OK)
			return list_ended(node, &output, err);
	}
	return code;
}

static const struct option options[] = {
	{"repair", NULL, "first put into the catalogue what is not found by its attributes"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal fsck --home /srv/radseal", "check the whole node"},
	{"radseal fsck --home /srv/radseal --json", "the same for a program"},
	{"radseal fsck --home /srv/radseal --repair", "make a node of an earlier version findable"},
	{NULL, NULL},
};

const struct command command_fsck = {
	.name = "fsck",
	.arguments = "[--repair] [--home DIR]",
	.summary = "check vault, ledger, index and receipts against each other",
	.description =
		"Decrypts every object, recomputes every hash, replays the contract over the whole ledger and\n"
		"checks every signature, record and receipt. Every fault is named. Changes nothing, but with --repair:\n"
		"then what was sealed before there was a catalogue is read again, so that radseal find finds it.",
	.options = options,
	.examples = examples,
	.run = run,
};
