/* radseal verify: genuine, altered or unknown. */
#include <stdio.h>
#include <string.h>

#include "devices/devices.h"
#include "session.h"
#include "trust.h"
#include "workflow/workflow.h"

struct verifier {
	struct rs_node *node;         /* NULL offline */
	const char *receipt;          /* --receipt, may be NULL */
	struct trusted trusted;       /* with --receipt */
	struct rs_listings *listings; /* NULL offline */
	bool as_json, quiet;
	struct rs_json json;
	enum rs_code worst;
	struct rs_error first; /* of the files that are not genuine */
};

/* A file that cannot be found at all has no verdict: that is an error of input. */
static const char *verdict_of(enum rs_code code, const char *path)
{
	switch (code) {
	case RS_OK: return "genuine";
	case RS_NOT_FOUND: return rs_path_exists(rs_world_system(), path) ? "unknown" : "error";
	case RS_ALTERED:
	case RS_MALFORMED: return "altered";
	default: return "error";
	}
}

/* Whose manifest lists what came without a device's envelope; name "": nobody's. */
static struct rs_listing listing_of(const struct verifier *verifier, const struct rs_proof_details *details)
{
	struct rs_listing listing = {.name = ""};
	if (!verifier->listings || !details->source[0] || details->device[0])
		return listing;
	enum rs_code code = details->has_manifest
	                            ? rs_listings_manifest(verifier->listings, &details->manifest, &listing,
	                                                   NULL)
	                            : rs_listings_find(verifier->listings, &details->sha256, &listing, NULL);
	return code == RS_OK ? listing : (struct rs_listing){.name = ""};
}

static void print_listing(struct rs_json *json, const struct rs_proof_details *details,
                          const struct rs_listing *listing)
{
	char manifest[2 * RS_SHA256_SIZE + 1], key[RS_MEMBER_KEY_TEXT_SIZE];
	if (!listing->name[0] && !details->has_manifest)
		return;
	rs_hex_encode(rs_bytes_of(details->has_manifest ? details->manifest.bytes : listing->manifest.bytes,
	                          RS_SHA256_SIZE),
	              manifest);
	rs_json_key(json, "manifest");
	rs_json_text(json, manifest);
	if (!listing->name[0])
		return;
	rs_member_key_format(&listing->device, key);
	rs_json_key(json, "listed_by");
	rs_json_text(json, listing->name);
	rs_json_key(json, "listed_by_key");
	rs_json_text(json, key);
	if (!listing->is_sealed)
		return;
	rs_json_key(json, "manifest_entry");
	rs_json_u64(json, listing->entry);
}

static void print_source(struct rs_json *json, const struct rs_proof_details *details)
{
	const struct {
		const char *name, *value;
	} rows[] = {{"source", details->source},
	            {"device", details->device},
	            {"device_key", details->device_key},
	            {"captured_at", details->captured_at}};
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		if (!rows[i].value[0])
			continue;
		rs_json_key(json, rows[i].name);
		rs_json_text(json, rows[i].value);
	}
}

static void print_json(struct rs_json *json, const char *path, enum rs_code code,
                       const struct rs_proof_details *details, const struct rs_listing *listing,
                       const struct rs_error *err)
{
	rs_json_object_begin(json);
	rs_json_key(json, "path");
	rs_json_text(json, path);
	rs_json_key(json, "verdict");
	rs_json_text(json, verdict_of(code, path));
	if (code == RS_OK) {
		rs_json_key(json, "sealed_at");
		rs_json_text(json, details->sealed_at);
		rs_json_key(json, "origin");
		rs_json_text(json, details->origin);
		rs_json_key(json, "media");
		rs_json_text(json, details->media);
		rs_json_key(json, "entry");
		rs_json_u64(json, details->entry);
		rs_json_key(json, "tree_size");
		rs_json_u64(json, details->tree_size);
		rs_json_key(json, "cosigned");
		rs_json_u64(json, details->cosigned);
		print_source(json, details);
		print_listing(json, details, listing);
	} else {
		rs_json_key(json, "reason");
		rs_json_text(json, err->message);
	}
	rs_json_object_end(json);
}

static void print_text(const struct verifier *verifier, const char *path, enum rs_code code,
                       const struct rs_proof_details *details, const struct rs_listing *listing,
                       const struct rs_error *err)
{
	if (code == RS_OK && !verifier->quiet)
		printf("genuine  %s  (sealed %s, entry %llu of %s%s%s%s%s%s)\n", path, details->sealed_at,
		       (unsigned long long)details->entry, details->origin,
		       details->source[0] ? "; from " : "", details->source,
		       details->device[0]      ? ", signed by the device "
		       : listing->name[0]      ? ", listed in a manifest of the device "
		       : details->has_manifest ? ", listed in a device's manifest"
		       : details->source[0]    ? ", unsigned source"
		                               : "",
		       details->device, listing->name);
	else if (code != RS_OK)
		printf("%-8s %s  (%s)\n", verdict_of(code, path), path, err->message);
}

static void show(void *context, const char *path, enum rs_code code, const struct rs_proof_details *details,
                 const struct rs_error *err)
{
	struct verifier *verifier = context;
	struct rs_listing listing = {.name = ""};
	if (code == RS_OK)
		listing = listing_of(verifier, details);
	if (verifier->as_json)
		print_json(&verifier->json, path, code, details, &listing, err);
	else
		print_text(verifier, path, code, details, &listing, err);
	/* A file that is missing on disk is an error of input; one that was never sealed failed the check. */
	if (code == RS_NOT_FOUND && rs_path_exists(rs_world_system(), path))
		code = RS_ALTERED;
	if (code != RS_OK && verifier->worst == RS_OK) {
		verifier->worst = code;
		verifier->first = *err;
	}
}

/* Against a receipt too, or against it alone. */
static void verify_with_receipt(struct verifier *verifier, const char *path)
{
	struct rs_proof_details details = {0};
	struct rs_error err = {0};
	enum rs_code code = RS_OK;
	if (verifier->node)
		code = rs_node_verify(verifier->node, path, &details, &err);
	if (code == RS_OK)
		code = rs_verify_offline(rs_world_system(), path, verifier->receipt, &verifier->trusted.trust,
		                         &details, &err);
	show(verifier, path, code, &details, &err);
}

/* Whom to believe: the log, and so many of the witnesses. */
static enum rs_code read_trust(const struct command_line *line, struct verifier *verifier,
                               struct rs_error *err)
{
	if (line->repeat_count && !verifier->receipt)
		return rs_error_set(err, RS_USAGE,
		                    "verify: --witness is for --receipt, whose checkpoint they signed");
	if (verifier->node)
		RS_TRY(rs_note_key_parse(rs_str_from(rs_node_vkey(verifier->node)),
		                         &verifier->trusted.trust.log, err));
	else
		RS_TRY(trusted_log(&verifier->trusted, "--key", option_value(line, "key"), err));
	return trusted_witnesses(&verifier->trusted, line, err);
}

static enum rs_code prepare(const struct command_line *line, struct verifier *verifier, struct rs_pool *pool,
                            struct rs_error *err)
{
	const char *key = option_value(line, "key");
	verifier->receipt = option_value(line, "receipt");
	verifier->as_json = option_given(line, "json");
	verifier->quiet = option_given(line, "quiet");
	if (line->operand_count == 0)
		return rs_error_set(err, RS_USAGE, "verify: name the files to verify");
	if (verifier->receipt && line->operand_count > 1)
		return rs_error_set(err, RS_USAGE, "verify: one --receipt belongs to one file");
	/* Missing files are errors of input, and say nothing about the file to verify. */
	if (verifier->receipt && !rs_path_exists(rs_world_system(), verifier->receipt))
		return rs_error_set(err, RS_NOT_FOUND, "--receipt: there is no file %s", verifier->receipt);
	if (key && !option_given(line, "offline"))
		return rs_error_set(err, RS_USAGE, "verify: --key is for --offline; a node has its own key");
	if (!option_given(line, "offline")) {
		RS_TRY(session_node(line, RS_NODE_READ, pool, &verifier->node, err));
		return rs_listings_open(verifier->node, &verifier->listings, err);
	}
	if (!key || !verifier->receipt)
		return rs_error_set(err, RS_USAGE, "verify --offline needs --receipt FILE and --key KEY");
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct verifier verifier = {0};
	RS_TRY(session_pool(line, 1, &pool, err));
	enum rs_code code = prepare(line, &verifier, pool, err);
	if (code == RS_OK)
		code = read_trust(line, &verifier, err);
	if (code == RS_OK) {
		rs_buffer_init(&text, (size_t)1 << 30);
		rs_json_init(&verifier.json, &text, true);
		rs_json_array_begin(&verifier.json);
		if (verifier.receipt)
			verify_with_receipt(&verifier, line->operands[0]);
		else
			code = rs_node_verify_each(verifier.node, line->operands, line->operand_count, show,
			                           &verifier, err);
		rs_json_array_end(&verifier.json);
		rs_buffer_append_text(&text, "\n");
		if (code == RS_OK && verifier.as_json)
			code = session_write(NULL, rs_buffer_bytes(&text), err);
		if (code == RS_OK && verifier.worst != RS_OK)
			code = rs_error_set(err, verifier.worst, "%s", verifier.first.message);
	}
	rs_listings_close(verifier.listings);
	rs_node_close(verifier.node);
	return code;
}

static const struct option options[] = {
	{"receipt", "FILE", "a receipt (.tlog-proof) to check the file against"},
	{"offline", NULL, "use nothing but the file, the receipt and the key"},
	{"key", "KEY", "the log's verifier key, or a file with it (keys/log.vkey of the node)"},
	{"witness", "KEY", "a witness's verifier key, or a file with it; may be given several times"},
	{"quorum", "N", "so many of the witnesses must have cosigned the receipt; otherwise all"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal verify --home /srv/radseal /data/study1/*.dcm", "are these the files that were sealed?"},
	{"radseal verify -j 2 --home /srv/radseal /data/study1/*.dcm", "the same on two threads only"},
	{"radseal verify scan.dcm --offline --receipt scan.tlog-proof --key log.vkey",
         "the same without the node, by anyone"},
	{NULL, NULL},
};

const struct command command_verify = {
	.name = "verify",
	.arguments = "FILE… [--receipt R] [--home DIR] [--offline --key K]",
	.summary = "tell whether files are what was sealed",
	.description =
		"Tells of each file whether it is genuine, altered or unknown, and why. With a node, its stored\n"
		"copy, its record and the ledger are checked too; several files at a time, told of in the order\n"
		"given. Exit status 0 when all are genuine, else 1.",
	.options = options,
	.examples = examples,
	.repeatable = "witness",
	.run = run,
};
