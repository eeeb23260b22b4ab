#include "linear.h"

#include <math.h>

#include "packed.h"

void linear_finish(void *state)
{
	struct linear *s = state;
	if (s)
		rs_free(s->coefficients);
	rs_free(s);
}

static size_t size_of(const struct shape *shape) { return shape_width(shape) * (shape->columns + 1); }

enum rs_code linear_create(const struct shape *shape, struct linear **out, struct rs_error *err)
{
	struct linear *s = rs_allocate(sizeof *s);
	double *coefficients = rs_allocate_array(size_of(shape), sizeof *coefficients);
	if (!s || !coefficients) {
		rs_free(s);
		rs_free(coefficients);
		return rs_error_memory(err, size_of(shape) * sizeof *coefficients, "a linear model");
	}
	*s = (struct linear){*shape, coefficients};
	*out = s;
	return RS_OK;
}

static double sum_of(const struct linear *s, size_t output, const struct rs_matrix *x, size_t row)
{
	const double *b = s->coefficients + output * (s->shape.columns + 1);
	double sum = b[s->shape.columns];
	for (size_t c = 0; c < s->shape.columns; c++)
		sum += b[c] * x->values[c * x->rows + row];
	return sum;
}

static void soften(double *logits, size_t count)
{
	double most = logits[0], sum = 0;
	for (size_t k = 1; k < count; k++)
		most = fmax(most, logits[k]);
	for (size_t k = 0; k < count; k++)
		sum += logits[k] = exp(logits[k] - most);
	for (size_t k = 0; k < count; k++)
		logits[k] /= sum;
}

enum rs_code linear_score(const void *state, const struct rs_matrix *x, double *out, struct rs_error *err)
{
	const struct linear *s = state;
	size_t width = shape_width(&s->shape);
	(void)err;
	for (size_t i = 0; i < x->rows; i++) {
		double *row = out + i * width;
		for (size_t k = 0; k < width; k++)
			row[k] = sum_of(s, k, x, i);
		if (s->shape.target == TARGET_BINARY)
			*row = 1 / (1 + exp(-*row));
		else if (s->shape.target != TARGET_SURVIVAL)
			soften(row, width);
	}
	return RS_OK;
}

bool linear_importance(const void *state, double *out)
{
	const struct linear *s = state;
	for (size_t c = 0; c < s->shape.columns; c++) {
		out[c] = 0;
		for (size_t k = 0; k < shape_width(&s->shape); k++)
			out[c] = fmax(out[c], fabs(s->coefficients[k * (s->shape.columns + 1) + c]));
	}
	return true;
}

enum rs_code linear_explain(const void *state, const struct rs_matrix *x, uint32_t of, double *out,
                            struct rs_error *err)
{
	const struct linear *s = state;
	size_t columns = s->shape.columns, output = shape_width(&s->shape) > 1 ? of : 0;
	const double *b = s->coefficients + output * (columns + 1);
	(void)err;
	for (size_t i = 0; i < x->rows; i++)
		for (size_t c = 0; c <= columns; c++)
			out[i * (columns + 1) + c] = c < columns ? b[c] * x->values[c * x->rows + i] : b[c];
	return RS_OK;
}

void linear_write(const void *state, struct rs_buffer *out)
{
	const struct linear *s = state;
	packed_write_f64s(out, s->coefficients, size_of(&s->shape));
}

enum rs_code linear_read(struct rs_cbor_reader *reader, const struct shape *shape, void **out_state,
                         struct rs_error *err)
{
	double *coefficients = NULL;
	RS_TRY(packed_read_f64s_of(reader, "coefficients", size_of(shape), &coefficients, err));
	struct linear *s = rs_allocate(sizeof *s);
	if (!s) {
		rs_free(coefficients);
		return rs_error_memory(err, sizeof *s, "a model");
	}
	*s = (struct linear){*shape, coefficients};
	*out_state = s;
	return RS_OK;
}
