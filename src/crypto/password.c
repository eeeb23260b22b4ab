/* Argon2id by libsodium, one-time codes by OpenSSL's HMAC. */
#include "crypto/crypto_password.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#define PASSES_MAX 16
#define MEMORY_MIN 8192
#define MEMORY_MAX ((uint64_t)1 << 30)
#define SHA1_SIZE 20
#define CODES 1000000 /* six digits */

_Static_assert(RS_PASSWORD_SALT_SIZE == crypto_pwhash_SALTBYTES, "Argon2id salt");

enum rs_code rs_password_key(const struct rs_password_cost *cost,
                             const uint8_t salt[static RS_PASSWORD_SALT_SIZE], struct rs_bytes password,
                             struct rs_secret *out, struct rs_error *err)
{
	if (cost->passes < 1 || cost->passes > PASSES_MAX || cost->memory < MEMORY_MIN ||
	    cost->memory > MEMORY_MAX)
		return rs_error_set(
			err, RS_REFUSED,
			"the password's Argon2id asks for %llu passes over %llu bytes, which radseal "
			"never does",
			(unsigned long long)cost->passes, (unsigned long long)cost->memory);
	if (crypto_pwhash(out->bytes, sizeof out->bytes, (const char *)password.data, password.size, salt,
	                  cost->passes, (size_t)cost->memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return rs_error_memory(err, (size_t)cost->memory, "Argon2id");
	return RS_OK;
}

uint32_t rs_one_time_code(struct rs_bytes secret, uint64_t counter)
{
	uint8_t text[8], mac[SHA1_SIZE];
	unsigned size = 0;
	rs_write_be64(text, counter);
	/* Cannot fail for keys of a size that an int holds: it is SHA-1 over two blocks. */
	const void *made = HMAC(EVP_sha1(), secret.data, (int)secret.size, text, sizeof text, mac, &size);
	assert(made && size == SHA1_SIZE);
	uint32_t number = rs_read_be32(mac + (mac[SHA1_SIZE - 1] & 15)) & 0x7fffffff;
	rs_wipe(mac, sizeof mac);
	return number % CODES;
}
