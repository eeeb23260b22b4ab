/* Witnesses: others who sign a log's checkpoint too (C2SP tlog-cosignature, Ed25519), after they saw that it extends the
 * last one they signed (C2SP tlog-witness). What is cosigned was shown to everybody, and cannot be rolled back unnoticed. */
#ifndef RS_LEDGER_WITNESS_H
#define RS_LEDGER_WITNESS_H

#include "ledger/ledger_log.h"

#define RS_WITNESSES_MAX 64
#define RS_COSIGNATURES_MAX 128 /* signature lines of one checkpoint that are read; C2SP wants 16 at least */
#define RS_COSIGNATURE_LINE_MAX 512 /* bytes of a line that is made here */
#define RS_WITNESS_REQUEST_MAX ((size_t)64 * 1024)

/* A witness's verifier key: as rs_note_key_init() and rs_note_key_parse(), of type 0x04. */
enum rs_code rs_witness_key_init(struct rs_note_key *out, const char *name,
                                 const uint8_t public_key[static RS_KEY_SIZE], struct rs_error *err);
enum rs_code rs_witness_key_parse(struct rs_str vkey, struct rs_note_key *out, struct rs_error *err);

/* Appends the line of `witness` (whose key is `key`) below a checkpoint. time_s: since 1970-01-01 UTC. */
enum rs_code rs_cosign(struct rs_str checkpoint, const struct rs_note_key *witness,
                       const struct rs_signing_key *key, uint64_t time_s, struct rs_buffer *out,
                       struct rs_error *err);
/* Appends those lines of `lines` that are by the witness and hold for the checkpoint; RS_NOT_FOUND when none is. */
enum rs_code rs_cosignatures_pick(struct rs_str lines, struct rs_str checkpoint,
                                  const struct rs_note_key *witness, struct rs_buffer *out,
                                  struct rs_error *err);

/* Whom a verifier believes: the log, and so many of these witnesses. */
struct rs_trust {
	struct rs_note_key log;
	const struct rs_note_key *witnesses; /* each key once */
	size_t witness_count, quorum;
};
/* A checkpoint with any number of signature lines: signed by the log, whose name must be the origin, and cosigned by the
 * quorum. A line of a key in `trust` must hold and stand there once; lines of others are passed over.
 * errors  RS_ALTERED, RS_MALFORMED as rs_checkpoint_verify() */
enum rs_code rs_checkpoint_open(struct rs_str note, const struct rs_trust *trust, struct rs_checkpoint *out,
                                size_t *out_cosigned, struct rs_error *err);

/* The body of add-checkpoint: "old" size, consistency proof, empty line, checkpoint. */
enum rs_code rs_witness_request(uint64_t old_size, const struct rs_digest *proof, size_t count,
                                struct rs_str checkpoint, struct rs_buffer *out, struct rs_error *err);

/* What a witness must not forget, by log. */
struct rs_witness_memory {
	/* Appends the checkpoint it cosigned last, with both signatures; RS_NOT_FOUND (no sentence) when there is none. */
	enum rs_code (*recall)(void *context, const char *origin, struct rs_buffer *out,
	                       struct rs_error *err);
	enum rs_code (*remember)(void *context, const char *origin, struct rs_str note,
	                         struct rs_error *err); /* durable when it returns */
	/* Two checkpoints of one size with different roots, both signed by the log: nobody can deny them. May be NULL. */
	enum rs_code (*accuse)(void *context, const char *origin, struct rs_str first, struct rs_str second,
	                       struct rs_error *err);
	void *context;
};
struct rs_witness {
	const struct rs_note_key *logs; /* whose checkpoints it signs */
	size_t log_count;
	struct rs_note_key key;
	const struct rs_signing_key *signing_key;
	struct rs_witness_memory memory;
};
struct rs_witness_answer {
	unsigned status; /* of HTTP */
	const char *media;
	struct rs_buffer body;
	struct rs_error
		refusal; /* code RS_OK: it cosigned. Else why not, rollbacks and split views by name */
};
void rs_witness_answer_finish(struct rs_witness_answer *answer); /* accepts zeroed memory */
/* Answers one add-checkpoint. Requests of one witness come one after another: what is recalled must be what was
 * remembered last. Fails only when the memory does; then nothing was cosigned. */
enum rs_code rs_witness_add_checkpoint(const struct rs_witness *witness, struct rs_str request,
                                       uint64_t time_s, struct rs_witness_answer *out, struct rs_error *err);

#endif
