/* What was found of predictions, printed for people or as JSON. */
#ifndef RS_CLI_FINDINGS_H
#define RS_CLI_FINDINGS_H

#include "prognosis/prognosis.h"

/* Six digits where people read. */
void finding_print(struct rs_buffer *out, const struct rs_finding *finding);
/* All digits. */
void finding_json(struct rs_json *json, const struct rs_finding *finding);

#endif
