/* radseal dicom: what this side asks of DICOM peers. */
#include <stdio.h>
#include <string.h>

#include "dicom_words.h"
#include "session.h"

#define DEFAULT_LIMIT 1000
#define LIMIT_MAX 1000000
#define OUTPUT_MAX ((size_t)1 << 30)

struct output {
	struct rs_json json;
	bool as_json, quiet;
	uint64_t sent, decoded, skipped, failed, bytes;
	struct rs_error first;
};

static void report_json(struct rs_json *json, const struct rs_dicom_sent *sent)
{
	char status[8];
	snprintf(status, sizeof status, "%04X", sent->status);
	rs_json_object_begin(json);
	rs_json_key(json, "path");
	rs_json_text(json, sent->path);
	rs_json_key(json, "outcome");
	rs_json_text(json, sent->is_skipped ? "skipped" : sent->code == RS_OK ? "sent" : "failed");
	rs_json_key(json, "status");
	rs_json_text(json, status);
	rs_json_key(json, "size");
	rs_json_u64(json, sent->size);
	rs_json_key(json, "sent_as");
	if (sent->transfer_syntax)
		rs_json_text(json, sent->transfer_syntax);
	else
		rs_json_null(json);
	rs_json_key(json, "reason");
	rs_json_text(json, sent->error->message);
	rs_json_object_end(json);
}

static void report(void *context, const struct rs_dicom_sent *sent)
{
	struct output *output = context;
	bool failed = sent->code != RS_OK && !sent->is_skipped;
	output->sent += sent->code == RS_OK;
	output->decoded += sent->transfer_syntax != NULL;
	output->skipped += sent->is_skipped;
	output->failed += failed;
	output->bytes += sent->code == RS_OK ? sent->size : 0;
	if (output->as_json)
		report_json(&output->json, sent);
	else if (failed)
		fprintf(stderr, "radseal: %s\n", sent->error->message);
	else if (!output->quiet && sent->is_skipped)
		fprintf(stderr, "skipped %s\n", sent->error->message);
	if (failed && output->first.code == RS_OK)
		output->first = *sent->error;
}

static enum rs_code print_json(struct output *output, struct rs_error *err)
{
	rs_json_array_end(&output->json);
	rs_buffer_append_text(output->json.out, "\n");
	RS_TRY(rs_buffer_check(output->json.out, "the result", err));
	return session_write(NULL, rs_buffer_bytes(output->json.out), err);
}

/* What was told of a file already is not told again. */
static enum rs_code conclude(const struct output *output, enum rs_code code, struct rs_error *err)
{
	if (code == RS_OK || output->as_json || strcmp(err->message, output->first.message) != 0)
		return code;
	return rs_error_set(err, code, "%llu of %llu instances were not sent; the reasons stand above",
	                    (unsigned long long)output->failed,
	                    (unsigned long long)(output->sent + output->failed));
}

static enum rs_code send_files(const struct command_line *line, const struct rs_dicom_peer *peer,
                               struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct output output = {.as_json = option_given(line, "json"), .quiet = option_given(line, "quiet")};
	const struct rs_clock *clock = rs_world_system()->clock;
	uint64_t started = clock->monotonic_ns(clock);
	if (line->operand_count < 3)
		return rs_error_set(err, RS_USAGE, "dicom send: name the files or directories to send");
	rs_buffer_init(&text, OUTPUT_MAX);
	rs_json_init(&output.json, &text, true);
	rs_json_array_begin(&output.json);
	enum rs_code code = rs_dicom_peer_send(peer, line->operands + 2, line->operand_count - 2, report,
	                                       &output, err);
	double seconds = (double)(clock->monotonic_ns(clock) - started) / 1e9;
	if (output.as_json) {
		struct rs_error printing = {0};
		if (print_json(&output, &printing) != RS_OK && code == RS_OK)
			return rs_error_set(err, printing.code, "%s", printing.message);
	}
	if (!output.quiet && output.decoded)
		fprintf(stderr,
		        "%llu of them as decoded copies: the peer does not take their transfer syntax\n",
		        (unsigned long long)output.decoded);
	if (!output.quiet)
		fprintf(stderr, "%llu sent (%.1f MB in %.2f s), %llu skipped, %llu failed\n",
		        (unsigned long long)output.sent, (double)output.bytes / 1e6, seconds,
		        (unsigned long long)output.skipped, (unsigned long long)output.failed);
	return conclude(&output, code, err);
}

static enum rs_code read_query(const struct command_line *line, struct rs_dicom_query *out,
                               struct rs_error *err)
{
	const char *level = option_value(line, "level");
	uint64_t limit;
	RS_TRY(option_u64(line, "limit", DEFAULT_LIMIT, LIMIT_MAX, &limit, err));
	if (line->operand_count < 3 || limit == 0)
		return rs_error_set(err, RS_USAGE,
		                    "dicom %s: name what to ask for: PatientID=P17, StudyInstanceUID …",
		                    line->operands[0]);
	*out = (struct rs_dicom_query){
		.is_patient_root = option_given(line, "patient-root"),
		.level = level ? level : "study",
		.keys = (const char *const *)line->operands + 2,
		.key_count = line->operand_count - 2,
		.matches_max = limit,
	};
	return RS_OK;
}

static enum rs_code find(const struct command_line *line, const struct rs_dicom_peer *peer,
                         struct rs_error *err)
{
	struct matches found RS_CLEANUP(matches_finish) = {.key_count = 0};
	struct rs_dicom_query query;
	RS_TRY(read_query(line, &query, err));
	matches_begin(&found, option_given(line, "json"), query.keys, query.key_count);
	RS_TRY(rs_dicom_peer_find(peer, &query, matches_take, &found, err));
	return matches_print(&found, err);
}

static enum rs_code move(const struct command_line *line, const struct rs_dicom_peer *peer,
                         struct rs_error *err)
{
	const char *to = option_value(line, "to");
	struct rs_dicom_query query;
	struct rs_dicom_moved moved;
	RS_TRY(read_query(line, &query, err));
	enum rs_code code = rs_dicom_peer_move(peer, &query, to ? to : peer->calling, &moved, err);
	if (option_given(line, "json"))
		printf("{\"completed\": %u, \"failed\": %u, \"warned\": %u}\n", moved.completed, moved.failed,
		       moved.warned);
	else if (!option_given(line, "quiet"))
		fprintf(stderr, "%u sent there, %u failed, %u with warnings\n", moved.completed, moved.failed,
		        moved.warned);
	return code;
}

static enum rs_code echo(const struct command_line *line, const struct rs_dicom_peer *peer,
                         struct rs_error *err)
{
	if (line->operand_count > 2)
		return rs_error_set(err, RS_USAGE, "dicom echo takes HOST:PORT alone");
	return rs_dicom_peer_echo(peer, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	static const struct {
		const char *name;
		enum rs_code (*run)(const struct command_line *line, const struct rs_dicom_peer *peer,
		                    struct rs_error *err);
	} verbs[] = {{"echo", echo}, {"send", send_files}, {"find", find}, {"move", move}};
	struct rs_dicom_peer peer;
	if (line->operand_count < 2)
		return rs_error_set(err, RS_USAGE,
		                    "dicom needs what to do and with whom: dicom echo HOST:PORT");
	RS_TRY(dicom_peer(line, line->operands[1], &peer, err));
	for (size_t i = 0; i < RS_COUNT(verbs); i++)
		if (strcmp(line->operands[0], verbs[i].name) == 0)
			return verbs[i].run(line, &peer, err);
	return rs_error_set(err, RS_USAGE, "dicom: '%s' is not echo, send, find or move", line->operands[0]);
}

static const struct option options[] = {
	{"level", "LEVEL", "of find and move: patient, study (the default), series or image"},
	{"patient-root", NULL, "ask by the patient root instead of the study root"},
	{"limit", "N", "of matches; then the query is cancelled (default 1000)"},
	{"to", "TITLE", "of move: the AE title that the peer sends to (default: ours)"},
	DICOM_PEER_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal dicom echo pacs.example:104 --called PACS", "does it answer?"},
	{"radseal dicom send pacs.example:104 out/ --called PACS",
         "store every DICOM file below a directory there"},
	{"radseal dicom find pacs.example:104 PatientID=P17 StudyInstanceUID StudyDate ModalitiesInStudy",
         "what is there?"},
	{"radseal dicom move pacs.example:104 StudyInstanceUID=1.2.3 --to RADSEAL",
         "into our own node, where serve listens"},
	{NULL, NULL},
};

const struct command command_dicom = {
	.name = "dicom",
	.arguments =
		"echo|send|find|move HOST:PORT [PATH…|KEY[=VALUE]…] [--called TITLE] [--ae TITLE] [--tls …]",
	.summary = "ask DICOM peers: echo, send files, find, move",
	.description =
		"echo verifies that a peer answers. send stores files at it (C-STORE), each as it is, in its own transfer\n"
		"syntax; where the peer does not take that, as a decoded copy, which is told. Connections that break are made\n"
		"anew, and go on with what is left. find asks an archive (C-FIND) by keywords of attributes with values\n"
		"(* and ? stand for anything, dates may be ranges) and prints what matches say of them and of keywords\n"
		"without values. move has an archive send what matches (C-MOVE) to an AE title that it knows, such as\n"
		"that of radseal serve.",
	.options = options,
	.examples = examples,
	.run = run,
};
