/* Conformal lower bounds of survival times under censoring. A model, not fitted to the calibrating rows, says how likely the
 * event is by each time; those rows tell at which level of its promises a wanted share of subjects has not yet had the event.
 *
 * With u = predicted probability of the event by the subject's own time, a bound at level a (the first time by which the
 * model gives a) is kept by those with u >= a. Without censoring the a of split conformal prediction is the k-th smallest u,
 * k = (1 - coverage) (n + 1), and holds whatever the model is (Vovk 2005). Under censoring only events are counted, each
 * for 1 / P(not censored before it), which estimates the same sums without bias when censoring does not depend on the
 * subject (as IPCW does; Candès, Lei & Ren 2023 weigh for covariates, too, but need the censoring times of all). Coverage
 * is then right up to the error of the censoring curve at early times, where it is small. */
#ifndef RS_SURVIVAL_CONFORMAL_H
#define RS_SURVIVAL_CONFORMAL_H

#include "survival/survival.h"

/* For a model file: levels of events, ascending, and by each the share of subjects that would not keep it, ascending. */
struct rs_conformal {
	size_t count;
	double *level, *share;
};
void rs_conformal_finish(struct rs_conformal *conformal); /* accepts zeroed memory */
/* by_own_time: u, in [0, 1]. errors  RS_MALFORMED naming the row, RS_USAGE for late entry or weights */
enum rs_code rs_conformal_fit(const struct rs_follow_up *data, const double *by_own_time,
                              struct rs_conformal *out, struct rs_error *err);
/* a, for a coverage between 0 and 1; 0 when too few rows or events tell for a bound. */
double rs_conformal_level(const struct rs_conformal *conformal, double coverage);

#endif
