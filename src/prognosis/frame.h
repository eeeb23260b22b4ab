/* Subjects as a study wants them: columns by role, outcomes, folds. */
#ifndef RS_PROGNOSIS_FRAME_H
#define RS_PROGNOSIS_FRAME_H

#include "join.h"
#include "learner.h"
#include "repeats.h"
#include "study.h"

struct column {
	const char *name;
	struct place place;
	bool categorical, marked /* gaps are an input, too */, clinical, volume, feature;
	uint32_t modality; /* MODALITY_NONE: a volume that is no feature */
	bool indicator;    /* 1 where the row lacks the modality; of no table */
};
#define MODALITY_NONE UINT32_MAX
struct frame {
	struct join join;
	struct rs_arena arena;
	enum target target;
	uint32_t classes;      /* 2 of a binary target, 0 of survival */
	const char **levels;   /* names of classes, when there are more than 2 */
	size_t modality_count; /* those of features, then "clinical" */
	const char **modalities;
	size_t rows, column_count, subject_count, centre_count, left_out;
	struct column *columns;
	double *numbers;                 /* by column, then row; NaN: missing */
	const char **words;              /* the same, of categorical columns; "" is missing */
	const char **ids, **subject_ids; /* by row; by subject, ascending */
	uint32_t *subject, *centre;      /* by row; subjects in the order of their ids */
	const char **centres;
	uint8_t *outcome;          /* class (1: positive), or whether the event came */
	double *time;              /* of survival */
	struct rs_digest *digests; /* of each row with all that is used of it */
	struct repeats repeats;
};
void frame_finish(struct frame *frame);
/* "" when the study names no column of centres. */
const char *frame_centre(const struct frame *frame, size_t row);
/* Rows whose outcome is missing are left out and counted. */
enum rs_code frame_read(const struct rs_world *world, const char *directory, const struct study *study,
                        struct frame *out, struct rs_error *err);
/* Whether any column of the modality has a value. */
bool frame_has(const struct frame *frame, size_t row, uint32_t modality);
/* Some of the rows, ascending, as a frame of its own that borrows from `frame`. */
enum rs_code frame_subset(const struct frame *frame, const size_t *rows, size_t count, struct frame *out,
                          struct rs_error *err);
/* Controls, as frames of their own that borrow from `frame`: outcomes handed to other subjects; features, column by
 * column, handed to other rows. Finish them before it. */
enum rs_code frame_permute_outcomes(const struct frame *frame, uint64_t seed, struct frame *out,
                                    struct rs_error *err);
enum rs_code frame_shuffle_features(const struct frame *frame, uint64_t seed, struct frame *out,
                                    struct rs_error *err);
/* Folds by row for one repeat: all rows of a subject in one. Random folds have their share of each outcome. */
enum rs_code folds_assign(const struct frame *frame, const struct study *study, uint64_t repeat,
                          uint32_t *out, struct rs_error *err);
/* Some of the rows, dealt into `folds` (as many as there are subjects at most; 0 for one alone):
 * out and rows go together. */
enum rs_code folds_deal(const struct frame *frame, const size_t *rows, size_t count, size_t folds,
                        uint64_t seed, uint64_t index, uint32_t *out, size_t *out_folds,
                        struct rs_error *err);
size_t folds_count(const struct frame *frame, const struct study *study);

#endif
