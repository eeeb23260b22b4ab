/* Whether hazards are proportional: the score test for coefficients that change with a function g of time. */
#include <math.h>
#include <string.h>

#include "cox_walk.h"
#include "numeric/numeric_distribution.h"
#include "numeric/numeric_linear.h"
#include "order.h"

struct trend {
	const struct walker *walker;
	const double *g; /* by row */
	enum rs_cox_ties ties;
	size_t columns;
	double *score;                /* Σ g × Schoenfeld's residuals */
	double *plain, *once, *twice; /* Σ information × 1, g, g² */
	double *one;                  /* of one time */
	double *mean;
};

/* 1 - Kaplan-Meier just before each row's time. */
static enum rs_code share_gone_before(const struct rs_follow_up *seen, double *out, struct rs_error *err)
{
	struct rs_survival_curve curve RS_CLEANUP(rs_survival_curve_finish) = {0};
	struct rs_follow_up unweighted = *seen;
	unweighted.weight = NULL;
	RS_TRY(rs_survival_curve_fit(&unweighted, NULL, seen->count, RS_INTERVAL_PLAIN, 0.95, &curve, err));
	for (size_t i = 0; i < seen->count; i++) {
		const struct rs_survival_point *point = rs_survival_curve_at(
			&curve, nextafter(seen->time[i], -INFINITY));
		out[i] = point ? 1 - point->survival : 0;
	}
	return RS_OK;
}

/* Tied times share the mean of their ranks. */
static enum rs_code rank(const struct rs_follow_up *seen, double *out, struct rs_error *err)
{
	size_t *order RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(order_by(NULL, seen->time, NULL, seen->count, &order, err));
	for (size_t first = 0, last; first < seen->count; first = last) {
		for (last = first; last < seen->count && seen->time[order[last]] == seen->time[order[first]];)
			last++;
		for (size_t i = first; i < last; i++)
			out[order[i]] = 0.5 * (double)(first + last + 1);
	}
	return RS_OK;
}

static enum rs_code find_trend(const struct rs_follow_up *seen, enum rs_cox_trend trend, double *out,
                               struct rs_error *err)
{
	if (trend == RS_COX_TREND_KM)
		return share_gone_before(seen, out, err);
	if (trend == RS_COX_TREND_RANK)
		return rank(seen, out, err);
	for (size_t i = 0; i < seen->count; i++) {
		if (trend == RS_COX_TREND_LOG && !(seen->time[i] > 0))
			return rs_error_set(err, RS_MALFORMED,
			                    "row %zu: a time of %g has no logarithm; take another trend",
			                    i + 1, seen->time[i]);
		out[i] = trend == RS_COX_TREND_LOG ? log(seen->time[i]) : seen->time[i];
	}
	return RS_OK;
}

static void add_one(struct trend *t, const struct event_time *at, double share)
{
	size_t p = t->columns;
	double risk = at->at_risk.risk - share * at->events.risk, weight = at->weight / (double)at->count;
	for (size_t j = 0; j < p; j++) {
		t->mean[j] = (at->at_risk.x[j] - share * at->events.x[j]) / risk;
		for (size_t k = 0; k <= j; k++)
			t->one[j * p + k] += weight *
			                     ((at->at_risk.xx[j * p + k] - share * at->events.xx[j * p + k]) /
			                              risk -
			                      t->mean[j] * t->mean[k]);
	}
}

static void add_time(void *context, const struct event_time *at)
{
	struct trend *t = context;
	size_t p = t->columns;
	const double *weights = t->walker->data->follow_up.weight;
	double g = t->g[at->dying[0]];
	memset(t->one, 0, p * p * sizeof *t->one);
	for (size_t k = 0; k < at->count; k++) {
		add_one(t, at, tied_share(t->ties, k, at->count));
		double weight = weights ? weights[at->dying[k]] : 1;
		for (size_t j = 0; j < p; j++)
			t->score[j] += g * (weight * t->walker->x[at->dying[k] * p + j] -
			                    at->weight / (double)at->count * t->mean[j]);
	}
	for (size_t j = 0; j < p; j++)
		for (size_t k = 0; k <= j; k++) {
			double part = t->one[j * p + k];
			t->plain[j * p + k] += part;
			t->once[j * p + k] += g * part;
			t->once[k * p + j] = t->once[j * p + k];
			t->twice[j * p + k] += g * g * part;
		}
}

/* twice becomes twice - once plain⁻¹ once: what is left of the trend's information. */
static void project(struct trend *t)
{
	size_t p = t->columns;
	rs_ldl(t->plain, p, 1e-11);
	for (size_t j = 0; j < p; j++) {
		memcpy(t->mean, &t->once[j * p], p * sizeof *t->mean);
		rs_ldl_solve(t->plain, p, t->mean);
		for (size_t k = 0; k <= j; k++)
			for (size_t m = 0; m < p; m++)
				t->twice[j * p + k] -= t->mean[m] * t->once[k * p + m];
	}
}

/* Of columns first … first + count - 1. block: count² + count numbers. */
static struct rs_cox_trend_test test(const struct trend *t, size_t first, size_t count, double *block)
{
	double *solved = block + count * count, chi_square = 0;
	for (size_t j = 0; j < count; j++)
		for (size_t k = 0; k <= j; k++)
			block[j * count + k] = t->twice[(first + j) * t->columns + first + k];
	double df = (double)rs_ldl(block, count, 1e-11);
	memcpy(solved, &t->score[first], count * sizeof *solved);
	rs_ldl_solve(block, count, solved);
	for (size_t j = 0; j < count; j++)
		chi_square += solved[j] * t->score[first + j];
	return df > 0 ? (struct rs_cox_trend_test){chi_square, df, rs_chi_square_upper(chi_square, df)}
	              : (struct rs_cox_trend_test){NAN, 0, NAN};
}

/* Nothing is known of aliased columns: of them the information is rounding alone. */
static void blank_aliased(struct trend *t, const struct rs_cox_model *model)
{
	size_t p = t->columns;
	for (size_t j = 0; j < p; j++)
		for (size_t k = 0; model->aliased[j] && k < p; k++)
			t->twice[j * p + k] = t->twice[k * p + j] = 0;
}

enum rs_code rs_cox_proportionality(const struct rs_cox_model *model, const struct rs_cox_data *data,
                                    const struct rs_cox_trend_options *options, struct rs_cox_trend_test *out,
                                    struct rs_error *err)
{
	struct walker walker RS_CLEANUP(walker_finish) = {0};
	size_t columns = data->columns, square = columns * columns, first = 0;
	size_t terms = options->terms ? options->term_count : columns;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(5 * columns + 3, columns * sizeof *work);
	double *g RS_CLEANUP(rs_free_pointer) = rs_allocate_array(data->follow_up.count, sizeof *g);
	if (!work || !g)
		return rs_error_memory(err, 5 * square * sizeof *work, "a test of proportionality");
	RS_TRY(walker_init(&walker, data, err));
	RS_TRY(find_trend(&data->follow_up, options->trend, g, err));
	walker_set(&walker, model->coefficients);
	struct trend trend = {
		&walker,           g,
		options->ties,     columns,
		work + 4 * square, work,
		work + square,     work + 2 * square,
		work + 3 * square, work + 4 * square + columns,
	};
	walker_run(&walker, true, add_time, &trend);
	project(&trend);
	blank_aliased(&trend, model);
	double *block = work + 4 * square + 2 * columns;
	for (size_t t = 0; t < terms; t++) {
		size_t count = options->terms ? options->terms[t] : 1;
		out[t] = test(&trend, first, count, block);
		first += count;
	}
	out[terms] = test(&trend, 0, columns, block);
	return RS_OK;
}
