/* The bytes of an object's file. */
#ifndef RS_VAULT_OBJECT_H
#define RS_VAULT_OBJECT_H

#include "vault/vault.h"

#define STORED_CHUNK_SIZE (RS_OBJECT_CHUNK_SIZE + RS_GCM_TAG_SIZE)

struct object_header {
	uint8_t nonce[RS_OBJECT_NONCE_SIZE];
	uint64_t size; /* of the content */
	uint8_t bytes[RS_OBJECT_HEADER_SIZE];
};

void object_header_make(struct object_header *header, const uint8_t nonce[static RS_OBJECT_NONCE_SIZE],
                        uint64_t size);
/* Strict: every byte of the header has one allowed value, and stored_size follows from it. */
enum rs_code object_header_parse(struct rs_bytes bytes, uint64_t stored_size, struct object_header *out,
                                 struct rs_error *err);
uint64_t object_chunk_count(uint64_t size); /* at least 1: an empty object has one empty chunk */
/* out holds plain.size + RS_GCM_TAG_SIZE bytes. */
enum rs_code object_encrypt_chunk(struct rs_gcm *gcm, const struct object_header *header, uint64_t chunk,
                                  struct rs_bytes plain, uint8_t *out, struct rs_error *err);
/* out holds stored.size - RS_GCM_TAG_SIZE bytes. RS_ALTERED names the chunk. */
enum rs_code object_decrypt_chunk(struct rs_gcm *gcm, const struct object_header *header, uint64_t chunk,
                                  struct rs_bytes stored, uint8_t *out, struct rs_error *err);

#endif
