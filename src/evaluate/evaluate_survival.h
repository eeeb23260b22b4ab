/* The classical statistics of a table of follow-up: curves, tests and restricted means of groups, regressions. Columns are
 * named by the caller; numbers agree with R's packages survival and cmprsk. */
#ifndef RS_EVALUATE_SURVIVAL_H
#define RS_EVALUATE_SURVIVAL_H

#include "evaluate/evaluate.h"
#include "survival/survival_cox.h"
#include "survival/survival_parametric.h"

/* What rs_evaluation has of the same name means the same. */
struct rs_survival_analysis {
	const struct rs_csv *table;
	const char *time, *event, *event_value, *censored;
	const char *start;   /* seen only after this time (late entry, or one of a subject's periods); NULL */
	const char *group;   /* compared; NULL: none */
	const char *stratum; /* groups are compared within its values, which have own baselines; NULL: one */
	const char
		*cluster; /* rows with the same cells belong together, for robust errors; NULL: each alone */
	struct rs_covariates covariates; /* of the regressions */
	enum rs_cox_ties
		ties; /* with competing events, Efron's: as survival's finegray, Breslow's: as cmprsk's crr */
	bool robust;  /* errors of the Cox model; a cluster asks for them, too */
	enum rs_cox_trend trend;
	const enum rs_parametric_distribution *distribution; /* of a parametric regression; NULL: none */
	/* Subjects that are predicted at `times`: "age=60,sex=male", every covariate once. */
	const char *const *people;
	size_t people_count;
	double tau; /* of restricted means; NaN: the last time of the group that was seen least long */
	const double *times;
	size_t time_count;
	enum rs_survival_interval interval; /* of curves */
	double level;
	const struct rs_page *page; /* NULL: none is wanted */
	struct rs_buffer *figure;   /* SVG of the curves; NULL */
	struct rs_buffer *curves,
		*residuals; /* CSV: every step of every curve; of every row, of the Cox model; NULL */
};
/* Without events curves stay at 1, tests are NaN, and regressions are refused.
 * errors  those of rs_evaluate(), of rs_cox_fit() and rs_parametric_fit() */
enum rs_code rs_survival_analyse(const struct rs_survival_analysis *analysis, rs_finding_visit *visit,
                                 void *context, struct rs_error *err);

#endif
