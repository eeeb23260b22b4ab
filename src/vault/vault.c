/* The local store: directory/tmp for staging, directory/objects with its shards for objects. */
#include "vault/vault.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "object.h"

struct rs_vault {
	const struct rs_world *world;
	char *objects, *staging;
	pthread_mutex_t naming; /* held while names of objects come and go */
};

struct rs_vault_staged {
	char *path; /* in the staging directory */
	struct rs_file *file;
	struct rs_cid cid;
	bool is_named, is_new; /* set by publishing */
};

enum rs_code rs_vault_create(const struct rs_world *world, const char *directory, struct rs_error *err)
{
	char *staging RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, "tmp");
	char *objects RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, "objects");
	if (!staging || !objects)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_directory_make(world, staging, err));
	return rs_shards_make(world, objects, err);
}

void rs_vault_close(struct rs_vault *vault)
{
	if (!vault)
		return;
	pthread_mutex_destroy(&vault->naming);
	rs_free(vault->objects);
	rs_free(vault->staging);
	rs_free(vault);
}

enum rs_code rs_vault_open(const struct rs_world *world, const char *directory, struct rs_vault **out,
                           struct rs_error *err)
{
	struct rs_vault *vault = rs_allocate(sizeof *vault);
	if (!vault)
		return rs_error_memory(err, sizeof *vault, "the vault");
	vault->world = world;
	pthread_mutex_init(&vault->naming, NULL); /* cannot fail without attributes on Linux */
	vault->objects = rs_path_join(directory, "objects");
	vault->staging = rs_path_join(directory, "tmp");
	enum rs_code code = RS_OK;
	if (!vault->objects || !vault->staging)
		code = rs_error_memory(err, 1, "a path");
	else if (!rs_path_exists(world, vault->objects) || !rs_path_exists(world, vault->staging))
		code = rs_error_set(err, RS_NOT_FOUND, "%s: there is no vault here", directory);
	if (code != RS_OK) {
		rs_vault_close(vault);
		return code;
	}
	*out = vault;
	return RS_OK;
}

/* Other things than files are not ours; rs_vault_list() names them. */
static enum rs_code remove_staged(void *context, struct rs_str name, enum rs_file_kind kind,
                                  struct rs_error *err)
{
	struct rs_vault *vault = context;
	if (kind != RS_FILE_REGULAR)
		return RS_OK;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/" RS_STR_FORMAT, vault->staging,
	                                                        RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	return vault->world->files->remove(vault->world->files, path, err);
}

enum rs_code rs_vault_clean(struct rs_vault *vault, struct rs_error *err)
{
	return vault->world->files->list(vault->world->files, vault->staging, remove_staged, vault, err);
}

static enum rs_code object_path(const struct rs_vault *vault, const struct rs_cid *cid, char **out,
                                struct rs_error *err)
{
	*out = rs_shard_path(vault->objects, cid, "");
	return *out ? RS_OK : rs_error_memory(err, RS_CID_TEXT_SIZE, "a path");
}

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

static enum rs_code staged_make(struct rs_vault *vault, struct rs_vault_staged **out, struct rs_error *err)
{
	uint8_t name[16];
	char text[2 * sizeof name + 1];
	RS_TRY(rs_world_random(vault->world, name, sizeof name, err));
	rs_hex_encode(rs_bytes_of(name, sizeof name), text);
	struct rs_vault_staged *staged = rs_allocate(sizeof *staged);
	if (staged)
		staged->path = rs_path_join(vault->staging, text);
	if (!staged || !staged->path) {
		staged_free(staged);
		return rs_error_memory(err, sizeof(struct rs_vault_staged), "an object");
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
	rs_cid_builder_init(&writing->builder, RS_OBJECT_CHUNK_SIZE, 1024);
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
	RS_TRY(rs_cid_builder_add(&writing->builder, rs_bytes_of(stored, stored_size), err));
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

static enum rs_code write_staged(struct rs_vault *vault, struct rs_vault_staged *staged,
                                 const struct rs_secret *key, const struct object_header *header,
                                 const struct rs_content *content, struct rs_error *err)
{
	const unsigned flags = RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_EXCLUSIVE | RS_OPEN_UNCACHED;
	struct rs_gcm *gcm RS_CLEANUP(rs_gcm_destroy_pointer) = NULL;
	struct writing writing RS_CLEANUP(writing_finish) = {0};
	RS_TRY(rs_gcm_create(key->bytes, &gcm, err));
	RS_TRY(rs_file_open(vault->world, staged->path, flags, &staged->file, err));
	RS_TRY(writing_begin(&writing, staged->file, content->size, err));
	RS_TRY(write_object(&writing, gcm, header, content, err));
	return rs_cid_builder_final(&writing.builder, &staged->cid, err);
}

enum rs_code rs_vault_stage_content(struct rs_vault *vault, const struct rs_secret *key,
                                    const uint8_t nonce[static RS_OBJECT_NONCE_SIZE],
                                    const struct rs_content *content, struct rs_vault_staged **out,
                                    struct rs_cid *out_cid, struct rs_error *err)
{
	struct rs_vault_staged *staged = NULL;
	struct object_header header;
	RS_TRY(staged_make(vault, &staged, err));
	object_header_make(&header, nonce, content->size);
	enum rs_code code = write_staged(vault, staged, key, &header, content, err);
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

static enum rs_code remove_object(struct rs_vault *vault, const struct rs_cid *cid, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(object_path(vault, cid, &path, err));
	return vault->world->files->remove(vault->world->files, path, err);
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
			(void)remove_object(vault, &staged[i]->cid, NULL);
	return code;
}

static enum rs_code sync_content(void *context, size_t index, struct rs_error *err)
{
	struct rs_vault_staged *const *staged = context;
	return rs_file_sync(staged[index]->file, err);
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

/* Walks over a stored object: the address of its bytes, and its chunks to `take` when there is a key. */
struct reading {
	struct rs_file *file;
	struct object_header header;
	uint64_t stored_size;
	struct rs_gcm *gcm; /* NULL without a key */
	uint8_t *block;     /* STORED_CHUNK_SIZE */
	struct rs_cid_builder builder;
};

static void reading_finish(struct reading *reading)
{
	rs_file_close(reading->file);
	rs_gcm_destroy(reading->gcm);
	rs_free(reading->block);
	rs_cid_builder_finish(&reading->builder);
}

static enum rs_code read_exactly(struct rs_file *file, uint64_t offset, void *out, size_t size,
                                 struct rs_error *err)
{
	size_t got;
	RS_TRY(rs_file_read_at(file, offset, out, size, &got, err));
	if (got != size)
		return rs_error_set(err, RS_ALTERED, "the object ends at byte %" PRIu64, offset + got);
	return RS_OK;
}

static enum rs_code reading_begin(struct rs_vault *vault, const struct rs_cid *cid,
                                  const struct rs_secret *key, struct reading *reading, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	uint8_t head[RS_OBJECT_HEADER_SIZE];
	size_t got;
	RS_TRY(object_path(vault, cid, &path, err));
	RS_TRY(rs_file_open(vault->world, path, RS_OPEN_READ, &reading->file, err));
	RS_TRY(rs_file_size(reading->file, &reading->stored_size, err));
	RS_TRY(rs_file_read_at(reading->file, 0, head, sizeof head, &got, err));
	RS_TRY(object_header_parse(rs_bytes_of(head, got), reading->stored_size, &reading->header, err));
	uint64_t largest = reading->stored_size < STORED_CHUNK_SIZE ? reading->stored_size
	                                                            : STORED_CHUNK_SIZE;
	reading->block = rs_reallocate(NULL, (size_t)largest);
	if (!reading->block)
		return rs_error_memory(err, (size_t)largest, "a chunk");
	rs_cid_builder_init(&reading->builder, RS_OBJECT_CHUNK_SIZE, 1024);
	RS_TRY(rs_cid_builder_add(&reading->builder, rs_bytes_of(head, sizeof head), err));
	return key ? rs_gcm_create(key->bytes, &reading->gcm, err) : RS_OK;
}

/* Reads chunk `chunk` into the block; *out_plain (with a key) is its decrypted content, in place. */
static enum rs_code reading_chunk(struct reading *reading, uint64_t chunk, struct rs_bytes *out_plain,
                                  struct rs_error *err)
{
	uint64_t offset = RS_OBJECT_HEADER_SIZE + chunk * STORED_CHUNK_SIZE,
		 left = reading->stored_size - offset;
	size_t size = left < STORED_CHUNK_SIZE ? (size_t)left : STORED_CHUNK_SIZE;
	struct rs_bytes stored = {reading->block, size};
	RS_TRY(read_exactly(reading->file, offset, reading->block, size, err));
	RS_TRY(rs_cid_builder_add(&reading->builder, stored, err));
	*out_plain = rs_bytes_of(reading->block, reading->gcm ? size - RS_GCM_TAG_SIZE : 0);
	if (!reading->gcm)
		return RS_OK;
	return object_decrypt_chunk(reading->gcm, &reading->header, chunk, stored, reading->block, err);
}

static enum rs_code reading_end(struct reading *reading, const struct rs_cid *cid, struct rs_error *err)
{
	struct rs_cid found;
	RS_TRY(rs_cid_builder_final(&reading->builder, &found, err));
	if (memcmp(found.bytes, cid->bytes, sizeof found.bytes) != 0)
		return rs_error_set(err, RS_ALTERED,
		                    "the stored bytes do not have the address they are kept under");
	return RS_OK;
}

/* Puts the address before the sentence; NOT_FOUND and the like name the path already. */
static enum rs_code name_object(const struct rs_cid *cid, enum rs_code code, struct rs_error *err)
{
	char text[RS_CID_TEXT_SIZE];
	rs_cid_format(cid, text);
	if (code == RS_ALTERED)
		rs_error_context(err, "object %s", text);
	return code;
}

static enum rs_code read_content(struct rs_vault *vault, const struct rs_cid *cid,
                                 const struct rs_secret *key, struct rs_buffer *out, struct rs_error *err)
{
	struct reading reading RS_CLEANUP(reading_finish) = {0};
	RS_TRY(reading_begin(vault, cid, key, &reading, err));
	uint64_t chunks = object_chunk_count(reading.header.size);
	if (reading.header.size > SIZE_MAX || rs_buffer_reserve(out, (size_t)reading.header.size) != RS_OK)
		return rs_buffer_check(out, "the content of an object", err);
	for (uint64_t chunk = 0; chunk < chunks; chunk++) {
		struct rs_bytes plain;
		RS_TRY(reading_chunk(&reading, chunk, &plain, err));
		RS_TRY(rs_buffer_append_bytes(out, plain));
	}
	return reading_end(&reading, cid, err);
}

enum rs_code rs_vault_read(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                           struct rs_buffer *out, struct rs_error *err)
{
	size_t before = out->size;
	enum rs_code code = read_content(vault, cid, key, out, err);
	if (code != RS_OK)
		out->size = before;
	return name_object(cid, code, err);
}

/* What is done with the content: it is compared with what is expected, or else hashed. */
struct checking {
	const struct rs_bytes *expected; /* may be NULL */
	uint64_t seen;
	bool differs;
	struct rs_sha256 hash;
};

static void take_plain(struct checking *checking, struct rs_bytes plain)
{
	const struct rs_bytes *expected = checking->expected;
	if (!expected)
		rs_sha256_update(&checking->hash, plain.data, plain.size);
	else if (checking->seen + plain.size > expected->size)
		checking->differs = true;
	else if (plain.size && memcmp(expected->data + checking->seen, plain.data, plain.size) != 0)
		checking->differs = true;
	checking->seen += plain.size;
}

/* Reads content and address. The first chunk that cannot be decrypted goes to `reason`; the rest is then
 * read without the key, because the address tells whether the bytes or the key are wrong. */
static enum rs_code check_chunks(struct reading *reading, struct checking *checking, struct rs_error *reason,
                                 struct rs_error *err)
{
	uint64_t chunks = object_chunk_count(reading->header.size);
	for (uint64_t chunk = 0; chunk < chunks; chunk++) {
		struct rs_bytes plain;
		enum rs_code code = reading_chunk(reading, chunk, &plain, reading->gcm ? reason : err);
		if (code == RS_OK) {
			take_plain(checking, plain);
		} else if (code == RS_ALTERED && reading->gcm) {
			rs_gcm_destroy(reading->gcm);
			reading->gcm = NULL;
		} else {
			return reading->gcm ? rs_error_set(err, code, "%s", reason->message) : code;
		}
	}
	return RS_OK;
}

static enum rs_code check_object(struct rs_vault *vault, const struct rs_cid *cid,
                                 const struct rs_secret *key, struct checking *checking,
                                 struct rs_object_facts *out, struct rs_error *err)
{
	struct reading reading RS_CLEANUP(reading_finish) = {0};
	struct rs_object_facts facts = {0};
	struct rs_error reason = {0};
	RS_TRY(reading_begin(vault, cid, key, &reading, err));
	rs_sha256_init(&checking->hash);
	RS_TRY(check_chunks(&reading, checking, &reason, err));
	enum rs_code code = reading_end(&reading, cid, err);
	if (code == RS_ALTERED && reason.code != RS_OK)
		return rs_error_set(err, RS_ALTERED, "%s", reason.message);
	RS_TRY(code);
	if (reason.code != RS_OK)
		return rs_error_set(err, RS_ALTERED,
		                    "the stored bytes are the ones of this address, but the key "
		                    "is not the one they were encrypted under");
	memcpy(facts.nonce, reading.header.nonce, sizeof facts.nonce);
	facts.size = reading.header.size;
	if (key)
		rs_sha256_final(&checking->hash, &facts.sha256);
	*out = facts;
	return RS_OK;
}

enum rs_code rs_vault_check(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                            struct rs_object_facts *out, struct rs_error *err)
{
	struct checking checking = {.expected = NULL};
	return name_object(cid, check_object(vault, cid, key, &checking, out, err), err);
}

enum rs_code rs_vault_compare(struct rs_vault *vault, const struct rs_cid *cid, const struct rs_secret *key,
                              struct rs_bytes content, struct rs_error *err)
{
	struct checking checking = {.expected = &content};
	struct rs_object_facts facts;
	enum rs_code code = check_object(vault, cid, key, &checking, &facts, err);
	if (code == RS_OK && (checking.differs || checking.seen != content.size))
		code = rs_error_set(err, RS_ALTERED, "the stored copy has other content");
	return name_object(cid, code, err);
}

bool rs_vault_has(struct rs_vault *vault, const struct rs_cid *cid)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	return object_path(vault, cid, &path, NULL) == RS_OK && rs_path_exists(vault->world, path);
}

enum rs_code rs_vault_remove(struct rs_vault *vault, const struct rs_cid *cid, struct rs_error *err)
{
	pthread_mutex_lock(&vault->naming);
	enum rs_code code = remove_object(vault, cid, err);
	if (code == RS_OK)
		code = rs_shards_sync(vault->world, NULL, vault->objects, UINT32_C(1) << rs_cid_shard(cid),
		                      err);
	pthread_mutex_unlock(&vault->naming);
	return code;
}

struct listing {
	struct rs_vault *vault;
	unsigned shard;
	rs_vault_visit *visit;
	void *context;
};

static enum rs_code visit_object(void *context, struct rs_str name, enum rs_file_kind kind,
                                 struct rs_error *err)
{
	const struct listing *listing = context;
	struct rs_cid cid;
	bool fits = kind == RS_FILE_REGULAR && rs_cid_parse(name, &cid) &&
	            rs_cid_shard(&cid) == listing->shard;
	return listing->visit(listing->context, fits ? &cid : NULL, name, err);
}

static enum rs_code visit_shard(void *context, struct rs_str name, enum rs_file_kind kind,
                                struct rs_error *err)
{
	struct listing listing = *(struct listing *)context;
	struct rs_vault *vault = listing.vault;
	if (kind != RS_FILE_DIRECTORY || !rs_shard_is_name(name, &listing.shard))
		return listing.visit(listing.context, NULL, name, err);
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/" RS_STR_FORMAT, vault->objects,
	                                                        RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	return vault->world->files->list(vault->world->files, path, visit_object, &listing, err);
}

static enum rs_code visit_staged(void *context, struct rs_str name, enum rs_file_kind kind RS_UNUSED,
                                 struct rs_error *err)
{
	const struct listing *listing = context;
	return listing->visit(listing->context, NULL, name, err);
}

enum rs_code rs_vault_list(struct rs_vault *vault, rs_vault_visit *visit, void *context, struct rs_error *err)
{
	struct listing listing = {.vault = vault, .visit = visit, .context = context};
	const struct rs_files *files = vault->world->files;
	RS_TRY(files->list(files, vault->objects, visit_shard, &listing, err));
	return files->list(files, vault->staging, visit_staged, &listing, err);
}
