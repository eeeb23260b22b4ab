/* Inputs brought to one scale, that of the training rows. Gaps stay gaps. */
#include "learn/learn_scale.h"
#include "recipe/recipe_packed.h"
#include "recipe/recipe_step.h"

#define NUMBERS 5 /* of a scale */

struct state {
	size_t width;
	uint32_t method;
	struct rs_scale *scales;
};

static void finish(void *state)
{
	struct state *s = state;
	rs_free(s->scales);
}

static enum rs_code make_room(size_t width, struct state *s, struct rs_error *err)
{
	s->width = width;
	s->scales = rs_allocate_array(width, sizeof *s->scales);
	return s->scales ? RS_OK : rs_error_memory(err, width * sizeof *s->scales, "a scale");
}

static void apply(const void *state, const struct rs_step_row *row, double *values)
{
	const struct state *s = state;
	(void)row;
	for (size_t c = 0; c < s->width; c++)
		values[c] = rs_scale_apply((enum rs_scaling)s->method, &s->scales[c], values[c]);
}

static enum rs_code fit(struct rs_fitting *f, const void *options, void *state, struct rs_error *err)
{
	size_t rows = f->training->rows;
	struct state *s = state;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *work);
	if (!work)
		return rs_error_memory(err, rows * sizeof *work, "a scale");
	RS_TRY(make_room(f->count, s, err));
	s->method = options ? *(const uint32_t *)options : RS_SCALE_DEVIATION;
	for (size_t c = 0; c < f->count; c++) {
		double *x = f->x + c * rows;
		rs_scale_fit((enum rs_scaling)s->method, x, rows, work, &s->scales[c]);
		for (size_t i = 0; i < rows; i++)
			x[i] = rs_scale_apply((enum rs_scaling)s->method, &s->scales[c], x[i]);
	}
	return RS_OK;
}

static void write(const void *state, struct rs_buffer *out)
{
	const struct state *s = state;
	struct rs_buffer part RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&part, out->maximum);
	for (size_t c = 0; c < s->width; c++) {
		const struct rs_scale *scale = &s->scales[c];
		const double numbers[NUMBERS] = {scale->shift, scale->by, scale->power, scale->power_shift,
		                                 scale->power_by};
		for (size_t k = 0; k < NUMBERS; k++)
			rs_packed_append_f64(&part, numbers[k]);
	}
	rs_cbor_write_array(out, 2);
	rs_cbor_write_u64(out, s->method);
	rs_packed_write_part(out, &part);
}

static enum rs_code read(struct rs_cbor_reader *reader, size_t width, void *state, struct rs_error *err)
{
	struct state *s = state;
	double *numbers RS_CLEANUP(rs_free_pointer) = NULL;
	uint64_t method;
	RS_TRY(rs_packed_read_parts(reader, "scale", 2, err));
	RS_TRY(rs_packed_read_count(reader, "scale", RS_SCALE_POWER, &method, err));
	RS_TRY(make_room(width, s, err));
	RS_TRY(rs_packed_read_f64s_of(reader, "scales", width * NUMBERS, &numbers, err));
	s->method = (uint32_t)method;
	for (size_t c = 0; c < s->width; c++) {
		const double *of = numbers + c * NUMBERS;
		if (of[1] < 0 || of[4] < 0)
			return rs_packed_wrong("deviation", err);
		s->scales[c] = (struct rs_scale){of[0], of[1], of[2], of[3], of[4]};
	}
	return RS_OK;
}

/* In the order of enum rs_scaling. */
static const char *const methods[] = {"zscore", "robust", "range", "power", NULL};
static const struct rs_setting settings[] = {
	{"method", RS_SETTING_WORD, 0, 0, 0, RS_SCALE_DEVIATION, methods},
	{.name = NULL},
};
const struct rs_step rs_step_scale = {.name = "scale",
                                      .takes_gaps = true,
                                      .scales = true,
                                      .settings = settings,
                                      .options_size = sizeof(uint32_t),
                                      .state_size = sizeof(struct state),
                                      .fit = fit,
                                      .apply = apply,
                                      .finish = finish,
                                      .write = write,
                                      .read = read};
