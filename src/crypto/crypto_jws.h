/* Public keys and signatures of JOSE (RFC 7518, RFC 8037): what identity providers sign tokens with. Verification only. */
#ifndef RS_CRYPTO_JWS_H
#define RS_CRYPTO_JWS_H

#include "crypto/crypto.h"

/* No others, and none of them symmetric: who checks a token must not be able to make one. */
enum rs_jws_algorithm { RS_JWS_RS256 = 1, RS_JWS_ES256, RS_JWS_EDDSA };
bool rs_jws_algorithm_from_name(struct rs_str name, enum rs_jws_algorithm *out);

struct rs_jws_key;
/* RSA of 2048 to 8192 bits: modulus and exponent, big-endian; P-256: x and y of 32 bytes, which need not be a point (then no
 * signature is valid); Ed25519: 32 bytes, second empty.
 * errors  RS_MALFORMED */
enum rs_code rs_jws_key_make(enum rs_jws_algorithm algorithm, struct rs_bytes first, struct rs_bytes second,
                             struct rs_jws_key **out, struct rs_error *err);
void rs_jws_key_free(struct rs_jws_key *key); /* accepts NULL */
enum rs_jws_algorithm rs_jws_key_algorithm(const struct rs_jws_key *key);
/* Thread-safe. */
bool rs_jws_valid(const struct rs_jws_key *key, struct rs_bytes message, struct rs_bytes signature);

#endif
