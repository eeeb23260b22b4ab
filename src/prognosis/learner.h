/* Kinds of model. Each is one row of a table (learner.c), written in a file learner_NAME.c of its own. */
#ifndef RS_PROGNOSIS_LEARNER_H
#define RS_PROGNOSIS_LEARNER_H

#include "base/base_buffer.h"
#include "base/base_cbor.h"
#include "base/base_threads.h"
#include "learn/learn_forest.h"
#include "setting.h"

#define CLASSES_MAX 64
enum target { TARGET_BINARY = 1, TARGET_CLASSES = 2, TARGET_ORDINAL = 4, TARGET_SURVIVAL = 8 };

/* What a model is of. */
struct shape {
	enum target target;
	uint32_t classes; /* 2 of a binary target, 0 of survival */
	size_t columns;   /* inputs */
};
/* Scores of a row: the probability of class 1 (binary), of each class, or a risk (higher: earlier). */
size_t shape_width(const struct shape *shape);

/* Training rows as steps left them. Borrowed; every x is finite, but for gaps (NaN) where the learner takes them. */
struct lesson {
	struct shape shape;
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

struct learner {
	const char *name; /* in study files, under "model" */
	unsigned targets; /* bits of enum target */
	bool standardised; /* inputs must have mean 0 and deviation 1: such a step comes last unless the study names one */
	bool needs_inputs; /* cannot be fitted when no input is left; others become constants */
	bool takes_gaps;
	bool weighs;     /* heeds weights */
	bool judges_own; /* fit() fills own_scores */
	const struct setting *settings;
	size_t options_size, state_size;
	/* own_scores: rows x width, of each row by parts of the model that did not see it, NaN where there is none; NULL when
	 * not wanted, and unless judges_own. The same bits for any number of threads. state: zeros; finish() is called in
	 * any case. */
	enum rs_code (*fit)(const struct lesson *lesson, const void *options, double *own_scores, void *state,
	                    struct rs_error *err);
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
	/* One CBOR item; see packed.h. What is read is hostile: every size, index and number is checked, so that score() is
	 * safe on it. state: as fit()'s. */
	void (*write)(const void *state, struct rs_buffer *out);
	enum rs_code (*read)(struct rs_cbor_reader *reader, const struct shape *shape, void *state,
	                     struct rs_error *err);
};
/* States on the heap. */
enum rs_code learner_fit(const struct learner *learner, const struct lesson *lesson, const void *options,
                         double *own_scores, void **out_state, struct rs_error *err);
enum rs_code learner_read(const struct learner *learner, struct rs_cbor_reader *reader,
                          const struct shape *shape, void **out_state, struct rs_error *err);
void learner_destroy(const struct learner *learner, void *state); /* accepts no state */

extern const struct learner learner_forest;
extern const struct learner learner_xgboost;
extern const struct learner learner_svm;
extern const struct learner learner_ridge;
extern const struct learner learner_cox;
extern const struct learner learner_elastic_net;
extern const struct learner learner_ordinal;
extern const struct learner learner_network;
extern const struct learner learner_parametric;
/* Ends with NULL. */
extern const struct learner *const learner_table[];
/* NULL: there is none of this name. */
const struct learner *learner_find(const char *name);

#endif
