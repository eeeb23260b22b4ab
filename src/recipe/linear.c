#include "recipe/recipe_linear.h"

#include <math.h>

#include "recipe/recipe_packed.h"

void rs_linear_finish(void *state)
{
	struct rs_linear *s = state;
	rs_free(s->coefficients);
}

static size_t size_of(const struct rs_model_shape *shape, bool ranked)
{
	return ranked ? shape->columns + shape->classes - 1
	              : rs_model_shape_width(shape) * (shape->columns + 1);
}

enum rs_code rs_linear_init(const struct rs_model_shape *shape, bool ranked, struct rs_linear *out,
                            struct rs_error *err)
{
	size_t size = size_of(shape, ranked);
	*out = (struct rs_linear){*shape, ranked, rs_allocate_array(size, sizeof *out->coefficients)};
	return out->coefficients ? RS_OK
	                         : rs_error_memory(err, size * sizeof *out->coefficients, "a linear model");
}

static double sum_of(const struct rs_linear *s, size_t output, const struct rs_matrix *x, size_t row)
{
	const double *b = s->coefficients + output * (s->shape.columns + 1);
	double sum = s->ranked ? 0 : b[s->shape.columns];
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

static double logistic(double x) { return 1 / (1 + exp(-x)); }

static void score_ranked(const struct rs_linear *s, double sum, double *out)
{
	const double *thresholds = s->coefficients + s->shape.columns;
	double before = 0;
	for (uint32_t k = 0; k + 1 < s->shape.classes; k++) {
		double below = logistic(thresholds[k] - sum);
		out[k] = below - before;
		before = below;
	}
	out[s->shape.classes - 1] = logistic(sum - thresholds[s->shape.classes - 2]);
}

enum rs_code rs_linear_score(const void *state, const struct rs_matrix *x, double *out, struct rs_error *err)
{
	const struct rs_linear *s = state;
	size_t width = rs_model_shape_width(&s->shape);
	(void)err;
	for (size_t i = 0; i < x->rows; i++) {
		double *row = out + i * width;
		if (s->ranked) {
			score_ranked(s, sum_of(s, 0, x, i), row);
			continue;
		}
		for (size_t k = 0; k < width; k++)
			row[k] = sum_of(s, k, x, i);
		if (s->shape.target == RS_TARGET_BINARY)
			*row = logistic(*row);
		else if (s->shape.target != RS_TARGET_SURVIVAL)
			soften(row, width);
	}
	return RS_OK;
}

bool rs_linear_importance(const void *state, double *out)
{
	const struct rs_linear *s = state;
	for (size_t c = 0; c < s->shape.columns; c++) {
		out[c] = 0;
		for (size_t k = 0; k < (s->ranked ? 1 : rs_model_shape_width(&s->shape)); k++)
			out[c] = fmax(out[c], fabs(s->coefficients[k * (s->shape.columns + 1) + c]));
	}
	return true;
}

enum rs_code rs_linear_explain(const void *state, const struct rs_matrix *x, uint32_t of, double *out,
                               struct rs_error *err)
{
	const struct rs_linear *s = state;
	size_t columns = s->shape.columns,
	       output = !s->ranked && rs_model_shape_width(&s->shape) > 1 ? of : 0;
	const double *b = s->coefficients + output * (columns + 1);
	(void)err;
	for (size_t i = 0; i < x->rows; i++)
		for (size_t c = 0; c <= columns; c++)
			out[i * (columns + 1) + c] = c < columns ? b[c] * x->values[c * x->rows + i]
			                             : s->ranked ? 0
			                                         : b[c];
	return RS_OK;
}

void rs_linear_write(const void *state, struct rs_buffer *out)
{
	const struct rs_linear *s = state;
	rs_packed_write_f64s(out, s->coefficients, size_of(&s->shape, s->ranked));
}

static enum rs_code read_linear(struct rs_cbor_reader *reader, const struct rs_model_shape *shape,
                                bool ranked, struct rs_linear *out, struct rs_error *err)
{
	*out = (struct rs_linear){*shape, ranked, NULL};
	RS_TRY(rs_packed_read_f64s_of(reader, "coefficients", size_of(shape, ranked), &out->coefficients,
	                              err));
	if (ranked && !rs_packed_ascends(out->coefficients + shape->columns, shape->classes - 1, false))
		return rs_packed_wrong("thresholds", err);
	return RS_OK;
}

enum rs_code rs_linear_read(struct rs_cbor_reader *reader, const struct rs_model_shape *shape, void *state,
                            struct rs_error *err)
{
	return read_linear(reader, shape, false, state, err);
}

enum rs_code rs_linear_read_ranked(struct rs_cbor_reader *reader, const struct rs_model_shape *shape,
                                   void *state, struct rs_error *err)
{
	return read_linear(reader, shape, shape->target == RS_TARGET_ORDINAL, state, err);
}
