/* radseal seal: admits files and directories. */
#include <stdio.h>
#include <string.h>

#include "session.h"
#include "workflow/workflow.h"

struct output {
	struct rs_json json;
	struct rs_progress progress;
	bool as_json, quiet;
	uint64_t sealed, known, skipped, failed, bytes;
	struct rs_error first; /* failure of a file, that was reported */
};

static const char *const outcome_names[] = {
	[RS_ADMIT_SEALED] = "sealed",
	[RS_ADMIT_KNOWN] = "known",
	[RS_ADMIT_SKIPPED] = "skipped",
	[RS_ADMIT_FAILED] = "failed",
};

static void report_json(struct rs_json *json, const struct rs_admit_result *result)
{
	rs_json_object_begin(json);
	rs_json_key(json, "path");
	rs_json_text(json, result->path);
	rs_json_key(json, "outcome");
	rs_json_text(json, outcome_names[result->outcome]);
	rs_json_key(json, "receipt");
	rs_json_text(json, result->receipt_path);
	rs_json_key(json, "media");
	rs_json_text(json, result->media);
	rs_json_key(json, "size");
	rs_json_u64(json, result->size);
	rs_json_key(json, "reason");
	rs_json_text(json, result->error.message);
	rs_json_object_end(json);
}

static void report_text(struct output *output, const struct rs_admit_result *result)
{
	rs_progress_end(&output->progress);
	switch (result->outcome) {
	case RS_ADMIT_SEALED:
	case RS_ADMIT_KNOWN: printf("%s\n", result->receipt_path); break;
	case RS_ADMIT_SKIPPED:
		if (!output->quiet)
			fprintf(stderr, "skipped %s\n", result->error.message);
		break;
	case RS_ADMIT_FAILED: fprintf(stderr, "radseal: %s\n", result->error.message); break;
	}
}

static void report(void *context, const struct rs_admit_result *result)
{
	struct output *output = context;
	uint64_t *const counts[] = {&output->sealed, &output->known, &output->skipped, &output->failed};
	++*counts[result->outcome];
	if (result->outcome == RS_ADMIT_SEALED)
		output->bytes += result->size;
	if (result->outcome == RS_ADMIT_FAILED && output->first.code == RS_OK)
		output->first = result->error;
	if (output->as_json)
		report_json(&output->json, result);
	else
		report_text(output, result);
}

static void progress(void *context, uint64_t done, uint64_t total)
{
	struct output *output = context;
	output->progress.total = total;
	rs_progress_update(&output->progress, done);
}

static void summary(const struct output *output, uint64_t elapsed_ns)
{
	double seconds = (double)elapsed_ns / 1e9;
	fprintf(stderr, "%llu sealed (%.1f MB in %.2f s), %llu known, %llu skipped, %llu failed\n",
	        (unsigned long long)output->sealed, (double)output->bytes / 1e6, seconds,
	        (unsigned long long)output->known, (unsigned long long)output->skipped,
	        (unsigned long long)output->failed);
}

/* The first failure is also what admitting ends with: it is not told twice. */
static enum rs_code conclude(const struct output *output, enum rs_code code, struct rs_error *err)
{
	uint64_t all = output->sealed + output->known + output->skipped + output->failed;
	if (code == RS_OK || output->as_json || strcmp(err->message, output->first.message) != 0)
		return code;
	return rs_error_set(err, code, "%llu of %llu file%s not sealed; the reasons stand above",
	                    (unsigned long long)output->failed, (unsigned long long)all,
	                    all == 1 ? " was" : "s were");
}

static enum rs_code print_json(struct output *output, struct rs_error *err)
{
	rs_json_array_end(&output->json);
	rs_buffer_append_text(output->json.out, "\n");
	RS_TRY(rs_buffer_check(output->json.out, "the result", err));
	return session_write(NULL, rs_buffer_bytes(output->json.out), err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_clock *clock = rs_world_system()->clock;
	if (line->operand_count == 0)
		return rs_error_set(err, RS_USAGE, "seal: name the files or directories to seal");
	RS_TRY(session_pool(line, 2, &pool, err));
	RS_TRY(session_node(line, RS_NODE_WRITE, pool, &node, err));
	RS_TRY(session_actor(line, node, &actor, err));
	struct output output = {.as_json = option_given(line, "json"), .quiet = option_given(line, "quiet")};
	rs_buffer_init(&text, (size_t)1 << 30);
	rs_json_init(&output.json, &text, true);
	rs_json_array_begin(&output.json);
	rs_progress_begin(&output.progress, clock, output.quiet ? NULL : stderr, "sealing", 0);
	struct rs_admit_options options = {
		.actor = actor,
		.subject = option_value(line, "subject"),
		.report = report,
		.progress = progress,
		.context = &output,
	};
	uint64_t started = clock->monotonic_ns(clock);
	enum rs_code code = rs_node_admit(node, line->operands, line->operand_count, &options, err);
	uint64_t elapsed = clock->monotonic_ns(clock) - started;
	rs_progress_end(&output.progress);
	if (output.as_json) {
		struct rs_error printing = {0};
		enum rs_code printed = print_json(&output, &printing);
		if (code == RS_OK && printed != RS_OK)
			return rs_error_set(err, printed, "%s", printing.message);
	}
	if (!output.quiet)
		summary(&output, elapsed);
	return conclude(&output, code, err);
}

static const struct option options[] = {
	{"subject", "ID", "the subject of files that name none (NIfTI, NRRD); kept as a keyed pseudonym"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal seal --home /srv/radseal /data/study1", "seal every image below a directory"},
	{"radseal seal scan.nii.gz mask.nrrd --subject P017", "seal two files of one subject"},
	{"radseal seal /spool/incoming --as mr-1", "sign with the key of a scanner (see radseal device)"},
	{NULL, NULL},
};

const struct command command_seal = {
	.name = "seal",
	.arguments = "PATH… [--home DIR] [--subject ID] [--as NAME]",
	.summary = "admit files or directories: encrypt, store, commit to the ledger",
	.description =
		"Encrypts and stores every file, commits to it in the ledger and prints the path of its receipt.\n"
		"A file is answered for only after its bytes and its ledger entry are durable. Sealing the same\n"
		"bytes again gives the earlier receipt. Takes DICOM, NIfTI, NRRD and MetaImage; in a directory\n"
		"other files are skipped.",
	.options = options,
	.examples = examples,
	.run = run,
};
