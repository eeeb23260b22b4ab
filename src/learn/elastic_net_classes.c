/* The loss of proportional odds (McCullagh 1980), -log P(class), with P(class <= k) = logistic(threshold k - predictor). Two
 * classes are logistic regression with minus the threshold for an intercept. */
#include <math.h>
#include <string.h>

#include "elastic_net.h"
#include "numeric/numeric_linear.h"

#define STEPS_MAX 100u

static double logistic(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }
static double log_logistic(double x) { return x >= 0 ? -log1p(exp(-x)) : x - log1p(exp(x)); }

/* A row between two thresholds; -inf and inf beyond the ends. */
struct place {
	double below, above; /* logistic of them */
	double gap;          /* 1 - exp(lower - upper) */
};

static double find_loss(const struct target *t, const double *predictor, const double *thresholds)
{
	double sum = 0;
	for (size_t r = 0; r < t->rows; r++) {
		uint32_t label = t->labels[r];
		double part = 0;
		if (label > 0)
			part += log_logistic(predictor[r] - thresholds[label - 1]);
		if (label < t->classes - 1)
			part += log_logistic(thresholds[label] - predictor[r]);
		if (label > 0 && label < t->classes - 1)
			part += log1p(-exp(thresholds[label - 1] - thresholds[label]));
		sum -= t->weight[r] * part;
	}
	return isnan(sum) ? INFINITY : sum;
}

static struct place place_of(const struct target *t, size_t row, double predictor)
{
	uint32_t label = t->labels[row];
	struct place place = {0, 1, 1};
	if (label > 0)
		place.below = logistic(t->thresholds[label - 1] - predictor);
	if (label < t->classes - 1)
		place.above = logistic(t->thresholds[label] - predictor);
	if (label > 0 && label < t->classes - 1)
		place.gap = -expm1(t->thresholds[label - 1] - t->thresholds[label]);
	return place;
}

/* Slope (how the loss falls) and information of the thresholds. With F = logistic and f its density, f/P is written so that
 * nothing is subtracted that nearly cancels: f(a) / P = (1 - F(a)) / ((1 - F(b)) gap), f(b) / P = F(b) / (F(a) gap). */
static void derive_thresholds(struct target *t, const double *predictor)
{
	size_t size = t->classes - 1;
	memset(t->slope, 0, size * sizeof *t->slope);
	memset(t->information, 0, size * size * sizeof *t->information);
	for (size_t r = 0; r < t->rows; r++) {
		struct place p = place_of(t, r, predictor[r]);
		uint32_t label = t->labels[r];
		double weight = t->weight[r];
		double up = (1 - p.above) / ((1 - p.below) * p.gap), down = p.below / (p.above * p.gap);
		if (label < size) {
			t->slope[label] += weight * up;
			t->information[label * size + label] += weight * up * (up - (1 - 2 * p.above));
		}
		if (label > 0) {
			t->slope[label - 1] -= weight * down;
			t->information[(label - 1) * size + label - 1] += weight * down *
			                                                  (down + (1 - 2 * p.below));
		}
		if (label > 0 && label < size)
			t->information[label * size + label - 1] -= weight * up * down;
	}
}

/* Thresholds to where the loss is least, whence it is returned; their information is left decomposed. */
static double settle(struct target *t, const double *predictor)
{
	size_t size = t->classes - 1;
	double loss = find_loss(t, predictor, t->thresholds);
	for (unsigned step = 0; step < STEPS_MAX; step++) {
		double largest = 0, share = 1, found = INFINITY;
		derive_thresholds(t, predictor);
		rs_ldl(t->information, size, 0);
		rs_ldl_solve(t->information, size, t->slope);
		for (size_t k = 0; k < size; k++)
			largest = fmax(largest, fabs(t->slope[k]) / (1 + fabs(t->thresholds[k])));
		for (; share > 1e-9; share /= 2) {
			for (size_t k = 0; k < size; k++)
				t->trial[k] = t->thresholds[k] + share * t->slope[k];
			found = find_loss(t, predictor, t->trial);
			if (found <= loss + 1e-15 * fabs(loss))
				break;
		}
		if (!(found <= loss + 1e-15 * fabs(loss)))
			break;
		memcpy(t->thresholds, t->trial, size * sizeof *t->trial);
		loss = found;
		if (largest < 1e-9) /* squared by the step that was just taken */
			break;
	}
	return loss;
}

static double evaluate(struct target *t, const double *predictor)
{
	double loss = settle(t, predictor);
	size_t size = t->classes - 1;
	for (size_t r = 0; r < t->rows; r++) {
		struct place p = place_of(t, r, predictor[r]);
		t->residual[r] = t->weight[r] * (p.above + p.below - 1);
		t->low[r] = t->weight[r] * p.below * (1 - p.below);
		t->high[r] = t->weight[r] * p.above * (1 - p.above);
		t->curvature[r] = t->low[r] + t->high[r];
	}
	derive_thresholds(t, predictor);
	rs_ldl(t->information, size, 0);
	for (size_t k = 0; k < size; k++) {
		double pivot = t->information[k * size + k];
		t->extra_weight[k] = pivot > 0 ? 1 / pivot : 0;
	}
	return loss;
}

/* L⁻¹ Cᵀ x, C the mixed second derivatives and L of the thresholds' information: what thresholds take from a column. */
static void extend(const struct target *t, const double *column, double *out)
{
	size_t size = t->classes - 1;
	if (size == 1) {
		*out = inner_product(t->curvature, column, padded(t->rows));
		return;
	}
	memset(out, 0, size * sizeof *out);
	for (size_t r = 0; r < t->rows; r++) {
		uint32_t label = t->labels[r];
		if (label < size)
			out[label] += t->high[r] * column[r];
		if (label > 0)
			out[label - 1] += t->low[r] * column[r];
	}
	for (size_t k = 0; k < size; k++)
		for (size_t i = 0; i < k; i++)
			out[k] -= t->information[k * size + i] * out[i];
}

/* Classes that have rows, renumbered; thresholds as without any column. */
static enum rs_code number_classes(struct target *t, const struct rs_elastic_net_data *data, double *share,
                                   struct rs_error *err)
{
	for (size_t r = 0; r < t->rows; r++) {
		if (data->labels[r] >= data->classes)
			return rs_error_set(err, RS_USAGE, "row %zu: there is no class %u", r + 1,
			                    data->labels[r]);
		share[data->labels[r]] += t->weight[r];
	}
	for (uint32_t c = 0; c < data->classes; c++)
		if (share[c] > 0)
			t->class_at[t->classes++] = c;
	if (t->classes < 2)
		return rs_error_set(err, RS_NOT_FOUND, "all %zu rows are of one class", t->rows);
	for (size_t r = 0; r < t->rows; r++)
		while (t->class_at[t->labels[r]] != data->labels[r])
			t->labels[r]++;
	double below = 0;
	for (uint32_t k = 0; k < t->classes - 1; k++) {
		below += share[t->class_at[k]];
		t->thresholds[k] = log(below / (1 - below));
	}
	return RS_OK;
}

enum rs_code target_init_classes(struct target *t, const struct rs_elastic_net_data *data,
                                 struct rs_error *err)
{
	size_t classes = data->classes;
	double *share RS_CLEANUP(rs_free_pointer) = rs_allocate_array(classes, sizeof *share);
	t->labels = rs_allocate_array(t->rows, sizeof *t->labels);
	t->class_at = rs_allocate_array(classes, sizeof *t->class_at);
	t->thresholds = rs_allocate_array(classes, sizeof *t->thresholds);
	t->low = rs_allocate_array(t->rows, sizeof *t->low);
	t->high = rs_allocate_array(t->rows, sizeof *t->high);
	t->information = rs_allocate_array(classes, classes * sizeof *t->information);
	t->slope = rs_allocate_array(classes, sizeof *t->slope);
	t->trial = rs_allocate_array(classes, sizeof *t->trial);
	t->extra_weight = rs_allocate_array(classes, sizeof *t->extra_weight);
	if (!share || !t->labels || !t->class_at || !t->thresholds || !t->low || !t->high ||
	    !t->information || !t->slope || !t->trial || !t->extra_weight)
		return rs_error_memory(err, t->rows * sizeof(double), "a linear model");
	RS_TRY(number_classes(t, data, share, err));
	t->extras = t->classes - 1;
	t->evaluate = evaluate;
	t->extend = extend;
	return RS_OK;
}
