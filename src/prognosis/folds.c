/* Which subjects are judged together, by models that never saw them. */
#include <string.h>

#include "frame.h"

size_t folds_count(const struct frame *frame, const struct study *study)
{
	return strcmp(study->validate, "centre") == 0 ? frame->centre_count : (size_t)study->folds;
}

/* Subjects are dealt out like cards, first those that have the outcome in a row of theirs, then the others. */
static enum rs_code deal(const struct frame *frame, const struct study *study, uint64_t repeat,
                         uint32_t *fold_of, struct rs_error *err)
{
	size_t n = frame->subject_count, next = 0;
	size_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *order);
	uint8_t *has RS_CLEANUP(rs_free_pointer) = rs_allocate(n);
	if (!order || !has)
		return rs_error_memory(err, n * sizeof *order, "folds");
	for (size_t i = 0; i < frame->rows; i++)
		has[frame->subject[i]] |= frame->outcome[i];
	shuffle(order, n, study->seed, 0x666f6c64 + repeat);
	for (unsigned outcome = 2; outcome-- > 0;)
		for (size_t i = 0; i < n; i++)
			if (has[order[i]] == outcome)
				fold_of[order[i]] = (uint32_t)(next++ % study->folds);
	return RS_OK;
}

enum rs_code folds_assign(const struct frame *frame, const struct study *study, uint64_t repeat,
                          uint32_t *out, struct rs_error *err)
{
	bool by_centre = strcmp(study->validate, "centre") == 0;
	uint32_t *fold_of RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->subject_count,
	                                                                  sizeof *fold_of);
	if (!fold_of)
		return rs_error_memory(err, frame->subject_count * sizeof *fold_of, "folds");
	if (by_centre && frame->centre_count < 2)
		return rs_error_set(err, RS_USAGE, "all subjects are of one centre; validate: subject");
	if (!by_centre && frame->subject_count < study->folds)
		return rs_error_set(err, RS_USAGE, "%zu subjects cannot be divided into %zu folds",
		                    frame->subject_count, (size_t)study->folds);
	if (strcmp(study->assign, "rank") == 0)
		for (size_t s = 0; s < frame->subject_count; s++)
			fold_of[s] = (uint32_t)(s % study->folds);
	else if (!by_centre)
		RS_TRY(deal(frame, study, repeat, fold_of, err));
	if (by_centre) /* a subject seen at two centres belongs to that of its first row */
		for (size_t i = frame->rows; i > 0; i--)
			fold_of[frame->subject[i - 1]] = frame->centre[i - 1];
	for (size_t i = 0; i < frame->rows; i++)
		out[i] = fold_of[frame->subject[i]];
	return RS_OK;
}
