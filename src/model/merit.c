#include "model/model_merit.h"

#include <math.h>

#include "assess/assess.h"
#include "numeric/numeric_distribution.h"
#include "survival/survival_concordance.h"

#define LEVEL 0.95

static enum rs_code auc_interval(const double *score, const uint8_t *outcome, size_t count,
                                 struct rs_merit *out, struct rs_error *err)
{
	double area, variance;
	size_t positives = 0;
	for (size_t i = 0; i < count; i++)
		positives += outcome[i];
	RS_TRY(rs_auc_of(&score, 1, outcome, count, &area, &variance, err));
	size_t smaller = positives < count - positives ? positives : count - positives;
	struct rs_interval interval = rs_auc_interval(area, variance, smaller, LEVEL);
	*out = (struct rs_merit){area, sqrt(variance), interval.lower, interval.upper};
	return RS_OK;
}

struct rs_merit rs_merit_around(double value, double error)
{
	struct rs_interval interval = rs_share_interval(value, error, LEVEL);
	return (struct rs_merit){value, error, interval.lower, interval.upper};
}

const char *rs_merit_name(enum rs_target target)
{
	return target == RS_TARGET_BINARY    ? "auc"
	       : target == RS_TARGET_CLASSES ? "hand_till"
	       : target == RS_TARGET_ORDINAL ? "ordinal_c"
	                                     : "concordance";
}

enum rs_code rs_judged_merit(const struct rs_judged *judged, double *out, struct rs_error *err)
{
	struct rs_concordance found;
	double variance;
	size_t positives = 0;
	if (judged->target == RS_TARGET_SURVIVAL) {
		const struct rs_follow_up seen = {
			.count = judged->count, .time = judged->time, .event = judged->outcome};
		const struct rs_concordance_options options = {.stratum = judged->stratum};
		RS_TRY(rs_concordance_of(&seen, judged->score, &options, &found, err));
		*out = found.c;
		return RS_OK;
	}
	if (judged->target != RS_TARGET_BINARY) {
		const struct rs_class_scores scores = {judged->count, judged->classes, judged->outcome,
		                                       judged->score};
		struct rs_classes of;
		RS_TRY(rs_classes_of(&scores, &of, err));
		*out = judged->target == RS_TARGET_CLASSES ? of.hand_till : of.ordinal_c;
		return RS_OK;
	}
	for (size_t i = 0; i < judged->count; i++)
		positives += judged->outcome[i];
	*out = NAN;
	return positives > 0 && positives < judged->count
	               ? rs_auc_of(&judged->score, 1, judged->outcome, judged->count, out, &variance, err)
	               : RS_OK;
}

enum rs_code rs_judged_interval(const struct rs_judged *judged, struct rs_merit *out, struct rs_error *err)
{
	struct rs_concordance found;
	double value;
	if (judged->target == RS_TARGET_SURVIVAL) {
		const struct rs_follow_up seen = {
			.count = judged->count, .time = judged->time, .event = judged->outcome};
		const struct rs_concordance_options options = {.stratum = judged->stratum};
		RS_TRY(rs_concordance_of(&seen, judged->score, &options, &found, err));
		*out = rs_merit_around(found.c, found.error);
		return RS_OK;
	}
	RS_TRY(rs_judged_merit(judged, &value, err));
	if (judged->target == RS_TARGET_BINARY && !isnan(value))
		return auc_interval(judged->score, judged->outcome, judged->count, out, err);
	*out = rs_merit_around(value, NAN);
	return RS_OK;
}
