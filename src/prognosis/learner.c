#include "learner.h"

#include <string.h>

/* clang-format off */
const struct learner *const learner_table[] = {
	&learner_forest,
	&learner_xgboost,
	&learner_svm,
	&learner_ridge,
	&learner_cox,
	&learner_elastic_net,
	&learner_ordinal,
	&learner_network,
	&learner_parametric,
	NULL,
};
/* clang-format on */

const struct learner *learner_find(const char *name)
{
	for (size_t l = 0; learner_table[l]; l++)
		if (strcmp(learner_table[l]->name, name) == 0)
			return learner_table[l];
	return NULL;
}

size_t shape_width(const struct shape *shape)
{
	return shape->target == TARGET_CLASSES || shape->target == TARGET_ORDINAL ? shape->classes : 1;
}
