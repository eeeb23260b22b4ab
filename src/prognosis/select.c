/* Which inputs a model is given, judged on training rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fit.h"
#include "numeric/numeric_distribution.h"

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Constant, or the commonest value near_zero times as common as the next and few values in all (Kuhn 2008). */
static bool is_varied(const double *x, size_t rows, double near_zero, double *work)
{
	size_t distinct = 0, first = 0, second = 0, run = 0;
	memcpy(work, x, rows * sizeof *work);
	qsort(work, rows, sizeof *work, ascending);
	for (size_t i = 0; i < rows; i++) {
		run++;
		if (i + 1 < rows && work[i + 1] == work[i])
			continue;
		distinct++;
		if (run > first) {
			second = first;
			first = run;
		} else if (run > second) {
			second = run;
		}
		run = 0;
	}
	return distinct > 1 &&
	       !((double)first > near_zero * (double)second && (double)distinct <= 0.1 * (double)rows);
}

static void keep_input(struct fitting *f, size_t from, size_t to)
{
	size_t rows = f->training->rows;
	if (from == to)
		return;
	f->inputs[to] = f->inputs[from];
	memcpy(f->x + to * rows, f->x + from * rows, rows * sizeof *f->x);
}

void select_varied(struct fitting *f, double *work)
{
	size_t kept = 0, rows = f->training->rows;
	for (size_t i = 0; i < f->count; i++)
		if (is_varied(f->x + i * rows, rows, f->recipe->near_zero, work))
			keep_input(f, i, kept++);
	f->count = kept;
}

static double product(const double *a, const double *b, size_t count)
{
	double sum[4] = {0, 0, 0, 0};
	size_t i = 0;
	for (; i + 4 <= count; i += 4)
		for (size_t k = 0; k < 4; k++)
			sum[k] += a[i + k] * b[i + k];
	for (; i < count; i++)
		sum[0] += a[i] * b[i];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Of two that say the same, the first stays. */
void select_uncorrelated(struct fitting *f)
{
	size_t kept = 0, rows = f->training->rows;
	for (size_t i = 0; i < f->count; i++) {
		bool own = true;
		for (size_t k = 0; k < kept && own; k++)
			own = fabs(product(f->x + i * rows, f->x + k * rows, rows)) <=
			      f->recipe->correlation * (double)rows;
		if (own)
			keep_input(f, i, kept++);
	}
	f->count = kept;
}

void statistic_classes(const double *x, const uint8_t *outcome, size_t rows, double *out, double *out_p)
{
	double sum[2] = {0, 0}, count[2] = {0, 0}, within = 0;
	for (size_t i = 0; i < rows; i++) {
		sum[outcome[i]] += x[i];
		count[outcome[i]]++;
	}
	double mean[2] = {sum[0] / count[0], sum[1] / count[1]};
	for (size_t i = 0; i < rows; i++)
		within += (x[i] - mean[outcome[i]]) * (x[i] - mean[outcome[i]]);
	double between = (mean[1] - mean[0]) * (mean[1] - mean[0]) * count[0] * count[1] / (double)rows;
	double freedom = (double)rows - 2;
	*out = between / (within / freedom);
	*out_p = *out > 0 ? rs_f_upper(*out, 1, freedom) : 1;
}

/* Score test at coefficient 0: sum over events of x less the mean of those at risk, squared, by its variance. */
void statistic_survival(const double *x, const uint8_t *event, const double *time, const size_t *by_time,
                        size_t rows, double *out, double *out_p)
{
	double n = 0, sum = 0, squares = 0, score = 0, variance = 0;
	for (size_t end = rows; end > 0;) {
		size_t begin = end;
		while (begin > 0 && time[by_time[begin - 1]] == time[by_time[end - 1]]) {
			double value = x[by_time[--begin]];
			n++;
			sum += value;
			squares += value * value;
		}
		for (size_t i = begin; i < end; i++)
			if (event[by_time[i]]) {
				score += x[by_time[i]] - sum / n;
				variance += squares / n - sum / n * (sum / n);
			}
		end = begin;
	}
	*out = variance > 0 ? score * score / variance : 0;
	*out_p = *out > 0 ? rs_chi_square_upper(*out, 1) : 1;
}

struct rated {
	double statistic, p;
	size_t input;
};
static int by_statistic(const void *a, const void *b)
{
	const struct rated *x = a, *y = b;
	if (x->statistic != y->statistic)
		return x->statistic > y->statistic ? -1 : 1;
	return x->input < y->input ? -1 : x->input > y->input;
}
static int by_input(const void *a, const void *b)
{
	const struct rated *x = a, *y = b;
	return x->input < y->input ? -1 : x->input > y->input;
}

struct timed {
	double time;
	size_t row;
};
static int by_time(const void *a, const void *b)
{
	const struct timed *x = a, *y = b;
	if (x->time != y->time)
		return x->time > y->time ? 1 : -1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static enum rs_code rate_survival(const struct fitting *f, struct rated *rated, struct rs_error *err)
{
	const struct training *t = f->training;
	struct timed *sorted RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *sorted);
	size_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *order);
	if (!sorted || !order)
		return rs_error_memory(err, t->rows * sizeof *sorted, "selection");
	for (size_t i = 0; i < t->rows; i++)
		sorted[i] = (struct timed){t->time[i], i};
	qsort(sorted, t->rows, sizeof *sorted, by_time);
	for (size_t i = 0; i < t->rows; i++)
		order[i] = sorted[i].row;
	for (size_t i = 0; i < f->count; i++)
		statistic_survival(f->x + i * t->rows, t->outcome, t->time, order, t->rows,
		                   &rated[i].statistic, &rated[i].p);
	return RS_OK;
}

/* Those with p below `univariate`, at most `keep`, and the best one in any case. */
enum rs_code select_univariate(struct fitting *f, struct rs_error *err)
{
	const struct training *t = f->training;
	size_t kept = 0, most = f->recipe->keep ? f->recipe->keep : f->count;
	if (f->count == 0 || (most >= f->count && f->recipe->univariate >= 1))
		return RS_OK;
	struct rated *rated RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->count, sizeof *rated);
	if (!rated)
		return rs_error_memory(err, f->count * sizeof *rated, "selection");
	if (t->survival)
		RS_TRY(rate_survival(f, rated, err));
	else
		for (size_t i = 0; i < f->count; i++)
			statistic_classes(f->x + i * t->rows, t->outcome, t->rows, &rated[i].statistic,
			                  &rated[i].p);
	for (size_t i = 0; i < f->count; i++)
		rated[i].input = i;
	qsort(rated, f->count, sizeof *rated, by_statistic);
	while (kept < f->count && kept < most && (kept == 0 || rated[kept].p <= f->recipe->univariate))
		kept++;
	qsort(rated, kept, sizeof *rated, by_input);
	for (size_t i = 0; i < kept; i++)
		keep_input(f, rated[i].input, i);
	f->count = kept;
	return RS_OK;
}
