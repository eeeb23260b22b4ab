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

void learner_destroy(const struct learner *learner, void *state)
{
	if (state)
		learner->finish(state);
	rs_free(state);
}

static enum rs_code hand_over(const struct learner *learner, enum rs_code code, void *state, void **out_state)
{
	if (code == RS_OK)
		*out_state = state;
	else
		learner_destroy(learner, state);
	return code;
}

enum rs_code learner_fit(const struct learner *learner, const struct lesson *lesson, const void *options,
                         double *own_scores, void **out_state, struct rs_error *err)
{
	void *state = rs_allocate(learner->state_size);
	if (!state)
		return rs_error_memory(err, learner->state_size, "a model");
	return hand_over(learner, learner->fit(lesson, options, own_scores, state, err), state, out_state);
}

enum rs_code learner_read(const struct learner *learner, struct rs_cbor_reader *reader,
                          const struct shape *shape, void **out_state, struct rs_error *err)
{
	void *state = rs_allocate(learner->state_size);
	if (!state)
		return rs_error_memory(err, learner->state_size, "a model");
	return hand_over(learner, learner->read(reader, shape, state, err), state, out_state);
}
