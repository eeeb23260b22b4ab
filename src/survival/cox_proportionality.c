/* Whether hazards are proportional: the score test for coefficients that change with g(t) = 1 - Kaplan-Meier just before t. */
#include <math.h>
#include <string.h>

#include "cox_walk.h"
#include "numeric/numeric_distribution.h"
#include "numeric/numeric_linear.h"

struct trend {
	const struct walker *walker;
	const struct rs_survival_curve *curve;
	enum rs_cox_ties ties;
	size_t columns;
	double *score;                /* Σ g × Schoenfeld's residuals */
	double *plain, *once, *twice; /* Σ information × 1, g, g² */
	double *one;                  /* of one time */
	double *mean;
};

static double share_gone_before(const struct rs_survival_curve *curve, double time)
{
	const struct rs_survival_point *point = rs_survival_curve_at(curve, nextafter(time, -INFINITY));
	return point ? 1 - point->survival : 0;
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
	double g = share_gone_before(t->curve, at->time);
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

static void test_all(struct trend *t, const struct rs_cox_model *model, double *chi_square, double *p_value)
{
	size_t p = t->columns, df = 0;
	for (size_t j = 0; j < p; j++) {
		double information = t->twice[j * p + j];
		chi_square[j] = model->aliased[j] ? NAN : t->score[j] * t->score[j] / information;
		p_value[j] = rs_chi_square_upper(chi_square[j], 1);
	}
	df = rs_ldl(t->twice, p, 1e-11);
	memcpy(t->mean, t->score, p * sizeof *t->mean);
	rs_ldl_solve(t->twice, p, t->mean);
	chi_square[p] = 0;
	for (size_t j = 0; j < p; j++)
		chi_square[p] += t->mean[j] * t->score[j];
	p_value[p] = rs_chi_square_upper(chi_square[p], (double)df);
}

enum rs_code rs_cox_proportionality(const struct rs_cox_model *model, const struct rs_cox_data *data,
                                    enum rs_cox_ties ties, double *chi_square, double *p,
                                    struct rs_error *err)
{
	struct walker walker RS_CLEANUP(walker_finish) = {0};
	struct rs_survival_curve curve RS_CLEANUP(rs_survival_curve_finish) = {0};
	size_t columns = data->columns, square = columns * columns;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(4 * columns + 2, columns * sizeof *work);
	if (!work)
		return rs_error_memory(err, 4 * square * sizeof *work, "a test of proportionality");
	RS_TRY(walker_init(&walker, data, err));
	RS_TRY(rs_survival_curve_fit(&data->follow_up, NULL, data->follow_up.count, RS_INTERVAL_PLAIN, 0.95,
	                             &curve, err));
	walker_set(&walker, model->coefficients);
	struct trend trend = {
		&walker,
		&curve,
		ties,
		columns,
		work + 4 * square,
		work,
		work + square,
		work + 2 * square,
		work + 3 * square,
		work + 4 * square + columns,
	};
	walker_run(&walker, true, add_time, &trend);
	project(&trend);
	test_all(&trend, model, chi_square, p);
	return RS_OK;
}
