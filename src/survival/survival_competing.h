/* Competing risks: events of several types of which only the first is seen. Incidence of each type, comparison of groups,
 * regression. Agrees with R's survival (survfit, finegray) and cmprsk (cuminc, crr). rs_follow_up.event is 0 for censored,
 * else the type; late entry is refused. */
#ifndef RS_SURVIVAL_COMPETING_H
#define RS_SURVIVAL_COMPETING_H

#include "survival/survival_cox.h"

/* Just after `time`. */
struct rs_incidence_point {
	double time, at_risk, events, competing, censored; /* events: of the type asked for */
	double survival;                                   /* free of events of any type */
	double incidence, lower, upper; /* Aalen-Johansen; NaN ends: no interval is defined */
	double error;                   /* infinitesimal jackknife, as survfit has it */
	double delta_error; /* by the delta method, as cuminc has it (Gray 1988); weights must be NULL */
};
struct rs_incidence {
	size_t count; /* distinct times, ascending */
	struct rs_incidence_point *points;
};
void rs_incidence_finish(struct rs_incidence *incidence); /* accepts zeroed memory */
/* rows: which subjects (NULL: the first row_count). type: from 1. The interval is built on `error`.
 * errors  RS_USAGE for late entry */
enum rs_code rs_incidence_fit(const struct rs_follow_up *data, const size_t *rows, size_t row_count,
                              uint8_t type, enum rs_survival_interval interval, double level,
                              struct rs_incidence *out, struct rs_error *err);
/* The last point at or before `time`; NULL before the first. */
const struct rs_incidence_point *rs_incidence_at(const struct rs_incidence *incidence, double time);

/* Gray's test (1988) that groups have the same incidence of `type`; weights (1 - incidence)^rho. Arguments and result are
 * those of rs_survival_compare(). */
enum rs_code rs_incidence_compare(const struct rs_follow_up *data, uint8_t type, const uint32_t *group,
                                  uint32_t groups, const uint32_t *stratum, double rho,
                                  struct rs_survival_comparison *out, struct rs_error *err);

/* Two programs read Fine & Gray (1999) differently where times are tied. */
enum rs_fine_gray_kind {
	/* cmprsk's crr: Breslow's ties; who has an event could still have been censored at that time; the variance knows
	 * that the weights are estimated */
	RS_FINE_GRAY_CMPRSK,
	/* survival's finegray and coxph: Efron's ties; censoring comes after events; the weights are taken as known */
	RS_FINE_GRAY_SURVIVAL
};
/* Proportional hazards of the subdistribution of `type`; the variance is robust. 1 - rs_cox_survival() is the incidence.
 * Strata have their own censoring and baseline.
 * errors  those of rs_cox_fit(); RS_USAGE for late entry or weights */
enum rs_code rs_fine_gray_fit(const struct rs_cox_data *data, uint8_t type, enum rs_fine_gray_kind kind,
                              struct rs_cox_model *out, struct rs_error *err);

#endif
