/* The 32 directories over which files named by CIDs are spread: <directory>/<c>/<cid>, where <c> is the last but one
 * character of the address (the last one holds 3 bits only: 288 bits in 58 digits of 5). */
#include <string.h>

#include "vault/vault.h"

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
#define PLACE (RS_CID_TEXT_SIZE - 3)

unsigned rs_cid_shard(const struct rs_cid *cid)
{
	char text[RS_CID_TEXT_SIZE];
	rs_cid_format(cid, text);
	return (unsigned)(strchr(digits, text[PLACE]) - digits);
}

bool rs_shard_is_name(struct rs_str name, unsigned *out)
{
	const char *found = name.size == 1 && name.data[0] ? strchr(digits, name.data[0]) : NULL;
	if (!found)
		return false;
	*out = (unsigned)(found - digits);
	return true;
}

char *rs_shard_path(const char *directory, const struct rs_cid *cid, const char *suffix)
{
	char text[RS_CID_TEXT_SIZE];
	rs_cid_format(cid, text);
	return rs_text_printf("%s/%c/%s%s", directory, text[PLACE], text, suffix);
}

enum rs_code rs_shards_make(const struct rs_world *world, const char *directory, struct rs_error *err)
{
	RS_TRY(rs_directory_make(world, directory, err));
	for (unsigned shard = 0; shard < RS_SHARDS; shard++) {
		char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/%c", directory, digits[shard]);
		if (!path)
			return rs_error_memory(err, strlen(directory), "a path");
		if (rs_path_exists(world, path))
			continue;
		RS_TRY(world->files->make_directory(world->files, path, 0700, err));
	}
	return world->files->sync_directory(world->files, directory, err);
}

struct syncing {
	const struct rs_world *world;
	const char *directory;
	char shards[RS_SHARDS];
};

static enum rs_code sync_one(void *context, size_t index, struct rs_error *err)
{
	const struct syncing *syncing = context;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/%c", syncing->directory,
	                                                        syncing->shards[index]);
	if (!path)
		return rs_error_memory(err, strlen(syncing->directory), "a path");
	return syncing->world->files->sync_directory(syncing->world->files, path, err);
}

enum rs_code rs_shards_sync(const struct rs_world *world, struct rs_pool *pool, const char *directory,
                            uint32_t touched, struct rs_error *err)
{
	struct syncing syncing = {.world = world, .directory = directory};
	size_t count = 0;
	for (unsigned shard = 0; shard < RS_SHARDS; shard++)
		if (touched >> shard & 1)
			syncing.shards[count++] = digits[shard];
	return rs_pool_for(pool, count, sync_one, &syncing, err);
}
