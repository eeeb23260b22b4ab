/* Frames made from frames: controls, and some of the rows. */
#include <math.h>
#include <string.h>

#include "base/base_random.h"
#include "study/study_frame.h"

#define FRAME_SIZE_MAX ((size_t)16 << 30)

static enum rs_code take(struct rs_frame *frame, size_t count, size_t size, void *out, struct rs_error *err)
{
	void *block = rs_arena_allocate_array(&frame->arena, count ? count : 1, size);
	if (!block)
		return rs_error_memory(err, count * size, "subjects");
	memcpy(out, &block, sizeof block);
	return RS_OK;
}

static void borrow(const struct rs_frame *frame, struct rs_frame *out)
{
	*out = *frame;
	out->join.count = out->repeats.join.count = 0;
	out->repeats.arena = (struct rs_arena){0};
	rs_arena_init(&out->arena, FRAME_SIZE_MAX);
}

bool rs_frame_has(const struct rs_frame *frame, size_t row, uint32_t modality)
{
	for (size_t c = 0; c < frame->column_count; c++) {
		size_t at = c * frame->rows + row;
		if (frame->columns[c].modality == modality && !frame->columns[c].indicator &&
		    (frame->words[at][0] || !isnan(frame->numbers[at])))
			return true;
	}
	return false;
}

static enum rs_code choose(struct rs_frame *out, const struct rs_frame *frame, const size_t *rows,
                           size_t count, struct rs_error *err)
{
	size_t columns = frame->column_count;
	out->rows = count;
	RS_TRY(take(out, count, sizeof *out->outcome, &out->outcome, err));
	RS_TRY(take(out, count, sizeof *out->time, &out->time, err));
	RS_TRY(take(out, count, sizeof *out->ids, &out->ids, err));
	RS_TRY(take(out, count, sizeof *out->subject, &out->subject, err));
	RS_TRY(take(out, count, sizeof *out->centre, &out->centre, err));
	RS_TRY(take(out, count, sizeof *out->digests, &out->digests, err));
	RS_TRY(take(out, count * columns, sizeof *out->numbers, &out->numbers, err));
	RS_TRY(take(out, count * columns, sizeof *out->words, &out->words, err));
	for (size_t i = 0; i < count; i++) {
		out->outcome[i] = frame->outcome[rows[i]];
		out->time[i] = frame->time[rows[i]];
		out->ids[i] = frame->ids[rows[i]];
		out->subject[i] = frame->subject[rows[i]];
		out->centre[i] = frame->centre[rows[i]];
		out->digests[i] = frame->digests[rows[i]];
		for (size_t c = 0; c < columns; c++) {
			out->numbers[c * count + i] = frame->numbers[c * frame->rows + rows[i]];
			out->words[c * count + i] = frame->words[c * frame->rows + rows[i]];
		}
	}
	return RS_OK;
}

enum rs_code rs_frame_subset(const struct rs_frame *frame, const size_t *rows, size_t count,
                             struct rs_frame *out, struct rs_error *err)
{
	borrow(frame, out);
	return choose(out, frame, rows, count, err);
}

static enum rs_code permute(struct rs_frame *out, const struct rs_frame *frame, uint64_t seed,
                            struct rs_error *err)
{
	size_t *order = NULL, *first = NULL;
	RS_TRY(take(out, frame->subject_count, sizeof *order, &order, err));
	RS_TRY(take(out, frame->subject_count, sizeof *first, &first, err));
	RS_TRY(take(out, frame->rows, sizeof *out->outcome, &out->outcome, err));
	RS_TRY(take(out, frame->rows, sizeof *out->time, &out->time, err));
	rs_shuffle(order, frame->subject_count, seed, 0x7065726d);
	for (size_t i = frame->rows; i > 0; i--)
		first[frame->subject[i - 1]] = i - 1;
	for (size_t i = 0; i < frame->rows; i++) {
		size_t donor = first[order[frame->subject[i]]];
		out->outcome[i] = frame->outcome[donor];
		out->time[i] = frame->time[donor];
	}
	return RS_OK;
}

enum rs_code rs_frame_permute_outcomes(const struct rs_frame *frame, uint64_t seed, struct rs_frame *out,
                                       struct rs_error *err)
{
	borrow(frame, out);
	return permute(out, frame, seed, err);
}

static enum rs_code shuffle_columns(struct rs_frame *out, const struct rs_frame *frame, uint64_t seed,
                                    struct rs_error *err)
{
	size_t *order = NULL, rows = frame->rows;
	RS_TRY(take(out, rows, sizeof *order, &order, err));
	RS_TRY(take(out, rows * frame->column_count, sizeof *out->numbers, &out->numbers, err));
	RS_TRY(take(out, rows * frame->column_count, sizeof *out->words, &out->words, err));
	for (size_t c = 0; c < frame->column_count; c++) {
		rs_shuffle(order, rows, seed, 0x73687566 + c);
		for (size_t i = 0; i < rows; i++) {
			size_t from = c * rows + (frame->columns[c].clinical ? i : order[i]);
			out->numbers[c * rows + i] = frame->numbers[from];
			out->words[c * rows + i] = frame->words[from];
		}
	}
	return RS_OK;
}

enum rs_code rs_frame_shuffle_features(const struct rs_frame *frame, uint64_t seed, struct rs_frame *out,
                                       struct rs_error *err)
{
	borrow(frame, out);
	return shuffle_columns(out, frame, seed, err);
}
