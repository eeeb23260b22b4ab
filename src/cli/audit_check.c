/* Proofs that an audit wrote, one by one, with nothing but the log's key. */
#include "audit_check.h"

#include <inttypes.h>
#include <string.h>

#include "audit/audit_proof.h"
#include "session.h"

struct checking {
	struct rs_note_key log;
	struct rs_buffer text;
	struct rs_json json;
	bool as_json, quiet;
	size_t failed;
};

static void field(struct rs_json *json, const char *key, const char *text)
{
	rs_json_key(json, key);
	rs_json_text(json, text);
}

static void tell_json(struct checking *checking, const char *path, const struct rs_audit_proof *proof,
                      const struct rs_error *reason)
{
	struct rs_json *json = &checking->json;
	char time[RS_TIME_TEXT_SIZE];
	rs_json_object_begin(json);
	field(json, "path", path);
	field(json, "verdict", proof ? "proved" : "not proved");
	if (!proof) {
		field(json, "reason", reason->message);
		rs_json_object_end(json);
		return;
	}
	rs_format_time_ms(proof->act.time_ms, time);
	rs_json_key(json, "entry");
	rs_json_u64(json, proof->file.index);
	rs_json_key(json, "tree_size");
	rs_json_u64(json, proof->checkpoint.size);
	rs_json_key(json, "tree_root");
	rs_json_hex(json, rs_bytes_of(proof->checkpoint.root.bytes, RS_SHA256_SIZE));
	field(json, "type", rs_transaction_type_name(proof->act.type));
	field(json, "time", time);
	rs_json_key(json, "transaction");
	rs_json_hex(json, rs_bytes_of(proof->act.id, sizeof proof->act.id));
	rs_json_key(json, "signer");
	rs_json_hex(json, rs_bytes_of(proof->act.signer.bytes, RS_KEY_SIZE));
	rs_json_object_end(json);
}

static void tell_text(struct checking *checking, const char *path, const struct rs_audit_proof *proof,
                      const struct rs_error *reason)
{
	char time[RS_TIME_TEXT_SIZE], signer[RS_MEMBER_KEY_TEXT_SIZE];
	if (!proof) {
		rs_buffer_printf(&checking->text, "NOT PROVED  %s: %s\n", path, reason->message);
		return;
	}
	if (checking->quiet)
		return;
	rs_format_time_ms(proof->act.time_ms, time);
	rs_member_key_format(&proof->act.signer, signer);
	rs_buffer_printf(&checking->text,
	                 "proved      %s: entry %" PRIu64 " of %" PRIu64 ": %s, dated %s, signed by %s\n",
	                 path, proof->file.index, proof->checkpoint.size,
	                 rs_transaction_type_name(proof->act.type), time, signer);
}

static enum rs_code check_file(struct checking *checking, const char *path, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_audit_proof proof RS_CLEANUP(rs_audit_proof_finish) = {.checkpoint = {.size = 0}};
	struct rs_error reason = {0};
	RS_TRY(rs_file_read_all(rs_world_system(), path, RS_AUDIT_PROOF_SIZE_MAX, &text, err));
	enum rs_code code = rs_audit_proof_check(rs_buffer_str(&text), &checking->log, &proof, &reason);
	if (code == RS_NO_MEMORY)
		return rs_error_set(err, code, "%s", reason.message);
	checking->failed += code != RS_OK;
	(checking->as_json ? tell_json : tell_text)(checking, path, code == RS_OK ? &proof : NULL, &reason);
	return rs_buffer_check(&checking->text, "the answer", err);
}

static enum rs_code check_files(const struct command_line *line, struct checking *checking,
                                struct rs_error *err)
{
	if (checking->as_json)
		rs_json_array_begin(&checking->json);
	for (size_t i = 1; i < line->operand_count; i++)
		RS_TRY(check_file(checking, line->operands[i], err));
	if (checking->as_json) {
		rs_json_array_end(&checking->json);
		rs_buffer_append_text(&checking->text, "\n");
	}
	RS_TRY(rs_buffer_check(&checking->text, "the answer", err));
	RS_TRY(session_write(NULL, rs_buffer_bytes(&checking->text), err));
	if (checking->failed)
		return rs_error_set(err, RS_ALTERED, "%zu of %zu files prove nothing", checking->failed,
		                    line->operand_count - 1);
	return RS_OK;
}

enum rs_code audit_check(const struct command_line *line, struct rs_error *err)
{
	char *vkey RS_CLEANUP(rs_free_pointer) = NULL;
	struct checking checking = {.as_json = option_given(line, "json"),
	                            .quiet = option_given(line, "quiet")};
	RS_TRY(session_key(option_value(line, "key"), &vkey, err));
	if (rs_note_key_parse(rs_str_from(vkey), &checking.log, err) != RS_OK) {
		rs_error_context(err, "--key");
		return err->code = RS_USAGE;
	}
	rs_buffer_init(&checking.text, (size_t)1 << 30);
	rs_json_init(&checking.json, &checking.text, true);
	enum rs_code code = check_files(line, &checking, err);
	rs_buffer_finish(&checking.text);
	return code;
}
