#include "plan.h"

#include <stdio.h>
#include <string.h>

#include "step.h"

bool plan_count(const struct plan *plan, size_t *out)
{
	size_t count = plan->model_count;
	for (size_t s = 0; s < plan->stage_count; s++)
		if (!rs_mul_size(count, plan->stages[s].count, &count) || count > CANDIDATES_MAX)
			return false;
	*out = count;
	return count <= CANDIDATES_MAX;
}

/* Which alternative of each stage, and, last, which model. */
static void choices_of(const struct plan *plan, size_t candidate, size_t choice[STAGES_MAX + 1])
{
	choice[plan->stage_count] = candidate % plan->model_count;
	candidate /= plan->model_count;
	for (size_t s = plan->stage_count; s-- > 0;) {
		choice[s] = candidate % plan->stages[s].count;
		candidate /= plan->stages[s].count;
	}
}

void plan_recipe(const struct plan *plan, size_t candidate, struct recipe *out)
{
	static const uint32_t usual_scale = 0;
	size_t choice[STAGES_MAX + 1];
	bool scaled = false;
	choices_of(plan, candidate, choice);
	const struct model_choice *model = &plan->models[choice[plan->stage_count]];
	*out = (struct recipe){.learner = model->learner, .options = model->with.options};
	for (size_t s = 0; s < plan->stage_count; s++) {
		const struct stage *stage = &plan->stages[s];
		out->steps[out->step_count++] = (struct planned){stage->step,
		                                                 stage->alternatives[choice[s]].options};
		scaled |= stage->step->scales;
	}
	if (model->learner->standardised && !scaled)
		out->steps[out->step_count++] = (struct planned){&step_scale, &usual_scale};
}

void plan_label(const struct plan *plan, size_t candidate, char out[LABEL_SIZE])
{
	size_t choice[STAGES_MAX + 1], used = 0;
	choices_of(plan, candidate, choice);
	for (size_t s = 0; s <= plan->stage_count; s++) {
		const char *label = s < plan->stage_count ? plan->stages[s].alternatives[choice[s]].label
		                                          : plan->models[choice[s]].with.label;
		int length = snprintf(out + used, LABEL_SIZE - used, "%s%s", used && *label ? " " : "",
		                      label);
		used += length > 0 ? (size_t)length : 0;
		if (used >= LABEL_SIZE)
			break;
	}
}

const struct plan *plan_shift(void)
{
	static const uint64_t trees[] = {100, 0, 0};
	static const uint32_t usual = 0;
	static struct alternative nothing = {&usual, ""};
	static struct model_choice forest = {&learner_forest, {trees, "forest"}};
	static const struct plan plan = {1, 1, {{&step_impute, 1, &nothing}}, &forest};
	return &plan;
}

const struct plan *plan_baseline(enum target target)
{
	static const double penalty = 1, free = 0;
	static const uint32_t usual = 0;
	static struct alternative nothing = {&usual, ""};
	static struct model_choice ridge = {&learner_ridge, {&penalty, "ridge"}};
	static struct model_choice cox = {&learner_cox, {&free, "cox"}};
	static const struct plan of_classes = {1, 1, {{&step_impute, 1, &nothing}}, &ridge};
	static const struct plan of_survival = {1, 1, {{&step_impute, 1, &nothing}}, &cox};
	return target == TARGET_SURVIVAL ? &of_survival : &of_classes;
}
