/* The ledger: signed transactions, a contract that admits or refuses them, a log that proves them, receipts.
 *
 * A transaction is a COSE_Sign1 (RFC 9052, tag 18; EdDSA; kid = the caller's Ed25519 key; external_aad
 * "radseal transaction v1") over deterministic CBOR {1: version, 2: type, 3: id, 4: time, 5: body}. These bytes are
 * the log's entry. No entry holds personal data: objects and subjects stand in it as commitments. */
#ifndef RS_LEDGER_H
#define RS_LEDGER_H

#include "identity/identity.h"
#include "ledger/ledger_log.h"

#define RS_TRANSACTION_ID_SIZE 16
#define RS_ENTRY_SIZE_MAX 65535 /* C2SP tlog-tiles */
#define RS_PARENTS_MAX 64

#define RS_TRANSACTION_TYPES(X)                    \
	X(ORGANISATION_ADD, 1, "organisation-add") \
	X(MEMBER_GRANT, 2, "member-grant")         \
	X(MEMBER_REVOKE, 3, "member-revoke")       \
	X(DEVICE_ENROL, 4, "device-enrol")         \
	X(DEVICE_REVOKE, 5, "device-revoke")       \
	X(OBJECT_REGISTER, 6, "object-register")

enum rs_transaction_type {
#define RS_TYPE_MEMBER(member, number, name) RS_TRANSACTION_##member = number,
	RS_TRANSACTION_TYPES(RS_TYPE_MEMBER)
#undef RS_TYPE_MEMBER
};
const char *rs_transaction_type_name(enum rs_transaction_type type);

enum rs_object_kind {
	RS_OBJECT_IMAGE = 1,
	RS_OBJECT_MASK,
	RS_OBJECT_FEATURES,
	RS_OBJECT_MODEL,
	RS_OBJECT_PREDICTION,
	RS_OBJECT_REPORT
};

/* What a transaction says. Fields that its type does not use are zero; views borrow. */
struct rs_act {
	enum rs_transaction_type type;
	uint8_t id[RS_TRANSACTION_ID_SIZE]; /* a retry with the same id and content is the same transaction */
	uint64_t time_ms;
	struct rs_member_key signer;
	struct rs_str organisation;  /* all types but MEMBER_REVOKE and DEVICE_REVOKE */
	struct rs_member_key member; /* whom it is about; the first administrator of ORGANISATION_ADD */
	enum rs_role role;           /* MEMBER_GRANT */
	uint64_t from_ms, until_ms;  /* MEMBER_GRANT; until 0: open */
	enum rs_object_kind kind;    /* OBJECT_REGISTER and below */
	struct rs_digest commitment;
	uint64_t instances; /* >= 1 */
	bool has_previous;  /* the object is a new version of `previous` */
	struct rs_digest previous;
	struct rs_bytes parents; /* commitments it was made from, RS_SHA256_SIZE bytes each */
};

/* An entry's bytes; `checked`: signed in this process or verified. */
struct rs_transaction {
	struct rs_buffer entry;
	bool checked;
};
void rs_transaction_finish(struct rs_transaction *transaction); /* accepts zeroed memory */
/* act->signer is set from the key. */
enum rs_code rs_transaction_sign(const struct rs_act *act, const struct rs_signing_key *key,
                                 struct rs_transaction *out, struct rs_error *err);
/* Parses strictly; does not verify the signature. */
enum rs_code rs_transaction_parse(struct rs_bytes entry, struct rs_act *out, struct rs_error *err);
enum rs_code rs_transaction_verify(struct rs_bytes entry, struct rs_act *out,
                                   struct rs_error *err); /* RS_ALTERED */

/* The contract: pure. It sees the state through `get` (RS_NOT_FOUND without a sentence when there is no such key;
 * the view is valid until the next call) and answers with writes or a refusal. */
struct rs_state {
	enum rs_code (*get)(void *context, struct rs_bytes key, struct rs_bytes *out, struct rs_error *err);
	enum rs_code (*put)(void *context, struct rs_bytes key, struct rs_bytes value, struct rs_error *err);
	void *context;
};
#define RS_REFUSALS(X)                                                                                  \
	X(NONE, "admitted")                                                                             \
	X(NOT_FOUNDED,                                                                                  \
	  "the ledger is empty; its first transaction must add an organisation and name the signer as " \
	  "its administrator")                                                                          \
	X(UNKNOWN_SIGNER, "the signer is no member and no device")                                      \
	X(REVOKED, "the signer was revoked")                                                            \
	X(OUT_OF_PERIOD, "the signer's role does not cover the transaction's time")                     \
	X(ROLE, "the signer's role does not allow this")                                                \
	X(SCOPE, "the signer belongs to another organisation")                                          \
	X(UNKNOWN_ORGANISATION, "there is no such organisation")                                        \
	X(ALREADY_THERE, "it is already there")                                                         \
	X(NOT_THERE, "what it is about is not there")                                                   \
	X(ID_TAKEN, "another transaction has this id")
enum rs_refusal {
#define RS_REFUSAL_MEMBER(name, text) RS_REFUSAL_##name,
	RS_REFUSALS(RS_REFUSAL_MEMBER)
#undef RS_REFUSAL_MEMBER
};
const char *rs_refusal_name(enum rs_refusal refusal);
const char *rs_refusal_text(enum rs_refusal refusal);
enum rs_code rs_contract_apply(const struct rs_state *state, const struct rs_act *act, enum rs_refusal *out,
                               struct rs_error *err);

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
 * keys: 1 SOPInstanceUID, 2 SeriesInstanceUID, 3 StudyInstanceUID, 4 SOPClassUID, 5 TransferSyntaxUID. */
#define RS_IDENTIFIERS 5
struct rs_record {
	enum rs_object_kind kind;
	struct rs_digest sha256;
	uint64_t size;
	struct rs_str media;
	struct rs_bytes cid;                       /* 36 bytes */
	struct rs_str identifiers[RS_IDENTIFIERS]; /* empty ones are left out */
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
	enum rs_object_kind kind;
	struct rs_member_key signer;
	struct rs_digest sha256; /* of the content it was made for */
	uint64_t size;
};
/* Everything but the file itself: signature of the checkpoint, place of the entry, signature of the entry, place of the
 * instance, commitment to the record. */
enum rs_code rs_receipt_check(struct rs_str text, const struct rs_note_key *key, struct rs_receipt_facts *out,
                              struct rs_error *err);
/* And that content of this hash and size is what it was made for. */
enum rs_code rs_receipt_match(struct rs_str text, const struct rs_note_key *key,
                              const struct rs_digest *sha256, uint64_t size, struct rs_receipt_facts *out,
                              struct rs_error *err);
enum rs_code rs_receipt_verify(struct rs_str text, const struct rs_note_key *key, struct rs_bytes content,
                               struct rs_receipt_facts *out, struct rs_error *err);

#endif
