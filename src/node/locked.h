/* An encrypted key file, and what opens it: random bytes in a file beside it where there is one, otherwise a passphrase. */
#ifndef RS_NODE_LOCKED_H
#define RS_NODE_LOCKED_H

#include "base/base.h"
#include "identity/identity.h"

/* What is in the file, and how its passphrase is given. */
struct locked_kind {
	enum rs_code (*open)(const struct rs_world *world, const char *path, const struct rs_unlock *unlock,
	                     void *out, struct rs_error *err);
	enum rs_code (*change)(const struct rs_world *world, const char *path, const struct rs_unlock *old,
	                       const struct rs_unlock *new_unlock, struct rs_error *err);
	const char *hint; /* "… opens with a passphrase; give HINT" */
};
struct locked {
	const struct locked_kind *kind;
	const struct rs_world *world;
	char *key, *unlock; /* paths */
};
void locked_finish(struct locked *locked);

/* For a key file that is to be made: its passphrase, or fresh random bytes in the unlock file where it is empty. `content` is
 * wiped by the caller. */
enum rs_code locked_prepare(const struct locked *locked, struct rs_bytes passphrase,
                            struct rs_buffer *content, struct rs_unlock *out, struct rs_error *err);
/* out: what the kind's open() takes. errors  RS_USAGE for a missing passphrase; RS_DENIED when it does not open */
enum rs_code locked_open(const struct locked *locked, struct rs_bytes passphrase, void *out,
                         struct rs_error *err);
/* The same content under another passphrase, or an unlock file where `changed` is empty. Whenever it is interrupted, the file
 * opens in the old way or in the new one. out: as locked_open(). errors  RS_USAGE from unlock file to unlock file */
enum rs_code locked_change(const struct locked *locked, struct rs_bytes passphrase, struct rs_bytes changed,
                           void *out, struct rs_error *err);

#endif
