/* Inputs judged one by one by how they go with the outcome. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/numeric_distribution.h"
#include "step.h"

void statistic_classes(const double *x, const uint8_t *outcome, uint32_t classes, size_t rows, double *out,
                       double *out_p)
{
	double sum[CLASSES_MAX] = {0}, count[CLASSES_MAX] = {0}, all = 0, within = 0, between = 0;
	size_t groups = 0;
	for (size_t i = 0; i < rows; i++) {
		sum[outcome[i]] += x[i];
		count[outcome[i]]++;
		all += x[i];
	}
	for (uint32_t c = 0; c < classes; c++) {
		if (count[c] == 0)
			continue;
		sum[c] /= count[c];
		double away = sum[c] - all / (double)rows;
		between += count[c] * away * away;
		groups++;
	}
	for (size_t i = 0; i < rows; i++)
		within += (x[i] - sum[outcome[i]]) * (x[i] - sum[outcome[i]]);
	double above = (double)groups - 1, below = (double)(rows - groups);
	*out = groups > 1 && between > 0 ? between / above / (within / below) : 0;
	*out_p = *out > 0 ? rs_f_upper(*out, above, below) : 1;
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

static enum rs_code rate(const struct fitting *f, struct rated *rated, struct rs_error *err)
{
	const struct training *t = f->training;
	struct timed *sorted RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *sorted);
	size_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *order);
	double *z RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *z), mean, deviation;
	if (!sorted || !order || !z)
		return rs_error_memory(err, t->rows * sizeof *sorted, "selection");
	for (size_t i = 0; i < t->rows; i++)
		sorted[i] = (struct timed){t->time[i], i};
	qsort(sorted, t->rows, sizeof *sorted, by_time);
	for (size_t i = 0; i < t->rows; i++)
		order[i] = sorted[i].row;
	for (size_t c = 0; c < f->count; c++) {
		rated[c].input = c;
		standardise(f->x + c * t->rows, t->rows, z, &mean, &deviation);
		if (t->target == TARGET_SURVIVAL)
			statistic_survival(z, t->outcome, t->time, order, t->rows, &rated[c].statistic,
			                   &rated[c].p);
		else
			statistic_classes(z, t->outcome, t->classes, t->rows, &rated[c].statistic,
			                  &rated[c].p);
	}
	return RS_OK;
}

/* Those with p up to `p`, at most `most`, and the best one in any case. */
static enum rs_code choose_best(const struct fitting *f, double p, uint64_t most, bool *keep,
                                struct rs_error *err)
{
	struct rated *rated RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->count, sizeof *rated);
	if (!rated)
		return rs_error_memory(err, f->count * sizeof *rated, "selection");
	RS_TRY(rate(f, rated, err));
	qsort(rated, f->count, sizeof *rated, by_statistic);
	for (size_t k = 0; k < f->count; k++)
		keep[rated[k].input] = k == 0 || (rated[k].p <= p && (most == 0 || k < most));
	return RS_OK;
}

struct options {
	double p;
	uint64_t keep;
};

static enum rs_code choose_univariate(const struct fitting *f, const void *options, bool *keep,
                                      struct rs_error *err)
{
	const struct options *o = options;
	return choose_best(f, o->p, o->keep, keep, err);
}

static enum rs_code choose_first(const struct fitting *f, const void *options, bool *keep,
                                 struct rs_error *err)
{
	return choose_best(f, 1, *(const uint64_t *)options, keep, err);
}

static const struct setting univariate_settings[] = {
	{"p", SETTING_NUMBER, offsetof(struct options, p), 0, 1, 0.05, NULL},
	{"keep", SETTING_COUNT, offsetof(struct options, keep), 0, 1000000, 0, NULL},
	{NULL, SETTING_COUNT, 0, 0, 0, 0, NULL},
};
const struct step step_univariate = {.name = "univariate",
                                     .settings = univariate_settings,
                                     .options_size = sizeof(struct options),
                                     .choose = choose_univariate};

static const struct setting keep_settings[] = {
	{"count", SETTING_COUNT, 0, 1, 1000000, 20, NULL},
	{NULL, SETTING_COUNT, 0, 0, 0, 0, NULL},
};
const struct step step_keep = {
	.name = "keep", .settings = keep_settings, .options_size = sizeof(uint64_t), .choose = choose_first};
