/* What belongs to one data backup. */
#ifndef RS_KEEPING_MANIFEST_H
#define RS_KEEPING_MANIFEST_H

#include "vault/vault.h"
#include "keeping/keeping_backup.h"

/* Pieces hold whole pages of a database, and fit with header and tag into one leaf of an address. */
#define PIECE_SIZE ((size_t)255 * 4096)
#define PIECE_ENTRY_SIZE (RS_SHA256_SIZE + sizeof(struct rs_cid)) /* keyed hash of the content, address */
#define SAVED_NAME_MAX 200
#define OBJECTS_NAME \
	"objects" /* the saved file that lists the node's objects, one binary CID after another */

struct saved_file {
	char name[SAVED_NAME_MAX + 1];
	uint64_t size;
	struct rs_buffer pieces; /* PIECE_ENTRY_SIZE each */
};

struct manifest {
	uint64_t time_ms, entries;
	struct saved_file *files;
	size_t count;
};

/* Keys of a backup, from the node's keyring. */
struct backup_keys {
	struct rs_secret manifest, tag, piece;
};
void backup_keys_init(struct backup_keys *keys, const struct rs_keyring *keyring);
void backup_keys_finish(struct backup_keys *keys);
void backup_piece_tag(const struct backup_keys *keys, struct rs_bytes content, struct rs_digest *out);
/* A piece's key and nonce follow from its tag: the same content is the same object in every backup. */
void backup_piece_key(const struct backup_keys *keys, const struct rs_digest *tag, struct rs_secret *out,
                      uint8_t nonce[static RS_OBJECT_NONCE_SIZE]);

void manifest_finish(struct manifest *manifest);
enum rs_code manifest_add(struct manifest *manifest, struct rs_str name, struct saved_file **out,
                          struct rs_error *err);
const struct saved_file *manifest_find(const struct manifest *manifest, const char *name);
void saved_piece(const struct saved_file *file, size_t index, struct rs_digest *out_tag,
                 struct rs_cid *out_cid);
size_t saved_piece_count(const struct saved_file *file);

/* A decrypted one, into an empty manifest; for reading, and fuzzing. */
enum rs_code manifest_decode(struct rs_bytes encoded, struct manifest *out, struct rs_error *err);
/* DIRECTORY/backups/NAME.manifest; atomic and durable. out_name holds RS_BACKUP_NAME_SIZE. */
enum rs_code manifest_write(const struct rs_world *world, const char *directory,
                            const struct backup_keys *keys, const struct manifest *manifest, char *out_name,
                            struct rs_error *err);
/* name: NULL for the newest. RS_NOT_FOUND (with a sentence) when there is none. */
enum rs_code manifest_read(const struct rs_world *world, const char *directory,
                           const struct backup_keys *keys, const char *name, struct manifest *out,
                           char *out_name, struct rs_error *err);
/* Names of all backups, RS_BACKUP_NAME_SIZE bytes each, oldest first. */
enum rs_code manifest_list(const struct rs_world *world, const char *directory, struct rs_buffer *out,
                           struct rs_error *err);
enum rs_code manifest_remove(const struct rs_world *world, const char *directory, const char *name,
                             struct rs_error *err);

/* The whole of a saved file, piece by piece; checks each. */
typedef enum rs_code saved_take(void *context, uint64_t offset, struct rs_bytes piece, struct rs_error *err);
enum rs_code saved_each_piece(struct rs_vault *vault, const struct backup_keys *keys,
                              const struct saved_file *file, saved_take *take, void *context,
                              struct rs_error *err);
enum rs_code saved_read(struct rs_vault *vault, const struct backup_keys *keys, const struct saved_file *file,
                        size_t maximum, struct rs_buffer *out, struct rs_error *err);

#endif
