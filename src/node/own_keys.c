/* The node's own keys: made, opened, put under another passphrase. */
#include "node/locked.h"
#include "node/node_keys.h"
#include "node/node_parts.h"

static enum rs_code open_keyring(const struct rs_world *world, const char *path,
                                 const struct rs_unlock *unlock, void *out, struct rs_error *err)
{
	return rs_keyring_open(world, path, unlock, out, err);
}

static const struct locked_kind nodes = {open_keyring, rs_keyring_change_unlock,
                                         "--passphrase-file FILE, or set RADSEAL_PASSPHRASE"};

static enum rs_code locked_init(struct locked *out, const struct rs_node *node, struct rs_error *err)
{
	*out = (struct locked){.kind = &nodes, .world = node->world};
	RS_TRY(node_path(node, "keys/node.key", &out->key, err));
	return node_path(node, "keys/unlock.key", &out->unlock, err);
}

enum rs_code node_create_keys(const struct rs_node *node, struct rs_bytes passphrase, struct rs_error *err)
{
	struct locked locked RS_CLEANUP(locked_finish) = {.kind = NULL};
	struct rs_buffer content RS_CLEANUP(rs_secret_buffer_finish) = {0};
	char *directory RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_unlock unlock;
	RS_TRY(locked_init(&locked, node, err));
	RS_TRY(node_path(node, "keys", &directory, err));
	RS_TRY(rs_directory_make(node->world, directory, err));
	RS_TRY(locked_prepare(&locked, passphrase, &content, &unlock, err));
	return rs_keyring_create(node->world, locked.key, &unlock, rs_str_from(node->config.organisation),
	                         NULL, err);
}

enum rs_code node_open_keys(struct rs_node *node, struct rs_bytes passphrase, struct rs_error *err)
{
	struct locked locked RS_CLEANUP(locked_finish) = {.kind = NULL};
	char *subjects RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(locked_init(&locked, node, err));
	RS_TRY(node_path(node, "subjects.sqlite", &subjects, err));
	RS_TRY(locked_open(&locked, passphrase, &node->keyring, err));
	return rs_subject_keys_open(node->world, subjects, node->keyring, &node->subjects, err);
}

static enum rs_code change(struct rs_node *node, struct rs_bytes passphrase, struct rs_bytes changed,
                           struct rs_error *err)
{
	struct locked locked RS_CLEANUP(locked_finish) = {.kind = NULL};
	RS_TRY(locked_init(&locked, node, err));
	if (!rs_path_exists(node->world, locked.key))
		return rs_error_set(err, RS_NOT_FOUND, "%s: there is no node here (no keys/node.key)",
		                    node->directory);
	RS_TRY(node_take_lock(node, err));
	return locked_change(&locked, passphrase, changed, &node->keyring, err);
}

enum rs_code rs_node_key_change(const struct rs_keys_place *place, struct rs_bytes passphrase,
                                struct rs_bytes changed, struct rs_member_key *out, struct rs_error *err)
{
	struct rs_node *node;
	RS_TRY(node_new(place->world, place->directory, RS_NODE_WRITE, NULL, &node, err));
	enum rs_code code = change(node, passphrase, changed, err);
	if (code == RS_OK)
		*out = rs_keyring_member_id(node->keyring);
	rs_node_close(node);
	return code;
}
