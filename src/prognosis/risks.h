/* Survival predicted for rows by models that did not see them: what it is worth at times, and whether it is right. */
#ifndef RS_PROGNOSIS_RISKS_H
#define RS_PROGNOSIS_RISKS_H

#include "report.h"
#include "validate.h"

/* Times by which twentieths of all events had come; equal ones once. */
#define HORIZONS_MAX 19
struct horizons {
	size_t count;
	double times[HORIZONS_MAX];
};
void horizons_of(const struct frame *frame, double *work, struct horizons *out);

/* Of a contender, in its first repeat. By row: survival at each horizon, then by the row's own time. What its learner does
 * not know itself follows from Cox's model of the other folds' risks, as it does in the model that is kept. */
struct risks {
	struct horizons horizons;
	double *survival; /* rows x (horizons + 1) */
};
void risks_finish(struct risks *risks);
enum rs_code risks_init(struct risks *risks, const struct frame *frame, struct rs_error *err);
/* Of rows that `fitted` did not see; nothing where its learner does not know survival. */
enum rs_code risks_judge(struct risks *risks, const struct fitted *fitted, const struct frame *frame,
                         enum view view, const size_t *rows, size_t count, struct rs_error *err);
/* Fills what is missing, and tells it all. */
enum rs_code risks_report(const struct contender *of, const struct rs_training_report *report,
                          struct rs_error *err);
/* The figure at the middle horizon; line: room for 2 x rows. False: there is none. */
enum rs_code risks_show(const struct contender *of, double *line, struct report_risk *out, bool *out_any,
                        struct rs_error *err);

#endif
