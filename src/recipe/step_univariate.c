/* Inputs judged one by one by how they go with the outcome. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/learn_select.h"
#include "numeric/numeric_distribution.h"
#include "recipe/recipe_step.h"

void rs_statistic_classes(const double *x, const uint8_t *outcome, uint32_t classes, size_t rows, double *out,
                          double *out_p)
{
	double sum[RS_CLASSES_MAX] = {0}, count[RS_CLASSES_MAX] = {0}, all = 0, within = 0, between = 0;
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

/* Cox's score test at coefficient 0: sum over events of x less the mean of those at risk, squared, by its variance. */
static void statistic_survival(const double *x, const uint8_t *event, const double *time,
                               const size_t *by_time, size_t rows, double *out, double *out_p)
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

enum rs_code rs_statistics_of(const struct rs_fitting *f, double *out, double *out_p, struct rs_error *err)
{
	const struct rs_training *t = f->training;
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
		rs_standardise(f->x + c * t->rows, t->rows, z, &mean, &deviation);
		if (t->target == RS_TARGET_SURVIVAL)
			statistic_survival(z, t->outcome, t->time, order, t->rows, &out[c], &out_p[c]);
		else
			rs_statistic_classes(z, t->outcome, t->classes, t->rows, &out[c], &out_p[c]);
	}
	return RS_OK;
}

/* Groups that occur, numbered from 0. */
static size_t number_groups(const struct rs_training *t, uint8_t *out)
{
	uint8_t number[RS_CLASSES_MAX];
	bool seen[RS_CLASSES_MAX] = {false};
	size_t count = 0;
	for (size_t i = 0; i < t->rows; i++)
		seen[t->outcome[i]] = true;
	for (size_t g = 0; g < RS_CLASSES_MAX; g++)
		number[g] = (uint8_t)(seen[g] ? count++ : 0);
	for (size_t i = 0; i < t->rows; i++)
		out[i] = number[t->outcome[i]];
	return count;
}

/* The statistic is that p grows less by. */
static enum rs_code ranks_of(const struct rs_fitting *f, double *out, double *out_p, struct rs_error *err)
{
	const struct rs_training *t = f->training;
	struct rs_ranked *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *work);
	uint8_t *groups RS_CLEANUP(rs_free_pointer) = rs_allocate(t->rows);
	if (!work || !groups)
		return rs_error_memory(err, t->rows * sizeof *work, "selection");
	size_t count = number_groups(t, groups);
	for (size_t c = 0; c < f->count; c++) {
		out_p[c] = count > 1 ? rs_rank_test(f->x + c * t->rows, groups, count, t->rows, work) : 1;
		out[c] = -out_p[c];
	}
	return RS_OK;
}

enum test { TEST_MEANS, TEST_RANKS, TEST_SPEARMAN };
struct options {
	double p;
	uint64_t keep;
	uint32_t test, discoveries;
};

/* Spearman's correlation with the number of the class. */
static enum rs_code trends_of(const struct rs_fitting *f, double *out, double *out_p, struct rs_error *err)
{
	const struct rs_training *t = f->training;
	struct rs_ranked *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *work);
	if (!work)
		return rs_error_memory(err, t->rows * sizeof *work, "selection");
	for (size_t c = 0; c < f->count; c++)
		out[c] = fabs(rs_spearman(f->x + c * t->rows, t->outcome, t->rows, work, &out_p[c]));
	return RS_OK;
}

static enum rs_code test_of(const struct rs_fitting *f, enum test test, double *out, double *out_p,
                            struct rs_error *err)
{
	const struct rs_training *t = f->training;
	bool ordered = t->target == RS_TARGET_ORDINAL || t->target == RS_TARGET_BINARY;
	if (test == TEST_SPEARMAN && !ordered)
		return rs_error_set(err, RS_USAGE, "Spearman's test is of classes that have an order");
	if (test == TEST_SPEARMAN)
		return trends_of(f, out, out_p, err);
	return test == TEST_RANKS && t->target != RS_TARGET_SURVIVAL ? ranks_of(f, out, out_p, err)
	                                                             : rs_statistics_of(f, out, out_p, err);
}

static enum rs_code rate(const struct rs_fitting *f, const struct options *o, struct rated *rated,
                         struct rs_error *err)
{
	double *statistic RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->count, 2 * sizeof *statistic);
	size_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->count, 2 * sizeof *order);
	if (!statistic || !order)
		return rs_error_memory(err, f->count * 2 * sizeof *statistic, "selection");
	double *p = statistic + f->count;
	RS_TRY(test_of(f, (enum test)o->test, statistic, p, err));
	if (o->discoveries)
		rs_false_discovery(p, f->count, order);
	for (size_t c = 0; c < f->count; c++)
		rated[c] = (struct rated){statistic[c], p[c], c};
	return RS_OK;
}

/* Those with p up to `p`, at most `keep`, and the best one in any case. */
static enum rs_code choose_univariate(const struct rs_fitting *f, const void *options, bool *keep,
                                      struct rs_error *err)
{
	const struct options *o = options;
	struct rated *rated RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->count, sizeof *rated);
	if (!rated)
		return rs_error_memory(err, f->count * sizeof *rated, "selection");
	RS_TRY(rate(f, o, rated, err));
	qsort(rated, f->count, sizeof *rated, by_statistic);
	for (size_t k = 0; k < f->count; k++)
		keep[rated[k].input] = k == 0 || (rated[k].p <= o->p && (o->keep == 0 || k < o->keep));
	return RS_OK;
}

static enum rs_code choose_first(const struct rs_fitting *f, const void *options, bool *keep,
                                 struct rs_error *err)
{
	const struct options best = {.p = 1, .keep = *(const uint64_t *)options};
	return choose_univariate(f, &best, keep, err);
}

static const char *const tests[] = {"means", "ranks", "spearman", NULL};
static const char *const adjustments[] = {"none", "discoveries", NULL};
static const struct rs_setting univariate_settings[] = {
	{"p", RS_SETTING_NUMBER, offsetof(struct options, p), 0, 1, 0.05, NULL},
	{"keep", RS_SETTING_COUNT, offsetof(struct options, keep), 0, 1000000, 0, NULL},
	{"test", RS_SETTING_WORD, offsetof(struct options, test), 0, 0, 0, tests},
	{"adjust", RS_SETTING_WORD, offsetof(struct options, discoveries), 0, 0, 0, adjustments},
	{.name = NULL},
};
const struct rs_step rs_step_univariate = {.name = "univariate",
                                           .settings = univariate_settings,
                                           .options_size = sizeof(struct options),
                                           .choose = choose_univariate};

static const struct rs_setting keep_settings[] = {
	{"count", RS_SETTING_COUNT, 0, 1, 1000000, 20, NULL},
	{.name = NULL},
};
const struct rs_step rs_step_keep = {
	.name = "keep", .settings = keep_settings, .options_size = sizeof(uint64_t), .choose = choose_first};
