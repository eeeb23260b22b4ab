/* Survival: what is known of times to events when some subjects are seen for part of the time only. Curves, quantiles and
 * their intervals, restricted means, comparison of groups. All numbers agree with R's package survival (Therneau 3.5),
 * whose definitions the names follow. Times are equal when their bits are: round them before. */
#ifndef RS_SURVIVAL_H
#define RS_SURVIVAL_H

#include "base/base.h"

/* Columns of `count` subjects, borrowed. */
struct rs_follow_up {
	size_t count;
	const double *start;  /* seen only after this time, below `time`; NULL: from the beginning */
	const double *time;   /* finite */
	const uint8_t *event; /* 0: censored; else what happened, from 1 */
	const double *weight; /* finite, > 0; NULL: 1 each */
};
/* RS_MALFORMED names the first row (from 1) whose time, start or weight cannot be; RS_USAGE for no rows. */
enum rs_code rs_follow_up_check(const struct rs_follow_up *data, struct rs_error *err);

/* On which scale an interval is symmetric; all stay within [0, 1]. */
enum rs_survival_interval {
	RS_INTERVAL_LOG,
	RS_INTERVAL_LOG_LOG,
	RS_INTERVAL_PLAIN,
	RS_INTERVAL_LOGIT,
	RS_INTERVAL_ARCSIN
};

/* Just after `time`. Where an interval is not defined its ends are NaN. */
struct rs_survival_point {
	double time, at_risk, events, censored; /* at_risk: just before `time` */
	double survival, lower, upper;          /* Kaplan-Meier; any event counts */
	double log_error;                       /* standard error of log survival (Greenwood) */
	double hazard, hazard_error;            /* Nelson-Aalen, cumulative */
};
struct rs_survival_curve {
	size_t count; /* distinct times, ascending */
	struct rs_survival_point *points;
};
void rs_survival_curve_finish(struct rs_survival_curve *curve); /* accepts zeroed memory */
/* rows: which subjects (NULL: the first row_count). level: 0.95 for 95 %. */
enum rs_code rs_survival_curve_fit(const struct rs_follow_up *data, const size_t *rows, size_t row_count,
                                   enum rs_survival_interval interval, double level,
                                   struct rs_survival_curve *out, struct rs_error *err);
/* The last point at or before `time`; NULL before the first. */
const struct rs_survival_point *rs_survival_curve_at(const struct rs_survival_curve *curve, double time);

struct rs_survival_quantile {
	double time, lower, upper; /* NaN: not reached */
};
/* When a share p has had the event; the middle of the step where the curve lies on 1 - p exactly. */
struct rs_survival_quantile rs_survival_quantile_of(const struct rs_survival_curve *curve, double p);
/* Restricted mean: the area below the curve up to tau, and its standard error. */
void rs_survival_restricted_mean(const struct rs_survival_curve *curve, double tau, double *out_mean,
                                 double *out_error);

/* Harrington & Fleming's G-rho family: rho 0 is the log-rank test, 1 Peto & Peto's. */
struct rs_survival_comparison {
	size_t groups;
	double *subjects, *observed, *expected; /* by group */
	double chi_square, df, p;               /* NaN, 0 and 1 when no two groups can be compared */
};
void rs_survival_comparison_finish(struct rs_survival_comparison *comparison);
/* group: 0 … groups - 1 for each subject. stratum: compared within only; NULL for one. data->weight must be NULL. */
enum rs_code rs_survival_compare(const struct rs_follow_up *data, const uint32_t *group, uint32_t groups,
                                 const uint32_t *stratum, double rho, struct rs_survival_comparison *out,
                                 struct rs_error *err);

#endif
