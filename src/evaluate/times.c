/* Risks held against who had the event until a time. */
#include <math.h>
#include <stdio.h>

#include "told.h"
#include "numeric/numeric_distribution.h"
#include "survival/survival_competing.h"
#include "survival/survival_prediction.h"

/* None of what is not known, or has no error. */
static struct rs_interval within(const struct rs_estimate *found, double level)
{
	if (isnan(found->value) || !(found->error > 0))
		return (struct rs_interval){found->value, NAN, NAN};
	return rs_share_interval(found->value, found->error, level);
}

/* A difference of two measures, by the difference of their influences. */
static void tell_difference(const struct told *told, const char *of, const char *name, double time,
                            double value, const double *first, const double *second)
{
	double sum = 0, z = rs_normal_quantile(0.5 + 0.5 * told->asked->level);
	for (size_t i = 0; i < told->count; i++)
		sum += (first[i] - second[i]) * (first[i] - second[i]);
	double error = sqrt(sum);
	const struct rs_interval interval = {value, value - z * error, value + z * error};
	finding_tell_at(told, of, name, time, &interval,
	                error > 0 ? rs_normal_two_sided(value / error) : NAN);
}

/* influence: by score, told->count each. */
static enum rs_code tell_areas(const struct told *told, double time, double *influence, struct rs_error *err)
{
	const struct rs_follow_up seen = told_seen(told);
	const struct rs_evaluation *asked = told->asked;
	struct rs_estimate found[RS_SCORES_MAX];
	size_t n = told->count;
	for (size_t s = 0; s < asked->score_count; s++) {
		RS_TRY(rs_auc_at(&seen, 1, time, told->score[s], &found[s], &influence[s * n], err));
		struct rs_interval interval = within(&found[s], asked->level);
		finding_tell_at(told, asked->scores[s], "auc", time, &interval, NAN);
	}
	for (size_t a = 0; a < asked->score_count; a++)
		for (size_t b = a + 1; b < asked->score_count; b++) {
			char pair[256];
			snprintf(pair, sizeof pair, "%s - %s", asked->scores[a], asked->scores[b]);
			tell_difference(told, pair, "auc_difference", time, found[a].value - found[b].value,
			                &influence[a * n], &influence[b * n]);
		}
	return RS_OK;
}

static enum rs_code tell_calibration(const struct told *told, const struct rs_follow_up *seen, size_t t,
                                     struct rs_error *err)
{
	const char *of = told->asked->survival[t];
	double time = told->asked->times[t];
	struct rs_risk_calibration found;
	RS_TRY(rs_risk_calibration_of(seen, 1, time, told->risk[t], told->asked->level, &found, NULL, NULL,
	                              err));
	const struct {
		const char *name;
		struct rs_interval interval;
		double p;
	} told_of[] = {
		{"expected_risk", {found.expected, NAN, NAN}, NAN},
		{"observed_risk", {found.observed, found.lower, found.upper}, NAN},
		{"ici", {found.ici, NAN, NAN}, NAN},
		{"e50", {found.e50, NAN, NAN}, NAN},
		{"e90", {found.e90, NAN, NAN}, NAN},
		{"e_max", {found.e_max, NAN, NAN}, NAN},
		{"greenwood_nam_dagostino", {found.chi_square, NAN, NAN}, found.p},
	};
	for (size_t i = 0; i < RS_COUNT(told_of); i++)
		finding_tell_at(told, of, told_of[i].name, time, &told_of[i].interval, told_of[i].p);
	return RS_OK;
}

/* The same risk for all: the incidence. */
static enum rs_code error_of_none(const struct told *told, const struct rs_follow_up *seen, double time,
                                  struct rs_estimate *out, double *influence, struct rs_error *err)
{
	struct rs_incidence curve RS_CLEANUP(rs_incidence_finish) = {0};
	double *risk RS_CLEANUP(rs_free_pointer) = rs_allocate_array(told->count, sizeof *risk);
	if (!risk)
		return rs_error_memory(err, told->count * sizeof *risk, "predictions");
	RS_TRY(rs_incidence_fit(seen, NULL, told->count, 1, RS_INTERVAL_LOG_LOG, told->asked->level, &curve,
	                        err));
	const struct rs_incidence_point *at = rs_incidence_at(&curve, time);
	for (size_t i = 0; i < told->count; i++)
		risk[i] = at ? fmin(1, at->incidence) : 0;
	return rs_brier_at(seen, 1, time, risk, out, influence, err);
}

/* Of each time, and over all of them. work: 4 × told->count, zeroes */
static enum rs_code tell_errors(const struct told *told, double *work, struct rs_error *err)
{
	const struct rs_follow_up seen = told_seen(told);
	const struct rs_evaluation *asked = told->asked;
	size_t n = told->count, times = asked->survival_count;
	double value[RS_TIMES_MAX], reference[RS_TIMES_MAX], *own = work, *none = work + n,
							     *last = work + 2 * n, *sum = work + 3 * n;
	for (size_t t = 0; t < times; t++) {
		const char *of = asked->survival[t];
		struct rs_estimate area, brier, without;
		RS_TRY(rs_auc_at(&seen, 1, asked->times[t], told->risk[t], &area, NULL, err));
		RS_TRY(rs_brier_at(&seen, 1, asked->times[t], told->risk[t], &brier, own, err));
		RS_TRY(error_of_none(told, &seen, asked->times[t], &without, none, err));
		struct rs_interval interval = within(&area, asked->level);
		finding_tell_at(told, of, "auc", asked->times[t], &interval, NAN);
		interval = within(&brier, asked->level);
		finding_tell_at(told, of, "brier", asked->times[t], &interval, NAN);
		tell_difference(told, of, "brier_gained", asked->times[t], without.value - brier.value, none,
		                own);
		interval = (struct rs_interval){1 - brier.value / without.value, NAN, NAN};
		finding_tell_at(told, of, "scaled_brier", asked->times[t], &interval, NAN);
		value[t] = brier.value;
		reference[t] = without.value;
		for (size_t i = 0; t > 0 && i < n; i++)
			sum[i] += 0.5 * (asked->times[t] - asked->times[t - 1]) * (own[i] + last[i]);
		for (size_t i = 0; i < n; i++)
			last[i] = own[i];
		RS_TRY(tell_calibration(told, &seen, t, err));
	}
	if (times < 2)
		return RS_OK;
	struct rs_estimate all = {rs_integrated_over(asked->times, value, times), 0};
	for (size_t i = 0; i < n; i++)
		all.error += sum[i] * sum[i];
	all.error = sqrt(all.error) / (asked->times[times - 1] - asked->times[0]);
	struct rs_interval interval = within(&all, asked->level);
	finding_tell_interval(told, "", "integrated_brier", &interval);
	finding_tell_value(told, "", "scaled_integrated_brier",
	                   1 - all.value / rs_integrated_over(asked->times, reference, times));
	return RS_OK;
}

enum rs_code tell_times(const struct told *told, struct rs_error *err)
{
	size_t wanted = told->asked->score_count > 4 ? told->asked->score_count : 4;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(told->count, wanted * sizeof *work);
	if (!work)
		return rs_error_memory(err, told->count * wanted * sizeof *work, "influences");
	for (size_t t = 0; t < told->asked->time_count; t++)
		RS_TRY(tell_areas(told, told->asked->times[t], work, err));
	for (size_t i = 0; i < told->count * wanted; i++)
		work[i] = 0;
	return told->asked->survival_count ? tell_errors(told, work, err) : RS_OK;
}
