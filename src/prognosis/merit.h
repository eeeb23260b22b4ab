/* What predictions are worth in one number: AUC of classes, concordance of risks. */
#ifndef RS_PROGNOSIS_MERIT_H
#define RS_PROGNOSIS_MERIT_H

#include "learner.h"

/* Scores of rows by models that did not see them. Borrowed. */
struct judged {
	enum target target;
	uint32_t classes;
	size_t count;
	const uint8_t *outcome;
	const double *time;
	const double *score;     /* count x width */
	const uint32_t *stratum; /* risks are comparable within */
};
/* As findings name it. */
const char *merit_name(enum target target);
/* NaN when there is nothing to compare. */
enum rs_code judged_merit(const struct judged *judged, double *out, struct rs_error *err);

#endif
