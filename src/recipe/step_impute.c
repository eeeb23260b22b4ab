/* Gaps in numbers, filled with the median or mean of the training rows, or with the mean of the nearest of these. The
 * last keeps the training rows' cells in the model file. */
#include <math.h>
#include <string.h>

#include "learn/learn_scale.h"
#include "recipe/recipe_packed.h"
#include "recipe/recipe_step.h"

#define ROWS_MAX 4096 /* of which the nearest are looked for: their distances lie on the stack */

enum method { BY_MEDIAN, BY_MEAN, BY_NEAREST };
struct options {
	uint32_t method;
	uint64_t count; /* nearest rows */
};
struct state {
	size_t width;
	double *fill;              /* by input; NULL of nearest */
	struct rs_neighbours near; /* no rows: not by nearest */
};

static void finish(void *state)
{
	struct state *s = state;
	rs_free(s->fill);
	rs_neighbours_finish(&s->near);
}

/* Median or mean; 0 when there is no value. */
static double fill_of(enum method method, const double *values, size_t rows, double *work)
{
	struct rs_scale scale;
	rs_scale_fit(method == BY_MEAN ? RS_SCALE_DEVIATION : RS_SCALE_QUARTILES, values, rows, work, &scale);
	return scale.shift;
}

static void apply(const void *state, const struct rs_step_row *row, double *values)
{
	const struct state *s = state;
	struct rs_near work[ROWS_MAX];
	(void)row;
	if (s->near.rows > 0)
		rs_neighbours_fill(&s->near, values, work);
	else
		for (size_t c = 0; c < s->width; c++)
			if (isnan(values[c]))
				values[c] = s->fill[c];
}

static enum rs_code fit_one_value(const struct rs_fitting *f, enum method method, struct state *s,
                                  struct rs_error *err)
{
	size_t rows = f->training->rows;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *work);
	s->fill = rs_allocate_array(f->count, sizeof *s->fill);
	if (!work || !s->fill)
		return rs_error_memory(err, f->count * sizeof *work, "filled gaps");
	for (size_t c = 0; c < f->count; c++) {
		double *x = f->x + c * rows;
		s->fill[c] = fill_of(method, x, rows, work);
		for (size_t i = 0; i < rows; i++)
			if (isnan(x[i]))
				x[i] = s->fill[c];
	}
	return RS_OK;
}

static enum rs_code fit_nearest(const struct rs_fitting *f, uint64_t count, struct state *s,
                                struct rs_error *err)
{
	size_t rows = f->training->rows;
	if (rows > ROWS_MAX)
		return rs_error_set(err, RS_TOO_LARGE,
		                    "the nearest of %zu training rows: at most %d; use impute: median", rows,
		                    ROWS_MAX);
	double *row RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->count, sizeof *row);
	if (!row)
		return rs_error_memory(err, f->count * sizeof *row, "filled gaps");
	const struct rs_matrix x = {rows, f->count, f->x};
	RS_TRY(rs_neighbours_fit(&x, (uint32_t)count, &s->near, err));
	for (size_t i = 0; i < rows; i++) {
		for (size_t c = 0; c < f->count; c++)
			row[c] = f->x[c * rows + i];
		apply(s, NULL, row);
		for (size_t c = 0; c < f->count; c++)
			f->x[c * rows + i] = row[c];
	}
	return RS_OK;
}

static enum rs_code fit(struct rs_fitting *f, const void *options, void *state, struct rs_error *err)
{
	const struct options *o = options;
	struct state *s = state;
	s->width = f->count;
	return o->method == BY_NEAREST ? fit_nearest(f, o->count, s, err)
	                               : fit_one_value(f, (enum method)o->method, s, err);
}

/* ---- in model files: how many nearest (0: one value), their rows' cells, weights, values to fill ---- */

static void write(const void *state, struct rs_buffer *out)
{
	const struct state *s = state;
	size_t cells = s->near.rows * s->near.columns;
	struct rs_buffer part RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&part, out->maximum);
	for (size_t k = 0; k < cells; k++)
		rs_packed_append_f64(&part, isnan(s->near.cells[k]) ? NAN : s->near.cells[k]);
	rs_cbor_write_array(out, 4);
	rs_cbor_write_u64(out, s->near.count);
	rs_packed_write_part(out, &part);
	rs_packed_write_f64s(out, s->near.weight, s->near.columns);
	rs_packed_write_f64s(out, s->fill ? s->fill : s->near.mean, s->width);
}

/* Finite, or the one NaN that stands for a gap. */
static enum rs_code read_cells(struct rs_bytes bytes, struct rs_neighbours *near, struct rs_error *err)
{
	double gap = NAN;
	for (size_t k = 0; k < near->rows * near->columns; k++) {
		near->cells[k] = rs_packed_f64_at(bytes.data + k * 8);
		if (!isfinite(near->cells[k]) && memcmp(&near->cells[k], &gap, sizeof gap) != 0)
			return rs_packed_wrong("nearest rows", err);
	}
	return RS_OK;
}

static enum rs_code read_nearest(struct rs_cbor_reader *reader, uint32_t count, struct state *s,
                                 struct rs_error *err)
{
	double *weight RS_CLEANUP(rs_free_pointer) = NULL, *mean RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_bytes bytes;
	size_t cells;
	RS_TRY(rs_packed_read_records(reader, "nearest rows", 8, &bytes, &cells, err));
	RS_TRY(rs_packed_read_f64s_of(reader, "weights", s->width, &weight, err));
	RS_TRY(rs_packed_read_f64s_of(reader, "means", s->width, &mean, err));
	if (s->width == 0 || cells == 0 || cells % s->width != 0 || cells / s->width > ROWS_MAX)
		return rs_packed_wrong("nearest rows", err);
	RS_TRY(rs_neighbours_create(count, cells / s->width, s->width, &s->near, err));
	memcpy(s->near.weight, weight, s->width * sizeof *weight);
	memcpy(s->near.mean, mean, s->width * sizeof *mean);
	return read_cells(bytes, &s->near, err);
}

static enum rs_code read(struct rs_cbor_reader *reader, size_t width, void *state, struct rs_error *err)
{
	struct state *s = state;
	uint64_t count;
	struct rs_bytes bytes;
	size_t none;
	s->width = width;
	RS_TRY(rs_packed_read_parts(reader, "filled gaps", 4, err));
	RS_TRY(rs_packed_read_count(reader, "nearest rows", ROWS_MAX, &count, err));
	if (count > 0)
		return read_nearest(reader, (uint32_t)count, s, err);
	for (int k = 0; k < 2; k++) {
		RS_TRY(rs_packed_read_records(reader, "filled gaps", 8, &bytes, &none, err));
		if (none > 0)
			return rs_packed_wrong("filled gaps", err);
	}
	return rs_packed_read_f64s_of(reader, "filled gaps", s->width, &s->fill, err);
}

static const char *const methods[] = {"median", "mean", "nearest", NULL};
static const struct rs_setting settings[] = {
	{"method", RS_SETTING_WORD, offsetof(struct options, method), 0, 0, BY_MEDIAN, methods},
	{"count", RS_SETTING_COUNT, offsetof(struct options, count), 1, ROWS_MAX, 5, NULL},
	{.name = NULL},
};
const struct rs_step rs_step_impute = {.name = "impute",
                                       .fills_gaps = true,
                                       .takes_gaps = true,
                                       .settings = settings,
                                       .options_size = sizeof(struct options),
                                       .state_size = sizeof(struct state),
                                       .fit = fit,
                                       .apply = apply,
                                       .finish = finish,
                                       .write = write,
                                       .read = read};
