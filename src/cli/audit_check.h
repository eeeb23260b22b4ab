/* radseal audit check: proofs of entries, checked without the node. */
#ifndef CLI_AUDIT_CHECK_H
#define CLI_AUDIT_CHECK_H

#include "command.h"

/* Every operand but the first is a file; --key is given. RS_ALTERED when one of them proves nothing. */
enum rs_code audit_check(const struct command_line *line, struct rs_error *err);

#endif
