/* The node as a witness, and its own checkpoints before witnesses. */
#include <inttypes.h>
#include <string.h>

#include "ledger/ledger_history.h"
#include "node/node_parts.h"
#include "workflow/workflow_witness.h"

#define COSIGNED_PATH "keys/cosigned-checkpoint"
#define NOTE_SIZE_MAX RS_WITNESS_REQUEST_MAX

/* A key of its own (C2SP tlog-cosignature wants that), made from the log's: it needs no keeping and no backup. */
static enum rs_code witness_key(struct rs_node *node, struct rs_signing_key *key, struct rs_note_key *name,
                                struct rs_error *err)
{
	static const char info[] = "radseal witness key v1";
	struct rs_secret seed RS_CLEANUP(rs_secret_finish) = {0};
	const struct rs_signing_key *log = rs_keyring_log_key(node->keyring);
	rs_hkdf_sha256(rs_bytes_of(log->seed.bytes, RS_KEY_SIZE), rs_bytes_of("", 0),
	               rs_bytes_of(info, strlen(info)), seed.bytes, RS_KEY_SIZE);
	rs_signing_key_from_seed(&seed, key);
	char *text RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/witness", node->config.origin);
	if (!text)
		return rs_error_memory(err, RS_NOTE_NAME_MAX, "a name");
	return rs_witness_key_init(name, text, key->public_key, err);
}

enum rs_code rs_node_witness_vkey(struct rs_node *node, char out[static RS_VKEY_SIZE], struct rs_error *err)
{
	struct rs_signing_key key;
	struct rs_note_key name;
	RS_TRY(witness_key(node, &key, &name, err));
	rs_signing_key_finish(&key);
	rs_note_key_format(&name, out);
	return RS_OK;
}

struct rs_witnessing {
	struct rs_node *node;
	struct rs_signing_key key;
	struct rs_witness witness;
	struct rs_file *lock;
	char *directory;
};

/* witness/<SHA-256 of the origin><suffix>: a name of a log is no name of a file. */
static char *memory_path(const struct rs_witnessing *witnessing, const char *origin, const char *suffix)
{
	struct rs_digest digest;
	char name[2 * RS_SHA256_SIZE + 1];
	rs_sha256(rs_bytes_of(origin, strlen(origin)), &digest);
	rs_hex_encode(rs_bytes_of(digest.bytes, RS_SHA256_SIZE), name);
	return rs_text_printf("%s/%s%s", witnessing->directory, name, suffix);
}

static enum rs_code recall(void *context, const char *origin, struct rs_buffer *out, struct rs_error *err)
{
	const struct rs_witnessing *witnessing = context;
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = memory_path(witnessing, origin, ".checkpoint");
	if (!path)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_file_read_all(witnessing->node->world, path, NOTE_SIZE_MAX, &note, err));
	rs_buffer_append_bytes(out, rs_buffer_bytes(&note));
	return rs_buffer_check(out, "a checkpoint", err);
}

static enum rs_code remember(void *context, const char *origin, struct rs_str note, struct rs_error *err)
{
	const struct rs_witnessing *witnessing = context;
	char *path RS_CLEANUP(rs_free_pointer) = memory_path(witnessing, origin, ".checkpoint");
	return path ? rs_file_replace(witnessing->node->world, path, rs_bytes_of_str(note), 0644, err)
	            : rs_error_memory(err, 1, "a path");
}

/* The first proof of a fork is kept; later ones say nothing more. */
static enum rs_code accuse(void *context, const char *origin, struct rs_str first, struct rs_str second,
                           struct rs_error *err)
{
	const struct rs_witnessing *witnessing = context;
	struct rs_buffer both RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = memory_path(witnessing, origin, ".split-view");
	if (!path)
		return rs_error_memory(err, 1, "a path");
	if (rs_path_exists(witnessing->node->world, path))
		return RS_OK;
	rs_buffer_init(&both, 2 * NOTE_SIZE_MAX + 16);
	rs_buffer_append_str(&both, first);
	rs_buffer_append_text(&both, "\n");
	rs_buffer_append_str(&both, second);
	RS_TRY(rs_buffer_check(&both, "two checkpoints", err));
	return rs_file_replace(witnessing->node->world, path, rs_buffer_bytes(&both), 0644, err);
}

void rs_witnessing_close(struct rs_witnessing *witnessing)
{
	if (!witnessing)
		return;
	rs_signing_key_finish(&witnessing->key);
	rs_file_close(witnessing->lock);
	rs_free(witnessing->directory);
	rs_free(witnessing);
}

static enum rs_code take_lock(struct rs_witnessing *witnessing, struct rs_error *err)
{
	const struct rs_world *world = witnessing->node->world;
	RS_TRY(rs_directory_make(world, witnessing->directory, err));
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(witnessing->directory, "lock");
	if (!path)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_file_open(world, path, RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE, &witnessing->lock,
	                    err));
	return witnessing->lock->files->lock(witnessing->lock, true, err);
}

enum rs_code rs_witnessing_open(struct rs_node *node, const struct rs_note_key *logs, size_t log_count,
                                struct rs_witnessing **out, struct rs_error *err)
{
	struct rs_witnessing *witnessing = rs_allocate(sizeof *witnessing);
	if (!witnessing)
		return rs_error_memory(err, sizeof *witnessing, "a witness");
	witnessing->node = node;
	witnessing->witness = (struct rs_witness){
		.logs = logs,
		.log_count = log_count,
		.signing_key = &witnessing->key,
		.memory = {recall, remember, accuse, witnessing},
	};
	enum rs_code code = node_path(node, "witness", &witnessing->directory, err);
	if (code == RS_OK)
		code = witness_key(node, &witnessing->key, &witnessing->witness.key, err);
	if (code == RS_OK)
		code = take_lock(witnessing, err);
	if (code != RS_OK) {
		rs_witnessing_close(witnessing);
		return code;
	}
	*out = witnessing;
	return RS_OK;
}

enum rs_code rs_witnessing_answer(struct rs_witnessing *witnessing, struct rs_str request,
                                  struct rs_witness_answer *out, struct rs_error *err)
{
	uint64_t time_s = rs_world_now_ms(witnessing->node->world) / 1000;
	return rs_witness_add_checkpoint(&witnessing->witness, request, time_s, out, err);
}

/* One exchange, from the size that the witness is thought to know. */
struct asking {
	struct rs_node *node;
	rs_witness_post *post;
	void *context;
	unsigned status;
	struct rs_buffer body;
};

static enum rs_code ask_from(struct asking *asking, uint64_t old_size, struct rs_error *err)
{
	struct rs_ledger *ledger = asking->node->ledger;
	struct rs_buffer request RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest proof[RS_PROOF_HASHES_MAX];
	size_t count;
	RS_TRY(rs_ledger_prove_consistency(ledger, old_size, proof, &count, err));
	rs_buffer_init(&request, NOTE_SIZE_MAX);
	RS_TRY(rs_witness_request(old_size, proof, count, rs_ledger_checkpoint(ledger), &request, err));
	rs_buffer_clear(&asking->body);
	return asking->post(asking->context, rs_buffer_bytes(&request), &asking->status, &asking->body, err);
}

/* 409 with the size that the witness knows: never more than there is, in an honest log. */
static enum rs_code read_conflict(const struct asking *asking, uint64_t *out_size, struct rs_error *err)
{
	uint64_t own = rs_ledger_size(asking->node->ledger);
	if (!rs_parse_u64(rs_str_trim(rs_buffer_str(&asking->body)), out_size))
		return rs_error_set(err, RS_MALFORMED, "the witness does not tell which size it knows");
	if (*out_size > own)
		return rs_error_set(err, RS_ALTERED,
		                    "rollback: the witness cosigned %" PRIu64
		                    " entries of this log, which has only %" PRIu64 " now",
		                    *out_size, own);
	return RS_OK;
}

static enum rs_code judge_status(const struct asking *asking, struct rs_error *err)
{
	struct rs_str said = rs_str_trim(rs_buffer_str(&asking->body));
	if (said.size > 300)
		said.size = 300;
	if (asking->status == 200)
		return RS_OK;
	return rs_error_set(err, asking->status == 422 ? RS_ALTERED : RS_REFUSED,
	                    "the witness refuses with status %u: " RS_STR_FORMAT, asking->status,
	                    RS_STR_ARGUMENTS(said));
}

static enum rs_code pick_lines(const struct asking *asking, const struct rs_note_key *witnesses, size_t count,
                               struct rs_buffer *out, struct rs_error *err)
{
	bool found = false;
	for (size_t i = 0; i < count; i++) {
		enum rs_code code = rs_cosignatures_pick(rs_buffer_str(&asking->body),
		                                         rs_ledger_checkpoint(asking->node->ledger),
		                                         &witnesses[i], out, err);
		if (code != RS_OK && code != RS_NOT_FOUND)
			return code;
		found = found || code == RS_OK;
	}
	return found ? RS_OK
	             : rs_error_set(err, RS_NOT_FOUND,
	                            "its answer has no cosignature of a witness whose key was given");
}

enum rs_code rs_node_ask_witness(struct rs_node *node, const struct rs_note_key *witnesses, size_t count,
                                 rs_witness_post *post, void *context, struct rs_buffer *out_lines,
                                 struct rs_error *err)
{
	struct asking asking = {.node = node, .post = post, .context = context};
	uint64_t known = 0;
	rs_buffer_init(&asking.body, RS_WITNESS_REQUEST_MAX);
	/* From nothing: a witness that knows the log answers with the size that it knows. */
	enum rs_code code = ask_from(&asking, 0, err);
	if (code == RS_OK && asking.status == 409) {
		code = read_conflict(&asking, &known, err);
		if (code == RS_OK)
			code = ask_from(&asking, known, err);
	}
	if (code == RS_OK)
		code = judge_status(&asking, err);
	if (code == RS_OK)
		code = pick_lines(&asking, witnesses, count, out_lines, err);
	rs_buffer_finish(&asking.body);
	return code;
}

enum rs_code rs_node_keep_cosignatures(struct rs_node *node, struct rs_str lines, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(node_path(node, COSIGNED_PATH, &path, err));
	rs_buffer_init(&note, NOTE_SIZE_MAX);
	rs_buffer_append_str(&note, rs_ledger_checkpoint(node->ledger));
	rs_buffer_append_str(&note, lines);
	RS_TRY(rs_buffer_check(&note, "a cosigned checkpoint", err));
	return rs_file_replace(node->world, path, rs_buffer_bytes(&note), 0644, err);
}

enum rs_code rs_node_cosigned_checkpoint(struct rs_node *node, struct rs_buffer *out, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(node_path(node, COSIGNED_PATH, &path, err));
	if (!rs_path_exists(node->world, path))
		return rs_error_set(err, RS_NOT_FOUND,
		                    "no checkpoint was cosigned yet; ask a witness: radseal witness cosign");
	RS_TRY(rs_file_read_all(node->world, path, NOTE_SIZE_MAX, &note, err));
	rs_buffer_append_bytes(out, rs_buffer_bytes(&note));
	return rs_buffer_check(out, "a cosigned checkpoint", err);
}

enum rs_code rs_node_cosigned_receipt(struct rs_node *node, struct rs_str receipt, struct rs_buffer *out,
                                      struct rs_error *err)
{
	struct rs_tlog_proof proof RS_CLEANUP(rs_tlog_proof_finish) = {.index = 0};
	struct rs_buffer note RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_trust trust = {.witness_count = 0};
	struct rs_checkpoint checkpoint;
	struct rs_receipt_facts facts;
	size_t cosigned;
	rs_buffer_init(&note, NOTE_SIZE_MAX);
	RS_TRY(rs_note_key_parse(rs_str_from(node->vkey), &trust.log, err));
	RS_TRY(rs_receipt_check(receipt, &trust.log, &facts, err));
	RS_TRY(rs_node_cosigned_checkpoint(node, &note, err));
	RS_TRY(rs_checkpoint_open(rs_buffer_str(&note), &trust, &checkpoint, &cosigned, err));
	if (facts.index >= checkpoint.size)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "entry %" PRIu64 " is newer than the cosigned checkpoint of %" PRIu64
		                    " entries; ask the witnesses anew: radseal witness cosign",
		                    facts.index, checkpoint.size);
	RS_TRY(rs_tlog_proof_parse(receipt, &proof, err));
	RS_TRY(rs_ledger_prove_at(node->ledger, proof.index, checkpoint.size, proof.path, &proof.path_count,
	                          err));
	return rs_tlog_proof_format(rs_buffer_bytes(&proof.extra), proof.index, proof.path, proof.path_count,
	                            rs_buffer_str(&note), out, err);
}
