/* Columns brought to one scale, and gaps filled, as scikit-learn does; fitted to training rows, applied to any.
 * NaN is a gap: it is passed over in fits and stays NaN in scaling. */
#ifndef RS_LEARN_SCALE_H
#define RS_LEARN_SCALE_H

#include "learn/learn_forest.h"

enum rs_scaling {
	RS_SCALE_DEVIATION, /* less the mean, by the deviation (of the rows, not of a population) */
	RS_SCALE_QUARTILES, /* less the median, by the distance of the quartiles */
	RS_SCALE_RANGE,     /* the least to 0, the greatest to 1 */
	RS_SCALE_POWER /* by deviation, Yeo & Johnson's power of greatest likelihood, by deviation again. The first makes
	                     * the power independent of units (scikit-learn: StandardScaler, then PowerTransformer) */
};
/* (x - shift) / by; of powers the power of that, and again. `by` is 0 for a column that is as good as constant: all 0; of
 * quartiles it is then 1, since the tails may say something. */
struct rs_scale {
	double shift, by, power, power_shift, power_by;
};
/* work: count numbers */
void rs_scale_fit(enum rs_scaling scaling, const double *x, size_t count, double *work, struct rs_scale *out);
double rs_scale_apply(enum rs_scaling scaling, const struct rs_scale *scale, double x);

/* Gaps filled with the mean of the nearest training rows that have the cell: Euclid's distance over cells that both have,
 * scaled up for those they lack, in deviations of the columns. Rows without a common cell are never near; without any
 * such donor the column's mean is taken. Of equally near ones the earlier row comes first. */
struct rs_neighbours {
	uint32_t count; /* how many */
	size_t rows, columns;
	double *mean, *weight; /* by column: one over the deviation, 0 when it is as good as constant */
	double *cells;         /* by row, then column */
};
void rs_neighbours_finish(struct rs_neighbours *neighbours); /* accepts zeroed memory */
/* For files: all zeros. */
enum rs_code rs_neighbours_create(uint32_t count, size_t rows, size_t columns, struct rs_neighbours *out,
                                  struct rs_error *err);
/* count >= 1 */
enum rs_code rs_neighbours_fit(const struct rs_matrix *x, uint32_t count, struct rs_neighbours *out,
                               struct rs_error *err);
/* In place. work: one for each training row. */
struct rs_near {
	double distance;
	size_t row;
};
void rs_neighbours_fill(const struct rs_neighbours *neighbours, double *row, struct rs_near *work);

#endif
