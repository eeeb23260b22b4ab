/* A file on its way out: written under a temporary name, compared with its receipt, then named. */
#ifndef RS_ACCESS_OUTGOING_H
#define RS_ACCESS_OUTGOING_H

#include "ledger/ledger.h"
#include "vault/vault.h"

struct outgoing {
	const struct rs_world *world;
	const char *base; /* path without the ending, which the content tells */
	struct rs_str receipt;
	const struct rs_trust *trust; /* whom to believe about it */
	/* Gives the content piece by piece. */
	enum rs_code (*read)(void *context, rs_vault_take *take, void *taker, struct rs_error *err);
	void *context;
};
/* Writes the file and PATH.tlog-proof; *out_path: new heap string. The directory is the caller's to sync.
 * errors  RS_ALTERED when the content is not what the receipt is for: then nothing stays */
enum rs_code outgoing_write(const struct outgoing *out, struct rs_receipt_facts *out_facts, char **out_path,
                            struct rs_error *err);

/* A file that has no name until writing_name() gives it one; finish it either way. */
struct writing {
	const struct rs_world *world;
	struct rs_file *file;
	char *temporary;
	struct rs_sha256 hash;
	uint64_t size;
	uint8_t start[2]; /* the first bytes */
};
enum rs_code writing_begin(const struct rs_world *world, const char *base, struct writing *out,
                           struct rs_error *err);
enum rs_code writing_take(void *writing, struct rs_bytes piece, struct rs_error *err); /* an rs_vault_take */
enum rs_code writing_name(struct writing *writing, const char *path,
                          struct rs_error *err); /* synced before */
void writing_finish(struct writing *writing);

#endif
