/* Why a model of trees says what it says of a row: Shapley values of its columns, as Lundberg 2018 defines them for trees
 * (a column that is not known sends a row both ways, by the share of training rows), exact.
 *
 * A leaf below columns with outcomes o (1: the row goes there) and shares p adds
 * value (o_i - p_i) ∫ Π_{j≠i} (o_j t + p_j (1 - t)) dt over 0 … 1 to column i: a polynomial, which Gauss's points integrate
 * exactly. All leaves below an edge are summed at these points first, so that a tree costs nodes x depth / 2, not depth². */
#ifndef RS_LEARN_SHAP_H
#define RS_LEARN_SHAP_H

#include "learn/learn_boost.h"
#include "learn/learn_forest.h"

struct rs_shap;
/* output: of rs_booster_margins(). */
enum rs_code rs_shap_of_booster(const struct rs_booster *booster, uint32_t output, struct rs_shap **out,
                                struct rs_error *err);
/* The share of a class; of survival the risk (rs_forest_risk()), and class is not looked at. */
enum rs_code rs_shap_of_forest(const struct rs_forest *forest, uint32_t class, struct rs_shap **out,
                               struct rs_error *err);
void rs_shap_destroy(struct rs_shap *shap); /* accepts NULL */
void rs_shap_destroy_pointer(struct rs_shap **shap);

/* What the model says of a row of which nothing is known. */
double rs_shap_base(const struct rs_shap *shap);
/* x: count rows of the model's columns, one after the other; out_reasons alike. Base and a row's reasons add up to what the
 * model says of the row. May be called from several threads; some dozens of rows at a time are faster than each alone. */
enum rs_code rs_shap_explain(const struct rs_shap *shap, const double *x, size_t count, double *out_reasons,
                             struct rs_error *err);

#endif
