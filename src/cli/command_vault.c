/* radseal vault: how the stored objects fare: what they take, what nobody needs, what rots, and their copies elsewhere. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "session.h"
#include "keeping/keeping_vault.h"

#define DAY_MS (UINT64_C(24) * 3600 * 1000)
#define MAX_AGE_DAYS 30
#define NS_PER_S UINT64_C(1000000000)

struct output {
	struct rs_pool *pool; /* borrowed */
	bool as_json, quiet;
	struct rs_buffer text;
	struct rs_json json;
};

static void output_finish(struct output *output) { rs_buffer_finish(&output->text); }

static void report(void *context, const char *what, const char *name, const char *sentence)
{
	struct output *output = context;
	if (!output->as_json) {
		if (!output->quiet || *sentence)
			printf("%s %s%s%s\n", what, name, *sentence ? ": " : "", sentence);
		return;
	}
	rs_json_object_begin(&output->json);
	rs_json_key(&output->json, "what");
	rs_json_text(&output->json, what);
	rs_json_key(&output->json, "name");
	rs_json_text(&output->json, name);
	rs_json_key(&output->json, "sentence");
	rs_json_text(&output->json, sentence);
	rs_json_object_end(&output->json);
}

static void number(struct output *output, const char *key, uint64_t value)
{
	rs_json_key(&output->json, key);
	rs_json_u64(&output->json, value);
}

static void tell_counts(struct output *output, const struct rs_vault_counts *counts, const char *done,
                        enum rs_code code)
{
	rs_json_array_end(&output->json);
	number(output, "looked", counts->looked);
	number(output, "done", counts->done);
	number(output, "bytes", counts->bytes);
	number(output, "faults", counts->faults);
	bool ended = code == RS_OK || code == RS_ALTERED || code == RS_CANCELLED;
	if (ended && !output->as_json && !output->quiet)
		printf("%llu looked at, %llu %s (%.1f MB), %llu faults\n", (unsigned long long)counts->looked,
		       (unsigned long long)counts->done, done, (double)counts->bytes / 1e6,
		       (unsigned long long)counts->faults);
}

static void events_begin(struct output *output)
{
	rs_json_key(&output->json, "events");
	rs_json_array_begin(&output->json);
}

/* Without the writer's lock, or sealing would be refused meanwhile; what a crash left half done, the next sealing ends. */
static enum rs_code run_gc(const struct command_line *line, struct output *output, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_vault_counts counts = {.looked = 0};
	bool dry_run = option_given(line, "dry-run");
	RS_TRY(session_node(line, RS_NODE_READ, output->pool, &node, err));
	events_begin(output);
	enum rs_code code = rs_node_vault_gc(node, dry_run, report, output, &counts, err);
	tell_counts(output, &counts, dry_run ? "unreferenced" : "removed", code);
	return code;
}

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

static enum rs_code wait_for(void *context, uint64_t ns, struct rs_error *err)
{
	struct timespec left = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
	(void)context;
	while (ns && !stopped && nanosleep(&left, &left) != 0 && errno == EINTR)
		;
	return stopped ? rs_error_set(err, RS_CANCELLED, "stopped; the next scrub goes on from here") : RS_OK;
}

static enum rs_code run_scrub(const struct command_line *line, struct output *output, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_vault_counts counts = {.looked = 0};
	struct sigaction action = {.sa_handler = stop};
	uint64_t rate, days;
	RS_TRY(option_u64(line, "rate", 0, 1000000, &rate, err));
	RS_TRY(option_u64(line, "max-age", MAX_AGE_DAYS, 36500, &days, err));
	const struct rs_scrub_options options = {.rate = rate * 1000000,
	                                         .max_age_ms = days * DAY_MS,
	                                         .pause = wait_for,
	                                         .report = report,
	                                         .context = output};
	RS_TRY(session_node(line, RS_NODE_READ, output->pool, &node, err));
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	events_begin(output);
	enum rs_code code = rs_node_vault_scrub(node, &options, &counts, err);
	tell_counts(output, &counts, "checked", code);
	return code;
}

static enum rs_code run_replicate(const struct command_line *line, struct output *output,
                                  struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_vault_counts counts = {.looked = 0};
	RS_TRY(session_node(line, RS_NODE_READ, output->pool, &node, err));
	events_begin(output);
	enum rs_code code = rs_node_vault_replicate(node, option_given(line, "verify"), report, output,
	                                            &counts, err);
	tell_counts(output, &counts, "copied", code);
	return code;
}

static enum rs_code run_fetch(const struct command_line *line, struct output *output, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_cid cid;
	if (line->operand_count < 2)
		return rs_error_set(err, RS_USAGE, "vault fetch needs the address of an object");
	RS_TRY(session_node(line, RS_NODE_READ, output->pool, &node, err));
	events_begin(output);
	for (size_t i = 1; i < line->operand_count; i++) {
		if (!rs_cid_parse(rs_str_from(line->operands[i]), &cid))
			return rs_error_set(err, RS_USAGE, "'%s' is no address of an object",
			                    line->operands[i]);
		RS_TRY(rs_node_vault_fetch(node, &cid, err));
		report(output, "fetched", line->operands[i], "");
	}
	rs_json_array_end(&output->json);
	return RS_OK;
}

static void print_status(const struct rs_vault_status *status)
{
	char oldest[RS_TIME_TEXT_SIZE];
	printf("%llu objects, %.1f MB", (unsigned long long)status->objects, (double)status->bytes / 1e6);
	if (status->quota)
		printf(" of a quota of %.1f MB", (double)status->quota / 1e6);
	if (status->free_bytes != UINT64_MAX)
		printf("; %.1f MB free on the disk, %.1f MB of them kept for the ledger",
		       (double)status->free_bytes / 1e6, (double)status->reserve / 1e6);
	printf("\n%llu checked by scrubs, %llu found faulty", (unsigned long long)status->checked,
	       (unsigned long long)status->faulty);
	if (status->oldest_check_ms) {
		rs_format_time_ms(status->oldest_check_ms, oldest);
		printf("; the oldest check was at %s", oldest);
	}
	printf("\n");
	if (!status->ipfs)
		printf("no copies are kept (vault: store in radseal.yaml)\n");
	else if (status->ipfs_version[0])
		printf("%llu copied to the IPFS node at %s (Kubo %s)\n", (unsigned long long)status->copied,
		       status->ipfs_url, status->ipfs_version);
	else
		printf("%llu copied to the IPFS node at %s, which does not answer\n",
		       (unsigned long long)status->copied, status->ipfs_url);
}

static void text_or_null(struct output *output, const char *key, const char *value)
{
	rs_json_key(&output->json, key);
	if (value[0])
		rs_json_text(&output->json, value);
	else
		rs_json_null(&output->json);
}

static enum rs_code run_status(const struct command_line *line, struct output *output, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_vault_status status;
	char oldest[RS_TIME_TEXT_SIZE] = "";
	RS_TRY(session_node(line, RS_NODE_READ, output->pool, &node, err));
	RS_TRY(rs_node_vault_status(node, &status, err));
	if (!output->as_json) {
		print_status(&status);
		return RS_OK;
	}
	number(output, "objects", status.objects);
	number(output, "bytes", status.bytes);
	number(output, "quota", status.quota);
	number(output, "reserve", status.reserve);
	number(output, "free", status.free_bytes);
	number(output, "checked", status.checked);
	number(output, "faulty", status.faulty);
	if (status.oldest_check_ms)
		rs_format_time_ms(status.oldest_check_ms, oldest);
	text_or_null(output, "oldest_check", oldest);
	number(output, "copied", status.copied);
	text_or_null(output, "ipfs", status.ipfs_url);
	text_or_null(output, "ipfs_version", status.ipfs_version);
	return RS_OK;
}

/* Which of the options a verb takes. */
static const struct verb {
	const char *name;
	enum rs_code (*run)(const struct command_line *line, struct output *output, struct rs_error *err);
	const char *takes[2];
	bool operands;
} verbs[] = {
	{"status", run_status, {NULL, NULL}, false},
	{"gc", run_gc, {"dry-run", NULL}, false},
	{"scrub", run_scrub, {"rate", "max-age"}, false},
	{"replicate", run_replicate, {"verify", NULL}, false},
	{"fetch", run_fetch, {NULL, NULL}, true},
};

static const struct option options[] = {
	{"dry-run", NULL, "gc: tell what would be removed, and remove nothing"},
	{"rate", "MB", "scrub: read at most so many megabytes a second; 0, the default: as fast as it goes"},
	{"max-age", "DAYS", "scrub: pass over what was checked so many days ago or later (default: 30)"},
	{"verify", NULL, "replicate: read back every byte of every copy"},
	{NULL, NULL, NULL},
};

static enum rs_code find_verb(const struct command_line *line, const struct verb **out, struct rs_error *err)
{
	const struct verb *found = NULL;
	for (size_t i = 0; line->operand_count && i < RS_COUNT(verbs); i++)
		if (strcmp(line->operands[0], verbs[i].name) == 0)
			found = &verbs[i];
	if (!found || (line->operand_count > 1 && !found->operands))
		return rs_error_set(err, RS_USAGE,
		                    "vault: say one of status, gc, scrub, replicate, fetch CID…");
	for (const struct option *option = options; option->name; option++) {
		bool taken = (found->takes[0] && strcmp(found->takes[0], option->name) == 0) ||
		             (found->takes[1] && strcmp(found->takes[1], option->name) == 0);
		if (option_given(line, option->name) && !taken)
			return rs_error_set(err, RS_USAGE, "vault %s takes no --%s", found->name,
			                    option->name);
	}
	*out = found;
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct output output RS_CLEANUP(output_finish) = {.as_json = option_given(line, "json"),
	                                                  .quiet = option_given(line, "quiet")};
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	const struct verb *verb = NULL;
	RS_TRY(session_pool(line, 1, &pool, err));
	RS_TRY(find_verb(line, &verb, err));
	output.pool = pool;
	rs_buffer_init(&output.text, (size_t)1 << 30);
	rs_json_init(&output.json, &output.text, true);
	rs_json_object_begin(&output.json);
	enum rs_code code = verb->run(line, &output, err);
	/* Rot and other faults are told of as well. */
	if (!output.as_json || (code != RS_OK && code != RS_ALTERED))
		return code;
	rs_json_object_end(&output.json);
	rs_buffer_append_text(&output.text, "\n");
	RS_TRY(session_write(NULL, rs_buffer_bytes(&output.text), err));
	return code;
}

static const struct example examples[] = {
	{"radseal vault status --home /srv/radseal", "what is stored, checked and copied"},
	{"radseal vault scrub --rate 20 --max-age 30 --home /srv/radseal",
         "every night: each object is read once a month, at 20 MB/s"},
	{"radseal vault gc --dry-run --home /srv/radseal", "what nobody refers to any more"},
	{"radseal vault replicate --verify --home /srv/radseal", "copy to the IPFS node, and read it back"},
	{NULL, NULL},
};

const struct command command_vault = {
	.name = "vault",
	.arguments = "status|gc|scrub|replicate|fetch CID… [--home DIR]",
	.summary = "look after the stored objects: space, rot, what nobody needs, copies in IPFS",
	.description =
		"status tells what objects take, what scrubs found, and what is copied. gc removes objects,\n"
		"receipts and copies that no record refers to. scrub reads objects, recomputes their addresses and\n"
		"remembers when; stopped, it goes on from there the next time. replicate copies encrypted objects\n"
		"to the IPFS node of radseal.yaml (vault: store: ipfs, url), pins them there and compares every\n"
		"address; fetch brings one back in place of a rotten one. All may run while others seal.\n"
		"radseal.yaml also has vault: quota and reserve, which sealing keeps.",
	.options = options,
	.examples = examples,
	.run = run,
};
