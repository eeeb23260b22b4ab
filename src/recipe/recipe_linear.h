/* What all linear learners share once they are fitted: a logit, a logit for each class, or a risk. */
#ifndef RS_RECIPE_LINEAR_H
#define RS_RECIPE_LINEAR_H

#include "recipe/recipe_learner.h"

struct rs_linear {
	struct rs_model_shape shape;
	bool ranked; /* proportional odds: P(class <= k) = logistic(threshold k - Σ b x) */
	double *coefficients; /* [output][columns + 1], the last one the intercept; rs_model_shape_width() outputs. Ranked: columns,
	                       * then classes - 1 thresholds, ascending */
};
/* Softmax regression; half of the penalty times the sum of squares is added to the loss, not of intercepts. out: as
 * coefficients, zeros. */
enum rs_code rs_ridge_several(const struct rs_lesson *lesson, double penalty, double *out,
                              struct rs_error *err);
/* Coefficients of 0. errors  RS_NO_MEMORY */
enum rs_code rs_linear_init(const struct rs_model_shape *shape, bool ranked, struct rs_linear *out,
                            struct rs_error *err);
/* The rest serves as the functions of struct rs_learner; a state is a struct rs_linear. */
void rs_linear_finish(void *state);
enum rs_code rs_linear_score(const void *state, const struct rs_matrix *x, double *out, struct rs_error *err);
bool rs_linear_importance(const void *state, double *out);
enum rs_code rs_linear_explain(const void *state, const struct rs_matrix *x, uint32_t of, double *out,
                               struct rs_error *err);
void rs_linear_write(const void *state, struct rs_buffer *out);
enum rs_code rs_linear_read(struct rs_cbor_reader *reader, const struct rs_model_shape *shape, void *state,
                            struct rs_error *err);
/* Ranked, where the target is ordinal. */
enum rs_code rs_linear_read_ranked(struct rs_cbor_reader *reader, const struct rs_model_shape *shape,
                                   void *state, struct rs_error *err);

#endif
