/* The node's accounts: their file and the key that it is under. */
#include "node/node_account.h"

#include "node/node_parts.h"

enum rs_code rs_node_accounts_open(const struct rs_node *node, const struct rs_account_settings *settings,
                                   struct rs_accounts **out, struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_account_settings own = *settings;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	if (!own.issuer)
		own.issuer = node->config.organisation;
	RS_TRY(node_path(node, "accounts.sqlite", &path, err));
	rs_keyring_accounts_key(node->keyring, &key);
	return rs_accounts_open(node->world, path, &key, &own, out, err);
}
