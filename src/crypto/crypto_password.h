/* What people bring: passwords (Argon2id) and one-time codes (RFC 4226, RFC 6238). */
#ifndef RS_CRYPTO_PASSWORD_H
#define RS_CRYPTO_PASSWORD_H

#include "crypto/crypto.h"

/* How much work one guess of a password is: kept beside what was made with it. */
struct rs_password_cost {
	uint64_t passes, memory; /* bytes */
};
/* RFC 9106 §4, second recommended option: 3 passes over 64 MiB. */
#define RS_PASSWORD_COST ((struct rs_password_cost){3, (uint64_t)64 << 20})
#define RS_PASSWORD_SALT_SIZE 16

/* errors  RS_REFUSED: a cost that nobody who means well asks for (over 16 passes or 1 GiB); RS_NO_MEMORY */
enum rs_code rs_password_key(const struct rs_password_cost *cost,
                             const uint8_t salt[static RS_PASSWORD_SALT_SIZE], struct rs_bytes password,
                             struct rs_secret *out, struct rs_error *err);

/* HOTP (RFC 4226) with HMAC-SHA-1, 6 digits, as authenticator apps have it; 0 … 999999. */
uint32_t rs_one_time_code(struct rs_bytes secret, uint64_t counter);

#endif
