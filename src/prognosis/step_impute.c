/* Gaps in numbers, filled with the median of the training rows. */
#include <math.h>
#include <string.h>

#include "numeric/numeric.h"
#include "packed.h"
#include "step.h"

struct state {
	size_t width;
	double *median;
};

static void finish(void *state)
{
	struct state *s = state;
	if (s)
		rs_free(s->median);
	rs_free(s);
}

static struct state *create(size_t width)
{
	struct state *s = rs_allocate(sizeof *s);
	if (s && !(s->median = rs_allocate_array(width, sizeof *s->median))) {
		rs_free(s);
		s = NULL;
	}
	if (s)
		s->width = width;
	return s;
}

/* 0 when there is no value. */
static double median_of(const double *values, size_t rows, double *work)
{
	size_t count = 0;
	for (size_t i = 0; i < rows; i++)
		if (!isnan(values[i]))
			work[count++] = values[i];
	if (count == 0)
		return 0;
	rs_select(work, 0, count, count / 2);
	double upper = work[count / 2];
	if (count % 2)
		return upper;
	rs_select(work, 0, count / 2, count / 2 - 1);
	return work[count / 2 - 1] / 2 + upper / 2;
}

static enum rs_code fit(struct fitting *f, const void *options, void **out_state, struct rs_error *err)
{
	(void)options;
	size_t rows = f->training->rows;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *work);
	struct state *s = work ? create(f->count) : NULL;
	if (!s)
		return rs_error_memory(err, f->count * sizeof *work, "medians");
	for (size_t c = 0; c < f->count; c++) {
		double *x = f->x + c * rows;
		s->median[c] = median_of(x, rows, work);
		for (size_t i = 0; i < rows; i++)
			if (isnan(x[i]))
				x[i] = s->median[c];
	}
	*out_state = s;
	return RS_OK;
}

static void apply(const void *state, const struct row *row, double *values)
{
	const struct state *s = state;
	(void)row;
	for (size_t c = 0; c < s->width; c++)
		if (isnan(values[c]))
			values[c] = s->median[c];
}

static void write(const void *state, struct rs_buffer *out)
{
	const struct state *s = state;
	packed_write_f64s(out, s->median, s->width);
}

static enum rs_code read(struct rs_cbor_reader *reader, size_t width, void **out_state, struct rs_error *err)
{
	struct state *s = rs_allocate(sizeof *s);
	if (!s)
		return rs_error_memory(err, sizeof *s, "a model");
	s->width = width;
	enum rs_code code = packed_read_f64s_of(reader, "medians", width, &s->median, err);
	if (code != RS_OK)
		finish(s);
	else
		*out_state = s;
	return code;
}

static const char *const methods[] = {"median", NULL};
static const struct setting settings[] = {
	{"method", SETTING_WORD, 0, 0, 0, 0, methods},
	{NULL, SETTING_COUNT, 0, 0, 0, 0, NULL},
};
const struct step step_impute = {.name = "impute",
                                 .fills_gaps = true,
                                 .takes_gaps = true,
                                 .settings = settings,
                                 .options_size = sizeof(uint32_t),
                                 .fit = fit,
                                 .apply = apply,
                                 .finish = finish,
                                 .write = write,
                                 .read = read};
