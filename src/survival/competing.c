/* Aalen-Johansen's incidence of one type of event among several, with two standard errors. */
#include "survival/survival_competing.h"

#include <math.h>

#include "interval.h"
#include "numeric/numeric_distribution.h"
#include "order.h"

/* How a subject's leaving moves the incidence F at a later time: a + b F, and the sums over those who left, squared. */
struct influence {
	double a, b;       /* of everybody who is still at risk: through the times so far */
	double aa, ab, bb; /* of those who left */
	double present;    /* sum of the squared weights of those at risk */
	double delta_constant, delta_linear, delta_square; /* variance of the delta method, by powers of F */
};

void rs_incidence_finish(struct rs_incidence *incidence)
{
	rs_free(incidence->points);
	*incidence = (struct rs_incidence){0};
}

static double weight_of(const struct rs_follow_up *data, size_t row)
{
	return data->weight ? data->weight[row] : 1;
}

/* Variance of the share of `events` among those at risk, when they are drawn without replacement. */
static double share_variance(double events, double at_risk)
{
	double correction = events > 1 ? 1 - (events - 1) / (at_risk - 1) : 1;
	return events * correction / (at_risk * at_risk);
}

static void add_delta(struct influence *sum, const struct rs_incidence_point *point, double before)
{
	double ratio = point->survival > 0 ? before / point->survival : 0;
	const double own = before + point->incidence * ratio, other = point->incidence * ratio;
	double own_variance = share_variance(point->events, point->at_risk);
	double other_variance = share_variance(point->competing, point->at_risk);
	sum->delta_constant += own_variance * own * own + other_variance * other * other;
	sum->delta_linear -= (own_variance * own + other_variance * other) * ratio;
	sum->delta_square += (own_variance + other_variance) * ratio * ratio;
}

/* One who leaves at this time: it was exposed to all until now, and may have an event of its own. */
static void add_leaving(struct influence *sum, const struct rs_incidence_point *point, double before,
                        double weight, bool event, bool of_type)
{
	double left = point->at_risk - point->events - point->competing, a = sum->a, b = sum->b;
	if (of_type)
		a += before / point->at_risk;
	if (event && left > 0) {
		a += point->incidence / left;
		b -= 1 / left;
	}
	sum->aa += weight * weight * a * a;
	sum->ab += weight * weight * a * b;
	sum->bb += weight * weight * b * b;
	sum->present -= weight * weight;
}

/* Rows first … next - 1 of the order leave at point->time. */
static void fill_point(const struct rs_follow_up *data, const size_t *order, size_t first, size_t next,
                       uint8_t type, struct influence *sum, struct rs_incidence_point *point)
{
	double before = point->survival, all = 0;
	for (size_t i = first; i < next; i++) {
		uint8_t event = data->event[order[i]];
		*(event == 0      ? &point->censored
		  : event == type ? &point->events
		                  : &point->competing) += weight_of(data, order[i]);
	}
	all = point->events + point->competing;
	double left = point->at_risk - all;
	point->incidence += before * point->events / point->at_risk;
	if (all > 0)
		point->survival = left > 0 ? before * (left / point->at_risk) : 0;
	add_delta(sum, point, before);
	sum->a -= before * point->events / (point->at_risk * point->at_risk);
	if (left > 0) {
		sum->a -= all * point->incidence / (point->at_risk * left);
		sum->b += all / (point->at_risk * left);
	}
	for (size_t i = first; i < next; i++) {
		uint8_t event = data->event[order[i]];
		add_leaving(sum, point, before, weight_of(data, order[i]), event != 0, event == type);
	}
}

static void set_errors(const struct influence *sum, struct rs_incidence_point *point)
{
	double f = point->incidence, still = sum->a + sum->b * f;
	double variance = sum->aa + 2 * f * sum->ab + f * f * sum->bb + fmax(0, sum->present) * still * still;
	point->error = sqrt(fmax(0, variance));
	point->delta_error = sqrt(
		fmax(0, sum->delta_constant + 2 * f * sum->delta_linear + f * f * sum->delta_square));
}

static void fill(const struct rs_follow_up *data, const size_t *order, size_t count, uint8_t type,
                 struct rs_incidence *out)
{
	struct influence sum = {0};
	double present = 0, survival = 1, incidence = 0;
	for (size_t i = 0; i < count; i++) {
		present += weight_of(data, order[i]);
		sum.present += weight_of(data, order[i]) * weight_of(data, order[i]);
	}
	for (size_t i = 0, next; i < count; i = next) {
		struct rs_incidence_point *point = &out->points[out->count++];
		for (next = i; next < count && data->time[order[next]] == data->time[order[i]];)
			next++;
		*point = (struct rs_incidence_point){.time = data->time[order[i]],
		                                     .at_risk = present,
		                                     .survival = survival,
		                                     .incidence = incidence};
		fill_point(data, order, i, next, type, &sum, point);
		set_errors(&sum, point);
		present -= point->events + point->competing + point->censored;
		survival = point->survival;
		incidence = point->incidence;
	}
}

enum rs_code rs_incidence_fit(const struct rs_follow_up *data, const size_t *rows, size_t row_count,
                              uint8_t type, enum rs_survival_interval interval, double level,
                              struct rs_incidence *out, struct rs_error *err)
{
	size_t *order RS_CLEANUP(rs_free_pointer) = NULL;
	double z = rs_normal_quantile(0.5 + 0.5 * level);
	RS_TRY(rs_follow_up_check(data, err));
	if (data->start)
		return rs_error_set(err, RS_USAGE, "competing risks: late entry is not handled");
	RS_TRY(order_by(NULL, data->time, rows, row_count, &order, err));
	struct rs_incidence made = {0, rs_allocate_array(row_count, sizeof *made.points)};
	if (!made.points)
		return rs_error_memory(err, row_count * sizeof *made.points, "an incidence");
	fill(data, order, row_count, type, &made);
	for (size_t i = 0; i < made.count; i++) {
		struct rs_incidence_point *point = &made.points[i];
		interval_around(point->incidence, z * point->error / point->incidence, interval,
		                &point->lower, &point->upper);
	}
	*out = made;
	return RS_OK;
}

const struct rs_incidence_point *rs_incidence_at(const struct rs_incidence *incidence, double time)
{
	size_t low = 0, high = incidence->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (incidence->points[middle].time <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &incidence->points[low - 1] : NULL;
}
