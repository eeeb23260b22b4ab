/* Training rows, taken out of a frame. */
#include "training.h"

#include <stdlib.h>
#include <string.h>

#define TRAINING_SIZE_MAX ((size_t)16 << 30)

bool view_holds(enum view view, const struct column *column)
{
	return view == VIEW_ALL        ? column->clinical || column->feature
	       : view == VIEW_CLINICAL ? column->clinical
	                               : column->volume;
}

void training_finish(struct training *training) { rs_arena_finish(&training->arena); }

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void copy_rows(const struct frame *frame, enum view view, const size_t *rows, struct training *out)
{
	struct rs_sha256 hash;
	rs_sha256_init(&hash);
	for (size_t i = 0; i < out->rows; i++) {
		out->outcome[i] = frame->outcome[rows[i]];
		out->positives += out->outcome[i] > 0;
		out->time[i] = frame->time[rows[i]];
		out->subjects[i] = out->subject[i] = frame->subject[rows[i]];
		out->centre[i] = frame_centre(frame, rows[i]);
		rs_sha256_update(&hash, frame->digests[rows[i]].bytes, RS_SHA256_SIZE);
	}
	rs_sha256_final(&hash, &out->digest);
	qsort(out->subjects, out->rows, sizeof *out->subjects, by_number);
	for (size_t c = 0, to = 0; c < frame->column_count; c++) {
		if (!view_holds(view, &frame->columns[c]))
			continue;
		out->columns[to] = &frame->columns[c];
		for (size_t i = 0; i < out->rows; i++) {
			out->numbers[to * out->rows + i] = frame->numbers[c * frame->rows + rows[i]];
			out->words[to * out->rows + i] = frame->words[c * frame->rows + rows[i]];
		}
		to++;
	}
}

enum rs_code training_take(const struct frame *frame, enum view view, const size_t *rows, size_t count,
                           struct training *out, struct rs_error *err)
{
	size_t cells;
	*out = (struct training){
		.target = frame->target, .classes = frame->classes, .levels = frame->levels, .rows = count};
	for (size_t c = 0; c < frame->column_count; c++)
		out->column_count += view_holds(view, &frame->columns[c]);
	if (count == 0 || out->column_count == 0)
		return rs_error_set(err, RS_NOT_FOUND, "there is no %s to learn from",
		                    count ? "column" : "subject");
	rs_arena_init(&out->arena, TRAINING_SIZE_MAX);
	if (!rs_mul_size(count, out->column_count, &cells))
		return rs_error_memory(err, SIZE_MAX, "training rows");
	out->columns = rs_arena_allocate_array(&out->arena, out->column_count, sizeof *out->columns);
	out->numbers = rs_arena_allocate_array(&out->arena, cells, sizeof *out->numbers);
	out->words = rs_arena_allocate_array(&out->arena, cells, sizeof *out->words);
	out->outcome = rs_arena_allocate(&out->arena, count);
	out->time = rs_arena_allocate_array(&out->arena, count, sizeof *out->time);
	out->subject = rs_arena_allocate_array(&out->arena, count, sizeof *out->subject);
	out->centre = rs_arena_allocate_array(&out->arena, count, sizeof *out->centre);
	out->subjects = rs_arena_allocate_array(&out->arena, count, sizeof *out->subjects);
	if (!out->columns || !out->numbers || !out->words || !out->outcome || !out->time || !out->subject ||
	    !out->centre || !out->subjects) {
		training_finish(out);
		return rs_error_memory(err, cells * sizeof *out->numbers, "training rows");
	}
	copy_rows(frame, view, rows, out);
	return RS_OK;
}
