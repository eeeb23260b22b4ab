/* radseal key: key files of members. */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "session.h"
#include "node/node_keys.h"

struct call {
	const struct command_line *line;
	struct rs_keys_place place;
	const char *name;
	struct rs_bytes passphrase;
};

/* The public part: what is given to those who enrol it. */
static enum rs_code print_public(const struct call *call, const struct rs_member_key *key,
                                 struct rs_error *err)
{
	struct report report RS_CLEANUP(report_finish) = {.as_json = false};
	char text[RS_MEMBER_KEY_TEXT_SIZE];
	rs_member_key_format(key, text);
	const struct field fields[] = {{"name", call->name, 0}, {"key", text, RS_MEMBER_KEY_TEXT_SIZE}};
	report_begin(&report, call->line, false);
	report_row(&report, fields, RS_COUNT(fields));
	return report_end(&report, err);
}

static enum rs_code make(const struct call *call, struct rs_error *err)
{
	struct rs_member_key key;
	RS_TRY(rs_key_new(&call->place, call->name, call->passphrase, &key, err));
	return print_public(call, &key, err);
}

static enum rs_code show(const struct call *call, struct rs_error *err)
{
	struct rs_member_key key;
	RS_TRY(rs_key_public(&call->place, call->name, call->passphrase, &key, err));
	return print_public(call, &key, err);
}

/* keys/node.key, which no member's key can be called. */
static bool is_node(const char *name) { return name && strcmp(name, "node") == 0; }

static enum rs_code change(const struct call *call, struct rs_error *err)
{
	struct rs_buffer changed RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_member_key key;
	const char *path = option_value(call->line, "new-passphrase-file");
	if (!path == !option_given(call->line, "to-unlock-file"))
		return rs_error_set(
			err, RS_USAGE,
			"key change: give one of --new-passphrase-file FILE and --to-unlock-file");
	if (path)
		RS_TRY(session_secret(path, NULL, &changed, err));
	struct rs_bytes passphrase = rs_buffer_bytes(&changed);
	if (is_node(call->name)) {
		RS_TRY(rs_node_key_change(&call->place, call->passphrase, passphrase, &key, err));
		return print_public(call, &key, err);
	}
	RS_TRY(rs_key_change(&call->place, call->name, call->passphrase, passphrase, err));
	RS_TRY(rs_key_public(&call->place, call->name, rs_buffer_bytes(&changed), &key, err));
	return print_public(call, &key, err);
}

static enum rs_code take(void *context, const struct rs_key_facts *facts, struct rs_error *err)
{
	struct report *report = context;
	char key[RS_MEMBER_KEY_TEXT_SIZE] = "";
	if (facts->has_key)
		rs_member_key_format(&facts->key, key);
	const struct field fields[] = {{"name", facts->name, 16},
	                               {"key", key, 64},
	                               {"opens_with", facts->unlock_file ? "unlock file" : "passphrase", 1}};
	report_row(report, fields, RS_COUNT(fields));
	return rs_buffer_check(&report->text, "the list", err);
}

static enum rs_code list(const struct call *call, struct rs_error *err)
{
	struct report report RS_CLEANUP(report_finish) = {.as_json = false};
	report_begin(&report, call->line, true);
	RS_TRY(rs_key_each(&call->place, take, &report, err));
	return report_end(&report, err);
}

static const struct {
	const char *name;
	size_t operands;
	enum rs_code (*run)(const struct call *call, struct rs_error *err);
} actions[] = {{"new", 2, make}, {"change", 2, change}, {"show", 2, show}, {"list", 1, list}};

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_buffer passphrase RS_CLEANUP(rs_secret_buffer_finish) = {0};
	size_t i = 0;
	while (i < RS_COUNT(actions) &&
	       (line->operand_count == 0 || strcmp(line->operands[0], actions[i].name) != 0))
		i++;
	if (i == RS_COUNT(actions))
		return rs_error_set(err, RS_USAGE, "key: name what to do: new, change, show or list");
	if (line->operand_count != actions[i].operands)
		return rs_error_set(err, RS_USAGE, "key %s takes %s", actions[i].name,
		                    actions[i].operands == 2 ? "one name" : "no name");
	const char *variable = is_node(line->operands[line->operand_count - 1]) ? "RADSEAL_PASSPHRASE"
	                                                                        : "RADSEAL_AS_PASSPHRASE";
	RS_TRY(session_secret(option_value(line, "passphrase-file"), variable, &passphrase, err));
	const struct call call = {line,
	                          {rs_world_system(), session_home(line)},
	                          line->operand_count == 2 ? line->operands[1] : NULL,
	                          rs_buffer_bytes(&passphrase)};
	return actions[i].run(&call, err);
}

static const struct option options[] = {
	{"new-passphrase-file", "FILE", "change: the passphrase that opens the key from now on"},
	{"to-unlock-file", NULL, "change: from now on a file beside the key opens it, without a passphrase"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal key new reader-2 --passphrase-file pass --home /srv/radseal",
         "a key that opens with a passphrase; prints its public part, to be granted a role"},
	{"radseal key change reader-2 --passphrase-file old --new-passphrase-file new",
         "the same key under another passphrase"},
	{"radseal key change node --new-passphrase-file new --home /srv/radseal",
         "the node's own keys under a passphrase, no longer under keys/unlock.key"},
	{"radseal key list --home /srv/radseal", "names, public keys and what opens them"},
	{NULL, NULL},
};

const struct command command_key = {
	.name = "key",
	.arguments = "new|change|show|list [NAME] [--passphrase-file FILE] [--home DIR]",
	.summary = "make key files for members, and change what opens them",
	.description =
		"A member signs with a key of their own: keys/NAME.key, encrypted under a passphrase (Argon2id)\n"
		"or, where none is given, under random bytes in keys/NAME.unlock. The public key, printed by new\n"
		"and show, is what `radseal member grant` or `radseal device enrol` takes, on this node or on\n"
		"another's. The directory need not be a node. --passphrase-file and $RADSEAL_AS_PASSPHRASE are\n"
		"here the key's, not the node's. key change node does it for the node's own keys, which\n"
		"keys/unlock.key or a passphrase ($RADSEAL_PASSPHRASE) opens; copies and backups of key files that\n"
		"were made before open as they did. Names of files are seen by whoever lists the directory: choose\n"
		"none that tells a person. A lost passphrase cannot be recovered: revoke the key, make a new one.",
	.options = options,
	.examples = examples,
	.run = run,
};
