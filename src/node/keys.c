/* Key files of members: made, opened, put under another passphrase, listed. */
#include "node/node_keys.h"

#include <string.h>

#define UNLOCK_SIZE 32
#define UNLOCK_SIZE_MAX 4096
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

/* The files of one key. */
struct paths {
	const struct rs_world *world;
	char *key, *unlock, *public_key;
};

static void paths_finish(struct paths *paths)
{
	rs_free(paths->key);
	rs_free(paths->unlock);
	rs_free(paths->public_key);
}

static enum rs_code paths_init(struct paths *out, const struct rs_keys_place *place, const char *name,
                               struct rs_error *err)
{
	RS_TRY(check_name(name, err));
	out->world = place->world;
	out->key = rs_text_printf("%s/keys/%s.key", place->directory, name);
	out->unlock = rs_text_printf("%s/keys/%s.unlock", place->directory, name);
	out->public_key = rs_text_printf("%s/keys/%s.pub", place->directory, name);
	return out->key && out->unlock && out->public_key ? RS_OK : rs_error_memory(err, 1, "paths");
}

static enum rs_code check_there(const struct paths *paths, const char *name, struct rs_error *err)
{
	if (rs_path_exists(paths->world, paths->key))
		return RS_OK;
	return rs_error_set(err, RS_NOT_FOUND,
	                    "%s: there is no such key here; make one with: radseal key new %s", paths->key,
	                    name);
}

/* Makes and keeps the random bytes that open a key without a passphrase. */
static enum rs_code make_unlock(const struct paths *paths, struct rs_buffer *content, struct rs_error *err)
{
	uint8_t bytes[UNLOCK_SIZE];
	rs_buffer_init(content, UNLOCK_SIZE);
	enum rs_code code = rs_world_random(paths->world, bytes, sizeof bytes, err);
	if (code == RS_OK)
		code = rs_buffer_append(content, bytes, sizeof bytes);
	rs_wipe(bytes, sizeof bytes);
	RS_TRY(code);
	return rs_file_replace(paths->world, paths->unlock, rs_buffer_bytes(content), 0600, err);
}

static enum rs_code write_public(const struct paths *paths, const struct rs_member_key *key,
                                 struct rs_error *err)
{
	char line[RS_MEMBER_KEY_TEXT_SIZE];
	rs_member_key_format(key, line);
	line[RS_MEMBER_KEY_TEXT_SIZE - 1] = '\n';
	return rs_file_replace(paths->world, paths->public_key, rs_bytes_of(line, sizeof line), 0644, err);
}

enum rs_code rs_key_new(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                        struct rs_member_key *out, struct rs_error *err)
{
	struct paths paths RS_CLEANUP(paths_finish) = {.key = NULL};
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish) = {.seed = {{0}}};
	struct rs_unlock unlock = {.passphrase = passphrase};
	struct rs_member_key id;
	RS_TRY(paths_init(&paths, place, name, err));
	if (rs_path_exists(place->world, paths.key))
		return rs_error_set(err, RS_EXISTS, "%s: there is such a key already; it is not overwritten",
		                    paths.key);
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(paths.key);
	if (!directory)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_directory_make(place->world, directory, err));
	if (passphrase.size == 0) {
		RS_TRY(make_unlock(&paths, &content, err));
		unlock = (struct rs_unlock){.unlock_file = rs_buffer_bytes(&content)};
	}
	RS_TRY(rs_member_key_file_create(place->world, paths.key, &unlock, &key, err));
	memcpy(id.bytes, key.public_key, sizeof id.bytes);
	RS_TRY(write_public(&paths, &id, err));
	*out = id;
	return RS_OK;
}

/* Finds what opens the key: after an interrupted change that may be the passphrase though there is an unlock file. */
static enum rs_code open_key(const struct paths *paths, struct rs_bytes passphrase, struct rs_buffer *content,
                             struct rs_unlock *out_unlock, struct rs_signing_key *out, struct rs_error *err)
{
	enum rs_code code = RS_NOT_FOUND;
	if (rs_path_exists(paths->world, paths->unlock)) {
		RS_TRY(rs_file_read_all(paths->world, paths->unlock, UNLOCK_SIZE_MAX, content, err));
		*out_unlock = (struct rs_unlock){.unlock_file = rs_buffer_bytes(content)};
		code = rs_member_key_file_open(paths->world, paths->key, out_unlock, out, err);
	} else if (passphrase.size == 0) {
		return rs_error_set(err, RS_USAGE,
		                    "%s opens with a passphrase; give it in a file, or set "
		                    "RADSEAL_AS_PASSPHRASE",
		                    paths->key);
	}
	if (code != RS_OK && passphrase.size) {
		*out_unlock = (struct rs_unlock){.passphrase = passphrase};
		code = rs_member_key_file_open(paths->world, paths->key, out_unlock, out, err);
	}
	/* Refusals are the contract's; a key that does not open denies access. */
	if (code == RS_REFUSED && err)
		err->code = RS_DENIED;
	return code == RS_REFUSED ? RS_DENIED : code;
}

enum rs_code rs_key_open(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                         struct rs_signing_key *out, struct rs_error *err)
{
	struct paths paths RS_CLEANUP(paths_finish) = {.key = NULL};
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_unlock unlock;
	RS_TRY(paths_init(&paths, place, name, err));
	RS_TRY(check_there(&paths, name, err));
	return open_key(&paths, passphrase, &content, &unlock, out, err);
}

static enum rs_code forget_unlock(const struct paths *paths, struct rs_error *err)
{
	const struct rs_files *files = paths->world->files;
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(paths->unlock);
	if (!directory)
		return rs_error_memory(err, 1, "a path");
	if (!rs_path_exists(paths->world, paths->unlock))
		return RS_OK;
	RS_TRY(files->remove(files, paths->unlock, err));
	return files->sync_directory(files, directory, err);
}

enum rs_code rs_key_change(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                           struct rs_bytes changed, struct rs_error *err)
{
	struct paths paths RS_CLEANUP(paths_finish) = {.key = NULL};
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_buffer fresh RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish) = {.seed = {{0}}};
	struct rs_unlock old, new_unlock = {.passphrase = changed};
	RS_TRY(paths_init(&paths, place, name, err));
	RS_TRY(check_there(&paths, name, err));
	RS_TRY(open_key(&paths, passphrase, &content, &old, &key, err));
	if (changed.size == 0) {
		if (old.unlock_file.size)
			return rs_error_set(err, RS_USAGE, "%s opens with an unlock file already", paths.key);
		RS_TRY(make_unlock(&paths, &fresh, err));
		new_unlock = (struct rs_unlock){.unlock_file = rs_buffer_bytes(&fresh)};
	}
	RS_TRY(rs_member_key_file_change(place->world, paths.key, &old, &new_unlock, err));
	return changed.size ? forget_unlock(&paths, err) : RS_OK;
}

static enum rs_code repair_public(const struct paths *paths, struct rs_bytes passphrase,
                                  struct rs_member_key *out, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_signing_key key RS_CLEANUP(rs_signing_key_finish) = {.seed = {{0}}};
	struct rs_unlock unlock;
	RS_TRY(open_key(paths, passphrase, &content, &unlock, &key, err));
	memcpy(out->bytes, key.public_key, sizeof out->bytes);
	return write_public(paths, out, err);
}

enum rs_code rs_key_public(const struct rs_keys_place *place, const char *name, struct rs_bytes passphrase,
                           struct rs_member_key *out, struct rs_error *err)
{
	struct paths paths RS_CLEANUP(paths_finish) = {.key = NULL};
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
	struct paths paths RS_CLEANUP(paths_finish) = {.key = NULL};
	size_t size = rs_str_ends_with(name, ".key") ? name.size - strlen(".key") : 0;
	if (size == 0 || size > RS_KEY_NAME_MAX)
		return RS_OK;
	memcpy(facts.name, name.data, size);
	/* The node's own keys lie here, too. */
	if (check_name(facts.name, NULL) != RS_OK)
		return RS_OK;
	RS_TRY(paths_init(&paths, listing->place, facts.name, err));
	facts.unlock_file = rs_path_exists(paths.world, paths.unlock);
	facts.has_key = facts.unlock_file || rs_path_exists(paths.world, paths.public_key);
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
