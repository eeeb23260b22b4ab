#include "cox_walk.h"

#include <math.h>
#include <string.h>

#include "order.h"

void walker_finish(struct walker *walker)
{
	rs_free(walker->x);
	rs_free(walker->means);
	rs_free(walker->risk);
	rs_free(walker->predictor);
	rs_free(walker->leaving);
	rs_free(walker->entering);
	rs_free(walker->dying);
	rs_free(walker->work);
	rs_free(walker->with);
}

static enum rs_code centre(struct walker *walker, struct rs_error *err)
{
	const struct rs_cox_data *data = walker->data;
	size_t n = data->follow_up.count, p = data->columns;
	for (size_t j = 0; j < p; j++) {
		double sum = 0;
		for (size_t i = 0; i < n; i++) {
			if (!isfinite(data->x[i * p + j]))
				return rs_error_set(err, RS_MALFORMED, "row %zu, column %zu: not a number",
				                    i + 1, j + 1);
			sum += data->x[i * p + j];
		}
		walker->means[j] = sum / (double)n;
		for (size_t i = 0; i < n; i++)
			walker->x[i * p + j] = data->x[i * p + j] - walker->means[j];
	}
	return RS_OK;
}

enum rs_code walker_init(struct walker *walker, const struct rs_cox_data *data, struct rs_error *err)
{
	size_t n = data->follow_up.count, p = data->columns;
	*walker = (struct walker){.data = data};
	if (p == 0)
		return rs_error_set(err, RS_USAGE, "there is no covariate");
	RS_TRY(rs_follow_up_check(&data->follow_up, err));
	walker->x = rs_allocate_array(n, p * sizeof(double));
	walker->means = rs_allocate_array(p, sizeof(double));
	walker->risk = rs_allocate_array(n, sizeof(double));
	walker->predictor = rs_allocate_array(n, sizeof(double));
	walker->dying = rs_allocate_array(n, sizeof(size_t));
	walker->work = rs_allocate_array(3 * (p + 1), p * sizeof(double));
	walker->with = rs_allocate_array(p + 1, p * sizeof(double));
	if (!walker->with || !walker->x || !walker->means || !walker->risk || !walker->predictor ||
	    !walker->dying || !walker->work)
		return rs_error_memory(err, n * p * sizeof(double), "covariates");
	RS_TRY(centre(walker, err));
	RS_TRY(order_by(data->stratum, data->follow_up.time, NULL, n, &walker->leaving, err));
	if (data->follow_up.start)
		RS_TRY(order_by(data->stratum, data->follow_up.start, NULL, n, &walker->entering, err));
	return RS_OK;
}

void walker_set(struct walker *walker, const double *coefficients)
{
	size_t n = walker->data->follow_up.count, p = walker->data->columns;
	walker->shift = -INFINITY;
	for (size_t i = 0; i < n; i++) {
		double sum = 0;
		for (size_t j = 0; j < p; j++)
			sum += coefficients[j] * walker->x[i * p + j];
		walker->predictor[i] = sum;
		walker->shift = fmax(walker->shift, sum);
	}
	for (size_t i = 0; i < n; i++)
		walker->risk[i] = exp(walker->predictor[i] - walker->shift);
}

static void add(const struct walker *walker, struct moments *sum, size_t row, double scale, bool second)
{
	const struct rs_follow_up *seen = &walker->data->follow_up;
	size_t p = walker->data->columns;
	const double *x = &walker->x[row * p];
	double risk = scale * walker->risk[row] * (seen->weight ? seen->weight[row] : 1);
	sum->risk += risk;
	for (size_t j = 0; j < p; j++) {
		double part = risk * x[j];
		sum->x[j] += part;
		for (size_t k = 0; second && k <= j; k++)
			sum->xx[j * p + k] += part * x[k];
	}
}

static void clear(struct moments *sum, size_t p)
{
	sum->risk = 0;
	memset(sum->x, 0, (p + 1) * p * sizeof *sum->x);
}

/* Adds scale × more to sum. */
static void add_moments(struct moments *sum, const struct moments *more, double scale, size_t p)
{
	sum->risk += scale * more->risk;
	for (size_t j = 0; j < (p + 1) * p; j++)
		sum->x[j] += scale * more->x[j];
}

/* Those who stay after a competing event, as far back as the walk has come: `staying` holds who left before. */
static void visit_with_staying(const struct walker *walker, const struct moments *staying,
                               struct event_time *at, event_visit *visit, void *context)
{
	size_t p = walker->data->columns;
	const struct rs_cox_staying *those = walker->data->staying;
	struct moments kept = {at->at_risk.risk, walker->with, walker->with + p};
	memcpy(kept.x, at->at_risk.x, (p + 1) * p * sizeof *kept.x);
	at->censoring = those->censoring[at->dying[0]];
	add_moments(&at->at_risk, staying, at->censoring, p);
	visit(context, at);
	at->at_risk.risk = kept.risk;
	memcpy(at->at_risk.x, kept.x, (p + 1) * p * sizeof *kept.x);
}

/* Rows first … last - 1 of the orders are one stratum. */
static void run_stratum(struct walker *walker, size_t first, size_t last, bool second, struct event_time *at,
                        event_visit *visit, void *context)
{
	const struct rs_follow_up *seen = &walker->data->follow_up;
	const struct rs_cox_staying *those = walker->data->staying;
	size_t p = walker->data->columns, entered = last;
	struct moments staying = {0, walker->work + 2 * p * (p + 1), walker->work + 2 * p * (p + 1) + p};
	clear(&at->at_risk, p);
	clear(&staying, p);
	for (size_t i = first; those && i < last; i++)
		if (those->staying[walker->leaving[i]] > 0)
			add(walker, &staying, walker->leaving[i], those->staying[walker->leaving[i]], second);
	for (size_t i = last, next; i > first; i = next) {
		at->time = seen->time[walker->leaving[i - 1]];
		at->count = 0;
		at->weight = 0;
		clear(&at->events, p);
		for (next = i; next > first && seen->time[walker->leaving[next - 1]] == at->time; next--) {
			size_t row = walker->leaving[next - 1];
			add(walker, &at->at_risk, row, 1, second);
			if (those && those->staying[row] > 0)
				add(walker, &staying, row, -those->staying[row], second);
			if (!seen->event[row])
				continue;
			walker->dying[at->count++] = row;
			at->weight += seen->weight ? seen->weight[row] : 1;
			add(walker, &at->events, row, 1, second);
		}
		for (; walker->entering && entered > first &&
		       seen->start[walker->entering[entered - 1]] >= at->time;
		     entered--)
			add(walker, &at->at_risk, walker->entering[entered - 1], -1, second);
		if (at->count > 0 && those)
			visit_with_staying(walker, &staying, at, visit, context);
		else if (at->count > 0)
			visit(context, at);
	}
}

void walker_run(struct walker *walker, bool second, event_visit *visit, void *context)
{
	const uint32_t *stratum = walker->data->stratum;
	size_t n = walker->data->follow_up.count, p = walker->data->columns;
	double *work = walker->work, *more = walker->work + p * (p + 1);
	struct event_time at = {
		.dying = walker->dying,
		.censoring = 1,
		.at_risk = {0, work, work + p},
		.events = {0, more, more + p},
	};
	for (size_t first = 0, last; first < n; first = last) {
		at.stratum = stratum ? stratum[walker->leaving[first]] : 0;
		for (last = first; last < n && (!stratum || stratum[walker->leaving[last]] == at.stratum);)
			last++;
		run_stratum(walker, first, last, second, &at, visit, context);
	}
}
