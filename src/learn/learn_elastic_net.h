/* Linear models with a penalty on their coefficients (Friedman, Hastie & Tibshirani 2010; Simon et al. 2011): logistic for
 * two classes, softmax for more, proportional odds for ranked ones, Cox for survival (Breslow's ties, strata). Whole paths of
 * penalties, and cross-validation along them. Agrees with R's glmnet at the same penalties. The same bits for any number of
 * threads. */
#ifndef RS_LEARN_ELASTIC_NET_H
#define RS_LEARN_ELASTIC_NET_H

#include "base/base.h"
#include "learn/learn_forest.h"

/* Borrowed. Either labels, or time and event. */
struct rs_elastic_net_data {
	const struct rs_matrix *x;
	const double *weight; /* finite, > 0; NULL: 1 each */
	const uint32_t
		*labels; /* 0 … classes - 1, ascending where they are ranked; a class may be without rows */
	uint32_t classes;
	bool unordered;     /* of more classes than two: a coefficient for each, as glmnet's "multinomial" */
	const double *time; /* finite */
	const uint8_t *event;
	const uint32_t *stratum; /* of survival: own baseline hazards; NULL: one */
};
/* What is made small: loss per weight + lambda × Σ factor × (mixing |b| + (1 - mixing) b²/2), b of columns of deviation 1. */
struct rs_elastic_net_options {
	double mixing; /* 1: lasso, 0: ridge */
	bool as_given; /* columns are not brought to deviation 1 */
	const double
		*penalty;    /* factor by column, >= 0, made to sum to the number of columns; NULL: 1 each */
	size_t lambda_count; /* 0: 100 */
	const double
		*lambdas; /* descending, lambda_count of them; NULL: made, fewer where more explain no more */
	double smallest_lambda; /* as a share of the largest; 0: 1e-4, or 1e-2 for more columns than rows */
	double threshold;       /* of a step's effect on the loss, as a share of it; 0: 1e-7 */
};
struct rs_elastic_net_path {
	size_t count, columns;
	size_t outputs;    /* classes of unordered ones, else 1 */
	size_t thresholds; /* classes - 1; 0 for survival; of unordered classes as many as they are */
	double *lambdas, *explained; /* by lambda; explained: share of the deviance */
	double *coefficients; /* count x outputs x columns, for columns as given; 0 for constant ones */
	/* count x thresholds: P(class <= k) = logistic(at[k] - Σ b x); -inf or inf where a class had no rows. Of unordered
	 * ones P(class k) is as exp(at[k] + Σ b x), and they sum to 0; -inf where it had none. */
	double *at;
	bool settled; /* false: somewhere the search ran out of steps */
};
void rs_elastic_net_path_finish(struct rs_elastic_net_path *path); /* accepts zeroed memory */
/* errors  RS_USAGE, RS_MALFORMED naming row and column, RS_NOT_FOUND when there is one class or no event, RS_NO_MEMORY */
enum rs_code rs_elastic_net_fit(const struct rs_elastic_net_data *data,
                                const struct rs_elastic_net_options *options, struct rs_elastic_net_path *out,
                                struct rs_error *err);
/* P(class) of a row whose values lie `step` apart. */
void rs_elastic_net_classes(const struct rs_elastic_net_path *path, size_t lambda, const double *x,
                            size_t step, double *out);

struct rs_elastic_net_validation {
	double *deviance, *error; /* by lambda: mean of the folds, its standard error */
	size_t best, sparsest; /* lambda of the least deviance; the largest within one standard error of it */
};
void rs_elastic_net_validation_finish(
	struct rs_elastic_net_validation *validation); /* accepts zeroed memory */
/* The path of all rows, and what each of its lambdas is worth on rows left out. Survival: the deviance of all rows less that
 * of the rows fitted to (van Houwelingen et al. 2006), per event.
 * fold    by row, 0 … folds - 1
 * errors  those of a fit; of a fold with its number */
enum rs_code rs_elastic_net_validate(const struct rs_elastic_net_data *data,
                                     const struct rs_elastic_net_options *options, const uint32_t *fold,
                                     uint32_t folds, struct rs_pool *pool, struct rs_elastic_net_path *out,
                                     struct rs_elastic_net_validation *out_validation, struct rs_error *err);

#endif
