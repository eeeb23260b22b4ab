/* Spools: chunks encrypted under a key of this moment, in the staging directory, read back in order. */
#include "places.h"

#include <string.h>

#define NO_CHUNK UINT64_MAX

struct rs_spool {
	struct rs_vault *vault;
	char *path;
	struct rs_file *file;
	struct rs_gcm *gcm;
	uint8_t *plain, *stored; /* one chunk each */
	size_t held;             /* bytes of `plain` that are not in the file */
	uint64_t size, chunk;    /* chunk: the one that lies in `plain` while reading */
};

void rs_spool_destroy(struct rs_spool *spool)
{
	if (!spool)
		return;
	if (spool->file)
		(void)spool->vault->world->files->remove(spool->vault->world->files, spool->path, NULL);
	rs_file_close(spool->file);
	rs_gcm_destroy(spool->gcm);
	rs_free(spool->plain);
	rs_free(spool->stored);
	rs_free(spool->path);
	rs_free(spool);
}

static enum rs_code spool_open(struct rs_spool *spool, struct rs_error *err)
{
	const struct rs_world *world = spool->vault->world;
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	spool->plain = rs_reallocate(NULL, RS_OBJECT_CHUNK_SIZE);
	spool->stored = rs_reallocate(NULL, STORED_CHUNK_SIZE);
	if (!spool->plain || !spool->stored)
		return rs_error_memory(err, STORED_CHUNK_SIZE, "a spool");
	RS_TRY(rs_secret_random(world, &key, err));
	RS_TRY(rs_gcm_create(key.bytes, &spool->gcm, err));
	return staging_make(spool->vault, RS_OPEN_READ | RS_OPEN_WRITE, &spool->path, &spool->file, err);
}

enum rs_code rs_spool_create(struct rs_vault *vault, struct rs_spool **out, struct rs_error *err)
{
	struct rs_spool *spool = rs_allocate(sizeof *spool);
	if (!spool)
		return rs_error_memory(err, sizeof *spool, "a spool");
	spool->vault = vault;
	spool->chunk = NO_CHUNK;
	enum rs_code code = spool_open(spool, err);
	if (code != RS_OK) {
		rs_spool_destroy(spool);
		return code;
	}
	*out = spool;
	return RS_OK;
}

static void chunk_nonce(uint64_t chunk, uint8_t out[static RS_GCM_NONCE_SIZE])
{
	memset(out, 0, RS_GCM_NONCE_SIZE);
	rs_write_be64(out, chunk);
}

static enum rs_code write_chunk(struct rs_spool *spool, struct rs_error *err)
{
	uint64_t chunk = (spool->size - spool->held) / RS_OBJECT_CHUNK_SIZE;
	uint8_t nonce[RS_GCM_NONCE_SIZE], none[1];
	chunk_nonce(chunk, nonce);
	RS_TRY(rs_gcm_encrypt(spool->gcm, nonce, rs_bytes_of(none, 0), rs_bytes_of(spool->plain, spool->held),
	                      spool->stored, spool->stored + spool->held, err));
	RS_TRY(rs_file_write_at(spool->file, chunk * STORED_CHUNK_SIZE, spool->stored,
	                        spool->held + RS_GCM_TAG_SIZE, err));
	spool->held = 0;
	return RS_OK;
}

enum rs_code rs_spool_add(struct rs_spool *spool, struct rs_bytes bytes, struct rs_error *err)
{
	while (bytes.size > 0) {
		size_t room = RS_OBJECT_CHUNK_SIZE - spool->held,
		       size = bytes.size < room ? bytes.size : room;
		memcpy(spool->plain + spool->held, bytes.data, size);
		spool->held += size;
		spool->size += size;
		bytes.data += size;
		bytes.size -= size;
		if (spool->held == RS_OBJECT_CHUNK_SIZE)
			RS_TRY(write_chunk(spool, err));
	}
	return RS_OK;
}

static enum rs_code read_chunk(struct rs_spool *spool, uint64_t chunk, struct rs_error *err)
{
	uint64_t left = spool->size - chunk * RS_OBJECT_CHUNK_SIZE;
	size_t size = left < RS_OBJECT_CHUNK_SIZE ? (size_t)left : RS_OBJECT_CHUNK_SIZE, got;
	uint8_t nonce[RS_GCM_NONCE_SIZE], none[1];
	chunk_nonce(chunk, nonce);
	RS_TRY(rs_file_read_at(spool->file, chunk * STORED_CHUNK_SIZE, spool->stored, size + RS_GCM_TAG_SIZE,
	                       &got, err));
	if (got != size + RS_GCM_TAG_SIZE)
		return rs_error_set(err, RS_IO, "%s: is shorter than what was written", spool->path);
	spool->chunk = NO_CHUNK;
	RS_TRY(rs_gcm_decrypt(spool->gcm, nonce, rs_bytes_of(none, 0), rs_bytes_of(spool->stored, size),
	                      spool->plain, spool->stored + size, err));
	spool->chunk = chunk;
	return RS_OK;
}

enum rs_code rs_spool_read(struct rs_spool *spool, uint64_t offset, void *out, size_t size,
                           struct rs_error *err)
{
	uint8_t *to = out;
	if (offset > spool->size || size > spool->size - offset)
		return rs_error_set(err, RS_IO, "a spool has %llu bytes", (unsigned long long)spool->size);
	if (spool->held > 0)
		RS_TRY(write_chunk(spool, err));
	while (size > 0) {
		size_t within = (size_t)(offset % RS_OBJECT_CHUNK_SIZE), room = RS_OBJECT_CHUNK_SIZE - within;
		size_t part = size < room ? size : room;
		if (spool->chunk != offset / RS_OBJECT_CHUNK_SIZE)
			RS_TRY(read_chunk(spool, offset / RS_OBJECT_CHUNK_SIZE, err));
		memcpy(to, spool->plain + within, part);
		to += part;
		offset += part;
		size -= part;
	}
	return RS_OK;
}
