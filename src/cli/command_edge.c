/* radseal edge: the agent beside a scanner. Part of radseal, and a small program of its own. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "crypto/crypto.h"
#include "dicomnet/dicomnet.h"
#include "edge/edge.h"
#include "ledger/ledger_log.h"

#define KEY_MAX ((size_t)65536)
#define DEFAULT_SETTLE_MS 2000
#define DEFAULT_SERIES_S 10
#define TIME_MAX ((uint64_t)24 * 3600 * 1000)
#define DEFAULT_QUOTA_MB 4096
#define QUOTA_MAX_MB ((uint64_t)1 << 30)
#define RATE_MAX_KB ((uint64_t)1 << 30)

static volatile sig_atomic_t stop;

static void on_signal(int number RS_UNUSED) { stop = 1; }

/* What signs: radseal's key file, or a P-256 key in PEM. */
struct signing {
	struct rs_signing_key own;
	struct rs_p256 *p256;
	struct rs_cose_signer signer;
};

static void signing_finish(struct signing *signing)
{
	rs_signing_key_finish(&signing->own);
	rs_p256_close(signing->p256);
}

/* "mr-1.key" has "mr-1.unlock" beside it, as radseal key new makes them. */
static enum rs_code read_unlock(const char *path, struct rs_buffer *out, struct rs_error *err)
{
	char unlock[4096];
	size_t size = strlen(path), ending = strlen(".key");
	if (size <= ending || strcmp(path + size - ending, ".key") != 0 || size + ending >= sizeof unlock)
		return rs_error_set(err, RS_USAGE, "--key: '%s' does not end in .key", path);
	(void)snprintf(unlock, sizeof unlock, "%.*s.unlock", (int)(size - ending), path);
	return rs_file_read_all(rs_world_system(), unlock, KEY_MAX, out, err);
}

static enum rs_code read_key(const char *path, struct signing *out, struct rs_error *err)
{
	static const char pem[] = "-----BEGIN";
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_buffer unlock_file RS_CLEANUP(rs_secret_buffer_finish) = {0};
	const char *passphrase = getenv("RADSEAL_PASSPHRASE");
	struct rs_unlock unlock = {.passphrase = rs_bytes_of_str(rs_str_from(passphrase ? passphrase : ""))};
	RS_TRY(rs_file_read_all(rs_world_system(), path, KEY_MAX, &content, err));
	if (content.size > sizeof pem && memcmp(content.data, pem, sizeof pem - 1) == 0) {
		RS_TRY(rs_p256_open(rs_buffer_bytes(&content), &out->p256, err));
		return rs_cose_signer_of_p256(out->p256, &out->signer, err);
	}
	if (unlock.passphrase.size == 0) {
		RS_TRY(read_unlock(path, &unlock_file, err));
		unlock.unlock_file = rs_buffer_bytes(&unlock_file);
	}
	RS_TRY(rs_member_key_file_open(rs_world_system(), path, &unlock, &out->own, err));
	out->signer = rs_cose_signer_of(&out->own);
	return RS_OK;
}

static enum rs_code read_node(const char *path, struct rs_member_key *out, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_note_key key;
	RS_TRY(rs_file_read_all(rs_world_system(), path, KEY_MAX, &text, err));
	RS_TRY(rs_note_key_parse(rs_str_trim(rs_buffer_str(&text)), &key, err));
	memcpy(out->bytes, key.public_key, RS_KEY_SIZE);
	return RS_OK;
}

static enum rs_code read_numbers(const struct command_line *line, struct rs_edge_options *out,
                                 struct rs_error *err)
{
	uint64_t settle_ms, series_s, quota_mb, rate_kb;
	RS_TRY(option_u64(line, "settle", DEFAULT_SETTLE_MS, TIME_MAX, &settle_ms, err));
	RS_TRY(option_u64(line, "series-idle", DEFAULT_SERIES_S, TIME_MAX / 1000, &series_s, err));
	RS_TRY(option_u64(line, "quota", DEFAULT_QUOTA_MB, QUOTA_MAX_MB, &quota_mb, err));
	RS_TRY(option_u64(line, "rate", 0, RATE_MAX_KB, &rate_kb, err));
	out->settle_ms = (unsigned)settle_ms;
	out->series_idle_ms = (unsigned)series_s * 1000;
	out->quota = quota_mb << 20;
	out->rate = rate_kb << 10;
	return RS_OK;
}

static enum rs_code read_filter(const struct command_line *line, enum rs_edge_filter *out,
                                struct rs_error *err)
{
	static const char *const names[] = {
		[RS_EDGE_UNFILTERED] = "none", [RS_EDGE_MEDIAN] = "median", [RS_EDGE_NLM] = "nlm"};
	const char *name = option_value(line, "denoise");
	for (size_t i = 0; i < RS_COUNT(names); i++)
		if (strcmp(name ? name : "none", names[i]) == 0) {
			*out = (enum rs_edge_filter)i;
			return RS_OK;
		}
	return rs_error_set(err, RS_USAGE, "--denoise: '%s' is none of none, median and nlm", name);
}

static enum rs_code read_options(const struct command_line *line, struct signing *signing,
                                 struct rs_edge_options *out, struct rs_error *err)
{
	static const char *const needed[] = {"state", "device", "key", "to"};
	for (size_t i = 0; i < RS_COUNT(needed); i++)
		if (!option_given(line, needed[i]))
			return rs_error_set(err, RS_USAGE, "edge: --%s is missing", needed[i]);
	*out = (struct rs_edge_options){.watch = line->operand_count ? line->operands[0] : NULL,
	                                .listen = option_value(line, "listen-dicom"),
	                                .title = option_value(line, "ae") ? option_value(line, "ae")
	                                                                  : "RADSEAL-EDGE",
	                                .state = option_value(line, "state"),
	                                .device = option_value(line, "device"),
	                                .signer = &signing->signer,
	                                .target = option_value(line, "to"),
	                                .certificate = option_value(line, "certificate"),
	                                .key = option_value(line, "certificate-key"),
	                                .authorities = option_value(line, "authorities"),
	                                .patient = option_value(line, "patient"),
	                                .normalise = option_given(line, "normalise"),
	                                .once = option_given(line, "once")};
	if (out->listen && out->once)
		return rs_error_set(err, RS_USAGE,
		                    "edge: --listen-dicom never ends by itself, as --once would");
	if (strlen(out->title) >= RS_TITLE_SIZE)
		return rs_error_set(err, RS_USAGE, "edge: --ae: an AE title has at most 16 characters");
	if (line->operand_count > 1)
		return rs_error_set(err, RS_USAGE, "edge: one directory is watched");
	if (!option_given(line, "node-key") && strncmp(out->target, "dicom", 5) != 0)
		return rs_error_set(
			err, RS_USAGE,
			"edge: --node-key names the node's keys/log.vkey: only it may acknowledge");
	RS_TRY(read_filter(line, &out->filter, err));
	RS_TRY(read_numbers(line, out, err));
	RS_TRY(read_key(option_value(line, "key"), signing, err));
	return option_given(line, "node-key") ? read_node(option_value(line, "node-key"), &out->node, err)
	                                      : RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct signing signing RS_CLEANUP(signing_finish) = {.p256 = NULL};
	const struct rs_log log = {option_given(line, "quiet") ? NULL : stderr, RS_LOG_INFO,
	                           rs_world_system()->clock};
	struct sigaction action = {.sa_handler = on_signal};
	struct rs_edge_options options;
	struct rs_edge_summary summary = {.taken = 0};
	RS_TRY(read_options(line, &signing, &options, err));
	options.log = &log;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	enum rs_code code = rs_edge_run(rs_world_system(), &options, &stop, &summary, err);
	printf(option_given(line, "json")
	               ? "{\"taken\": %" PRIu64 ", \"acknowledged\": %" PRIu64 ", \"quarantined\": %" PRIu64
	                 ", \"refused\": %" PRIu64 ", \"bytes\": %" PRIu64 "}\n"
	               : "taken %" PRIu64 ", acknowledged %" PRIu64 ", in quarantine %" PRIu64
	                 ", refused %" PRIu64 "; %" PRIu64 " bytes\n",
	       summary.taken, summary.acknowledged, summary.quarantined, summary.refused, summary.bytes);
	return code;
}

static const struct option options[] = {
	{"state", "DIR", "where the queue and the node's receipts lie"},
	{"listen-dicom", "HOST:PORT",
         "take what scanners send there by C-STORE; in the clear, so keep it between the two"},
	{"ae", "TITLE", "the AE title they have to call (default RADSEAL-EDGE)"},
	{"device", "NAME", "the device's name: that of its certificate for the broker"},
	{"key", "FILE",
         "what signs: mr-1.key of radseal key new with mr-1.unlock beside it, or a P-256 key in PEM"},
	{"to", "URL",
         "mqtts://HOST:PORT, https://HOST:PORT or dicoms://TITLE@HOST:PORT; each without s, in the clear"},
	{"node-key", "FILE", "the node's keys/log.vkey: whose acknowledgements count"},
	{"certificate", "FILE", "for TLS: the device's certificate, PEM"},
	{"certificate-key", "FILE", "for TLS: its key"},
	{"authorities", "FILE", "for TLS: whom to trust, PEM"},
	{"patient", "ID", "of files that name no patient"},
	{"denoise", "HOW",
         "of files that are no DICOM: none (default), median or nlm; the original is sent along"},
	{"normalise", NULL, "of such files: spread the 1st to the 99th percentile over all values"},
	{"settle", "MS", "a file is whole when it did not change for so long (default 2000)"},
	{"series-idle", "SECONDS", "a series is announced when nothing was added for so long (default 10)"},
	{"quota", "MB", "of the queue (default 4096); when it is full, files wait where they are"},
	{"rate", "KB", "a second at most; 0, the default: as fast as it goes"},
	{"once", NULL, "end when the directory and the queue are empty"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal edge /scans --state /var/lib/radseal-edge --device mr-1 --key mr-1.key --to mqtts://broker:8883 "
         "--node-key log.vkey --certificate mr-1.pem --certificate-key mr-1.tls.key --authorities ca.pem",
         "forward what the scanner writes to /scans"},
	{"radseal edge /scans --state s --device us-2 --key us-2.key --to dicom://RADSEAL@10.0.0.9:11112 --patient P7 --once",
         "send what is there by DICOM, then end"},
	{"radseal edge /scans --state s --device mr-1 --key mr-1.key --to https://node:8443 --node-key log.vkey "
         "--certificate mr-1.pem --certificate-key mr-1.tls.key --authorities ca.pem",
         "by signed HTTP requests, where there is no broker"},
	{NULL, NULL},
};

const struct command command_edge = {
	.name = "edge",
	.arguments =
		"[DIR] [--listen-dicom HOST:PORT] --state DIR --device NAME --key FILE --to URL [--node-key FILE] [--once]",
	.summary = "forward files from beside a scanner: signed, queued, acknowledged by the node",
	.description =
		"Watches DIR, takes every file that has settled into a queue on disk, signs it, removes it from DIR, and\n"
		"sends it until the node has acknowledged that it is durable there; receipts are kept. What is in the\n"
		"subdirectory \"stat\" goes first, what is no image is moved to \".refused\". DICOM is sent as it is;\n"
		"PNG, PGM, NIfTI, NRRD and MetaImage become Secondary Capture with the untouched original inside,\n"
		"baseline JPEG stays as it is in a DICOM of its own. The queue survives kill -9 and power cuts; lost\n"
		"connections are tried again, later each time, and data sets go on where they were. A manifest of each\n"
		"series follows it. With --listen-dicom it also takes what scanners send by C-STORE, answered with success\n"
		"once it is durable here, and signed as it was received. The program radseal-edge is this command alone,\n"
		"for small machines.",
	.options = options,
	.examples = examples,
	.run = run,
};
