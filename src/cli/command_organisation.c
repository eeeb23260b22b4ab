/* radseal organisation: the parties of a consortium. */
#include <stdio.h>
#include <string.h>

#include "people.h"
#include "report.h"

static enum rs_code add(const struct command_line *line, struct rs_node *node, const struct rs_actor *actor,
                        struct rs_error *err)
{
	struct rs_act act = {.type = RS_TRANSACTION_ORGANISATION_ADD,
	                     .organisation = rs_str_from(line->operands[1])};
	const char *kind = option_value(line, "kind"), *administrator = option_value(line, "administrator");
	if (kind && !rs_organisation_kind_from_name(rs_str_from(kind), &act.organisation_kind))
		return rs_error_set(err, RS_USAGE,
		                    "organisation add: --kind is one of radiology, oncology, "
		                    "hospital-administration, research and regulator, not '%s'",
		                    kind);
	if (!administrator)
		return rs_error_set(err, RS_USAGE, "organisation add: name its first --administrator");
	RS_TRY(rs_node_find_person(node, administrator, &act.member, err));
	return people_act(line, node, actor, &act, err);
}

static enum rs_code tell(void *context, const struct rs_organisation *organisation, struct rs_error *err)
{
	struct report *report = context;
	char key[RS_MEMBER_KEY_TEXT_SIZE], short_key[FINGERPRINT_SIZE];
	rs_member_key_format(&organisation->administrator, key);
	people_fingerprint(&organisation->administrator, short_key);
	const struct field fields[] = {{"name", organisation->name, 24},
	                               {"kind", rs_organisation_kind_name(organisation->kind), 23},
	                               {"administrator", key, 0},
	                               {NULL, short_key, 16}};
	report_row(report, fields, RS_COUNT(fields));
	return rs_buffer_check(&report->text, "the list", err);
}

static enum rs_code list(const struct command_line *line, struct rs_node *node,
                         const struct rs_actor *actor RS_UNUSED, struct rs_error *err)
{
	struct report report RS_CLEANUP(report_finish) = {.as_json = false};
	const struct rs_state state = rs_node_state(node);
	report_begin(&report, line, true);
	RS_TRY(rs_contract_each_organisation(&state, tell, &report, err));
	return report_end(&report, err);
}

static const struct people_action actions[] = {{"add", 1, true, add}, {"list", 0, false, list}};

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	return people_run(line, actions, RS_COUNT(actions), err);
}

static const struct option options[] = {
	{"kind", "KIND",
         "radiology, oncology, hospital-administration, research or regulator; otherwise none"},
	{"administrator", "WHO", "its first administrator (as in radseal member)"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal organisation add Oncology --kind oncology --administrator oncology-admin",
         "a second organisation on this node's ledger"},
	{"radseal organisation list --json", "which there are, and who administered each first"},
	{NULL, NULL},
};

const struct command command_organisation = {
	.name = "organisation",
	.arguments = "add|list [NAME] [--kind KIND] [--administrator WHO] [--as NAME] [--home DIR]",
	.summary = "add organisations to the ledger, list them",
	.description =
		"Each organisation has members and devices of its own, and an administrator who grants their\n"
		"roles. Its kind says which roles it may give; one without a kind may give all of them. Only a\n"
		"member of an organisation that governs (hospital-administration, regulator, or without a kind)\n"
		"adds another one of these. radseal init --consortium makes all five kinds at once.",
	.options = options,
	.examples = examples,
	.run = run,
};
