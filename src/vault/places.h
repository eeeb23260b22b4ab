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

/* A new file in the staging place, locked as long as it is open: cleaning tells by that what another process works at from what
 * a crash left. *out_path is a new text. */
enum rs_code staging_make(const struct rs_vault *vault, unsigned flags, char **out_path, struct rs_file **out,
                          struct rs_error *err);
/* *out is a new text. errors  RS_NO_MEMORY */
enum rs_code object_path(const struct rs_vault *vault, const struct rs_cid *cid, char **out,
                         struct rs_error *err);
/* The name goes; the directory is not synced. */
enum rs_code object_remove(struct rs_vault *vault, const struct rs_cid *cid, struct rs_error *err);

/* Puts the address before the sentence of RS_ALTERED, and gives the code back. */
enum rs_code name_object(const struct rs_cid *cid, enum rs_code code, struct rs_error *err);
/* Reads content piece by piece into `take` (may be NULL) and the builder. RS_ALTERED when the address is another one then. */
typedef enum rs_code content_take(void *context, uint64_t offset, struct rs_bytes piece,
                                  struct rs_error *err);
enum rs_code content_walk(const struct rs_content *bytes, const struct rs_cid *cid,
                          struct rs_cid_builder *builder, content_take *take, void *context,
                          struct rs_error *err);

#endif
