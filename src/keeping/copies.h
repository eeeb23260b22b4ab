/* The IPFS node that keeps copies of a node's objects. */
#ifndef RS_KEEPING_COPIES_H
#define RS_KEEPING_COPIES_H

#include "node/node_parts.h"
#include "vault/vault_blobs.h"
#include "keeping/keeping_vault.h"

/* As radseal.yaml says; the token of its API, if it wants one, is in keys/ipfs.token. RS_USAGE without "store: ipfs". */
enum rs_code copies_open(const struct rs_node *node, struct rs_blobs **out, struct rs_error *err);

#endif
