/* Elastic nets for learners and steps: a path, and the lambda that folds of the training rows choose. */
#ifndef RS_RECIPE_ELASTIC_H
#define RS_RECIPE_ELASTIC_H

#include "learn/learn_elastic_net.h"
#include "recipe/recipe_learner.h"

enum elastic_choice { ELASTIC_BEST, ELASTIC_SPARSEST };
struct elastic_options {
	double mixing;
	uint64_t folds, lambdas;
	uint32_t lambda; /* enum elastic_choice */
};
#define ELASTIC_SETTINGS(type, initial_lambda)                                                            \
	{"mixing", RS_SETTING_NUMBER, offsetof(type, mixing), 0, 1, 1, NULL},                             \
		{"lambda", RS_SETTING_WORD, offsetof(type, lambda), 0, 1, initial_lambda, elastic_words}, \
		{"folds", RS_SETTING_COUNT, offsetof(type, folds), 2, 1000, 5, NULL},                     \
	{                                                                                                 \
		"lambdas", RS_SETTING_COUNT, offsetof(type, lambdas), 2, 1000, 50, NULL                   \
	}
extern const char *const elastic_words[];

/* Rows of one subject are in one fold, folds have their share of each class. Where subjects are too few to leave any out, the
 * largest lambda is chosen: the model without a penalised input. */
enum rs_code elastic_fit(const struct rs_lesson *lesson, const struct elastic_options *options,
                         struct rs_elastic_net_path *out, size_t *out_lambda, struct rs_error *err);
/* One model at a lambda of its own. */
enum rs_code elastic_fit_at(const struct rs_lesson *lesson, double mixing, double lambda,
                            struct rs_elastic_net_path *out, struct rs_error *err);

#endif
