/* What was found of predictions, printed for people or as JSON. */
#ifndef RS_CLI_FINDINGS_H
#define RS_CLI_FINDINGS_H

#include "report/report.h"

/* Six digits where people read. */
void finding_print(struct rs_buffer *out, const struct rs_finding *finding);
/* All digits. */
void finding_json(struct rs_json *json, const struct rs_finding *finding);

/* Both, gathered. */
struct findings {
	struct rs_buffer text;
	struct rs_json json;
	bool as_json;
};
void findings_begin(struct findings *findings, bool as_json);
void findings_visit(void *findings, const struct rs_finding *finding); /* an rs_finding_visit */
enum rs_code findings_end(struct findings *findings, struct rs_error *err);
void findings_finish(struct findings *findings);

#endif
