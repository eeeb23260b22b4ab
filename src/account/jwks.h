/* What tokens and sets of keys share. */
#ifndef ACCOUNT_JWKS_H
#define ACCOUNT_JWKS_H

#include "account/account_jwt.h"

/* RFC 4648 §5 without padding; strict as rs_base64_decode(). out holds at least text.size bytes. */
bool base64url_decode(struct rs_str text, uint8_t *out, size_t *out_size);
/* kid NULL: the only key for the algorithm. RS_NOT_FOUND */
enum rs_code jwks_find(const struct rs_jwks *keys, enum rs_jws_algorithm algorithm, const char *kid,
                       const struct rs_jws_key **out, struct rs_error *err);

#endif
