/* Predicted risks at a time against what came: along a smooth line of pseudo-values, and in groups. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/numeric_distribution.h"
#include "numeric/numeric_smooth.h"
#include "order.h"
#include "survival/survival_competing.h"
#include "survival/survival_prediction.h"

static int ascending(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;
	return (first > second) - (first < second);
}

/* order: rows by ascending risk. */
static enum rs_code along_line(const double *risk, const double *pseudo, const size_t *order, size_t count,
                               struct rs_risk_calibration *out, double *line_x, double *line_y,
                               struct rs_error *err)
{
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, 3 * sizeof *work);
	if (!work)
		return rs_error_memory(err, 3 * count * sizeof *work, "calibration");
	double *x = work, *y = work + count, *line = y + count;
	for (size_t i = 0; i < count; i++) {
		x[i] = risk[order[i]];
		y[i] = pseudo[order[i]];
	}
	RS_TRY(rs_lowess(x, y, count, line, err));
	for (size_t i = 0; i < count; i++) {
		line[i] = fmin(1, fmax(0, line[i]));
		y[i] = fabs(x[i] - line[i]);
		out->ici += y[i] / (double)count;
	}
	if (line_x) {
		memcpy(line_x, x, count * sizeof *x);
		memcpy(line_y, line, count * sizeof *line);
	}
	qsort(y, count, sizeof *y, ascending);
	out->e50 = rs_quantile_of(y, count, 0.5);
	out->e90 = rs_quantile_of(y, count, 0.9);
	out->e_max = y[count - 1];
	return RS_OK;
}

/* The incidence of some rows at the time; false when nobody was seen so long. */
static enum rs_code observe(const struct rs_follow_up *data, uint8_t type, double time, const size_t *rows,
                            size_t count, double level, struct rs_incidence_point *out, struct rs_error *err)
{
	struct rs_incidence curve RS_CLEANUP(rs_incidence_finish) = {0};
	RS_TRY(rs_incidence_fit(data, rows, count, type, RS_INTERVAL_LOG_LOG, level, &curve, err));
	const struct rs_incidence_point *at = rs_incidence_at(&curve, time);
	*out = at ? *at : (struct rs_incidence_point){.lower = NAN, .upper = NAN};
	if (time > curve.points[curve.count - 1].time && out->survival != 0)
		out->incidence = out->error = out->lower = out->upper = NAN;
	return RS_OK;
}

/* Groups of about equal size by risk; equal risks stay together. */
static enum rs_code in_groups(const struct rs_follow_up *data, uint8_t type, double time, const double *risk,
                              const size_t *order, double level, struct rs_risk_calibration *out,
                              struct rs_error *err)
{
	size_t n = data->count, groups = 0;
	double sum = 0;
	for (size_t first = 0, g = 1; first < n; g++) {
		size_t last = first > g * n / RS_RISK_GROUPS_MAX ? first : g * n / RS_RISK_GROUPS_MAX;
		double mean = 0;
		struct rs_incidence_point at;
		while (last < n && last > 0 && risk[order[last]] == risk[order[last - 1]])
			last++;
		if (last == first)
			continue;
		RS_TRY(observe(data, type, time, &order[first], last - first, level, &at, err));
		for (size_t i = first; i < last; i++)
			mean += risk[order[i]] / (double)(last - first);
		first = last;
		out->group[out->groups++] = (struct rs_risk_group){mean, at.incidence, at.lower, at.upper};
		if (!(at.error > 0))
			continue;
		sum += (at.incidence - mean) * (at.incidence - mean) / (at.error * at.error);
		groups++;
	}
	out->chi_square = groups > 1 ? sum : NAN;
	out->df = groups > 1 ? (double)(groups - 1) : 0;
	out->p = groups > 1 ? rs_chi_square_upper(sum, out->df) : NAN;
	return RS_OK;
}

enum rs_code rs_risk_calibration_of(const struct rs_follow_up *data, uint8_t type, double time,
                                    const double *risk, double level, struct rs_risk_calibration *out,
                                    double *line_x, double *line_y, struct rs_error *err)
{
	size_t n = data->count, *order RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_risk_calibration made = {0};
	struct rs_incidence_point all;
	double *pseudo RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *pseudo);
	if (!pseudo)
		return rs_error_memory(err, n * sizeof *pseudo, "calibration");
	RS_TRY(rs_pseudo_values(data, type, time, pseudo, err));
	for (size_t i = 0; i < n; i++) {
		if (!(risk[i] >= 0 && risk[i] <= 1))
			return rs_error_set(err, RS_MALFORMED, "row %zu: %g is no probability", i + 1,
			                    risk[i]);
		made.expected += risk[i] / (double)n;
	}
	RS_TRY(order_by(NULL, risk, NULL, n, &order, err));
	RS_TRY(observe(data, type, time, NULL, n, level, &all, err));
	made.observed = all.incidence;
	made.lower = all.lower;
	made.upper = all.upper;
	if (isnan(all.incidence)) {
		made.ici = made.e50 = made.e90 = made.e_max = made.chi_square = made.p = NAN;
		for (size_t i = 0; line_x && i < n; i++)
			line_x[i] = line_y[i] = NAN;
	} else {
		RS_TRY(along_line(risk, pseudo, order, n, &made, line_x, line_y, err));
		RS_TRY(in_groups(data, type, time, risk, order, level, &made, err));
	}
	*out = made;
	return RS_OK;
}

enum rs_code rs_risk_spread_of(const struct rs_follow_up *data, const double *by_own_time,
                               struct rs_spread *out, struct rs_error *err)
{
	struct rs_spread made = {.p = NAN};
	double n = (double)data->count;
	RS_TRY(rs_follow_up_check(data, err));
	if (data->start || data->weight)
		return rs_error_set(err, RS_USAGE, "late entry and weights are not handled");
	for (size_t i = 0; i < data->count; i++) {
		double left = 1 - by_own_time[i];
		if (!(left >= 0 && left <= 1))
			return rs_error_set(err, RS_MALFORMED, "row %zu: %g is no probability", i + 1,
			                    by_own_time[i]);
		size_t own = left < 1 ? (size_t)(10 * left) : 9;
		if (data->event[i] || left == 0) {
			made.share[own] += 1 / n;
			continue;
		}
		made.share[own] += (left - (double)own / 10) / left / n;
		for (size_t k = 0; k < own; k++)
			made.share[k] += 0.1 / left / n;
	}
	for (size_t k = 0; k < 10; k++)
		made.chi_square += n * 10 * (made.share[k] - 0.1) * (made.share[k] - 0.1);
	made.p = rs_chi_square_upper(made.chi_square, 9);
	*out = made;
	return RS_OK;
}
