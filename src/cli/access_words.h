/* Purposes and operations as the user writes them. */
#ifndef RS_CLI_ACCESS_WORDS_H
#define RS_CLI_ACCESS_WORDS_H

#include "command.h"
#include "contract/contract.h"

/* --purpose; RS_USAGE tells the choices when it is missing or none of them. */
enum rs_code option_purpose(const struct command_line *line, enum rs_purpose *out, struct rs_error *err);
/* --operation, otherwise `fallback`. `allowed`: set of those the command can do. */
enum rs_code option_operation(const struct command_line *line, unsigned allowed, enum rs_operation fallback,
                              enum rs_operation *out, struct rs_error *err);

#endif
