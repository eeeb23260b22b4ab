/* What predictions are worth in one number: AUC of classes, concordance of risks. */
#ifndef RS_MODEL_MERIT_H
#define RS_MODEL_MERIT_H

#include "recipe/recipe_learner.h"

/* Scores of rows by models that did not see them. Borrowed. */
struct rs_judged {
	enum rs_target target;
	uint32_t classes;
	size_t count;
	const uint8_t *outcome;
	const double *time;
	const double *score;     /* count x width */
	const uint32_t *stratum; /* risks are comparable within */
};
/* As findings name it. */
const char *rs_merit_name(enum rs_target target);
/* With its 95 % interval; of several classes the interval of a few rows is not known: [0, 1]. */
struct rs_merit {
	double value, error, lower, upper;
};
/* On the logit scale, so that it stays within [0, 1]. */
struct rs_merit rs_merit_around(double value, double error);
enum rs_code rs_judged_interval(const struct rs_judged *judged, struct rs_merit *out, struct rs_error *err);
/* NaN when there is nothing to compare. */
enum rs_code rs_judged_merit(const struct rs_judged *judged, double *out, struct rs_error *err);

#endif
