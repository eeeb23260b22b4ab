/* What the files of the elastic net share. Sums over rows are lost in no order but one: columns lie one after the other,
 * padded with zeros to whole lanes, and are multiplied lane by lane. */
#ifndef RS_LEARN_ELASTIC_NET_PRIVATE_H
#define RS_LEARN_ELASTIC_NET_PRIVATE_H

#include "learn/learn_elastic_net.h"

#define LANES 4
static inline size_t padded(size_t count) { return (count + LANES - 1) / LANES * LANES; }
double inner_product(const double *a, const double *b, size_t padded_count);

/* Columns with mean 0 and deviation 1, and their penalties; read by all threads. */
struct standard {
	size_t rows, columns, stride; /* stride: padded rows */
	double *x;
	double *mean, *deviation; /* deviation 0: constant, not used */
	double *factor;
	double *weight; /* by row, sums to 1 */
};
void standard_finish(struct standard *standard);
enum rs_code standard_init(struct standard *standard, const struct rs_elastic_net_data *data,
                           const struct rs_elastic_net_options *options, struct rs_error *err);

/* A loss of linear predictors. Whatever else it has (thresholds, baseline hazards) is always at its best, so that its second
 * derivative is that of rows less some combinations of rows: diag(curvature) - Σ extra_weight × extra extraᵀ. */
struct target {
	size_t rows, extras;
	const double *weight;
	double saturated;     /* loss that no model can undercut */
	double *residual;     /* by row: how the loss falls with its predictor; padded */
	double *curvature;    /* by row */
	double *extra_weight; /* by extra */
	/* The loss, and all of the above for these predictors; INFINITY where it cannot be told. */
	double (*evaluate)(struct target *target, const double *predictor);
	/* Combinations of a column's rows, one number for each extra. */
	void (*extend)(const struct target *target, const double *column, double *out);
	/* classes */
	uint32_t classes;    /* those that have rows */
	uint32_t *labels;    /* of these */
	uint32_t *class_at;  /* which of the classes as given */
	double *thresholds;  /* classes - 1 */
	double *low, *high;  /* by row: logistic density at the threshold below and above it */
	double *information; /* of thresholds, decomposed */
	double *slope, *trial;
	/* one of several classes without order, against the others */
	uint32_t own; /* its label */
	double intercept;
	double *others,
		*chosen; /* by row: logarithm of the others' sum of exp; predictor of the row's class */
	/* survival */
	const uint8_t *event;
	size_t *order;   /* rows by stratum, then time, descending */
	size_t *last;    /* by event time: behind the last row of `order` at risk */
	size_t *first;   /* by event time: where its stratum begins in `order` */
	double *dying;   /* by event time: weight */
	double *at_risk; /* by event time: sum of risks */
	double *risk;    /* by row */
};
void target_finish(struct target *target);
/* What all have; zeros else. */
enum rs_code target_prepare(struct target *target, const struct standard *standard, struct rs_error *err);
enum rs_code target_init(struct target *target, const struct rs_elastic_net_data *data,
                         const struct standard *standard, struct rs_error *err);
enum rs_code target_init_classes(struct target *target, const struct rs_elastic_net_data *data,
                                 struct rs_error *err);
enum rs_code target_init_survival(struct target *target, const struct rs_elastic_net_data *data,
                                  struct rs_error *err);

/* One model on its way along the path. */
struct net {
	const struct standard *standard;
	struct target *target;
	double mixing, tolerance, lambda, loss;
	double *beta, *predictor;
	double *gradient; /* by column: how the loss falls with its coefficient */
	bool *strong;     /* by column: looked at before the model has settled */
	/* of one step: columns that move, side by side, rows and then extras */
	size_t *active, active_count, active_room, length;
	double *tall, *heavy; /* as they are; times curvature */
	double *diagonal, *products, *step, *slope, *work;
	size_t *inside; /* of the active ones, those that are not 0 */
	double *factor, *jump;
	bool settled;
};
void net_finish(struct net *net);
enum rs_code net_init(struct net *net, const struct standard *standard, struct target *target,
                      const struct rs_elastic_net_options *options, struct rs_error *err);
/* Comes from the model at lambda_before to that at lambda; INFINITY: columns without a penalty only. */
enum rs_code net_move(struct net *net, double lambda_before, double lambda, struct rs_error *err);
/* The least lambda that lets no column in. */
double net_largest_lambda(const struct net *net);

/* A model for each of several classes that have no order. */
struct several {
	const struct standard *standard;
	uint32_t count;     /* classes that have rows */
	uint32_t *class_at; /* which of the classes as given */
	struct net *nets;
	struct target *targets;
	double *others, *chosen, *logit,
		*kept; /* shared by the targets; scratch by class; coefficients before a turn */
};
void several_finish(struct several *several);
enum rs_code several_init(struct several *several, const struct rs_elastic_net_data *data,
                          const struct standard *standard, const struct rs_elastic_net_options *options,
                          struct rs_error *err);
/* As net_move(), of all classes. */
enum rs_code several_move(struct several *several, double lambda_before, double lambda, struct rs_error *err);

/* Σ b x of a row whose values lie `step` apart; of unordered classes that of output k. */
double path_predictor(const struct rs_elastic_net_path *path, size_t lambda, size_t output, const double *x,
                      size_t step);

#endif
