/* Data backups: databases as they are at one moment, files, objects; only what is new is written.
 *
 * Ledger and index are pinned so that no commit of the ledger lies between them: then every entry has its rows or its
 * intent in the index, as after a crash, and recovery makes a whole node of them. */
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "store/store.h"

#define MARKER "radseal-backup"
#define MARKER_TEXT "radseal backup 1\n"
#define GROUP 256
#define FILE_MAX ((size_t)64 << 20)
#define PIN_TRIES 1000
#define CID_SIZE sizeof(struct rs_cid)

/* Besides the two databases, the objects, witness/, certificates/ and reasons/. */
static const char *const small_files[] = {"radseal.yaml", "keys/log.vkey", "keys/last-checkpoint",
                                          "keys/cosigned-checkpoint"};

struct saving {
	struct rs_node *node;
	const char *directory;
	struct rs_file *lock;
	struct rs_vault *vault;
	struct backup_keys keys;
	struct manifest manifest, last;
	struct rs_vault_staged *staged[GROUP];
	size_t staged_count;
	struct rs_buffer fresh;   /* addresses that were written now */
	struct rs_buffer objects; /* addresses of the node's objects, sorted */
	struct rs_backup_counts counts;
};

static void saving_finish(struct saving *saving)
{
	for (size_t i = 0; i < saving->staged_count; i++)
		rs_vault_abort(saving->vault, saving->staged[i]);
	rs_vault_close(saving->vault);
	rs_file_close(saving->lock);
	manifest_finish(&saving->manifest);
	manifest_finish(&saving->last);
	rs_buffer_finish(&saving->fresh);
	rs_buffer_finish(&saving->objects);
	backup_keys_finish(&saving->keys);
}

static enum rs_code see_content(void *context, struct rs_str name RS_UNUSED, enum rs_file_kind kind RS_UNUSED,
                                struct rs_error *err RS_UNUSED)
{
	*(bool *)context = true;
	return RS_OK;
}

/* A directory of backups is one that says so, or becomes one when it is new or empty. */
static enum rs_code claim(const struct rs_world *world, const char *directory, struct rs_error *err)
{
	char *marker RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, MARKER);
	char *backups RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, "backups");
	bool other = false;
	if (!marker || !backups)
		return rs_error_memory(err, 1, "a path");
	if (!rs_path_exists(world, marker)) {
		if (rs_path_exists(world, directory))
			RS_TRY(world->files->list(world->files, directory, see_content, &other, err));
		if (other)
			return rs_error_set(err, RS_EXISTS,
			                    "%s: holds something that is no backup; name a new or empty "
			                    "directory",
			                    directory);
		RS_TRY(rs_directory_make(world, directory, err));
		RS_TRY(rs_file_replace(world, marker, rs_bytes_of_str(RS_STR(MARKER_TEXT)), 0600, err));
	}
	RS_TRY(rs_vault_create(world, directory, err));
	return rs_directory_make(world, backups, err);
}

static enum rs_code take_lock(struct saving *saving, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(saving->directory, "lock");
	if (!path)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_file_open(saving->node->world, path, RS_OPEN_READ | RS_OPEN_WRITE | RS_OPEN_CREATE,
	                    &saving->lock, err));
	if (saving->lock->files->lock(saving->lock, true, err) == RS_OK)
		return RS_OK;
	return rs_error_set(err, RS_BUSY, "%s: another backup writes here", saving->directory);
}

static enum rs_code saving_begin(struct saving *saving, struct rs_error *err)
{
	const struct rs_world *world = saving->node->world;
	RS_TRY(claim(world, saving->directory, err));
	RS_TRY(take_lock(saving, err));
	RS_TRY(rs_vault_open(world, saving->directory, &saving->vault, err));
	RS_TRY(rs_vault_clean(saving->vault, err));
	backup_keys_init(&saving->keys, saving->node->keyring);
	rs_buffer_init(&saving->fresh, (size_t)1 << 32);
	rs_buffer_init(&saving->objects, (size_t)1 << 32);
	char name[RS_BACKUP_NAME_SIZE];
	enum rs_code code = manifest_read(world, saving->directory, &saving->keys, NULL, &saving->last, name,
	                                  err);
	/* The first one, or the last one is damaged: then everything is new. */
	return code == RS_NOT_FOUND || code == RS_ALTERED || code == RS_MALFORMED ? RS_OK : code;
}

static enum rs_code publish(struct saving *saving, struct rs_error *err)
{
	size_t count = saving->staged_count;
	saving->staged_count = 0;
	return rs_vault_publish(saving->vault, saving->node->pool, saving->staged, count, err);
}

static enum rs_code remember(struct saving *saving, const struct rs_cid *cid, struct rs_error *err)
{
	rs_buffer_append(&saving->fresh, cid->bytes, CID_SIZE);
	return rs_buffer_check(&saving->fresh, "a backup", err);
}

/* The piece's address: that of the last backup when it is the same there, else it is written. */
static enum rs_code save_piece(struct saving *saving, const struct saved_file *last, size_t index,
                               struct rs_bytes content, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	uint8_t nonce[RS_OBJECT_NONCE_SIZE];
	struct rs_digest tag, before;
	struct rs_cid cid;
	bool known = false;
	backup_piece_tag(&saving->keys, content, &tag);
	if (last && index < saved_piece_count(last)) {
		saved_piece(last, index, &before, &cid);
		known = rs_digest_equal(&tag, &before) && rs_vault_has(saving->vault, &cid);
	}
	if (!known) {
		backup_piece_key(&saving->keys, &tag, &key, nonce);
		RS_TRY(rs_vault_stage(saving->vault, &key, nonce, content,
		                      &saving->staged[saving->staged_count], &cid, err));
		saving->staged_count++;
		RS_TRY(remember(saving, &cid, err));
		if (saving->staged_count == GROUP)
			RS_TRY(publish(saving, err));
	}
	rs_buffer_append(out, tag.bytes, RS_SHA256_SIZE);
	rs_buffer_append(out, cid.bytes, CID_SIZE);
	return rs_buffer_check(out, "pieces", err);
}

static enum rs_code save_content(struct saving *saving, const char *name, const struct rs_content *content,
                                 struct rs_error *err)
{
	uint8_t *scratch RS_CLEANUP(rs_free_pointer) = rs_allocate(PIECE_SIZE);
	const struct saved_file *last = manifest_find(&saving->last, name);
	struct saved_file *file;
	if (!scratch)
		return rs_error_memory(err, PIECE_SIZE, "a piece");
	RS_TRY(manifest_add(&saving->manifest, rs_str_from(name), &file, err));
	file->size = content->size;
	for (uint64_t offset = 0; offset < content->size; offset += PIECE_SIZE) {
		uint64_t left = content->size - offset;
		struct rs_bytes piece;
		RS_TRY(content->read(content->context, offset, left < PIECE_SIZE ? (size_t)left : PIECE_SIZE,
		                     scratch, &piece, err));
		RS_TRY(save_piece(saving, last, (size_t)(offset / PIECE_SIZE), piece, &file->pieces, err));
	}
	return publish(saving, err);
}

static enum rs_code read_memory(void *context, uint64_t offset, size_t size, uint8_t *scratch RS_UNUSED,
                                struct rs_bytes *out, struct rs_error *err RS_UNUSED)
{
	const struct rs_buffer *memory = context;
	*out = rs_bytes_of(memory->data + offset, size);
	return RS_OK;
}

static enum rs_code read_file(void *context, uint64_t offset, size_t size, uint8_t *scratch,
                              struct rs_bytes *out, struct rs_error *err)
{
	size_t read;
	RS_TRY(rs_file_read_at(context, offset, scratch, size, &read, err));
	*out = rs_bytes_of(scratch, size);
	return read == size ? RS_OK : rs_error_set(err, RS_IO, "the copy of a database ends too soon");
}

static enum rs_code save_small(struct saving *saving, const char *name, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(saving->node, name, &path, err));
	if (!rs_path_exists(saving->node->world, path))
		return RS_OK;
	RS_TRY(rs_file_read_all(saving->node->world, path, FILE_MAX, &content, err));
	return save_content(saving, name, &(struct rs_content){content.size, read_memory, &content}, err);
}

struct listing {
	struct saving *saving;
	const char *directory;
};

static enum rs_code save_listed(void *context, struct rs_str name, enum rs_file_kind kind,
                                struct rs_error *err)
{
	const struct listing *listing = context;
	if (kind != RS_FILE_REGULAR)
		return RS_OK;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/" RS_STR_FORMAT, listing->directory,
	                                                        RS_STR_ARGUMENTS(name));
	return path ? save_small(listing->saving, path, err) : rs_error_memory(err, name.size, "a path");
}

static enum rs_code save_directory(struct saving *saving, const char *name, struct rs_error *err)
{
	const struct rs_files *files = saving->node->world->files;
	struct listing listing = {saving, name};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(node_path(saving->node, name, &path, err));
	if (!rs_path_exists(saving->node->world, path))
		return RS_OK;
	return files->list(files, path, save_listed, &listing, err);
}

/* SQLite copies to a file; it lies in the node for a moment, so that nothing readable ever lies on the backup's disk. */
static enum rs_code save_database(struct saving *saving, const char *name, struct rs_store *store,
                                  struct rs_error *err)
{
	const struct rs_world *world = saving->node->world;
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	uint64_t size;
	RS_TRY(node_path(saving->node, "backup.tmp", &path, err));
	enum rs_code code = rs_store_copy(store, world, path, err);
	if (code == RS_OK)
		code = rs_file_open(world, path, RS_OPEN_READ, &file, err);
	if (code == RS_OK)
		code = rs_file_size(file, &size, err);
	if (code == RS_OK)
		code = save_content(saving, name, &(struct rs_content){size, read_file, file}, err);
	(void)world->files->remove(world->files, path, NULL);
	return code;
}

/* Databases of what is no entry of the ledger: they are behind it, as they were copied before. */
static enum rs_code save_other(struct saving *saving, const char *name, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_store *store;
	RS_TRY(node_path(saving->node, name, &path, err));
	if (!rs_path_exists(saving->node->world, path))
		return RS_OK;
	RS_TRY(rs_store_open(saving->node->world, path, RS_STORE_READ, NULL, 0, &store, err));
	enum rs_code code = save_database(saving, name, store, err);
	rs_store_close(store);
	return code;
}

/* Before the databases are pinned: what the checkpoints among them promise, the pinned ledger has. */
static enum rs_code save_files(struct saving *saving, struct rs_error *err)
{
	for (size_t i = 0; i < RS_COUNT(small_files); i++)
		RS_TRY(save_small(saving, small_files[i], err));
	RS_TRY(save_other(saving, "accounts.sqlite", err));
	RS_TRY(save_other(saving, "devices.sqlite", err));
	RS_TRY(save_directory(saving, "certificates", err));
	RS_TRY(save_directory(saving, "reasons", err));
	return save_directory(saving, "witness", err);
}

static enum rs_code collect_object(void *context, const struct index_row *row, struct rs_error *err)
{
	struct saving *saving = context;
	struct rs_cid cid;
	if (!rs_cid_from_bytes(row->cid, &cid))
		return rs_error_set(err, RS_ALTERED, "an address in the index is none");
	/* On its way: it is there when its entry is in the ledger, and is taken back otherwise. */
	if (row->entry < 0 && !rs_vault_has(saving->node->vault, &cid))
		return RS_OK;
	rs_buffer_append(&saving->objects, cid.bytes, CID_SIZE);
	return rs_buffer_check(&saving->objects, "the list of objects", err);
}

static int by_address(const void *a, const void *b) { return memcmp(a, b, CID_SIZE); }

static void sort_addresses(struct rs_buffer *addresses)
{
	size_t count = addresses->size / CID_SIZE, kept = 0;
	if (count == 0)
		return;
	qsort(addresses->data, count, CID_SIZE, by_address);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *at = addresses->data + i * CID_SIZE;
		if (kept == 0 || memcmp(at, addresses->data + (kept - 1) * CID_SIZE, CID_SIZE) != 0)
			memmove(addresses->data + kept++ * CID_SIZE, at, CID_SIZE);
	}
	addresses->size = kept * CID_SIZE;
}

static enum rs_code save_pinned(struct saving *saving, struct rs_error *err)
{
	struct rs_node *node = saving->node;
	RS_TRY(index_each_row(node->index, collect_object, saving, err));
	sort_addresses(&saving->objects);
	saving->manifest.entries = rs_ledger_size(node->ledger);
	RS_TRY(save_database(saving, "ledger.sqlite", rs_ledger_store(node->ledger), err));
	RS_TRY(save_database(saving, "index.sqlite", index_store(node->index), err));
	return save_content(saving, OBJECTS_NAME,
	                    &(struct rs_content){saving->objects.size, read_memory, &saving->objects}, err);
}

/* The ledger is pinned, then the index, then the ledger once more: when that is the same, nothing was between them. */
static enum rs_code pin(struct rs_store *ledger, struct rs_store *index, struct rs_error *err)
{
	int64_t before, after, unused;
	for (int i = 0; i < PIN_TRIES; i++) {
		RS_TRY(rs_store_pin(ledger, &before, err));
		RS_TRY(rs_store_pin(index, &unused, err));
		rs_store_rollback(ledger);
		RS_TRY(rs_store_pin(ledger, &after, err));
		if (before == after)
			return RS_OK;
		rs_store_rollback(ledger);
		rs_store_rollback(index);
	}
	return rs_error_set(err, RS_BUSY,
	                    "the ledger grew %d times while a moment was looked for that it shares with the "
	                    "index; try again",
	                    PIN_TRIES);
}

static enum rs_code save_databases(struct saving *saving, struct rs_error *err)
{
	struct rs_store *ledger = rs_ledger_store(saving->node->ledger);
	struct rs_store *index = index_store(saving->node->index);
	enum rs_code code = pin(ledger, index, err);
	if (code == RS_OK)
		code = save_pinned(saving, err);
	rs_store_rollback(ledger);
	rs_store_rollback(index);
	return code;
}

struct copying {
	struct rs_vault *from, *to;
	const uint8_t *addresses;
	struct rs_vault_staged **staged;
};

static enum rs_code copy_one(void *context, size_t index, struct rs_error *err)
{
	const struct copying *copying = context;
	struct rs_cid cid;
	memcpy(cid.bytes, copying->addresses + index * CID_SIZE, CID_SIZE);
	return rs_vault_stage_copy(copying->to, copying->from, &cid, &copying->staged[index], err);
}

enum rs_code backup_copy_objects(struct rs_vault *from, struct rs_vault *to, struct rs_pool *pool,
                                 struct rs_bytes addresses, struct rs_error *err)
{
	struct rs_vault_staged *staged[GROUP];
	for (size_t start = 0; start < addresses.size; start += GROUP * CID_SIZE) {
		size_t left = (addresses.size - start) / CID_SIZE, count = left < GROUP ? left : GROUP;
		struct copying copying = {from, to, addresses.data + start, staged};
		memset(staged, 0, sizeof staged);
		enum rs_code code = rs_pool_for(pool, count, copy_one, &copying, err);
		if (code != RS_OK) {
			for (size_t i = 0; i < count; i++)
				rs_vault_abort(to, staged[i]);
			return code;
		}
		RS_TRY(rs_vault_publish(to, pool, staged, count, err));
	}
	return RS_OK;
}

static enum rs_code save_objects(struct saving *saving, struct rs_error *err)
{
	size_t first_new = saving->fresh.size;
	struct rs_cid cid;
	for (size_t at = 0; at < saving->objects.size; at += CID_SIZE) {
		memcpy(cid.bytes, saving->objects.data + at, CID_SIZE);
		if (!rs_vault_has(saving->vault, &cid))
			RS_TRY(remember(saving, &cid, err));
	}
	if (saving->fresh.size == first_new)
		return RS_OK;
	struct rs_bytes addresses = {saving->fresh.data + first_new, saving->fresh.size - first_new};
	enum rs_code code = backup_copy_objects(saving->node->vault, saving->vault, saving->node->pool,
	                                        addresses, err);
	if (code == RS_NOT_FOUND)
		return rs_error_context(err,
		                        "an object is gone: a subject was erased meanwhile (back up again), "
		                        "or it was lost (radseal fsck tells)");
	return code;
}

struct rereading {
	struct saving *saving;
	uint64_t *sizes;
};

static enum rs_code reread_one(void *context, size_t index, struct rs_error *err)
{
	const struct rereading *rereading = context;
	struct rs_object_facts facts;
	struct rs_cid cid;
	memcpy(cid.bytes, rereading->saving->fresh.data + index * CID_SIZE, CID_SIZE);
	RS_TRY(rs_vault_check(rereading->saving->vault, &cid, NULL, &facts, err));
	rereading->sizes[index] = facts.size;
	return RS_OK;
}

/* What was written is read again before the manifest speaks of it. */
static enum rs_code reread(struct saving *saving, struct rs_error *err)
{
	size_t count = saving->fresh.size / CID_SIZE;
	uint64_t *sizes RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *sizes);
	struct rereading rereading = {saving, sizes};
	if (!sizes)
		return rs_error_memory(err, count * sizeof *sizes, "a backup");
	RS_TRY(rs_pool_for(saving->node->pool, count, reread_one, &rereading, err));
	for (size_t i = 0; i < count; i++)
		saving->counts.bytes += sizes[i];
	return RS_OK;
}

static enum rs_code add_needed(const struct saving *saving, const char *name, struct rs_buffer *out,
                               struct rs_error *err)
{
	struct manifest manifest = {.time_ms = 0};
	char found[RS_BACKUP_NAME_SIZE];
	enum rs_code code = manifest_read(saving->node->world, saving->directory, &saving->keys, name,
	                                  &manifest, found, err);
	for (size_t i = 0; code == RS_OK && i < manifest.count; i++) {
		const struct saved_file *file = &manifest.files[i];
		struct rs_buffer listed RS_CLEANUP(rs_buffer_finish) = {0};
		for (size_t piece = 0; piece < saved_piece_count(file); piece++) {
			struct rs_digest tag;
			struct rs_cid cid;
			saved_piece(file, piece, &tag, &cid);
			rs_buffer_append(out, cid.bytes, CID_SIZE);
		}
		if (strcmp(file->name, OBJECTS_NAME) != 0)
			continue;
		code = saved_read(saving->vault, &saving->keys, file, (size_t)1 << 32, &listed, err);
		rs_buffer_append_bytes(out, rs_buffer_bytes(&listed));
	}
	manifest_finish(&manifest);
	RS_TRY(code);
	return rs_buffer_check(out, "the objects of all backups", err);
}

struct sweep {
	const struct rs_buffer *needed;
	struct rs_buffer waste;
};

static enum rs_code see_object(void *context, const struct rs_cid *cid, struct rs_str name RS_UNUSED,
                               struct rs_error *err)
{
	struct sweep *sweep = context;
	if (!cid ||
	    bsearch(cid->bytes, sweep->needed->data, sweep->needed->size / CID_SIZE, CID_SIZE, by_address))
		return RS_OK;
	rs_buffer_append(&sweep->waste, cid->bytes, CID_SIZE);
	return rs_buffer_check(&sweep->waste, "what no backup needs", err);
}

static enum rs_code sweep(struct saving *saving, const struct rs_buffer *needed, struct rs_error *err)
{
	struct sweep found = {.needed = needed};
	struct rs_cid cid;
	rs_buffer_init(&found.waste, (size_t)1 << 32);
	enum rs_code code = rs_vault_list(saving->vault, see_object, &found, err);
	for (size_t at = 0; code == RS_OK && at < found.waste.size; at += CID_SIZE) {
		memcpy(cid.bytes, found.waste.data + at, CID_SIZE);
		code = rs_vault_remove(saving->vault, &cid, err);
		saving->counts.removed += code == RS_OK;
	}
	rs_buffer_finish(&found.waste);
	return code;
}

/* Manifests go first: what they alone needed may then go at any time. */
static enum rs_code keep_newest(struct saving *saving, uint64_t keep, struct rs_error *err)
{
	struct rs_buffer names RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer needed RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(manifest_list(saving->node->world, saving->directory, &names, err));
	size_t count = names.size / RS_BACKUP_NAME_SIZE, gone = count > keep ? count - (size_t)keep : 0;
	rs_buffer_init(&needed, (size_t)1 << 32);
	for (size_t i = 0; i < count; i++) {
		const char *name = (const char *)names.data + i * RS_BACKUP_NAME_SIZE;
		RS_TRY(i < gone ? manifest_remove(saving->node->world, saving->directory, name, err)
		                : add_needed(saving, name, &needed, err));
	}
	sort_addresses(&needed);
	return sweep(saving, &needed, err);
}

enum rs_code rs_node_backup(struct rs_node *node, const char *directory, uint64_t keep,
                            struct rs_backup_counts *out, struct rs_error *err)
{
	struct saving saving RS_CLEANUP(saving_finish) = {.node = node, .directory = directory};
	RS_TRY(saving_begin(&saving, err));
	saving.manifest.time_ms = rs_world_now_ms(node->world);
	if (saving.manifest.time_ms <= saving.last.time_ms) /* a clock that went back */
		saving.manifest.time_ms = saving.last.time_ms + 1;
	RS_TRY(save_files(&saving, err));
	RS_TRY(save_databases(&saving, err));
	RS_TRY(save_objects(&saving, err));
	RS_TRY(reread(&saving, err));
	RS_TRY(manifest_write(node->world, directory, &saving.keys, &saving.manifest, saving.counts.name,
	                      err));
	if (keep)
		RS_TRY(keep_newest(&saving, keep, err));
	saving.counts.entries = saving.manifest.entries;
	saving.counts.objects = saving.objects.size / CID_SIZE;
	*out = saving.counts;
	return RS_OK;
}

static enum rs_code count_piece(void *context, uint64_t offset RS_UNUSED, struct rs_bytes piece,
                                struct rs_error *err RS_UNUSED)
{
	((struct rs_backup_counts *)context)->bytes += piece.size;
	return RS_OK;
}

static enum rs_code verify_all(struct saving *saving, struct rs_error *err)
{
	const struct saved_file *objects = manifest_find(&saving->manifest, OBJECTS_NAME);
	for (size_t i = 0; i < saving->manifest.count; i++)
		RS_TRY(saved_each_piece(saving->vault, &saving->keys, &saving->manifest.files[i], count_piece,
		                        &saving->counts, err));
	if (!objects || objects->size % CID_SIZE)
		return rs_error_set(err, RS_ALTERED, "the backup has no list of objects");
	RS_TRY(saved_read(saving->vault, &saving->keys, objects, (size_t)1 << 32, &saving->fresh, err));
	RS_TRY(reread(saving, err));
	saving->counts.objects = saving->fresh.size / CID_SIZE;
	return RS_OK;
}

enum rs_code rs_node_backup_verify(struct rs_node *node, const char *directory, const char *name,
                                   struct rs_backup_counts *out, struct rs_error *err)
{
	struct saving saving RS_CLEANUP(saving_finish) = {.node = node, .directory = directory};
	backup_keys_init(&saving.keys, node->keyring);
	RS_TRY(manifest_read(node->world, directory, &saving.keys, name, &saving.manifest, saving.counts.name,
	                     err));
	RS_TRY(rs_vault_open(node->world, directory, &saving.vault, err));
	enum rs_code code = verify_all(&saving, err);
	if (code == RS_NOT_FOUND) {
		rs_error_context(err, "backup %s lacks a part", saving.counts.name);
		return err ? (err->code = RS_ALTERED) : RS_ALTERED;
	}
	RS_TRY(code);
	saving.counts.entries = saving.manifest.entries;
	*out = saving.counts;
	return RS_OK;
}
