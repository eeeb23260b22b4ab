#include "merit.h"

#include <math.h>

#include "assess/assess.h"
#include "numeric/numeric_distribution.h"
#include "survival/survival_concordance.h"

#define LEVEL 0.95

static enum rs_code auc_interval(const double *score, const uint8_t *outcome, size_t count, struct merit *out,
                                 struct rs_error *err)
{
	double area, variance;
	size_t positives = 0;
	for (size_t i = 0; i < count; i++)
		positives += outcome[i];
	RS_TRY(rs_auc_of(&score, 1, outcome, count, &area, &variance, err));
	size_t smaller = positives < count - positives ? positives : count - positives;
	struct rs_interval interval = rs_auc_interval(area, variance, smaller, LEVEL);
	*out = (struct merit){area, sqrt(variance), interval.lower, interval.upper};
	return RS_OK;
}

struct merit merit_around(double value, double error)
{
	struct rs_interval interval = rs_share_interval(value, error, LEVEL);
	return (struct merit){value, error, interval.lower, interval.upper};
}

const char *merit_name(enum target target)
{
	return target == TARGET_BINARY    ? "auc"
	       : target == TARGET_CLASSES ? "hand_till"
	       : target == TARGET_ORDINAL ? "ordinal_c"
	                                  : "concordance";
}

enum rs_code judged_merit(const struct judged *judged, double *out, struct rs_error *err)
{
	struct rs_concordance found;
	double variance;
	size_t positives = 0;
	if (judged->target == TARGET_SURVIVAL) {
		const struct rs_follow_up seen = {
			.count = judged->count, .time = judged->time, .event = judged->outcome};
		const struct rs_concordance_options options = {.stratum = judged->stratum};
		RS_TRY(rs_concordance_of(&seen, judged->score, &options, &found, err));
		*out = found.c;
		return RS_OK;
	}
	if (judged->target != TARGET_BINARY) {
		const struct rs_class_scores scores = {judged->count, judged->classes, judged->outcome,
		                                       judged->score};
		struct rs_classes of;
		RS_TRY(rs_classes_of(&scores, &of, err));
		*out = judged->target == TARGET_CLASSES ? of.hand_till : of.ordinal_c;
		return RS_OK;
	}
	for (size_t i = 0; i < judged->count; i++)
		positives += judged->outcome[i];
	*out = NAN;
	return positives > 0 && positives < judged->count
	               ? rs_auc_of(&judged->score, 1, judged->outcome, judged->count, out, &variance, err)
	               : RS_OK;
}

enum rs_code judged_interval(const struct judged *judged, struct merit *out, struct rs_error *err)
{
	struct rs_concordance found;
	double value;
	if (judged->target == TARGET_SURVIVAL) {
		const struct rs_follow_up seen = {
			.count = judged->count, .time = judged->time, .event = judged->outcome};
		const struct rs_concordance_options options = {.stratum = judged->stratum};
		RS_TRY(rs_concordance_of(&seen, judged->score, &options, &found, err));
		*out = merit_around(found.c, found.error);
		return RS_OK;
	}
	RS_TRY(judged_merit(judged, &value, err));
	if (judged->target == TARGET_BINARY && !isnan(value))
		return auc_interval(judged->score, judged->outcome, judged->count, out, err);
	*out = merit_around(value, NAN);
	return RS_OK;
}
