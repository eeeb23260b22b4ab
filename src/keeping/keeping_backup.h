/* Backups of a node: data and key store, apart from each other.
 *
 * A data backup is a directory: a vault (vault/vault.h) that holds the node's objects as they are and everything else of the
 * node in encrypted pieces, each once however many backups hold it, and backups/TIME.manifest, encrypted, which says what
 * belongs together. It holds no key: alone it opens nothing. Receipts are not in it: they open records, and are made anew.
 *
 * A key-store backup is one file: keys/node.key as it is (under its passphrase or unlock file, which is never part of a
 * backup), and, encrypted under keys in it, members' key files, the wrapped keys of the subjects, and the last checkpoints.
 * It is made to be short-lived: as long as one lies somewhere, a subject erased since could be opened with it. */
#ifndef RS_KEEPING_BACKUP_H
#define RS_KEEPING_BACKUP_H

#include "node/node.h"

#define RS_BACKUP_NAME_SIZE 32
struct rs_backup_counts {
	char name[RS_BACKUP_NAME_SIZE]; /* of the backup: its time, "20261121T120000000Z" */
	uint64_t entries;               /* of the ledger */
	uint64_t objects;               /* of the node */
	uint64_t bytes;                 /* of content that were written now, or read to verify */
	uint64_t removed;               /* objects that no kept backup needs */
};

/* May run while others write to the node. A crash leaves what was there before; the next backup goes on from there. Every
 * new file was read again when it returns RS_OK.
 * keep    so many newest backups stay in the directory, and what only older ones need goes; 0: all stay
 * errors  RS_EXISTS when the directory holds something else, RS_BUSY when another backup writes to it, RS_NO_SPACE */
enum rs_code rs_node_backup(struct rs_node *node, const char *directory, uint64_t keep,
                            struct rs_backup_counts *out, struct rs_error *err);
/* Reads and checks all of a backup. name: NULL for the newest. errors  RS_ALTERED, RS_NOT_FOUND */
enum rs_code rs_node_backup_verify(struct rs_node *node, const char *directory, const char *name,
                                   struct rs_backup_counts *out, struct rs_error *err);

struct rs_key_backup_counts {
	char made_at[RS_TIME_TEXT_SIZE], expires_at[RS_TIME_TEXT_SIZE];
	uint64_t subjects,
		expired; /* expired: older files of this node that were removed from the directory */
};
/* Writes directory/radseal-keys-TIME-until-DAY.backup and removes those of this node whose day has passed. *out_path is a new
 * text. */
enum rs_code rs_node_backup_keys(struct rs_node *node, const char *directory, uint64_t days, char **out_path,
                                 struct rs_key_backup_counts *out, struct rs_error *err);

struct rs_restore_options {
	const char *data, *name; /* the data backup; NULL: the newest there */
	const char *keys;        /* the key-store backup */
	struct rs_unlock unlock;
	struct rs_str checkpoint; /* a checkpoint of the log that is known from elsewhere, or empty */
	bool accept_rollback;
};
struct rs_restore_counts {
	char name[RS_BACKUP_NAME_SIZE];
	uint64_t entries, objects, receipts, subjects;
	uint64_t
		missing; /* entries that the log signed before the key-store backup, and the data backup has not */
	uint64_t locked; /* files whose subject has no key: they were sealed after the key-store backup */
	uint64_t erased; /* subjects whose keys were in the key-store backup and did not come back */
};
/* Makes the node in `home`, missing or empty. The last step makes it a node: a crash leaves a directory that is none, and
 * restoring again goes on with it. Erasures of the restored ledger come first: what they name is never written.
 * errors  RS_ALTERED names what is damaged, or a rollback: the ledger is behind a known checkpoint */
enum rs_code rs_node_restore(const struct rs_world *world, const char *home,
                             const struct rs_restore_options *options, struct rs_pool *pool,
                             struct rs_restore_counts *out, struct rs_error *err);

#endif
