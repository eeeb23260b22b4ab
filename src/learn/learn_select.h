/* Which columns to keep: those that say much of the outcome and little of each other; tests by rank; several tests at
 * once. Columns are of training rows, finite. */
#ifndef RS_LEARN_SELECT_H
#define RS_LEARN_SELECT_H

#include "learn/learn_forest.h"

/* ---- maximum relevance, minimum redundancy (Ding & Peng 2005): columns are taken one by one ---- */

/* Relevance over the mean |correlation| with those taken, of at least 0.001 each (Zhao, Anand & Wang 2019; Python's
 * mrmr_selection). Columns of relevance 0 or NaN are never taken.
 * relevance  by column: F of the analysis of variance, or Cox's score
 * out        columns in the order they are taken: `most` at most; returns how many in *out_count */
enum rs_code rs_mrmr_correlation(const struct rs_matrix *x, const double *relevance, size_t most, size_t *out,
                                 size_t *out_count, struct rs_error *err);
/* Mutual information with the labels less (or over) the mean of it with those taken, of columns in three states: within
 * half a deviation of the mean, below, above. A quotient has 0.0001 added below the line, as in Peng's program.
 * labels  0 … classes - 1 */
enum rs_code rs_mrmr_information(const struct rs_matrix *x, const uint32_t *labels, uint32_t classes,
                                 bool quotient, size_t most, size_t *out, size_t *out_count,
                                 struct rs_error *err);

/* ---- pairs that say the same ---- */

/* Of two columns with |correlation| above `most`, that goes which is closer to all others in the mean (findCorrelation of
 * R's caret, exact).
 * keep  by column */
enum rs_code rs_uncorrelated(const struct rs_matrix *x, double most, bool *keep, struct rs_error *err);

/* ---- tests ---- */

/* p that groups differ in rank: Mann & Whitney's (two groups) with correction for continuity, Kruskal & Wallis's (more);
 * both for ties. 1 for a column of equal values.
 * groups  0 … group_count - 1, at most RS_RANK_GROUPS_MAX, each with a row. order: rows items of work */
#define RS_RANK_GROUPS_MAX 64
struct rs_ranked {
	double value;
	uint32_t group;
};
double rs_rank_test(const double *x, const uint8_t *groups, size_t group_count, size_t rows,
                    struct rs_ranked *work);
/* Benjamini & Hochberg: p becomes the share of false discoveries if all as small were called discoveries. In place.
 * order: twice count items of work */
void rs_false_discovery(double *p, size_t count, size_t *order);

#endif
