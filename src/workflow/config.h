/* radseal.yaml: the few settings of a node, each with its comment. */
#ifndef RS_WORKFLOW_CONFIG_H
#define RS_WORKFLOW_CONFIG_H

#include "base/base.h"
#include "workflow.h"

#define ORIGIN_MAX 128

struct config {
	char organisation[RS_ORGANISATION_NAME_MAX + 1];
	char origin[ORIGIN_MAX + 1]; /* the log's name in checkpoints, after C2SP tlog-checkpoint */
	bool unlock_file;            /* keys open with keys/unlock.key instead of a passphrase */
};

/* RS_USAGE when the name is empty, too long or has control characters. */
enum rs_code config_init(struct config *out, const char *organisation, bool unlock_file,
                         struct rs_error *err);
enum rs_code config_write(const struct rs_world *world, const char *path, const struct config *config,
                          struct rs_error *err);
/* Unknown keys, missing keys and wrong values are refused with their line. */
enum rs_code config_read(const struct rs_world *world, const char *path, struct config *out,
                         struct rs_error *err);

#endif
