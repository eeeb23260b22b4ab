/* Areas under ROC curves and Brier scores at a time, weighted for censoring. */
#include "survival/survival_prediction.h"

#include <math.h>

#include "censoring.h"
#include "order.h"

enum standing {
	UNKNOWN,
	CASE,
	RIVAL,
	FREE
}; /* lost; had the event, or another one; without event at the time */

/* What is known of each subject at a time, and how many it stands for. */
struct standings {
	const struct rs_follow_up *data;
	double time;
	size_t *order;
	enum standing *standing;
	double *weight;
	bool seen; /* somebody was, until the time */
};

static void standings_finish(struct standings *s)
{
	rs_free(s->order);
	rs_free(s->standing);
	rs_free(s->weight);
}

/* The curve of censoring at the time: that just after the last who leaves until then. */
static enum rs_code standings_of(const struct rs_follow_up *data, uint8_t type, double time,
                                 struct standings *out, struct rs_error *err)
{
	size_t n = data->count;
	double free_weight = 1;
	RS_TRY(rs_follow_up_check(data, err));
	if (data->start || data->weight)
		return rs_error_set(err, RS_USAGE, "predictions are not judged with late entry or weights");
	out->data = data;
	out->time = time;
	out->standing = rs_allocate_array(n, sizeof *out->standing);
	out->weight = rs_allocate_array(n, sizeof *out->weight);
	double *at RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *at);
	if (!out->standing || !out->weight || !at)
		return rs_error_memory(err, n * sizeof *at, "weights");
	RS_TRY(order_by(NULL, data->time, NULL, n, &out->order, err));
	censoring_of(data, out->order, 0, n, CENSORED_AFTER_EVENTS, out->weight, at);
	out->seen = time <= data->time[out->order[n - 1]];
	for (size_t i = 0; i < n && data->time[out->order[i]] <= time; i++)
		free_weight = 1 / at[out->order[i]];
	for (size_t i = 0; i < n; i++) {
		bool left = data->time[i] <= time;
		out->standing[i] = !left                    ? FREE
		                   : !data->event[i]        ? UNKNOWN
		                   : data->event[i] == type ? CASE
		                                            : RIVAL;
		out->weight[i] = !left ? free_weight : data->event[i] ? 1 / out->weight[i] : 0;
	}
	return RS_OK;
}

/* Adds to each subject's influence what it does through the curve of censoring. parts: the derivative of the value by the
 * logarithm of each subject's weight. */
static void add_censoring(const struct standings *s, const double *parts, double *influence)
{
	const struct rs_follow_up *data = s->data;
	size_t n = data->count;
	double using = 0, borne = 0, present = (double)n;
	for (size_t i = 0; i < n; i++)
		using += parts[i];
	for (size_t i = 0, next; i < n; i = next) {
		double events = 0, censored = 0, now = data->time[s->order[i]];
		if (now > s->time) {
			influence[s->order[i]] -= borne;
			next = i + 1;
			continue;
		}
		for (next = i; next < n && data->time[s->order[next]] == now; next++) {
			size_t row = s->order[next];
			*(data->event[row] ? &events : &censored) += 1;
			if (!data->event[row])
				continue;
			using -= parts[row];
			influence[row] -= borne;
		}
		double exposed = present - events, left = exposed - censored;
		double share = left > 0 ? using / left : 0;
		borne += share * censored / exposed;
		for (size_t k = i; k < next && censored > 0; k++)
			if (!data->event[s->order[k]])
				influence[s->order[k]] += share - borne;
		present -= events + censored;
	}
}

static double root_of_squares(const double *values, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += values[i] * values[i];
	return sqrt(sum);
}

/* influence holds the parts on entry (their sum is 0, or was made so by `centre`). */
static enum rs_code finish(const struct standings *s, double value, double centre, double *influence,
                           struct rs_estimate *out, struct rs_error *err)
{
	size_t n = s->data->count;
	double *parts RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *parts);
	if (!parts)
		return rs_error_memory(err, n * sizeof *parts, "influences");
	for (size_t i = 0; i < n; i++) {
		parts[i] = influence[i];
		influence[i] -= centre;
	}
	add_censoring(s, parts, influence);
	*out = (struct rs_estimate){value, root_of_squares(influence, n)};
	return RS_OK;
}

static enum rs_code unknown(size_t count, double *influence, struct rs_estimate *out)
{
	for (size_t i = 0; i < count; i++)
		influence[i] = NAN;
	*out = (struct rs_estimate){NAN, NAN};
	return RS_OK;
}

static enum rs_code brier(const struct standings *s, const double *risk, struct rs_estimate *out,
                          double *influence, struct rs_error *err)
{
	size_t n = s->data->count;
	double sum = 0;
	for (size_t i = 0; i < n; i++) {
		double miss = (s->standing[i] == CASE) - risk[i];
		if (!(risk[i] >= 0 && risk[i] <= 1))
			return rs_error_set(err, RS_MALFORMED, "row %zu: %g is no probability", i + 1,
			                    risk[i]);
		influence[i] = s->weight[i] * miss * miss / (double)n;
		sum += influence[i];
	}
	return s->seen ? finish(s, sum, sum / (double)n, influence, out, err) : unknown(n, influence, out);
}

/* Sums of the weights of cases (1) and of controls (0) so far, in order of their scores. */
struct areas {
	double all[2], below[2], sum;
};

static bool is_control(const struct standings *s, size_t row)
{
	return s->standing[row] == RIVAL || s->standing[row] == FREE;
}

/* Rows first … next - 1 of the order by score have the same. influence: the weight of the other kind that each is on the
 * right side of. */
static void add_tied(const struct standings *s, const size_t *order, size_t first, size_t next,
                     struct areas *a, double *influence)
{
	double here[2] = {0, 0};
	for (size_t i = first; i < next; i++) {
		if (s->standing[order[i]] == CASE)
			here[1] += s->weight[order[i]];
		else if (is_control(s, order[i]))
			here[0] += s->weight[order[i]];
	}
	for (size_t i = first; i < next; i++) {
		size_t row = order[i];
		if (s->standing[row] == CASE)
			influence[row] = a->below[0] + 0.5 * here[0];
		else
			influence[row] = a->all[1] - a->below[1] - 0.5 * here[1];
	}
	a->sum += here[1] * (a->below[0] + 0.5 * here[0]);
	a->below[0] += here[0];
	a->below[1] += here[1];
}

static enum rs_code auc(const struct standings *s, const double *score, struct rs_estimate *out,
                        double *influence, struct rs_error *err)
{
	size_t n = s->data->count;
	size_t *order RS_CLEANUP(rs_free_pointer) = NULL;
	struct areas a = {0};
	for (size_t i = 0; i < n; i++) {
		if (isnan(score[i]))
			return rs_error_set(err, RS_MALFORMED, "row %zu: the score is not a number", i + 1);
		if (s->standing[i] != UNKNOWN)
			a.all[s->standing[i] == CASE] += s->weight[i];
	}
	if (!s->seen || !(a.all[0] > 0 && a.all[1] > 0))
		return unknown(n, influence, out);
	RS_TRY(order_by(NULL, score, NULL, n, &order, err));
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i; next < n && score[order[next]] == score[order[i]];)
			next++;
		add_tied(s, order, i, next, &a, influence);
	}
	double value = a.sum / (a.all[0] * a.all[1]);
	for (size_t i = 0; i < n; i++) {
		double own = a.all[s->standing[i] == CASE], other = a.all[s->standing[i] != CASE];
		influence[i] = s->standing[i] == UNKNOWN
		                       ? 0
		                       : s->weight[i] / own * (influence[i] / other - value);
	}
	return finish(s, value, 0, influence, out, err);
}

typedef enum rs_code measure(const struct standings *s, const double *prediction, struct rs_estimate *out,
                             double *influence, struct rs_error *err);

static enum rs_code judge(const struct rs_follow_up *data, uint8_t type, double time,
                          const double *prediction, measure *of, struct rs_estimate *out, double *influence,
                          struct rs_error *err)
{
	struct standings s RS_CLEANUP(standings_finish) = {0};
	RS_TRY(standings_of(data, type, time, &s, err));
	double *own RS_CLEANUP(rs_free_pointer) = rs_allocate_array(data->count, sizeof *own);
	if (!own)
		return rs_error_memory(err, data->count * sizeof *own, "influences");
	struct rs_estimate made;
	RS_TRY(of(&s, prediction, &made, own, err));
	for (size_t i = 0; influence && i < data->count; i++)
		influence[i] = own[i];
	*out = made;
	return RS_OK;
}

enum rs_code rs_auc_at(const struct rs_follow_up *data, uint8_t type, double time, const double *score,
                       struct rs_estimate *out, double *influence, struct rs_error *err)
{
	return judge(data, type, time, score, auc, out, influence, err);
}

enum rs_code rs_brier_at(const struct rs_follow_up *data, uint8_t type, double time, const double *risk,
                         struct rs_estimate *out, double *influence, struct rs_error *err)
{
	return judge(data, type, time, risk, brier, out, influence, err);
}

double rs_integrated_over(const double *times, const double *values, size_t count)
{
	double area = 0;
	if (count == 1)
		return values[0];
	for (size_t i = 1; i < count; i++)
		area += 0.5 * (times[i] - times[i - 1]) * (values[i] + values[i - 1]);
	return area / (times[count - 1] - times[0]);
}
