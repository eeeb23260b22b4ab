/* One that is kept in quarantine. */
#ifndef RS_DEVICES_HELD_H
#define RS_DEVICES_HELD_H

#include "store.h"

struct held {
	struct rs_buffer message;
	struct rs_envelope envelope; /* borrows from message */
	struct rs_digest digest;
	struct rs_cid cid;
	bool has_object;
	uint8_t nonce[RS_OBJECT_NONCE_SIZE];
};
void held_finish(struct held *held); /* accepts zeroed memory */
/* RS_NOT_FOUND */
enum rs_code held_find(struct devices *devices, uint64_t id, struct held *out, struct rs_error *err);
/* Its content: a data set. */
enum rs_code held_read(struct devices *devices, const struct held *held, rs_vault_take *take, void *context,
                       struct rs_error *err);
/* RS_REFUSED: who may decide what becomes of it, others may not. */
enum rs_code held_check_permitted(struct rs_node *node, const struct rs_actor *actor, struct rs_error *err);

#endif
