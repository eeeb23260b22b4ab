/* What all of Cox's model is made of: the risk set at each time of events, from the last to the first. */
#ifndef RS_SURVIVAL_COX_WALK_H
#define RS_SURVIVAL_COX_WALK_H

#include "survival/survival_cox.h"

/* Sums over subjects of weight × risk × {1, x, x xᵀ (lower triangle)}, x less its mean. */
struct moments {
	double risk, *x, *xx;
};
/* Who has a competing event stays at risk of the subdistribution, with weight staying × censoring(t) at later times t. */
struct rs_cox_staying {
	const double *staying;   /* by row: 1 / censoring just before its time; 0: does not stay */
	const double *censoring; /* by row: the curve of censoring just before its time */
};
/* One time of events. */
struct event_time {
	uint32_t stratum;
	double time;
	const size_t *dying; /* rows */
	size_t count;
	double weight;    /* of the dying, in all */
	double censoring; /* just before `time`; 1 unless somebody stays */
	struct moments at_risk, events;
};
typedef void event_visit(void *context, const struct event_time *at);

struct walker {
	const struct rs_cox_data *data;
	double *x;     /* count x columns, less the means */
	double *means; /* unweighted, as the model's */
	double *risk;  /* exp(linear predictor - shift) */
	double *predictor, shift;
	size_t *leaving, *entering; /* rows by stratum, then time or start */
	size_t *dying;
	double *work, *with;
};
void walker_finish(struct walker *walker);
enum rs_code walker_init(struct walker *walker, const struct rs_cox_data *data, struct rs_error *err);
void walker_set(struct walker *walker, const double *coefficients);
/* second: xx is wanted. Strata in ascending order, in each the times descending. */
void walker_run(struct walker *walker, bool second, event_visit *visit, void *context);

/* Sets wald_test by the variance. */
enum rs_code cox_wald_test(struct rs_cox_model *model, struct rs_error *err);

/* Of the `k`-th of those who die at once: the share of their own risk that is gone already (0 for Breslow). */
static inline double tied_share(enum rs_cox_ties ties, size_t k, size_t count)
{
	return ties == RS_COX_EFRON ? (double)k / (double)count : 0;
}

#endif
