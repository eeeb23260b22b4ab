/* Signed tokens of identity providers (JWT, RFC 7519, signed by RFC 7515) and the keys that they publish (RFC 7517). */
#ifndef RS_ACCOUNT_JWT_H
#define RS_ACCOUNT_JWT_H

#include <jansson.h>

#include "crypto/crypto_jws.h"

#define RS_JWT_SIZE_MAX ((size_t)16 * 1024)
#define RS_JWKS_SIZE_MAX ((size_t)256 * 1024)
#define RS_JWKS_KEYS_MAX 64
#define RS_JWT_KID_MAX 256

struct rs_jwks;
/* Keys for signatures by RS256, ES256 and EdDSA; others are passed over.
 * errors  RS_MALFORMED; RS_NOT_FOUND: there is none among them */
enum rs_code rs_jwks_parse(struct rs_bytes json, struct rs_jwks **out, struct rs_error *err);
void rs_jwks_free(struct rs_jwks *keys); /* accepts NULL */
size_t rs_jwks_count(const struct rs_jwks *keys);

struct rs_jwt_expectation {
	const char *issuer, *audience; /* both have to be met */
	uint64_t now_ms, skew_ms;
};
/* The claims of a token that one of the keys signed, for us, now; json_decref() them. `alg` is one of three, whatever the header
 * says; header parameters that bring or point to keys are not looked at, critical ones are refused.
 * errors  RS_DENIED: it is not to be believed, and why; RS_NOT_FOUND: signed by a key that is not among them (perhaps a new
 *         one); RS_MALFORMED: no such token */
enum rs_code rs_jwt_check(struct rs_str token, const struct rs_jwks *keys,
                          const struct rs_jwt_expectation *expectation, json_t **out_claims,
                          struct rs_error *err);
/* The token's issuer, before anything of it is checked: which keys to look for. */
enum rs_code rs_jwt_issuer(struct rs_str token, char *out, size_t size, struct rs_error *err);

#endif
