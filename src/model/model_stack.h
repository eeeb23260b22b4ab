/* Late fusion: the scores of one model for each modality, become one. */
#ifndef RS_MODEL_STACK_H
#define RS_MODEL_STACK_H

#include "recipe/recipe_learner.h"
#include "study/study.h"

#define RS_PARTS_MAX (RS_STUDY_MODALITIES_MAX + 1)

/* Binary: the logit is intercept + Σ weight × (logit p - mean) / deviation; survival: the risk likewise. Weights are not
 * negative; of a row that lacks a part the others' weights grow until their sum is the same. Several classes: the mean of
 * the probabilities, by weight. */
struct rs_stack {
	size_t count;
	double intercept, weight[RS_PARTS_MAX], mean[RS_PARTS_MAX], deviation[RS_PARTS_MAX];
};
/* scores: of each part rows x width, by models that did not see the row; NaN where the row lacks the part. */
enum rs_code rs_stack_fit(const struct rs_model_shape *shape, double *const *scores, size_t parts,
                          size_t rows, const uint8_t *outcome, const double *time, struct rs_stack *out,
                          struct rs_error *err);
/* scores: of one row by part, width numbers each; NaN: it lacks it. */
void rs_stack_score(const struct rs_stack *stack, const struct rs_model_shape *shape,
                    const double *const *scores, double *out);

#endif
