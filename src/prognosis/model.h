/* A model as its file holds it. */
#ifndef RS_PROGNOSIS_MODEL_H
#define RS_PROGNOSIS_MODEL_H

#include "fit.h"
#include "prognosis/prognosis_train.h"

#define MODEL_VERSION 1
#define MODEL_FORMAT "radseal-model"

struct rs_model {
	struct fitted fitted;
	const char *id; /* the column */
	struct rs_digest study;
	size_t residual_count;
	/* Of each training row, by models that did not see it, ascending. Class: 1 less the probability of what it was;
	 * survival: its risk. */
	double *residuals;
	double merit, merit_lower, merit_upper; /* AUC or concordance in cross-validation */
};
enum rs_code model_write(const struct rs_model *model, struct rs_buffer *out, struct rs_error *err);
/* The k-th smallest residual where k = ⌈(n + 1) coverage⌉; infinite when there are too few. */
double conformal_quantile(const double *residuals, size_t count, double coverage);

#endif
