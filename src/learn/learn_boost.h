/* Boosted trees: grown by XGBoost (Debian's libxgboost, through its C interface), then kept and evaluated as arrays of our
 * own, so that a model is data and not another program's dump.
 *
 * One fit runs in one thread: XGBoost's histograms add in an order that depends on their number. Folds run side by side. */
#ifndef RS_LEARN_BOOST_H
#define RS_LEARN_BOOST_H

#include "learn/learn_forest.h"

enum rs_boost_kind {
	RS_BOOST_BINARY,  /* binary:logistic */
	RS_BOOST_CLASSES, /* multi:softprob */
	RS_BOOST_COX,     /* survival:cox (ties after Breslow) */
	RS_BOOST_AFT,     /* survival:aft */
};
enum rs_boost_noise { RS_BOOST_NORMAL, RS_BOOST_LOGISTIC, RS_BOOST_EXTREME }; /* of the logarithm of time */

struct rs_boost_options {
	enum rs_boost_kind kind;
	enum rs_boost_noise noise; /* of AFT */
	double noise_scale;        /* of AFT */
	uint32_t rounds, depth;
	double rate;                            /* eta, of (0, 1] */
	double leaf_weight, gain, ridge, lasso; /* min_child_weight, gamma, lambda, alpha; not negative */
	double rows_share, columns_share,
		nodes_share; /* subsample, colsample_bytree, colsample_bynode, of (0, 1] */
	uint32_t
		patience; /* rounds without a better metric on the rows held out, then the best is kept; 0: all rounds */
	bool histogram;         /* tree_method hist in place of exact */
	const int8_t *monotone; /* by column: -1 falls, 1 rises, 0 either; NULL: all either */
	uint64_t seed;          /* its lower 31 bits */
};
/* What XGBoost takes when it is told nothing: 100 rounds of depth 6, rate 0.3; exact. */
struct rs_boost_options rs_boost_defaults(enum rs_boost_kind kind);

/* values of x may be NaN: missing. */
struct rs_boost_data {
	const struct rs_matrix *x;
	const uint32_t *labels; /* of classes: 0 … classes - 1; binary: 0 and 1 */
	uint32_t classes;       /* of RS_BOOST_CLASSES */
	const double *time;     /* of survival; above 0 for AFT */
	const uint8_t *event;
	const double *weights; /* above 0; NULL: all 1 */
	const uint8_t *held;   /* by row: not learnt from, but judging the rounds; NULL: none */
};

#define RS_BOOST_LEAF UINT32_MAX
struct rs_boost_node {
	uint32_t column; /* RS_BOOST_LEAF for a leaf */
	uint32_t next;   /* value < number: here, else the node after */
	float number;    /* threshold; of a leaf: what it adds */
	float cover;     /* sum of second derivatives of the rows that came here */
	bool missing_right;
};
struct rs_booster {
	enum rs_boost_kind kind;
	uint32_t columns, trees,
		outputs; /* tree t belongs to output t % outputs; 1 but for RS_BOOST_CLASSES */
	double base;     /* every output begins with it */
	uint32_t *roots;
	size_t node_count;
	struct rs_boost_node *nodes;
};
void rs_booster_finish(struct rs_booster *booster); /* accepts zeroed memory */

/* out_metrics: by round (options->rounds), of the rows held out: logloss, mlogloss, cox-nloglik or aft-nloglik to six
 *              digits; NaN for rounds that were not made. May be NULL.
 * errors       RS_USAGE, RS_MALFORMED naming row and column, RS_NOT_FOUND (nobody had the event), RS_NO_MEMORY */
enum rs_code rs_boost_fit(const struct rs_boost_data *data, const struct rs_boost_options *options,
                          double *out_metrics, struct rs_booster *out, struct rs_error *err);

/* x: one row of booster->columns values, taken as float as XGBoost does. One sum for each output. */
void rs_booster_margins(const struct rs_booster *booster, const double *x, double *out_margins);
/* Probabilities of the classes (of RS_BOOST_BINARY: of class 1 alone), the logarithm of the relative hazard, or less the
 * logarithm of the expected time: higher is worse. */
void rs_booster_scores(const struct rs_booster *booster, const double *x, double *out_scores);

/* One array: kind, outputs, base, trees, roots, nodes (byte strings of little-endian records). */
void rs_booster_write(const struct rs_booster *booster, struct rs_buffer *out);
/* Everything it refers to is checked to be within it, and every walk to end. RS_MALFORMED */
enum rs_code rs_booster_read(struct rs_cbor_reader *reader, uint32_t columns, struct rs_booster *out,
                             struct rs_error *err);

#endif
