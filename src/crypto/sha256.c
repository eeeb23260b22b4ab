/* SHA-256, HMAC and HKDF. OpenSSL's low-level SHA256_* calls are used although OpenSSL 3
 * calls them old: they keep their state in the caller's memory, so hashing never allocates
 * and cannot fail, and they reach the processor's SHA instructions like the new ones. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/crypto.h"

#include <assert.h>
#include <openssl/sha.h>
#include <string.h>

#define BLOCK_SIZE 64

_Static_assert(sizeof(SHA256_CTX) <= sizeof(((struct rs_sha256 *)0)->state), "state is too small");
_Static_assert(_Alignof(SHA256_CTX) <= 16, "state is not aligned enough");

static SHA256_CTX *context_of(struct rs_sha256 *hash) { return (SHA256_CTX *)(void *)hash->state; }

bool rs_digest_equal(const struct rs_digest *a, const struct rs_digest *b)
{
	return rs_equal_constant_time(a->bytes, b->bytes, sizeof(a->bytes));
}

void rs_sha256_init(struct rs_sha256 *hash) { SHA256_Init(context_of(hash)); }

void rs_sha256_update(struct rs_sha256 *hash, const void *data, size_t size)
{
	if (size > 0)
		SHA256_Update(context_of(hash), data, size);
}

void rs_sha256_final(struct rs_sha256 *hash, struct rs_digest *out)
{
	SHA256_Final(out->bytes, context_of(hash));
}

void rs_sha256(struct rs_bytes data, struct rs_digest *out)
{
	struct rs_sha256 hash;
	rs_sha256_init(&hash);
	rs_sha256_update(&hash, data.data, data.size);
	rs_sha256_final(&hash, out);
}

/* RFC 2104: both hashes, having eaten the padded key. HKDF copies them for each block, so
 * that the key is padded and hashed once. */
struct hmac {
	struct rs_sha256 inner, outer;
};

static void hmac_finish(struct hmac *hmac) { rs_wipe(hmac, sizeof(*hmac)); }

static void hmac_init(struct hmac *hmac, struct rs_bytes key)
{
	struct rs_digest short_key;
	uint8_t pad[BLOCK_SIZE] = {0};

	if (key.size > BLOCK_SIZE) {
		rs_sha256(key, &short_key);
		memcpy(pad, short_key.bytes, sizeof(short_key.bytes));
		rs_wipe(&short_key, sizeof(short_key));
	} else if (key.size > 0) {
		memcpy(pad, key.data, key.size);
	}
	for (size_t i = 0; i < BLOCK_SIZE; i++)
		pad[i] ^= 0x36;
	rs_sha256_init(&hmac->inner);
	rs_sha256_update(&hmac->inner, pad, BLOCK_SIZE);
	for (size_t i = 0; i < BLOCK_SIZE; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	rs_sha256_init(&hmac->outer);
	rs_sha256_update(&hmac->outer, pad, BLOCK_SIZE);
	rs_wipe(pad, sizeof(pad));
}

static void hmac_final(struct hmac *hmac, struct rs_digest *out)
{
	struct rs_digest inner;
	rs_sha256_final(&hmac->inner, &inner);
	rs_sha256_update(&hmac->outer, inner.bytes, sizeof(inner.bytes));
	rs_sha256_final(&hmac->outer, out);
	rs_wipe(&inner, sizeof(inner));
}

void rs_hmac_sha256_parts(struct rs_bytes key, const struct rs_bytes *parts, size_t count,
                          struct rs_digest *out)
{
	struct hmac hmac RS_CLEANUP(hmac_finish);
	hmac_init(&hmac, key);
	for (size_t i = 0; i < count; i++)
		rs_sha256_update(&hmac.inner, parts[i].data, parts[i].size);
	hmac_final(&hmac, out);
}

void rs_hmac_sha256(struct rs_bytes key, struct rs_bytes data, struct rs_digest *out)
{
	rs_hmac_sha256_parts(key, &data, 1, out);
}

void rs_hkdf_sha256(struct rs_bytes key, struct rs_bytes salt, struct rs_bytes info, uint8_t *out,
                    size_t out_size)
{
	struct hmac keyed RS_CLEANUP(hmac_finish), hmac RS_CLEANUP(hmac_finish);
	struct rs_digest block;

	/* RFC 5869 §2.3: the counter is one byte. */
	assert(out_size <= (size_t)255 * RS_SHA256_SIZE);
	rs_hmac_sha256(salt, key, &block);
	hmac_init(&keyed, rs_bytes_of(block.bytes, sizeof(block.bytes)));
	for (size_t done = 0, counter = 1; done < out_size; counter++) {
		uint8_t counter_byte = (uint8_t)counter;
		size_t size = out_size - done;
		if (size > RS_SHA256_SIZE)
			size = RS_SHA256_SIZE;
		hmac = keyed;
		if (counter > 1)
			rs_sha256_update(&hmac.inner, block.bytes, sizeof(block.bytes));
		rs_sha256_update(&hmac.inner, info.data, info.size);
		rs_sha256_update(&hmac.inner, &counter_byte, 1);
		hmac_final(&hmac, &block);
		memcpy(out + done, block.bytes, size);
		done += size;
	}
	rs_wipe(&block, sizeof(block));
}
