/* Key files of members: keys/NAME.key, and keys/NAME.unlock where no passphrase was chosen. */
#include "keys.h"

#include <string.h>

#define NAME_MAX_SIZE 64
#define UNLOCK_SIZE_MAX 4096

/* A name is a file's name, too; "node" and "unlock" are the node's own. */
static enum rs_code check_name(const char *name, struct rs_error *err)
{
	static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t size = strlen(name);
	if (size == 0 || size > NAME_MAX_SIZE || strspn(name, fit) != size || name[0] == '.' ||
	    name[0] == '-')
		return rs_error_set(err, RS_USAGE,
		                    "a key's name has 1 to %d of the characters A-Z a-z 0-9 - _ . and begins "
		                    "with neither dot nor dash",
		                    NAME_MAX_SIZE);
	if (strcmp(name, "node") == 0 || strcmp(name, "unlock") == 0)
		return rs_error_set(err, RS_USAGE, "the name '%s' is kept for the node's own keys", name);
	return RS_OK;
}

static enum rs_code key_path(const struct rs_node *node, const char *name, const char *suffix, char **out,
                             struct rs_error *err)
{
	char *file RS_CLEANUP(rs_free_pointer) = rs_text_printf("keys/%s.%s", name, suffix);
	if (!file)
		return rs_error_memory(err, strlen(name), "a path");
	return node_path(node, file, out, err);
}

enum rs_code node_key_open(const struct rs_node *node, const char *name, struct rs_bytes passphrase,
                           struct rs_signing_key *out, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	char *unlock_path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_unlock unlock = {.passphrase = passphrase};
	RS_TRY(check_name(name, err));
	RS_TRY(key_path(node, name, "key", &path, err));
	RS_TRY(key_path(node, name, "unlock", &unlock_path, err));
	if (!rs_path_exists(node->world, path))
		return rs_error_set(err, RS_NOT_FOUND,
		                    "%s: there is no such key here; make one with: radseal key new %s", path,
		                    name);
	if (rs_path_exists(node->world, unlock_path)) {
		RS_TRY(rs_file_read_all(node->world, unlock_path, UNLOCK_SIZE_MAX, &content, err));
		unlock = (struct rs_unlock){.unlock_file = rs_buffer_bytes(&content)};
	} else if (passphrase.size == 0) {
		return rs_error_set(err, RS_USAGE,
		                    "%s opens with a passphrase: give --as-passphrase-file FILE, or set "
		                    "RADSEAL_AS_PASSPHRASE",
		                    path);
	}
	enum rs_code code = rs_member_key_file_open(node->world, path, &unlock, out, err);
	/* Refusals are the contract's; a key that does not open denies access. */
	if (code == RS_REFUSED && err)
		err->code = RS_DENIED;
	return code == RS_REFUSED ? RS_DENIED : code;
}
