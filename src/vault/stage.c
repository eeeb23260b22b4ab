/* Objects on their way in: encrypted chunk by chunk under a temporary name, then named. */
#include "places.h"

#include <string.h>

struct rs_vault_staged {
	char *path; /* in the staging directory */
	struct rs_file *file;
	struct rs_cid cid;
	bool is_synced;
	bool is_named, is_new; /* set by publishing */
};

static void staged_free(struct rs_vault_staged *staged)
{
	if (!staged)
		return;
	rs_file_close(staged->file);
	rs_free(staged->path);
	rs_free(staged);
}

void rs_vault_abort(struct rs_vault *vault, struct rs_vault_staged *staged)
{
	if (!staged)
		return;
	(void)vault->world->files->remove(vault->world->files, staged->path, NULL);
	staged_free(staged);
}

static enum rs_code staged_make(struct rs_vault *vault, unsigned flags, struct rs_vault_staged **out,
                                struct rs_error *err)
{
	struct rs_vault_staged *staged = rs_allocate(sizeof *staged);
	if (!staged)
		return rs_error_memory(err, sizeof *staged, "an object");
	enum rs_code code = staging_make(vault, flags, &staged->path, &staged->file, err);
	if (code != RS_OK) {
		staged_free(staged);
		return code;
	}
	*out = staged;
	return RS_OK;
}

/* What is encrypted and not written yet. Writes begin at aligned memory and offsets, so that they need no copy: what is
 * left over of a chunk waits here for the next one. */
struct writing {
	struct rs_file *file;
	uint64_t offset; /* of block in the file */
	uint8_t *memory, *block;
	size_t held;
	struct rs_sha256 *hash; /* of the content; NULL: nobody asks */
	struct rs_cid_builder builder;
};

static void writing_finish(struct writing *writing)
{
	rs_free(writing->memory);
	rs_cid_builder_finish(&writing->builder);
}

static enum rs_code writing_begin(struct writing *writing, struct rs_file *file, uint64_t content_size,
                                  struct rs_error *err)
{
	size_t largest = content_size < RS_OBJECT_CHUNK_SIZE ? (size_t)content_size : RS_OBJECT_CHUNK_SIZE;
	/* What is left over, then a chunk; and room to move the beginning to an aligned place. */
	size_t size = 2 * RS_UNCACHED_ALIGNMENT + RS_OBJECT_HEADER_SIZE + largest + RS_GCM_TAG_SIZE;
	writing->file = file;
	rs_cid_builder_init(&writing->builder, RS_OBJECT_CHUNK_SIZE, RS_OBJECT_LINKS);
	writing->memory = rs_reallocate(NULL, size);
	if (!writing->memory)
		return rs_error_memory(err, size, "a chunk");
	size_t past = (uintptr_t)writing->memory % RS_UNCACHED_ALIGNMENT;
	writing->block = writing->memory + (RS_UNCACHED_ALIGNMENT - past);
	return RS_OK;
}

/* Writes `size` bytes of the block, and keeps the rest. */
static enum rs_code write_out(struct writing *writing, size_t size, struct rs_error *err)
{
	if (size == 0)
		return RS_OK;
	RS_TRY(rs_file_write_at(writing->file, writing->offset, writing->block, size, err));
	writing->offset += size;
	writing->held -= size;
	memmove(writing->block, writing->block + size, writing->held);
	return RS_OK;
}

static enum rs_code write_chunk(struct writing *writing, struct rs_gcm *gcm,
                                const struct object_header *header, uint64_t chunk,
                                const struct rs_content *content, struct rs_error *err)
{
	uint64_t start = chunk * RS_OBJECT_CHUNK_SIZE, left = content->size - start;
	size_t size = left < RS_OBJECT_CHUNK_SIZE ? (size_t)left : RS_OBJECT_CHUNK_SIZE;
	uint8_t *stored = writing->block + writing->held, *cipher = stored;
	struct rs_bytes plain = {stored, 0};
	if (chunk == 0) {
		memcpy(cipher, header->bytes, RS_OBJECT_HEADER_SIZE);
		cipher += RS_OBJECT_HEADER_SIZE;
	}
	if (size)
		RS_TRY(content->read(content->context, start, size, cipher, &plain, err));
	RS_TRY(object_encrypt_chunk(gcm, header, chunk, plain, cipher, err));
	size_t stored_size = (size_t)(cipher - stored) + size + RS_GCM_TAG_SIZE;
	writing->held += stored_size;
	RS_TRY(rs_cid_builder_add_beside(&writing->builder, rs_bytes_of(stored, stored_size), writing->hash,
	                                 writing->hash ? plain : rs_bytes_of("", 0), err));
	return write_out(writing, writing->held - writing->held % RS_UNCACHED_ALIGNMENT, err);
}

/* Encrypts chunk after chunk in place, hashes it for the address and writes it. */
static enum rs_code write_object(struct writing *writing, struct rs_gcm *gcm,
                                 const struct object_header *header, const struct rs_content *content,
                                 struct rs_error *err)
{
	uint64_t chunks = object_chunk_count(header->size);
	for (uint64_t chunk = 0; chunk < chunks; chunk++)
		RS_TRY(write_chunk(writing, gcm, header, chunk, content, err));
	RS_TRY(write_out(writing, writing->held, err));
	rs_file_start_writeback(writing->file);
	return RS_OK;
}

static enum rs_code write_staged(struct rs_vault_staged *staged, const struct rs_secret *key,
                                 const struct object_header *header, const struct rs_content *content,
                                 struct rs_sha256 *hash, struct rs_error *err)
{
	struct rs_gcm *gcm RS_CLEANUP(rs_gcm_destroy_pointer) = NULL;
	struct writing writing RS_CLEANUP(writing_finish) = {.hash = hash};
	RS_TRY(rs_gcm_create(key->bytes, &gcm, err));
	RS_TRY(writing_begin(&writing, staged->file, content->size, err));
	RS_TRY(write_object(&writing, gcm, header, content, err));
	return rs_cid_builder_final(&writing.builder, &staged->cid, err);
}

enum rs_code rs_vault_stage_content(struct rs_vault *vault, const struct rs_secret *key,
                                    const uint8_t nonce[static RS_OBJECT_NONCE_SIZE],
                                    const struct rs_content *content, struct rs_vault_staged **out,
                                    struct rs_cid *out_cid, struct rs_error *err)
{
	return rs_vault_stage_hashing(vault, key, nonce, content, NULL, out, out_cid, err);
}

enum rs_code rs_vault_stage_hashing(struct rs_vault *vault, const struct rs_secret *key,
                                    const uint8_t nonce[static RS_OBJECT_NONCE_SIZE],
                                    const struct rs_content *content, struct rs_sha256 *hash,
                                    struct rs_vault_staged **out, struct rs_cid *out_cid,
                                    struct rs_error *err)
{
	struct rs_vault_staged *staged = NULL;
	struct object_header header;
	RS_TRY(staged_make(vault, RS_OPEN_WRITE | RS_OPEN_UNCACHED, &staged, err));
	object_header_make(&header, nonce, content->size);
	enum rs_code code = write_staged(staged, key, &header, content, hash, err);
	if (code != RS_OK) {
		rs_vault_abort(vault, staged);
		return code;
	}
	*out = staged;
	*out_cid = staged->cid;
	return RS_OK;
}

static enum rs_code read_memory(void *context, uint64_t offset, size_t size, uint8_t *scratch RS_UNUSED,
                                struct rs_bytes *out, struct rs_error *err RS_UNUSED)
{
	const struct rs_bytes *content = context;
	*out = rs_bytes_of(content->data + offset, size);
	return RS_OK;
}

enum rs_code rs_vault_stage(struct rs_vault *vault, const struct rs_secret *key,
                            const uint8_t nonce[static RS_OBJECT_NONCE_SIZE], struct rs_bytes content,
                            struct rs_vault_staged **out, struct rs_cid *out_cid, struct rs_error *err)
{
	struct rs_content in_memory = {content.size, read_memory, &content};
	return rs_vault_stage_content(vault, key, nonce, &in_memory, out, out_cid, err);
}

static enum rs_code write_piece(void *context, uint64_t offset, struct rs_bytes piece, struct rs_error *err)
{
	return rs_file_write_at(context, offset, piece.data, piece.size, err);
}

static enum rs_code write_stored(struct rs_vault_staged *staged, const struct rs_content *stored,
                                 struct rs_error *err)
{
	struct rs_cid_builder builder RS_CLEANUP(rs_cid_builder_finish) = {0};
	rs_cid_builder_init(&builder, RS_OBJECT_CHUNK_SIZE, RS_OBJECT_LINKS);
	RS_TRY(content_walk(stored, &staged->cid, &builder, write_piece, staged->file, err));
	rs_file_start_writeback(staged->file);
	return RS_OK;
}

enum rs_code rs_vault_stage_stored(struct rs_vault *vault, const struct rs_cid *cid,
                                   const struct rs_content *stored, struct rs_vault_staged **out,
                                   struct rs_error *err)
{
	struct rs_vault_staged *staged = NULL;
	RS_TRY(staged_make(vault, RS_OPEN_WRITE, &staged, err));
	staged->cid = *cid;
	enum rs_code code = write_stored(staged, stored, err);
	if (code != RS_OK) {
		rs_vault_abort(vault, staged);
		return code;
	}
	*out = staged;
	return RS_OK;
}

/* *out_new: the address was not in use. An object that is there is replaced by the same bytes. */
static enum rs_code give_name(struct rs_vault *vault, const struct rs_vault_staged *staged, bool *out_new,
                              struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(object_path(vault, &staged->cid, &path, err));
	*out_new = !rs_path_exists(vault->world, path);
	return vault->world->files->rename(vault->world->files, staged->path, path, err);
}

static enum rs_code sync_names(struct rs_vault *vault, struct rs_pool *pool,
                               struct rs_vault_staged *const *staged, size_t count, struct rs_error *err)
{
	uint32_t touched = 0;
	for (size_t i = 0; i < count; i++)
		touched |= UINT32_C(1) << rs_cid_shard(&staged[i]->cid);
	return rs_shards_sync(vault->world, pool, vault->objects, touched, err);
}

/* Names all; after a failure takes back what was new, and only that: an address that was in use
 * before belongs to somebody who was told that it is durable. */
static enum rs_code name_all(struct rs_vault *vault, struct rs_pool *pool, struct rs_vault_staged **staged,
                             size_t count, struct rs_error *err)
{
	enum rs_code code = RS_OK;
	for (size_t i = 0; code == RS_OK && i < count; i++) {
		code = give_name(vault, staged[i], &staged[i]->is_new, err);
		staged[i]->is_named = code == RS_OK;
	}
	if (code == RS_OK)
		code = sync_names(vault, pool, staged, count, err);
	for (size_t i = 0; code != RS_OK && i < count; i++)
		if (staged[i]->is_named && staged[i]->is_new)
			(void)object_remove(vault, &staged[i]->cid, NULL);
	return code;
}

enum rs_code rs_vault_sync(struct rs_vault_staged *staged, struct rs_error *err)
{
	if (!staged->is_synced)
		RS_TRY(rs_file_sync(staged->file, err));
	staged->is_synced = true;
	return RS_OK;
}

static enum rs_code sync_content(void *context, size_t index, struct rs_error *err)
{
	struct rs_vault_staged *const *staged = context;
	return rs_vault_sync(staged[index], err);
}

enum rs_code rs_vault_publish(struct rs_vault *vault, struct rs_pool *pool, struct rs_vault_staged **staged,
                              size_t count, struct rs_error *err)
{
	/* Before the names: an address in use before keeps whole bytes at any moment. */
	enum rs_code code = rs_pool_for(pool, count, sync_content, staged, err);
	if (code == RS_OK) {
		pthread_mutex_lock(&vault->naming);
		code = name_all(vault, pool, staged, count, err);
		pthread_mutex_unlock(&vault->naming);
	}
	for (size_t i = 0; i < count; i++)
		if (staged[i]->is_named)
			staged_free(staged[i]);
		else
			rs_vault_abort(vault, staged[i]);
	return code;
}
