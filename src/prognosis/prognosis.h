/* Training: a study file and tables in; out come a model, and what cross-validation says of it beside simple baselines. */
#ifndef RS_PROGNOSIS_H
#define RS_PROGNOSIS_H

#include "base/base_threads.h"
#include "base/base_world.h"
#include "crypto/crypto.h"
#include "model/model.h"
#include "report/report.h"

#define RS_VERDICT_SIZE 512

/* study     path of a YAML file; tables are beside it
 * out_model file of the model, fitted to all rows; an initialised buffer
 * errors    RS_MALFORMED and RS_USAGE name line, key, column or row; RS_NOT_FOUND when outcomes are all alike */
enum rs_code rs_train(const struct rs_world *world, const char *study, struct rs_pool *pool,
                      const struct rs_training_report *report, struct rs_buffer *out_model,
                      char out_verdict[RS_VERDICT_SIZE], struct rs_error *err);

/* What a column adds to the log-odds of the positive class (or the likeliest of several; of forests to its probability), or
 * to the risk: Shapley's share, exact for trees. */
struct rs_reason {
	const char *column, *cell; /* as it stands in the table */
	double adds;
};
struct rs_prediction {
	const char *id;
	/* Class: probability of the positive class, whether it reaches the model's threshold, and which classes the conformal
	 * set holds. */
	double probability;
	bool positive, set_negative, set_positive;
	/* More than two classes: the probability of each, the likeliest, and which the conformal set holds. */
	const double *probabilities;
	const bool *set;
	uint32_t likeliest;
	/* Survival: ensemble mortality, the share of training subjects of lower risk, the time before which the share
	 * `coverage` of subjects has no event (NaN: too few events tell), survival at each horizon. */
	double risk, risk_rank, time_at_least;
	const double *survival, *survival_lower, *survival_upper; /* with 95 % intervals (see --help) */
	size_t missing,
		unknown; /* columns without a value; with a category, or centre, that training did not have */
	const struct rs_reason *reasons; /* the weightiest first */
	size_t reason_count;
};
typedef void rs_prediction_visit(void *context, const struct rs_prediction *prediction);
struct rs_prediction_options {
	double coverage; /* of conformal sets and bounds, 0.9 for 90 % */
	const double *horizons;
	size_t horizon_count;
	size_t reasons;           /* of each row, at most */
	rs_rows_permit *permit;   /* NULL: rows need no leave */
	struct rs_digest *tables; /* receives the SHA-256 of each; NULL: not wanted */
};
/* Rows in the order of the first table; others are joined by id. */
enum rs_code rs_predict(const struct rs_model *model, const struct rs_world *world, const char *const *tables,
                        size_t table_count, const struct rs_prediction_options *options,
                        rs_prediction_visit *visit, void *context, struct rs_error *err);

#endif
