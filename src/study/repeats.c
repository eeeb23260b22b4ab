#include "study/study_repeats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "study/study_frame.h"

#define REPEATS_SIZE_MAX ((size_t)4 << 30)

void rs_repeats_finish(struct rs_repeats *repeats)
{
	rs_arena_finish(&repeats->arena);
	rs_join_finish(&repeats->join);
}

static enum rs_code take(struct rs_repeats *r, size_t count, size_t size, void *out, struct rs_error *err)
{
	void *block = rs_arena_allocate_array(&r->arena, count ? count : 1, size);
	if (!block)
		return rs_error_memory(err, count * size, "repeated measurements");
	memcpy(out, &block, sizeof block);
	return RS_OK;
}

/* Rows by subject, then by what tells the measurements, then as they stand. */
struct placed {
	const char *id, *measurement;
	size_t row;
};
static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int order = strcmp(x->id, y->id);
	if (order == 0)
		order = strcmp(x->measurement, y->measurement);
	return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

static enum rs_code place_rows(struct rs_repeats *r, const struct rs_study *study, struct placed **out,
                               struct rs_error *err)
{
	const struct rs_csv *csv = &r->join.tables[0].csv;
	struct placed *rows = NULL;
	struct rs_table_place at = {0, 0};
	RS_TRY(take(r, csv->rows, sizeof *rows, &rows, err));
	if (study->measurement)
		RS_TRY(rs_join_find(&r->join, study->measurement, &at, err));
	for (size_t i = 0; i < csv->rows; i++)
		rows[i] = (struct placed){rs_join_id(&r->join, i),
		                          study->measurement ? rs_csv_cell(csv, i, at.column) : "", i};
	if (csv->rows > 0)
		qsort(rows, csv->rows, sizeof *rows, by_place);
	*out = rows;
	return RS_OK;
}

/* Each subject has the first one's measurements, by number and by name. */
static enum rs_code check_rows(struct rs_repeats *r, const struct rs_study *study, const struct placed *rows,
                               struct rs_error *err)
{
	size_t count = r->join.tables[0].csv.rows, begin = 0;
	for (size_t i = 0; i < count; i++) {
		bool last = i + 1 == count || strcmp(rows[i + 1].id, rows[i].id) != 0;
		size_t number = i - begin;
		if (study->measurement && begin > 0 && number < r->measurements &&
		    strcmp(rows[i].measurement, rows[number].measurement) != 0)
			return rs_error_set(err, RS_MALFORMED,
			                    "%s: subject %s lacks measurement %s or has it twice",
			                    study->repeated, rows[i].id, rows[number].measurement);
		if (!last)
			continue;
		if (begin == 0)
			r->measurements = number + 1;
		if (number + 1 != r->measurements || r->measurements < 2)
			return rs_error_set(
				err, RS_MALFORMED,
				"%s: subject %s has %zu rows, subject %s has %zu; all are measured equally "
				"often, at least twice",
				study->repeated, rows[i].id, number + 1, rows[0].id, r->measurements);
		begin = i + 1;
	}
	r->subjects = r->measurements ? count / r->measurements : 0;
	return r->subjects > 1
	               ? RS_OK
	               : rs_error_set(err, RS_MALFORMED, "%s: fewer than two subjects", study->repeated);
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static void name_subjects(struct rs_repeats *r, const struct placed *rows, const char *const *ids,
                          size_t id_count)
{
	for (size_t s = 0; s < r->subjects; s++) {
		struct rs_sha256 hash;
		const char *const *found = bsearch(&rows[s * r->measurements].id, ids, id_count, sizeof *ids,
		                                   by_text);
		r->subject[s] = found ? (uint32_t)(found - ids) : RS_REPEATS_STRANGER;
		rs_sha256_init(&hash);
		for (size_t m = 0; m < r->measurements; m++)
			for (size_t c = 0; c < r->join.tables[0].csv.columns; c++) {
				const char *cell = rs_csv_cell(&r->join.tables[0].csv,
				                               rows[s * r->measurements + m].row, c);
				rs_sha256_update(&hash, cell, strlen(cell) + 1);
			}
		rs_sha256_final(&hash, &r->digests[s]);
	}
}

static enum rs_code read_cells(struct rs_repeats *r, const struct placed *rows,
                               const struct rs_column *columns, size_t column_count, struct rs_error *err)
{
	size_t count = r->subjects * r->measurements;
	bool any = false;
	for (size_t c = 0; c < column_count; c++) {
		struct rs_table_place at = {0, rs_csv_column(&r->join.tables[0].csv, columns[c].name)};
		r->measured[c] = columns[c].feature && !columns[c].categorical &&
		                 at.column != RS_CSV_NO_COLUMN;
		any |= r->measured[c];
		for (size_t k = 0; r->measured[c] && k < count; k++)
			RS_TRY(rs_join_number(&r->join, rows[k].row, at, &r->numbers[c * count + k], err));
	}
	return any ? RS_OK
	           : rs_error_set(err, RS_MALFORMED, "%s has none of the study's features",
	                          r->join.tables[0].path);
}

static enum rs_code fill(struct rs_repeats *r, const struct rs_study *study, const char *const *ids,
                         size_t id_count, const struct rs_column *columns, size_t column_count,
                         struct rs_error *err)
{
	struct placed *rows = NULL;
	size_t cells;
	RS_TRY(place_rows(r, study, &rows, err));
	RS_TRY(check_rows(r, study, rows, err));
	if (!rs_mul_size(r->subjects * r->measurements, column_count, &cells))
		return rs_error_memory(err, SIZE_MAX, "repeated measurements");
	RS_TRY(take(r, r->subjects, sizeof *r->subject, &r->subject, err));
	RS_TRY(take(r, r->subjects, sizeof *r->digests, &r->digests, err));
	RS_TRY(take(r, column_count, sizeof *r->measured, &r->measured, err));
	RS_TRY(take(r, cells, sizeof *r->numbers, &r->numbers, err));
	name_subjects(r, rows, ids, id_count);
	return read_cells(r, rows, columns, column_count, err);
}

enum rs_code rs_repeats_read(const struct rs_world *world, const char *directory,
                             const struct rs_study *study, const char *const *ids, size_t id_count,
                             const struct rs_column *columns, size_t column_count, struct rs_repeats *out,
                             struct rs_error *err)
{
	struct rs_repeats repeats = {0};
	rs_arena_init(&repeats.arena, REPEATS_SIZE_MAX);
	enum rs_code code = rs_join_read(world, directory, &study->repeated, 1, study->id, &repeats.join,
	                                 err);
	if (code == RS_OK)
		code = fill(&repeats, study, ids, id_count, columns, column_count, err);
	if (code != RS_OK)
		rs_repeats_finish(&repeats);
	else
		*out = repeats;
	return code;
}
