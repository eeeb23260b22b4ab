/* Training rows, taken out of a frame. */
#include "study/study_training.h"

#include <stdlib.h>
#include <string.h>

#define TRAINING_SIZE_MAX ((size_t)16 << 30)

bool rs_view_holds(enum rs_view view, const struct rs_column *column)
{
	if (view >= RS_VIEW_MODALITY)
		return column->modality == (uint32_t)(view - RS_VIEW_MODALITY) && !column->indicator;
	return view == RS_VIEW_ALL        ? column->clinical || column->feature
	       : view == RS_VIEW_CLINICAL ? column->clinical
	                                  : column->volume;
}

void rs_training_finish(struct rs_training *training) { rs_arena_finish(&training->arena); }

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static bool may_be_seen(const struct rs_training *training, uint32_t subject)
{
	return subject == RS_REPEATS_STRANGER ||
	       bsearch(&subject, training->subjects, training->rows, sizeof subject, by_number);
}

static void copy_repeats(const struct rs_frame *frame, enum rs_view view, struct rs_sha256 *hash,
                         struct rs_training *out)
{
	const struct rs_repeats *repeats = &frame->repeats;
	size_t m = repeats->measurements, kept = 0;
	for (size_t s = 0; s < repeats->subjects; s++) {
		if (!may_be_seen(out, repeats->subject[s]))
			continue;
		rs_sha256_update(hash, repeats->digests[s].bytes, RS_SHA256_SIZE);
		for (size_t c = 0, to = 0; c < frame->column_count; c++) {
			if (!rs_view_holds(view, &frame->columns[c]))
				continue;
			out->is_repeated[to] = repeats->measured[c];
			memcpy(out->repeated + (to++ * out->repeated_subjects + kept) * m,
			       repeats->numbers + (c * repeats->subjects + s) * m, m * sizeof *out->repeated);
		}
		kept++;
	}
}

static void copy_rows(const struct rs_frame *frame, enum rs_view view, const size_t *rows,
                      struct rs_training *out)
{
	struct rs_sha256 hash;
	rs_sha256_init(&hash);
	for (size_t i = 0; i < out->rows; i++) {
		out->outcome[i] = frame->outcome[rows[i]];
		out->positives += out->outcome[i] > 0;
		out->time[i] = frame->time[rows[i]];
		out->subject[i] = frame->subject[rows[i]];
		out->centre[i] = rs_frame_centre(frame, rows[i]);
		rs_sha256_update(&hash, frame->digests[rows[i]].bytes, RS_SHA256_SIZE);
	}
	copy_repeats(frame, view, &hash, out);
	rs_sha256_final(&hash, &out->digest);
	for (size_t c = 0, to = 0; c < frame->column_count; c++) {
		if (!rs_view_holds(view, &frame->columns[c]))
			continue;
		out->columns[to] = &frame->columns[c];
		for (size_t i = 0; i < out->rows; i++) {
			out->numbers[to * out->rows + i] = frame->numbers[c * frame->rows + rows[i]];
			out->words[to * out->rows + i] = frame->words[c * frame->rows + rows[i]];
		}
		to++;
	}
}

static enum rs_code finish_without_memory(struct rs_training *out, size_t cells, struct rs_error *err)
{
	rs_training_finish(out);
	return rs_error_memory(err, cells * sizeof *out->numbers, "training rows");
}

static bool take_repeats(const struct rs_frame *frame, struct rs_training *out)
{
	size_t cells;
	for (size_t s = 0; s < frame->repeats.subjects; s++)
		out->repeated_subjects += may_be_seen(out, frame->repeats.subject[s]);
	out->measurements = frame->repeats.measurements;
	out->is_repeated = rs_arena_allocate_array(&out->arena, out->column_count, sizeof *out->is_repeated);
	if (!rs_mul_size(out->repeated_subjects * out->measurements, out->column_count, &cells))
		return false;
	out->repeated = rs_arena_allocate_array(&out->arena, cells ? cells : 1, sizeof *out->repeated);
	return out->is_repeated && out->repeated;
}

enum rs_code rs_training_take(const struct rs_frame *frame, enum rs_view view, const size_t *rows,
                              size_t count, struct rs_training *out, struct rs_error *err)
{
	size_t cells;
	*out = (struct rs_training){
		.target = frame->target, .classes = frame->classes, .levels = frame->levels, .rows = count};
	for (size_t c = 0; c < frame->column_count; c++)
		out->column_count += rs_view_holds(view, &frame->columns[c]);
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
	    !out->centre || !out->subjects)
		return finish_without_memory(out, cells, err);
	for (size_t i = 0; i < count; i++)
		out->subjects[i] = frame->subject[rows[i]];
	qsort(out->subjects, count, sizeof *out->subjects, by_number);
	if (!take_repeats(frame, out))
		return finish_without_memory(out, cells, err);
	copy_rows(frame, view, rows, out);
	return RS_OK;
}
