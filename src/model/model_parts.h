/* A model as its file holds it. */
#ifndef RS_MODEL_PARTS_H
#define RS_MODEL_PARTS_H

#include "model/model_fit.h"
#include "model/model.h"
#include "model/model_stack.h"
#include "survival/survival_conformal.h"

#define RS_MODEL_VERSION 4
#define RS_MODEL_FORMAT "radseal-model"

/* Survival from risks, for bounds and for learners that give a risk alone: Cox's model of the risks that rows had out of
 * their folds. */
struct rs_risk_curve {
	double slope, slope_variance;
	size_t count;
	double *times, *hazard; /* ascending; cumulative hazard at a risk of 0 */
	double *spread;         /* variance of the hazard's logarithm at the risk `centre` */
	double *centre;
};
void rs_curve_finish(struct rs_risk_curve *curve);
enum rs_code rs_risk_curve_fit(const struct rs_frame *frame, const double *risk, struct rs_risk_curve *out,
                               struct rs_error *err);
/* times: ascending. */
void rs_curve_survival(const struct rs_risk_curve *curve, double risk, const double *times, size_t count,
                       double *out);
/* 95 % interval around `survival` at the time, of those with this risk: of the logarithm of their hazard, as Cox's model of
 * out-of-fold risks knows it. Within [0, 1]. */
void rs_curve_interval(const struct rs_risk_curve *curve, double risk, double time, double survival,
                       double *out_lower, double *out_upper);
/* The first time by which the event is as likely as `level`, or the last time known; NaN for a level of 0. */
double rs_curve_reaches(const struct rs_risk_curve *curve, double risk, double level);
/* Conformal lower bounds: levels of `curve` that shares of the rows did not keep. */
enum rs_code rs_curve_bounds(const struct rs_risk_curve *curve, const struct rs_frame *frame,
                             const double *risk, struct rs_conformal *out, struct rs_error *err);

struct rs_model {
	struct rs_arena arena;       /* of texts and columns that were read */
	struct rs_model_shape shape; /* columns: 0 */
	size_t rows, positives;
	double threshold; /* of binary scores */
	struct rs_digest training;
	size_t part_count; /* 1; of a fused model one for each modality */
	struct rs_fitted parts[RS_PARTS_MAX];
	const char *part_names[RS_PARTS_MAX]; /* "" of one alone */
	bool fused;
	struct rs_stack stack;
	const char *id;      /* the column */
	const char *centre;  /* the column, when a step asks for it; else NULL */
	const char **levels; /* names of classes, when there are more than 2 */
	struct rs_digest study;
	size_t residual_count;
	/* Of each training row, by models that did not see it, ascending. Class: 1 less the probability of what it was;
	 * survival: its risk. */
	double *residuals;
	double merit, merit_lower, merit_upper; /* AUC or concordance in cross-validation */
	struct rs_risk_curve curve;             /* of survival */
	struct rs_conformal bounds;             /* of survival */
};
void rs_model_finish(struct rs_model *model);
/* The learner itself knows survival. */
bool rs_model_knows_survival(const struct rs_model *model);
enum rs_code rs_model_write(const struct rs_model *model, struct rs_buffer *out, struct rs_error *err);
/* Inputs of all parts. */
size_t rs_model_inputs(const struct rs_model *model);
/* The k-th smallest residual where k = ⌈(n + 1) coverage⌉; infinite when there are too few. */
double rs_conformal_quantile(const double *residuals, size_t count, double coverage);

#endif
