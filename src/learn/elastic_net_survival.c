/* Cox's partial likelihood with Breslow's ties, by stratum; those censored at a time of events are at risk then. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "elastic_net.h"

struct entry {
	uint32_t stratum;
	double time;
	size_t row;
};

static int compare(const void *a, const void *b)
{
	const struct entry *first = a, *second = b;
	if (first->stratum != second->stratum)
		return first->stratum < second->stratum ? -1 : 1;
	if (first->time != second->time)
		return first->time > second->time ? -1 : 1;
	return (first->row > second->row) - (first->row < second->row);
}

/* Sums of the risks of all rows of a stratum from the latest on; -log of the likelihood. The greatest predictor of a stratum
 * is taken from all of it, so that nothing grows too large. */
static double find_risks(struct target *t, const double *predictor)
{
	double loss = 0, sum = 0, shift = 0;
	size_t at = 0;
	for (size_t e = 0; e < t->extras; e++) {
		if (e == 0 || t->first[e] != t->first[e - 1]) {
			size_t end = e;
			while (end + 1 < t->extras && t->first[end + 1] == t->first[e])
				end++;
			at = t->first[e];
			sum = 0;
			shift = -INFINITY;
			for (size_t i = at; i < t->last[end]; i++)
				shift = fmax(shift, predictor[t->order[i]]);
		}
		for (; at < t->last[e]; at++) {
			size_t row = t->order[at];
			t->risk[row] = t->weight[row] * exp(predictor[row] - shift);
			sum += t->risk[row];
			if (t->event[row])
				loss -= t->weight[row] * (predictor[row] - shift);
		}
		t->at_risk[e] = sum;
		t->extra_weight[e] = t->dying[e];
		loss += t->dying[e] * log(sum);
		if (!(sum > 0))
			return INFINITY;
	}
	return isfinite(loss) ? loss : INFINITY;
}

/* Rows between two times of events, in `order`. */
static size_t block_begin(const struct target *t, size_t e)
{
	return e > 0 && t->first[e - 1] == t->first[e] ? t->last[e - 1] : t->first[e];
}

static double evaluate(struct target *t, const double *predictor)
{
	double loss = find_risks(t, predictor), hazard = 0;
	if (isinf(loss))
		return loss;
	for (size_t e = t->extras; e-- > 0;) { /* from the first time of a stratum to its last */
		if (e + 1 == t->extras || t->first[e + 1] != t->first[e])
			hazard = 0;
		hazard += t->dying[e] / t->at_risk[e];
		for (size_t i = block_begin(t, e); i < t->last[e]; i++) {
			size_t row = t->order[i];
			t->curvature[row] = t->risk[row] * hazard;
			t->residual[row] = (t->event[row] ? t->weight[row] : 0) - t->curvature[row];
		}
	}
	return loss;
}

/* Means of a column over those at risk. */
static void extend(const struct target *t, const double *column, double *out)
{
	double sum = 0;
	for (size_t e = 0; e < t->extras; e++) {
		size_t begin = block_begin(t, e);
		if (begin == t->first[e])
			sum = 0;
		for (size_t i = begin; i < t->last[e]; i++)
			sum += t->risk[t->order[i]] * column[t->order[i]];
		out[e] = sum / t->at_risk[e];
	}
}

static void find_event_times(struct target *t, const struct entry *entries)
{
	size_t first = 0;
	for (size_t i = 0, next; i < t->rows; i = next) {
		double dying = 0;
		if (i > 0 && entries[i].stratum != entries[i - 1].stratum)
			first = i;
		for (next = i; next < t->rows && entries[next].stratum == entries[i].stratum &&
		               entries[next].time == entries[i].time;
		     next++) {
			t->order[next] = entries[next].row;
			if (t->event[entries[next].row])
				dying += t->weight[entries[next].row];
		}
		if (dying > 0) {
			t->first[t->extras] = first;
			t->last[t->extras] = next;
			t->saturated += dying * log(dying);
			t->dying[t->extras++] = dying;
		}
	}
}

enum rs_code target_init_survival(struct target *t, const struct rs_elastic_net_data *data,
                                  struct rs_error *err)
{
	struct entry *entries RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *entries);
	t->event = data->event;
	t->order = rs_allocate_array(t->rows, sizeof *t->order);
	t->first = rs_allocate_array(t->rows, sizeof *t->first);
	t->last = rs_allocate_array(t->rows, sizeof *t->last);
	t->dying = rs_allocate_array(t->rows, sizeof *t->dying);
	t->at_risk = rs_allocate_array(t->rows, sizeof *t->at_risk);
	t->risk = rs_allocate_array(t->rows, sizeof *t->risk);
	t->extra_weight = rs_allocate_array(t->rows, sizeof *t->extra_weight);
	if (!entries || !t->order || !t->first || !t->last || !t->dying || !t->at_risk || !t->risk ||
	    !t->extra_weight)
		return rs_error_memory(err, t->rows * sizeof *entries, "a linear model");
	for (size_t r = 0; r < t->rows; r++) {
		if (!isfinite(data->time[r]))
			return rs_error_set(err, RS_MALFORMED, "row %zu: the time is not a number", r + 1);
		entries[r] = (struct entry){data->stratum ? data->stratum[r] : 0, data->time[r], r};
	}
	qsort(entries, t->rows, sizeof *entries, compare);
	find_event_times(t, entries);
	if (t->extras == 0)
		return rs_error_set(err, RS_NOT_FOUND, "nobody of %zu subjects had the event", t->rows);
	t->evaluate = evaluate;
	t->extend = extend;
	return RS_OK;
}
