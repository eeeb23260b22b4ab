/* Random forests (Breiman 2001) for classes and for survival (Ishwaran et al. 2008): bootstrap, random columns at each
 * split, predictions as shares of classes or as cumulative hazards, out-of-bag estimates, permutation importance.
 *
 * One criterion serves both: a split maximises Σ (sum of scores)² / weight over its two sides. With class indicators for
 * scores that is Gini's; with log-rank scores (event - Nelson-Aalen hazard within the node) it is the log-rank statistic
 * with its permutation variance. The same bits for any number of threads. */
#ifndef RS_LEARN_FOREST_H
#define RS_LEARN_FOREST_H

#include "base/base.h"

/* Column-major: values[column * rows + row]; finite. Borrowed. */
struct rs_matrix {
	size_t rows, columns;
	const double *values;
};

struct rs_forest_options {
	uint32_t trees;        /* 0: 500 */
	uint32_t tries;        /* columns looked at for a split; 0: √columns, rounded up */
	uint32_t minimum_leaf; /* rows; 0: 1 for classes, 8 for survival */
	uint64_t seed;
	const double *
		weight; /* by row, positive: how likely it is to be drawn into a bootstrap; NULL: all alike */
	struct rs_pool *pool; /* may be NULL */
};

#define RS_FOREST_LEAF UINT32_MAX
struct rs_forest_node {
	uint32_t column;  /* RS_FOREST_LEAF for a leaf */
	uint32_t next;    /* value <= threshold: here, else the node after; of a leaf: its first value */
	uint32_t values;  /* of a leaf: how many */
	uint32_t weight;  /* rows of the bootstrap that came here */
	double threshold; /* 0 for a leaf */
};
/* Of a leaf: the share of class `at`, or the hazard's step at times[at]; ascending, zeros left out. */
struct rs_forest_value {
	uint32_t at;
	double value;
};
struct rs_forest {
	uint32_t columns, trees, classes; /* classes 0: survival */
	uint32_t *roots;                  /* by tree: its first node */
	size_t node_count, value_count, time_count;
	struct rs_forest_node *nodes;
	struct rs_forest_value *values;
	double *times; /* distinct times of events, ascending */
};
void rs_forest_finish(struct rs_forest *forest); /* accepts zeroed memory */

/* What a fit tells of the rows it was fitted to, each judged by trees that did not see it. */
struct rs_forest_out_of_bag {
	double *predictions; /* rows x classes shares, or `rows` risks; NaN for rows that all trees saw. NULL: not wanted */
	double *importance; /* by column: loss of accuracy (classes) or of concordance of the risks (survival) per tree when
	                      * the column is shuffled. NULL: not wanted */
};
/* labels: 0 … classes - 1, classes >= 2. errors  RS_USAGE, RS_MALFORMED naming row and column, RS_NO_MEMORY */
enum rs_code rs_forest_fit_classes(const struct rs_matrix *x, const uint32_t *labels, uint32_t classes,
                                   const struct rs_forest_options *options,
                                   const struct rs_forest_out_of_bag *out_of_bag, struct rs_forest *out,
                                   struct rs_error *err);
/* RS_NOT_FOUND when there is no event. */
enum rs_code rs_forest_fit_survival(const struct rs_matrix *x, const double *time, const uint8_t *event,
                                    const struct rs_forest_options *options,
                                    const struct rs_forest_out_of_bag *out_of_bag, struct rs_forest *out,
                                    struct rs_error *err);

/* x: one row of forest->columns values. */
void rs_forest_classes(const struct rs_forest *forest, const double *x, double *out_shares);
/* Cumulative hazard at forest->times. */
void rs_forest_hazard(const struct rs_forest *forest, const double *x, double *out_hazard);
/* Ensemble mortality: the sum of the cumulative hazard over the times. */
double rs_forest_risk(const struct rs_forest *forest, const double *x);

#endif
