/* radseal demo cohort */
#ifndef RS_CLI_DEMO_COHORT_H
#define RS_CLI_DEMO_COHORT_H

#include "command.h"

enum rs_code demo_cohort(const struct command_line *line, struct rs_error *err);

#endif
