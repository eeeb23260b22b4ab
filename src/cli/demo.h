/* The parts of radseal demo. */
#ifndef RS_CLI_DEMO_H
#define RS_CLI_DEMO_H

#include "command.h"

#define DEMO_PATIENTS 40
#define DEMO_SEED 20261121

enum rs_code demo_cohort(const struct command_line *line, struct rs_error *err);
enum rs_code demo_scan(const struct command_line *line, struct rs_error *err);

#endif
