/* Kinds of model. Each is one row of a table (learner.c), written in a file learner_NAME.c of its own. */
#ifndef RS_RECIPE_LEARNER_H
#define RS_RECIPE_LEARNER_H

#include "base/base_buffer.h"
#include "base/base_cbor.h"
#include "base/base_threads.h"
#include "learn/learn_forest.h"
#include "recipe/recipe_setting.h"

#define RS_CLASSES_MAX 64
enum rs_target { RS_TARGET_BINARY = 1, RS_TARGET_CLASSES = 2, RS_TARGET_ORDINAL = 4, RS_TARGET_SURVIVAL = 8 };

/* What a model is of. */
struct rs_model_shape {
	enum rs_target target;
	uint32_t classes; /* 2 of a binary target, 0 of survival */
	size_t columns;   /* inputs */
};
/* Scores of a row: the probability of class 1 (binary), of each class, or a risk (higher: earlier). */
size_t rs_model_shape_width(const struct rs_model_shape *shape);

/* Training rows as steps left them. Borrowed; every x is finite, but for gaps (NaN) where the learner takes them. */
struct rs_lesson {
	struct rs_model_shape shape;
	size_t rows;
	const double *x;           /* [input][row] */
	const uint8_t *outcome;    /* class, or whether the event came; every class occurs, an event does */
	const double *time;        /* of survival */
	const double *weight;      /* by row, with mean 1; NULL: all alike */
	const char *const *centre; /* by row; "" where the study names no column; NULL: the same */
	const uint32_t *stratum;   /* of survival: own baseline hazards; NULL: one */
	const uint32_t *subject; /* by row: rows of one subject stay together in folds of the learner's own */
	uint64_t seed;
	struct rs_pool *pool; /* may be NULL; not to be used within work of a pool */
	bool thorough;        /* the model that is kept: importance is wanted */
};

struct rs_learner {
	const char *name; /* in study files, under "model" */
	unsigned targets; /* bits of enum rs_target */
	bool standardised; /* inputs must have mean 0 and deviation 1: such a step comes last unless the study names one */
	bool needs_inputs; /* cannot be fitted when no input is left; others become constants */
	bool takes_gaps;
	bool weighs;     /* heeds weights */
	bool judges_own; /* rs_fit() fills own_scores */
	const struct rs_setting *settings;
	size_t options_size, state_size;
	/* own_scores: rows x width, of each row by parts of the model that did not see it, NaN where there is none; NULL when
	 * not wanted, and unless judges_own. The same bits for any number of threads. state: zeros; finish() is called in
	 * any case. */
	enum rs_code (*fit)(const struct rs_lesson *lesson, const void *options, double *own_scores,
	                    void *state, struct rs_error *err);
	void (*finish)(void *state); /* what it holds; accepts zeros and what a failure left */
	/* out: rows x width. Called from several threads at once. */
	enum rs_code (*score)(const void *state, const struct rs_matrix *x, double *out,
	                      struct rs_error *err);
	/* Survival at ascending times: rows x count. NULL: it follows from the risks of rows out of their folds. */
	enum rs_code (*survival)(const void *state, const struct rs_matrix *x, const double *times,
	                         size_t count, double *out, struct rs_error *err);
	/* By input, of any scale, not negative. False: the state has none. NULL: there is none */
	bool (*importance)(const void *state, double *out);
	/* What each input adds to the log-odds of class `of` (binary: 1; of forests to its probability) or the risk, and last
	 * what all rows have in common: rows x (columns + 1). NULL: it cannot tell. */
	enum rs_code (*explain)(const void *state, const struct rs_matrix *x, uint32_t of, double *out,
	                        struct rs_error *err);
	/* One CBOR item; see recipe_packed.h. What is read is hostile: every size, index and number is checked, so that score() is
	 * safe on it. state: as rs_fit()'s. */
	void (*write)(const void *state, struct rs_buffer *out);
	enum rs_code (*read)(struct rs_cbor_reader *reader, const struct rs_model_shape *shape, void *state,
	                     struct rs_error *err);
};
/* States on the heap. */
enum rs_code rs_learner_fit(const struct rs_learner *learner, const struct rs_lesson *lesson,
                            const void *options, double *own_scores, void **out_state, struct rs_error *err);
enum rs_code rs_learner_read(const struct rs_learner *learner, struct rs_cbor_reader *reader,
                             const struct rs_model_shape *shape, void **out_state, struct rs_error *err);
void rs_learner_destroy(const struct rs_learner *learner, void *state); /* accepts no state */

extern const struct rs_learner rs_learner_forest;
extern const struct rs_learner rs_learner_xgboost;
extern const struct rs_learner rs_learner_svm;
extern const struct rs_learner rs_learner_ridge;
extern const struct rs_learner rs_learner_cox;
extern const struct rs_learner rs_learner_elastic_net;
extern const struct rs_learner rs_learner_ordinal;
extern const struct rs_learner rs_learner_network;
extern const struct rs_learner rs_learner_parametric;
/* Ends with NULL. */
extern const struct rs_learner *const rs_learner_table[];
/* NULL: there is none of this name. */
const struct rs_learner *rs_learner_find(const char *name);

#endif
