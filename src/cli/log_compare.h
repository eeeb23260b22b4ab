/* radseal log compare. */
#ifndef RS_CLI_LOG_COMPARE_H
#define RS_CLI_LOG_COMPARE_H

#include "command.h"

/* Whether the checkpoints in these files contradict each other; RS_ALTERED names a split view. */
enum rs_code log_compare(const struct command_line *line, struct rs_error *err);

#endif
