/* radseal.yaml: the few settings of a node, each with its comment. */
#ifndef RS_NODE_CONFIG_H
#define RS_NODE_CONFIG_H

#include "base/base.h"
#include "node/node.h"

#define ORIGIN_MAX 128
#define VAULT_URL_MAX 200
#define VAULT_URL_DEFAULT "http://127.0.0.1:5001"
#define VAULT_RESERVE_DEFAULT ((uint64_t)64 << 20)

struct config {
	char organisation[RS_ORGANISATION_NAME_MAX + 1];
	char origin[ORIGIN_MAX + 1]; /* the log's name in checkpoints, after C2SP tlog-checkpoint */
	/* vault: all optional */
	bool vault_ipfs;                   /* copies are kept in an IPFS node */
	char vault_url[VAULT_URL_MAX + 1]; /* where its API listens */
	uint64_t vault_quota;              /* bytes that objects may take; 0: as many as the disk has */
	uint64_t vault_reserve;            /* bytes that sealing leaves free on the disk, for the ledger */
};

/* RS_USAGE when the name is empty, too long or has control characters. */
enum rs_code config_init(struct config *out, const char *organisation, struct rs_error *err);
enum rs_code config_write(const struct rs_world *world, const char *path, const struct config *config,
                          struct rs_error *err);
/* Unknown keys, missing keys and wrong values are refused with their line. */
enum rs_code config_read(const struct rs_world *world, const char *path, struct config *out,
                         struct rs_error *err);

#endif
