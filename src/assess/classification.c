/* Decisions at a threshold: what was right, what it is worth. */
#include <math.h>

#include "assess/assess.h"
#include "numeric/numeric_distribution.h"

struct rs_confusion rs_confusion_of(const double *score, const uint8_t *outcome, size_t count,
                                    double threshold)
{
	struct rs_confusion out = {0};
	for (size_t i = 0; i < count; i++) {
		if (score[i] >= threshold)
			*(outcome[i] ? &out.true_positive : &out.false_positive) += 1;
		else
			*(outcome[i] ? &out.false_negative : &out.true_negative) += 1;
	}
	return out;
}

struct rs_interval rs_proportion_interval(uint64_t successes, uint64_t trials, double level)
{
	if (trials == 0)
		return (struct rs_interval){NAN, 0, 1};
	double k = (double)successes, n = (double)trials, tail = 0.5 - 0.5 * level;
	return (struct rs_interval){
		k / n,
		successes == 0 ? 0 : rs_beta_quantile(tail, k, n - k + 1),
		successes == trials ? 1 : rs_beta_quantile(1 - tail, k + 1, n - k),
	};
}

void rs_classification_of(const struct rs_confusion *confusion, double level, struct rs_classification *out)
{
	uint64_t tp = confusion->true_positive, fp = confusion->false_positive;
	uint64_t tn = confusion->true_negative, fn = confusion->false_negative;
	double product = (double)(tp + fp) * (double)(tp + fn) * (double)(tn + fp) * (double)(tn + fn);
	*out = (struct rs_classification){
		.sensitivity = rs_proportion_interval(tp, tp + fn, level),
		.specificity = rs_proportion_interval(tn, tn + fp, level),
		.positive_value = rs_proportion_interval(tp, tp + fp, level),
		.negative_value = rs_proportion_interval(tn, tn + fn, level),
		.accuracy = rs_proportion_interval(tp + tn, tp + tn + fp + fn, level),
		.f1 = tp + fn == 0 ? NAN : 2 * (double)tp / (double)(2 * tp + fp + fn),
		.mcc = product > 0 ? ((double)tp * (double)tn - (double)fp * (double)fn) / sqrt(product) : 0,
	};
	out->balanced_accuracy = 0.5 * (out->sensitivity.value + out->specificity.value);
}

void rs_net_benefit_of(const double *p, const uint8_t *outcome, size_t count, double threshold,
                       struct rs_net_benefit *out)
{
	struct rs_confusion c = rs_confusion_of(p, outcome, count, threshold);
	double odds = threshold / (1 - threshold), n = (double)count;
	double positives = (double)(c.true_positive + c.false_negative);
	out->threshold = threshold;
	out->model = ((double)c.true_positive - odds * (double)c.false_positive) / n;
	out->all = (positives - odds * (n - positives)) / n;
}
