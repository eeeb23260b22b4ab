/* Inputs that say nothing, or what another one says: near-zero variance, correlation. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/learn_select.h"
#include "recipe/recipe_step.h"

struct options {
	double limit;
};

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Constant, or the commonest value `limit` times as common as the next and few values in all (Kuhn 2008). */
static bool is_varied(double *sorted, size_t rows, double limit)
{
	size_t distinct = 0, first = 0, second = 0, run = 0;
	qsort(sorted, rows, sizeof *sorted, ascending);
	for (size_t i = 0; i < rows; i++) {
		run++;
		if (i + 1 < rows && sorted[i + 1] == sorted[i])
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
	       !((double)first > limit * (double)second && (double)distinct <= 0.1 * (double)rows);
}

static enum rs_code choose_varied(const struct rs_fitting *f, const void *options, bool *keep,
                                  struct rs_error *err)
{
	const struct options *o = options;
	size_t rows = f->training->rows;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *work), mean, deviation;
	if (!work)
		return rs_error_memory(err, rows * sizeof *work, "selection");
	for (size_t c = 0; c < f->count; c++) {
		rs_standardise(f->x + c * rows, rows, work, &mean, &deviation);
		memcpy(work, f->x + c * rows, rows * sizeof *work);
		keep[c] = deviation > 0 && is_varied(work, rows, o->limit);
	}
	return RS_OK;
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

struct correlation_options {
	double limit;
	uint32_t average; /* of two, that goes which is closer to all others in the mean */
};

/* Of two that say the same, the first stays. */
static enum rs_code keep_first(const struct rs_fitting *f, double limit, bool *keep, struct rs_error *err)
{
	size_t kept = 0, rows = f->training->rows, room = 0;
	double *z RS_CLEANUP(rs_free_pointer) = rs_mul_size(f->count, rows, &room)
	                                                ? rs_allocate_array(room, sizeof *z)
	                                                : NULL,
		  mean, deviation;
	if (!z)
		return rs_error_memory(err, room * sizeof *z, "selection");
	for (size_t c = 0; c < f->count; c++) {
		double *own = z + kept * rows;
		rs_standardise(f->x + c * rows, rows, own, &mean, &deviation);
		keep[c] = true;
		for (size_t k = 0; k < kept && keep[c]; k++)
			keep[c] = fabs(product(own, z + k * rows, rows)) <= limit * (double)rows;
		kept += keep[c];
	}
	return RS_OK;
}

static enum rs_code choose_uncorrelated(const struct rs_fitting *f, const void *options, bool *keep,
                                        struct rs_error *err)
{
	const struct correlation_options *o = options;
	const struct rs_matrix x = {f->training->rows, f->count, f->x};
	return o->average ? rs_uncorrelated(&x, o->limit, keep, err) : keep_first(f, o->limit, keep, err);
}

static const struct rs_setting near_zero_settings[] = {
	{"ratio", RS_SETTING_NUMBER, offsetof(struct options, limit), 1, 1e9, 19, NULL},
	{.name = NULL},
};
const struct rs_step rs_step_near_zero = {.name = "near_zero",
                                          .settings = near_zero_settings,
                                          .options_size = sizeof(struct options),
                                          .choose = choose_varied};

static const char *const leaving[] = {"later", "average", NULL};
static const struct rs_setting correlation_settings[] = {
	{"limit", RS_SETTING_NUMBER, offsetof(struct correlation_options, limit), 0, 1, 0.9, NULL},
	{"drop", RS_SETTING_WORD, offsetof(struct correlation_options, average), 0, 0, 0, leaving},
	{.name = NULL},
};
const struct rs_step rs_step_correlation = {.name = "correlation",
                                            .settings = correlation_settings,
                                            .options_size = sizeof(struct correlation_options),
                                            .choose = choose_uncorrelated};
