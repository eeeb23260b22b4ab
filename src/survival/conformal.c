#include "survival/survival_conformal.h"

#include "censoring.h"
#include "order.h"

void rs_conformal_finish(struct rs_conformal *conformal)
{
	rs_free(conformal->level);
	rs_free(conformal->share);
	*conformal = (struct rs_conformal){0};
}

static enum rs_code check(const struct rs_follow_up *data, const double *by_own_time, struct rs_error *err)
{
	RS_TRY(rs_follow_up_check(data, err));
	if (data->start || data->weight)
		return rs_error_set(err, RS_USAGE,
		                    "conformal bounds: late entry and weights are not handled");
	for (size_t i = 0; i < data->count; i++)
		if (!(by_own_time[i] >= 0 && by_own_time[i] <= 1))
			return rs_error_set(err, RS_MALFORMED, "row %zu: %g is no probability", i + 1,
			                    by_own_time[i]);
	return RS_OK;
}

enum rs_code rs_conformal_fit(const struct rs_follow_up *data, const double *by_own_time,
                              struct rs_conformal *out, struct rs_error *err)
{
	size_t n = data->count, *order RS_CLEANUP(rs_free_pointer) = NULL,
	       *places RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(check(data, by_own_time, err));
	struct rs_conformal made RS_CLEANUP(rs_conformal_finish) = {0, rs_allocate_array(n, sizeof(double)),
	                                                            rs_allocate_array(n, sizeof(double))};
	double *before RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *before);
	if (!made.level || !made.share || !before)
		return rs_error_memory(err, n * sizeof *before, "conformal bounds");
	RS_TRY(order_by(NULL, data->time, NULL, n, &order, err));
	RS_TRY(order_by(NULL, by_own_time, NULL, n, &places, err));
	censoring_of(data, order, 0, n, CENSORED_AFTER_EVENTS, before, NULL);
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		if (!data->event[places[i]])
			continue;
		sum += 1 / before[places[i]];
		made.level[made.count] = by_own_time[places[i]];
		made.share[made.count++] = sum / ((double)n + 1);
	}
	*out = made;
	made = (struct rs_conformal){0};
	return RS_OK;
}

double rs_conformal_level(const struct rs_conformal *conformal, double coverage)
{
	size_t low = 0, high = conformal->count;
	double room = 1 - coverage + 1e-12; /* 1 - 0.9 is below 0.1 */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (conformal->share[middle] <= room)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? conformal->level[low - 1] : 0;
}
