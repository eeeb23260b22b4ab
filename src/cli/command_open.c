/* radseal open: a bundle that a member of another organisation was sent. */
#include "report.h"
#include "session.h"
#include "trust.h"
#include "access/access_bundle.h"
#include "node/node_keys.h"
#include "workflow/workflow.h"

struct opener {
	struct rs_signing_key key;
	struct trusted trusted;
};

static void opener_finish(struct opener *opener) { rs_signing_key_finish(&opener->key); }

static enum rs_code read_keys(const struct command_line *line, struct opener *out, struct rs_error *err)
{
	const struct rs_keys_place place = {rs_world_system(), session_home(line)};
	struct rs_buffer passphrase RS_CLEANUP(rs_secret_buffer_finish) = {0};
	RS_TRY(trusted_log(&out->trusted, "--log", option_value(line, "log"), err));
	RS_TRY(trusted_witnesses(&out->trusted, line, err));
	RS_TRY(session_secret(option_value(line, "passphrase-file"), "RADSEAL_AS_PASSPHRASE", &passphrase,
	                      err));
	return rs_key_open(&place, option_value(line, "key"), rs_buffer_bytes(&passphrase), &out->key, err);
}

static enum rs_code open_one(const struct command_line *line, const struct opener *opener, const char *path,
                             struct report *report, struct rs_error *err)
{
	struct rs_proof_details details;
	char *opened RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(rs_bundle_open(rs_world_system(), path, &opener->key, &opener->trusted.trust,
	                      option_value(line, "output"), &details, &opened, err));
	const struct field fields[] = {{"path", opened, 1},
	                               {"sealed_at", details.sealed_at, 0},
	                               {"origin", details.origin, 0},
	                               {"media", details.media, 0}};
	report_row(report, fields, RS_COUNT(fields));
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct opener opener RS_CLEANUP(opener_finish) = {.trusted = {.trust = {.quorum = 0}}};
	struct report report RS_CLEANUP(report_finish) = {.as_json = false};
	static const char *const needed[] = {"key", "log", "output"};
	enum rs_code code = RS_OK;
	if (line->operand_count == 0)
		return rs_error_set(err, RS_USAGE, "open: name the bundles to open");
	for (size_t i = 0; i < RS_COUNT(needed); i++)
		if (!option_given(line, needed[i]))
			return rs_error_set(err, RS_USAGE, "open: --%s is missing", needed[i]);
	RS_TRY(read_keys(line, &opener, err));
	report_begin(&report, line, true);
	for (size_t i = 0; code == RS_OK && i < line->operand_count; i++)
		code = open_one(line, &opener, line->operands[i], &report, err);
	struct rs_error printing = {0};
	enum rs_code printed = report_end(&report, &printing);
	if (code == RS_OK && printed != RS_OK)
		return rs_error_set(err, printed, "%s", printing.message);
	return code;
}

static const struct option options[] = {
	{"key", "NAME", "the member's key to whom they were sealed: keys/NAME.key below --home"},
	{"log", "KEY", "the verifier key of the log that they are of, or a file with it"},
	{"witness", "KEY", "a witness's verifier key, or a file with it; may be given several times"},
	{"quorum", "N", "so many of the witnesses must have cosigned; otherwise all"},
	{"output", "DIR", "where the files and their receipts go"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal open bafk….bundle --key reader --log hospital-log.vkey -o in --home /srv/radseal",
         "decrypt and verify what another organisation sent"},
	{NULL, NULL},
};

static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

const struct command command_open = {
	.name = "open",
	.arguments = "BUNDLE… --key NAME --log KEY -o DIR [--home DIR]",
	.summary = "open bundles that were sealed to a member's key",
	.description =
		"Opens what `radseal retrieve --for` made: takes the object's key out with the member's, decrypts the\n"
		"object, checks that its address and its content are what the receipt of the sender's log proves, and\n"
		"writes file and receipt. Needs no node: --home is where the key file lies; --passphrase-file and\n"
		"$RADSEAL_AS_PASSPHRASE open it. Exit status 1 when something is not what was sealed.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.repeatable = "witness",
	.run = run,
};
