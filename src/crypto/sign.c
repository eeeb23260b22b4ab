/* Ed25519 signatures and X25519 sealed boxes over libsodium. Its verification was measured to
 * be faster than OpenSSL 3.0's, and it refuses non-canonical signatures and weak keys. */
#include "crypto/crypto.h"

#include <sodium.h>

_Static_assert(crypto_sign_SEEDBYTES == RS_KEY_SIZE, "Ed25519 seed");
_Static_assert(crypto_sign_BYTES == RS_SIGNATURE_SIZE, "Ed25519 signature");
_Static_assert(crypto_sign_SECRETKEYBYTES == 64, "seed and public key");
_Static_assert(crypto_box_SEALBYTES == RS_SEAL_OVERHEAD, "sealed box");
_Static_assert(crypto_box_SECRETKEYBYTES == RS_KEY_SIZE, "X25519 key");

void rs_signing_key_from_seed(const struct rs_secret *seed, struct rs_signing_key *out)
{
	if (seed != &out->seed)
		out->seed = *seed;
	/* Cannot fail: it is SHA-512 and one multiplication. */
	(void)crypto_sign_seed_keypair(out->public_key, out->expanded, seed->bytes);
}

void rs_signing_key_finish(struct rs_signing_key *key)
{
	if (key != NULL)
		rs_wipe(key, sizeof(*key));
}

void rs_sign(const struct rs_signing_key *key, struct rs_bytes message, uint8_t out[static RS_SIGNATURE_SIZE])
{
	(void)crypto_sign_detached(out, NULL, message.data, message.size, key->expanded);
}

bool rs_signature_valid(const uint8_t public_key[static RS_KEY_SIZE], struct rs_bytes message,
                        const uint8_t signature[static RS_SIGNATURE_SIZE])
{
	return crypto_sign_verify_detached(signature, message.data, message.size, public_key) == 0;
}

void rs_seal_public_key(const struct rs_secret *secret, uint8_t out[static RS_KEY_SIZE])
{
	(void)crypto_scalarmult_base(out, secret->bytes);
}

enum rs_code rs_seal_to(const uint8_t public_key[static RS_KEY_SIZE], struct rs_bytes plain,
                        struct rs_buffer *out, struct rs_error *err)
{
	size_t total;
	if (!rs_add_size(plain.size, RS_SEAL_OVERHEAD, &total))
		return rs_error_set(err, RS_TOO_LARGE, "a sealed box of %zu bytes is too large", plain.size);
	if (rs_buffer_reserve(out, total) != RS_OK)
		return rs_buffer_check(out, "a sealed box", err);
	/* A public key of small order would seal to everybody; libsodium refuses it. */
	if (crypto_box_seal(out->data + out->size, plain.data, plain.size, public_key) != 0)
		return rs_error_set(err, RS_REFUSED,
		                    "the public key to seal to is weak (small order); "
		                    "ask its owner for another");
	out->size += total;
	return RS_OK;
}

enum rs_code rs_seal_open(const struct rs_secret *secret, struct rs_bytes sealed, struct rs_buffer *out,
                          struct rs_error *err)
{
	uint8_t public_key[RS_KEY_SIZE];
	uint8_t *place;

	if (sealed.size < RS_SEAL_OVERHEAD)
		return rs_error_set(err, RS_ALTERED, "a sealed box has %zu bytes, at least %d are needed",
		                    sealed.size, RS_SEAL_OVERHEAD);
	if (rs_buffer_reserve(out, sealed.size - RS_SEAL_OVERHEAD) != RS_OK)
		return rs_buffer_check(out, "an opened box", err);
	rs_seal_public_key(secret, public_key);
	place = sealed.size > RS_SEAL_OVERHEAD ? out->data + out->size : NULL;
	if (crypto_box_seal_open(place, sealed.data, sealed.size, public_key, secret->bytes) != 0)
		return rs_error_set(err, RS_ALTERED,
		                    "a sealed box does not open: it is not what was "
		                    "sealed, or was sealed to another key");
	out->size += sealed.size - RS_SEAL_OVERHEAD;
	return RS_OK;
}

bool rs_seal_public_key_of_signer(const uint8_t public_key[static RS_KEY_SIZE],
                                  uint8_t out[static RS_KEY_SIZE])
{
	return crypto_sign_ed25519_pk_to_curve25519(out, public_key) == 0;
}

void rs_seal_secret_of_signer(const struct rs_signing_key *key, struct rs_secret *out)
{
	(void)crypto_sign_ed25519_sk_to_curve25519(out->bytes, key->expanded);
}
