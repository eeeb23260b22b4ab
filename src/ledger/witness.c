/* A witness's answer to add-checkpoint (C2SP tlog-witness): from bytes to bytes, over what it remembers. */
#include <inttypes.h>
#include <string.h>

#include "cosign.h"

#define PROOF_LINES_MAX 63
#define TEXT_PLAIN "text/plain; charset=utf-8"
#define TEXT_SIZE "text/x.tlog.size"

enum status {
	STATUS_OK = 200,
	STATUS_BAD_REQUEST = 400,
	STATUS_FORBIDDEN = 403,
	STATUS_NOT_FOUND = 404,
	STATUS_CONFLICT = 409,
	STATUS_UNPROCESSABLE = 422,
};

void rs_witness_answer_finish(struct rs_witness_answer *answer)
{
	if (answer)
		rs_buffer_finish(&answer->body);
}

enum rs_code rs_witness_request(uint64_t old_size, const struct rs_digest *proof, size_t count,
                                struct rs_str checkpoint, struct rs_buffer *out, struct rs_error *err)
{
	char base64[RS_BASE64_SIZE(RS_SHA256_SIZE)];
	rs_buffer_printf(out, "old %" PRIu64 "\n", old_size);
	for (size_t i = 0; i < count; i++) {
		rs_base64_encode(rs_bytes_of(proof[i].bytes, RS_SHA256_SIZE), base64);
		rs_buffer_printf(out, "%s\n", base64);
	}
	rs_buffer_append_text(out, "\n");
	rs_buffer_append_str(out, checkpoint);
	return rs_buffer_check(out, "a request to a witness", err);
}

struct request {
	uint64_t old_size;
	struct rs_digest proof[PROOF_LINES_MAX];
	size_t proof_count;
	struct rs_str note, body, lines;
	struct rs_checkpoint checkpoint;
	struct rs_buffer own; /* the log's own signature lines */
	const struct rs_note_key *log;
};

/* The last checkpoint that this witness signed of the log; size 0 when it signed none. */
struct past {
	struct rs_buffer note;
	struct rs_checkpoint checkpoint;
};

static enum rs_code parse_proof_line(struct rs_str line, struct request *request, struct rs_error *err)
{
	uint8_t hash[RS_SHA256_SIZE + 4];
	size_t size = 0;
	if (request->proof_count == PROOF_LINES_MAX)
		return rs_error_set(err, RS_MALFORMED, "the proof has more than %d hashes", PROOF_LINES_MAX);
	if (line.size != RS_BASE64_SIZE(RS_SHA256_SIZE) - 1 || !rs_base64_decode(line, hash, &size) ||
	    size != RS_SHA256_SIZE)
		return rs_error_set(err, RS_MALFORMED, "line %zu is not a hash of 32 bytes in base64",
		                    request->proof_count + 2);
	memcpy(request->proof[request->proof_count++].bytes, hash, RS_SHA256_SIZE);
	return RS_OK;
}

static enum rs_code parse_request(struct rs_str text, struct request *request, struct rs_error *err)
{
	struct rs_str rest = text, line = {"", 0};
	if (text.size > RS_WITNESS_REQUEST_MAX)
		return rs_error_set(err, RS_MALFORMED, "the request is longer than %zu bytes",
		                    RS_WITNESS_REQUEST_MAX);
	if (!rs_str_split(&rest, '\n', &line) || !rs_str_starts_with(line, "old ") ||
	    !note_parse_decimal((struct rs_str){line.data + 4, line.size - 4}, &request->old_size))
		return rs_error_set(err, RS_MALFORMED, "line 1 is not 'old' and a size");
	while (rs_str_split(&rest, '\n', &line) && line.size)
		RS_TRY(parse_proof_line(line, request, err));
	if (!rest.data)
		return rs_error_set(err, RS_MALFORMED, "there is no checkpoint behind an empty line");
	request->note = rest;
	RS_TRY(note_split(rest, &request->body, &request->lines, err));
	return note_parse_body(request->body, true, &request->checkpoint, err);
}

struct looking {
	struct request *request;
	const struct rs_witness *witness;
};

/* Keeps the lines of keys that are trusted for this origin; one that does not hold spoils the note. */
static enum rs_code look_at(void *context, const struct signature *signature, struct rs_error *err)
{
	const struct looking *looking = context;
	struct request *request = looking->request;
	for (size_t i = 0; i < looking->witness->log_count; i++) {
		const struct rs_note_key *log = &looking->witness->logs[i];
		if (strcmp(log->name, request->checkpoint.origin) != 0 || !signature_is_by(signature, log))
			continue;
		if (!signature_holds(signature, request->body, log))
			return rs_error_set(err, RS_ALTERED,
			                    "the signature of the log %s does not fit its checkpoint",
			                    log->name);
		request->log = log;
		rs_buffer_append_str(&request->own, signature->line);
	}
	return rs_buffer_check(&request->own, "signatures", err);
}

static bool origin_is_known(const struct rs_witness *witness, const char *origin)
{
	for (size_t i = 0; i < witness->log_count; i++)
		if (strcmp(witness->logs[i].name, origin) == 0)
			return true;
	return false;
}

/* Who asks, and may it be answered? Returns the status, STATUS_OK to go on. */
static enum status admit(const struct rs_witness *witness, struct rs_str text, struct request *request,
                         struct rs_error *why)
{
	struct looking looking = {request, witness};
	if (parse_request(text, request, why) != RS_OK)
		return STATUS_BAD_REQUEST;
	if (!origin_is_known(witness, request->checkpoint.origin)) {
		rs_error_set(why, RS_NOT_FOUND, "the log %s is not one that this witness signs for",
		             request->checkpoint.origin);
		return STATUS_NOT_FOUND;
	}
	enum rs_code code = each_signature(request->lines, look_at, &looking, why);
	if (code == RS_MALFORMED)
		return STATUS_BAD_REQUEST;
	if (code == RS_OK && !request->log)
		code = rs_error_set(why, RS_ALTERED,
		                    "no key that is trusted for the log %s signed the checkpoint",
		                    request->checkpoint.origin);
	return code == RS_OK ? STATUS_OK : STATUS_FORBIDDEN;
}

/* What was remembered must still be what this witness signed. */
static enum rs_code recall(const struct rs_witness *witness, const char *origin, struct past *past,
                           struct rs_error *err)
{
	struct rs_str body, lines;
	struct rs_buffer own RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&past->note, RS_WITNESS_REQUEST_MAX);
	rs_buffer_init(&own, RS_WITNESS_REQUEST_MAX);
	enum rs_code code = witness->memory.recall(witness->memory.context, origin, &past->note, err);
	if (code == RS_NOT_FOUND) {
		past->checkpoint = (struct rs_checkpoint){.size = 0};
		rs_sha256(rs_bytes_of("", 0), &past->checkpoint.root);
		return RS_OK;
	}
	RS_TRY(code);
	if (note_split(rs_buffer_str(&past->note), &body, &lines, err) != RS_OK ||
	    note_parse_body(body, true, &past->checkpoint, err) != RS_OK ||
	    strcmp(past->checkpoint.origin, origin) != 0 ||
	    rs_cosignatures_pick(lines, rs_buffer_str(&past->note), &witness->key, &own, err) != RS_OK)
		return rs_error_set(
			err, RS_ALTERED,
			"what this witness remembers of %s is not what it signed; nothing of that "
			"log is signed until that is cleared up",
			origin);
	return RS_OK;
}

static enum status refuse_split(const struct request *request, struct rs_error *why)
{
	rs_error_set(why, RS_ALTERED,
	             "split view: the log %s signed two different trees of %" PRIu64
	             " entries; this one is not the one cosigned before",
	             request->checkpoint.origin, request->checkpoint.size);
	return STATUS_UNPROCESSABLE;
}

static enum status refuse_size(const struct request *request, const struct past *past, struct rs_error *why)
{
	if (request->checkpoint.size < past->checkpoint.size)
		rs_error_set(why, RS_ALTERED,
		             "rollback: the log %s shows %" PRIu64 " entries, %" PRIu64
		             " of it were cosigned before",
		             request->checkpoint.origin, request->checkpoint.size, past->checkpoint.size);
	else
		rs_error_set(why, RS_USAGE,
		             "the proof must start at %" PRIu64 " entries of the log %s, not at %" PRIu64,
		             past->checkpoint.size, request->checkpoint.origin, request->old_size);
	return STATUS_CONFLICT;
}

/* Whether the new checkpoint extends the one that was signed last. */
static enum status compare(const struct request *request, const struct past *past, struct rs_error *why)
{
	const struct rs_checkpoint *old = &past->checkpoint, *new = &request->checkpoint;
	struct rs_digest empty;
	if (request->old_size > new->size) {
		rs_error_set(why, RS_USAGE,
		             "the old size %" PRIu64 " is larger than the checkpoint's, %" PRIu64,
		             request->old_size, new->size);
		return STATUS_BAD_REQUEST;
	}
	if (request->old_size != old->size)
		return refuse_size(request, past, why);
	if (new->size == old->size && !rs_digest_equal(&new->root, &old->root) && new->size > 0)
		return refuse_split(request, why);
	rs_sha256(rs_bytes_of("", 0), &empty);
	bool consistent = new->size > 0 || rs_digest_equal(&new->root, &empty);
	if (!consistent || !rs_consistency_valid(old->size, &old->root, new->size, &new->root, request->proof,
	                                         request->proof_count)) {
		rs_error_set(why, RS_ALTERED,
		             "no proof that the %" PRIu64 " entries of the log %s extend the %" PRIu64
		             " cosigned before: a broken proof, or a split view",
		             new->size, new->origin, old->size);
		return STATUS_UNPROCESSABLE;
	}
	return STATUS_OK;
}

/* Two signed trees of one size convict the log, whatever else is wrong with the request. */
static enum rs_code accuse(const struct rs_witness *witness, const struct request *request,
                           const struct past *past, struct rs_error *err)
{
	if (request->checkpoint.size != past->checkpoint.size || past->note.size == 0 ||
	    rs_digest_equal(&request->checkpoint.root, &past->checkpoint.root) || !witness->memory.accuse)
		return RS_OK;
	return witness->memory.accuse(witness->memory.context, request->checkpoint.origin,
	                              rs_buffer_str(&past->note), request->note, err);
}

static enum rs_code cosign_and_remember(const struct rs_witness *witness, const struct request *request,
                                        uint64_t time_s, struct rs_buffer *answer, struct rs_error *err)
{
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&note, RS_WITNESS_REQUEST_MAX + RS_COSIGNATURE_LINE_MAX);
	RS_TRY(rs_cosign(request->note, &witness->key, witness->signing_key, time_s, answer, err));
	rs_buffer_append_str(&note, request->body);
	rs_buffer_append_text(&note, "\n");
	rs_buffer_append_bytes(&note, rs_buffer_bytes(&request->own));
	rs_buffer_append_bytes(&note, rs_buffer_bytes(answer));
	RS_TRY(rs_buffer_check(&note, "a cosigned checkpoint", err));
	return witness->memory.remember(witness->memory.context, request->checkpoint.origin,
	                                rs_buffer_str(&note), err);
}

static void write_refusal(enum status status, const struct past *past, struct rs_witness_answer *out)
{
	out->status = status;
	out->media = status == STATUS_CONFLICT ? TEXT_SIZE : TEXT_PLAIN;
	if (status == STATUS_CONFLICT)
		rs_buffer_printf(&out->body, "%" PRIu64 "\n", past->checkpoint.size);
	else
		rs_buffer_printf(&out->body, "%s\n", out->refusal.message);
}

static enum rs_code answer(const struct rs_witness *witness, struct rs_str text, uint64_t time_s,
                           struct request *request, struct past *past, struct rs_witness_answer *out,
                           struct rs_error *err)
{
	enum status status = admit(witness, text, request, &out->refusal);
	if (status == STATUS_OK) {
		RS_TRY(recall(witness, request->checkpoint.origin, past, err));
		RS_TRY(accuse(witness, request, past, err));
		status = compare(request, past, &out->refusal);
	}
	if (status != STATUS_OK) {
		write_refusal(status, past, out);
		return rs_buffer_check(&out->body, "an answer", err);
	}
	out->status = STATUS_OK;
	out->media = TEXT_PLAIN;
	return cosign_and_remember(witness, request, time_s, &out->body, err);
}

enum rs_code rs_witness_add_checkpoint(const struct rs_witness *witness, struct rs_str request,
                                       uint64_t time_s, struct rs_witness_answer *out, struct rs_error *err)
{
	struct request parsed = {.old_size = 0};
	struct past past = {.note = {0}};
	struct rs_witness_answer answered = {.status = 0};
	rs_buffer_init(&parsed.own, RS_WITNESS_REQUEST_MAX);
	rs_buffer_init(&answered.body, RS_WITNESS_REQUEST_MAX);
	enum rs_code code = answer(witness, request, time_s, &parsed, &past, &answered, err);
	rs_buffer_finish(&parsed.own);
	rs_buffer_finish(&past.note);
	if (code == RS_OK)
		*out = answered;
	else
		rs_witness_answer_finish(&answered);
	return code;
}
