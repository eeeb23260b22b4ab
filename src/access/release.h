/* One object out of the vault, as a file. */
#ifndef RS_ACCESS_RELEASE_H
#define RS_ACCESS_RELEASE_H

#include "node/node_parts.h"

/* Decrypts it into DIRECTORY/<address>.<extension>, with its receipt beside it; or, for a recipient, puts it as it is into a
 * bundle. The file gets its name when it was compared with the ledger; the directory is the caller's to sync. *out_path:
 * new heap string. Safe in parallel. errors  RS_ALTERED; RS_NOT_FOUND: its subject was erased */
enum rs_code node_release(struct rs_node *node, const struct rs_cid *cid,
                          const struct rs_member_key *recipient, const char *directory, char **out_path,
                          struct rs_error *err);

/* What became of an access request: refused as an entry, or decided. */
enum rs_code node_decision(struct rs_node *node, const struct rs_act *act,
                           const struct rs_append_result *result, struct rs_decision *out,
                           struct rs_error *err);
/* RS_REFUSED "NAME: sentence", or RS_OK. */
enum rs_code node_refusal(const struct rs_decision *decision, struct rs_error *err);

#endif
