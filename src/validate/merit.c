/* What cross-validated predictions are worth, alone and beside each other. */
#include <math.h>
#include <string.h>

#include "assess/assess.h"
#include "numeric/numeric_distribution.h"
#include "survival/survival_concordance.h"
#include "validate/validate_risks.h"
#include "validate/validate.h"

#define LEVEL 0.95
#define JACKKNIFE_GROUPS_MAX 200

/* Repeats one below the other; a pair counts when both subjects were judged by the same model. */
struct pile {
	struct rs_arena arena;
	size_t count;
	double *time, *score;
	uint8_t *event;
	uint32_t *stratum, *subject;
};
static void pile_finish(struct pile *pile) { rs_arena_finish(&pile->arena); }

/* Without the subjects whose number leaves `left_out` when divided by `groups` (groups 0: all of them). */
static enum rs_code pile_fill(const struct rs_contender *of, const struct rs_study *study, size_t groups,
                              size_t left_out, struct pile *out, struct rs_error *err)
{
	const struct rs_frame *frame = of->frame;
	size_t n = frame->rows, all = n * study->repeats;
	rs_arena_init(&out->arena, SIZE_MAX / 2);
	out->time = rs_arena_allocate_array(&out->arena, all, sizeof *out->time);
	out->score = rs_arena_allocate_array(&out->arena, all, sizeof *out->score);
	out->event = rs_arena_allocate(&out->arena, all);
	out->stratum = rs_arena_allocate_array(&out->arena, all, sizeof *out->stratum);
	out->subject = rs_arena_allocate_array(&out->arena, all, sizeof *out->subject);
	if (!out->time || !out->score || !out->event || !out->stratum || !out->subject)
		return rs_error_memory(err, all * sizeof *out->time, "predictions");
	for (size_t k = 0; k < all; k++) {
		size_t i = k % n, at = out->count;
		if (groups && frame->subject[i] % groups == left_out)
			continue;
		out->time[at] = frame->time[i];
		out->score[at] = of->score[k];
		out->event[at] = frame->outcome[i];
		out->stratum[at] = (uint32_t)(k / n * rs_folds_count(frame, study) + of->fold[k]);
		out->subject[at] = frame->subject[i];
		out->count++;
	}
	return RS_OK;
}

static enum rs_code concordance_of(const struct rs_contender *of, const struct rs_study *study, size_t groups,
                                   size_t left_out, struct rs_concordance *out, struct rs_error *err)
{
	struct pile pile RS_CLEANUP(pile_finish) = {.count = 0};
	RS_TRY(pile_fill(of, study, groups, left_out, &pile, err));
	const struct rs_follow_up seen = {.count = pile.count, .time = pile.time, .event = pile.event};
	const struct rs_concordance_options options = {.stratum = pile.stratum, .cluster = pile.subject};
	return rs_concordance_of(&seen, pile.score, &options, out, err);
}

/* Merit without the subjects of a group; groups 0: of all. Of classes it is the mean of the repeats that is judged. */
static enum rs_code merit_without(const struct rs_contender *of, const struct rs_study *study, size_t groups,
                                  size_t left_out, double *out, struct rs_error *err)
{
	const struct rs_frame *frame = of->frame;
	struct rs_concordance found;
	size_t count = 0;
	if (frame->target == RS_TARGET_SURVIVAL) {
		RS_TRY(concordance_of(of, study, groups, left_out, &found, err));
		*out = found.c;
		return RS_OK;
	}
	uint8_t *outcome RS_CLEANUP(rs_free_pointer) = rs_allocate(frame->rows);
	double *score RS_CLEANUP(rs_free_pointer) = rs_allocate_array(frame->rows, of->width * sizeof *score);
	if (!outcome || !score)
		return rs_error_memory(err, frame->rows * of->width * sizeof *score, "predictions");
	for (size_t i = 0; i < frame->rows; i++) {
		if (groups && frame->subject[i] % groups == left_out)
			continue;
		memcpy(score + count * of->width, of->mean + i * of->width, of->width * sizeof *score);
		outcome[count++] = frame->outcome[i];
	}
	const struct rs_judged judged = {frame->target, frame->classes, count, outcome, NULL, score, NULL};
	return rs_judged_merit(&judged, out, err);
}

/* Delete-a-group jackknife of the merit of `a`, or of its difference to that of `b`. */
static enum rs_code jackknife(const struct rs_contender *a, const struct rs_contender *b,
                              const struct rs_study *study, double *out_error, struct rs_error *err)
{
	double found[JACKKNIFE_GROUPS_MAX], mean = 0, squares = 0;
	size_t groups = a->frame->subject_count;
	if (groups > JACKKNIFE_GROUPS_MAX)
		groups = JACKKNIFE_GROUPS_MAX;
	for (size_t g = 0; g < groups; g++) {
		double of_b = 0;
		RS_TRY(merit_without(a, study, groups, g, &found[g], err));
		if (b)
			RS_TRY(merit_without(b, study, groups, g, &of_b, err));
		found[g] -= of_b;
		mean += found[g] / (double)groups;
	}
	for (size_t g = 0; g < groups; g++)
		squares += (found[g] - mean) * (found[g] - mean);
	*out_error = sqrt(squares * (double)(groups - 1) / (double)groups);
	return RS_OK;
}

enum rs_code rs_merit_of(const struct rs_contender *of, const struct rs_study *study, struct rs_merit *out,
                         struct rs_error *err)
{
	struct rs_concordance found = {.c = NAN};
	if (of->frame->target == RS_TARGET_BINARY)
		return rs_judged_interval(&(struct rs_judged){.target = RS_TARGET_BINARY,
		                                              .classes = 2,
		                                              .count = of->frame->rows,
		                                              .outcome = of->frame->outcome,
		                                              .score = of->mean},
		                          out, err);
	if (of->frame->target == RS_TARGET_SURVIVAL) {
		RS_TRY(concordance_of(of, study, 0, 0, &found, err));
	} else {
		RS_TRY(merit_without(of, study, 0, 0, &found.c, err));
		RS_TRY(jackknife(of, NULL, study, &found.error, err));
	}
	if (isnan(found.c))
		return rs_error_set(
			err, RS_NOT_FOUND,
			"%s: no two subjects of one fold can be compared: too few events, or all at "
			"the same time",
			of->name);
	*out = rs_merit_around(found.c, found.error);
	return RS_OK;
}

enum rs_code rs_merit_difference(const struct rs_contender *a, const struct rs_contender *b,
                                 const struct rs_study *study, double *out_difference, double *out_p,
                                 struct rs_error *err)
{
	const struct rs_frame *frame = a->frame;
	if (frame->target != RS_TARGET_BINARY) {
		double of_a, of_b, error;
		RS_TRY(merit_without(a, study, 0, 0, &of_a, err));
		RS_TRY(merit_without(b, study, 0, 0, &of_b, err));
		RS_TRY(jackknife(a, b, study, &error, err));
		*out_difference = of_a - of_b;
		*out_p = error > 0 ? rs_normal_two_sided(*out_difference / error) : NAN;
		return RS_OK;
	}
	const double *scores[] = {a->mean, b->mean};
	double area[2], covariance[4];
	RS_TRY(rs_auc_of(scores, 2, frame->outcome, frame->rows, area, covariance, err));
	*out_difference = area[0] - area[1];
	*out_p = rs_auc_difference(area, covariance, 2, 0, 1, NULL);
	return RS_OK;
}

/* ---- told ---- */

static void tell(const struct rs_training_report *report, const char *of, const char *name,
                 struct rs_interval value)
{
	report->finding(report->context,
	                &(struct rs_finding){of, name, value.value, value.lower, value.upper, NAN});
}

static void tell_value(const struct rs_training_report *report, const char *of, const char *name,
                       double value)
{
	tell(report, of, name, (struct rs_interval){value, NAN, NAN});
}

/* AUC of each fold of each repeat where it exists. */
static enum rs_code tell_folds(const struct rs_contender *of, const struct rs_study *study,
                               const struct rs_training_report *report, struct rs_error *err)
{
	size_t n = of->frame->rows, folds = rs_folds_count(of->frame, study);
	double *score RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *score);
	uint8_t *outcome RS_CLEANUP(rs_free_pointer) = rs_allocate(n);
	if (!score || !outcome)
		return rs_error_memory(err, n * sizeof *score, "folds");
	for (size_t k = 0; k < study->repeats * folds; k++) {
		char name[64];
		const double *scores[] = {score};
		size_t count = 0, positives = 0, first = k / folds * n;
		double area = NAN, variance;
		for (size_t i = 0; i < n; i++)
			if (of->fold[first + i] == k % folds) {
				score[count] = of->score[first + i];
				positives += outcome[count++] = of->frame->outcome[i];
			}
		if (positives > 0 && positives < count)
			RS_TRY(rs_auc_of(scores, 1, outcome, count, &area, &variance, err));
		snprintf(name, sizeof name, "auc_repeat_%zu_fold_%zu", k / folds + 1, k % folds + 1);
		tell_value(report, of->name, name, area);
	}
	return RS_OK;
}

/* Thresholds are those that each fold's model chose for itself: score and threshold become their difference and 0. */
static enum rs_code tell_classes(const struct rs_contender *of, const struct rs_training_report *report,
                                 struct rs_error *err)
{
	size_t n = of->frame->rows;
	double *above RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *above);
	struct rs_classification found;
	struct rs_calibration calibration;
	if (!above)
		return rs_error_memory(err, n * sizeof *above, "predictions");
	for (size_t i = 0; i < n; i++)
		above[i] = of->score[i] - of->threshold[i];
	struct rs_confusion confusion = rs_confusion_of(above, of->frame->outcome, n, 0);
	rs_classification_of(&confusion, LEVEL, &found);
	tell(report, of->name, "sensitivity", found.sensitivity);
	tell(report, of->name, "specificity", found.specificity);
	tell(report, of->name, "accuracy", found.accuracy);
	tell_value(report, of->name, "balanced_accuracy", found.balanced_accuracy);
	tell_value(report, of->name, "f1", found.f1);
	tell_value(report, of->name, "mcc", found.mcc);
	double precision;
	RS_TRY(rs_average_precision(of->mean, of->frame->outcome, n, &precision, err));
	tell_value(report, of->name, "average_precision", precision);
	RS_TRY(rs_calibration_of(of->mean, of->frame->outcome, n, LEVEL, &calibration, err));
	tell_value(report, of->name, "brier", calibration.brier);
	tell(report, of->name, "calibration_intercept", calibration.intercept);
	tell(report, of->name, "calibration_slope", calibration.slope);
	tell_value(report, of->name, "ici", calibration.ici);
	return RS_OK;
}

/* Of several classes, and of each against all others. */
static enum rs_code tell_several(const struct rs_contender *of, const struct rs_training_report *report,
                                 struct rs_error *err)
{
	const struct rs_frame *frame = of->frame;
	size_t n = frame->rows;
	const struct rs_class_scores scores = {n, frame->classes, frame->outcome, of->mean};
	struct rs_classes found;
	RS_TRY(rs_classes_of(&scores, &found, err));
	tell_value(report, of->name, frame->target == RS_TARGET_ORDINAL ? "hand_till" : "ordinal_c",
	           frame->target == RS_TARGET_ORDINAL ? found.hand_till : found.ordinal_c);
	tell(report, of->name, "accuracy", rs_proportion_interval(found.correct, n, LEVEL));
	tell_value(report, of->name, "balanced_accuracy", found.balanced_accuracy);
	tell_value(report, of->name, "macro_f1", found.macro_f1);
	tell_value(report, of->name, "quadratic_kappa", found.kappa);
	tell_value(report, of->name, "brier", found.brier);
	tell_value(report, of->name, "log_loss", found.log_loss);
	double *score RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *score);
	uint8_t *is RS_CLEANUP(rs_free_pointer) = rs_allocate(n);
	if (!score || !is)
		return rs_error_memory(err, n * sizeof *score, "classes");
	for (uint32_t k = 0; k < frame->classes; k++) {
		const double *one[] = {score};
		double area, variance;
		char name[128];
		size_t members = 0;
		for (size_t i = 0; i < n; i++) {
			score[i] = of->mean[i * frame->classes + k];
			members += is[i] = frame->outcome[i] == k;
		}
		RS_TRY(rs_auc_of(one, 1, is, n, &area, &variance, err));
		snprintf(name, sizeof name, "auc_of_%s", frame->levels[k]);
		tell(report, of->name, name,
		     rs_auc_interval(area, variance, members < n - members ? members : n - members, LEVEL));
	}
	return RS_OK;
}

/* Which candidate each fold chose, and what all of them were worth in its inner folds. */
static void tell_choices(const struct rs_contender *of, const struct rs_study *study,
                         const struct rs_training_report *report)
{
	size_t folds = rs_folds_count(of->frame, study), runs = folds * study->repeats;
	for (size_t c = 0; c < of->candidates; c++) {
		char label[RS_LABEL_SIZE], name[96];
		size_t times = 0;
		rs_plan_label(of->plan, c, label);
		for (size_t k = 0; k < runs; k++) {
			times += of->chosen[k] == c;
			snprintf(name, sizeof name, "inner_%s_repeat_%zu_fold_%zu",
			         rs_merit_name(of->frame->target), k / folds + 1, k % folds + 1);
			tell_value(report, label, name, of->inner[k * of->candidates + c]);
		}
		tell_value(report, label, "chosen", (double)times / (double)runs);
	}
}

enum rs_code rs_contender_report(const struct rs_contender *of, const struct rs_study *study,
                                 const struct rs_training_report *report, bool whole, struct rs_error *err)
{
	struct rs_merit merit;
	RS_TRY(rs_merit_of(of, study, &merit, err));
	tell(report, of->name, rs_merit_name(of->frame->target),
	     (struct rs_interval){merit.value, merit.lower, merit.upper});
	if (whole && of->candidates > 1)
		tell_choices(of, study, report);
	if (of->risks)
		return rs_risks_report(of, report, err);
	if (!whole || of->frame->target == RS_TARGET_SURVIVAL)
		return RS_OK;
	if (of->frame->target != RS_TARGET_BINARY)
		return tell_several(of, report, err);
	RS_TRY(tell_classes(of, report, err));
	return tell_folds(of, study, report, err);
}
