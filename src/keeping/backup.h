/* What making and restoring backups share. */
#ifndef RS_KEEPING_BACKUP_PRIVATE_H
#define RS_KEEPING_BACKUP_PRIVATE_H

#include "manifest.h"
#include "node/node_parts.h"

/* Objects from one vault to another, in groups; addresses: binary CIDs, one after another. */
enum rs_code backup_copy_objects(struct rs_vault *from, struct rs_vault *to, struct rs_pool *pool,
                                 struct rs_bytes addresses, struct rs_error *err);

/* What is in a key-store backup, decrypted. Views borrow from the buffers. */
struct key_backup {
	struct rs_buffer file, secret;
	uint64_t made_ms, until_ms;
	struct rs_str vkey;
	struct rs_bytes node_key; /* keys/node.key as it is */
	struct rs_bytes outer, box;
	struct rs_bytes subjects; /* rs_subject_keys_export() */
	struct rs_cbor_reader members;
	size_t member_count;          /* name and content of each, from `members` on */
	struct rs_str last, cosigned; /* checkpoints; may be empty */
};
void key_backup_finish(struct key_backup *backup);
/* The outer part: no key is needed. */
enum rs_code key_backup_read(const struct rs_world *world, const char *path, struct key_backup *out,
                             struct rs_error *err);
/* The same of bytes in memory, which must outlive it; and of the inner part, decrypted. For the above, and fuzzing. */
enum rs_code key_backup_parse(struct rs_bytes file, struct key_backup *out, struct rs_error *err);
enum rs_code key_backup_parse_secret(struct rs_bytes secret, struct key_backup *backup, struct rs_error *err);
/* What in keys/ belongs to members: key files, each encrypted under its own passphrase or unlock file, public keys, and the
 * members' names. The node's own keys go elsewhere, what unlocks a key goes nowhere. */
bool key_backup_is_members(struct rs_str name);
/* The inner part. RS_ALTERED */
enum rs_code key_backup_open(struct key_backup *backup, const struct rs_keyring *keyring,
                             struct rs_error *err);

#endif
