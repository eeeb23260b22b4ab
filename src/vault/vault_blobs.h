/* Where stored objects may lie besides the vault's own directory: one interface over several stores of blobs, each named by
 * its address. A blob is the object's file, encrypted; a store neither has nor needs its key. What a store gives is believed
 * only after the address was recomputed.
 *
 *   local   the vault's directory of this node
 *   ipfs    a Kubo node through its RPC API: blobs are UnixFS files of the profile unixfs-v1-2025, kept by recursive pins
 *   memory  for tests */
#ifndef RS_VAULT_BLOBS_H
#define RS_VAULT_BLOBS_H

#include "vault/vault.h"

struct rs_blobs;
struct rs_blobs_kind {
	const char *name;
	enum rs_code (*put)(struct rs_blobs *blobs, const struct rs_cid *cid, const struct rs_content *bytes,
	                    struct rs_error *err);
	enum rs_code (*open)(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_content *out,
	                     struct rs_error *err);
	void (*shut)(struct rs_blobs *blobs, struct rs_content *bytes);
	enum rs_code (*has)(struct rs_blobs *blobs, const struct rs_cid *cid, bool *out,
	                    struct rs_error *err);
	enum rs_code (*remove)(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_error *err);
	void (*close)(struct rs_blobs *blobs);
};
struct rs_blobs { /* first member of every store's struct; one thread at a time */
	const struct rs_blobs_kind *kind;
};

/* The vault must outlive it. */
enum rs_code rs_blobs_open_local(struct rs_vault *vault, struct rs_blobs **out, struct rs_error *err);
enum rs_code rs_blobs_open_memory(struct rs_blobs **out, struct rs_error *err);
/* url: "http://127.0.0.1:5001", where the node's API listens. token: of its API.Authorizations, NULL for none. Nothing is
 * asked of the node yet.
 * patience_ms: how long an answer may stay silent */
enum rs_code rs_blobs_open_ipfs(const char *url, const char *token, unsigned patience_ms,
                                struct rs_blobs **out, struct rs_error *err);
/* Which node answers there, as "0.42.0"; RS_IO when none does. */
enum rs_code rs_blobs_ipfs_version(struct rs_blobs *ipfs, char out[static 64], struct rs_error *err);
void rs_blobs_close(struct rs_blobs *blobs);          /* accepts NULL */
void rs_blobs_close_pointer(struct rs_blobs **blobs); /* for RS_CLEANUP */

/* Stores the bytes, durably as far as the store promises. What is there already is fine. RS_ALTERED, and nothing kept, when
 * their address is another. */
enum rs_code rs_blobs_put(struct rs_blobs *blobs, const struct rs_cid *cid, const struct rs_content *bytes,
                          struct rs_error *err);
/* Whether the store keeps it, by its own word. */
enum rs_code rs_blobs_has(struct rs_blobs *blobs, const struct rs_cid *cid, bool *out, struct rs_error *err);
/* Reads all of it and recomputes the address. errors  RS_NOT_FOUND, RS_ALTERED */
enum rs_code rs_blobs_check(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_error *err);
/* No longer kept; the space may come back later. RS_NOT_FOUND */
enum rs_code rs_blobs_remove(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_error *err);
/* From one store to another, checked on its way. */
enum rs_code rs_blobs_copy(struct rs_blobs *from, struct rs_blobs *to, const struct rs_cid *cid,
                           struct rs_error *err);

#endif
