/* Subjects as a study wants them: columns by role, outcomes, folds. */
#ifndef RS_STUDY_FRAME_H
#define RS_STUDY_FRAME_H

#include "table/table_join.h"
#include "recipe/recipe_learner.h"
#include "study/study_repeats.h"
#include "recipe/recipe_rows.h"
#include "study/study.h"

struct rs_frame {
	struct rs_join join;
	struct rs_arena arena;
	enum rs_target target;
	uint32_t classes;      /* 2 of a binary target, 0 of survival */
	const char **levels;   /* names of classes, when there are more than 2 */
	size_t modality_count; /* those of features, then "clinical" */
	const char **modalities;
	size_t rows, column_count, subject_count, centre_count, left_out;
	struct rs_column *columns;
	double *numbers;                 /* by column, then row; NaN: missing */
	const char **words;              /* the same, of categorical columns; "" is missing */
	const char **ids, **subject_ids; /* by row; by subject, ascending */
	uint32_t *subject, *centre;      /* by row; subjects in the order of their ids */
	const char **centres;
	uint8_t *outcome;          /* class (1: positive), or whether the event came */
	double *time;              /* of survival */
	struct rs_digest *digests; /* of each row with all that is used of it */
	struct rs_repeats repeats;
};
void rs_frame_finish(struct rs_frame *frame);
/* "" when the study names no column of centres. */
const char *rs_frame_centre(const struct rs_frame *frame, size_t row);
/* Rows whose outcome is missing are left out and counted. */
enum rs_code rs_frame_read(const struct rs_world *world, const char *directory, const struct rs_study *study,
                           struct rs_frame *out, struct rs_error *err);
/* Whether any column of the modality has a value. */
bool rs_frame_has(const struct rs_frame *frame, size_t row, uint32_t modality);
/* Some of the rows, ascending, as a frame of its own that borrows from `frame`. */
enum rs_code rs_frame_subset(const struct rs_frame *frame, const size_t *rows, size_t count,
                             struct rs_frame *out, struct rs_error *err);
/* Controls, as frames of their own that borrow from `frame`: outcomes handed to other subjects; features, column by
 * column, handed to other rows. Finish them before it. */
enum rs_code rs_frame_permute_outcomes(const struct rs_frame *frame, uint64_t seed, struct rs_frame *out,
                                       struct rs_error *err);
enum rs_code rs_frame_shuffle_features(const struct rs_frame *frame, uint64_t seed, struct rs_frame *out,
                                       struct rs_error *err);
/* Folds by row for one repeat: all rows of a subject in one. Random folds have their share of each outcome. */
enum rs_code rs_folds_assign(const struct rs_frame *frame, const struct rs_study *study, uint64_t repeat,
                             uint32_t *out, struct rs_error *err);
/* Some of the rows, dealt into `folds` (as many as there are subjects at most; 0 for one alone):
 * out and rows go together. */
enum rs_code rs_folds_deal(const struct rs_frame *frame, const size_t *rows, size_t count, size_t folds,
                           uint64_t seed, uint64_t index, uint32_t *out, size_t *out_folds,
                           struct rs_error *err);
size_t rs_folds_count(const struct rs_frame *frame, const struct rs_study *study);

#endif
