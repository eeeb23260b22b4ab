/* radseal quarantine: what devices sent and was not believed; released or discarded by a member. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "devices/devices.h"
#include "people.h"

static void print_row(const struct rs_quarantined *row)
{
	char key[FINGERPRINT_SIZE], since[RS_TIME_TEXT_SIZE];
	people_fingerprint(&row->key, key);
	rs_format_time_ms(row->time_ms, since);
	printf("%" PRIu64 "  %s  %s  %s  %" PRIu64 " bytes  %s: %s\n", row->id, since, row->device, key,
	       row->size, rs_distrust_name(row->distrust), rs_distrust_text(row->distrust));
}

static void json_row(struct rs_json *json, const struct rs_quarantined *row)
{
	char key[RS_MEMBER_KEY_TEXT_SIZE], since[RS_TIME_TEXT_SIZE], captured[RS_TIME_TEXT_SIZE];
	rs_member_key_format(&row->key, key);
	rs_format_time_ms(row->time_ms, since);
	rs_format_time_ms(row->captured_ms, captured);
	const struct {
		const char *name, *text;
	} texts[] = {{"device", row->device},
	             {"key", key},
	             {"since", since},
	             {"captured_at", captured},
	             {"clock", rs_clock_quality_name(row->clock)},
	             {"kind", row->kind == RS_ENVELOPE_MANIFEST ? "manifest" : "instance"},
	             {"why", rs_distrust_name(row->distrust)},
	             {"reason", rs_distrust_text(row->distrust)}};
	rs_json_object_begin(json);
	rs_json_key(json, "id");
	rs_json_u64(json, row->id);
	rs_json_key(json, "size");
	rs_json_u64(json, row->size);
	for (size_t i = 0; i < RS_COUNT(texts); i++) {
		rs_json_key(json, texts[i].name);
		rs_json_text(json, texts[i].text);
	}
	rs_json_object_end(json);
}

static enum rs_code show(void *context, const struct rs_quarantined *row, struct rs_error *err RS_UNUSED)
{
	if (context)
		json_row(context, row);
	else
		print_row(row);
	return RS_OK;
}

static enum rs_code list(const struct command_line *line, struct rs_node *node,
                         const struct rs_actor *actor RS_UNUSED, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	if (!option_given(line, "json"))
		return rs_quarantine_each(node, show, NULL, err);
	rs_buffer_init(&text, (size_t)64 << 20);
	rs_json_init(&json, &text, true);
	rs_json_array_begin(&json);
	RS_TRY(rs_quarantine_each(node, show, &json, err));
	rs_json_array_end(&json);
	rs_buffer_append_text(&text, "\n");
	RS_TRY(rs_buffer_check(&text, "the list", err));
	return session_write(NULL, rs_buffer_bytes(&text), err);
}

static enum rs_code number_of(const struct command_line *line, uint64_t *out, struct rs_error *err)
{
	if (rs_parse_u64(rs_str_from(line->operands[1]), out) && *out <= INT64_MAX)
		return RS_OK;
	return rs_error_set(err, RS_USAGE, "quarantine: '%s' is no number of radseal quarantine list",
	                    line->operands[1]);
}

static enum rs_code ended(const struct command_line *line, uint64_t id, const char *what)
{
	if (option_given(line, "json"))
		printf("{\"id\": %" PRIu64 ", \"outcome\": \"%s\"}\n", id, what);
	else if (!option_given(line, "quiet"))
		printf("%s %" PRIu64 "\n", what, id);
	return RS_OK;
}

static enum rs_code release(const struct command_line *line, struct rs_node *node,
                            const struct rs_actor *actor, struct rs_error *err)
{
	uint64_t id = 0;
	RS_TRY(number_of(line, &id, err));
	RS_TRY(rs_quarantine_release(node, actor, id, err));
	return ended(line, id, "released");
}

static enum rs_code discard(const struct command_line *line, struct rs_node *node,
                            const struct rs_actor *actor, struct rs_error *err)
{
	uint64_t id = 0;
	RS_TRY(number_of(line, &id, err));
	RS_TRY(rs_quarantine_discard(node, actor, id, err));
	return ended(line, id, "discarded");
}

static const struct people_action actions[] = {
	{"list", 0, false, list}, {"release", 1, true, release}, {"discard", 1, true, discard}};

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	return people_run(line, actions, RS_COUNT(actions), err);
}

static const struct option options[] = {
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal quarantine list --json", "what waits for a decision, and why"},
	{"radseal quarantine release 7 --as engineer", "seal it, signed by the engineer"},
	{"radseal quarantine discard 8", "throw it away for good"},
	{NULL, NULL},
};

const struct command command_quarantine = {
	.name = "quarantine",
	.arguments = "list|release|discard [NUMBER] [--as NAME] [--home DIR]",
	.summary = "decide about what devices sent and the node did not believe",
	.description =
		"What a device sends is sealed when its signature, key, name, sequence and clock are in order.\n"
		"Where only one of the last four is not, it is kept here, encrypted: keys that are unknown, revoked or\n"
		"rotated, numbers used before, times that cannot be. A forged signature is refused at once.\n"
		"release seals it as the member who signs that; discard removes it. Only data engineers and\n"
		"administrators may; who did what when stays on record.",
	.options = options,
	.examples = examples,
	.run = run,
};
