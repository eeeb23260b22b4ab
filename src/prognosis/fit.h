/* Everything that is fitted, is fitted by fit(), and fit() is given nothing but a copy of the training rows: the outcomes
 * of others are out of its reach. What it fits knows its rows and judges none of them. */
#ifndef RS_PROGNOSIS_FIT_H
#define RS_PROGNOSIS_FIT_H

#include "base/base_threads.h"
#include "frame.h"
#include "learn/learn_forest.h"

enum view { VIEW_ALL, VIEW_CLINICAL, VIEW_VOLUME };
bool view_holds(enum view view, const struct column *column);

/* Rows to learn from, and nothing of the others. */
struct training {
	struct rs_arena arena;
	bool survival;
	size_t rows, positives, column_count;
	const struct column **columns;
	double *numbers;
	const char **words;
	uint8_t *outcome;
	double *time;
	uint32_t *subjects;      /* by row, ascending */
	struct rs_digest digest; /* of the rows' digests in the order of the rows */
};
void training_finish(struct training *training);
/* rows: ascending. */
enum rs_code training_take(const struct frame *frame, enum view view, const size_t *rows, size_t count,
                           struct training *out, struct rs_error *err);

struct recipe {
	bool linear; /* ridge regression or Cox in place of a forest; without a column that varies, a constant */
	double near_zero, correlation, univariate;
	size_t keep;
	uint32_t trees, minimum_leaf;
	uint64_t seed;
	struct rs_pool *pool;
};

/* What goes into the model: a column's number, or whether it is a category; less the mean, by the deviation. */
struct input {
	uint32_t column;
	uint32_t level; /* INPUT_NUMBER: none */
	double median, mean, deviation;
};
#define INPUT_NUMBER UINT32_MAX
struct fitted_column {
	const char *name;
	bool categorical;
	uint32_t level_count;
	const char **levels; /* ascending; "" stands for missing cells */
};
struct fitted {
	struct rs_arena arena;
	bool survival, linear;
	size_t column_count, input_count, rows, positives;
	struct fitted_column *columns;
	struct input *inputs;
	struct rs_forest forest;
	double *coefficients, intercept; /* of a linear one */
	double threshold;                /* of probabilities; chosen on the training rows, each out of bag */
	double *importance;              /* of a forest: by input */
	struct rs_digest training;
	uint32_t *subjects; /* of the training rows, ascending */
	size_t subject_count;
};
void fitted_finish(struct fitted *fitted);
enum rs_code fit(const struct training *training, const struct recipe *recipe, struct fitted *out,
                 struct rs_error *err);

/* Cells of one row in the order of the fitted columns. */
struct probe {
	const double *numbers;
	const char *const *words;
};
/* work: input_count numbers, which become the row as the model sees it. unknown may be NULL. */
void fitted_inputs(const struct fitted *fitted, const struct probe *probe, double *work, size_t *missing,
                   size_t *unknown);
/* Probability of the positive class, or risk. */
double fitted_score(const struct fitted *fitted, const double *inputs);
/* The only way to score a row of a frame. errors  RS_INTERNAL: the row's subject was trained on */
enum rs_code fitted_judge(const struct fitted *fitted, const struct frame *frame, enum view view, size_t row,
                          double *out, struct rs_error *err);

/* ---- steps; x is by input, then row ---- */

struct fitting {
	const struct training *training;
	const struct recipe *recipe;
	struct input *inputs;
	size_t count;
	double *x;
};
void select_varied(struct fitting *fitting, double *work); /* work: rows */
void select_uncorrelated(struct fitting *fitting);         /* x has mean 0 and deviation 1 */
enum rs_code select_univariate(struct fitting *fitting, struct rs_error *err);
/* Analysis of variance of two groups, or Cox's score test, with their p. */
void statistic_classes(const double *x, const uint8_t *outcome, size_t rows, double *out, double *out_p);
void statistic_survival(const double *x, const uint8_t *event, const double *time, const size_t *by_time,
                        size_t rows, double *out, double *out_p);
/* penalty: half of it times the sum of squares is added to the loss; not of the intercept. */
enum rs_code ridge_logistic(const double *x, size_t rows, size_t columns, const uint8_t *outcome,
                            double penalty, double *out_coefficients, double *out_intercept,
                            struct rs_error *err);

#endif
