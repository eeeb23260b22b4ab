/* The vault: encrypted objects under their content address, one file each, in a directory.
 *
 * An object's file: a header of 64 bytes ("radseal object 1", nonce, plain size, chunk size, zeros), then chunks of
 * 1 MiB of content, each AES-256-GCM under the object's key with its tag behind it. The GCM nonce is the chunk's
 * number and a flag for the last one, the associated data the header: chunks cannot be moved, cut or joined.
 * The address is the IPFS CID of the file's bytes (profile unixfs-v1-2025: CIDv1, raw leaves of 1 MiB, SHA-256,
 * 1024 links a node), so an IPFS node stores the same object under the same name.
 *
 * Writing is stage (under a temporary name), then publish (all of a group synced, renamed, their directories synced):
 * syncing a group at once costs the disk little more than syncing one. */
#ifndef RS_VAULT_H
#define RS_VAULT_H

#include "base/base.h"
#include "crypto/crypto.h"

#define RS_OBJECT_NONCE_SIZE 16
#define RS_OBJECT_CHUNK_SIZE ((size_t)1 << 20)
#define RS_OBJECT_LINKS ((size_t)1024) /* of the profile: in a node of the address' tree */
#define RS_OBJECT_HEADER_SIZE 64

/* CIDv1 with a SHA-256 multihash, binary: 0x01, codec (0x55 raw, 0x70 dag-pb), 0x12, 0x20, digest. */
struct rs_cid {
	uint8_t bytes[36];
};
#define RS_CID_TEXT_SIZE 60
void rs_cid_format(const struct rs_cid *cid,
                   char out[static RS_CID_TEXT_SIZE]); /* "b" + base32, lower case */
/* Strict: lower case, no padding, unused bits zero, one of the two codecs. */
bool rs_cid_parse(struct rs_str text, struct rs_cid *out);
/* From stored bytes; false unless they have the form above. */
bool rs_cid_from_bytes(struct rs_bytes bytes, struct rs_cid *out);

/* Files named by CIDs, objects and others, are spread over 32 directories, few enough that a group touches few:
 * <directory>/<c>/<cid>, c the address' last but one character. */
#define RS_SHARDS 32u
unsigned rs_cid_shard(const struct rs_cid *cid);
/* Whether a directory's name is that of a shard. */
bool rs_shard_is_name(struct rs_str name, unsigned *out);
/* The path of a file whose name is the address and a suffix; new heap string, NULL without memory. */
char *rs_shard_path(const char *directory, const struct rs_cid *cid, const char *suffix) RS_MUST_CHECK;
/* Makes the directory and all shards in it, durable. */
enum rs_code rs_shards_make(const struct rs_world *world, const char *directory, struct rs_error *err);
/* Makes names durable in the shards whose bits are set. pool may be NULL. */
enum rs_code rs_shards_sync(const struct rs_world *world, struct rs_pool *pool, const char *directory,
                            uint32_t touched, struct rs_error *err);

/* The CID of bytes that arrive in parts. chunk_size and links_max are those of the profile except in tests. */
struct rs_cid_builder {
	size_t chunk_size, links_max;
	struct rs_sha256 hash; /* of the chunk in progress */
	size_t in_chunk;
	uint64_t total;
	struct rs_buffer leaves; /* {cid, content size, size with all below} of finished chunks */
	/* Told of every block: `node` is the bytes of one with links, NULL for the leaf just ended, whose bytes were given to
	 * add. Set after init; NULL otherwise. */
	enum rs_code (*made)(void *context, const struct rs_cid *cid, const struct rs_bytes *node,
	                     struct rs_error *err);
	void *context;
};
void rs_cid_builder_init(struct rs_cid_builder *builder, size_t chunk_size, size_t links_max);
void rs_cid_builder_finish(struct rs_cid_builder *builder);
enum rs_code rs_cid_builder_add(struct rs_cid_builder *builder, struct rs_bytes bytes, struct rs_error *err);
/* The same, and other bytes to another hash: both at once. */
enum rs_code rs_cid_builder_add_beside(struct rs_cid_builder *builder, struct rs_bytes bytes,
                                       struct rs_sha256 *other, struct rs_bytes others, struct rs_error *err);
enum rs_code rs_cid_builder_final(struct rs_cid_builder *builder, struct rs_cid *out, struct rs_error *err);
enum rs_code rs_cid_of(struct rs_bytes bytes, struct rs_cid *out, struct rs_error *err);

struct rs_vault;        /* may be used by several threads at once */
struct rs_vault_staged; /* an object that is written but has no name yet */

/* Makes the directory's structure, durable. */
enum rs_code rs_vault_create(const struct rs_world *world, const char *directory, struct rs_error *err);
enum rs_code rs_vault_open(const struct rs_world *world, const char *directory, struct rs_vault **out,
                           struct rs_error *err);
void rs_vault_close(struct rs_vault *vault); /* accepts NULL */
/* Removes what a crash left that was staged and never published; what a process that lives has staged stays. */
enum rs_code rs_vault_clean(struct rs_vault *vault, struct rs_error *err);

/* Encrypts content and writes it under a temporary name; not durable yet. End with publish or abort: until then it holds
 * a file open.
 * key    used for this object only (its GCM nonces start at 0) */
enum rs_code rs_vault_stage(struct rs_vault *vault, const struct rs_secret *key,
                            const uint8_t nonce[static RS_OBJECT_NONCE_SIZE], struct rs_bytes content,
                            struct rs_vault_staged **out, struct rs_cid *out_cid, struct rs_error *err);
/* The object of another vault as it is, without its key. RS_ALTERED when its bytes are not those of its address. */
enum rs_code rs_vault_stage_copy(struct rs_vault *vault, struct rs_vault *from, const struct rs_cid *cid,
                                 struct rs_vault_staged **out, struct rs_error *err);
/* Makes all of them durable, gives them their names, and makes those durable: an object that can be found is a whole
 * one, whatever happens when. An address that is in use already is fine. pool may be NULL.
 * The staged objects are used up either way; after a failure the new ones among them are taken back as far as
 * the disk allows, and what had been published before stays. */
enum rs_code rs_vault_publish(struct rs_vault *vault, struct rs_pool *pool, struct rs_vault_staged **staged,
                              size_t count, struct rs_error *err);
/* Content that is not in memory. read gives bytes offset … offset + size, once and in order, in pieces of the chunk size
 * or less: into `scratch`, which has room for them, or elsewhere. */
struct rs_content {
	uint64_t size;
	enum rs_code (*read)(void *context, uint64_t offset, size_t size, uint8_t *scratch,
	                     struct rs_bytes *out, struct rs_error *err);
	void *context;
};
enum rs_code rs_vault_stage_content(struct rs_vault *vault, const struct rs_secret *key,
                                    const uint8_t nonce[static RS_OBJECT_NONCE_SIZE],
                                    const struct rs_content *content, struct rs_vault_staged **out,
                                    struct rs_cid *out_cid, struct rs_error *err);
/* The same, and the content goes into `hash` with the object's own hash at once. read gives it elsewhere than into `scratch`. */
enum rs_code rs_vault_stage_hashing(struct rs_vault *vault, const struct rs_secret *key,
                                    const uint8_t nonce[static RS_OBJECT_NONCE_SIZE],
                                    const struct rs_content *content, struct rs_sha256 *hash,
                                    struct rs_vault_staged **out, struct rs_cid *out_cid,
                                    struct rs_error *err);
/* An object's stored bytes as they are, without its key; `stored` need not be trusted. RS_ALTERED when their address is
 * another. */
enum rs_code rs_vault_stage_stored(struct rs_vault *vault, const struct rs_cid *cid,
                                   const struct rs_content *stored, struct rs_vault_staged **out,
                                   struct rs_error *err);
void rs_vault_abort(struct rs_vault *vault, struct rs_vault_staged *staged); /* accepts NULL */
/* Its content is durable, still without a name: publishing has that much less to wait for. Of different objects from several
 * threads at once. */
enum rs_code rs_vault_sync(struct rs_vault_staged *staged, struct rs_error *err);

/* Bytes whose number is not known yet: what is too much for memory waits in the staging directory, encrypted under a key that
 * nothing but this object has. One thread at a time. */
struct rs_spool;
enum rs_code rs_spool_create(struct rs_vault *vault, struct rs_spool **out, struct rs_error *err);
void rs_spool_destroy(struct rs_spool *spool); /* accepts NULL */
enum rs_code rs_spool_add(struct rs_spool *spool, struct rs_bytes bytes, struct rs_error *err);
/* Once all was added. Exactly `size` bytes, or RS_IO. */
enum rs_code rs_spool_read(struct rs_spool *spool, uint64_t offset, void *out, size_t size,
                           struct rs_error *err);

/* The whole content, appended to out. RS_ALTERED tells which chunk is not what was written; RS_NOT_FOUND. */
enum rs_code rs_vault_read(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                           struct rs_buffer *out, struct rs_error *err);
/* The same, given to `take` piece by piece, in order, each of them genuine and at its place. The pieces are all of it only
 * when RS_OK is returned. What take returns other than RS_OK ends it. */
typedef enum rs_code rs_vault_take(void *context, struct rs_bytes piece, struct rs_error *err);
enum rs_code rs_vault_read_to(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                              rs_vault_take *take, void *context, struct rs_error *err);
/* The same without the address: for who compares the content with a hash anyway. A piece stays as it is while the next one is
 * made, until that was taken; leave() (may be NULL) is called once before the last ones go, whatever came of it. */
enum rs_code rs_vault_read_unaddressed(struct rs_vault *vault, const struct rs_cid *cid,
                                       const struct rs_secret *key, rs_vault_take *take,
                                       void (*leave)(void *context), void *context, struct rs_error *err);
/* An object will be read soon: the disk may begin with its first few MiB. Promises nothing. */
void rs_vault_expect(struct rs_vault *vault, const struct rs_cid *cid);
/* The stored bytes as they are, which need no key. */
enum rs_code rs_vault_read_stored(struct rs_vault *vault, const struct rs_cid *cid, rs_vault_take *take,
                                  void *context, struct rs_error *err);
/* As rs_vault_read_to(), of an object whose stored bytes are the rest of a file from `offset` on. */
enum rs_code rs_object_read_to(const struct rs_world *world, const char *path, uint64_t offset,
                               const struct rs_cid *cid, const struct rs_secret *key, rs_vault_take *take,
                               void *context, struct rs_error *err);
/* Bytes of the file of an object with that much content. */
uint64_t rs_vault_stored_size(uint64_t content_size);
/* Of the object that is stored: RS_NOT_FOUND without one. */
enum rs_code rs_vault_size(struct rs_vault *vault, const struct rs_cid *cid, uint64_t *out,
                           struct rs_error *err);
struct rs_object_facts {
	uint8_t nonce[RS_OBJECT_NONCE_SIZE];
	uint64_t size;           /* bytes of content */
	struct rs_digest sha256; /* of the content; zeros without a key */
};
/* Recomputes the address from the stored bytes; with a key (else NULL) decrypts all of it too. RS_ALTERED tells
 * the first chunk that does not decrypt, or, when the bytes are as the address says, that the key is another. */
enum rs_code rs_vault_check(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                            struct rs_object_facts *out, struct rs_error *err);
/* The same, told of the bytes of each piece that was read; what pace returns other than RS_OK ends it with that. */
typedef enum rs_code rs_vault_pace(void *context, uint64_t bytes, struct rs_error *err);
enum rs_code rs_vault_check_paced(struct rs_vault *vault, const struct rs_cid *cid,
                                  const struct rs_secret *key, rs_vault_pace *pace, void *context,
                                  struct rs_object_facts *out, struct rs_error *err);
/* Whether the stored object holds these bytes; decrypts all of it. RS_ALTERED when it does not, or as rs_vault_check(). */
enum rs_code rs_vault_compare(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                              struct rs_bytes content, struct rs_error *err);
bool rs_vault_has(struct rs_vault *vault, const struct rs_cid *cid);
/* Durable when it returns RS_OK. */
enum rs_code rs_vault_remove(struct rs_vault *vault, const struct rs_cid *cid, struct rs_error *err);

/* cid is NULL for a file that is no object; name is its name. */
typedef enum rs_code rs_vault_visit(void *context, const struct rs_cid *cid, struct rs_str name,
                                    struct rs_error *err);
enum rs_code rs_vault_list(struct rs_vault *vault, rs_vault_visit *visit, void *context,
                           struct rs_error *err);

#endif
