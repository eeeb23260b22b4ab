/* A bundle: one object for a member of another organisation, in one file. The ciphertext as it lies in the vault, under the
 * same address; its key, sealed to the member's; its receipt. Nobody else can open it, and who opens it proves it.
 *
 *   "radseal bundle 1"   16 bytes
 *   be32                 size of what follows
 *   CBOR                 {1: version, 2: CID, 3: recipient, 4: sealed key, 5: receipt}
 *   the object's bytes   to the end of the file */
#ifndef RS_ACCESS_BUNDLE_H
#define RS_ACCESS_BUNDLE_H

#include "vault/vault.h"
#include "workflow/workflow.h"

#define RS_BUNDLE_HEAD_MAX ((size_t)192 * 1024) /* bytes before the object */

struct rs_bundle {
	struct rs_cid cid;
	struct rs_member_key recipient;
	uint8_t sealed_key[RS_KEY_SIZE + RS_SEAL_OVERHEAD];
	struct rs_str receipt; /* borrows */
	size_t head_size;      /* the object begins there */
};
/* From the first bytes of a file, RS_BUNDLE_HEAD_MAX or all of it. RS_MALFORMED tells what is wrong. */
enum rs_code rs_bundle_parse(struct rs_bytes start, struct rs_bundle *out, struct rs_error *err);
/* All that comes before the object, appended. */
enum rs_code rs_bundle_format(const struct rs_bundle *bundle, struct rs_buffer *out, struct rs_error *err);

/* Decrypts a bundle into a file of `directory`, named by its address, with the receipt beside it.
 * key    the recipient's
 * trust  whom to believe: the log that the receipt is of, and witnesses
 * errors RS_DENIED: it was sealed to another key; RS_ALTERED */
enum rs_code rs_bundle_open(const struct rs_world *world, const char *path, const struct rs_signing_key *key,
                            const struct rs_trust *trust, const char *directory, struct rs_proof_details *out,
                            char **out_path, struct rs_error *err);

#endif
