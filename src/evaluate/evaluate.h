/* Prognosis: what tables of subjects say of models. Columns of a CSV table (base/base_csv.h) are named by the caller. */
#ifndef RS_EVALUATE_H
#define RS_EVALUATE_H

#include "base/base.h"
#include "base/base_csv.h"
#include "base/base_threads.h"
#include "report/report.h"

#define RS_SCORES_MAX 16
#define RS_TIMES_MAX 32
#define RS_EVENT_TYPES_MAX 8
#define RS_COVARIATES_MAX 64

/* Columns of a regression. Those whose cells are no numbers, and those named in `factors`, are categories: an indicator for
 * each value but the first in the order of their bytes. */
struct rs_covariates {
	const char *const *names, *const *factors;
	size_t count, factor_count; /* at most RS_COVARIATES_MAX */
};

/* Predictions beside what came of them. One of the outcomes is given. */
struct rs_evaluation {
	const struct rs_csv *table;
	/* Class: rows whose cell in `outcome` is `positive` (NULL: "1") against all others that are not empty. */
	const char *outcome, *positive;
	/* Survival: followed up to `time`; the event came where the cell in `event` is `event_value` (NULL: "1"). Others were
	 * censored; where `censored` is given, only those with that cell: all else are events that compete with it. */
	const char *time, *event, *event_value, *censored;
	const char *group;         /* survival: compared groups; NULL: none */
	const char *stratum;       /* survival: groups are compared within its values only; NULL: all */
	const char *const *scores; /* columns; higher: likelier positive, or an earlier event */
	size_t score_count;        /* at most RS_SCORES_MAX */
	/* Intervals by drawing subjects again; 0: none. subject: a column whose equal cells are one subject; NULL: each row. */
	size_t bootstrap;
	uint64_t seed;
	const char *subject;
	struct rs_pool *pool;            /* may be NULL */
	struct rs_covariates covariates; /* class: of a logistic regression of the outcome */
	double specificity;              /* class: also the area where it is at least this; 0: none */
	double threshold;                /* positive from here on; NaN: 0.5 for probabilities, else none */
	const double *times;             /* survival: what is told of these times; positive, ascending */
	size_t time_count;               /* at most RS_TIMES_MAX */
	/* Survival: columns of predicted probabilities to be free of the event until each of the times; survival_count is
	 * time_count, or 0. */
	const char *const *survival;
	size_t survival_count;
	double level;               /* of intervals, 0.95 for 95 % */
	const struct rs_page *page; /* NULL: none is wanted */
};
/* Rows with an empty or NA cell in any of the columns used are left out, and counted ("left_out").
 * errors  RS_USAGE (no such column, which there are), RS_MALFORMED (line and column of a cell that is not a number, with a
 *         hint for decimal commas), RS_NOT_FOUND (one class only, no event) */
enum rs_code rs_evaluate(const struct rs_evaluation *evaluation, rs_finding_visit *visit, void *context,
                         struct rs_error *err);

#endif
