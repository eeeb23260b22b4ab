/* The log's mathematics and its text forms: RFC 6962 trees, C2SP signed notes and checkpoints, .tlog-proof files. */
#ifndef RS_LEDGER_LOG_H
#define RS_LEDGER_LOG_H

#include "base/base.h"
#include "crypto/crypto.h"

#define RS_PROOF_HASHES_MAX 64

/* RFC 6962 §2.1: leaf = SHA-256(0x00 ‖ data), node = SHA-256(0x01 ‖ left ‖ right). */
void rs_leaf_hash(struct rs_bytes data, struct rs_digest *out);
void rs_node_hash(const struct rs_digest *left, const struct rs_digest *right, struct rs_digest *out);

/* Reads the hash of the complete subtree `index` of `level` (level 0: leaf hashes). */
typedef enum rs_code rs_tree_read(void *context, unsigned level, uint64_t index, struct rs_digest *out,
                                  struct rs_error *err);
/* Root of the first `size` leaves; SHA-256 of nothing for 0. */
enum rs_code rs_tree_root(rs_tree_read *read, void *context, uint64_t size, struct rs_digest *out,
                          struct rs_error *err);
/* Path of leaf `index` in the tree of `size` leaves, from the leaf's sibling up. out holds RS_PROOF_HASHES_MAX. */
enum rs_code rs_tree_inclusion(rs_tree_read *read, void *context, uint64_t index, uint64_t size,
                               struct rs_digest *out, size_t *out_count, struct rs_error *err);
enum rs_code rs_tree_consistency(rs_tree_read *read, void *context, uint64_t old_size, uint64_t new_size,
                                 struct rs_digest *out, size_t *out_count, struct rs_error *err);
/* RFC 9162 §2.1.3.2 and §2.1.4.2. */
bool rs_inclusion_valid(const struct rs_digest *leaf, uint64_t index, uint64_t size,
                        const struct rs_digest *path, size_t count, const struct rs_digest *root);
/* The root that a path leads to, for proofs that leave it out; false when the path is of no such tree. */
bool rs_inclusion_root(const struct rs_digest *leaf, uint64_t index, uint64_t size,
                       const struct rs_digest *path, size_t count, struct rs_digest *out);
bool rs_consistency_valid(uint64_t old_size, const struct rs_digest *old_root, uint64_t new_size,
                          const struct rs_digest *new_root, const struct rs_digest *proof, size_t count);
/* Over leaf hashes in memory: for trees of a series' instances. */
struct rs_leaves {
	const struct rs_digest *hashes;
	size_t count;
};
enum rs_code rs_leaves_read(void *leaves, unsigned level, uint64_t index, struct rs_digest *out,
                            struct rs_error *err);

/* C2SP signed-note: a verifier key "name+hash+base64(0x01 ‖ Ed25519 key)". */
#define RS_NOTE_NAME_MAX 200
#define RS_VKEY_SIZE 320
/* Signature types of C2SP signed-note. */
enum rs_note_algorithm { RS_NOTE_ED25519 = 0x01, RS_NOTE_COSIGNATURE = 0x04 };
struct rs_note_key {
	enum rs_note_algorithm algorithm;
	char name[RS_NOTE_NAME_MAX + 1];
	uint8_t public_key[RS_KEY_SIZE];
	uint8_t id[4]; /* SHA-256(name ‖ 0x0A ‖ algorithm ‖ key)[:4] */
};
/* A name holds no white space and no plus, and is not empty. */
enum rs_code rs_note_key_init(struct rs_note_key *out, const char *name,
                              const uint8_t public_key[static RS_KEY_SIZE], struct rs_error *err);
enum rs_code rs_note_key_parse(struct rs_str vkey, struct rs_note_key *out, struct rs_error *err);
void rs_note_key_format(const struct rs_note_key *key, char out[static RS_VKEY_SIZE]);

/* Any text of whole lines without an empty one, whose first line is no origin (holds a space), signed by one key. */
enum rs_code rs_note_sign(struct rs_str text, const char *name, const struct rs_signing_key *key,
                          struct rs_buffer *out, struct rs_error *err);
/* *out_text borrows. errors  RS_ALTERED, RS_MALFORMED */
enum rs_code rs_note_open(struct rs_str note, const struct rs_note_key *key, struct rs_str *out_text,
                          struct rs_error *err);

/* C2SP tlog-checkpoint: origin, size, root, as a note signed by the log. */
struct rs_checkpoint {
	char origin[RS_NOTE_NAME_MAX + 1];
	uint64_t size;
	struct rs_digest root;
};
enum rs_code rs_checkpoint_sign(const struct rs_checkpoint *checkpoint, const struct rs_signing_key *key,
                                struct rs_buffer *out, struct rs_error *err);
/* The note must have exactly one signature line, by `key`, whose name must be the origin. Every byte counts.
 * RS_ALTERED when the signature does not fit; RS_MALFORMED names what is wrong with the text. */
enum rs_code rs_checkpoint_verify(struct rs_str note, const struct rs_note_key *key,
                                  struct rs_checkpoint *out, struct rs_error *err);

/* C2SP tlog-proof. Views borrow from the text; extra is decoded into an own buffer. */
struct rs_tlog_proof {
	struct rs_buffer extra; /* maximum 64 KiB */
	uint64_t index;
	struct rs_digest path[RS_PROOF_HASHES_MAX];
	size_t path_count;
	struct rs_str checkpoint;
};
void rs_tlog_proof_finish(struct rs_tlog_proof *proof);
enum rs_code rs_tlog_proof_parse(struct rs_str text, struct rs_tlog_proof *out, struct rs_error *err);
enum rs_code rs_tlog_proof_format(struct rs_bytes extra, uint64_t index, const struct rs_digest *path,
                                  size_t path_count, struct rs_str checkpoint, struct rs_buffer *out,
                                  struct rs_error *err);

#endif
