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
	static const uint32_t usual_scale = 0;
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
		out->steps[out->step_count++] = (struct rs_planned){&rs_step_scale, &usual_scale};
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

/* Longer than the options of any step or learner, all of which begin at zero: no penalty, Efron's ties, no strata. */
static const double plain[8] = {0};
static struct rs_alternative nothing = {plain, ""};

const struct rs_plan *rs_plan_shift(void)
{
	static const uint64_t trees[] = {100, 0, 0};
	static struct rs_model_choice forest = {&rs_learner_forest, {trees, "forest"}};
	static const struct rs_plan plan = {1, 1, {{&rs_step_impute, 1, &nothing}}, &forest};
	return &plan;
}

const struct rs_plan *rs_plan_baseline(enum rs_target target)
{
	static const double penalty = 1;
	static struct rs_model_choice ridge = {&rs_learner_ridge, {&penalty, "ridge"}};
	static struct rs_model_choice cox = {&rs_learner_cox, {plain, "cox"}};
	static const struct rs_plan of_classes = {1, 1, {{&rs_step_impute, 1, &nothing}}, &ridge};
	static const struct rs_plan of_survival = {1, 1, {{&rs_step_impute, 1, &nothing}}, &cox};
	return target == RS_TARGET_SURVIVAL ? &of_survival : &of_classes;
}
