/* Inputs that a lasso keeps at the lambda its folds choose (Tibshirani 1996); of classes without an order for any class. */
#include "elastic.h"
#include "recipe/recipe_step.h"

/* Where the chosen lambda keeps nothing, the largest one that does decides. */
static enum rs_code choose(const struct rs_fitting *f, const void *options, bool *keep, struct rs_error *err)
{
	struct rs_elastic_net_path path RS_CLEANUP(rs_elastic_net_path_finish) = {0};
	const struct rs_training *t = f->training;
	const struct rs_lesson lesson = {.shape = {t->target, t->classes, f->count},
	                                 .rows = t->rows,
	                                 .x = f->x,
	                                 .outcome = t->outcome,
	                                 .time = t->time,
	                                 .subject = t->subject,
	                                 .seed = f->seed};
	size_t lambda;
	RS_TRY(elastic_fit(&lesson, options, &path, &lambda, err));
	for (bool any = false; !any && lambda < path.count; lambda++)
		for (size_t k = 0; k < path.outputs; k++)
			for (size_t c = 0; c < f->count; c++)
				if (path.coefficients[(lambda * path.outputs + k) * f->count + c] != 0)
					keep[c] = any = true;
	return RS_OK;
}

static const struct rs_setting settings[] = {
	ELASTIC_SETTINGS(struct elastic_options, ELASTIC_SPARSEST),
	{.name = NULL},
};
const struct rs_step rs_step_lasso = {.name = "lasso",
                                      .settings = settings,
                                      .options_size = sizeof(struct elastic_options),
                                      .choose = choose};
