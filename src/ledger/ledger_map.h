/* A verifiable map: one hash over all that is in force now (permissions, consents, revocations), and short proofs that a key
 * has a value at that hash, or that it has none. An append-only log proves what happened; this proves what is, and what is not.
 *
 * A sparse Merkle tree over SHA-256, read from the root by the bits of path = SHA-256(key), most significant first:
 *   nothing   32 zero bytes
 *   leaf      SHA-256(0x00 ‖ path ‖ SHA-256(value)); stands for every subtree that holds this one key
 *   node      SHA-256(0x01 ‖ left ‖ right); a subtree of two keys and more
 * The tree depends on the keys and values only, not on how they got there. Its root belongs into the log: the encoding of
 * struct rs_map_head as (a part of) an entry, so that a checkpoint signs and witnesses cosign it with all else. */
#ifndef RS_LEDGER_MAP_H
#define RS_LEDGER_MAP_H

#include "ledger/ledger_log.h"

#define RS_MAP_DEPTH_MAX 256

struct rs_map; /* in memory, some 200 bytes a key; one thread at a time */
enum rs_code rs_map_create(struct rs_map **out, struct rs_error *err);
void rs_map_destroy(struct rs_map *map); /* accepts NULL */
size_t rs_map_count(const struct rs_map *map);
/* Adds or changes. On failure (RS_NO_MEMORY) nothing was changed. */
enum rs_code rs_map_put(struct rs_map *map, struct rs_bytes key, struct rs_bytes value, struct rs_error *err);
/* Whether the key was there. */
bool rs_map_remove(struct rs_map *map, struct rs_bytes key);
/* Hashes what changed since the last call: some log2(count) nodes a change. */
void rs_map_root(struct rs_map *map, struct rs_digest *out);

/* From the root down to where the key is, or would be: what stands beside the way. `other`: the leaf that stands there
 * instead of the key's. */
struct rs_map_proof {
	struct rs_digest siblings[RS_MAP_DEPTH_MAX];
	size_t count;
	bool has_other;
	struct rs_digest other_path, other_value; /* SHA-256 of its key and of its value */
};
/* *out_present tells which of the two it proves. */
void rs_map_prove(struct rs_map *map, struct rs_bytes key, struct rs_map_proof *out, bool *out_present);
bool rs_map_presence_valid(const struct rs_digest *root, struct rs_bytes key, struct rs_bytes value,
                           const struct rs_map_proof *proof);
bool rs_map_absence_valid(const struct rs_digest *root, struct rs_bytes key,
                          const struct rs_map_proof *proof);

/* Deterministic CBOR {1: version, 2: [siblings; "" for nothing], 3: [other path, other value]}, 3 only with `other`. */
#define RS_MAP_PROOF_SIZE_MAX ((size_t)9216)
enum rs_code rs_map_proof_encode(const struct rs_map_proof *proof, struct rs_buffer *out,
                                 struct rs_error *err);
enum rs_code rs_map_proof_decode(struct rs_bytes encoded, struct rs_map_proof *out, struct rs_error *err);

/* What goes into the log: {1: version, 2: entries, 3: root}. */
struct rs_map_head {
	uint64_t entries; /* the map is what the contract made of so many first entries of the log */
	struct rs_digest root;
};
enum rs_code rs_map_head_encode(const struct rs_map_head *head, struct rs_buffer *out, struct rs_error *err);
enum rs_code rs_map_head_decode(struct rs_bytes encoded, struct rs_map_head *out, struct rs_error *err);

#endif
