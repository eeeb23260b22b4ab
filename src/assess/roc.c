/* ROC curves and the areas below them. */
#include <math.h>
#include <stdlib.h>

#include "assess/assess.h"
#include "numeric/numeric_distribution.h"
#include "scores.h"

void rs_roc_finish(struct rs_roc *roc)
{
	rs_free(roc->points);
	*roc = (struct rs_roc){0};
}

enum rs_code rs_roc_of(const double *score, const uint8_t *outcome, size_t count, struct rs_roc *out,
                       struct rs_error *err)
{
	struct scores sorted RS_CLEANUP(scores_finish) = {0};
	RS_TRY(scores_sort(score, outcome, count, &sorted, err));
	struct rs_roc_point *points = rs_allocate_array(count + 1, sizeof *points);
	if (!points)
		return rs_error_memory(err, count * sizeof *points, "a ROC curve");
	size_t below[2] = {0, 0}, made = 0;
	for (size_t i = 0; i <= count;) {
		double value = i < count ? sorted.items[i].score : INFINITY;
		double before = i > 0 ? sorted.items[i - 1].score : -INFINITY;
		points[made++] = (struct rs_roc_point){
			i == 0       ? -INFINITY
			: i == count ? INFINITY
				     : 0.5 * before + 0.5 * value,
			(double)(sorted.positives - below[1]) / (double)sorted.positives,
			(double)below[0] / (double)sorted.negatives,
		};
		if (i == count)
			break;
		for (; i < count && sorted.items[i].score == value; i++)
			below[sorted.items[i].positive]++;
	}
	*out = (struct rs_roc){made, points};
	return RS_OK;
}

const struct rs_roc_point *rs_roc_youden(const struct rs_roc *roc)
{
	const struct rs_roc_point *best = roc->points;
	for (size_t i = 1; i < roc->count; i++)
		if (roc->points[i].sensitivity + roc->points[i].specificity >
		    best->sensitivity + best->specificity + 1e-12)
			best = &roc->points[i];
	return best;
}

void rs_partial_auc(const struct rs_roc *roc, double specificity, double *out_area, double *out_corrected)
{
	double area = 0, width = 1 - specificity, least = 0.5 * width * width;
	for (size_t i = 1; i < roc->count; i++) {
		struct rs_roc_point from = roc->points[i - 1], to = roc->points[i];
		if (!(to.specificity > specificity))
			continue;
		if (from.specificity < specificity) { /* the step's part above */
			double share = (specificity - from.specificity) / (to.specificity - from.specificity);
			from.sensitivity += share * (to.sensitivity - from.sensitivity);
			from.specificity = specificity;
		}
		area += (to.specificity - from.specificity) * 0.5 * (from.sensitivity + to.sensitivity);
	}
	*out_area = area;
	*out_corrected = 0.5 * (1 + (area - least) / (width - least));
}

/* For each subject, the share of the other class that its score wins against (ties: half). Written to place[row]. */
static void structural_components(const struct scores *sorted, double *place)
{
	size_t below[2] = {0, 0}, all[2] = {sorted->negatives, sorted->positives};
	for (size_t i = 0, next; i < sorted->count; i = next) {
		size_t here[2] = {0, 0};
		for (next = i; next < sorted->count && sorted->items[next].score == sorted->items[i].score;
		     next++)
			here[sorted->items[next].positive]++;
		for (size_t k = i; k < next; k++) {
			bool positive = sorted->items[k].positive;
			double lower = (double)below[!positive] + 0.5 * (double)here[!positive];
			double share = lower / (double)all[!positive];
			place[sorted->items[k].row] = positive ? share : 1 - share;
		}
		below[0] += here[0];
		below[1] += here[1];
	}
}

/* Covariance of two rows of components within a class, of their means. */
static double covariance_in(const double *a, const double *b, const uint8_t *outcome, size_t count,
                            bool positive, double mean_a, double mean_b)
{
	double sum = 0, n = 0;
	for (size_t i = 0; i < count; i++)
		if ((outcome[i] != 0) == positive) {
			sum += (a[i] - mean_a) * (b[i] - mean_b);
			n++;
		}
	return n > 1 ? sum / (n - 1) / n : NAN;
}

static double mean_of_positives(const double *place, const uint8_t *outcome, size_t count)
{
	double sum = 0, n = 0;
	for (size_t i = 0; i < count; i++)
		if (outcome[i]) {
			sum += place[i];
			n++;
		}
	return sum / n;
}

enum rs_code rs_auc_of(const double *const *scores, size_t scores_count, const uint8_t *outcome, size_t count,
                       double *area, double *covariance, struct rs_error *err)
{
	double *place RS_CLEANUP(rs_free_pointer) = rs_allocate_array(scores_count, count * sizeof *place);
	if (!place)
		return rs_error_memory(err, scores_count * count * sizeof *place, "areas");
	for (size_t s = 0; s < scores_count; s++) {
		struct scores sorted RS_CLEANUP(scores_finish) = {0};
		RS_TRY(scores_sort(scores[s], outcome, count, &sorted, err));
		structural_components(&sorted, &place[s * count]);
		area[s] = mean_of_positives(&place[s * count], outcome, count);
	}
	for (size_t a = 0; covariance && a < scores_count; a++)
		for (size_t b = 0; b < scores_count; b++)
			covariance[a * scores_count + b] = covariance_in(&place[a * count], &place[b * count],
			                                                 outcome, count, true, area[a],
			                                                 area[b]) +
			                                   covariance_in(&place[a * count], &place[b * count],
			                                                 outcome, count, false, area[a],
			                                                 area[b]);
	return RS_OK;
}

struct rs_interval rs_share_interval(double value, double error, double level)
{
	if (!(value > 0 && value < 1) || isnan(error))
		return (struct rs_interval){value, 0, 1};
	double logit = log(value / (1 - value));
	double width = rs_normal_quantile(0.5 + 0.5 * level) * error / (value * (1 - value));
	return (struct rs_interval){value, 1 / (1 + exp(width - logit)), 1 / (1 + exp(-width - logit))};
}

struct rs_interval rs_auc_interval(double area, double variance, size_t smaller_class, double level)
{
	if (isnan(area) || isnan(variance))
		return (struct rs_interval){area, 0, 1};
	if (area <= 0 || area >= 1) {
		double edge = pow(0.5 - 0.5 * level, 1 / (double)smaller_class);
		return area <= 0 ? (struct rs_interval){0, 0, 1 - edge} : (struct rs_interval){1, edge, 1};
	}
	return rs_share_interval(area, sqrt(variance), level);
}

double rs_auc_difference(const double *area, const double *covariance, size_t scores_count, size_t a,
                         size_t b, double *out_z)
{
	double variance = covariance[a * scores_count + a] + covariance[b * scores_count + b] -
	                  2 * covariance[a * scores_count + b];
	double z = variance > 0 ? (area[a] - area[b]) / sqrt(variance) : area[a] == area[b] ? 0 : NAN;
	if (out_z)
		*out_z = z;
	return rs_normal_two_sided(z);
}

enum rs_code rs_average_precision(const double *score, const uint8_t *outcome, size_t count, double *out,
                                  struct rs_error *err)
{
	struct scores sorted RS_CLEANUP(scores_finish) = {0};
	RS_TRY(scores_sort(score, outcome, count, &sorted, err));
	double sum = 0;
	size_t taken = 0, positives = 0;
	for (size_t i = count; i > 0;) {
		double value = sorted.items[i - 1].score;
		size_t before = positives;
		for (; i > 0 && sorted.items[i - 1].score == value; i--, taken++)
			positives += sorted.items[i - 1].positive;
		sum += (double)(positives - before) * (double)positives / (double)taken;
	}
	*out = sum / (double)sorted.positives;
	return RS_OK;
}
