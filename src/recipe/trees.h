/* What learners of trees share: reasons of rows, and importance made of them. */
#ifndef RS_RECIPE_TREES_H
#define RS_RECIPE_TREES_H

#include "learn/learn_shap.h"
#include "recipe/recipe_learner.h"

/* As struct rs_learner's explain(). */
typedef enum rs_code trees_reasons(const void *state, const struct rs_matrix *x, uint32_t of, double *out,
                                   struct rs_error *err);
enum rs_code trees_explain(const struct rs_shap *shap, const struct rs_matrix *x, double *out,
                           struct rs_error *err);
/* By column the mean of the absolute reasons of all rows, summed over outputs. *out is the caller's to free. */
enum rs_code trees_importance(const void *state, uint32_t outputs, trees_reasons *explain,
                              const struct rs_matrix *x, double **out, struct rs_error *err);
/* Numbers for all columns, or none: NULL. */
enum rs_code trees_read_importance(struct rs_cbor_reader *reader, size_t columns, double **out,
                                   struct rs_error *err);

#endif
