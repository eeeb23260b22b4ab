/* Everything that is fitted is fitted here, to a copy of the training rows and nothing else. What comes out knows its
 * rows and judges none of them. */
#ifndef RS_MODEL_FIT_H
#define RS_MODEL_FIT_H

#include "recipe/recipe.h"
#include "recipe/recipe_step.h"
#include "study/study_training.h"

#define RS_FITTED_SIZE_MAX ((size_t)4 << 30)

struct rs_fitted_column {
	const char *name;
	bool categorical;
	uint32_t level_count;
	/* Ascending; "" stands for missing cells. A number has none, or "" alone: whether it is missing is an input, too. */
	const char **levels;
	uint32_t modality; /* or RS_MODALITY_NONE */
	bool indicator;    /* 1 where all other columns of the modality are missing */
};
struct rs_fitted_step {
	const struct rs_step *step;
	size_t width;   /* inputs after it */
	uint32_t *kept; /* of a step that chooses: which of the inputs before it, ascending */
	void *state;    /* of the others */
};
struct rs_fitted {
	struct rs_arena arena;       /* of columns, levels and subjects */
	struct rs_model_shape shape; /* columns: inputs of the learner */
	size_t column_count, width;  /* width: inputs before the first step */
	struct rs_fitted_column *columns;
	size_t step_count;
	struct rs_fitted_step steps[RS_STAGES_MAX + 1];
	const struct rs_learner *learner;
	void *state;
	size_t rows, positives;
	double threshold; /* of binary scores */
	struct rs_digest training;
	uint32_t *subjects; /* of the training rows, ascending */
	size_t subject_count;
};
void rs_fitted_finish(struct rs_fitted *fitted);
/* own_scores: rows x width, filled when the learner judges its own rows out of bag; may be NULL. */
enum rs_code rs_fit(const struct rs_training *training, const struct rs_recipe *recipe, double *own_scores,
                    struct rs_fitted *out, struct rs_error *err);

/* How many inputs a column makes before the first step. */
size_t rs_fitted_width(const struct rs_fitted_column *column);

/* Several recipes on the same rows: steps that a recipe shares with the one before it are not fitted again. */
struct rs_trial {
	const struct rs_training *training;
	bool once; /* no other recipe follows: what a step leaves behind is given back at once */
	struct rs_fitted fitted;
	struct rs_planned planned[RS_STAGES_MAX + 1];
	struct rs_trial_level {
		size_t count;
		struct rs_input *inputs;
		double *x;
	} levels[RS_STAGES_MAX + 2]; /* before the first step, after it … */
};
enum rs_code rs_trial_begin(const struct rs_training *training, struct rs_trial *out, struct rs_error *err);
void rs_trial_finish(struct rs_trial *trial);
enum rs_code rs_trial_fit(struct rs_trial *trial, const struct rs_recipe *recipe, double *own_scores,
                          struct rs_error *err);

/* Cells of one row in the order of the fitted columns. */
struct rs_probe {
	const double *numbers;
	const char *const *words;
	struct rs_step_row row;
};
/* values: room for fitted->width numbers; the first shape.columns become what the learner is given. missing and unknown
 * (columns without a value, with a category that training did not have) may be NULL. */
void rs_fitted_row(const struct rs_fitted *fitted, const struct rs_probe *probe, double *values,
                   size_t *missing, size_t *unknown);
/* For each input of the learner the number of its input before the first step. out: room for fitted->width. */
void rs_fitted_inputs(const struct rs_fitted *fitted, uint32_t *out);
/* What such an input is: its column, and its level or RS_INPUT_NUMBER. */
struct rs_input rs_fitted_input(const struct rs_fitted *fitted, uint32_t index);
/* A row of a frame as a probe's cells. */
void rs_frame_cells(const struct rs_frame *frame, enum rs_view view, size_t row, double *numbers,
                    const char **words);
/* The only way to score rows of a frame: out is count x width. errors  RS_INTERNAL: a row's subject was trained on */
enum rs_code rs_fitted_judge(const struct rs_fitted *fitted, const struct rs_frame *frame, enum rs_view view,
                             const size_t *rows, size_t count, double *out, struct rs_error *err);
/* Survival of one row at ascending times, by a learner that knows it. errors  as rs_fitted_judge() */
enum rs_code rs_fitted_survival(const struct rs_fitted *fitted, const struct rs_frame *frame,
                                enum rs_view view, size_t row, const double *times, size_t count, double *out,
                                struct rs_error *err);

#endif
