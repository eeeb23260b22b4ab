/* Secrets: wiping, comparing without telling by time where the difference lies, random keys;
 * and the start of both libraries. */
#include "crypto/crypto.h"

#include <openssl/crypto.h>
#include <sodium.h>
#include <stddef.h>

void rs_wipe(void *data, size_t size)
{
	if (size > 0)
		sodium_memzero(data, size);
}

bool rs_equal_constant_time(const void *a, const void *b, size_t size)
{
	return size == 0 || sodium_memcmp(a, b, size) == 0;
}

void rs_secret_finish(struct rs_secret *secret)
{
	if (secret != NULL)
		rs_wipe(secret, sizeof(*secret));
}

void rs_secret_buffer_finish(struct rs_buffer *buffer)
{
	if (buffer == NULL)
		return;
	if (buffer->data != NULL)
		rs_wipe(buffer->data, buffer->capacity);
	rs_buffer_finish(buffer);
}

void *rs_secret_allocate(size_t size)
{
	/* Blocks end at a guard page: a whole number of the strictest alignment keeps them aligned. */
	size_t rounded = (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
	/* Before rs_crypto_init(), too; asked again it does nothing. */
	void *secrets = sodium_init() < 0 ? NULL : sodium_malloc(rounded);
	if (secrets != NULL)
		sodium_memzero(secrets, rounded);
	return secrets;
}

void rs_secret_free(void *secrets) { sodium_free(secrets); }

enum rs_code rs_secret_random(const struct rs_world *world, struct rs_secret *out, struct rs_error *err)
{
	struct rs_secret secret RS_CLEANUP(rs_secret_finish) = {0};
	RS_TRY(rs_world_random(world, secret.bytes, sizeof(secret.bytes), err));
	*out = secret;
	return RS_OK;
}

enum rs_code rs_crypto_init(struct rs_error *err)
{
	if (sodium_init() < 0)
		return rs_error_set(err, RS_INTERNAL,
		                    "libsodium cannot be initialised; is it installed whole?");
	if (OPENSSL_init_crypto(0, NULL) != 1)
		return rs_error_set(err, RS_INTERNAL,
		                    "OpenSSL cannot be initialised; look at its openssl.cnf");
	return RS_OK;
}
