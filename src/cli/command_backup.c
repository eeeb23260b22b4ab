/* radseal backup: data and key store, each to a place of its own. */
#include <stdio.h>

#include "session.h"
#include "keeping/keeping_backup.h"

#define DAYS_DEFAULT 30
#define DAYS_MAX 3650

struct output {
	bool as_json, quiet;
	struct rs_buffer text;
	struct rs_json json;
};

static void output_finish(struct output *output) { rs_buffer_finish(&output->text); }

static void add_text(struct output *output, const char *key, const char *value)
{
	rs_json_key(&output->json, key);
	rs_json_text(&output->json, value);
}

static void add_number(struct output *output, const char *key, uint64_t value)
{
	rs_json_key(&output->json, key);
	rs_json_u64(&output->json, value);
}

static void tell_data(struct output *output, const struct rs_backup_counts *counts, bool verified)
{
	add_text(output, verified ? "verified" : "backup", counts->name);
	add_number(output, "entries", counts->entries);
	add_number(output, "objects", counts->objects);
	add_number(output, "bytes", counts->bytes);
	add_number(output, "removed", counts->removed);
	if (output->as_json || output->quiet)
		return;
	printf("%s %s: %llu ledger entries, %llu objects; %.1f MB %s\n", verified ? "verified" : "backup",
	       counts->name, (unsigned long long)counts->entries, (unsigned long long)counts->objects,
	       (double)counts->bytes / 1e6, verified ? "read" : "written and read again");
	if (counts->removed)
		printf("%llu objects that no kept backup needs were removed\n",
		       (unsigned long long)counts->removed);
}

static enum rs_code back_up_data(const struct command_line *line, struct rs_node *node, struct output *output,
                                 struct rs_error *err)
{
	struct rs_backup_counts counts = {.entries = 0};
	uint64_t keep;
	if (line->operand_count == 0)
		return RS_OK;
	RS_TRY(option_u64(line, "keep", 0, UINT32_MAX, &keep, err));
	bool verify = option_given(line, "verify");
	if (verify)
		RS_TRY(rs_node_backup_verify(node, line->operands[0], option_value(line, "backup"), &counts,
		                             err));
	else
		RS_TRY(rs_node_backup(node, line->operands[0], keep, &counts, err));
	tell_data(output, &counts, verify);
	return RS_OK;
}

/* After the data: then every file in the data backup has its subject's key in this one. */
static enum rs_code back_up_keys(const struct command_line *line, struct rs_node *node, struct output *output,
                                 struct rs_error *err)
{
	struct rs_key_backup_counts counts;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	const char *directory = option_value(line, "keys");
	uint64_t days;
	if (!directory)
		return RS_OK;
	RS_TRY(option_u64(line, "days", DAYS_DEFAULT, DAYS_MAX, &days, err));
	RS_TRY(rs_node_backup_keys(node, directory, days, &path, &counts, err));
	add_text(output, "keys", path);
	add_number(output, "subjects", counts.subjects);
	add_text(output, "delete_by", counts.expires_at);
	add_number(output, "expired", counts.expired);
	if (output->as_json || output->quiet)
		return RS_OK;
	printf("key store: %s: %llu subjects; to be deleted by %.10s\n", path,
	       (unsigned long long)counts.subjects, counts.expires_at);
	if (counts.expired)
		printf("%llu key-store backups whose day had passed were removed\n",
		       (unsigned long long)counts.expired);
	return RS_OK;
}

static enum rs_code check_usage(const struct command_line *line, struct rs_error *err)
{
	bool keys = option_given(line, "keys"), verify = option_given(line, "verify");
	if (line->operand_count > 1 || (line->operand_count == 0 && !keys))
		return rs_error_set(
			err, RS_USAGE,
			"backup: name one directory for data: radseal backup DIR, a place for the "
			"key store: --keys DIR, or both");
	if (verify && (keys || line->operand_count == 0))
		return rs_error_set(err, RS_USAGE,
		                    "--verify reads a data backup; --keys reads what it wrote");
	if (option_given(line, "backup") && !verify)
		return rs_error_set(err, RS_USAGE, "--backup names the backup that --verify reads");
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct output output RS_CLEANUP(output_finish) = {.as_json = option_given(line, "json"),
	                                                  .quiet = option_given(line, "quiet")};
	RS_TRY(check_usage(line, err));
	RS_TRY(session_pool(line, 2, &pool, err));
	RS_TRY(session_node(line, RS_NODE_READ, pool, &node, err));
	rs_buffer_init(&output.text, 1 << 20);
	rs_json_init(&output.json, &output.text, true);
	rs_json_object_begin(&output.json);
	RS_TRY(back_up_data(line, node, &output, err));
	RS_TRY(back_up_keys(line, node, &output, err));
	rs_json_object_end(&output.json);
	rs_buffer_append_text(&output.text, "\n");
	RS_TRY(rs_buffer_check(&output.text, "the result", err));
	return output.as_json ? session_write(NULL, rs_buffer_bytes(&output.text), err) : RS_OK;
}

static const struct option options[] = {
	{"keys", "DIR", "write a key-store backup to DIR: somewhere else than the data"},
	{"days", "N", "the key-store backup is to be deleted after N days (default: 30)"},
	{"keep", "N", "keep the N newest data backups; 0, the default, keeps all"},
	{"verify", NULL, "write nothing: read and check a data backup"},
	{"backup", "NAME", "with --verify: this one instead of the newest"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal backup /mnt/data-backup --keys /mnt/key-backup", "both, the usual way"},
	{"radseal backup /mnt/data-backup --keep 30", "the data only, the last 30 times"},
	{"radseal backup --keys /mnt/key-backup --days 7", "the key store only, for a week"},
	{"radseal backup /mnt/data-backup --verify", "read all of the newest data backup"},
	{NULL, NULL},
};

const struct command command_backup = {
	.name = "backup",
	.arguments = "[DIR] [--keys DIR] [--home DIR]",
	.summary = "back up data and key store, apart from each other; or verify a backup",
	.description =
		"A data backup is incremental and consistent while others seal, holds no key, and opens nothing by\n"
		"itself. A key-store backup is one file with the wrapped keys of the subjects; keep it apart from the\n"
		"data, and not for long: as long as one lies somewhere, a subject erased since could be opened with it.\n"
		"It is deleted by the next backup to the same place after its day. Neither holds the passphrase or\n"
		"keys/unlock.key. What was written is read again before it counts.",
	.options = options,
	.examples = examples,
	.run = run,
};
