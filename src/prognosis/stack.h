/* Late fusion: the scores of one model for each modality, become one. */
#ifndef RS_PROGNOSIS_STACK_H
#define RS_PROGNOSIS_STACK_H

#include "learner.h"
#include "study.h"

#define PARTS_MAX (STUDY_MODALITIES_MAX + 1)

/* Binary: the logit is intercept + Σ weight × (logit p - mean) / deviation; survival: the risk likewise. Weights are not
 * negative; of a row that lacks a part the others' weights grow until their sum is the same. Several classes: the mean of
 * the probabilities, by weight. */
struct stack {
	size_t count;
	double intercept, weight[PARTS_MAX], mean[PARTS_MAX], deviation[PARTS_MAX];
};
/* scores: of each part rows x width, by models that did not see the row; NaN where the row lacks the part. */
enum rs_code stack_fit(const struct shape *shape, double *const *scores, size_t parts, size_t rows,
                       const uint8_t *outcome, const double *time, struct stack *out, struct rs_error *err);
/* scores: of one row by part, width numbers each; NaN: it lacks it. */
void stack_score(const struct stack *stack, const struct shape *shape, const double *const *scores,
                 double *out);

#endif
