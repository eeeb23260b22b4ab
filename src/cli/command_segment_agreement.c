/* radseal segment agreement: which features several readers' masks agree on, from the table that extract made of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assess/assess.h"
#include "command_segment.h"
#include "option_lists.h"

#define TABLE_MAX ((size_t)256 << 20)

struct cell_row {
	const char *subject, *reader;
	size_t row;
};
struct agreeing {
	struct rs_buffer file, out;
	struct rs_csv csv;
	struct cell_row *rows;
	double *ratings;
	size_t subjects, readers;
};

static void agreeing_finish(struct agreeing *a)
{
	rs_buffer_finish(&a->file);
	rs_buffer_finish(&a->out);
	rs_csv_finish(&a->csv);
	rs_free(a->rows);
	rs_free(a->ratings);
}

static int by_subject(const void *a, const void *b)
{
	const struct cell_row *x = a, *y = b;
	const int order = strcmp(x->subject, y->subject);
	return order ? order : strcmp(x->reader, y->reader);
}

static enum rs_code find_column(const struct rs_csv *csv, const char *name, size_t *out, struct rs_error *err)
{
	*out = rs_csv_column(csv, name);
	return *out != RS_CSV_NO_COLUMN
	               ? RS_OK
	               : rs_error_set(err, RS_NOT_FOUND,
	                              "the table has no column '%s'; name it with --subject or "
	                              "--reader",
	                              name);
}

/* Every subject has the readers of the first one, each once. */
static enum rs_code arrange(struct agreeing *a, size_t subject, size_t reader, struct rs_error *err)
{
	const size_t count = a->csv.rows;
	a->rows = rs_allocate_array(count ? count : 1, sizeof *a->rows);
	a->ratings = rs_allocate_array(count ? count : 1, sizeof *a->ratings);
	if (!a->rows || !a->ratings)
		return rs_error_memory(err, count * sizeof *a->rows, "rows");
	for (size_t i = 0; i < count; i++)
		a->rows[i] = (struct cell_row){rs_csv_cell(&a->csv, i, subject),
		                               rs_csv_cell(&a->csv, i, reader), i};
	qsort(a->rows, count, sizeof *a->rows, by_subject);
	while (a->readers < count && strcmp(a->rows[a->readers].subject, a->rows[0].subject) == 0)
		a->readers++;
	if (a->readers < 2 || count / a->readers < 2)
		return rs_error_set(err, RS_MALFORMED,
		                    "agreement takes two subjects or more, with two readers or more");
	for (size_t i = 0; i < count; i++) {
		const size_t first = i / a->readers * a->readers;
		if (count % a->readers != 0 || strcmp(a->rows[i].subject, a->rows[first].subject) != 0 ||
		    strcmp(a->rows[i].reader, a->rows[i - first].reader) != 0 ||
		    (i > first && strcmp(a->rows[i].reader, a->rows[i - 1].reader) == 0))
			return rs_error_set(err, RS_MALFORMED,
			                    "subject %s lacks a reader that others have, or has %s twice",
			                    a->rows[i].subject, a->rows[i].reader);
	}
	a->subjects = count / a->readers;
	return RS_OK;
}

/* Subjects of whom all readers have a number; false when there is none, or something else stands in a cell. */
static bool read_ratings(struct agreeing *a, size_t column, size_t *out_subjects)
{
	size_t kept = 0;
	for (size_t s = 0; s < a->subjects; s++) {
		bool whole = true;
		for (size_t r = 0; r < a->readers; r++) {
			const char *cell = rs_csv_cell(&a->csv, a->rows[s * a->readers + r].row, column);
			double *to = &a->ratings[kept * a->readers + r];
			*to = NAN;
			if (*cell && !rs_parse_f64(rs_str_from(cell), to))
				return false;
			whole = whole && isfinite(*to);
		}
		kept += whole;
	}
	*out_subjects = kept;
	return kept >= 2;
}

static void append_number(struct rs_buffer *out, double value)
{
	rs_buffer_append_text(out, ",");
	if (!isnan(value))
		rs_buffer_append_f64_text(out, value);
}

static enum rs_code append_feature(struct agreeing *a, size_t column, double level, struct rs_error *err)
{
	struct rs_icc icc[RS_ICC_KINDS];
	size_t subjects;
	if (!read_ratings(a, column, &subjects))
		return RS_OK;
	RS_TRY(rs_icc_of(a->ratings, subjects, a->readers, level, icc, err));
	rs_csv_append(&a->out, rs_csv_name(&a->csv, column));
	rs_buffer_printf(&a->out, ",%zu,%zu", subjects, a->readers);
	for (int kind = RS_ICC_2; kind <= RS_ICC_3; kind++) {
		append_number(&a->out, icc[kind].icc.value);
		append_number(&a->out, icc[kind].icc.lower);
		append_number(&a->out, icc[kind].icc.upper);
	}
	rs_buffer_append_text(&a->out, "\n");
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct agreeing a RS_CLEANUP(agreeing_finish) = {.subjects = 0};
	const char *path = segment_operand(line, 0);
	const char *names[2] = {option_value(line, "subject"), option_value(line, "reader")};
	size_t subject, reader;
	double level;
	RS_TRY(option_level(line, &level, err));
	RS_TRY(rs_file_read_all(rs_world_system(), path, TABLE_MAX, &a.file, err));
	enum rs_code code = rs_csv_parse(rs_buffer_bytes(&a.file), &a.csv, err);
	if (code == RS_OK)
		code = find_column(&a.csv, names[0] ? names[0] : "patient", &subject, err);
	if (code == RS_OK)
		code = find_column(&a.csv, names[1] ? names[1] : "Measurement", &reader, err);
	if (code == RS_OK)
		code = arrange(&a, subject, reader, err);
	if (code != RS_OK)
		return rs_error_context(err, "%s", path);
	rs_buffer_init(&a.out, TABLE_MAX);
	rs_buffer_append_text(&a.out, "feature,subjects,readers,agreement,agreement_lower,agreement_upper,"
	                              "consistency,consistency_lower,consistency_upper\n");
	for (size_t c = 0; c < a.csv.columns; c++)
		if (c != subject && c != reader &&
		    !rs_str_starts_with(rs_str_from(rs_csv_name(&a.csv, c)), "diagnostics_"))
			RS_TRY(append_feature(&a, c, level, err));
	RS_TRY(rs_buffer_check(&a.out, "a table", err));
	return session_write(option_value(line, "output"), rs_buffer_bytes(&a.out), err);
}

const struct segment_verb segment_agreement = {
	.name = "agreement",
	.arguments = "the table that extract made of several readers' masks",
	.takes = {"subject", "reader", "level", "output"},
	.least = 1,
	.most = 1,
	.run = run,
};
