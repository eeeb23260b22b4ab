/* The ledger: transactions that the contract admits (contract/contract.h), a log that proves them, receipts. */
#ifndef RS_LEDGER_H
#define RS_LEDGER_H

#include "contract/contract.h"
#include "ledger/ledger_log.h"
#include "ledger/ledger_witness.h"

/* The embedded engine: one SQLite file; group commit; durable before the answer. One thread at a time. */
struct rs_ledger;
struct rs_ledger_options {
	const char *origin;               /* the log's name */
	const struct rs_signing_key *key; /* of the log; NULL to read only: `public_key` then */
	const uint8_t *public_key;
	struct rs_pool *pool; /* verifies signatures; may be NULL */
};
/* Makes the file when missing and `key` is given. The tree is recomputed from its stored nodes and must have the last
 * signed checkpoint's size and root, else RS_ALTERED (a rollback, or a change behind the ledger's back). */
enum rs_code rs_ledger_open(const struct rs_world *world, const char *path,
                            const struct rs_ledger_options *options, struct rs_ledger **out,
                            struct rs_error *err);
void rs_ledger_close(struct rs_ledger *ledger); /* accepts NULL */
/* Takes over what other processes appended since this one read last. errors  RS_ALTERED: as of opening, or
 * the ledger does not go on from what was known here, which stays in force then */
enum rs_code rs_ledger_refresh(struct rs_ledger *ledger, struct rs_error *err);
/* The same, and what is read stays of that moment, log, state and map, until something is appended here or the store is rolled
 * back. */
enum rs_code rs_ledger_pin(struct rs_ledger *ledger, struct rs_error *err);
struct rs_store;
struct rs_store *rs_ledger_store(struct rs_ledger *ledger); /* its file, for backups */

struct rs_append_result {
	enum rs_refusal refusal; /* RS_REFUSAL_NONE: it is in the log, durable, at `index` */
	uint64_t index;
};
/* Verifies, applies the contract one after another, appends what it admits, signs one checkpoint, commits once. A
 * transaction that is already in the log answers with its index. A refused one does not stop the others. */
enum rs_code rs_ledger_append(struct rs_ledger *ledger, const struct rs_transaction *transactions,
                              size_t count, struct rs_append_result *results, struct rs_error *err);
uint64_t rs_ledger_size(const struct rs_ledger *ledger);
/* The bytes are valid until the next call on the ledger. RS_NOT_FOUND past the end. */
enum rs_code rs_ledger_entry(struct rs_ledger *ledger, uint64_t index, struct rs_bytes *out,
                             struct rs_error *err);
/* RS_NOT_FOUND (no sentence) when no transaction has this id. */
enum rs_code rs_ledger_find(struct rs_ledger *ledger, const uint8_t id[static RS_TRANSACTION_ID_SIZE],
                            uint64_t *out_index, struct rs_error *err);
/* What the contract knows now, to read; valid until the next append. */
struct rs_state rs_ledger_state(struct rs_ledger *ledger);
/* The last signed checkpoint; valid until the next append. */
struct rs_str rs_ledger_checkpoint(const struct rs_ledger *ledger);
enum rs_code rs_ledger_prove(struct rs_ledger *ledger, uint64_t index, struct rs_digest *path,
                             size_t *out_count, struct rs_error *err);
enum rs_code rs_ledger_prove_consistency(struct rs_ledger *ledger, uint64_t old_size, struct rs_digest *proof,
                                         size_t *out_count, struct rs_error *err);
typedef enum rs_code rs_checkpoint_visit(void *context, struct rs_str note, struct rs_error *err);
enum rs_code rs_ledger_each_checkpoint(struct rs_ledger *ledger, rs_checkpoint_visit *visit, void *context,
                                       struct rs_error *err);
typedef void rs_ledger_fault(void *context, const char *sentence);
/* Every entry's signature, every tree node, every checkpoint, and the contract replayed over all of it against the
 * stored state. RS_ALTERED when `fault` was called. */
enum rs_code rs_ledger_check(struct rs_ledger *ledger, rs_ledger_fault *fault, void *context,
                             struct rs_error *err);

/* What is committed to: {1: version, 2: kind, 3: SHA-256, 4: size, 5: media, 6: CID, 7: {identifiers}}. The identifiers'
 * keys: 1 SOPInstanceUID, 2 SeriesInstanceUID, 3 StudyInstanceUID, 4 SOPClassUID, 5 TransferSyntaxUID. What came over a
 * network has 8: {1: over which, and from whom, 2: what the device signed (envelope/envelope.h), or SHA-256 (32 bytes) of a
 * device's manifest that lists it; absent: an unsigned source}. */
#define RS_SOURCE_MAX 100 /* bytes of text */
#define RS_RECORD_ENVELOPE_MAX ((size_t)4096)
#define RS_IDENTIFIERS 5
struct rs_record {
	enum rs_object_kind kind;
	struct rs_digest sha256;
	uint64_t size;
	struct rs_str media;
	struct rs_bytes cid;                       /* 36 bytes */
	struct rs_str identifiers[RS_IDENTIFIERS]; /* empty ones are left out */
	struct rs_str source;                      /* empty: none */
	struct rs_bytes envelope;                  /* only with a source; empty: unsigned */
};
enum rs_code rs_record_encode(const struct rs_record *record, struct rs_buffer *out, struct rs_error *err);
enum rs_code rs_record_decode(struct rs_bytes encoded, struct rs_record *out,
                              struct rs_error *err); /* borrows */
/* HMAC-SHA-256(k_record, encoded record). */
void rs_record_commit(const struct rs_secret *key, struct rs_bytes encoded, struct rs_digest *out);

/* A receipt: a .tlog-proof whose extra data open one instance's commitment:
 * {1: version, 2: entry, 3: instance, 4: instances, 5: [path], 6: k_record, 7: record}. */
struct rs_receipt {
	struct rs_bytes entry;
	uint64_t instance, instances;
	struct rs_digest instance_path[RS_PROOF_HASHES_MAX];
	size_t instance_path_count;
	struct rs_secret key;
	struct rs_bytes record;
};
enum rs_code rs_receipt_format(const struct rs_receipt *receipt, uint64_t index, const struct rs_digest *path,
                               size_t path_count, struct rs_str checkpoint, struct rs_buffer *out,
                               struct rs_error *err);
struct rs_receipt_facts {
	char origin[RS_NOTE_NAME_MAX + 1];
	char media[64];
	uint64_t time_ms, index, tree_size, instance, instances;
	size_t cosigned; /* by so many of the given witnesses */
	enum rs_object_kind kind;
	struct rs_member_key signer;
	struct rs_digest sha256; /* of the content it was made for */
	uint64_t size;
	char source[RS_SOURCE_MAX + 1]; /* empty: none */
	size_t envelope_size;           /* 0: unsigned */
	uint8_t envelope[RS_RECORD_ENVELOPE_MAX];
};
/* Everything but the file itself: signature of the checkpoint, place of the entry, signature of the entry, place of the
 * instance, commitment to the record. */
enum rs_code rs_receipt_check(struct rs_str text, const struct rs_note_key *key, struct rs_receipt_facts *out,
                              struct rs_error *err);
/* And that content of this hash and size is what it was made for. */
enum rs_code rs_receipt_match(struct rs_str text, const struct rs_note_key *key,
                              const struct rs_digest *sha256, uint64_t size, struct rs_receipt_facts *out,
                              struct rs_error *err);
/* The same, believing the log and a quorum of witnesses. */
enum rs_code rs_receipt_match_trusted(struct rs_str text, const struct rs_trust *trust,
                                      const struct rs_digest *sha256, uint64_t size,
                                      struct rs_receipt_facts *out, struct rs_error *err);

#endif
