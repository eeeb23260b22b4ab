/* What a study lets its inner folds choose from: steps in order, each with alternatives, and models. One choice of each is
 * a candidate, or recipe. */
#ifndef RS_RECIPE_H
#define RS_RECIPE_H

#include "recipe/recipe_learner.h"

#define RS_STAGES_MAX 16
#define RS_MODELS_MAX 256
#define RS_CANDIDATES_MAX 4096
#define RS_LABEL_SIZE 256

struct rs_step;
struct rs_alternative {
	const void *options;
	const char *label; /* "" where there is no other one */
};
struct rs_stage {
	const struct rs_step *step;
	size_t count;
	struct rs_alternative *alternatives;
};
struct rs_model_choice {
	const struct rs_learner *learner;
	struct rs_alternative with;
};
struct rs_plan {
	size_t stage_count, model_count;
	struct rs_stage stages[RS_STAGES_MAX];
	struct rs_model_choice *models;
};

struct rs_planned {
	const struct rs_step *step;
	const void *options; /* NULL: a scale that the study did not name, by deviation */
};
struct rs_recipe {
	size_t step_count;
	struct rs_planned steps[RS_STAGES_MAX + 1];
	const struct rs_learner *learner;
	const void *options; /* of the learner */
	bool weigh_classes;  /* each class weighs alike */
	uint64_t seed;
	struct rs_pool *pool;
	bool thorough;
	/* rows x width: how the model scores the rows that it was fitted to, which flatters; of use to the .632+ bootstrap, which
	 * knows by how much. NULL: not wanted */
	double *apparent;
};
/* False when there are more than RS_CANDIDATES_MAX. */
bool rs_plan_count(const struct rs_plan *plan, size_t *out);
/* Candidates that differ in late stages only come one after another. Seed and pool are left 0. */
void rs_plan_recipe(const struct rs_plan *plan, size_t candidate, struct rs_recipe *out);
void rs_plan_label(const struct rs_plan *plan, size_t candidate, char out[RS_LABEL_SIZE]);

/* Of the program's own: one step, one learner, with their usual options. Points into itself, so it stays where it is. */
struct rs_ready_plan {
	struct rs_plan plan;
	struct rs_alternative impute;
	struct rs_model_choice model;
	struct rs_options impute_options, model_options;
};
/* A simple model: gaps filled, one scale, ridge or Cox. */
void rs_plan_baseline(enum rs_target target, struct rs_ready_plan *out);
/* A small forest of all columns, that tells centres apart. */
void rs_plan_shift(struct rs_ready_plan *out);

#endif
