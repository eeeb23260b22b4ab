/* The curve of censoring, by which those seen stand for those no longer seen. */
#ifndef RS_SURVIVAL_CENSORING_H
#define RS_SURVIVAL_CENSORING_H

#include "survival/survival.h"

/* Where somebody has the event at the time at which another is censored. */
enum censoring_ties {
	CENSORED_AFTER_EVENTS, /* the event came first */
	CENSORED_WITH_EVENTS   /* who has the event could have been censored */
};
/* order: rows first … last - 1 of it, by time, are one stratum. before[row], at[row]: P(not censored) just before the
 * row's time and just after it. `at` may be NULL. */
void censoring_of(const struct rs_follow_up *data, const size_t *order, size_t first, size_t last,
                  enum censoring_ties ties, double *before, double *at);

#endif
