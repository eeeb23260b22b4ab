/* Kaplan-Meier and Nelson-Aalen curves, their intervals, quantiles and restricted means. */
#include <math.h>

#include "numeric/numeric_distribution.h"
#include "interval.h"
#include "order.h"
#include "survival/survival.h"

#define TIE 1.490116119384765625e-8 /* how near to 1 - p a curve lies on it: 2^-26, as R has it */

enum rs_code rs_follow_up_check(const struct rs_follow_up *data, struct rs_error *err)
{
	if (data->count == 0)
		return rs_error_set(err, RS_USAGE, "there is no subject");
	for (size_t i = 0; i < data->count; i++) {
		if (!isfinite(data->time[i]))
			return rs_error_set(err, RS_MALFORMED, "row %zu: the time is not a number", i + 1);
		if (data->start && !(isfinite(data->start[i]) && data->start[i] < data->time[i]))
			return rs_error_set(err, RS_MALFORMED, "row %zu: the start is not before the time",
			                    i + 1);
		if (data->weight && !(isfinite(data->weight[i]) && data->weight[i] > 0))
			return rs_error_set(err, RS_MALFORMED, "row %zu: the weight is not positive", i + 1);
	}
	return RS_OK;
}

void rs_survival_curve_finish(struct rs_survival_curve *curve)
{
	rs_free(curve->points);
	*curve = (struct rs_survival_curve){0};
}

static double weight_of(const struct rs_follow_up *data, size_t row)
{
	return data->weight ? data->weight[row] : 1;
}

/* Everybody's distinct times with what happens there; how many are at risk: those who leave later or now, less those who
 * are not there yet. */
static void count_points(const struct rs_follow_up *data, const size_t *leaving, const size_t *entering,
                         size_t count, struct rs_survival_curve *out)
{
	double present = 0;
	size_t entered = 0;
	for (size_t i = 0; i < count && !entering; i++)
		present += weight_of(data, leaving[i]);
	for (size_t i = 0; i < count;) {
		struct rs_survival_point *point = &out->points[out->count++];
		point->time = data->time[leaving[i]];
		for (; entering && entered < count && data->start[entering[entered]] < point->time; entered++)
			present += weight_of(data, entering[entered]);
		point->at_risk = present;
		for (; i < count && data->time[leaving[i]] == point->time; i++) {
			double weight = weight_of(data, leaving[i]);
			*(data->event[leaving[i]] ? &point->events : &point->censored) += weight;
			present -= weight;
		}
	}
}

static void fill_points(struct rs_survival_curve *curve, enum rs_survival_interval interval, double z)
{
	double survival = 1, greenwood = 0, hazard = 0, hazard_variance = 0;
	for (size_t i = 0; i < curve->count; i++) {
		struct rs_survival_point *point = &curve->points[i];
		if (point->events > 0) {
			double left = point->at_risk - point->events;
			survival = left > 0 ? survival * (left / point->at_risk) : 0;
			greenwood += left > 0 ? point->events / (point->at_risk * left) : INFINITY;
			hazard += point->events / point->at_risk;
			hazard_variance += point->events / (point->at_risk * point->at_risk);
		}
		point->survival = survival;
		point->log_error = sqrt(greenwood);
		point->hazard = hazard;
		point->hazard_error = sqrt(hazard_variance);
		interval_around(survival, z * point->log_error, interval, &point->lower, &point->upper);
	}
}

enum rs_code rs_survival_curve_fit(const struct rs_follow_up *data, const size_t *rows, size_t row_count,
                                   enum rs_survival_interval interval, double level,
                                   struct rs_survival_curve *out, struct rs_error *err)
{
	size_t *leaving RS_CLEANUP(rs_free_pointer) = NULL;
	size_t *entering RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(rs_follow_up_check(data, err));
	RS_TRY(order_by(NULL, data->time, rows, row_count, &leaving, err));
	if (data->start)
		RS_TRY(order_by(NULL, data->start, rows, row_count, &entering, err));
	struct rs_survival_curve curve = {0, rs_allocate_array(row_count, sizeof *curve.points)};
	if (!curve.points)
		return rs_error_memory(err, row_count * sizeof *curve.points, "a survival curve");
	count_points(data, leaving, entering, row_count, &curve);
	fill_points(&curve, interval, rs_normal_quantile(0.5 + 0.5 * level));
	*out = curve;
	return RS_OK;
}

const struct rs_survival_point *rs_survival_curve_at(const struct rs_survival_curve *curve, double time)
{
	size_t low = 0, high = curve->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (curve->points[middle].time <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &curve->points[low - 1] : NULL;
}

/* Where a falling line of the points' member at `offset` passes below `level`. */
static double crossing(const struct rs_survival_curve *curve, size_t offset, double level)
{
	double on = NAN, first = NAN;
	for (size_t i = 0; i < curve->count; i++) {
		const struct rs_survival_point *point = &curve->points[i];
		double value = *(const double *)(const void *)((const char *)point + offset);
		if (!(value < level + TIE))
			continue;
		if (isnan(first)) {
			if (fabs(value - level) >= TIE)
				return point->time;
			first = point->time;
			on = value;
		} else if (value < on) {
			return 0.5 * (first + point->time);
		}
	}
	return first;
}

struct rs_survival_quantile rs_survival_quantile_of(const struct rs_survival_curve *curve, double p)
{
	return (struct rs_survival_quantile){
		crossing(curve, offsetof(struct rs_survival_point, survival), 1 - p),
		crossing(curve, offsetof(struct rs_survival_point, lower), 1 - p),
		crossing(curve, offsetof(struct rs_survival_point, upper), 1 - p),
	};
}

void rs_survival_restricted_mean(const struct rs_survival_curve *curve, double tau, double *out_mean,
                                 double *out_error)
{
	double area = 0, variance = 0, until = tau;
	for (size_t i = curve->count; i-- > 0;) {
		const struct rs_survival_point *point = &curve->points[i];
		if (point->time >= tau)
			continue;
		area += (until - point->time) * point->survival;
		until = point->time;
		double left = point->at_risk - point->events;
		if (point->events > 0 && left > 0)
			variance += area * area * point->events / (point->at_risk * left);
	}
	*out_mean = area + until;
	*out_error = sqrt(variance);
}
