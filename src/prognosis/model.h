/* A model as its file holds it. */
#ifndef RS_PROGNOSIS_MODEL_H
#define RS_PROGNOSIS_MODEL_H

#include "fit.h"
#include "prognosis/prognosis_train.h"
#include "stack.h"
#include "survival/survival_conformal.h"

#define MODEL_VERSION 4
#define MODEL_FORMAT "radseal-model"

/* Survival from risks, for bounds and for learners that give a risk alone: Cox's model of the risks that rows had out of
 * their folds. */
struct curve {
	double slope, slope_variance;
	size_t count;
	double *times, *hazard; /* ascending; cumulative hazard at a risk of 0 */
	double *spread;         /* variance of the hazard's logarithm at the risk `centre` */
	double *centre;
};
void curve_finish(struct curve *curve);
enum rs_code curve_fit(const struct frame *frame, const double *risk, struct curve *out,
                       struct rs_error *err);
/* times: ascending. */
void curve_survival(const struct curve *curve, double risk, const double *times, size_t count, double *out);
/* 95 % interval around `survival` at the time, of those with this risk: of the logarithm of their hazard, as Cox's model of
 * out-of-fold risks knows it. Within [0, 1]. */
void curve_interval(const struct curve *curve, double risk, double time, double survival, double *out_lower,
                    double *out_upper);
/* The first time by which the event is as likely as `level`, or the last time known; NaN for a level of 0. */
double curve_reaches(const struct curve *curve, double risk, double level);
/* Conformal lower bounds: levels of `curve` that shares of the rows did not keep. */
enum rs_code curve_bounds(const struct curve *curve, const struct frame *frame, const double *risk,
                          struct rs_conformal *out, struct rs_error *err);

struct rs_model {
	struct rs_arena arena; /* of texts and columns that were read */
	struct shape shape;    /* columns: 0 */
	size_t rows, positives;
	double threshold; /* of binary scores */
	struct rs_digest training;
	size_t part_count; /* 1; of a fused model one for each modality */
	struct fitted parts[PARTS_MAX];
	const char *part_names[PARTS_MAX]; /* "" of one alone */
	bool fused;
	struct stack stack;
	const char *id;      /* the column */
	const char *centre;  /* the column, when a step asks for it; else NULL */
	const char **levels; /* names of classes, when there are more than 2 */
	struct rs_digest study;
	size_t residual_count;
	/* Of each training row, by models that did not see it, ascending. Class: 1 less the probability of what it was;
	 * survival: its risk. */
	double *residuals;
	double merit, merit_lower, merit_upper; /* AUC or concordance in cross-validation */
	struct curve curve;                     /* of survival */
	struct rs_conformal bounds;             /* of survival */
};
void model_finish(struct rs_model *model);
/* The learner itself knows survival. */
bool model_knows_survival(const struct rs_model *model);
enum rs_code model_write(const struct rs_model *model, struct rs_buffer *out, struct rs_error *err);
/* The k-th smallest residual where k = ⌈(n + 1) coverage⌉; infinite when there are too few. */
double conformal_quantile(const double *residuals, size_t count, double coverage);

#endif
