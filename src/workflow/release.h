/* One object out of the vault, as a file. */
#ifndef WORKFLOW_RELEASE_H
#define WORKFLOW_RELEASE_H

#include "node.h"

/* Decrypts it into DIRECTORY/<address>.<extension>, with its receipt beside it. The file gets its name when it was
 * compared with the ledger; the directory is the caller's to sync. *out_path: new heap string. Safe in parallel.
 * errors  RS_ALTERED; RS_NOT_FOUND: its subject was erased */
enum rs_code node_release(struct rs_node *node, const struct rs_cid *cid, const char *directory,
                          char **out_path, struct rs_error *err);

#endif
