/* Martingale, deviance and score residuals (Therneau & Grambsch 2000, chapter 4). */
#include <math.h>

#include "cox_walk.h"

#define ROWS 4 /* of increments.x, for each item */

/* One time of events: increments, of which the dying bear a smaller part ("dying") where times are tied; after cumulate(),
 * `hazard` and the first of three rows of `x` are sums up to here. */
struct increment {
	uint32_t stratum;
	double time, hazard, dying;
	double late; /* × censoring; after cumulate(): from here to the stratum's end, for those who stay */
};
struct increments {
	size_t count, columns;
	struct increment *items; /* as walker_run() goes: times descend */
	double *x; /* by item: hazard × mean, the same for the dying, mean, late × mean; `columns` each */
	enum rs_cox_ties ties;
};

static void add_increment(void *context, const struct event_time *at)
{
	struct increments *all = context;
	size_t p = all->columns;
	struct increment *item = &all->items[all->count];
	double *x = &all->x[all->count++ * ROWS * p], n = (double)at->count;
	*item = (struct increment){at->stratum, at->time, 0, 0, 0};
	for (size_t k = 0; k < at->count; k++) {
		double share = tied_share(all->ties, k, at->count);
		double risk = at->at_risk.risk - share * at->events.risk, hazard = at->weight / n / risk;
		item->hazard += hazard;
		item->dying += (1 - share) * hazard;
		item->late += at->censoring * hazard;
		for (size_t j = 0; j < p; j++) {
			double mean = (at->at_risk.x[j] - share * at->events.x[j]) / risk;
			x[j] += hazard * mean;
			x[p + j] += (1 - share) * hazard * mean;
			x[2 * p + j] += mean / n;
			x[3 * p + j] += at->censoring * hazard * mean;
		}
	}
}

/* Sums from the first time of each stratum on; `dying` stays an increment, less the whole one. */
static void cumulate(struct increments *all)
{
	size_t p = all->columns;
	for (size_t i = all->count; i-- > 0;) {
		struct increment *item = &all->items[i];
		double *x = &all->x[i * ROWS * p];
		item->dying -= item->hazard;
		for (size_t j = 0; j < p; j++)
			x[p + j] -= x[j];
		if (i + 1 == all->count || all->items[i + 1].stratum != item->stratum)
			continue;
		item->hazard += all->items[i + 1].hazard;
		for (size_t j = 0; j < p; j++)
			x[j] += all->x[(i + 1) * ROWS * p + j];
	}
	for (size_t i = 1; i < all->count; i++) {
		if (all->items[i].stratum != all->items[i - 1].stratum)
			continue;
		all->items[i].late += all->items[i - 1].late;
		for (size_t j = 0; j < p; j++)
			all->x[(i * ROWS + 3) * p + j] += all->x[((i - 1) * ROWS + 3) * p + j];
	}
}

/* How many items come before the stratum's first at or before `time`. */
static size_t place(const struct increments *all, uint32_t stratum, double time)
{
	size_t low = 0, high = all->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct increment *item = &all->items[middle];
		if (item->stratum < stratum || (item->stratum == stratum && item->time > time))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The item at or before `time`, or all->count. */
static size_t find(const struct increments *all, uint32_t stratum, double time)
{
	size_t low = place(all, stratum, time);
	return low < all->count && all->items[low].stratum == stratum ? low : all->count;
}

/* What one meets who stays after a competing event at `time`; risk: with 1 / censoring then. */
static void add_staying(const struct increments *all, uint32_t stratum, double time, double risk,
                        const double *x, double *martingale, double *score)
{
	size_t after = place(all, stratum, time), p = all->columns;
	if (after == 0 || all->items[after - 1].stratum != stratum)
		return;
	double late = all->items[after - 1].late;
	*martingale -= risk * late;
	for (size_t j = 0; score && j < p; j++)
		score[j] -= risk * (x[j] * late - all->x[((after - 1) * ROWS + 3) * p + j]);
}

/* Adds sign × risk × (hazard to `item`, hazard × (x - mean)). */
static void add_exposure(const struct increments *all, size_t item, double risk, const double *x,
                         double *martingale, double *score)
{
	if (item == all->count)
		return;
	double hazard = all->items[item].hazard;
	const double *path = &all->x[item * ROWS * all->columns];
	*martingale -= risk * hazard;
	for (size_t j = 0; score && j < all->columns; j++)
		score[j] -= risk * (x[j] * hazard - path[j]);
}

static void add_event(const struct increments *all, size_t item, double risk, const double *x,
                      double *martingale, double *score)
{
	size_t p = all->columns;
	double less = all->items[item].dying;
	const double *path = &all->x[item * ROWS * p];
	*martingale += 1 - risk * less;
	for (size_t j = 0; score && j < p; j++)
		score[j] += x[j] - path[2 * p + j] - risk * (x[j] * less - path[p + j]);
}

static void residual(const struct increments *all, const struct walker *walker, size_t row,
                     double *martingale, double *score)
{
	const struct rs_cox_data *data = walker->data;
	const struct rs_follow_up *seen = &data->follow_up;
	const double *x = &walker->x[row * all->columns];
	uint32_t stratum = data->stratum ? data->stratum[row] : 0;
	double risk = walker->risk[row], ignored, *sum = martingale ? martingale : &ignored;
	size_t last = find(all, stratum, seen->time[row]);
	*sum = 0;
	for (size_t j = 0; score && j < all->columns; j++)
		score[j] = 0;
	add_exposure(all, last, risk, x, sum, score);
	if (seen->start)
		add_exposure(all, find(all, stratum, seen->start[row]), -risk, x, sum, score);
	if (data->staying && data->staying->staying[row] > 0)
		add_staying(all, stratum, seen->time[row], risk * data->staying->staying[row], x, sum, score);
	if (seen->event[row])
		add_event(all, last, risk, x, sum, score);
	for (size_t j = 0; score && seen->weight && j < all->columns; j++)
		score[j] *= seen->weight[row];
}

enum rs_code rs_cox_residuals(const struct rs_cox_model *model, const struct rs_cox_data *data,
                              enum rs_cox_ties ties, double *martingale, double *score, struct rs_error *err)
{
	struct walker walker RS_CLEANUP(walker_finish) = {0};
	size_t p = data->columns;
	struct increment *items RS_CLEANUP(rs_free_pointer) = rs_allocate_array(model->events, sizeof *items);
	double *x RS_CLEANUP(rs_free_pointer) = rs_allocate_array(model->events, ROWS * p * sizeof *x);
	if (!items || !x)
		return rs_error_memory(err, model->events * ROWS * p * sizeof *x, "residuals");
	RS_TRY(walker_init(&walker, data, err));
	walker_set(&walker, model->coefficients);
	struct increments all = {0, p, items, x, ties};
	walker_run(&walker, false, add_increment, &all);
	cumulate(&all);
	for (size_t i = 0; i < data->follow_up.count; i++)
		residual(&all, &walker, i, martingale ? &martingale[i] : NULL, score ? &score[i * p] : NULL);
	return RS_OK;
}

double rs_cox_deviance_residual(double martingale, bool event)
{
	double inside = martingale + (event ? log(1 - martingale) : 0);
	return copysign(sqrt(fmax(0, -2 * inside)), martingale);
}
