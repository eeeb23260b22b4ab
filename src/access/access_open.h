/* One object on its way out: what is needed to decrypt it and to know that it is what the ledger has. Whether somebody may have
 * it is decided before (access_retrieve.h, access_find.h). */
#ifndef RS_ACCESS_OPEN_H
#define RS_ACCESS_OPEN_H

#include "node/node_parts.h"

struct rs_opened {
	struct rs_cid cid;
	struct rs_buffer receipt; /* made anew: of index and ledger as they are */
	struct rs_buffer encoded; /* record borrows from it */
	struct rs_record record;
	struct rs_secret object_key;
};
/* By who has the index and the ledger; what follows needs them no more. errors  RS_NOT_FOUND: no such object, or its subject was
 * erased; RS_ALTERED */
enum rs_code rs_opened_init(struct rs_node *node, const struct rs_cid *cid, struct rs_opened *out,
                            struct rs_error *err);
void rs_opened_finish(struct rs_opened *opened); /* accepts zeroed memory */
/* Gives the content piece by piece, its end only when the ledger has it: the receipt against the node's log, the record against
 * the receipt, the whole content against the record. Pieces and leave(), which may be NULL: as of rs_vault_read_unaddressed().
 * errors  RS_ALTERED */
enum rs_code rs_opened_read(const struct rs_node *node, const struct rs_opened *opened, rs_vault_take *take,
                            void (*leave)(void *context), void *context, struct rs_error *err);

#endif
