/* Which subjects are judged together, by models that never saw them. */
#include <string.h>

#include "base/base_random.h"
#include "study/study_frame.h"

size_t rs_folds_count(const struct rs_frame *frame, const struct rs_study *study)
{
	if (strcmp(study->validate, "centre") == 0)
		return frame->centre_count;
	return (size_t)study->folds; /* of subjects, or of centres */
}

/* Subjects are dealt out like cards, class by class. */
static void deal(const size_t *order, const uint32_t *class_of, size_t subjects, size_t folds,
                 uint32_t *fold_of)
{
	size_t next = 0;
	for (unsigned class = RS_CLASSES_MAX + 1; class -- > 1;)
		for (size_t i = 0; i < subjects; i++)
			if (class_of[order[i]] == class)
				fold_of[order[i]] = (uint32_t)(next++ % folds);
}

enum rs_code rs_folds_deal(const struct rs_frame *frame, const size_t *rows, size_t count, size_t folds,
                           uint64_t seed, uint64_t index, uint32_t *out, size_t *out_folds,
                           struct rs_error *err)
{
	size_t n = frame->subject_count, subjects = 0;
	size_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *order);
	uint32_t *class_of RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, 2 * sizeof *class_of);
	if (!order || !class_of)
		return rs_error_memory(err, n * sizeof *order, "folds");
	for (size_t i = 0; i < count; i++) { /* 1 more than the highest class of the subject's rows */
		uint32_t *class = &class_of[frame->subject[rows[i]]];
		subjects += *class == 0;
		if (*class < frame->outcome[rows[i]] + 1u)
			*class = frame->outcome[rows[i]] + 1u;
	}
	if (folds > subjects)
		folds = subjects;
	rs_shuffle(order, n, seed, index);
	deal(order, class_of, n, folds, class_of + n);
	for (size_t i = 0; i < count; i++)
		out[i] = class_of[n + frame->subject[rows[i]]];
	*out_folds = folds > 1 ? folds : 0;
	return RS_OK;
}

static enum rs_code deal_all(const struct rs_frame *frame, const struct rs_study *study, uint64_t repeat,
                             uint32_t *out, struct rs_error *err)
{
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->rows, sizeof *rows), folds;
	if (!rows)
		return rs_error_memory(err, frame->rows * sizeof *rows, "folds");
	for (size_t i = 0; i < frame->rows; i++)
		rows[i] = i;
	return rs_folds_deal(frame, rows, frame->rows, (size_t)study->folds, study->seed, 0x666f6c64 + repeat,
	                     out, &folds, err);
}

/* Whole centres are dealt out; a subject seen at two centres belongs to that of its first row. */
static enum rs_code deal_centres(const struct rs_frame *frame, const struct rs_study *study, uint64_t repeat,
                                 uint32_t *fold_of, struct rs_error *err)
{
	size_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->centre_count, 2 * sizeof *order);
	if (!order)
		return rs_error_memory(err, frame->centre_count * 2 * sizeof *order, "folds");
	size_t *place = order + frame->centre_count, folds = rs_folds_count(frame, study);
	rs_shuffle(order, frame->centre_count, study->seed, 0x63656e74 + repeat);
	for (size_t k = 0; k < frame->centre_count; k++)
		place[folds == frame->centre_count ? k : order[k]] = k % folds;
	for (size_t i = frame->rows; i > 0; i--)
		fold_of[frame->subject[i - 1]] = (uint32_t)place[frame->centre[i - 1]];
	return RS_OK;
}

enum rs_code rs_folds_assign(const struct rs_frame *frame, const struct rs_study *study, uint64_t repeat,
                             uint32_t *out, struct rs_error *err)
{
	bool by_centre = strcmp(study->validate, "subject") != 0;
	uint32_t *fold_of RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->subject_count,
	                                                                  sizeof *fold_of);
	if (!fold_of)
		return rs_error_memory(err, frame->subject_count * sizeof *fold_of, "folds");
	if (by_centre && (frame->centre_count < 2 || frame->centre_count < rs_folds_count(frame, study)))
		return rs_error_set(
			err, RS_USAGE, "%zu centres cannot be divided into %zu folds; validate: subject",
			frame->centre_count, frame->centre_count < 2 ? 2 : rs_folds_count(frame, study));
	if (!by_centre && frame->subject_count < study->folds)
		return rs_error_set(err, RS_USAGE, "%zu subjects cannot be divided into %zu folds",
		                    frame->subject_count, (size_t)study->folds);
	if (!by_centre && strcmp(study->assign, "rank") != 0)
		return deal_all(frame, study, repeat, out, err);
	for (size_t s = 0; s < frame->subject_count; s++)
		fold_of[s] = (uint32_t)(s % study->folds);
	if (by_centre)
		RS_TRY(deal_centres(frame, study, repeat, fold_of, err));
	for (size_t i = 0; i < frame->rows; i++)
		out[i] = fold_of[frame->subject[i]];
	return RS_OK;
}
