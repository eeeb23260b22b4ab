/* What the options of `radseal extract` say. */
#ifndef RS_CLI_EXTRACT_OPTIONS_H
#define RS_CLI_EXTRACT_OPTIONS_H

#include "extract_output.h"
#include "session.h"

/* Those of --params, --mode, --setting, --minimum-roi and --label, checked. errors  RS_USAGE; those of the file */
enum rs_code extract_settings(const struct command_line *line, struct rs_radiomics_settings *out,
                              struct rs_error *err);
/* one_row: nothing but one region of one case can come out. errors  RS_USAGE */
enum rs_code extract_output(const struct command_line *line, bool one_row, struct output *out,
                            struct rs_error *err);

#endif
