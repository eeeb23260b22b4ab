/* How good predicted risks are at a time, when some subjects are no longer seen by then: those that are seen stand for them
 * (inverse probability of censoring, by its Kaplan-Meier curve; who has an event at a time is censored after it).
 * Risks and scores: higher, likelier an event of `type` until the time. Other types of events compete. Standard errors are
 * infinitesimal jackknives that know that the weights are estimated, without a bootstrap. A time after all that was seen
 * gives NaN. */
#ifndef RS_SURVIVAL_PREDICTION_H
#define RS_SURVIVAL_PREDICTION_H

#include "survival/survival.h"

struct rs_estimate {
	double value, error;
};

/* Cumulative/dynamic area under the ROC curve: those with the event until `time` against all others (Uno 2007; Blanche
 * 2013). influence: how much each subject moves the value, `count` numbers whose sum of squares is error²; differences
 * of scores have the difference of influences. NULL: not wanted. NaN without cases or controls.
 * errors  RS_MALFORMED naming the row, RS_USAGE for late entry or weights */
enum rs_code rs_auc_at(const struct rs_follow_up *data, uint8_t type, double time, const double *score,
                       struct rs_estimate *out, double *influence, struct rs_error *err);
/* Mean squared error of risks within [0, 1] (Graf 1999; Gerds & Schumacher 2006). */
enum rs_code rs_brier_at(const struct rs_follow_up *data, uint8_t type, double time, const double *risk,
                         struct rs_estimate *out, double *influence, struct rs_error *err);
/* Integrated over the times by the trapezoidal rule, by the range from the first to the last; one time gives its value. */
double rs_integrated_over(const double *times, const double *values, size_t count);

/* Pseudo-values of the incidence of `type` at `time`: count × the estimate less (count - 1) × that without the subject
 * (Andersen, Klein & Rosthøj 2003). They stand for outcomes where those are not known. */
enum rs_code rs_pseudo_values(const struct rs_follow_up *data, uint8_t type, double time, double *out,
                              struct rs_error *err);

/* Whether of those with risk p the share p has the event until `time`. */
#define RS_RISK_GROUPS_MAX 10
struct rs_risk_group {
	double expected, observed, lower, upper; /* mean risk; incidence; NaN where nobody was seen so long */
};
struct rs_risk_calibration {
	double expected;               /* mean risk */
	double observed, lower, upper; /* Aalen-Johansen's incidence */
	double ici, e50, e90,
		e_max; /* |risk - lowess of pseudo-values, within [0, 1]|: mean, quantiles, largest */
	double chi_square, df, p; /* Greenwood-Nam-D'Agostino's, of at most ten groups (Demler 2015) */
	size_t groups;            /* by risk, about equally large */
	struct rs_risk_group group[RS_RISK_GROUPS_MAX];
};
/* line_x, line_y: the smooth line, `count` points by ascending risk; both NULL: not wanted. */
enum rs_code rs_risk_calibration_of(const struct rs_follow_up *data, uint8_t type, double time,
                                    const double *risk, double level, struct rs_risk_calibration *out,
                                    double *line_x, double *line_y, struct rs_error *err);

/* Whether predicted survival at one's own time is spread evenly over [0, 1], as it is of a model that is right at all times
 * (D-calibration, Haider et al. 2020): by tenths, with 9 degrees of freedom. Who was censored counts for the tenths that are
 * left to him, each by its share. by_own_time: predicted probability of the event by the subject's own time.
 * errors  RS_MALFORMED naming the row, RS_USAGE for late entry or weights */
struct rs_spread {
	double share[10], chi_square, p;
};
enum rs_code rs_risk_spread_of(const struct rs_follow_up *data, const double *by_own_time,
                               struct rs_spread *out, struct rs_error *err);

#endif
