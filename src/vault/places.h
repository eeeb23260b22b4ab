/* What the parts of the local store share: its places, and how an object's file is found and removed. */
#ifndef RS_VAULT_PLACES_H
#define RS_VAULT_PLACES_H

#include <pthread.h>

#include "object.h"

struct rs_vault {
	const struct rs_world *world;
	char *objects, *staging;
	pthread_mutex_t naming; /* held while names of objects come and go */
};

/* *out is a new text. errors  RS_NO_MEMORY */
enum rs_code object_path(const struct rs_vault *vault, const struct rs_cid *cid, char **out,
                         struct rs_error *err);
/* The name goes; the directory is not synced. */
enum rs_code object_remove(struct rs_vault *vault, const struct rs_cid *cid, struct rs_error *err);

#endif
