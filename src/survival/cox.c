/* Newton's method on Cox's partial likelihood, and the tests that come with it. */
#include <math.h>
#include <string.h>

#include "cox_walk.h"
#include "numeric/numeric_linear.h"

#define ITERATIONS_MAX 50u
#define ALIASED 1e-11 /* of the largest pivot */
#define SETTLED 1e-11 /* change of the log likelihood, as a share of one more than it */

struct likelihood {
	const struct walker *walker;
	size_t columns;
	enum rs_cox_ties ties;
	double value, *score, *information; /* of the present coefficients */
	double *mean;                       /* scratch */
};

static void add_information(struct likelihood *l, const struct event_time *at, double weight, double share)
{
	size_t p = l->columns;
	double risk = at->at_risk.risk - share * at->events.risk;
	for (size_t j = 0; j < p; j++) {
		l->mean[j] = (at->at_risk.x[j] - share * at->events.x[j]) / risk;
		l->score[j] -= weight * l->mean[j];
		for (size_t k = 0; k <= j; k++)
			l->information[j * p + k] += weight * ((at->at_risk.xx[j * p + k] -
			                                        share * at->events.xx[j * p + k]) /
			                                               risk -
			                                       l->mean[j] * l->mean[k]);
	}
	l->value -= weight * log(risk);
}

static void add_event_time(void *context, const struct event_time *at)
{
	struct likelihood *l = context;
	const struct walker *walker = l->walker;
	const double *weights = walker->data->follow_up.weight;
	for (size_t d = 0; d < at->count; d++) {
		size_t row = at->dying[d];
		double weight = weights ? weights[row] : 1;
		l->value += weight * (walker->predictor[row] - walker->shift);
		for (size_t j = 0; j < l->columns; j++)
			l->score[j] += weight * walker->x[row * l->columns + j];
	}
	for (size_t k = 0; k < at->count; k++)
		add_information(l, at, at->weight / (double)at->count, tied_share(l->ties, k, at->count));
}

static void evaluate(struct likelihood *l, struct walker *walker, const double *coefficients)
{
	l->value = 0;
	memset(l->score, 0, l->columns * sizeof *l->score);
	memset(l->information, 0, l->columns * l->columns * sizeof *l->information);
	walker_set(walker, coefficients);
	walker_run(walker, true, add_event_time, l);
}

static double inner(const double *a, const double *b, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* step = information⁻¹ score; information is decomposed. Returns how many columns count. */
static size_t newton_step(struct likelihood *l, double *step)
{
	size_t rank = rs_ldl(l->information, l->columns, ALIASED);
	memcpy(step, l->score, l->columns * sizeof *step);
	rs_ldl_solve(l->information, l->columns, step);
	return rank;
}

/* Whether the last step was a small one in every coordinate: else the likelihood settles while a coefficient runs away. */
static bool small_step(const double *step, const double *coefficients, size_t n)
{
	for (size_t j = 0; j < n; j++)
		if (fabs(step[j]) > 1e-4 * (1 + fabs(coefficients[j])))
			return false;
	return true;
}

static void search(struct likelihood *l, struct walker *walker, struct rs_cox_model *model, double *step,
                   double *trial)
{
	size_t p = l->columns;
	for (model->iterations = 0; model->iterations < ITERATIONS_MAX && !model->converged;) {
		double before = l->value;
		model->iterations++;
		for (unsigned halvings = 0; halvings < 30; halvings++) {
			for (size_t j = 0; j < p; j++)
				trial[j] = model->coefficients[j] + step[j];
			evaluate(l, walker, trial);
			if (l->value >= before - SETTLED * fabs(before))
				break;
			for (size_t j = 0; j < p; j++)
				step[j] *= 0.5;
		}
		memcpy(model->coefficients, trial, p * sizeof *trial);
		bool settled = fabs(l->value - before) <= SETTLED * (1 + fabs(l->value));
		newton_step(l, step);
		model->converged = settled && small_step(step, trial, p);
		if (settled && !model->converged)
			break;
	}
}

struct baseline {
	const struct walker *walker;
	struct rs_cox_model *model;
	enum rs_cox_ties ties;
};

/* Steps come from the last time of a stratum to the first. */
static void add_step(void *context, const struct event_time *at)
{
	struct baseline *b = context;
	struct rs_cox_model *model = b->model;
	size_t p = model->columns;
	double scale = exp(-b->walker->shift), weight = at->weight / (double)at->count;
	struct rs_cox_step *step = &model->baseline[model->steps];
	double *path = &model->paths[model->steps++ * p];
	*step = (struct rs_cox_step){at->stratum, at->time, 0, 0};
	for (size_t k = 0; k < at->count; k++) {
		double share = tied_share(b->ties, k, at->count);
		double risk = at->at_risk.risk - share * at->events.risk, hazard = scale * weight / risk;
		step->hazard += hazard;
		step->variance += hazard * scale / risk;
		for (size_t j = 0; j < p; j++)
			path[j] += hazard * (at->at_risk.x[j] - share * at->events.x[j]) / risk;
	}
}

static void swap(double *a, double *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double kept = a[i];
		a[i] = b[i];
		b[i] = kept;
	}
}

/* Turns the steps of one stratum round and adds them up. */
static void accumulate(struct rs_cox_model *model, size_t first, size_t last)
{
	size_t p = model->columns;
	for (size_t a = first, b = last; b > a + 1; a++) {
		b--;
		struct rs_cox_step kept = model->baseline[a];
		model->baseline[a] = model->baseline[b];
		model->baseline[b] = kept;
		swap(&model->paths[a * p], &model->paths[b * p], p);
	}
	for (size_t i = first + 1; i < last; i++) {
		model->baseline[i].hazard += model->baseline[i - 1].hazard;
		model->baseline[i].variance += model->baseline[i - 1].variance;
		for (size_t j = 0; j < p; j++)
			model->paths[i * p + j] += model->paths[(i - 1) * p + j];
	}
}

static void find_baseline(struct walker *walker, enum rs_cox_ties ties, struct rs_cox_model *model)
{
	struct baseline baseline = {walker, model, ties};
	walker_run(walker, false, add_step, &baseline);
	for (size_t first = 0, last; first < model->steps; first = last) {
		for (last = first;
		     last < model->steps && model->baseline[last].stratum == model->baseline[first].stratum;)
			last++;
		accumulate(model, first, last);
	}
}

/* variance = Dᵀ D, D the sums of score residuals over clusters, times the inverse information. */
static enum rs_code make_robust(const struct rs_cox_data *data, enum rs_cox_ties ties,
                                struct rs_cox_model *model, struct rs_error *err)
{
	size_t n = data->follow_up.count, p = model->columns, clusters = n;
	double *score RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, p * sizeof *score);
	for (size_t i = 0; data->cluster && i < n; i++)
		if (data->cluster[i] >= clusters)
			clusters = (size_t)data->cluster[i] + 1;
	double *sums RS_CLEANUP(rs_free_pointer) = rs_allocate_array(clusters, p * sizeof *sums);
	double *naive RS_CLEANUP(rs_free_pointer) = rs_allocate_array(p, p * sizeof *naive);
	if (!score || !sums || !naive)
		return rs_error_memory(err, n * p * sizeof *score, "score residuals");
	RS_TRY(rs_cox_residuals(model, data, ties, NULL, score, err));
	memcpy(naive, model->variance, p * p * sizeof *naive);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < p; j++)
			sums[(data->cluster ? data->cluster[i] : i) * p + j] += inner(&score[i * p],
			                                                              &naive[j * p], p);
	memset(model->variance, 0, p * p * sizeof *model->variance);
	for (size_t c = 0; c < clusters; c++)
		for (size_t j = 0; j < p; j++)
			for (size_t k = 0; k < p; k++)
				model->variance[j * p + k] += sums[c * p + j] * sums[c * p + k];
	return RS_OK;
}

void rs_cox_model_finish(struct rs_cox_model *model)
{
	rs_free(model->coefficients);
	rs_free(model->aliased);
	rs_free(model->endless);
	rs_free(model->variance);
	rs_free(model->means);
	rs_free(model->baseline);
	rs_free(model->paths);
	*model = (struct rs_cox_model){0};
}

static enum rs_code allocate(const struct rs_cox_data *data, struct rs_cox_model *model, struct rs_error *err)
{
	size_t p = data->columns, n = data->follow_up.count;
	for (size_t i = 0; i < n; i++)
		model->events += data->follow_up.event[i] != 0;
	if (model->events == 0)
		return rs_error_set(err, RS_NOT_FOUND, "nobody of %zu subjects had the event", n);
	model->columns = p;
	model->count = n;
	model->coefficients = rs_allocate_array(p, sizeof(double));
	model->aliased = rs_allocate_array(p, sizeof(bool));
	model->endless = rs_allocate_array(p, sizeof(bool));
	model->variance = rs_allocate_array(p, p * sizeof(double));
	model->means = rs_allocate_array(p, sizeof(double));
	model->baseline = rs_allocate_array(model->events, sizeof *model->baseline);
	model->paths = rs_allocate_array(model->events, p * sizeof(double));
	if (!model->coefficients || !model->aliased || !model->endless || !model->variance || !model->means ||
	    !model->baseline || !model->paths)
		return rs_error_memory(err, model->events * p * sizeof(double), "a model");
	return RS_OK;
}

enum rs_code rs_cox_wald(const struct rs_cox_model *model, size_t first, size_t count, double *out_chi_square,
                         double *out_df, struct rs_error *err)
{
	double *block RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count + 1, count * sizeof *block);
	if (!block)
		return rs_error_memory(err, count * count * sizeof *block, "a model");
	double *solved = block + count * count;
	for (size_t j = 0; j < count; j++)
		memcpy(&block[j * count], &model->variance[(first + j) * model->columns + first],
		       count * sizeof *block);
	*out_df = (double)rs_ldl(block, count, ALIASED);
	memcpy(solved, &model->coefficients[first], count * sizeof *solved);
	rs_ldl_solve(block, count, solved);
	*out_chi_square = inner(solved, &model->coefficients[first], count);
	return RS_OK;
}

enum rs_code cox_wald_test(struct rs_cox_model *model, struct rs_error *err)
{
	double df;
	return rs_cox_wald(model, 0, model->columns, &model->wald_test, &df, err);
}

/* work: p² + 4 p numbers. */
static enum rs_code fit(const struct rs_cox_data *data, const struct rs_cox_options *options,
                        struct walker *walker, double *work, struct rs_cox_model *model, struct rs_error *err)
{
	size_t p = data->columns;
	double *step = work + p * p + 2 * p, *trial = step + p;
	struct likelihood l = {walker, p, options->ties, 0, work + p * p, work, work + p * p + p};
	memcpy(model->means, walker->means, p * sizeof *model->means);
	evaluate(&l, walker, model->coefficients);
	model->log_likelihood[0] = l.value;
	model->df = (double)newton_step(&l, step);
	model->score_test = inner(step, l.score, p);
	search(&l, walker, model, step, trial);
	model->log_likelihood[1] = l.value;
	for (size_t j = 0; j < p; j++) {
		model->aliased[j] = !(l.information[j * p + j] > 0);
		model->endless[j] = !model->converged && !small_step(&step[j], &model->coefficients[j], 1);
	}
	rs_ldl_inverse(l.information, p, model->variance);
	find_baseline(walker, options->ties, model);
	if (options->robust)
		RS_TRY(make_robust(data, options->ties, model, err));
	return cox_wald_test(model, err);
}

enum rs_code rs_cox_fit(const struct rs_cox_data *data, const struct rs_cox_options *options,
                        struct rs_cox_model *out, struct rs_error *err)
{
	struct walker walker RS_CLEANUP(walker_finish) = {0};
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	RS_TRY(walker_init(&walker, data, err));
	RS_TRY(allocate(data, &model, err));
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(data->columns + 4,
	                                                             data->columns * sizeof *work);
	if (!work)
		return rs_error_memory(err, data->columns * data->columns * sizeof *work, "a model");
	RS_TRY(fit(data, options, &walker, work, &model, err));
	*out = model;
	model = (struct rs_cox_model){0};
	return RS_OK;
}
