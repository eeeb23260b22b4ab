/* radseal dicom: what this side asks of DICOM peers. */
#include <stdio.h>
#include <string.h>

#include "gateway/gateway_client.h"
#include "session.h"

#define DEFAULT_TIMEOUT_S 60
#define TIMEOUT_S_MAX 86400
#define DEFAULT_RETRIES 3
#define RETRIES_MAX 1000
#define OUTPUT_MAX ((size_t)1 << 30)

struct output {
	struct rs_json json;
	bool as_json, quiet;
	uint64_t sent, skipped, failed, bytes;
	struct rs_error first;
};

static enum rs_code read_peer(const struct command_line *line, struct rs_dicom_peer *out,
                              struct rs_error *err)
{
	const char *called = option_value(line, "called"), *calling = option_value(line, "ae");
	uint64_t timeout_s, retries;
	RS_TRY(option_u64(line, "timeout", DEFAULT_TIMEOUT_S, TIMEOUT_S_MAX, &timeout_s, err));
	RS_TRY(option_u64(line, "retries", DEFAULT_RETRIES, RETRIES_MAX, &retries, err));
	*out = (struct rs_dicom_peer){
		.address = line->operands[1],
		.called = called ? called : "ANY-SCP",
		.calling = calling ? calling : "RADSEAL",
		.is_tls = option_given(line, "tls"),
		.certificate = option_value(line, "certificate"),
		.key = option_value(line, "certificate-key"),
		.authorities = option_value(line, "authorities"),
		.timeout_ms = (unsigned)(timeout_s * 1000),
		.retries = (unsigned)retries,
	};
	return RS_OK;
}

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
	rs_json_key(json, "reason");
	rs_json_text(json, sent->error->message);
	rs_json_object_end(json);
}

static void report(void *context, const struct rs_dicom_sent *sent)
{
	struct output *output = context;
	bool failed = sent->code != RS_OK && !sent->is_skipped;
	output->sent += sent->code == RS_OK;
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
	enum rs_code code = rs_dicom_send(peer, line->operands + 2, line->operand_count - 2, report, &output,
	                                  err);
	double seconds = (double)(clock->monotonic_ns(clock) - started) / 1e9;
	if (output.as_json) {
		struct rs_error printing = {0};
		if (print_json(&output, &printing) != RS_OK && code == RS_OK)
			return rs_error_set(err, printing.code, "%s", printing.message);
	}
	if (!output.quiet)
		fprintf(stderr, "%llu sent (%.1f MB in %.2f s), %llu skipped, %llu failed\n",
		        (unsigned long long)output.sent, (double)output.bytes / 1e6, seconds,
		        (unsigned long long)output.skipped, (unsigned long long)output.failed);
	return conclude(&output, code, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_dicom_peer peer;
	if (line->operand_count < 2)
		return rs_error_set(err, RS_USAGE,
		                    "dicom needs what to do and with whom: dicom echo HOST:PORT, "
		                    "dicom send HOST:PORT PATH…");
	RS_TRY(read_peer(line, &peer, err));
	if (strcmp(line->operands[0], "send") == 0)
		return send_files(line, &peer, err);
	if (strcmp(line->operands[0], "echo") != 0 || line->operand_count > 2)
		return rs_error_set(err, RS_USAGE,
		                    "dicom: '%s' is not echo HOST:PORT or send HOST:PORT PATH…",
		                    line->operands[0]);
	return rs_dicom_echo(&peer, err);
}

static const struct option options[] = {
	{"called", "TITLE", "the peer's AE title (default ANY-SCP)"},
	{"ae", "TITLE", "ours (default RADSEAL)"},
	{"tls", NULL, "over TLS; the peer's certificate has to be that of its host"},
	{"certificate", "FILE", "ours, shown to peers that ask for one, PEM"},
	{"certificate-key", "FILE", "its key, PEM"},
	{"authorities", "FILE", "that the peer's certificate is of, PEM (default: those of the system)"},
	{"timeout", "SECONDS", "without an answer (default 60)"},
	{"retries", "N", "of broken connections and of instances the peer has no room for (default 3)"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal dicom echo pacs.example:104 --called PACS", "does it answer?"},
	{"radseal dicom send pacs.example:104 out/ --called PACS",
         "store every DICOM file below a directory there"},
	{NULL, NULL},
};

const struct command command_dicom = {
	.name = "dicom",
	.arguments = "echo|send HOST:PORT [PATH…] [--called TITLE] [--ae TITLE] [--tls …]",
	.summary = "ask DICOM peers: echo, send files",
	.description =
		"echo verifies that a peer answers. send stores files at it (C-STORE), each as it is, in its own transfer\n"
		"syntax: what the peer does not take is told, nothing is converted. Connections that break are made\n"
		"anew, and go on with what is left.",
	.options = options,
	.examples = examples,
	.run = run,
};
