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

/* ---- recursive elimination (Guyon et al. 2002) ---- */

/* How much each of some columns matters when there are no others. */
typedef enum rs_code rs_importance_of(void *context, const size_t *columns, size_t count, double *out,
                                      struct rs_error *err);
/* Of the columns that are left that share goes which matters least, at least one, until `least` are left; of equal ones
 * the later. out: all columns, those that are left and then from the last that went to the first. */
enum rs_code rs_eliminate(size_t columns, size_t least, double share, rs_importance_of *importance,
                          void *context, size_t *out, struct rs_error *err);

/* Squared coefficients of logistic regression or Cox's model (Breslow's ties) with a ridge: half of `penalty` times their
 * squares is added to the loss. With more columns than rows only products of rows are looked at, and these are kept:
 * what goes is taken away from them. Columns have a mean of 0. */
struct rs_ridge;
/* outcome: positive, or the event; time: NULL for classes. All is borrowed. */
enum rs_code rs_ridge_create(const struct rs_matrix *x, const uint8_t *outcome, const double *time,
                             double penalty, struct rs_ridge **out, struct rs_error *err);
void rs_ridge_destroy(struct rs_ridge *ridge); /* accepts NULL */
/* An rs_importance_of whose context is a ridge. */
enum rs_code rs_ridge_importance(void *ridge, const size_t *columns, size_t count, double *out,
                                 struct rs_error *err);

/* ---- tests ---- */

/* p that groups differ in rank: Mann & Whitney's (two groups) with correction for continuity, Kruskal & Wallis's (more);
 * both for ties. 1 for a column of equal values. Of a column of two values Kruskal & Wallis's statistic is Pearson's chi
 * square of the table, times (rows - 1) / rows.
 * groups  0 … group_count - 1, at most RS_RANK_GROUPS_MAX, each with a row. order: rows items of work */
#define RS_RANK_GROUPS_MAX 64
struct rs_ranked {
	double value;
	uint32_t group;
};
double rs_rank_test(const double *x, const uint8_t *groups, size_t group_count, size_t rows,
                    struct rs_ranked *work);
/* Spearman's correlation with ordered groups, and its p by Student's t; 0 and 1 for a column or groups of equal values.
 * groups  below RS_RANK_GROUPS_MAX */
double rs_spearman(const double *x, const uint8_t *groups, size_t rows, struct rs_ranked *work,
                   double *out_p);
/* Benjamini & Hochberg: p becomes the share of false discoveries if all as small were called discoveries. In place.
 * order: twice count items of work */
void rs_false_discovery(double *p, size_t count, size_t *order);

#endif
