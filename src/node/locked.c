#include "node/locked.h"

#define UNLOCK_SIZE 32
#define UNLOCK_SIZE_MAX 4096

void locked_finish(struct locked *locked)
{
	rs_free(locked->key);
	rs_free(locked->unlock);
}

static enum rs_code make_unlock(const struct locked *locked, struct rs_buffer *content, struct rs_error *err)
{
	uint8_t bytes[UNLOCK_SIZE];
	rs_buffer_init(content, UNLOCK_SIZE);
	enum rs_code code = rs_world_random(locked->world, bytes, sizeof bytes, err);
	if (code == RS_OK)
		rs_buffer_append(content, bytes, sizeof bytes);
	rs_wipe(bytes, sizeof bytes);
	RS_TRY(code);
	RS_TRY(rs_buffer_check(content, "an unlock file", err));
	return rs_file_replace(locked->world, locked->unlock, rs_buffer_bytes(content), 0600, err);
}

enum rs_code locked_prepare(const struct locked *locked, struct rs_bytes passphrase,
                            struct rs_buffer *content, struct rs_unlock *out, struct rs_error *err)
{
	if (passphrase.size == 0)
		RS_TRY(make_unlock(locked, content, err));
	*out = (struct rs_unlock){.passphrase = passphrase, .unlock_file = rs_buffer_bytes(content)};
	return RS_OK;
}

/* After an interrupted change it may be the passphrase though there is an unlock file. */
static enum rs_code open_file(const struct locked *locked, struct rs_bytes passphrase,
                              struct rs_buffer *content, struct rs_unlock *out_unlock, void *out,
                              struct rs_error *err)
{
	const struct locked_kind *kind = locked->kind;
	enum rs_code code = RS_NOT_FOUND;
	if (rs_path_exists(locked->world, locked->unlock)) {
		RS_TRY(rs_file_read_all(locked->world, locked->unlock, UNLOCK_SIZE_MAX, content, err));
		*out_unlock = (struct rs_unlock){.unlock_file = rs_buffer_bytes(content)};
		code = kind->open(locked->world, locked->key, out_unlock, out, err);
	} else if (passphrase.size == 0) {
		return rs_error_set(err, RS_USAGE, "%s opens with a passphrase; give %s", locked->key,
		                    kind->hint);
	}
	if (code != RS_OK && passphrase.size) {
		*out_unlock = (struct rs_unlock){.passphrase = passphrase};
		code = kind->open(locked->world, locked->key, out_unlock, out, err);
	}
	/* Refusals are the contract's; a key that does not open denies access. */
	if (code == RS_REFUSED && err)
		err->code = RS_DENIED;
	return code == RS_REFUSED ? RS_DENIED : code;
}

enum rs_code locked_open(const struct locked *locked, struct rs_bytes passphrase, void *out,
                         struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_unlock unlock;
	return open_file(locked, passphrase, &content, &unlock, out, err);
}

static enum rs_code forget_unlock(const struct locked *locked, struct rs_error *err)
{
	const struct rs_files *files = locked->world->files;
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(locked->unlock);
	if (!directory)
		return rs_error_memory(err, 1, "a path");
	if (!rs_path_exists(locked->world, locked->unlock))
		return RS_OK;
	RS_TRY(files->remove(files, locked->unlock, err));
	return files->sync_directory(files, directory, err);
}

enum rs_code locked_change(const struct locked *locked, struct rs_bytes passphrase, struct rs_bytes changed,
                           void *out, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_buffer fresh RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_unlock old, new_unlock;
	RS_TRY(open_file(locked, passphrase, &content, &old, out, err));
	if (changed.size == 0 && old.unlock_file.size)
		return rs_error_set(err, RS_USAGE, "%s opens with an unlock file already", locked->key);
	RS_TRY(locked_prepare(locked, changed, &fresh, &new_unlock, err));
	RS_TRY(locked->kind->change(locked->world, locked->key, &old, &new_unlock, err));
	return changed.size ? forget_unlock(locked, err) : RS_OK;
}
