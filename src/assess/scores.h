/* Scores in ascending order with their outcomes. */
#ifndef RS_ASSESS_SCORES_H
#define RS_ASSESS_SCORES_H

#include "base/base.h"

struct scored {
	double score;
	bool positive;
	size_t row;
};
struct scores {
	size_t count, positives, negatives;
	struct scored *items;
};
void scores_finish(struct scores *scores);
/* RS_NOT_FOUND unless both outcomes occur; RS_MALFORMED for NaN. */
enum rs_code scores_sort(const double *score, const uint8_t *outcome, size_t count, struct scores *out,
                         struct rs_error *err);

#endif
