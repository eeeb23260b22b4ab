/* Pool adjacent violators. */
#include <math.h>
#include <stdlib.h>

#include "assess/assess_isotonic.h"

void rs_isotonic_finish(struct rs_isotonic *isotonic)
{
	rs_free(isotonic->points);
	*isotonic = (struct rs_isotonic){0};
}

struct pool {
	double first, last; /* scores */
	double sum, count;
};

static int by_score(const void *a, const void *b)
{
	const struct pool *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

/* Scores that are equal become one pool; returns how many there are. */
static size_t join_equal(struct pool *pools, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (kept > 0 && pools[kept - 1].first == pools[i].first) {
			pools[kept - 1].sum += pools[i].sum;
			pools[kept - 1].count++;
		} else {
			pools[kept++] = pools[i];
		}
	return kept;
}

static size_t join_violators(struct pool *pools, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		struct pool now = pools[i];
		while (kept > 0 && pools[kept - 1].sum * now.count >= now.sum * pools[kept - 1].count) {
			now.first = pools[--kept].first;
			now.sum += pools[kept].sum;
			now.count += pools[kept].count;
		}
		pools[kept++] = now;
	}
	return kept;
}

enum rs_code rs_isotonic_fit(const double *score, const uint8_t *outcome, size_t count,
                             struct rs_isotonic *out, struct rs_error *err)
{
	struct rs_isotonic made = {0};
	if (count == 0)
		return rs_error_set(err, RS_USAGE, "there is no subject");
	struct pool *pools RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *pools);
	if (!pools)
		return rs_error_memory(err, count * sizeof *pools, "a monotone curve");
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(score[i]))
			return rs_error_set(err, RS_MALFORMED, "row %zu: %g is no score", i + 1, score[i]);
		pools[i] = (struct pool){score[i], score[i], outcome[i] != 0, 1};
	}
	qsort(pools, count, sizeof *pools, by_score);
	count = join_violators(pools, join_equal(pools, count));
	made.points = rs_allocate_array(count, 2 * sizeof *made.points);
	if (!made.points)
		return rs_error_memory(err, 2 * count * sizeof *made.points, "a monotone curve");
	for (size_t i = 0; i < count; i++) {
		double share = pools[i].sum / pools[i].count;
		made.points[made.count++] = (struct rs_isotonic_point){pools[i].first, share};
		if (pools[i].last > pools[i].first)
			made.points[made.count++] = (struct rs_isotonic_point){pools[i].last, share};
	}
	*out = made;
	return RS_OK;
}

double rs_isotonic_at(const struct rs_isotonic *isotonic, double score)
{
	const struct rs_isotonic_point *points = isotonic->points;
	size_t low = 0, high = isotonic->count - 1;
	if (score <= points[0].score)
		return points[0].share;
	if (score >= points[high].score)
		return points[high].share;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		*(points[middle].score <= score ? &low : &high) = middle;
	}
	double along = (score - points[low].score) / (points[high].score - points[low].score);
	return points[low].share + along * (points[high].share - points[low].share);
}
