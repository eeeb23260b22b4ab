/* radseal log: what the ledger holds, its checkpoint, and proofs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ledger/ledger.h"
#include "ledger/ledger_cose.h"
#include "ledger/ledger_tiles.h"
#include "log_compare.h"
#include "session.h"
#include "workflow/workflow.h"

#define OUTPUT_SIZE_MAX ((size_t)1 << 30)

struct output {
	struct rs_buffer text;
	struct rs_json json;
	bool as_json;
};

static void entry_json(struct rs_json *json, uint64_t index, const struct rs_act *act)
{
	char time[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(act->time_ms, time);
	rs_json_object_begin(json);
	rs_json_key(json, "index");
	rs_json_u64(json, index);
	rs_json_key(json, "time");
	rs_json_text(json, time);
	rs_json_key(json, "type");
	rs_json_text(json, rs_transaction_type_name(act->type));
	rs_json_key(json, "id");
	rs_json_hex(json, rs_bytes_of(act->id, sizeof act->id));
	rs_json_key(json, "signer");
	rs_json_hex(json, rs_bytes_of(act->signer.bytes, RS_KEY_SIZE));
	if (act->organisation.size) {
		rs_json_key(json, "organisation");
		rs_json_str(json, act->organisation);
	}
	if (act->type == RS_TRANSACTION_OBJECT_REGISTER) {
		rs_json_key(json, "commitment");
		rs_json_hex(json, rs_bytes_of(act->commitment.bytes, RS_SHA256_SIZE));
		rs_json_key(json, "instances");
		rs_json_u64(json, act->instances);
	}
	rs_json_object_end(json);
}

static void entry_text(struct rs_buffer *out, uint64_t index, const struct rs_act *act)
{
	char time[RS_TIME_TEXT_SIZE], signer[2 * 4 + 1];
	rs_format_time_ms(act->time_ms, time);
	rs_hex_encode(rs_bytes_of(act->signer.bytes, 4), signer);
	rs_buffer_printf(out, "%8" PRIu64 "  %s  %-16s  by %s…", index, time,
	                 rs_transaction_type_name(act->type), signer);
	if (act->type == RS_TRANSACTION_OBJECT_REGISTER)
		rs_buffer_printf(out, "  %" PRIu64 " instance%s", act->instances,
		                 act->instances == 1 ? "" : "s");
	rs_buffer_append_text(out, "\n");
}

static enum rs_code list_entries(struct rs_ledger *ledger, struct output *output, struct rs_error *err)
{
	uint64_t size = rs_ledger_size(ledger);
	if (output->as_json) {
		rs_json_key(&output->json, "entries");
		rs_json_array_begin(&output->json);
	}
	for (uint64_t index = 0; index < size; index++) {
		struct rs_bytes entry;
		struct rs_act act;
		RS_TRY(rs_ledger_entry(ledger, index, &entry, err));
		if (rs_transaction_parse(entry, &act, err) != RS_OK)
			return rs_error_context(err, "entry %" PRIu64, index);
		if (output->as_json)
			entry_json(&output->json, index, &act);
		else
			entry_text(&output->text, index, &act);
	}
	if (output->as_json) {
		rs_json_array_end(&output->json);
		rs_json_key(&output->json, "checkpoint");
		rs_json_str(&output->json, rs_ledger_checkpoint(ledger));
	} else {
		rs_buffer_append_text(&output->text, "\n");
		rs_buffer_append_str(&output->text, rs_ledger_checkpoint(ledger));
	}
	return RS_OK;
}

/* Each is a whole signed note, with an empty line between it and the next. */
static enum rs_code add_checkpoint(void *context, struct rs_str note, struct rs_error *err RS_UNUSED)
{
	struct output *output = context;
	if (output->as_json) {
		rs_json_str(&output->json, note);
		return RS_OK;
	}
	if (output->text.size)
		rs_buffer_append_text(&output->text, "\n");
	rs_buffer_append_str(&output->text, note);
	return RS_OK;
}

static enum rs_code list_checkpoints(struct rs_ledger *ledger, struct output *output, struct rs_error *err)
{
	if (output->as_json) {
		rs_json_key(&output->json, "checkpoints");
		rs_json_array_begin(&output->json);
	}
	RS_TRY(rs_ledger_each_checkpoint(ledger, add_checkpoint, output, err));
	if (output->as_json)
		rs_json_array_end(&output->json);
	return RS_OK;
}

static void hashes_json(struct rs_json *json, const char *key, const struct rs_digest *hashes, size_t count)
{
	rs_json_key(json, key);
	rs_json_array_begin(json);
	for (size_t i = 0; i < count; i++)
		rs_json_hex(json, rs_bytes_of(hashes[i].bytes, RS_SHA256_SIZE));
	rs_json_array_end(json);
}

static void proof_json(struct rs_json *json, uint64_t index, const struct rs_digest *path, size_t count,
                       struct rs_bytes entry, struct rs_str checkpoint)
{
	rs_json_key(json, "index");
	rs_json_u64(json, index);
	rs_json_key(json, "entry");
	rs_json_hex(json, entry);
	hashes_json(json, "path", path, count);
	rs_json_key(json, "checkpoint");
	rs_json_str(json, checkpoint);
}

static enum rs_code print_proof(struct rs_ledger *ledger, const char *text, struct output *output,
                                struct rs_error *err)
{
	struct rs_digest path[RS_PROOF_HASHES_MAX];
	size_t count;
	uint64_t index;
	struct rs_bytes entry;
	if (!rs_parse_u64(rs_str_from(text), &index))
		return rs_error_set(err, RS_USAGE, "--proof: '%s' is not an entry's number", text);
	if (index >= rs_ledger_size(ledger))
		return rs_error_set(err, RS_USAGE,
		                    "--proof: there is no entry %" PRIu64 "; the log has %" PRIu64, index,
		                    rs_ledger_size(ledger));
	RS_TRY(rs_ledger_prove(ledger, index, path, &count, err));
	RS_TRY(rs_ledger_entry(ledger, index, &entry, err));
	if (!output->as_json)
		return rs_tlog_proof_format(entry, index, path, count, rs_ledger_checkpoint(ledger),
		                            &output->text, err);
	proof_json(&output->json, index, path, count, entry, rs_ledger_checkpoint(ledger));
	return RS_OK;
}

static enum rs_code print_consistency(struct rs_ledger *ledger, const char *text, struct output *output,
                                      struct rs_error *err)
{
	struct rs_digest hashes[RS_PROOF_HASHES_MAX];
	size_t count;
	uint64_t old_size;
	if (!rs_parse_u64(rs_str_from(text), &old_size) || old_size > rs_ledger_size(ledger))
		return rs_error_set(err, RS_USAGE,
		                    "--consistency: '%s' is not a size that the log had; it has %" PRIu64
		                    " entries",
		                    text, rs_ledger_size(ledger));
	RS_TRY(rs_ledger_prove_consistency(ledger, old_size, hashes, &count, err));
	/* What a witness wants to see before it signs too. */
	if (!output->as_json)
		return rs_witness_request(old_size, hashes, count, rs_ledger_checkpoint(ledger),
		                          &output->text, err);
	rs_json_key(&output->json, "old_size");
	rs_json_u64(&output->json, old_size);
	hashes_json(&output->json, "proof", hashes, count);
	rs_json_key(&output->json, "checkpoint");
	rs_json_str(&output->json, rs_ledger_checkpoint(ledger));
	return RS_OK;
}

static enum rs_code write_tiles(struct rs_ledger *ledger, const char *directory, struct output *output,
                                struct rs_error *err)
{
	uint64_t files;
	RS_TRY(rs_ledger_write_tiles(ledger, rs_world_system(), directory, &files, err));
	if (output->as_json) {
		rs_json_key(&output->json, "size");
		rs_json_u64(&output->json, rs_ledger_size(ledger));
		rs_json_key(&output->json, "files_written");
		rs_json_u64(&output->json, files);
		return RS_OK;
	}
	rs_buffer_printf(&output->text, "%s: %" PRIu64 " entries, %" PRIu64 " files written\n", directory,
	                 rs_ledger_size(ledger), files);
	return rs_buffer_check(&output->text, "an answer", err);
}

static enum rs_code print_what_was_asked(const struct command_line *line, struct rs_ledger *ledger,
                                         struct output *output, struct rs_error *err)
{
	const char *tiles = option_value(line, "tiles");
	const char *proof = option_value(line, "proof"), *old_size = option_value(line, "consistency");
	if (tiles)
		return write_tiles(ledger, tiles, output, err);
	if (proof)
		return print_proof(ledger, proof, output, err);
	if (option_given(line, "checkpoints"))
		return list_checkpoints(ledger, output, err);
	return old_size ? print_consistency(ledger, old_size, output, err)
	                : list_entries(ledger, output, err);
}

/* The proof that was printed, once more in CBOR. */
static enum rs_code write_cose(const struct command_line *line, struct rs_node *node, struct rs_error *err)
{
	struct rs_buffer receipt RS_CLEANUP(rs_buffer_finish) = {0};
	const char *path = option_value(line, "cose");
	uint64_t index = 0;
	if (!path || !rs_parse_u64(rs_str_from(option_value(line, "proof")), &index))
		return RS_OK;
	rs_buffer_init(&receipt, RS_COSE_RECEIPT_SIZE_MAX);
	RS_TRY(rs_node_cose_receipt(node, index, &receipt, err));
	return session_write(path, rs_buffer_bytes(&receipt), err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct output output = {.as_json = option_given(line, "json")};
	if (line->operand_count && strcmp(line->operands[0], "compare") == 0)
		return log_compare(line, err);
	if (line->operand_count)
		return rs_error_set(err, RS_USAGE,
		                    "log takes no operand but compare; name the node with --home");
	if (option_given(line, "key"))
		return rs_error_set(err, RS_USAGE, "log: --key is for log compare; a node has its own key");
	if (option_given(line, "proof") + option_given(line, "consistency") +
	            option_given(line, "checkpoints") + option_given(line, "tiles") >
	    1)
		return rs_error_set(err, RS_USAGE,
		                    "log: --proof, --consistency, --checkpoints and --tiles are different "
		                    "questions; ask one");
	if (option_given(line, "cose") && !option_given(line, "proof"))
		return rs_error_set(err, RS_USAGE,
		                    "log: --cose writes the proof of one entry; name it with --proof");
	RS_TRY(session_node(line, RS_NODE_READ, NULL, &node, err));
	rs_buffer_init(&output.text, OUTPUT_SIZE_MAX);
	rs_json_init(&output.json, &output.text, true);
	if (output.as_json)
		rs_json_object_begin(&output.json);
	enum rs_code code = print_what_was_asked(line, rs_node_ledger(node), &output, err);
	if (output.as_json) {
		rs_json_object_end(&output.json);
		rs_buffer_append_text(&output.text, "\n");
	}
	if (code == RS_OK)
		code = rs_buffer_check(&output.text, "the log", err);
	if (code == RS_OK)
		code = write_cose(line, node, err);
	if (code == RS_OK)
		code = session_write(NULL, rs_buffer_bytes(&output.text), err);
	rs_buffer_finish(&output.text);
	return code;
}

static const struct option options[] = {
	{"checkpoints", NULL, "print every checkpoint that the log ever signed (C2SP tlog-checkpoint)"},
	{"proof", "INDEX",
         "print the proof that entry INDEX is in the log (C2SP tlog-proof; extra: the entry)"},
	{"cose", "FILE", "write the proof of --proof to FILE as a COSE Receipt, too (RFC 9942)"},
	{"consistency", "SIZE",
         "print the proof that the log only grew since it had SIZE entries (C2SP tlog-witness)"},
	{"tiles", "DIR",
         "write what is new of the log to DIR as static files for a web server (C2SP tlog-tiles)"},
	{"key", "KEY", "compare: the log's verifier key, or a file with it (keys/log.vkey of the node)"},
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal log --home /srv/radseal", "every entry, and the last signed checkpoint"},
	{"radseal log --checkpoints --home /srv/radseal",
         "what to keep elsewhere, to notice a rewritten log"},
	{"radseal log --consistency 12 --home /srv/radseal",
         "what a witness asks for who saw the log with 12 entries"},
	{"radseal log --tiles /srv/www/log --home /srv/radseal", "let others mirror and monitor the log"},
	{"radseal log compare seen-here seen-there --key log.vkey",
         "were we shown the same log? two signed trees of one size say no, to anybody"},
	{"radseal log --proof 3 > entry3.tlog-proof", "a proof that any C2SP tool can check"},
	{NULL, NULL},
};

const struct command command_log = {
	.name = "log",
	.arguments =
		"[compare FILE… --key KEY | --checkpoints | --proof INDEX [--cose FILE] | --consistency SIZE | --tiles DIR]",
	.summary = "list the ledger's entries or checkpoints; print proofs",
	.description =
		"Lists the ledger's entries and its last signed checkpoint, or all its checkpoints, or prints a proof:\n"
		"that one entry is in the log, or that nothing of an earlier log was changed. With --tiles the log is\n"
		"written as static files. compare needs no node: it tells whether checkpoints that were signed with\n"
		"one key contradict each other (status 1, a split view).",
	.options = options,
	.examples = examples,
	.run = run,
};
