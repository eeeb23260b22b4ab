/* Header and chunks of an object's file. */
#include "object.h"

#include <inttypes.h>
#include <string.h>

static const char magic[16] = {'r', 'a', 'd', 's', 'e', 'a', 'l', ' ',
                               'o', 'b', 'j', 'e', 'c', 't', ' ', '1'};

void object_header_make(struct object_header *header, const uint8_t nonce[static RS_OBJECT_NONCE_SIZE],
                        uint64_t size)
{
	*header = (struct object_header){.size = size};
	memcpy(header->nonce, nonce, sizeof header->nonce);
	memcpy(header->bytes, magic, sizeof magic);
	memcpy(header->bytes + 16, nonce, sizeof header->nonce);
	rs_write_be64(header->bytes + 32, size);
	rs_write_be32(header->bytes + 40, (uint32_t)RS_OBJECT_CHUNK_SIZE);
}

uint64_t object_chunk_count(uint64_t size)
{
	uint64_t count = size / RS_OBJECT_CHUNK_SIZE + (size % RS_OBJECT_CHUNK_SIZE != 0);
	return count ? count : 1;
}

uint64_t rs_vault_stored_size(uint64_t content_size)
{
	return RS_OBJECT_HEADER_SIZE + content_size + object_chunk_count(content_size) * RS_GCM_TAG_SIZE;
}

enum rs_code object_header_parse(struct rs_bytes bytes, uint64_t stored_size, struct object_header *out,
                                 struct rs_error *err)
{
	struct object_header expected;
	if (bytes.size < RS_OBJECT_HEADER_SIZE || memcmp(bytes.data, magic, sizeof magic) != 0)
		return rs_error_set(err, RS_ALTERED, "the stored bytes do not begin like an object");
	uint64_t size = rs_read_be64(bytes.data + 32);
	object_header_make(&expected, bytes.data + 16, size);
	if (memcmp(expected.bytes, bytes.data, RS_OBJECT_HEADER_SIZE) != 0)
		return rs_error_set(err, RS_ALTERED, "the object's header was altered");
	if (size > UINT64_MAX / 2 || rs_vault_stored_size(size) != stored_size)
		return rs_error_set(err, RS_ALTERED,
		                    "the object has %" PRIu64
		                    " bytes, its header announces content of %" PRIu64,
		                    stored_size, size);
	*out = expected;
	return RS_OK;
}

static void chunk_nonce(const struct object_header *header, uint64_t chunk, uint8_t out[RS_GCM_NONCE_SIZE])
{
	rs_write_be64(out, chunk);
	rs_write_be32(out + 8, chunk + 1 == object_chunk_count(header->size));
}

enum rs_code object_encrypt_chunk(struct rs_gcm *gcm, const struct object_header *header, uint64_t chunk,
                                  struct rs_bytes plain, uint8_t *out, struct rs_error *err)
{
	uint8_t nonce[RS_GCM_NONCE_SIZE];
	chunk_nonce(header, chunk, nonce);
	return rs_gcm_encrypt(gcm, nonce, rs_bytes_of(header->bytes, sizeof header->bytes), plain, out,
	                      out + plain.size, err);
}

enum rs_code object_decrypt_chunk(struct rs_gcm *gcm, const struct object_header *header, uint64_t chunk,
                                  struct rs_bytes stored, uint8_t *out, struct rs_error *err)
{
	uint8_t nonce[RS_GCM_NONCE_SIZE];
	chunk_nonce(header, chunk, nonce);
	size_t size = stored.size - RS_GCM_TAG_SIZE;
	enum rs_code code = rs_gcm_decrypt(gcm, nonce, rs_bytes_of(header->bytes, sizeof header->bytes),
	                                   rs_bytes_of(stored.data, size), out, stored.data + size, err);
	if (code != RS_OK)
		rs_error_context(err, "chunk %" PRIu64, chunk);
	return code; /* rs_error_context() has none to give when err is NULL */
}
