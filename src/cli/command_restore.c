/* radseal restore: a node from a data backup and a key-store backup. */
#include <inttypes.h>
#include <stdio.h>

#include "session.h"
#include "keeping/keeping_backup.h"

#define UNLOCK_MAX 4096
#define NOTE_MAX ((size_t)128 * 1024)

static enum rs_code print_json(const struct rs_restore_counts *counts, const char *home, struct rs_error *err)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{"entries", counts->entries},   {"objects", counts->objects}, {"receipts", counts->receipts},
		{"subjects", counts->subjects}, {"locked", counts->locked},   {"erased", counts->erased},
		{"missing", counts->missing},
	};
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	rs_buffer_init(&text, 1 << 20);
	rs_json_init(&json, &text, true);
	rs_json_object_begin(&json);
	rs_json_key(&json, "home");
	rs_json_text(&json, home);
	rs_json_key(&json, "backup");
	rs_json_text(&json, counts->name);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		rs_json_key(&json, rows[i].name);
		rs_json_u64(&json, rows[i].value);
	}
	rs_json_object_end(&json);
	rs_buffer_append_text(&text, "\n");
	RS_TRY(rs_buffer_check(&text, "the result", err));
	return session_write(NULL, rs_buffer_bytes(&text), err);
}

static void print_text(const struct rs_restore_counts *counts, const char *home)
{
	printf("restored %s to %s: %" PRIu64 " ledger entries, %" PRIu64 " objects, %" PRIu64
	       " receipts, keys of %" PRIu64 " subjects\n",
	       counts->name, home, counts->entries, counts->objects, counts->receipts, counts->subjects);
	if (counts->erased)
		printf("%" PRIu64
		       " subjects were erased after the key-store backup: their keys did not come back\n",
		       counts->erased);
	if (counts->missing)
		printf("at least %" PRIu64
		       " entries are missing: they were signed after the data backup was made\n",
		       counts->missing);
	printf("next: radseal fsck --home %s, then a new backup of both\n", home);
}

static enum rs_code restore(const struct command_line *line, struct rs_restore_options *options,
                            struct rs_restore_counts *counts, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct rs_buffer passphrase RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_buffer unlock RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_buffer checkpoint RS_CLEANUP(rs_buffer_finish) = {0};
	const char *unlock_path = option_value(line, "unlock-file"), *note = option_value(line, "checkpoint");
	RS_TRY(session_pool(line, 2, &pool, err));
	if (unlock_path)
		RS_TRY(rs_file_read_all(rs_world_system(), unlock_path, UNLOCK_MAX, &unlock, err));
	else
		RS_TRY(session_passphrase(line, &passphrase, err));
	if (note)
		RS_TRY(rs_file_read_all(rs_world_system(), note, NOTE_MAX, &checkpoint, err));
	options->unlock = (struct rs_unlock){rs_buffer_bytes(&passphrase), rs_buffer_bytes(&unlock)};
	options->checkpoint = rs_buffer_str(&checkpoint);
	if (!passphrase.size && !unlock.size)
		return rs_error_set(
			err, RS_USAGE,
			"restore: the keys open with --unlock-file FILE (a copy of keys/unlock.key, "
			"which no backup holds) or --passphrase-file FILE");
	enum rs_code code = rs_node_restore(rs_world_system(), session_home(line), options, pool, counts,
	                                    err);
	return code == RS_REFUSED ? (err->code = RS_DENIED) : code;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_restore_options options = {
		.data = line->operand_count ? line->operands[0] : NULL,
		.name = option_value(line, "backup"),
		.keys = option_value(line, "keys"),
		.accept_rollback = option_given(line, "accept-rollback"),
	};
	struct rs_restore_counts counts = {.entries = 0};
	if (line->operand_count != 1 || !options.keys)
		return rs_error_set(err, RS_USAGE,
		                    "restore: name a data backup and a key-store backup: radseal restore DIR "
		                    "--keys FILE --home NEW");
	RS_TRY(restore(line, &options, &counts, err));
	if (option_given(line, "json"))
		RS_TRY(print_json(&counts, session_home(line), err));
	else if (!option_given(line, "quiet"))
		print_text(&counts, session_home(line));
	if (counts.locked)
		return rs_error_set(err, RS_ALTERED,
		                    "%" PRIu64
		                    " files were sealed after the key-store backup was made: without "
		                    "a newer one they stay unreadable",
		                    counts.locked);
	return RS_OK;
}

static const struct option options[] = {
	{"keys", "FILE", "the key-store backup: the newest there is"},
	{"unlock-file", "FILE", "a copy of the node's keys/unlock.key, where no passphrase was chosen"},
	{"backup", "NAME", "this data backup instead of the newest in DIR"},
	{"checkpoint", "FILE",
         "a checkpoint of the log, from a witness or the old node: the ledger must not be behind"},
	{"accept-rollback", NULL,
         "restore although the ledger is behind a known checkpoint; it is kept as evidence"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal restore /mnt/data-backup --keys FILE --home /srv/new --unlock-file unlock.key",
         "a node whose keys open with a file"},
	{"radseal restore /mnt/data-backup --keys FILE --home /srv/new --passphrase-file p --checkpoint c.note",
         "not older than this checkpoint"},
	{NULL, NULL},
};

const struct command command_restore = {
	.name = "restore",
	.arguments = "DIR --keys FILE [--home NEW]",
	.summary = "make a node from a data backup and a key-store backup",
	.description =
		"Makes the node in a new or empty directory. Every part is checked while it is read. What the restored\n"
		"ledger says was erased is not brought back, whatever an older key-store backup holds. A ledger behind\n"
		"the cosigned checkpoint of the key-store backup, or behind --checkpoint, is refused: entries are missing,\n"
		"erasures and revocations perhaps among them. Receipts are made anew. Interrupted, it is run again.",
	.options = options,
	.examples = examples,
	.run = run,
};
