/* Columns made ready once for all lambdas, and the product that everything is summed by. */
#include <math.h>
#include <string.h>

#include "elastic_net.h"

typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));

double inner_product(const double *a, const double *b, size_t padded_count)
{
	lanes sum = {0}, one, other;
	for (size_t i = 0; i < padded_count; i += LANES) {
		memcpy(&one, &a[i], sizeof one);
		memcpy(&other, &b[i], sizeof other);
		sum += one * other;
	}
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void standard_finish(struct standard *standard)
{
	rs_free(standard->x);
	rs_free(standard->mean);
	rs_free(standard->deviation);
	rs_free(standard->factor);
	rs_free(standard->weight);
	*standard = (struct standard){0};
}

static enum rs_code take_weights(struct standard *out, const double *weight, struct rs_error *err)
{
	double sum = 0;
	for (size_t r = 0; r < out->rows; r++) {
		out->weight[r] = weight ? weight[r] : 1;
		if (!isfinite(out->weight[r]) || out->weight[r] <= 0)
			return rs_error_set(err, RS_MALFORMED, "row %zu: the weight is not above 0", r + 1);
		sum += out->weight[r];
	}
	for (size_t r = 0; r < out->rows; r++)
		out->weight[r] /= sum;
	return RS_OK;
}

static enum rs_code take_factors(struct standard *out, const double *factor, struct rs_error *err)
{
	double sum = 0;
	for (size_t c = 0; c < out->columns; c++) {
		out->factor[c] = factor ? factor[c] : 1;
		if (!isfinite(out->factor[c]) || out->factor[c] < 0)
			return rs_error_set(err, RS_USAGE, "column %zu: its penalty's factor is below 0",
			                    c + 1);
		sum += out->factor[c];
	}
	for (size_t c = 0; c < out->columns && sum > 0; c++)
		out->factor[c] *= (double)out->columns / sum;
	return RS_OK;
}

static enum rs_code take_column(struct standard *out, const double *values, size_t column, bool as_given,
                                struct rs_error *err)
{
	double *x = &out->x[column * out->stride], mean = 0, square = 0;
	bool varies = false;
	for (size_t r = 0; r < out->rows; r++) {
		if (!isfinite(values[r]))
			return rs_error_set(err, RS_MALFORMED, "row %zu, column %zu: not a number", r + 1,
			                    column + 1);
		mean += out->weight[r] * values[r];
		varies = varies || values[r] != values[0];
	}
	for (size_t r = 0; r < out->rows; r++) {
		x[r] = values[r] - mean;
		square += out->weight[r] * x[r] * x[r];
	}
	out->mean[column] = mean;
	out->deviation[column] = !varies || !isnormal(square) ? 0 : as_given ? 1 : sqrt(square);
	for (size_t r = 0; r < out->rows; r++)
		x[r] = out->deviation[column] > 0 ? x[r] / out->deviation[column] : 0;
	return RS_OK;
}

enum rs_code standard_init(struct standard *standard, const struct rs_elastic_net_data *data,
                           const struct rs_elastic_net_options *options, struct rs_error *err)
{
	size_t cells, rows = data->x->rows, columns = data->x->columns;
	if (rows == 0 || columns == 0 || rows > INT32_MAX)
		return rs_error_set(err, RS_USAGE, "a linear model of %zu rows and %zu columns cannot be",
		                    rows, columns);
	*standard = (struct standard){.rows = rows, .columns = columns, .stride = padded(rows)};
	if (!rs_mul_size(standard->stride, columns, &cells))
		return rs_error_memory(err, SIZE_MAX, "a linear model");
	standard->x = rs_allocate_array(cells, sizeof(double));
	standard->mean = rs_allocate_array(columns, sizeof(double));
	standard->deviation = rs_allocate_array(columns, sizeof(double));
	standard->factor = rs_allocate_array(columns, sizeof(double));
	standard->weight = rs_allocate_array(standard->stride, sizeof(double));
	if (!standard->x || !standard->mean || !standard->deviation || !standard->factor || !standard->weight)
		return rs_error_memory(err, cells * sizeof(double), "a linear model");
	RS_TRY(take_weights(standard, data->weight, err));
	RS_TRY(take_factors(standard, options->penalty, err));
	for (size_t c = 0; c < columns; c++)
		RS_TRY(take_column(standard, &data->x->values[c * rows], c, options->as_given, err));
	return RS_OK;
}
