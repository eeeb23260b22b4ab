#include "recipe/recipe_learner.h"

#include <string.h>

/* clang-format off */
const struct rs_learner *const rs_learner_table[] = {
	&rs_learner_forest,
	&rs_learner_xgboost,
	&rs_learner_svm,
	&rs_learner_ridge,
	&rs_learner_cox,
	&rs_learner_elastic_net,
	&rs_learner_ordinal,
	&rs_learner_network,
	&rs_learner_parametric,
	NULL,
};
/* clang-format on */

const struct rs_learner *rs_learner_find(const char *name)
{
	for (size_t l = 0; rs_learner_table[l]; l++)
		if (strcmp(rs_learner_table[l]->name, name) == 0)
			return rs_learner_table[l];
	return NULL;
}

size_t rs_model_shape_width(const struct rs_model_shape *shape)
{
	return shape->target == RS_TARGET_CLASSES || shape->target == RS_TARGET_ORDINAL ? shape->classes : 1;
}

void rs_learner_destroy(const struct rs_learner *learner, void *state)
{
	if (state)
		learner->finish(state);
	rs_free(state);
}

static enum rs_code hand_over(const struct rs_learner *learner, enum rs_code code, void *state,
                              void **out_state)
{
	if (code == RS_OK)
		*out_state = state;
	else
		rs_learner_destroy(learner, state);
	return code;
}

enum rs_code rs_learner_fit(const struct rs_learner *learner, const struct rs_lesson *lesson,
                            const void *options, double *own_scores, void **out_state, struct rs_error *err)
{
	void *state = rs_allocate(learner->state_size);
	if (!state)
		return rs_error_memory(err, learner->state_size, "a model");
	return hand_over(learner, learner->fit(lesson, options, own_scores, state, err), state, out_state);
}

enum rs_code rs_learner_read(const struct rs_learner *learner, struct rs_cbor_reader *reader,
                             const struct rs_model_shape *shape, void **out_state, struct rs_error *err)
{
	void *state = rs_allocate(learner->state_size);
	if (!state)
		return rs_error_memory(err, learner->state_size, "a model");
	return hand_over(learner, learner->read(reader, shape, state, err), state, out_state);
}
