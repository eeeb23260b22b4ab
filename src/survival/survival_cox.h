/* Cox's proportional hazards (Cox 1972): fit, tests, residuals, proportionality, prediction. Ties after Efron or Breslow;
 * strata; late entry; weights; robust variance (Lin & Wei 1989), by cluster. Agrees with R's survival::coxph. */
#ifndef RS_SURVIVAL_COX_H
#define RS_SURVIVAL_COX_H

#include "survival/survival.h"

enum rs_cox_ties { RS_COX_EFRON, RS_COX_BRESLOW };

struct rs_cox_data {
	struct rs_follow_up follow_up; /* any event counts */
	size_t columns;
	const double *x;         /* follow_up.count rows of `columns`, finite */
	const uint32_t *stratum; /* own baseline hazards; NULL: one */
	const uint32_t *cluster; /* rows that belong together, for the robust variance; NULL: each alone */
	const struct rs_cox_staying *staying; /* rs_fine_gray_fit() only; NULL */
};
struct rs_cox_options {
	enum rs_cox_ties ties;
	bool robust; /* `variance` is the robust one */
};

/* Cumulative, at the covariates' means, just after `time`. */
struct rs_cox_step {
	uint32_t stratum;
	double time, hazard, variance;
};
struct rs_cox_model {
	size_t columns, count, events;
	double *coefficients; /* 0 for aliased columns */
	bool *aliased;        /* a combination of columns before it, or constant */
	bool *endless;        /* unless converged: those that grow without end */
	double *variance;     /* columns x columns */
	double *means;
	double log_likelihood[2];         /* without covariates, with them */
	double score_test, wald_test, df; /* chi-squares; the likelihood ratio is 2 (l1 - l0) */
	unsigned iterations;
	bool converged; /* false: a coefficient grows without end (the groups are separated), or the search ran out */
	size_t steps; /* by stratum, then time */
	struct rs_cox_step *baseline;
	double *paths; /* by step: cumulative hazard times the mean covariates of those at risk */
};
void rs_cox_model_finish(struct rs_cox_model *model);
/* errors  RS_USAGE without rows or columns, RS_MALFORMED naming the row whose value is no number,
 *         RS_NOT_FOUND when there is no event */
enum rs_code rs_cox_fit(const struct rs_cox_data *data, const struct rs_cox_options *options,
                        struct rs_cox_model *out, struct rs_error *err);

/* Σ coefficient × (x - mean). */
double rs_cox_linear_predictor(const struct rs_cox_model *model, const double *x);
/* P(no event until time | x) and its interval on the log scale; within [0, 1]. */
void rs_cox_survival(const struct rs_cox_model *model, uint32_t stratum, const double *x, double time,
                     double level, double *out, double *out_lower, double *out_upper);
/* Cumulative hazard at x = 0. */
double rs_cox_baseline_hazard(const struct rs_cox_model *model, uint32_t stratum, double time);

/* Of the data it was fitted to. martingale: count values; score: count x columns (per subject, weighted); either NULL. */
enum rs_code rs_cox_residuals(const struct rs_cox_model *model, const struct rs_cox_data *data,
                              enum rs_cox_ties ties, double *martingale, double *score, struct rs_error *err);
double rs_cox_deviance_residual(double martingale, bool event);

/* Wald's chi-square that `count` coefficients from `first` on are 0; df: how many of them are not aliased. */
enum rs_code rs_cox_wald(const struct rs_cox_model *model, size_t first, size_t count, double *out_chi_square,
                         double *out_df, struct rs_error *err);

/* What coefficients are held to change with. */
enum rs_cox_trend {
	RS_COX_TREND_KM,   /* 1 - Kaplan-Meier of all rows, unweighted */
	RS_COX_TREND_RANK, /* of all rows' times */
	RS_COX_TREND_TIME,
	RS_COX_TREND_LOG /* of times, which must be positive */
};
struct rs_cox_trend_options {
	enum rs_cox_ties ties; /* those of the fit */
	enum rs_cox_trend trend;
	const size_t *terms; /* how many columns belong to each term; NULL: a term each */
	size_t term_count;
};
struct rs_cox_trend_test {
	double chi_square, df, p; /* NaN, 0 and NaN when every column is aliased */
};
/* Grambsch & Therneau's test as a score test (survival 3), by term (term_count, else columns) and, last, of all.
 * errors  RS_MALFORMED for a time without logarithm */
enum rs_code rs_cox_proportionality(const struct rs_cox_model *model, const struct rs_cox_data *data,
                                    const struct rs_cox_trend_options *options, struct rs_cox_trend_test *out,
                                    struct rs_error *err);

#endif
