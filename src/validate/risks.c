#include "validate/validate_risks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_parts.h"
#include "survival/survival_competing.h"
#include "survival/survival_prediction.h"

#define LEVEL 0.95

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void horizons_of(const struct rs_frame *frame, double *work, struct rs_horizons *out)
{
	size_t events = 0;
	out->count = 0;
	for (size_t i = 0; i < frame->rows; i++)
		if (frame->outcome[i])
			work[events++] = frame->time[i];
	if (events == 0)
		return;
	qsort(work, events, sizeof *work, rising);
	for (size_t k = 1; k <= RS_HORIZONS_MAX; k++) {
		double time = work[k * (events - 1) / (RS_HORIZONS_MAX + 1)];
		if (out->count == 0 || time > out->times[out->count - 1])
			out->times[out->count++] = time;
	}
}

void rs_risks_finish(struct rs_risks *risks)
{
	rs_free(risks->survival);
	*risks = (struct rs_risks){0};
}

static size_t width_of(const struct rs_risks *risks) { return risks->horizons.count + 1; }

enum rs_code rs_risks_init(struct rs_risks *risks, const struct rs_frame *frame, struct rs_error *err)
{
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->rows, sizeof *work);
	if (!work)
		return rs_error_memory(err, frame->rows * sizeof *work, "predictions");
	horizons_of(frame, work, &risks->horizons);
	risks->survival = rs_allocate_array(frame->rows, width_of(risks) * sizeof *risks->survival);
	if (!risks->survival)
		return rs_error_memory(err, frame->rows * width_of(risks) * sizeof *work, "predictions");
	for (size_t i = 0; i < frame->rows * width_of(risks); i++)
		risks->survival[i] = NAN;
	return RS_OK;
}

/* The horizons and a row's own time, ascending. Returns the place of its own. */
static size_t times_of(const struct rs_horizons *horizons, double own, double *out)
{
	size_t at = 0;
	for (size_t h = 0; h < horizons->count; h++)
		at += horizons->times[h] < own;
	memcpy(out, horizons->times, at * sizeof *out);
	out[at] = own;
	memcpy(out + at + 1, horizons->times + at, (horizons->count - at) * sizeof *out);
	return at;
}

/* Its own comes last. */
static void place_row(const struct rs_horizons *horizons, const double *found, size_t own, double *out)
{
	memcpy(out, found, own * sizeof *out);
	memcpy(out + own, found + own + 1, (horizons->count - own) * sizeof *out);
	out[horizons->count] = found[own];
}

enum rs_code rs_risks_judge(struct rs_risks *risks, const struct rs_fitted *fitted,
                            const struct rs_frame *frame, enum rs_view view, const size_t *rows, size_t count,
                            struct rs_error *err)
{
	double times[RS_HORIZONS_MAX + 1], found[RS_HORIZONS_MAX + 1];
	if (!fitted->learner->survival)
		return RS_OK;
	for (size_t i = 0; i < count; i++) {
		size_t own = times_of(&risks->horizons, frame->time[rows[i]], times);
		RS_TRY(rs_fitted_survival(fitted, frame, view, rows[i], times, width_of(risks), found, err));
		place_row(&risks->horizons, found, own, &risks->survival[rows[i] * width_of(risks)]);
	}
	return RS_OK;
}

/* ---- from risks ---- */

/* Rows of one fold, by those of the others. */
static enum rs_code fill_fold(const struct rs_contender *of, size_t fold, double *risk, double *time,
                              uint8_t *outcome, struct rs_error *err)
{
	struct rs_risks *risks = of->risks;
	struct rs_risk_curve curve RS_CLEANUP(rs_curve_finish) = {0};
	double times[RS_HORIZONS_MAX + 1], found[RS_HORIZONS_MAX + 1];
	size_t count = 0, events = 0;
	for (size_t i = 0; i < of->frame->rows; i++)
		if (of->fold[i] != fold) {
			risk[count] = of->score[i];
			time[count] = of->frame->time[i];
			events += outcome[count++] = of->frame->outcome[i];
		}
	if (events == 0)
		return RS_OK;
	const struct rs_frame others = {.rows = count, .time = time, .outcome = outcome};
	RS_TRY(rs_risk_curve_fit(&others, risk, &curve, err));
	for (size_t i = 0; i < of->frame->rows; i++)
		if (of->fold[i] == fold) {
			size_t own = times_of(&risks->horizons, of->frame->time[i], times);
			rs_curve_survival(&curve, of->score[i], times, width_of(risks), found);
			place_row(&risks->horizons, found, own, &risks->survival[i * width_of(risks)]);
		}
	return RS_OK;
}

static enum rs_code fill(const struct rs_contender *of, struct rs_error *err)
{
	size_t n = of->frame->rows, folds = 0;
	double *risk RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *risk);
	double *time RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *time);
	uint8_t *outcome RS_CLEANUP(rs_free_pointer) = rs_allocate(n);
	if (!risk || !time || !outcome)
		return rs_error_memory(err, n * sizeof *risk, "predictions");
	for (size_t i = 0; i < n; i++)
		if (of->fold[i] >= folds)
			folds = (size_t)of->fold[i] + 1;
	for (size_t f = 0; f < folds; f++) {
		bool missing = false;
		for (size_t i = 0; i < n; i++)
			missing = missing ||
			          (of->fold[i] == f && isnan(of->risks->survival[i * width_of(of->risks)]));
		if (missing)
			RS_TRY(fill_fold(of, f, risk, time, outcome, err));
	}
	return RS_OK;
}

/* ---- told ---- */

static struct rs_follow_up seen_by(const struct rs_contender *of)
{
	return (struct rs_follow_up){
		.count = of->frame->rows, .time = of->frame->time, .event = of->frame->outcome};
}

static void tell(const struct rs_training_report *report, const struct rs_contender *of, const char *name,
                 double time, const struct rs_interval *found, double p)
{
	char full[96];
	snprintf(full, sizeof full, isnan(time) ? "%s" : "%s_at_%.10g", name, time);
	report->finding(report->context,
	                &(struct rs_finding){of->name, full, found->value, found->lower, found->upper, p});
}

static struct rs_interval interval_of(const struct rs_estimate *found)
{
	if (isnan(found->value) || !(found->error > 0))
		return (struct rs_interval){found->value, NAN, NAN};
	return rs_share_interval(found->value, found->error, LEVEL);
}

/* Risks at a horizon, or by rows' own times; false when some are not known. */
static bool take_risks(const struct rs_contender *of, size_t horizon, double *out)
{
	const struct rs_risks *risks = of->risks;
	bool known = true;
	for (size_t i = 0; i < of->frame->rows; i++) {
		out[i] = 1 - risks->survival[i * width_of(risks) + horizon];
		known = known && out[i] >= 0 && out[i] <= 1;
	}
	return known;
}

static enum rs_code tell_horizon(const struct rs_contender *of, const struct rs_training_report *report,
                                 double time, const double *risk, struct rs_error *err)
{
	const struct rs_follow_up seen = seen_by(of);
	struct rs_estimate area, brier;
	struct rs_risk_calibration calibration;
	RS_TRY(rs_auc_at(&seen, 1, time, risk, &area, NULL, err));
	RS_TRY(rs_brier_at(&seen, 1, time, risk, &brier, NULL, err));
	RS_TRY(rs_risk_calibration_of(&seen, 1, time, risk, LEVEL, &calibration, NULL, NULL, err));
	struct rs_interval found = interval_of(&area);
	tell(report, of, "auc", time, &found, NAN);
	found = interval_of(&brier);
	tell(report, of, "brier", time, &found, NAN);
	tell(report, of, "expected_risk", time, &(struct rs_interval){calibration.expected, NAN, NAN}, NAN);
	tell(report, of, "observed_risk", time,
	     &(struct rs_interval){calibration.observed, calibration.lower, calibration.upper}, NAN);
	tell(report, of, "ici", time, &(struct rs_interval){calibration.ici, NAN, NAN}, NAN);
	tell(report, of, "greenwood_nam_dagostino", time,
	     &(struct rs_interval){calibration.chi_square, NAN, NAN}, calibration.p);
	return RS_OK;
}

/* Brier's score over all horizons, and what it gains on the incidence of all. */
static enum rs_code tell_integral(const struct rs_contender *of, const struct rs_training_report *report,
                                  double *risk, struct rs_error *err)
{
	const struct rs_follow_up seen = seen_by(of);
	const struct rs_horizons *horizons = &of->risks->horizons;
	struct rs_incidence curve RS_CLEANUP(rs_incidence_finish) = {0};
	double brier[RS_HORIZONS_MAX], none[RS_HORIZONS_MAX];
	RS_TRY(rs_incidence_fit(&seen, NULL, seen.count, 1, RS_INTERVAL_LOG_LOG, LEVEL, &curve, err));
	for (size_t h = 0; h < horizons->count; h++) {
		struct rs_estimate found;
		take_risks(of, h, risk);
		RS_TRY(rs_brier_at(&seen, 1, horizons->times[h], risk, &found, NULL, err));
		brier[h] = found.value;
		const struct rs_incidence_point *at = rs_incidence_at(&curve, horizons->times[h]);
		for (size_t i = 0; i < seen.count; i++)
			risk[i] = at ? fmin(1, at->incidence) : 0;
		RS_TRY(rs_brier_at(&seen, 1, horizons->times[h], risk, &found, NULL, err));
		none[h] = found.value;
	}
	double all = rs_integrated_over(horizons->times, brier, horizons->count);
	tell(report, of, "integrated_brier", NAN, &(struct rs_interval){all, NAN, NAN}, NAN);
	tell(report, of, "scaled_integrated_brier", NAN,
	     &(struct rs_interval){1 - all / rs_integrated_over(horizons->times, none, horizons->count), NAN,
	                           NAN},
	     NAN);
	return RS_OK;
}

enum rs_code rs_risks_report(const struct rs_contender *of, const struct rs_training_report *report,
                             struct rs_error *err)
{
	const struct rs_horizons *horizons = &of->risks->horizons;
	const struct rs_follow_up seen = seen_by(of);
	double *risk RS_CLEANUP(rs_free_pointer) = rs_allocate_array(seen.count, sizeof *risk);
	struct rs_spread spread;
	if (!risk)
		return rs_error_memory(err, seen.count * sizeof *risk, "predictions");
	RS_TRY(fill(of, err));
	for (size_t quarter = 1; quarter <= 3; quarter++) {
		size_t h = quarter * horizons->count / 4;
		if (horizons->count < 4 || !take_risks(of, h, risk))
			return RS_OK;
		RS_TRY(tell_horizon(of, report, horizons->times[h], risk, err));
	}
	RS_TRY(tell_integral(of, report, risk, err));
	if (!take_risks(of, horizons->count, risk))
		return RS_OK;
	RS_TRY(rs_risk_spread_of(&seen, risk, &spread, err));
	tell(report, of, "d_calibration", NAN, &(struct rs_interval){spread.chi_square, NAN, NAN}, spread.p);
	return RS_OK;
}

enum rs_code rs_risks_show(const struct rs_contender *of, double *line, struct rs_report_risk *out,
                           bool *out_any, struct rs_error *err)
{
	const struct rs_horizons *horizons = &of->risks->horizons;
	const struct rs_follow_up seen = seen_by(of);
	double time = horizons->count > 0 ? horizons->times[horizons->count / 2] : NAN;
	double *risk RS_CLEANUP(rs_free_pointer) = rs_allocate_array(seen.count, sizeof *risk);
	if (!risk)
		return rs_error_memory(err, seen.count * sizeof *risk, "predictions");
	*out_any = horizons->count >= 4 && take_risks(of, horizons->count / 2, risk);
	if (!*out_any)
		return RS_OK;
	*out = (struct rs_report_risk){of->name, time, seen.count, line, line + seen.count, {.groups = 0}};
	return rs_risk_calibration_of(&seen, 1, time, risk, LEVEL, &out->found, line, line + seen.count, err);
}
