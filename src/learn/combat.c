/* ComBat: rows in deviations from what their covariates let expect, batch by batch. */
#include "combat.h"

#include <math.h>
#include <string.h>

#include "numeric/numeric_linear.h"

void rs_combat_finish(struct rs_combat *combat)
{
	rs_free(combat->mean); /* one block holds all */
	*combat = (struct rs_combat){0};
}

bool rs_combat_size(const struct rs_combat *combat, size_t *out)
{
	return rs_mul_size(2 + (size_t)combat->covariates + 2 * (size_t)combat->batches, combat->columns,
	                   out) &&
	       rs_add_size(*out, combat->covariates, out);
}

void rs_combat_lay_out(struct rs_combat *combat, double *block)
{
	size_t columns = combat->columns;
	combat->mean = block;
	combat->deviation = combat->mean + columns;
	combat->slopes = combat->deviation + columns;
	combat->shift = combat->slopes + combat->covariates * columns;
	combat->scale = combat->shift + combat->batches * columns;
	combat->centre = combat->scale + combat->batches * columns;
}

struct combat_work {
	const struct rs_combat_data *data;
	const struct rs_combat_options *options;
	size_t *batch_rows;
	double *covariates; /* by covariate, then row: less the centre, none missing */
	size_t terms;       /* batches and covariates */
	double *normal;     /* terms x terms */
	double *solution, *cells;
	bool gaps; /* a cell is missing somewhere: sva then divides by one less, in every column */
};

static void centre_covariates(struct combat_work *w, struct rs_combat *out)
{
	const struct rs_matrix *c = &w->data->covariates;
	for (size_t k = 0; k < c->columns; k++) {
		const double *from = c->values + k * c->rows;
		double *to = w->covariates + k * c->rows, sum = 0, count = 0;
		for (size_t i = 0; i < c->rows; i++)
			if (!isnan(from[i])) {
				sum += from[i];
				count++;
			}
		out->centre[k] = count > 0 ? sum / count : 0;
		for (size_t i = 0; i < c->rows; i++)
			to[i] = isnan(from[i]) ? 0 : from[i] - out->centre[k];
	}
}

static double term(const struct combat_work *w, size_t row, size_t t)
{
	uint32_t batches = w->data->batches;
	return t < batches ? w->data->batch[row] == t : w->covariates[(t - batches) * w->data->x.rows + row];
}

/* Normal equations over the rows whose cell is there; cells NULL: over all rows. Returns their rank. A covariate of
 * another unit weighs the same: tolerances are relative to its own square. */
static size_t solve_terms(struct combat_work *w, const double *cells)
{
	size_t n = w->terms;
	memset(w->normal, 0, n * n * sizeof *w->normal);
	memset(w->solution, 0, n * sizeof *w->solution);
	for (size_t i = 0; i < w->data->x.rows; i++) {
		uint32_t batch = w->data->batch[i];
		if (cells && isnan(cells[i]))
			continue;
		w->normal[batch * n + batch]++;
		w->solution[batch] += cells ? cells[i] : 0;
		for (size_t a = w->data->batches; a < n; a++) {
			double value = term(w, i, a);
			w->normal[a * n + batch] += value;
			w->solution[a] += cells ? cells[i] * value : 0;
			for (size_t b = w->data->batches; b <= a; b++)
				w->normal[a * n + b] += value * term(w, i, b);
		}
	}
	size_t rank = rs_ldl(w->normal, n, 1e-13);
	if (cells)
		rs_ldl_solve(w->normal, n, w->solution);
	return rank;
}

static void scale_covariates(struct combat_work *w, double *out_scale)
{
	size_t rows = w->data->x.rows;
	for (size_t k = 0; k < w->data->covariates.columns; k++) {
		double squares = 0, *of = w->covariates + k * rows;
		for (size_t i = 0; i < rows; i++)
			squares += of[i] * of[i];
		out_scale[k] = squares > 0 ? sqrt(squares / (double)rows) : 1;
		for (size_t i = 0; i < rows; i++)
			of[i] /= out_scale[k];
	}
}

static double expected(const struct combat_work *w, size_t row)
{
	double sum = w->solution[w->data->batch[row]];
	for (size_t t = w->data->batches; t < w->terms; t++)
		sum += w->solution[t] * term(w, row, t);
	return sum;
}

/* Cells of a column vary within each batch of more than one row, and there are enough of them for its fit. */
static bool is_usable(const struct combat_work *w, const double *cells)
{
	for (uint32_t b = 0; b < w->data->batches; b++) {
		size_t count = 0;
		bool varies = false;
		double first = NAN;
		for (size_t i = 0; i < w->data->x.rows; i++) {
			if (w->data->batch[i] != b || isnan(cells[i]))
				continue;
			varies |= count > 0 && cells[i] != first;
			first = cells[i];
			count++;
		}
		if (count == 0 || (w->batch_rows[b] > 1 && !varies))
			return false;
	}
	return true;
}

/* Variance of what terms leave unexplained; of the reference's rows where there is one. */
static double residual_variance(const struct combat_work *w, const double *cells)
{
	double sum = 0, squares = 0, count = 0;
	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < w->data->x.rows; i++) {
			if (isnan(cells[i]) || (w->options->reference != RS_COMBAT_NO_REFERENCE &&
			                        w->data->batch[i] != w->options->reference))
				continue;
			double rest = cells[i] - expected(w, i);
			count += turn == 0;
			sum += turn == 0 ? rest : 0;
			double around = w->gaps ? rest - sum / count : rest;
			squares += turn == 1 ? around * around : 0;
		}
	return squares / (w->gaps ? count - 1 : count);
}

static void fit_column(struct combat_work *w, size_t c, struct rs_combat *out)
{
	const struct rs_matrix *x = &w->data->x;
	const double *cells = x->values + c * x->rows;
	double mean = 0;
	if (!is_usable(w, cells) || solve_terms(w, cells) < w->terms)
		return;
	double variance = residual_variance(w, cells);
	if (!(variance > 0) || !isfinite(variance))
		return;
	for (uint32_t b = 0; b < out->batches; b++)
		mean += w->solution[b] * (double)w->batch_rows[b] / (double)x->rows;
	out->mean[c] = w->options->reference == RS_COMBAT_NO_REFERENCE ? mean
	                                                               : w->solution[w->options->reference];
	out->deviation[c] = sqrt(variance);
	for (uint32_t k = 0; k < out->covariates; k++)
		out->slopes[k * out->columns + c] = w->solution[out->batches + k];
}

static double expected_of(const struct rs_combat *combat, size_t c, const double *covariates, size_t stride)
{
	double sum = combat->mean[c];
	for (size_t k = 0; k < combat->covariates; k++)
		sum += combat->slopes[k * combat->columns + c] * covariates[k * stride];
	return sum;
}

/* The batch's cells of the columns that are harmonised, in deviations. Returns how many columns. */
static size_t gather_batch(const struct combat_work *w, const struct rs_combat *combat, uint32_t batch)
{
	const struct rs_matrix *x = &w->data->x;
	size_t kept = 0;
	for (size_t c = 0; c < x->columns; c++) {
		size_t row = 0;
		if (!(combat->deviation[c] > 0))
			continue;
		for (size_t i = 0; i < x->rows; i++)
			if (w->data->batch[i] == batch)
				w->cells[kept * w->batch_rows[batch] + row++] =
					(x->values[c * x->rows + i] -
				         expected_of(combat, c, w->covariates + i, x->rows)) /
					combat->deviation[c];
		kept++;
	}
	return kept;
}

static enum rs_code fit_batch(struct combat_work *w, uint32_t batch, struct rs_combat *out,
                              struct rs_error *err)
{
	size_t columns = out->columns, at = 0;
	double *shift = out->shift + batch * columns, *scale = out->scale + batch * columns;
	struct batch_effect effect = {.rows = w->batch_rows[batch],
	                              .cells = w->cells,
	                              .mean_only = out->mean_only,
	                              .batch = batch,
	                              .shift = shift,
	                              .variance = scale};
	effect.columns = gather_batch(w, out, batch);
	if (effect.columns > 0 && batch != w->options->reference)
		RS_TRY(batch_shrink(&effect, w->options->prior, err));
	at = effect.columns;
	for (size_t c = columns; c-- > 0;) { /* from the packed columns to their places */
		bool kept = out->deviation[c] > 0, changed = kept && batch != w->options->reference;
		at -= kept;
		shift[c] = changed ? shift[at] : 0;
		scale[c] = changed ? sqrt(scale[at]) : 1;
	}
	return RS_OK;
}

static enum rs_code check(const struct combat_work *w, struct rs_error *err)
{
	const struct rs_combat_data *data = w->data;
	if (data->batches < 2)
		return rs_error_set(err, RS_USAGE, "ComBat needs rows of two batches at least");
	if (w->options->reference != RS_COMBAT_NO_REFERENCE && w->options->reference >= data->batches)
		return rs_error_set(err, RS_USAGE, "ComBat's reference is not among the batches");
	for (uint32_t b = 0; b < data->batches; b++)
		if (w->batch_rows[b] == 0)
			return rs_error_set(err, RS_USAGE, "batch %u has no row", b);
	return RS_OK;
}

static enum rs_code run(struct combat_work *w, struct rs_combat *out, struct rs_error *err)
{
	size_t rows = w->data->x.rows, columns = w->data->x.columns;
	double *scales = w->solution + w->terms;
	centre_covariates(w, out);
	scale_covariates(w, scales);
	if (solve_terms(w, NULL) < w->terms)
		return rs_error_set(err, RS_REFUSED,
		                    "what is to be preserved cannot be told from the batches among %zu "
		                    "training rows: a covariate is constant within every batch, or follows "
		                    "from others; name fewer",
		                    rows);
	for (size_t i = 0; i < rows * columns && !w->gaps; i++)
		w->gaps = isnan(w->data->x.values[i]);
	for (uint32_t b = 0; b < out->batches; b++)
		out->mean_only |= w->batch_rows[b] == 1;
	for (size_t c = 0; c < columns; c++)
		fit_column(w, c, out);
	for (uint32_t b = 0; b < out->batches; b++)
		RS_TRY(fit_batch(w, b, out, err));
	for (size_t k = 0; k < out->covariates; k++)
		for (size_t c = 0; c < columns; c++)
			out->slopes[k * columns + c] /= scales[k];
	return RS_OK;
}

static enum rs_code prepare(struct combat_work *w, struct rs_combat *out, struct rs_error *err)
{
	size_t rows = w->data->x.rows, largest = 0, cells, covariates, square;
	w->batch_rows = rs_allocate_array(w->data->batches, sizeof *w->batch_rows);
	if (!w->batch_rows)
		return rs_error_memory(err, w->data->batches * sizeof *w->batch_rows, "ComBat");
	for (size_t i = 0; i < rows; i++)
		w->batch_rows[w->data->batch[i]]++;
	RS_TRY(check(w, err));
	for (uint32_t b = 0; b < w->data->batches; b++)
		largest = largest < w->batch_rows[b] ? w->batch_rows[b] : largest;
	if (!rs_mul_size(largest, w->data->x.columns, &cells) ||
	    !rs_mul_size(rows, w->data->covariates.columns, &covariates) ||
	    !rs_mul_size(w->terms, w->terms, &square))
		return rs_error_memory(err, SIZE_MAX, "ComBat");
	w->cells = rs_allocate_array(cells, sizeof *w->cells);
	w->covariates = rs_allocate_array(covariates, sizeof *w->covariates);
	w->normal = rs_allocate_array(square, sizeof *w->normal);
	w->solution = rs_allocate_array(2 * w->terms, sizeof *w->solution);
	if (!w->cells || !w->covariates || !w->normal || !w->solution)
		return rs_error_memory(err, cells * sizeof *w->cells, "ComBat");
	double *block = rs_combat_size(out, &square) ? rs_allocate_array(square, sizeof *block) : NULL;
	if (!block)
		return rs_error_memory(err, square, "ComBat");
	rs_combat_lay_out(out, block);
	return RS_OK;
}

enum rs_code rs_combat_fit(const struct rs_combat_data *data, const struct rs_combat_options *options,
                           struct rs_combat *out, struct rs_error *err)
{
	struct rs_combat combat = {.columns = (uint32_t)data->x.columns,
	                           .batches = data->batches,
	                           .covariates = (uint32_t)data->covariates.columns,
	                           .mean_only = options->mean_only};
	struct combat_work work = {.data = data, .options = options};
	work.terms = data->batches + data->covariates.columns;
	enum rs_code code = prepare(&work, &combat, err);
	if (code == RS_OK)
		code = run(&work, &combat, err);
	rs_free(work.batch_rows);
	rs_free(work.cells);
	rs_free(work.covariates);
	rs_free(work.normal);
	rs_free(work.solution);
	if (code != RS_OK)
		rs_combat_finish(&combat);
	else
		*out = combat;
	return code;
}

void rs_combat_apply(const struct rs_combat *combat, uint32_t batch, const double *covariates, double *x,
                     const uint32_t *at, size_t stride)
{
	const double *shift = combat->shift + batch * (size_t)combat->columns;
	const double *scale = combat->scale + batch * (size_t)combat->columns;
	for (size_t c = 0; c < combat->columns; c++) {
		double mean = combat->mean[c], deviation = combat->deviation[c];
		if (!(deviation > 0) || (shift[c] == 0 && scale[c] == 1))
			continue;
		for (size_t k = 0; covariates && k < combat->covariates; k++)
			if (!isnan(covariates[k]))
				mean += combat->slopes[k * combat->columns + c] *
				        (covariates[k] - combat->centre[k]);
		double *cell = &x[(at ? at[c] : c) * stride];
		*cell = ((*cell - mean) / deviation - shift[c]) / scale[c] * deviation + mean;
	}
}
