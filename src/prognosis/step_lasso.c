/* Inputs that a lasso keeps at the lambda its folds choose (Tibshirani 1996). Of classes without an order those that any class
 * against all others keeps. */
#include "elastic.h"
#include "step.h"

/* Where the chosen lambda keeps nothing, the largest one that does decides. */
static enum rs_code choose_for(const struct lesson *lesson, const void *options, bool *keep,
                               struct rs_error *err)
{
	struct rs_elastic_net_path path RS_CLEANUP(rs_elastic_net_path_finish) = {0};
	size_t lambda, columns = lesson->shape.columns;
	RS_TRY(elastic_fit(lesson, options, &path, &lambda, err));
	for (bool any = false; !any && lambda < path.count; lambda++)
		for (size_t c = 0; c < columns; c++)
			if (path.coefficients[lambda * columns + c] != 0)
				keep[c] = any = true;
	return RS_OK;
}

static enum rs_code choose(const struct fitting *f, const void *options, bool *keep, struct rs_error *err)
{
	const struct training *t = f->training;
	struct lesson lesson = {.shape = {t->target, t->classes, f->count},
	                        .rows = t->rows,
	                        .x = f->x,
	                        .outcome = t->outcome,
	                        .time = t->time,
	                        .subject = t->subject,
	                        .seed = f->seed};
	if (t->target != TARGET_CLASSES)
		return choose_for(&lesson, options, keep, err);
	uint8_t *own RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, 1);
	if (!own)
		return rs_error_memory(err, t->rows, "selection");
	lesson.shape = (struct shape){TARGET_BINARY, 2, f->count};
	lesson.outcome = own;
	for (uint32_t class = 0; class < t->classes; class ++) {
		for (size_t r = 0; r < t->rows; r++)
			own[r] = t->outcome[r] == class;
		RS_TRY(choose_for(&lesson, options, keep, err));
	}
	return RS_OK;
}

static const struct setting settings[] = {
	ELASTIC_SETTINGS(struct elastic_options, ELASTIC_SPARSEST),
	{.name = NULL},
};
const struct step step_lasso = {.name = "lasso",
                                .settings = settings,
                                .options_size = sizeof(struct elastic_options),
                                .choose = choose};
