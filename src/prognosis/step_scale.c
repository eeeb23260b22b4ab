/* Inputs brought to one scale: mean 0 and deviation 1 among the training rows. */
#include "packed.h"
#include "step.h"

struct state {
	size_t width;
	double *mean, *deviation; /* deviation 0: always 0 */
};

static void finish(void *state)
{
	struct state *s = state;
	if (s) {
		rs_free(s->mean);
		rs_free(s->deviation);
	}
	rs_free(s);
}

static enum rs_code fit(struct fitting *f, const void *options, void **out_state, struct rs_error *err)
{
	(void)options;
	size_t rows = f->training->rows;
	struct state *s = rs_allocate(sizeof *s);
	if (!s)
		return rs_error_memory(err, sizeof *s, "a scale");
	s->width = f->count;
	s->mean = rs_allocate_array(f->count, sizeof *s->mean);
	s->deviation = rs_allocate_array(f->count, sizeof *s->deviation);
	if (!s->mean || !s->deviation) {
		finish(s);
		return rs_error_memory(err, f->count * sizeof *s->mean, "a scale");
	}
	for (size_t c = 0; c < f->count; c++)
		standardise(f->x + c * rows, rows, f->x + c * rows, &s->mean[c], &s->deviation[c]);
	*out_state = s;
	return RS_OK;
}

static void apply(const void *state, const struct row *row, double *values)
{
	const struct state *s = state;
	(void)row;
	for (size_t c = 0; c < s->width; c++)
		values[c] = s->deviation[c] > 0 ? (values[c] - s->mean[c]) / s->deviation[c] : 0;
}

static void write(const void *state, struct rs_buffer *out)
{
	const struct state *s = state;
	rs_cbor_write_array(out, 2);
	packed_write_f64s(out, s->mean, s->width);
	packed_write_f64s(out, s->deviation, s->width);
}

static enum rs_code read_state(struct rs_cbor_reader *reader, struct state *s, struct rs_error *err)
{
	RS_TRY(packed_read_parts(reader, "scale", 2, err));
	RS_TRY(packed_read_f64s_of(reader, "means", s->width, &s->mean, err));
	RS_TRY(packed_read_f64s_of(reader, "deviations", s->width, &s->deviation, err));
	for (size_t c = 0; c < s->width; c++)
		if (s->deviation[c] < 0)
			return packed_wrong("deviation", err);
	return RS_OK;
}

static enum rs_code read(struct rs_cbor_reader *reader, size_t width, void **out_state, struct rs_error *err)
{
	struct state *s = rs_allocate(sizeof *s);
	if (!s)
		return rs_error_memory(err, sizeof *s, "a model");
	s->width = width;
	enum rs_code code = read_state(reader, s, err);
	if (code != RS_OK)
		finish(s);
	else
		*out_state = s;
	return code;
}

static const char *const methods[] = {"zscore", NULL};
static const struct setting settings[] = {
	{"method", SETTING_WORD, 0, 0, 0, 0, methods},
	{NULL, SETTING_COUNT, 0, 0, 0, 0, NULL},
};
const struct step step_scale = {.name = "scale",
                                .scales = true,
                                .settings = settings,
                                .options_size = sizeof(uint32_t),
                                .fit = fit,
                                .apply = apply,
                                .finish = finish,
                                .write = write,
                                .read = read};
