/* What is the same for every store of blobs, and the two that need no network. */
#include "vault/vault_blobs.h"

#include <string.h>

#include "places.h"

void rs_blobs_close(struct rs_blobs *blobs)
{
	if (blobs)
		blobs->kind->close(blobs);
}

void rs_blobs_close_pointer(struct rs_blobs **blobs) { rs_blobs_close(*blobs); }

static enum rs_code name_blob(const struct rs_blobs *blobs, const struct rs_cid *cid, enum rs_code code,
                              struct rs_error *err)
{
	char text[RS_CID_TEXT_SIZE];
	rs_cid_format(cid, text);
	if (code != RS_OK)
		rs_error_context(err, "object %s, store %s", text, blobs->kind->name);
	return code;
}

enum rs_code rs_blobs_put(struct rs_blobs *blobs, const struct rs_cid *cid, const struct rs_content *bytes,
                          struct rs_error *err)
{
	return name_blob(blobs, cid, blobs->kind->put(blobs, cid, bytes, err), err);
}

enum rs_code rs_blobs_has(struct rs_blobs *blobs, const struct rs_cid *cid, bool *out, struct rs_error *err)
{
	return name_blob(blobs, cid, blobs->kind->has(blobs, cid, out, err), err);
}

enum rs_code rs_blobs_remove(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_error *err)
{
	return name_blob(blobs, cid, blobs->kind->remove(blobs, cid, err), err);
}

static enum rs_code walk_pieces(const struct rs_content *bytes, struct rs_cid_builder *builder,
                                content_take *take, void *context, uint8_t *scratch, struct rs_error *err)
{
	for (uint64_t at = 0; at < bytes->size; at += RS_OBJECT_CHUNK_SIZE) {
		uint64_t left = bytes->size - at;
		size_t size = left < RS_OBJECT_CHUNK_SIZE ? (size_t)left : RS_OBJECT_CHUNK_SIZE;
		struct rs_bytes piece;
		RS_TRY(bytes->read(bytes->context, at, size, scratch, &piece, err));
		if (take)
			RS_TRY(take(context, at, piece, err));
		RS_TRY(rs_cid_builder_add(builder, piece, err));
	}
	return RS_OK;
}

enum rs_code content_walk(const struct rs_content *bytes, const struct rs_cid *cid,
                          struct rs_cid_builder *builder, content_take *take, void *context,
                          struct rs_error *err)
{
	uint8_t *scratch RS_CLEANUP(rs_free_pointer) = rs_reallocate(NULL, RS_OBJECT_CHUNK_SIZE);
	struct rs_cid found;
	if (!scratch)
		return rs_error_memory(err, RS_OBJECT_CHUNK_SIZE, "a piece of an object");
	RS_TRY(walk_pieces(bytes, builder, take, context, scratch, err));
	RS_TRY(rs_cid_builder_final(builder, &found, err));
	if (memcmp(found.bytes, cid->bytes, sizeof found.bytes) != 0)
		return rs_error_set(err, RS_ALTERED, "the bytes do not have the address they are kept under");
	return RS_OK;
}

static enum rs_code check(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_error *err)
{
	struct rs_cid_builder builder RS_CLEANUP(rs_cid_builder_finish) = {0};
	struct rs_content bytes;
	rs_cid_builder_init(&builder, RS_OBJECT_CHUNK_SIZE, RS_OBJECT_LINKS);
	RS_TRY(blobs->kind->open(blobs, cid, &bytes, err));
	enum rs_code code = content_walk(&bytes, cid, &builder, NULL, NULL, err);
	blobs->kind->shut(blobs, &bytes);
	return code;
}

enum rs_code rs_blobs_check(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_error *err)
{
	return name_blob(blobs, cid, check(blobs, cid, err), err);
}

enum rs_code rs_blobs_copy(struct rs_blobs *from, struct rs_blobs *to, const struct rs_cid *cid,
                           struct rs_error *err)
{
	struct rs_content bytes;
	RS_TRY(name_blob(from, cid, from->kind->open(from, cid, &bytes, err), err));
	enum rs_code code = rs_blobs_put(to, cid, &bytes, err);
	from->kind->shut(from, &bytes);
	return code;
}

/* local: the vault's own directory. */
struct local {
	struct rs_blobs blobs;
	struct rs_vault *vault;
};

static enum rs_code local_put(struct rs_blobs *blobs, const struct rs_cid *cid,
                              const struct rs_content *bytes, struct rs_error *err)
{
	struct rs_vault *vault = ((struct local *)(void *)blobs)->vault;
	struct rs_vault_staged *staged = NULL;
	RS_TRY(rs_vault_stage_stored(vault, cid, bytes, &staged, err));
	return rs_vault_publish(vault, NULL, &staged, 1, err);
}

static enum rs_code read_file(void *context, uint64_t offset, size_t size, uint8_t *scratch,
                              struct rs_bytes *out, struct rs_error *err)
{
	size_t got;
	RS_TRY(rs_file_read_at(context, offset, scratch, size, &got, err));
	if (got != size)
		return rs_error_set(err, RS_ALTERED, "the object ends at byte %llu",
		                    (unsigned long long)(offset + got));
	*out = rs_bytes_of(scratch, size);
	return RS_OK;
}

static enum rs_code open_stored(const struct rs_vault *vault, const struct rs_cid *cid,
                                struct rs_content *out, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_file *file = NULL;
	struct rs_content bytes = {.read = read_file};
	RS_TRY(object_path(vault, cid, &path, err));
	RS_TRY(rs_file_open(vault->world, path, RS_OPEN_READ, &file, err));
	enum rs_code code = rs_file_size(file, &bytes.size, err);
	if (code != RS_OK) {
		rs_file_close(file);
		return code;
	}
	bytes.context = file;
	*out = bytes;
	return RS_OK;
}

enum rs_code rs_vault_stage_copy(struct rs_vault *vault, struct rs_vault *from, const struct rs_cid *cid,
                                 struct rs_vault_staged **out, struct rs_error *err)
{
	struct rs_content bytes;
	RS_TRY(open_stored(from, cid, &bytes, err));
	enum rs_code code = rs_vault_stage_stored(vault, cid, &bytes, out, err);
	rs_file_close(bytes.context);
	return code == RS_OK ? RS_OK : name_object(cid, code, err);
}

static enum rs_code local_open(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_content *out,
                               struct rs_error *err)
{
	return open_stored(((struct local *)(void *)blobs)->vault, cid, out, err);
}

static void local_shut(struct rs_blobs *blobs RS_UNUSED, struct rs_content *bytes)
{
	rs_file_close(bytes->context);
}

static enum rs_code local_has(struct rs_blobs *blobs, const struct rs_cid *cid, bool *out,
                              struct rs_error *err RS_UNUSED)
{
	*out = rs_vault_has(((struct local *)(void *)blobs)->vault, cid);
	return RS_OK;
}

static enum rs_code local_remove(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_error *err)
{
	return rs_vault_remove(((struct local *)(void *)blobs)->vault, cid, err);
}

static void local_close(struct rs_blobs *blobs) { rs_free(blobs); }

enum rs_code rs_blobs_open_local(struct rs_vault *vault, struct rs_blobs **out, struct rs_error *err)
{
	static const struct rs_blobs_kind kind = {"local",   local_put,    local_open, local_shut,
	                                          local_has, local_remove, local_close};
	struct local *local = rs_allocate(sizeof *local);
	if (!local)
		return rs_error_memory(err, sizeof *local, "a store");
	*local = (struct local){{&kind}, vault};
	*out = &local->blobs;
	return RS_OK;
}

/* memory: a list. */
struct entry {
	struct rs_cid cid;
	struct rs_buffer bytes;
	struct entry *next;
};
struct memory {
	struct rs_blobs blobs;
	struct entry *first;
};
#define MEMORY_BLOB_MAX ((size_t)1 << 30)

static struct entry **memory_find(struct rs_blobs *blobs, const struct rs_cid *cid)
{
	struct entry **at = &((struct memory *)(void *)blobs)->first;
	while (*at && memcmp((*at)->cid.bytes, cid->bytes, sizeof cid->bytes) != 0)
		at = &(*at)->next;
	return at;
}

static void entry_free(struct entry *entry)
{
	rs_buffer_finish(&entry->bytes);
	rs_free(entry);
}

static enum rs_code append(void *context, uint64_t offset RS_UNUSED, struct rs_bytes piece,
                           struct rs_error *err)
{
	(void)rs_buffer_append_bytes(context, piece);
	return rs_buffer_check(context, "an object", err);
}

static enum rs_code memory_put(struct rs_blobs *blobs, const struct rs_cid *cid,
                               const struct rs_content *bytes, struct rs_error *err)
{
	struct rs_cid_builder builder RS_CLEANUP(rs_cid_builder_finish) = {0};
	struct entry **at = memory_find(blobs, cid), *entry = rs_allocate(sizeof *entry);
	if (!entry)
		return rs_error_memory(err, sizeof *entry, "an object");
	entry->cid = *cid;
	rs_buffer_init(&entry->bytes, MEMORY_BLOB_MAX);
	rs_cid_builder_init(&builder, RS_OBJECT_CHUNK_SIZE, RS_OBJECT_LINKS);
	enum rs_code code = content_walk(bytes, cid, &builder, append, &entry->bytes, err);
	if (code != RS_OK || *at) {
		entry_free(entry);
		return code;
	}
	*at = entry;
	return RS_OK;
}

static enum rs_code read_entry(void *context, uint64_t offset, size_t size, uint8_t *scratch RS_UNUSED,
                               struct rs_bytes *out, struct rs_error *err RS_UNUSED)
{
	const struct entry *entry = context;
	*out = rs_bytes_of(entry->bytes.data + offset, size);
	return RS_OK;
}

static enum rs_code memory_open(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_content *out,
                                struct rs_error *err)
{
	struct entry *entry = *memory_find(blobs, cid);
	if (!entry)
		return rs_error_set(err, RS_NOT_FOUND, "is not there");
	*out = (struct rs_content){entry->bytes.size, read_entry, entry};
	return RS_OK;
}

static void memory_shut(struct rs_blobs *blobs RS_UNUSED, struct rs_content *bytes RS_UNUSED) {}

static enum rs_code memory_has(struct rs_blobs *blobs, const struct rs_cid *cid, bool *out,
                               struct rs_error *err RS_UNUSED)
{
	*out = *memory_find(blobs, cid) != NULL;
	return RS_OK;
}

static enum rs_code memory_remove(struct rs_blobs *blobs, const struct rs_cid *cid, struct rs_error *err)
{
	struct entry **at = memory_find(blobs, cid), *gone = *at;
	if (!gone)
		return rs_error_set(err, RS_NOT_FOUND, "is not there");
	*at = gone->next;
	entry_free(gone);
	return RS_OK;
}

static void memory_close(struct rs_blobs *blobs)
{
	struct memory *memory = (struct memory *)(void *)blobs;
	while (memory->first) {
		struct entry *gone = memory->first;
		memory->first = gone->next;
		entry_free(gone);
	}
	rs_free(memory);
}

enum rs_code rs_blobs_open_memory(struct rs_blobs **out, struct rs_error *err)
{
	static const struct rs_blobs_kind kind = {"memory",   memory_put,    memory_open, memory_shut,
	                                          memory_has, memory_remove, memory_close};
	struct memory *memory = rs_allocate(sizeof *memory);
	if (!memory)
		return rs_error_memory(err, sizeof *memory, "a store");
	memory->blobs.kind = &kind;
	*out = &memory->blobs;
	return RS_OK;
}
