/* Pseudo-values, all in one walk forwards (what is without the subject until it leaves) and one backwards (what comes after
 * it left, which is the same with and without it). */
#include <math.h>

#include "order.h"
#include "survival/survival_prediction.h"

/* One distinct time until the one asked for. */
struct instant {
	double at_risk, events, all; /* of the type; of any type */
	double survival, incidence;  /* just before it, without one who is still at risk */
	double after; /* incidence between it and the end, of those free of events just after it */
};

static size_t fill_instants(const struct rs_follow_up *data, const size_t *order, uint8_t type, double time,
                            struct instant *instants)
{
	size_t n = data->count, count = 0;
	for (size_t i = 0, next; i < n && data->time[order[i]] <= time; i = next, count++) {
		struct instant *at = &instants[count];
		*at = (struct instant){.at_risk = (double)(n - i)};
		for (next = i; next < n && data->time[order[next]] == data->time[order[i]]; next++) {
			at->events += data->event[order[next]] == type;
			at->all += data->event[order[next]] != 0;
		}
	}
	return count;
}

/* The curve of the others, up to each time; those at risk are one fewer. Returns that after the last time in `end`. */
static void walk(struct instant *instants, size_t count, double end[2])
{
	double survival = 1, incidence = 0, after = 0;
	for (size_t i = 0; i < count; i++) {
		struct instant *at = &instants[i];
		double others = at->at_risk - 1;
		at->survival = survival;
		at->incidence = incidence;
		if (others > 0) {
			incidence += survival * at->events / others;
			survival *= fmax(0, (others - at->all) / others);
		}
	}
	end[0] = survival;
	end[1] = incidence;
	for (size_t i = count; i-- > 0;) {
		struct instant *at = &instants[i];
		at->after = after;
		after = at->events / at->at_risk + (1 - at->all / at->at_risk) * after;
	}
}

/* Incidence at the end without one who leaves at this time. */
static double without(const struct instant *at, bool event, bool of_type)
{
	double others = at->at_risk - 1, all = at->all - event, events = at->events - of_type;
	if (!(others > 0))
		return at->incidence;
	return at->incidence + at->survival * (events / others + (1 - all / others) * at->after);
}

enum rs_code rs_pseudo_values(const struct rs_follow_up *data, uint8_t type, double time, double *out,
                              struct rs_error *err)
{
	size_t n = data->count, *order RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(rs_follow_up_check(data, err));
	if (data->start || data->weight)
		return rs_error_set(err, RS_USAGE, "pseudo-values: late entry and weights are not handled");
	RS_TRY(order_by(NULL, data->time, NULL, n, &order, err));
	struct instant *instants RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *instants);
	if (!instants)
		return rs_error_memory(err, n * sizeof *instants, "pseudo-values");
	double end[2], all = 0;
	size_t count = fill_instants(data, order, type, time, instants), place = 0;
	walk(instants, count, end);
	if (count > 0)
		all = instants[0].events / instants[0].at_risk +
		      (1 - instants[0].all / instants[0].at_risk) * instants[0].after;
	for (size_t i = 0; i < n; i++) {
		size_t row = order[i];
		bool left = data->time[row] <= time;
		place += left && i > 0 && data->time[row] != data->time[order[i - 1]];
		double others = left ? without(&instants[place], data->event[row] != 0,
		                               data->event[row] == type)
		                     : end[1];
		out[row] = (double)n * all - (double)(n - 1) * others;
	}
	return RS_OK;
}
