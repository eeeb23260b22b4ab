/* What the two kinds of evaluation share. */
#ifndef RS_PROGNOSIS_EVALUATE_H
#define RS_PROGNOSIS_EVALUATE_H

#include "assess/assess.h"
#include "prognosis/prognosis.h"

struct told {
	const struct rs_evaluation *asked;
	rs_finding_visit *visit;
	void *context;
	size_t count, positives; /* rows used; of these with the outcome or event */
	size_t *rows;            /* of the table */
	uint8_t *outcome;
	double *time; /* of survival */
	double *score[RS_SCORES_MAX];
};
void told_finish(struct told *told);
void finding_tell(const struct told *told, const char *of, const char *name, double value, double lower,
                  double upper, double p);
void finding_tell_value(const struct told *told, const char *of, const char *name, double value);
void finding_tell_interval(const struct told *told, const char *of, const char *name,
                           const struct rs_interval *interval);

enum rs_code evaluate_survival(struct told *told, struct rs_error *err);

#endif
