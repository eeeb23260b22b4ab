/* radseal anchor: what a log has come to, written into this node's ledger. */
#include <string.h>

#include "ledger/ledger.h"
#include "people.h"

#define NOTE_SIZE_MAX ((size_t)64 * 1024)
#define KEY_SIZE_MAX ((size_t)4096)

/* The key as it is, or a file that holds it. */
static enum rs_code read_key(const struct command_line *line, struct rs_note_key *out, struct rs_error *err)
{
	const char *text = option_value(line, "key");
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_str vkey = rs_str_from(text);
	if (!text)
		return rs_error_set(err, RS_USAGE,
		                    "anchor: another log's checkpoint needs its verifier key: --key");
	if (rs_path_exists(rs_world_system(), text)) {
		RS_TRY(rs_file_read_all(rs_world_system(), text, KEY_SIZE_MAX, &content, err));
		vkey = rs_buffer_str(&content);
	}
	return rs_note_key_parse(rs_str_trim(vkey), out, err);
}

/* Another log's checkpoint out of a file, or this log's last one. */
static enum rs_code read_checkpoint(const struct command_line *line, struct rs_node *node,
                                    struct rs_checkpoint *out, struct rs_error *err)
{
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_note_key key;
	if (line->operand_count == 0) {
		RS_TRY(rs_note_key_parse(rs_str_from(rs_node_vkey(node)), &key, err));
		return rs_checkpoint_verify(rs_ledger_checkpoint(rs_node_ledger(node)), &key, out, err);
	}
	RS_TRY(read_key(line, &key, err));
	RS_TRY(rs_file_read_all(rs_world_system(), line->operands[0], NOTE_SIZE_MAX, &note, err));
	if (rs_checkpoint_verify(rs_buffer_str(&note), &key, out, err) != RS_OK)
		return rs_error_context(err, "%s", line->operands[0]);
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_checkpoint checkpoint;
	struct rs_act act = {.type = RS_TRANSACTION_CHECKPOINT_ANCHOR};
	uint64_t entry;
	if (line->operand_count > 1)
		return rs_error_set(err, RS_USAGE, "anchor takes at most one checkpoint");
	RS_TRY(session_node(line, RS_NODE_WRITE, NULL, &node, err));
	RS_TRY(session_actor(line, node, &actor, err));
	RS_TRY(read_checkpoint(line, node, &checkpoint, err));
	act.origin = rs_str_from(checkpoint.origin);
	act.size = checkpoint.size;
	act.root = checkpoint.root;
	RS_TRY(rs_node_transact(node, actor, &act, &entry, err));
	const struct rs_member_key signer = rs_actor_id(actor);
	return people_told(line, &signer, act.type, entry, err);
}

static const struct option options[] = {
	{"key", "KEY", "the other log's verifier key, or a file with it"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal anchor --home /srv/radseal",
         "from now on nobody of this organisation dates entries back by more than a day"},
	{"radseal anchor old/keys/last-checkpoint --key old/keys/log.vkey --home /srv/new",
         "bind the last state of a log that ends into the one that goes on"},
	{NULL, NULL},
};

const struct command command_anchor = {
	.name = "anchor",
	.arguments = "[CHECKPOINT --key KEY] [--as NAME] [--home DIR]",
	.summary = "write a log's checkpoint into the ledger",
	.description =
		"Without an operand the node's own last checkpoint, else a file with another log's (C2SP signed\n"
		"note). Both become an entry: the organisation's entries from before may not be dated back by\n"
		"more than a day any more (BACKDATED), and a log that was anchored neither shrinks (ROLLED_BACK)\n"
		"nor forks (FORKED) unnoticed.",
	.options = options,
	.examples = examples,
	.run = run,
};
