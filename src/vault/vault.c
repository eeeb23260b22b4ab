/* The local store: directory/tmp for staging, directory/objects with its shards for objects. */
#include "places.h"

#define TRIES_MAX 8

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

static enum rs_code make_locked(const struct rs_vault *vault, const char *path, unsigned flags,
                                struct rs_file **out, struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	RS_TRY(rs_file_open(vault->world, path, flags | RS_OPEN_CREATE | RS_OPEN_EXCLUSIVE, &file, err));
	enum rs_code code = file->files->lock(file, true, err);
	if (code == RS_OK && !rs_path_exists(vault->world, path))
		code = rs_error_set(err, RS_BUSY, "%s: another process cleaned up", path);
	RS_TRY(code);
	*out = file;
	file = NULL;
	return RS_OK;
}

/* Who cleans may meet a file before it is locked; then another one is made. */
enum rs_code staging_make(const struct rs_vault *vault, unsigned flags, char **out_path, struct rs_file **out,
                          struct rs_error *err)
{
	uint8_t name[16];
	char text[2 * sizeof name + 1];
	for (int tries = 0;; tries++) {
		RS_TRY(rs_world_random(vault->world, name, sizeof name, err));
		rs_hex_encode(rs_bytes_of(name, sizeof name), text);
		char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(vault->staging, text);
		if (!path)
			return rs_error_memory(err, sizeof text, "a path");
		enum rs_code code = make_locked(vault, path, flags, out, err);
		if (code == RS_BUSY && tries < TRIES_MAX)
			continue;
		RS_TRY(code);
		*out_path = path;
		path = NULL;
		return RS_OK;
	}
}

/* Locks what lies in the staging place and belongs to no process any more: RS_BUSY when one works at it. */
static enum rs_code claim_left(const struct rs_vault *vault, struct rs_str name, char **out_path,
                               struct rs_file **out, struct rs_error *err)
{
	*out_path = rs_text_printf("%s/" RS_STR_FORMAT, vault->staging, RS_STR_ARGUMENTS(name));
	if (!*out_path)
		return rs_error_memory(err, name.size, "a path");
	RS_TRY(rs_file_open(vault->world, *out_path, RS_OPEN_READ | RS_OPEN_WRITE, out, err));
	return (*out)->files->lock(*out, true, err);
}

/* Other things than files are not ours; rs_vault_list() names them. */
static enum rs_code remove_staged(void *context, struct rs_str name, enum rs_file_kind kind,
                                  struct rs_error *err)
{
	struct rs_vault *vault = context;
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	if (kind != RS_FILE_REGULAR)
		return RS_OK;
	enum rs_code code = claim_left(vault, name, &path, &file, err);
	if (code == RS_OK)
		code = vault->world->files->remove(vault->world->files, path, err);
	return code == RS_BUSY || code == RS_NOT_FOUND ? RS_OK : code;
}

enum rs_code rs_vault_clean(struct rs_vault *vault, struct rs_error *err)
{
	return vault->world->files->list(vault->world->files, vault->staging, remove_staged, vault, err);
}

enum rs_code object_path(const struct rs_vault *vault, const struct rs_cid *cid, char **out,
                         struct rs_error *err)
{
	*out = rs_shard_path(vault->objects, cid, "");
	return *out ? RS_OK : rs_error_memory(err, RS_CID_TEXT_SIZE, "a path");
}

enum rs_code object_remove(struct rs_vault *vault, const struct rs_cid *cid, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(object_path(vault, cid, &path, err));
	return vault->world->files->remove(vault->world->files, path, err);
}

bool rs_vault_has(struct rs_vault *vault, const struct rs_cid *cid)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	return object_path(vault, cid, &path, NULL) == RS_OK && rs_path_exists(vault->world, path);
}

enum rs_code rs_vault_size(struct rs_vault *vault, const struct rs_cid *cid, uint64_t *out,
                           struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_file_stat status;
	RS_TRY(object_path(vault, cid, &path, err));
	RS_TRY(vault->world->files->stat(vault->world->files, path, &status, err));
	*out = status.size;
	return RS_OK;
}

enum rs_code rs_vault_remove(struct rs_vault *vault, const struct rs_cid *cid, struct rs_error *err)
{
	pthread_mutex_lock(&vault->naming);
	enum rs_code code = object_remove(vault, cid, err);
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

/* What a process works at is nothing yet. */
static enum rs_code visit_staged(void *context, struct rs_str name, enum rs_file_kind kind,
                                 struct rs_error *err)
{
	const struct listing *listing = context;
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	enum rs_code code = kind == RS_FILE_REGULAR ? claim_left(listing->vault, name, &path, &file, NULL)
	                                            : RS_OK;
	return code == RS_BUSY || code == RS_NOT_FOUND ? RS_OK
	                                               : listing->visit(listing->context, NULL, name, err);
}

enum rs_code rs_vault_list(struct rs_vault *vault, rs_vault_visit *visit, void *context, struct rs_error *err)
{
	struct listing listing = {.vault = vault, .visit = visit, .context = context};
	const struct rs_files *files = vault->world->files;
	RS_TRY(files->list(files, vault->objects, visit_shard, &listing, err));
	return files->list(files, vault->staging, visit_staged, &listing, err);
}
