/* Concordance: how often, of two subjects, the one of higher risk has the event first (Harrell's C, Uno's C, Somers' d, the
 * area under a ROC curve), with a standard error from the infinitesimal jackknife, as R's survival::concordance has it.
 * n log n. */
#ifndef RS_SURVIVAL_CONCORDANCE_H
#define RS_SURVIVAL_CONCORDANCE_H

#include "survival/survival.h"

/* How much the pairs count whose first event is at t; S and G are the survival and the censoring curve just before t. */
enum rs_concordance_weight {
	RS_CONCORDANCE_HARRELL,         /* 1 */
	RS_CONCORDANCE_UNO,             /* 1/G²: not led by the censoring (Uno 2011) */
	RS_CONCORDANCE_PETO,            /* S/n(t), times all: as in Peto & Peto's test */
	RS_CONCORDANCE_SCHEMPER,        /* S/(G n(t)), times all */
	RS_CONCORDANCE_INVERSE_AT_RISK, /* 1/n(t) */
};
struct rs_concordance_options {
	enum rs_concordance_weight weight; /* UNO and SCHEMPER: no late entry */
	double tau;                        /* events after it do not count; 0: no end */
	const uint32_t *stratum;           /* pairs within only; NULL: one */
	const uint32_t *cluster;           /* rows that belong together, for the error; NULL: each alone */
};
/* Sums over pairs of their weights. */
struct rs_concordance {
	double concordant, discordant;
	double tied_risk;  /* half of which counts as concordant */
	double tied_event; /* both have the event at once, at different risks: no pair */
	double tied_both;  /* at once, and at the same risk: no pair */
	double c, error;   /* NaN without pairs */
};
/* risk: `count` numbers, not NaN. errors  RS_MALFORMED naming the row, RS_USAGE for late entry and UNO or SCHEMPER */
enum rs_code rs_concordance_of(const struct rs_follow_up *data, const double *risk,
                               const struct rs_concordance_options *options, struct rs_concordance *out,
                               struct rs_error *err);

#endif
