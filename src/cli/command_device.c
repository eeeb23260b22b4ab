/* radseal device: scanners and gateways that sign, enrolled, rotated, revoked, listed. */
#include <inttypes.h>
#include <stdio.h>

#include "devices/devices.h"
#include "broker.h"
#include "people.h"

static enum rs_code enrol(const struct command_line *line, struct rs_node *node, const struct rs_actor *actor,
                          struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_DEVICE_ENROL,
	                     .organisation = rs_str_from(option_value(line, "org"))};
	const char *name = option_value(line, "name");
	struct rs_digest label; /* a device's row has none: its name is known to this node alone */
	RS_TRY(rs_node_find_person(node, line->operands[1], &act.member, err));
	if (name)
		RS_TRY(rs_node_name_keep(node, &act.member, rs_str_from(name), &label, err));
	return people_act(line, node, actor, &act, err);
}

static enum rs_code rotate(const struct command_line *line, struct rs_node *node,
                           const struct rs_actor *actor, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_DEVICE_ROTATE};
	RS_TRY(rs_node_find_person(node, line->operands[1], &act.member, err));
	RS_TRY(rs_node_find_person(node, line->operands[2], &act.successor, err));
	return people_act(line, node, actor, &act, err);
}

static enum rs_code revoke(const struct command_line *line, struct rs_node *node,
                           const struct rs_actor *actor, struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_DEVICE_REVOKE};
	RS_TRY(rs_node_find_person(node, line->operands[1], &act.member, err));
	return people_act(line, node, actor, &act, err);
}

static enum rs_code list(const struct command_line *line, struct rs_node *node,
                         const struct rs_actor *actor RS_UNUSED, struct rs_error *err)
{
	return people_list(line, node, true, err);
}

static enum rs_code show_series(void *context, const struct rs_series_report *report,
                                struct rs_error *err RS_UNUSED)
{
	char since[RS_TIME_TEXT_SIZE], key[RS_MEMBER_KEY_TEXT_SIZE];
	struct rs_json *json = context;
	rs_format_time_ms(report->since_ms, since);
	rs_member_key_format(&report->device, key);
	const bool complete = report->arrived == report->listed;
	if (!json) {
		printf("%s  %s  %-10s  %" PRIu64 " of %" PRIu64 " instances, %" PRIu64
		       " by the manifest alone\n",
		       since, report->name, complete ? "complete" : "incomplete", report->arrived,
		       report->listed, report->matched);
		return RS_OK;
	}
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {{"listed", report->listed},
	               {"arrived", report->arrived},
	               {"matched", report->matched},
	               {"quarantined", report->quarantined}};
	rs_json_object_begin(json);
	rs_json_key(json, "device");
	rs_json_text(json, report->name);
	rs_json_key(json, "key");
	rs_json_text(json, key);
	rs_json_key(json, "since");
	rs_json_text(json, since);
	rs_json_key(json, "complete");
	rs_json_bool(json, complete);
	for (size_t i = 0; i < RS_COUNT(numbers); i++) {
		rs_json_key(json, numbers[i].name);
		rs_json_u64(json, numbers[i].value);
	}
	rs_json_object_end(json);
	return RS_OK;
}

static enum rs_code series(const struct command_line *line, struct rs_node *node,
                           const struct rs_actor *actor RS_UNUSED, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	if (!option_given(line, "json"))
		return rs_node_each_series(node, show_series, NULL, err);
	rs_buffer_init(&text, (size_t)64 << 20);
	rs_json_init(&json, &text, true);
	rs_json_array_begin(&json);
	RS_TRY(rs_node_each_series(node, show_series, &json, err));
	rs_json_array_end(&json);
	rs_buffer_append_text(&text, "\n");
	RS_TRY(rs_buffer_check(&text, "the list", err));
	return session_write(NULL, rs_buffer_bytes(&text), err);
}

static enum rs_code certificate(const struct command_line *line, struct rs_node *node RS_UNUSED,
                                const struct rs_actor *actor RS_UNUSED, struct rs_error *err)
{
	const char *home = session_home(line), *name = line->operands[1];
	if (option_given(line, "revoke")) {
		RS_TRY(broker_revoke(home, name, err));
		if (option_given(line, "json"))
			printf("{\"device\": \"%s\"}\n", name);
		else if (!option_given(line, "quiet"))
			printf("revoked in %s/mqtt/crl.pem; send SIGHUP to mosquitto, and to radseal serve --revocations\n",
			       home);
		return RS_OK;
	}
	RS_TRY(broker_certify(home, name, err));
	if (option_given(line, "json"))
		printf("{\"device\": \"%s\"}\n", name);
	else if (!option_given(line, "quiet"))
		printf("made %s/mqtt/devices/%s.pem and its key: for the device, with %s/mqtt/ca.pem\n", home,
		       name, home);
	return RS_OK;
}

static const struct people_action actions[] = {
	{"enrol", 1, true, enrol}, {"rotate", 2, true, rotate},  {"revoke", 1, true, revoke},
	{"list", 0, false, list},  {"series", 0, false, series}, {"certificate", 1, false, certificate}};

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	return people_run(line, actions, RS_COUNT(actions), err);
}

static const struct option options[] = {
	{"org", "NAME", "enrol: the organisation; otherwise that of who signs"},
	{"name", "TEXT", "enrol: which device that is, kept encrypted in this node"},
	{"revoke", NULL, "certificate: revoke what was made for this device, instead of making it"},
	{"history", "WHO", "list: all that happened to one key"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal device enrol mr-1 --name \"MR, room 4\"", "the key keys/mr-1.key may sign what it images"},
	{"radseal device rotate mr-1 mr-1b --as mr-1",
         "a new key in place of the old one, signed by the device itself"},
	{"radseal device revoke mr-1b", "the key was stolen: nothing it signs is admitted any more"},
	{"radseal device series", "which series are complete, by what the devices announced"},
	{"radseal device list --history mr-1 --json", "every state of one key, from the log"},
	{NULL, NULL},
};

const struct command command_device = {
	.name = "device",
	.arguments = "enrol|rotate|revoke|list|series|certificate [WHO…] [--as NAME] [--home DIR]",
	.summary = "enrol scanners and gateways, rotate and revoke their keys",
	.description =
		"WHO is as in radseal member. A device's key registers objects and subjects of its organisation\n"
		"and nothing else. rotate puts another key in its place: the old one is refused from then on\n"
		"(ROTATED) and the ledger keeps the link between them; the device may sign that itself. Neither\n"
		"a rotated nor a revoked key comes back. series tells which series the devices' manifests announced,\n"
		"and how much of each has come. certificate makes the one with which a device meets the MQTT broker, or,\n"
		"with --revoke, puts it on the list of DIR/mqtt/crl.pem, which broker and server read.",
	.options = options,
	.examples = examples,
	.run = run,
};
