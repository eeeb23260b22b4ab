/* Cosignatures: a checkpoint that others than its log signed, too (C2SP tlog-cosignature, Ed25519). */
#include <inttypes.h>
#include <string.h>

#include "cosign.h"

#define TIME_SIZE 8
#define COSIGNATURE_SIZE (4 + TIME_SIZE + RS_SIGNATURE_SIZE) /* id, time, Ed25519 */
#define LINE_SIZE_MAX ((size_t)8192)                         /* ML-DSA-44 takes 3.3 KiB of base64 */

enum rs_code rs_witness_key_init(struct rs_note_key *out, const char *name,
                                 const uint8_t public_key[static RS_KEY_SIZE], struct rs_error *err)
{
	return note_key_init(out, RS_NOTE_COSIGNATURE, name, public_key, err);
}

enum rs_code rs_witness_key_parse(struct rs_str vkey, struct rs_note_key *out, struct rs_error *err)
{
	return note_key_parse(vkey, RS_NOTE_COSIGNATURE, out, err);
}

/* What a witness signs: its time, then the checkpoint's text. */
static enum rs_code write_message(struct rs_str body, uint64_t time_s, struct rs_buffer *out,
                                  struct rs_error *err)
{
	rs_buffer_init(out, RS_WITNESS_REQUEST_MAX + 64);
	rs_buffer_printf(out, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
	rs_buffer_append_str(out, body);
	return rs_buffer_check(out, "a cosignature", err);
}

enum rs_code rs_cosign(struct rs_str checkpoint, const struct rs_note_key *witness,
                       const struct rs_signing_key *key, uint64_t time_s, struct rs_buffer *out,
                       struct rs_error *err)
{
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	uint8_t signature[COSIGNATURE_SIZE];
	char text[RS_BASE64_SIZE(COSIGNATURE_SIZE)];
	struct rs_str body, lines;
	RS_TRY(note_split(checkpoint, &body, &lines, err));
	RS_TRY(write_message(body, time_s, &message, err));
	memcpy(signature, witness->id, sizeof witness->id);
	rs_write_be64(signature + 4, time_s);
	rs_sign(key, rs_buffer_bytes(&message), signature + 4 + TIME_SIZE);
	rs_base64_encode(rs_bytes_of(signature, sizeof signature), text);
	rs_buffer_printf(out, EM_DASH " %s %s\n", witness->name, text);
	return rs_buffer_check(out, "a cosignature", err);
}

/* "— name base64"; what is too long for Ed25519 is left with size 0: it belongs to a key of another kind. */
static enum rs_code parse_line(struct rs_str line, struct signature *out, struct rs_error *err)
{
	struct rs_str dash, rest = line;
	uint8_t whole[LINE_SIZE_MAX / 4 * 3];
	size_t size = 0;
	if (line.size > LINE_SIZE_MAX || !rs_str_split(&rest, ' ', &dash) ||
	    !rs_str_equal_text(dash, EM_DASH) || !rs_str_split(&rest, ' ', &out->name) || !rest.data ||
	    !note_name_is_fit(out->name) || !rs_base64_decode(rest, whole, &size) || size < 5)
		return note_malformed(err, "a signature line is not '— name signature'");
	out->size = size <= sizeof out->bytes ? size : 0;
	memcpy(out->bytes, whole, out->size);
	return RS_OK;
}

bool signature_is_by(const struct signature *signature, const struct rs_note_key *key)
{
	return signature->size > 0 && rs_str_equal_text(signature->name, key->name) &&
	       memcmp(signature->bytes, key->id, sizeof key->id) == 0;
}

static bool cosignature_holds(const struct signature *signature, struct rs_str body,
                              const struct rs_note_key *key)
{
	struct rs_buffer message RS_CLEANUP(rs_buffer_finish) = {0};
	uint64_t time_s = rs_read_be64(signature->bytes + 4);
	return signature->size == COSIGNATURE_SIZE && time_s <= INT64_MAX &&
	       write_message(body, time_s, &message, NULL) == RS_OK &&
	       rs_signature_valid(key->public_key, rs_buffer_bytes(&message),
	                          signature->bytes + 4 + TIME_SIZE);
}

bool signature_holds(const struct signature *signature, struct rs_str body, const struct rs_note_key *key)
{
	if (key->algorithm == RS_NOTE_COSIGNATURE)
		return cosignature_holds(signature, body, key);
	return signature->size == 4 + RS_SIGNATURE_SIZE &&
	       rs_signature_valid(key->public_key, rs_bytes_of_str(body), signature->bytes + 4);
}

enum rs_code each_signature(struct rs_str lines, signature_visit *visit, void *context, struct rs_error *err)
{
	struct rs_str rest = lines, line;
	for (size_t count = 0; rest.size; count++) {
		struct signature signature;
		if (count == RS_COSIGNATURES_MAX)
			return note_malformed(err, "it has too many signature lines");
		if (lines.data[lines.size - 1] != '\n' || !rs_str_split(&rest, '\n', &line))
			return note_malformed(err, "its last line has no end");
		RS_TRY(parse_line(line, &signature, err));
		signature.line = (struct rs_str){line.data, line.size + 1};
		RS_TRY(visit(context, &signature, err));
	}
	return RS_OK;
}

struct picking {
	struct rs_str body;
	const struct rs_note_key *witness;
	struct rs_buffer *out;
	bool found;
};

static enum rs_code pick(void *context, const struct signature *signature, struct rs_error *err)
{
	struct picking *picking = context;
	if (!signature_is_by(signature, picking->witness) ||
	    !signature_holds(signature, picking->body, picking->witness) || picking->found)
		return RS_OK;
	picking->found = true;
	rs_buffer_append_str(picking->out, signature->line);
	return rs_buffer_check(picking->out, "cosignatures", err);
}

enum rs_code rs_cosignatures_pick(struct rs_str lines, struct rs_str checkpoint,
                                  const struct rs_note_key *witness, struct rs_buffer *out,
                                  struct rs_error *err)
{
	struct picking picking = {.witness = witness, .out = out};
	struct rs_str own;
	RS_TRY(note_split(checkpoint, &picking.body, &own, err));
	RS_TRY(each_signature(lines, pick, &picking, err));
	return picking.found ? RS_OK
	                     : rs_error_set(err, RS_NOT_FOUND, "there is no cosignature of %s that holds",
	                                    witness->name);
}

struct tally {
	const struct rs_trust *trust;
	struct rs_str body;
	bool log, witness[RS_WITNESSES_MAX];
};

static enum rs_code count(void *context, const struct signature *signature, struct rs_error *err)
{
	struct tally *tally = context;
	const struct rs_trust *trust = tally->trust;
	for (size_t i = 0; i <= trust->witness_count; i++) {
		bool is_log = i == trust->witness_count;
		const struct rs_note_key *key = is_log ? &trust->log : &trust->witnesses[i];
		bool *counted = is_log ? &tally->log : &tally->witness[i];
		if (!signature_is_by(signature, key))
			continue;
		if (*counted || !signature_holds(signature, tally->body, key))
			return rs_error_set(err, RS_ALTERED,
			                    "the checkpoint's %s of %s does not fit its text",
			                    is_log ? "signature" : "cosignature", key->name);
		*counted = true;
	}
	return RS_OK;
}

enum rs_code rs_checkpoint_open(struct rs_str note, const struct rs_trust *trust, struct rs_checkpoint *out,
                                size_t *out_cosigned, struct rs_error *err)
{
	struct tally tally = {.trust = trust};
	struct rs_checkpoint checkpoint;
	struct rs_str lines;
	size_t cosigned = 0;
	if (trust->witness_count > RS_WITNESSES_MAX)
		return rs_error_set(err, RS_USAGE, "%zu witnesses are given, at most %d",
		                    trust->witness_count, RS_WITNESSES_MAX);
	if (note.size > RS_WITNESS_REQUEST_MAX)
		return note_malformed(err, "it is too long");
	RS_TRY(note_split(note, &tally.body, &lines, err));
	RS_TRY(note_parse_body(tally.body, true, &checkpoint, err));
	if (strcmp(checkpoint.origin, trust->log.name) != 0)
		return rs_error_set(err, RS_ALTERED, "the checkpoint is of the log '%s', the key of '%s'",
		                    checkpoint.origin, trust->log.name);
	RS_TRY(each_signature(lines, count, &tally, err));
	if (!tally.log)
		return rs_error_set(err, RS_ALTERED,
		                    "the checkpoint is signed by another key than the given one");
	for (size_t i = 0; i < trust->witness_count; i++)
		cosigned += tally.witness[i];
	if (cosigned < trust->quorum)
		return rs_error_set(err, RS_ALTERED,
		                    "%zu of the given witnesses cosigned the checkpoint, %zu are asked for",
		                    cosigned, trust->quorum);
	*out = checkpoint;
	*out_cosigned = cosigned;
	return RS_OK;
}
