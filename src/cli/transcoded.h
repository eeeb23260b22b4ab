/* Copies of DICOM files in another transfer syntax: its names on the command line. */
#ifndef RS_CLI_TRANSCODED_H
#define RS_CLI_TRANSCODED_H

#include "command.h"

#define TRANSFER_SYNTAX_HELP "explicit, implicit, rle, jpeg-ls, jpeg-2000, or a UID"
/* NULL gives explicit little endian; what is no name is taken for a UID. */
const char *transfer_syntax_of(const char *given);
/* A copy of `path` beside it, PATH.copy.dcm, whose name goes to *out_path (rs_free it); NULL when the file is no DICOM. */
enum rs_code transcoded_beside(const char *path, const char *transfer_syntax, char **out_path,
                               struct rs_error *err);

#endif
