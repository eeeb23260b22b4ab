/* What the export of subject keys needs of their store. */
#ifndef RS_IDENTITY_SUBJECT_KEYS_H
#define RS_IDENTITY_SUBJECT_KEYS_H

#include "identity/identity.h"

struct rs_store;
struct rs_store *subject_keys_store(struct rs_subject_keys *keys);
enum rs_code subject_key_unwrap(const struct rs_subject_keys *keys, struct rs_bytes pseudonym,
                                struct rs_bytes wrapped, struct rs_secret *out, struct rs_error *err);

#endif
