#include "study/study_frame.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_random.h"
#include "table/table.h"

#define FRAME_SIZE_MAX ((size_t)16 << 30)

void rs_frame_finish(struct rs_frame *frame)
{
	rs_arena_finish(&frame->arena);
	rs_join_finish(&frame->join);
	rs_repeats_finish(&frame->repeats);
}

const char *rs_frame_centre(const struct rs_frame *frame, size_t row)
{
	return frame->centre_count ? frame->centres[frame->centre[row]] : "";
}

static enum rs_code take(struct rs_frame *frame, size_t count, size_t size, void *out, struct rs_error *err)
{
	void *block = rs_arena_allocate_array(&frame->arena, count ? count : 1, size);
	if (!block)
		return rs_error_memory(err, count * size, "subjects");
	memcpy(out, &block, sizeof block);
	return RS_OK;
}

/* ---- columns ---- */

static bool is_reserved(const struct rs_study *study, const char *name)
{
	const char *const others[] = {study->id, study->class_column, study->time, study->event,
	                              study->centre};
	for (size_t i = 0; i < RS_COUNT(others); i++)
		if (others[i] && strcmp(others[i], name) == 0)
			return true;
	return false;
}

static enum rs_code add_column(struct rs_frame *frame, const struct rs_study *study,
                               struct rs_table_place place, struct rs_column **out, struct rs_error *err)
{
	const char *name = rs_join_name(&frame->join, place);
	for (size_t c = 0; c < frame->column_count; c++)
		if (strcmp(frame->columns[c].name, name) == 0) {
			*out = &frame->columns[c];
			return RS_OK;
		}
	RS_TRY(rs_join_find(&frame->join, name, &place, err)); /* in one table only */
	*out = &frame->columns[frame->column_count++];
	**out = (struct rs_column){.name = name,
	                           .place = place,
	                           .categorical = rs_names_hold(&study->categorical, name),
	                           .modality = RS_MODALITY_NONE};
	return RS_OK;
}

static enum rs_code add_named(struct rs_frame *frame, const struct rs_study *study,
                              const struct rs_study_names *names, bool clinical, struct rs_error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		struct rs_table_place place;
		struct rs_column *column;
		if (is_reserved(study, names->items[i]))
			return rs_error_set(err, RS_MALFORMED,
			                    "column %s is the study's id, centre or target and cannot be "
			                    "used to predict",
			                    names->items[i]);
		RS_TRY(rs_join_find(&frame->join, names->items[i], &place, err));
		RS_TRY(add_column(frame, study, place, &column, err));
		if (clinical)
			column->modality = (uint32_t)study->modality_count;
		column->clinical |= clinical;
		column->volume |= !clinical;
	}
	return RS_OK;
}

/* Targets are never features, whatever a pattern says. */
static enum rs_code add_pattern(struct rs_frame *frame, const struct rs_study *study, uint32_t modality,
                                const char *pattern, struct rs_error *err)
{
	bool any = false;
	for (size_t t = 0; t < frame->join.count; t++)
		for (size_t c = 0; c < frame->join.tables[t].csv.columns; c++) {
			const struct rs_table_place place = {t, c};
			const char *name = rs_join_name(&frame->join, place);
			struct rs_column *column;
			if (is_reserved(study, name) || !rs_pattern_matches(pattern, name))
				continue;
			any = true;
			RS_TRY(add_column(frame, study, place, &column, err));
			column->feature = !column->clinical;
			if (column->modality == RS_MODALITY_NONE)
				column->modality = modality;
		}
	return any ? RS_OK
	           : rs_error_set(err, RS_MALFORMED, "no column fits the pattern of features '%s'", pattern);
}

static enum rs_code mark_columns(struct rs_frame *frame, const struct rs_study *study, struct rs_error *err)
{
	for (size_t i = 0; i < study->mark_gaps.count; i++) {
		bool any = false;
		for (size_t c = 0; c < frame->column_count; c++)
			if (rs_pattern_matches(study->mark_gaps.items[i], frame->columns[c].name))
				any = frame->columns[c].marked = true;
		if (!any)
			return rs_error_set(err, RS_MALFORMED, "no column fits the pattern of mark_gaps '%s'",
			                    study->mark_gaps.items[i]);
	}
	return RS_OK;
}

static enum rs_code find_columns(struct rs_frame *frame, const struct rs_study *study, struct rs_error *err)
{
	size_t most = 0;
	for (size_t t = 0; t < frame->join.count; t++)
		most += frame->join.tables[t].csv.columns;
	most += RS_STUDY_MODALITIES_MAX + 1; /* indicators */
	RS_TRY(take(frame, most, sizeof *frame->columns, &frame->columns, err));
	RS_TRY(take(frame, RS_STUDY_MODALITIES_MAX + 1, sizeof *frame->modalities, &frame->modalities, err));
	for (size_t m = 0; m < study->modality_count; m++)
		frame->modalities[frame->modality_count++] = study->modalities[m].name;
	if (study->clinical.count > 0)
		frame->modalities[frame->modality_count++] = "clinical";
	RS_TRY(add_named(frame, study, &study->clinical, true, err));
	RS_TRY(add_named(frame, study, &study->volume, false, err));
	for (size_t m = 0; m < study->modality_count; m++)
		for (size_t i = 0; i < study->modalities[m].patterns.count; i++)
			RS_TRY(add_pattern(frame, study, (uint32_t)m, study->modalities[m].patterns.items[i],
			                   err));
	for (size_t i = 0; i < study->categorical.count; i++) {
		struct rs_table_place place;
		RS_TRY(rs_join_find(&frame->join, study->categorical.items[i], &place, err));
	}
	return mark_columns(frame, study, err);
}

/* ---- rows ---- */

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

/* Codes for texts in the order of the texts. */
static enum rs_code encode(struct rs_frame *frame, const char *const *texts, uint32_t *out,
                           const char ***out_sorted, size_t *out_count, struct rs_error *err)
{
	const char **sorted = NULL;
	size_t count = 0;
	RS_TRY(take(frame, frame->rows, sizeof *sorted, &sorted, err));
	if (frame->rows > 0) {
		memcpy(sorted, texts, frame->rows * sizeof *sorted);
		qsort(sorted, frame->rows, sizeof *sorted, by_text);
	}
	for (size_t i = 0; i < frame->rows; i++)
		if (count == 0 || strcmp(sorted[count - 1], sorted[i]) != 0)
			sorted[count++] = sorted[i];
	for (size_t i = 0; i < frame->rows; i++)
		out[i] = (uint32_t)((const char **)bsearch(&texts[i], sorted, count, sizeof *sorted,
		                                           by_text) -
		                    sorted);
	*out_sorted = sorted;
	*out_count = count;
	return RS_OK;
}

/* Rows that have an outcome, to `source`. */
static enum rs_code choose_rows(struct rs_frame *frame, const struct rs_study *study,
                                struct rs_table_place outcome, size_t *source, struct rs_error *err)
{
	bool survival = frame->target == RS_TARGET_SURVIVAL;
	struct rs_table_place time = {0, 0};
	if (survival)
		RS_TRY(rs_join_find(&frame->join, study->time, &time, err));
	for (size_t i = 0; i < frame->join.rows; i++) {
		double at = 0;
		if (survival)
			RS_TRY(rs_join_number(&frame->join, i, time, &at, err));
		if (rs_cell_is_missing(rs_join_cell(&frame->join, i, outcome)) || isnan(at)) {
			frame->left_out++;
			continue;
		}
		frame->time[frame->rows] = at;
		source[frame->rows++] = i;
	}
	return RS_OK;
}

/* Labels are places in `levels`. */
static enum rs_code label_rows(struct rs_frame *frame, const struct rs_study *study, const char *const *texts,
                               struct rs_error *err)
{
	const struct rs_study_names *levels = &study->levels;
	frame->classes = (uint32_t)levels->count;
	frame->levels = levels->items;
	for (size_t i = 0; i < frame->rows; i++) {
		size_t at = 0;
		while (at < levels->count && strcmp(levels->items[at], texts[i]) != 0)
			at++;
		if (at == levels->count)
			return rs_error_set(err, RS_MALFORMED,
			                    "column %s: '%s' is none of the study's levels",
			                    study->class_column, texts[i]);
		frame->outcome[i] = (uint8_t)at;
	}
	return RS_OK;
}

static enum rs_code find_levels(struct rs_frame *frame, const struct rs_study *study,
                                const char *const *texts, struct rs_error *err)
{
	uint32_t *codes = NULL;
	size_t count = 0;
	RS_TRY(take(frame, frame->rows, sizeof *codes, &codes, err));
	RS_TRY(encode(frame, texts, codes, &frame->levels, &count, err));
	if (count > RS_CLASSES_MAX)
		return rs_error_set(err, RS_MALFORMED,
		                    "column %s has %zu classes, more than %d; is it a measurement?",
		                    study->class_column, count, RS_CLASSES_MAX);
	frame->classes = count > 2 ? (uint32_t)count : 2;
	for (size_t i = 0; i < frame->rows; i++)
		frame->outcome[i] = (uint8_t)codes[i];
	return RS_OK;
}

static enum rs_code read_outcomes(struct rs_frame *frame, const struct rs_study *study, size_t *source,
                                  struct rs_error *err)
{
	bool survival = frame->target == RS_TARGET_SURVIVAL;
	const struct rs_study_names *positive = survival ? &study->event_value : &study->positive;
	const char **texts = NULL;
	struct rs_table_place place;
	RS_TRY(rs_join_find(&frame->join, survival ? study->event : study->class_column, &place, err));
	RS_TRY(choose_rows(frame, study, place, source, err));
	RS_TRY(take(frame, frame->rows, sizeof *texts, &texts, err));
	for (size_t i = 0; i < frame->rows; i++) {
		texts[i] = rs_join_cell(&frame->join, source[i], place);
		frame->outcome[i] = rs_names_hold(positive, texts[i]);
	}
	if (study->levels.count > 0)
		RS_TRY(label_rows(frame, study, texts, err));
	else if (study->classes_column)
		RS_TRY(find_levels(frame, study, texts, err));
	if (frame->classes == 2)
		frame->target = RS_TARGET_BINARY;
	return RS_OK;
}

static enum rs_code read_names(struct rs_frame *frame, const struct rs_study *study, const size_t *source,
                               struct rs_error *err)
{
	const char **texts = NULL;
	struct rs_table_place place;
	for (size_t i = 0; i < frame->rows; i++)
		frame->ids[i] = rs_join_id(&frame->join, source[i]);
	RS_TRY(encode(frame, frame->ids, frame->subject, &frame->subject_ids, &frame->subject_count, err));
	if (!study->centre)
		return RS_OK;
	RS_TRY(rs_join_find(&frame->join, study->centre, &place, err));
	RS_TRY(take(frame, frame->rows, sizeof *texts, &texts, err));
	for (size_t i = 0; i < frame->rows; i++)
		texts[i] = rs_join_cell(&frame->join, source[i], place);
	return encode(frame, texts, frame->centre, &frame->centres, &frame->centre_count, err);
}

static bool lacks(const struct rs_frame *frame, size_t row, uint32_t modality)
{
	for (size_t c = 0; c < frame->column_count; c++)
		if (frame->columns[c].modality == modality && !frame->columns[c].indicator &&
		    !rs_cell_is_missing(rs_join_cell(&frame->join, row, frame->columns[c].place)))
			return false;
	return true;
}

/* Early fusion: a column that tells where a modality is missing, for those that sometimes are. */
static enum rs_code add_indicators(struct rs_frame *frame, const size_t *source, struct rs_error *err)
{
	size_t columns = frame->column_count;
	for (uint32_t m = 0; m < frame->modality_count; m++) {
		size_t size = strlen(frame->modalities[m]) + sizeof "missing_";
		char *name = NULL;
		bool any = false;
		for (size_t i = 0; i < frame->rows && !any; i++)
			any = lacks(frame, source[i], m);
		if (!any)
			continue;
		RS_TRY(take(frame, size, 1, &name, err));
		snprintf(name, size, "missing_%s", frame->modalities[m]);
		for (size_t c = 0; c < columns; c++)
			if (strcmp(frame->columns[c].name, name) == 0)
				return rs_error_set(err, RS_MALFORMED,
				                    "early fusion makes a column %s; rename the table's",
				                    name);
		frame->columns[frame->column_count++] = (struct rs_column){
			.name = name, .feature = true, .modality = m, .indicator = true};
	}
	return RS_OK;
}

static void fill_indicator(struct rs_frame *frame, const size_t *source, size_t c)
{
	for (size_t i = 0; i < frame->rows; i++) {
		frame->words[c * frame->rows + i] = "";
		frame->numbers[c * frame->rows + i] = lacks(frame, source[i], frame->columns[c].modality);
	}
}

static enum rs_code read_cells(struct rs_frame *frame, const size_t *source, struct rs_error *err)
{
	size_t rows = frame->rows;
	for (size_t c = 0; c < frame->column_count; c++) {
		const struct rs_column *column = &frame->columns[c];
		if (column->indicator)
			fill_indicator(frame, source, c);
		for (size_t i = 0; i < rows && !column->indicator; i++) {
			const char *cell = rs_join_cell(&frame->join, source[i], column->place);
			double *number = &frame->numbers[c * rows + i];
			frame->words[c * rows + i] = rs_cell_is_missing(cell) ? "" : cell;
			*number = NAN;
			if (!column->categorical &&
			    rs_join_number(&frame->join, source[i], column->place, number, err) != RS_OK)
				return rs_error_context(err,
				                        "a number is expected unless the study lists the "
				                        "column under 'categorical'");
		}
	}
	return RS_OK;
}

static void digest_rows(struct rs_frame *frame)
{
	for (size_t i = 0; i < frame->rows; i++) {
		struct rs_sha256 hash;
		uint8_t number[8];
		rs_sha256_init(&hash);
		rs_sha256_update(&hash, frame->ids[i], strlen(frame->ids[i]) + 1);
		for (size_t c = 0; c < frame->column_count; c++) {
			const char *word = frame->words[c * frame->rows + i];
			rs_sha256_update(&hash, frame->columns[c].name, strlen(frame->columns[c].name) + 1);
			rs_sha256_update(&hash, word, strlen(word) + 1);
		}
		uint64_t bits;
		memcpy(&bits, &frame->time[i], sizeof bits);
		rs_write_le64(number, bits);
		rs_sha256_update(&hash, &frame->outcome[i], 1);
		rs_sha256_update(&hash, number, sizeof number);
		rs_sha256_final(&hash, &frame->digests[i]);
	}
}

static enum rs_code fill(struct rs_frame *frame, const struct rs_study *study, struct rs_error *err)
{
	size_t *source = NULL, most = frame->join.rows, cells;
	RS_TRY(find_columns(frame, study, err));
	RS_TRY(take(frame, most, sizeof *source, &source, err));
	RS_TRY(take(frame, most, sizeof *frame->outcome, &frame->outcome, err));
	RS_TRY(take(frame, most, sizeof *frame->time, &frame->time, err));
	RS_TRY(take(frame, most, sizeof *frame->ids, &frame->ids, err));
	RS_TRY(take(frame, most, sizeof *frame->subject, &frame->subject, err));
	RS_TRY(take(frame, most, sizeof *frame->centre, &frame->centre, err));
	RS_TRY(take(frame, most, sizeof *frame->digests, &frame->digests, err));
	RS_TRY(read_outcomes(frame, study, source, err));
	if (strcmp(study->fusion, "early") == 0)
		RS_TRY(add_indicators(frame, source, err));
	if (!rs_mul_size(most, frame->column_count, &cells))
		return rs_error_memory(err, SIZE_MAX, "subjects");
	RS_TRY(take(frame, cells, sizeof *frame->numbers, &frame->numbers, err));
	RS_TRY(take(frame, cells, sizeof *frame->words, &frame->words, err));
	RS_TRY(read_names(frame, study, source, err));
	RS_TRY(read_cells(frame, source, err));
	digest_rows(frame);
	return RS_OK;
}

enum rs_code rs_frame_read(const struct rs_world *world, const char *directory, const struct rs_study *study,
                           struct rs_frame *out, struct rs_error *err)
{
	struct rs_frame frame = {.target = study->target, .classes = study->time ? 0 : 2};
	rs_arena_init(&frame.arena, FRAME_SIZE_MAX);
	enum rs_code code = rs_join_read(world, directory, study->tables.items, study->tables.count,
	                                 study->id, &frame.join, err);
	if (code == RS_OK)
		code = fill(&frame, study, err);
	if (code == RS_OK && study->repeated)
		code = rs_repeats_read(world, directory, study, frame.subject_ids, frame.subject_count,
		                       frame.columns, frame.column_count, &frame.repeats, err);
	if (code != RS_OK)
		rs_frame_finish(&frame);
	else
		*out = frame;
	return code;
}
