/* Everything that is fitted is fitted here, to a copy of the training rows and nothing else. What comes out knows its
 * rows and judges none of them. */
#ifndef RS_PROGNOSIS_FIT_H
#define RS_PROGNOSIS_FIT_H

#include "plan.h"
#include "step.h"

#define FITTED_SIZE_MAX ((size_t)4 << 30)

struct fitted_column {
	const char *name;
	bool categorical;
	uint32_t level_count;
	/* Ascending; "" stands for missing cells. A number has none, or "" alone: whether it is missing is an input, too. */
	const char **levels;
	uint32_t modality; /* or MODALITY_NONE */
	bool indicator;    /* 1 where all other columns of the modality are missing */
};
struct fitted_step {
	const struct step *step;
	size_t width;   /* inputs after it */
	uint32_t *kept; /* of a step that chooses: which of the inputs before it, ascending */
	void *state;    /* of the others */
};
struct fitted {
	struct rs_arena arena;      /* of columns, levels and subjects */
	struct shape shape;         /* columns: inputs of the learner */
	size_t column_count, width; /* width: inputs before the first step */
	struct fitted_column *columns;
	size_t step_count;
	struct fitted_step steps[STAGES_MAX + 1];
	const struct learner *learner;
	void *state;
	size_t rows, positives;
	double threshold; /* of binary scores */
	struct rs_digest training;
	uint32_t *subjects; /* of the training rows, ascending */
	size_t subject_count;
};
void fitted_finish(struct fitted *fitted);
/* own_scores: rows x width, filled when the learner judges its own rows out of bag; may be NULL. */
enum rs_code fit(const struct training *training, const struct recipe *recipe, double *own_scores,
                 struct fitted *out, struct rs_error *err);

/* How many inputs a column makes before the first step. */
size_t fitted_width(const struct fitted_column *column);

/* Several recipes on the same rows: steps that a recipe shares with the one before it are not fitted again. */
struct trial {
	const struct training *training;
	bool once; /* no other recipe follows: what a step leaves behind is given back at once */
	struct fitted fitted;
	struct planned planned[STAGES_MAX + 1];
	struct level {
		size_t count;
		struct input *inputs;
		double *x;
	} levels[STAGES_MAX + 2]; /* before the first step, after it … */
};
enum rs_code trial_begin(const struct training *training, struct trial *out, struct rs_error *err);
void trial_finish(struct trial *trial);
enum rs_code trial_fit(struct trial *trial, const struct recipe *recipe, double *own_scores,
                       struct rs_error *err);

/* Cells of one row in the order of the fitted columns. */
struct probe {
	const double *numbers;
	const char *const *words;
	struct row row;
};
/* values: room for fitted->width numbers; the first shape.columns become what the learner is given. missing and unknown
 * (columns without a value, with a category that training did not have) may be NULL. */
void fitted_row(const struct fitted *fitted, const struct probe *probe, double *values, size_t *missing,
                size_t *unknown);
/* For each input of the learner the number of its input before the first step. out: room for fitted->width. */
void fitted_inputs(const struct fitted *fitted, uint32_t *out);
/* What such an input is: its column, and its level or INPUT_NUMBER. */
struct input fitted_input(const struct fitted *fitted, uint32_t index);
/* A row of a frame as a probe's cells. */
void frame_cells(const struct frame *frame, enum view view, size_t row, double *numbers, const char **words);
/* The only way to score rows of a frame: out is count x width. errors  RS_INTERNAL: a row's subject was trained on */
enum rs_code fitted_judge(const struct fitted *fitted, const struct frame *frame, enum view view,
                          const size_t *rows, size_t count, double *out, struct rs_error *err);
/* Survival of one row at ascending times, by a learner that knows it. errors  as fitted_judge() */
enum rs_code fitted_survival(const struct fitted *fitted, const struct frame *frame, enum view view,
                             size_t row, const double *times, size_t count, double *out,
                             struct rs_error *err);

#endif
