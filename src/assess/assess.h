/* How good predictions are: discrimination, classification, calibration, usefulness, agreement of readers. Numbers agree
 * with R's pROC, rms (val.prob), dcurves and psych; no interval leaves the range of what it is about.
 * Outcomes are 0 or 1, probabilities within [0, 1]; arrays have `count` items and are borrowed. */
#ifndef RS_ASSESS_H
#define RS_ASSESS_H

#include "base/base.h"

struct rs_interval {
	double value, lower, upper;
};
/* Of a share with this standard error, on the logit scale, so that it stays within [0, 1]; all of that where nothing is
 * known. */
struct rs_interval rs_share_interval(double value, double error, double level);

/* ---- discrimination ---- */

/* Above `threshold`: positive. Thresholds are midpoints between scores, ascending, from -inf to inf. */
struct rs_roc_point {
	double threshold, sensitivity, specificity;
};
struct rs_roc {
	size_t count;
	struct rs_roc_point *points;
};
void rs_roc_finish(struct rs_roc *roc); /* accepts zeroed memory */
/* errors  RS_NOT_FOUND when all outcomes are the same; RS_MALFORMED names a score that is NaN */
enum rs_code rs_roc_of(const double *score, const uint8_t *outcome, size_t count, struct rs_roc *out,
                       struct rs_error *err);
/* The point with the largest sensitivity + specificity; of equal ones the first. */
const struct rs_roc_point *rs_roc_youden(const struct rs_roc *roc);

/* Area where the specificity is at least this, and McClish's (1989): 0.5 for chance, 1 for the best there can be. */
void rs_partial_auc(const struct rs_roc *roc, double specificity, double *out_area, double *out_corrected);

/* Areas under the ROC curves of several scores of the same subjects, and their covariance (DeLong 1988). n log n.
 * scores      `scores_count` arrays
 * area        scores_count
 * covariance  scores_count x scores_count; NaN when there is one subject of a kind only */
enum rs_code rs_auc_of(const double *const *scores, size_t scores_count, const uint8_t *outcome, size_t count,
                       double *area, double *covariance, struct rs_error *err);
/* On the logit scale; [0, 1] wide when nothing is known. At an area of 0 or 1, where the error is 0, Hanley & Lippman's
 * 1 - level to the 1/positives-like bound does not exist either: the interval is then the exact one of a proportion of
 * `pairs_like` subjects, all alike. */
struct rs_interval rs_auc_interval(double area, double variance, size_t smaller_class, double level);
/* Two-sided p of area[a] = area[b]; NaN when both move together. */
double rs_auc_difference(const double *area, const double *covariance, size_t scores_count, size_t a,
                         size_t b, double *out_z);
/* Average precision: Σ (recall step) × precision, ties taken at once. */
enum rs_code rs_average_precision(const double *score, const uint8_t *outcome, size_t count, double *out,
                                  struct rs_error *err);

/* ---- classification ---- */

struct rs_confusion {
	uint64_t true_positive, false_positive, true_negative, false_negative;
};
/* Positive: score >= threshold. */
struct rs_confusion rs_confusion_of(const double *score, const uint8_t *outcome, size_t count,
                                    double threshold);
struct rs_classification {
	struct rs_interval sensitivity, specificity, positive_value, negative_value, accuracy; /* exact */
	double f1, balanced_accuracy, mcc; /* MCC 0 when a row or column is empty; F1 NaN without positives */
};
void rs_classification_of(const struct rs_confusion *confusion, double level, struct rs_classification *out);
/* Clopper & Pearson's exact interval; [0, 1] around NaN for none of none. */
struct rs_interval rs_proportion_interval(uint64_t successes, uint64_t trials, double level);

/* ---- several classes ---- */

/* p: count x classes; labels below classes (at most 256). Borrowed. */
struct rs_class_scores {
	size_t count;
	uint32_t classes;
	const uint8_t *label;
	const double *p;
};
/* The likeliest; of equally likely ones the first. */
uint32_t rs_class_of(const double *p, uint32_t classes);
/* Means over classes are over those that occur. NaN where nothing can be compared. */
struct rs_classes {
	double hand_till; /* mean area over pairs of classes (Hand & Till 2001) */
	double ordinal_c; /* of two rows of different class, how often the expected class tells which */
	uint64_t correct; /* likeliest class is the label */
	double macro_f1, balanced_accuracy;
	double kappa;           /* with squared weights, of ordered classes */
	double brier, log_loss; /* summed over classes; clipped as in struct rs_calibration */
};
enum rs_code rs_classes_of(const struct rs_class_scores *scores, struct rs_classes *out,
                           struct rs_error *err);

/* ---- calibration ---- */

struct rs_calibration {
	double brier, log_loss;              /* log loss of clipped probabilities: 1e-15 … 1 - 1e-15 */
	struct rs_interval intercept, slope; /* of logit p; ideal 0 and 1; NaN when no finite one fits */
	double in_the_large;                 /* intercept when the slope is held at 1 */
	double ici, e90, e_max;              /* |p - lowess(p)|: mean, 90th percentile, largest */
	double hosmer_lemeshow, hosmer_lemeshow_df, hosmer_lemeshow_p; /* ten groups by deciles of p */
	double spiegelhalter_z, spiegelhalter_p;
	double r2; /* Nagelkerke's, of the predictions as they are */
	/* Harrell's D, U and Q = D - U, of logarithms of likelihoods per subject; p: that intercept 0 and slope 1 hold. */
	double discrimination, unreliability, quality, unreliability_p;
	/* brier = miscalibration - discrimination + uncertainty, by a monotone recalibration to these outcomes. */
	double brier_miscalibration, brier_discrimination, brier_uncertainty;
};
enum rs_code rs_calibration_of(const double *p, const uint8_t *outcome, size_t count, double level,
                               struct rs_calibration *out, struct rs_error *err);

/* ---- usefulness ---- */

/* Vickers & Elkin: of treating those with p >= threshold, all, and nobody (0), per subject. */
struct rs_net_benefit {
	double threshold, model, all;
};
void rs_net_benefit_of(const double *p, const uint8_t *outcome, size_t count, double threshold,
                       struct rs_net_benefit *out);

/* ---- agreement ---- */

/* Shrout & Fleiss's intraclass correlations of `subjects` rows rated by `raters` columns. */
enum rs_icc_kind { RS_ICC_1, RS_ICC_2, RS_ICC_3, RS_ICC_1K, RS_ICC_2K, RS_ICC_3K, RS_ICC_KINDS };
struct rs_icc {
	struct rs_interval icc;
	double f, df1, df2, p;
};
/* errors  RS_USAGE for fewer than 2 subjects or raters. Ratings that are all the same give NaN. */
enum rs_code rs_icc_of(const double *ratings, size_t subjects, size_t raters, double level,
                       struct rs_icc out[static RS_ICC_KINDS], struct rs_error *err);

/* ---- shift ---- */

/* How far two samples are apart: the largest difference of their distributions (Kolmogorov & Smirnov) with its p for many
 * rows, and the area between them (Wasserstein), in the samples' unit. NaN when one is empty. */
struct rs_shift {
	double ks, p, wasserstein;
};
struct rs_shift rs_shift_of(double *a, size_t a_count, double *b, size_t b_count); /* sorts both */

#endif
