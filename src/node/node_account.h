/* Accounts of people at a node, and the members that they act as. */
#ifndef RS_NODE_ACCOUNT_H
#define RS_NODE_ACCOUNT_H

#include "account/account.h"
#include "node/node_act.h"

/* accounts.sqlite, under the node's keys; beside a process that has the node open for writing, too. settings->issuer NULL: the
 * organisation's name. The node must outlive them. */
enum rs_code rs_node_accounts_open(const struct rs_node *node, const struct rs_account_settings *settings,
                                   struct rs_accounts **out, struct rs_error *err);
/* The member whose key has this seed: of a session. */
enum rs_code rs_node_actor_of_seed(const struct rs_node *node, const struct rs_secret *seed,
                                   struct rs_actor **out, struct rs_error *err);

#endif
