/* A verifiable map: one hash over all that is in force now (permissions, consents, revocations), and short proofs that a key
 * has a value at that hash, or that it has none. An append-only log proves what happened; this proves what is, and what is not.
 *
 * A sparse Merkle tree over SHA-256, read from the root by the bits of path = SHA-256(key), most significant first:
 *   nothing   32 zero bytes
 *   leaf      SHA-256(0x00 ‖ path ‖ SHA-256(value)); stands for every subtree that holds this one key
 *   node      SHA-256(0x01 ‖ left ‖ right); a subtree of two keys and more
 * The tree depends on the keys and values only, not on how they got there. Its root gets into the log as a head
 * (ledger/ledger_head.h), so that a checkpoint signs and witnesses cosign it with all else. */
#ifndef RS_LEDGER_MAP_H
#define RS_LEDGER_MAP_H

#include "contract/contract.h"
#include "ledger/ledger_log.h"

#define RS_MAP_DEPTH_MAX 256

/* The map's nodes lie where an engine keeps them, as rows: be16(depth) ‖ the path's first `depth` bits -> 0 ‖ path ‖ value
 * of a leaf, or 1 ‖ hashes of the two subtrees. A map is never short of memory, and needs none to be opened. */
struct rs_map_leaf {
	struct rs_digest path, value; /* SHA-256 of key and value */
};
/* Adds or changes these leaves (each path once; they are sorted here) and tells the new root. Every node on their ways is read
 * and written once. With `keep` false nothing is written: what the root would be. RS_ALTERED when the nodes are no map. */
enum rs_code rs_map_update(const struct rs_state *nodes, struct rs_map_leaf *leaves, size_t count, bool keep,
                           struct rs_digest *out_root, struct rs_error *err);
enum rs_code rs_map_root(const struct rs_state *nodes, struct rs_digest *out, struct rs_error *err);

/* From the root down to where the key is, or would be: what stands beside the way. `other`: the leaf that stands there
 * instead of the key's. */
struct rs_map_proof {
	struct rs_digest siblings[RS_MAP_DEPTH_MAX];
	size_t count;
	bool has_other;
	struct rs_digest other_path, other_value; /* SHA-256 of its key and of its value */
};
/* *out_present tells which of the two it proves. */
enum rs_code rs_map_prove(const struct rs_state *nodes, struct rs_bytes key, struct rs_map_proof *out,
                          bool *out_present, struct rs_error *err);
bool rs_map_presence_valid(const struct rs_digest *root, struct rs_bytes key, struct rs_bytes value,
                           const struct rs_map_proof *proof);
bool rs_map_absence_valid(const struct rs_digest *root, struct rs_bytes key,
                          const struct rs_map_proof *proof);

/* Deterministic CBOR {1: version, 2: [siblings; "" for nothing], 3: [other path, other value]}, 3 only with `other`. */
#define RS_MAP_PROOF_SIZE_MAX ((size_t)9216)
enum rs_code rs_map_proof_encode(const struct rs_map_proof *proof, struct rs_buffer *out,
                                 struct rs_error *err);
enum rs_code rs_map_proof_decode(struct rs_bytes encoded, struct rs_map_proof *out, struct rs_error *err);

#endif
