/* Which columns: a greedy walk over two measures of redundancy (mRMR), and pairs that say the same. */
#include <math.h>
#include <string.h>

#include "learn/learn_select.h"

#define STATES 3
#define REDUNDANCY_LEAST 0.001
#define QUOTIENT_GROUND 0.0001

struct walk {
	size_t columns, rows, taken;
	double *relevance;  /* by column; NaN: taken, or never to be */
	double *redundancy; /* by column: sum over those taken */
	double (*between)(const struct walk *walk, size_t a, size_t b);
	double (*score)(double relevance, double redundancy);
	double *x;       /* standardised, by column */
	uint8_t *states; /* by column, then row */
};

static void walk_finish(struct walk *walk)
{
	rs_free(walk->relevance);
	rs_free(walk->x);
	rs_free(walk->states);
}

static enum rs_code walk_init(const struct rs_matrix *x, struct walk *out, struct rs_error *err)
{
	*out = (struct walk){.columns = x->columns, .rows = x->rows};
	out->relevance = rs_allocate_array(x->columns, 2 * sizeof *out->relevance);
	if (!out->relevance)
		return rs_error_memory(err, x->columns * 2 * sizeof *out->relevance, "mRMR");
	out->redundancy = out->relevance + x->columns;
	return RS_OK;
}

/* Of equal scores the first column is taken. */
static size_t best(const struct walk *w)
{
	size_t found = w->columns;
	double highest = 0;
	for (size_t c = 0; c < w->columns; c++) {
		if (isnan(w->relevance[c]))
			continue;
		double score = w->taken == 0 ? w->relevance[c]
		                             : w->score(w->relevance[c], w->redundancy[c] / (double)w->taken);
		if (found == w->columns || score > highest) {
			found = c;
			highest = score;
		}
	}
	return found;
}

static void walk_run(struct walk *w, size_t most, size_t *out, size_t *out_count)
{
	while (w->taken < most) {
		size_t column = best(w);
		if (column == w->columns)
			break;
		out[w->taken++] = column;
		w->relevance[column] = NAN;
		for (size_t c = 0; c < w->columns && w->taken < most; c++)
			if (!isnan(w->relevance[c]))
				w->redundancy[c] += w->between(w, c, column);
	}
	*out_count = w->taken;
}

/* ---- by correlation ---- */

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

static void moments(const double *x, size_t rows, double *out_mean, double *out_deviation)
{
	double sum = 0, squares = 0;
	for (size_t i = 0; i < rows; i++)
		sum += x[i];
	*out_mean = sum / (double)rows;
	for (size_t i = 0; i < rows; i++)
		squares += (x[i] - *out_mean) * (x[i] - *out_mean);
	*out_deviation = sqrt(squares);
}

/* Columns with mean 0 and sum of squares 1; constant ones become 0. */
static enum rs_code unit_columns(const struct rs_matrix *x, double **out, struct rs_error *err)
{
	double *unit = rs_allocate_array(x->columns, x->rows * sizeof *unit);
	if (!unit)
		return rs_error_memory(err, x->columns * x->rows * sizeof *unit, "correlations");
	for (size_t c = 0; c < x->columns; c++) {
		const double *from = x->values + c * x->rows;
		double mean, deviation;
		moments(from, x->rows, &mean, &deviation);
		for (size_t i = 0; i < x->rows && deviation > 0 && isfinite(deviation); i++)
			unit[c * x->rows + i] = (from[i] - mean) / deviation;
	}
	*out = unit;
	return RS_OK;
}

static double correlation(const struct walk *w, size_t a, size_t b)
{
	return fmax(REDUNDANCY_LEAST, fabs(product(w->x + a * w->rows, w->x + b * w->rows, w->rows)));
}
static double over(double relevance, double redundancy) { return relevance / redundancy; }

enum rs_code rs_mrmr_correlation(const struct rs_matrix *x, const double *relevance, size_t most, size_t *out,
                                 size_t *out_count, struct rs_error *err)
{
	struct walk walk RS_CLEANUP(walk_finish) = {0};
	RS_TRY(walk_init(x, &walk, err));
	RS_TRY(unit_columns(x, &walk.x, err));
	for (size_t c = 0; c < x->columns; c++)
		walk.relevance[c] = relevance[c] > 0 ? relevance[c] : NAN;
	walk.between = correlation;
	walk.score = over;
	walk_run(&walk, most, out, out_count);
	return RS_OK;
}

/* ---- by mutual information ---- */

/* In nats; the second has `states` states. */
static double information(const uint8_t *a, const void *b, bool labels, size_t states, size_t rows,
                          size_t *joint)
{
	double n = (double)rows, sum = 0;
	size_t *of_b = joint + STATES * states, of_a[STATES] = {0};
	memset(joint, 0, (STATES + 1) * states * sizeof *joint);
	for (size_t i = 0; i < rows; i++) {
		size_t state = labels ? ((const uint32_t *)b)[i] : ((const uint8_t *)b)[i];
		joint[a[i] * states + state]++;
		of_a[a[i]]++;
		of_b[state]++;
	}
	for (size_t s = 0; s < STATES; s++)
		for (size_t t = 0; t < states; t++)
			if (joint[s * states + t] > 0)
				sum += (double)joint[s * states + t] / n *
				       log((double)joint[s * states + t] * n /
				           ((double)of_a[s] * (double)of_b[t]));
	return sum;
}

static double shared(const struct walk *w, size_t a, size_t b)
{
	size_t joint[(STATES + 1) * STATES];
	return information(w->states + a * w->rows, w->states + b * w->rows, false, STATES, w->rows, joint);
}
static double less(double relevance, double redundancy) { return relevance - redundancy; }
static double over_ground(double relevance, double redundancy)
{
	return relevance / (redundancy + QUOTIENT_GROUND);
}

static void states_of(const struct rs_matrix *x, size_t c, uint8_t *out)
{
	double mean, deviation;
	moments(x->values + c * x->rows, x->rows, &mean, &deviation);
	deviation /= sqrt((double)x->rows);
	for (size_t i = 0; i < x->rows; i++) {
		double from = x->values[c * x->rows + i] - mean;
		out[i] = (uint8_t)(from < -deviation / 2 ? 0 : from > deviation / 2 ? 2 : 1);
	}
}

enum rs_code rs_mrmr_information(const struct rs_matrix *x, const uint32_t *labels, uint32_t classes,
                                 bool quotient, size_t most, size_t *out, size_t *out_count,
                                 struct rs_error *err)
{
	struct walk walk RS_CLEANUP(walk_finish) = {0};
	RS_TRY(walk_init(x, &walk, err));
	size_t *joint RS_CLEANUP(rs_free_pointer) = rs_allocate_array(classes, (STATES + 1) * sizeof *joint);
	walk.states = rs_allocate_array(x->columns, x->rows);
	if (!joint || !walk.states)
		return rs_error_memory(err, x->columns * x->rows, "mutual information");
	for (size_t c = 0; c < x->columns; c++) {
		uint8_t *states = walk.states + c * x->rows;
		states_of(x, c, states);
		walk.relevance[c] = information(states, labels, true, classes, x->rows, joint);
	}
	walk.between = shared;
	walk.score = quotient ? over_ground : less;
	walk_run(&walk, most, out, out_count);
	return RS_OK;
}

/* ---- pairs ---- */

/* |correlations| by falling mean of them, and what is left of the sums of each row. */
struct pairs {
	size_t count;
	double *between; /* count x count */
	double *sum;     /* by column, of those left, without itself */
	size_t *order;
	double total; /* of sums of those left */
	size_t left;
};

static void pairs_drop(struct pairs *p, size_t column, bool *keep)
{
	keep[column] = false;
	p->total -= 2 * p->sum[column];
	p->left--;
	for (size_t k = 0; k < p->count; k++)
		if (keep[k])
			p->sum[k] -= p->between[k * p->count + column];
}

/* caret's rule: the mean of the first's correlations against the mean of all but the second's row. */
static bool first_goes(const struct pairs *p, size_t first, size_t second)
{
	double left = (double)p->left;
	double of_first = p->sum[first] / (left - 1);
	double others = (p->total - p->sum[second]) / ((left - 1) * (left - 1));
	return of_first > others;
}

static void pairs_walk(struct pairs *p, double most, bool *keep)
{
	for (size_t a = 0; a + 1 < p->count; a++)
		for (size_t b = a + 1; b < p->count; b++) {
			size_t first = p->order[a], second = p->order[b];
			if (keep[first] && keep[second] && p->between[first * p->count + second] > most)
				pairs_drop(p, first_goes(p, first, second) ? first : second, keep);
		}
}

/* Insertion into the order: as many comparisons as there are pairs. */
static void pairs_order(struct pairs *p)
{
	for (size_t c = 0; c < p->count; c++) {
		size_t at = c;
		for (; at > 0 && p->sum[c] > p->sum[p->order[at - 1]]; at--)
			p->order[at] = p->order[at - 1];
		p->order[at] = c;
	}
}

enum rs_code rs_uncorrelated(const struct rs_matrix *x, double most, bool *keep, struct rs_error *err)
{
	size_t count = x->columns, room;
	double *unit RS_CLEANUP(rs_free_pointer) = NULL;
	if (!rs_mul_size(count, count + 1, &room))
		return rs_error_memory(err, SIZE_MAX, "correlations");
	double *between RS_CLEANUP(rs_free_pointer) = rs_allocate_array(room, sizeof *between);
	size_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *order);
	if (!between || !order)
		return rs_error_memory(err, room * sizeof *between, "correlations");
	RS_TRY(unit_columns(x, &unit, err));
	struct pairs pairs = {count, between, between + count * count, order, 0, count};
	for (size_t a = 0; a < count; a++) {
		keep[a] = true;
		for (size_t b = 0; b < a; b++) {
			double r = fabs(product(unit + a * x->rows, unit + b * x->rows, x->rows));
			between[a * count + b] = between[b * count + a] = r;
			pairs.sum[a] += r;
			pairs.sum[b] += r;
			pairs.total += 2 * r;
		}
	}
	pairs_order(&pairs);
	pairs_walk(&pairs, most, keep);
	return RS_OK;
}
