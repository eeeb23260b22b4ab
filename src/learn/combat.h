/* Rows in deviations from what is expected of them, and what a batch does to them. */
#ifndef LEARN_COMBAT_H
#define LEARN_COMBAT_H

#include "learn/learn_combat.h"

/* One batch's estimates over the columns that are harmonised. */
struct batch_effect {
	size_t columns, rows;
	const double *cells; /* by column, then row of the batch; NaN: missing */
	double *shift, *variance;
	bool mean_only;
	uint32_t batch; /* for sentences */
};
/* Means and variances of the cells become what is believed of them. With fewer than two columns, or columns that are all
 * alike, there is nothing to learn from others and they stay. */
enum rs_code batch_shrink(struct batch_effect *effect, enum rs_combat_prior prior, struct rs_error *err);

#endif
