/* Steps between a table and a model: they fill gaps, change values, choose inputs. Each is one row of a table (step.c),
 * written in a file step_NAME.c of its own. A step is given training rows alone. */
#ifndef RS_RECIPE_STEP_H
#define RS_RECIPE_STEP_H

#include "base/base_buffer.h"
#include "base/base_cbor.h"
#include "recipe/recipe_setting.h"
#include "recipe/recipe_rows.h"

/* A column's number, or whether a categorical one has this level. */
struct rs_input {
	uint32_t column, level;
};
#define RS_INPUT_NUMBER UINT32_MAX

struct rs_fitting {
	const struct rs_training *training;
	size_t count;                  /* inputs */
	const struct rs_input *inputs; /* training->columns[inputs[i].column] tells name and role */
	double *x;                     /* [input][row]; NaN: missing */
	uint64_t seed;
};
/* Of a row that is judged, what steps may know beside its inputs. */
struct rs_step_row {
	const char *centre; /* "": not known */
};

/* Steps of one of two sorts: choose(), or all of rs_fit(), apply(), write(), read(), finish(). */
struct rs_step {
	const char *name; /* in study files, under "steps" */
	bool fills_gaps;  /* afterwards there is no NaN; steps before it must take_gaps */
	bool takes_gaps;
	bool leaves_gaps;  /* there is no other step to fill them: for learners that take gaps */
	bool scales;       /* afterwards inputs are of one scale */
	bool asks_repeats; /* training->repeated is needed */
	bool asks_centre;  /* training->centre and row.centre are needed */
	const struct rs_setting *settings;
	size_t options_size, state_size;
	/* Which inputs stay: keep[input], all false when called. */
	enum rs_code (*choose)(const struct rs_fitting *fitting, const void *options, bool *keep,
	                       struct rs_error *err);
	/* Whether the rows it was fitted to had one like it; NULL: it does not matter. */
	bool (*knows)(const void *state, const struct rs_step_row *row);
	/* Changes fitting->x. state: zeros; finish() is called in any case. */
	enum rs_code (*fit)(struct rs_fitting *fitting, const void *options, void *state,
	                    struct rs_error *err);
	/* The same to one row, by input. Called from several threads at once. */
	void (*apply)(const void *state, const struct rs_step_row *row, double *values);
	void (*finish)(void *state); /* what it holds; accepts zeros and what a failure left */
	/* One CBOR item; what is read is hostile, see recipe_learner.h. width: number of inputs. */
	void (*write)(const void *state, struct rs_buffer *out);
	enum rs_code (*read)(struct rs_cbor_reader *reader, size_t width, void *state, struct rs_error *err);
};
/* Zeros, on the heap. errors  RS_NO_MEMORY */
enum rs_code rs_step_create_state(const struct rs_step *step, void **out, struct rs_error *err);
void rs_step_destroy_state(const struct rs_step *step, void *state); /* accepts no state */

extern const struct rs_step rs_step_impute, rs_step_scale, rs_step_near_zero, rs_step_correlation,
	rs_step_univariate, rs_step_keep;
extern const struct rs_step rs_step_combat, rs_step_gaps, rs_step_mrmr, rs_step_rfe, rs_step_stable,
	rs_step_lasso;
/* Ends with NULL. */
extern const struct rs_step *const rs_step_table[];
const struct rs_step *rs_step_find(const char *name);

/* (x - mean) / deviation (of the rows, not of a population) to out, which may be x. A deviation of 0: as good as constant,
 * all zeros. */
void rs_standardise(const double *x, size_t rows, double *out, double *out_mean, double *out_deviation);

/* Analysis of variance of the classes, with its p. */
void rs_statistic_classes(const double *x, const uint8_t *outcome, uint32_t classes, size_t rows, double *out,
                          double *out_p);
/* The one that fits the target, of each input, with its p; both by input. */
enum rs_code rs_statistics_of(const struct rs_fitting *fitting, double *out, double *out_p,
                              struct rs_error *err);
/* All inputs, standardised: [input][row], for rs_free(). NULL without memory. */
double *rs_standardised_inputs(const struct rs_fitting *fitting);

#endif
