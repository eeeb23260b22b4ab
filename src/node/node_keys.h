/* Key files of members: keys/NAME.key below a directory that is a node, or will only ever hold keys. Beside each lies its
 * public key (NAME.pub), and NAME.unlock where no passphrase was chosen. The secret is never on disk in clear. */
#ifndef RS_NODE_KEYS_H
#define RS_NODE_KEYS_H

#include "base/base.h"
#include "identity/identity.h"

#define RS_KEY_NAME_MAX 64 /* letters, digits, - _ . */

struct rs_keys_place {
	const struct rs_world *world;
	const char *directory;
};

/* passphrase: empty for an unlock file. errors  RS_USAGE for a name that is none; RS_EXISTS: it is never overwritten */
enum rs_code rs_key_new(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                        struct rs_member_key *out, struct rs_error *err);
/* Opens with the unlock file where there is one and it fits, else with the passphrase.
 * errors  RS_USAGE for a name that is none or a missing passphrase; RS_NOT_FOUND; RS_DENIED when it does not open */
enum rs_code rs_key_open(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                         struct rs_signing_key *out, struct rs_error *err);
/* The same key under another passphrase, or an unlock file where `changed` is empty. Whenever it is interrupted, the key
 * opens in the old way or in the new one. errors  RS_USAGE from unlock file to unlock file; as rs_key_open() */
enum rs_code rs_key_change(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                           struct rs_bytes changed, struct rs_error *err);
/* The same of the node whose directory it is: of keys/node.key and keys/unlock.key. *out is its administrator's.
 * errors  also RS_BUSY while another process writes to the node */
enum rs_code rs_node_key_change(const struct rs_keys_place *place, struct rs_bytes passphrase,
                                struct rs_bytes changed, struct rs_member_key *out, struct rs_error *err);
/* From NAME.pub; opens the key only where that file is missing (its making was interrupted), and makes it then. */
enum rs_code rs_key_public(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                           struct rs_member_key *out, struct rs_error *err);

struct rs_key_facts {
	char name[RS_KEY_NAME_MAX + 1];
	struct rs_member_key key;
	bool has_key; /* else its NAME.pub is missing */
	bool unlock_file;
};
typedef enum rs_code rs_key_visit(void *context, const struct rs_key_facts *facts, struct rs_error *err);
/* In the order of their names. */
enum rs_code rs_key_each(const struct rs_keys_place *place, rs_key_visit *visit, void *context,
                         struct rs_error *err);

#endif
