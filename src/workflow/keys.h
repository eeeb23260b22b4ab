/* The key files of members that act through this node: keys/NAME.key. */
#ifndef WORKFLOW_KEYS_H
#define WORKFLOW_KEYS_H

#include "node.h"

/* errors  as of rs_node_actor_open() */
enum rs_code node_key_open(const struct rs_node *node, const char *name, struct rs_bytes passphrase,
                           struct rs_signing_key *out, struct rs_error *err);

#endif
