#include "recipe/recipe.h"

#include <stdio.h>
#include <string.h>

#include "recipe/recipe_step.h"

bool rs_plan_count(const struct rs_plan *plan, size_t *out)
{
	size_t count = plan->model_count;
	for (size_t s = 0; s < plan->stage_count; s++)
		if (!rs_mul_size(count, plan->stages[s].count, &count) || count > RS_CANDIDATES_MAX)
			return false;
	*out = count;
	return count <= RS_CANDIDATES_MAX;
}

/* Which alternative of each stage, and, last, which model. */
static void choices_of(const struct rs_plan *plan, size_t candidate, size_t choice[RS_STAGES_MAX + 1])
{
	choice[plan->stage_count] = candidate % plan->model_count;
	candidate /= plan->model_count;
	for (size_t s = plan->stage_count; s-- > 0;) {
		choice[s] = candidate % plan->stages[s].count;
		candidate /= plan->stages[s].count;
	}
}

void rs_plan_recipe(const struct rs_plan *plan, size_t candidate, struct rs_recipe *out)
{
	size_t choice[RS_STAGES_MAX + 1];
	bool scaled = false;
	choices_of(plan, candidate, choice);
	const struct rs_model_choice *model = &plan->models[choice[plan->stage_count]];
	*out = (struct rs_recipe){.learner = model->learner, .options = model->with.options};
	for (size_t s = 0; s < plan->stage_count; s++) {
		const struct rs_stage *stage = &plan->stages[s];
		out->steps[out->step_count++] = (struct rs_planned){stage->step,
		                                                    stage->alternatives[choice[s]].options};
		scaled |= stage->step->scales;
	}
	if (model->learner->standardised && !scaled)
		out->steps[out->step_count++] = (struct rs_planned){&rs_step_scale, NULL};
}

void rs_plan_label(const struct rs_plan *plan, size_t candidate, char out[RS_LABEL_SIZE])
{
	size_t choice[RS_STAGES_MAX + 1], used = 0;
	choices_of(plan, candidate, choice);
	for (size_t s = 0; s <= plan->stage_count; s++) {
		const char *label = s < plan->stage_count ? plan->stages[s].alternatives[choice[s]].label
		                                          : plan->models[choice[s]].with.label;
		int length = snprintf(out + used, RS_LABEL_SIZE - used, "%s%s", used && *label ? " " : "",
		                      label);
		used += length > 0 ? (size_t)length : 0;
		if (used >= RS_LABEL_SIZE)
			break;
	}
}

static void init_ready(const struct rs_learner *learner, struct rs_ready_plan *out)
{
	const struct rs_step *impute = &rs_step_impute;
	rs_options_init(impute->settings, impute->options_size, &out->impute_options);
	rs_options_init(learner->settings, learner->options_size, &out->model_options);
	out->impute = (struct rs_alternative){&out->impute_options, ""};
	out->model = (struct rs_model_choice){learner, {&out->model_options, learner->name}};
	out->plan = (struct rs_plan){1, 1, {{impute, 1, &out->impute}}, &out->model};
}

void rs_plan_shift(struct rs_ready_plan *out)
{
	init_ready(&rs_learner_forest, out);
	rs_options_set(rs_learner_forest.settings, "trees", 100, &out->model_options);
}

void rs_plan_baseline(enum rs_target target, struct rs_ready_plan *out)
{
	init_ready(target == RS_TARGET_SURVIVAL ? &rs_learner_cox : &rs_learner_ridge, out);
}
