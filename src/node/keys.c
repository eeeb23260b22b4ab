/* Key files of members: made, opened, put under another passphrase, listed. */
#include "node/node_keys.h"

#include <string.h>

#include "node/locked.h"

#define PUBLIC_SIZE_MAX 256

/* A name is a file's name, too; "node" and "unlock" are the node's own. */
static enum rs_code check_name(const char *name, struct rs_error *err)
{
	static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t size = strlen(name);
	if (size == 0 || size > RS_KEY_NAME_MAX || strspn(name, fit) != size || name[0] == '.' ||
	    name[0] == '-')
		return rs_error_set(err, RS_USAGE,
		                    "a key's name has 1 to %d of the characters A-Z a-z 0-9 - _ . and begins "
		                    "with neither dot nor dash",
		                    RS_KEY_NAME_MAX);
	if (strcmp(name, "node") == 0 || strcmp(name, "unlock") == 0)
		return rs_error_set(err, RS_USAGE, "the name '%s' is kept for the node's own keys", name);
	return RS_OK;
}

static enum rs_code open_key(const struct rs_world *world, const char *path, const struct rs_unlock *unlock,
                             void *out, struct rs_error *err)
{
	return rs_member_key_file_open(world, path, unlock, out, err);
}

static const struct locked_kind members = {open_key, rs_member_key_file_change,
                                           "it in a file, or set RADSEAL_AS_PASSPHRASE"};

/* The files of one key. */
struct paths {
	struct locked locked;
	char *public_key;
};

static void paths_finish(struct paths *paths)
{
	locked_finish(&paths->locked);
	rs_free(paths->public_key);
}

static enum rs_code paths_init(struct paths *out, const struct rs_keys_place *place, const char *name,
                               struct rs_error *err)
{
	RS_TRY(check_name(name, err));
	out->locked = (struct locked){
		.kind = &members,
		.world = place->world,
		.key = rs_text_printf("%s/keys/%s.key", place->directory, name),
		.unlock = rs_text_printf("%s/keys/%s.unlock", place->directory, name),
	};
	out->public_key = rs_text_printf("%s/keys/%s.pub", place->directory, name);
	return out->locked.key && out->locked.unlock && out->public_key ? RS_OK
	                                                                : rs_error_memory(err, 1, "paths");
}

static enum rs_code check_there(const struct paths *paths, const char *name, struct rs_error *err)
{
	if (rs_path_exists(paths->locked.world, paths->locked.key))
		return RS_OK;
	return rs_error_set(err, RS_NOT_FOUND,
	                    "%s: there is no such key here; make one with: radseal key new %s",
	                    paths->locked.key, name);
}

static enum rs_code write_public(const struct paths *paths, const struct rs_member_key *key,
                                 struct rs_error *err)
{
	char line[RS_MEMBER_KEY_TEXT_SIZE];
	rs_member_key_format(key, line);
	line[RS_MEMBER_KEY_TEXT_SIZE - 1] = '\n';
	return rs_file_replace(paths->locked.world, paths->public_key, rs_bytes_of(line, sizeof line), 0644,
	                       err);
}

enum rs_code rs_key_new(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                        struct rs_member_key *out, struct rs_error *err)
{
	struct paths paths RS_CLEANUP(paths_finish) = {.public_key = NULL};
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish) = {.seed = {{0}}};
	struct rs_unlock unlock;
	struct rs_member_key id;
	RS_TRY(paths_init(&paths, place, name, err));
	if (rs_path_exists(place->world, paths.locked.key))
		return rs_error_set(err, RS_EXISTS, "%s: there is such a key already; it is not overwritten",
		                    paths.locked.key);
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(paths.locked.key);
	if (!directory)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_directory_make(place->world, directory, err));
	RS_TRY(locked_prepare(&paths.locked, passphrase, &content, &unlock, err));
	RS_TRY(rs_member_key_file_create(place->world, paths.locked.key, &unlock, &key, err));
	memcpy(id.bytes, key.public_key, sizeof id.bytes);
	RS_TRY(write_public(&paths, &id, err));
	*out = id;
	return RS_OK;
}

enum rs_code rs_key_open(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                         struct rs_signing_key *out, struct rs_error *err)
{
	struct paths paths RS_CLEANUP(paths_finish) = {.public_key = NULL};
	RS_TRY(paths_init(&paths, place, name, err));
	RS_TRY(check_there(&paths, name, err));
	return locked_open(&paths.locked, passphrase, out, err);
}

enum rs_code rs_key_change(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                           struct rs_bytes changed, struct rs_error *err)
{
	struct paths paths RS_CLEANUP(paths_finish) = {.public_key = NULL};
	struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish) = {.seed = {{0}}};
	RS_TRY(paths_init(&paths, place, name, err));
	RS_TRY(check_there(&paths, name, err));
	return locked_change(&paths.locked, passphrase, changed, &key, err);
}

static enum rs_code repair_public(const struct paths *paths, struct rs_bytes passphrase,
                                  struct rs_member_key *out, struct rs_error *err)
{
	struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish) = {.seed = {{0}}};
	RS_TRY(locked_open(&paths->locked, passphrase, &key, err));
	memcpy(out->bytes, key.public_key, sizeof out->bytes);
	return write_public(paths, out, err);
}

enum rs_code rs_key_public(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                           struct rs_member_key *out, struct rs_error *err)
{
	struct paths paths RS_CLEANUP(paths_finish) = {.public_key = NULL};
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(paths_init(&paths, place, name, err));
	RS_TRY(check_there(&paths, name, err));
	if (!rs_path_exists(place->world, paths.public_key))
		return repair_public(&paths, passphrase, out, err);
	RS_TRY(rs_file_read_all(place->world, paths.public_key, PUBLIC_SIZE_MAX, &content, err));
	if (rs_member_key_parse(rs_str_trim(rs_buffer_str(&content)), out, err) != RS_OK)
		return rs_error_context(err, "%s", paths.public_key);
	return RS_OK;
}

struct listing {
	const struct rs_keys_place *place;
	rs_key_visit *visit;
	void *context;
};

static enum rs_code see_file(void *context, struct rs_str name, enum rs_file_kind kind RS_UNUSED,
                             struct rs_error *err)
{
	const struct listing *listing = context;
	struct rs_key_facts facts = {.unlock_file = false};
	struct paths paths RS_CLEANUP(paths_finish) = {.public_key = NULL};
	size_t size = rs_str_ends_with(name, ".key") ? name.size - strlen(".key") : 0;
	if (size == 0 || size > RS_KEY_NAME_MAX)
		return RS_OK;
	memcpy(facts.name, name.data, size);
	/* The node's own keys lie here, too. */
	if (check_name(facts.name, NULL) != RS_OK)
		return RS_OK;
	RS_TRY(paths_init(&paths, listing->place, facts.name, err));
	facts.unlock_file = rs_path_exists(paths.locked.world, paths.locked.unlock);
	facts.has_key = facts.unlock_file || rs_path_exists(paths.locked.world, paths.public_key);
	if (facts.has_key)
		RS_TRY(rs_key_public(listing->place, facts.name, rs_bytes_of("", 0), &facts.key, err));
	return listing->visit(listing->context, &facts, err);
}

enum rs_code rs_key_each(const struct rs_keys_place *place, rs_key_visit *visit, void *context,
                         struct rs_error *err)
{
	struct listing listing = {place, visit, context};
	const struct rs_files *files = place->world->files;
	char *keys RS_CLEANUP(rs_free_pointer) = rs_path_join(place->directory, "keys");
	if (!keys)
		return rs_error_memory(err, 1, "a path");
	return files->list(files, keys, see_file, &listing, err);
}
