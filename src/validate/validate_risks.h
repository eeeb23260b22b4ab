/* Survival predicted for rows by models that did not see them: what it is worth at times, and whether it is right. */
#ifndef RS_VALIDATE_RISKS_H
#define RS_VALIDATE_RISKS_H

#include "report/report.h"
#include "validate/validate.h"

/* Times by which twentieths of all events had come; equal ones once. */
#define RS_HORIZONS_MAX 19
struct rs_horizons {
	size_t count;
	double times[RS_HORIZONS_MAX];
};

/* Of a contender, in its first repeat. By row: survival at each horizon, then by the row's own time. What its learner does
 * not know itself follows from Cox's model of the other folds' risks, as it does in the model that is kept. */
struct rs_risks {
	struct rs_horizons horizons;
	double *survival; /* rows x (horizons + 1) */
};
void rs_risks_finish(struct rs_risks *risks);
enum rs_code rs_risks_init(struct rs_risks *risks, const struct rs_frame *frame, struct rs_error *err);
/* Of rows that `fitted` did not see; nothing where its learner does not know survival. */
enum rs_code rs_risks_judge(struct rs_risks *risks, const struct rs_fitted *fitted,
                            const struct rs_frame *frame, enum rs_view view, const size_t *rows, size_t count,
                            struct rs_error *err);
/* Fills what is missing, and tells it all. */
enum rs_code rs_risks_report(const struct rs_contender *of, const struct rs_training_report *report,
                             struct rs_error *err);
/* The figure at the middle horizon; line: room for 2 x rows. False: there is none. */
enum rs_code rs_risks_show(const struct rs_contender *of, double *line, struct rs_report_risk *out,
                           bool *out_any, struct rs_error *err);

#endif
