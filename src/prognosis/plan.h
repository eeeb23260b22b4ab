/* What a study lets its inner folds choose from: steps in order, each with alternatives, and models. One choice of each is
 * a candidate, or recipe. */
#ifndef RS_PROGNOSIS_PLAN_H
#define RS_PROGNOSIS_PLAN_H

#include "learner.h"

#define STAGES_MAX 16
#define MODELS_MAX 256
#define CANDIDATES_MAX 4096
#define LABEL_SIZE 256

struct step;
struct alternative {
	const void *options;
	const char *label; /* "" where there is no other one */
};
struct stage {
	const struct step *step;
	size_t count;
	struct alternative *alternatives;
};
struct model_choice {
	const struct learner *learner;
	struct alternative with;
};
struct plan {
	size_t stage_count, model_count;
	struct stage stages[STAGES_MAX];
	struct model_choice *models;
};

struct planned {
	const struct step *step;
	const void *options;
};
struct recipe {
	size_t step_count;
	struct planned steps[STAGES_MAX + 1];
	const struct learner *learner;
	const void *options; /* of the learner */
	bool weigh_classes;  /* each class weighs alike */
	uint64_t seed;
	struct rs_pool *pool;
	bool thorough;
	/* rows x width: how the model scores the rows that it was fitted to, which flatters; of use to the .632+ bootstrap, which
	 * knows by how much. NULL: not wanted */
	double *apparent;
};
/* False when there are more than CANDIDATES_MAX. */
bool plan_count(const struct plan *plan, size_t *out);
/* Candidates that differ in late stages only come one after another. Seed and pool are left 0. */
void plan_recipe(const struct plan *plan, size_t candidate, struct recipe *out);
void plan_label(const struct plan *plan, size_t candidate, char out[LABEL_SIZE]);
/* A simple model: gaps filled, one scale, ridge or Cox. Static. */
const struct plan *plan_baseline(enum target target);
/* A small forest of all columns, that tells centres apart. Static. */
const struct plan *plan_shift(void);

#endif
