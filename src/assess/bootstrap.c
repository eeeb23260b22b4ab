#include "assess/assess_bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_random.h"
#include "numeric/numeric_distribution.h"

#define PARTS_MAX 500

/* On the scale of normal quantiles between the replicates on either side, as boot::boot.ci has it. */
static double end_at(const double *replicates, size_t count, double share)
{
	double place = share * ((double)count + 1);
	if (!(place >= 1))
		return replicates[0];
	if (place >= (double)count)
		return replicates[count - 1];
	size_t below = (size_t)place;
	double low = rs_normal_quantile((double)below / ((double)count + 1));
	double high = rs_normal_quantile(((double)below + 1) / ((double)count + 1));
	if (place - (double)below < 1e-10)
		return replicates[below - 1];
	return replicates[below - 1] +
	       (rs_normal_quantile(share) - low) / (high - low) * (replicates[below] - replicates[below - 1]);
}

/* Skewness of what each part adds. */
static double acceleration(const double *left_out, size_t parts)
{
	double mean = 0, squares = 0, cubes = 0;
	for (size_t i = 0; i < parts; i++)
		mean += left_out[i] / (double)parts;
	for (size_t i = 0; i < parts; i++) {
		double part = mean - left_out[i];
		squares += part * part;
		cubes += part * part * part;
	}
	return squares > 0 ? cubes / (6 * squares * sqrt(squares)) : 0;
}

struct rs_interval rs_bootstrap_interval(double value, const double *replicates, size_t count,
                                         const double *left_out, size_t parts, double level)
{
	double z = rs_normal_quantile(0.5 + 0.5 * level), shares[2] = {0.5 - 0.5 * level, 0.5 + 0.5 * level};
	if (left_out) {
		double below = 0, a = acceleration(left_out, parts);
		for (size_t i = 0; i < count; i++)
			below += replicates[i] < value;
		double bias = rs_normal_quantile(fmin(fmax(below, 0.5), (double)count - 0.5) / (double)count);
		shares[0] = rs_normal_lower(bias + (bias - z) / (1 - a * (bias - z)));
		shares[1] = rs_normal_lower(bias + (bias + z) / (1 - a * (bias + z)));
	}
	return (struct rs_interval){value, end_at(replicates, count, shares[0]),
	                            end_at(replicates, count, shares[1])};
}

/* Rows by subject: those of subject s are order[first[s]] … order[first[s + 1] - 1]. */
struct drawing {
	rs_statistic *statistic;
	void *context;
	size_t width, count, subjects, parts;
	const struct rs_bootstrap_options *options;
	size_t *order, *first;
	double *values; /* resamples, then parts left out; `width` each */
};

static void drawing_finish(struct drawing *d)
{
	rs_free(d->order);
	rs_free(d->first);
	rs_free(d->values);
}

static enum rs_code find_subjects(struct drawing *d, struct rs_error *err)
{
	const uint32_t *subject = d->options->subject;
	d->order = rs_allocate_array(d->count, sizeof *d->order);
	d->first = rs_allocate_array(d->count + 2, sizeof *d->first);
	size_t *size RS_CLEANUP(rs_free_pointer) = rs_allocate_array(d->count + 1, sizeof *size);
	if (!d->order || !d->first || !size)
		return rs_error_memory(err, d->count * sizeof *d->order, "a bootstrap");
	for (size_t i = 0; i < d->count; i++) {
		if (subject && subject[i] >= d->count)
			return rs_error_set(err, RS_USAGE, "row %zu: a subject's number out of range", i + 1);
		size[subject ? subject[i] : i]++;
	}
	size_t *place = size; /* becomes: where the next row of a subject goes */
	for (size_t s = 0, sum = 0; s < d->count; s++) {
		size_t rows = size[s];
		place[s] = sum;
		if (rows > 0)
			d->first[d->subjects++] = sum;
		sum += rows;
	}
	d->first[d->subjects] = d->count;
	for (size_t i = 0; i < d->count; i++)
		d->order[place[subject ? subject[i] : i]++] = i;
	return RS_OK;
}

static size_t append(const struct drawing *d, size_t subject, size_t *rows, size_t count)
{
	size_t size = d->first[subject + 1] - d->first[subject];
	memcpy(rows + count, d->order + d->first[subject], size * sizeof *rows);
	return count + size;
}

static size_t largest_subject(const struct drawing *d)
{
	size_t largest = 0;
	for (size_t s = 0; s < d->subjects; s++)
		if (d->first[s + 1] - d->first[s] > largest)
			largest = d->first[s + 1] - d->first[s];
	return largest;
}

/* Resample `index`, or what is left without a part of the subjects. */
static enum rs_code draw(void *context, size_t index, struct rs_error *err)
{
	const struct drawing *d = context;
	size_t room = 0, count = 0, resamples = d->options->resamples;
	size_t *rows RS_CLEANUP(rs_free_pointer) = NULL;
	if (rs_mul_size(d->subjects, largest_subject(d), &room))
		rows = rs_allocate_array(room, sizeof *rows);
	if (!rows)
		return rs_error_memory(err, room * sizeof *rows, "a resample");
	struct rs_stream stream = rs_stream_of(d->options->seed, index);
	for (size_t s = 0; s < d->subjects; s++) {
		if (index < resamples)
			count = append(d, rs_stream_below(&stream, d->subjects), rows, count);
		else if (s * d->parts / d->subjects != index - resamples)
			count = append(d, s, rows, count);
	}
	double *out = d->values + index * d->width;
	enum rs_code code = count ? d->statistic(d->context, rows, count, out, err) : RS_NOT_FOUND;
	for (size_t k = 0; code == RS_NOT_FOUND && k < d->width; k++)
		out[k] = NAN;
	return code == RS_NOT_FOUND ? RS_OK : code;
}

static int ascending(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;
	return (first > second) - (first < second);
}

/* Column k of the values from `first` on, without NaN. */
static size_t gather(const struct drawing *d, size_t first, size_t count, size_t k, double *out)
{
	size_t found = 0;
	for (size_t i = first; i < first + count; i++)
		if (!isnan(d->values[i * d->width + k]))
			out[found++] = d->values[i * d->width + k];
	return found;
}

static enum rs_code reduce(const struct drawing *d, struct rs_interval *out, struct rs_error *err)
{
	size_t resamples = d->options->resamples, room = resamples + d->parts;
	double *all RS_CLEANUP(rs_free_pointer) = rs_allocate_array(room, sizeof *all);
	if (!all)
		return rs_error_memory(err, room * sizeof *all, "a bootstrap");
	double *left_out = all + resamples;
	for (size_t k = 0; k < d->width; k++) {
		size_t found = gather(d, 0, resamples, k, all);
		size_t parts = gather(d, resamples, d->parts, k, left_out);
		out[k].lower = out[k].upper = NAN;
		if (isnan(out[k].value) || found * 10 < resamples * 9)
			continue;
		qsort(all, found, sizeof *all, ascending);
		out[k] = rs_bootstrap_interval(out[k].value, all, found,
		                               d->options->accelerated ? left_out : NULL, parts,
		                               d->options->level);
	}
	return RS_OK;
}

enum rs_code rs_bootstrap_of(rs_statistic *statistic, void *context, size_t width, size_t count,
                             const struct rs_bootstrap_options *options, struct rs_interval *out,
                             struct rs_error *err)
{
	struct drawing d RS_CLEANUP(drawing_finish) = {.statistic = statistic,
	                                               .context = context,
	                                               .width = width,
	                                               .count = count,
	                                               .options = options};
	if (options->resamples < 100 || options->resamples > 100000)
		return rs_error_set(err, RS_USAGE, "a bootstrap draws 100 to 100000 times");
	if (count == 0 || !(options->level > 0 && options->level < 1))
		return rs_error_set(err, RS_USAGE, "a bootstrap needs rows, and a level between 0 and 1");
	RS_TRY(find_subjects(&d, err));
	if (options->accelerated)
		d.parts = d.subjects < PARTS_MAX ? d.subjects : PARTS_MAX;
	d.values = rs_allocate_array(options->resamples + d.parts + 1, width * sizeof *d.values);
	if (!d.values)
		return rs_error_memory(err, options->resamples * width * sizeof *d.values, "a bootstrap");
	double *whole = d.values + (options->resamples + d.parts) * width;
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *rows);
	if (!rows)
		return rs_error_memory(err, count * sizeof *rows, "a bootstrap");
	for (size_t i = 0; i < count; i++)
		rows[i] = i;
	RS_TRY(statistic(context, rows, count, whole, err));
	RS_TRY(rs_pool_for(options->pool, options->resamples + d.parts, draw, &d, err));
	for (size_t k = 0; k < width; k++)
		out[k].value = whole[k];
	return reduce(&d, out, err);
}

double rs_mcnemar(uint64_t only_first, uint64_t only_second)
{
	uint64_t fewer = only_first < only_second ? only_first : only_second, all = only_first + only_second;
	if (fewer * 2 == all)
		return 1;
	/* P(at most `fewer` of `all`, each as likely) = I_1/2(all - fewer, fewer + 1) */
	return fmin(1, 2 * rs_beta_lower(0.5, (double)(all - fewer), (double)fewer + 1));
}
