/* Logistic regression without penalty, by maximum likelihood: R's glm(family = binomial). */
#ifndef RS_ASSESS_LOGISTIC_H
#define RS_ASSESS_LOGISTIC_H

#include "base/base.h"

struct rs_logistic_data {
	size_t count, columns;
	const double *x;      /* rows of `columns`, finite */
	const double *offset; /* added to each row's linear predictor; NULL: none */
	const uint8_t *outcome;
};
struct rs_logistic {
	size_t columns;       /* of the data; the intercept comes before them */
	double *coefficients; /* columns + 1 */
	double *variance;     /* (columns + 1) squared */
	bool *aliased;        /* columns + 1: told by those before; coefficient and variance are 0 */
	bool *endless;        /* columns + 1: grows without end, as the outcome is separated there */
	bool converged;       /* none is endless */
	size_t df;            /* coefficients that are not aliased, without the intercept */
	double deviance, null_deviance;
};
void rs_logistic_finish(struct rs_logistic *model); /* accepts zeroed memory */
enum rs_code rs_logistic_fit(const struct rs_logistic_data *data, struct rs_logistic *out,
                             struct rs_error *err);

#endif
