/* Recursive feature elimination: what matters least to a model goes, and the model is fitted again without it. */
#include <string.h>

#include "learn/learn_select.h"
#include "learn/learn_svm.h"
#include "recipe/recipe_step.h"

enum model { BY_RIDGE, BY_FOREST, BY_SVM };
struct options {
	uint64_t keep;
	uint32_t by;
	double drop; /* share of what is left that goes at once */
	double penalty;
	uint64_t trees;
};

/* ---- by linear models: one for two classes or survival, one for each of more classes against the others ---- */

struct ridges {
	size_t count;
	uint8_t *outcomes;
	struct rs_ridge *of[RS_CLASSES_MAX];
	double *work;
};

static void ridges_finish(struct ridges *ridges)
{
	for (size_t k = 0; k < ridges->count; k++)
		rs_ridge_destroy(ridges->of[k]);
	rs_free(ridges->outcomes);
	rs_free(ridges->work);
}

static enum rs_code ridges_init(const struct rs_fitting *f, const struct rs_matrix *z, double penalty,
                                struct ridges *out, struct rs_error *err)
{
	const struct rs_training *t = f->training;
	size_t models = t->classes > 2 ? t->classes : 1;
	out->outcomes = rs_allocate_array(models, t->rows);
	out->work = rs_allocate_array(f->count, sizeof *out->work);
	if (!out->outcomes || !out->work)
		return rs_error_memory(err, models * t->rows, "elimination");
	for (size_t k = 0; k < models; k++) {
		uint8_t *outcome = out->outcomes + k * t->rows;
		for (size_t i = 0; i < t->rows; i++)
			outcome[i] = models > 1 ? t->outcome[i] == k : t->outcome[i];
		RS_TRY(rs_ridge_create(z, outcome, t->target == RS_TARGET_SURVIVAL ? t->time : NULL, penalty,
		                       &out->of[k], err));
		out->count++;
	}
	return RS_OK;
}

static enum rs_code ridges_importance(void *context, const size_t *columns, size_t count, double *out,
                                      struct rs_error *err)
{
	struct ridges *ridges = context;
	memset(out, 0, count * sizeof *out);
	for (size_t k = 0; k < ridges->count; k++) {
		RS_TRY(rs_ridge_importance(ridges->of[k], columns, count, ridges->work, err));
		for (size_t c = 0; c < count; c++)
			out[c] += ridges->work[c];
	}
	return RS_OK;
}

static enum rs_code eliminate_by_ridge(const struct rs_fitting *f, const struct options *o, size_t *order,
                                       struct rs_error *err)
{
	struct ridges ridges RS_CLEANUP(ridges_finish) = {0};
	double *values RS_CLEANUP(rs_free_pointer) = rs_standardised_inputs(f);
	if (!values)
		return rs_error_memory(err, f->count * f->training->rows * sizeof *values, "elimination");
	const struct rs_matrix z = {f->training->rows, f->count, values};
	RS_TRY(ridges_init(f, &z, o->penalty, &ridges, err));
	return rs_eliminate(f->count, o->keep, o->drop, ridges_importance, &ridges, order, err);
}

/* ---- by forests: what is lost out of bag when a column is shuffled ---- */

struct woods {
	const struct rs_fitting *fitting;
	const struct options *options;
	double *x;
	uint32_t *labels;
};

static enum rs_code woods_importance(void *context, const size_t *columns, size_t count, double *out,
                                     struct rs_error *err)
{
	const struct woods *woods = context;
	const struct rs_training *t = woods->fitting->training;
	struct rs_forest forest RS_CLEANUP(rs_forest_finish) = {0};
	for (size_t c = 0; c < count; c++)
		memcpy(woods->x + c * t->rows, woods->fitting->x + columns[c] * t->rows,
		       t->rows * sizeof *woods->x);
	const struct rs_matrix x = {t->rows, count, woods->x};
	const struct rs_forest_options options = {.trees = (uint32_t)woods->options->trees,
	                                          .seed = woods->fitting->seed};
	const struct rs_forest_out_of_bag want = {.importance = out};
	return t->target == RS_TARGET_SURVIVAL
	               ? rs_forest_fit_survival(&x, t->time, t->outcome, &options, &want, &forest, err)
	               : rs_forest_fit_classes(&x, woods->labels, t->classes, &options, &want, &forest, err);
}

static enum rs_code eliminate_by_forest(const struct rs_fitting *f, const struct options *o, size_t *order,
                                        struct rs_error *err)
{
	size_t rows = f->training->rows;
	double *x RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->count, rows * sizeof *x);
	uint32_t *labels RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *labels);
	struct woods woods = {f, o, x, labels};
	if (!x || !labels)
		return rs_error_memory(err, f->count * rows * sizeof *x, "elimination");
	for (size_t i = 0; i < rows; i++)
		labels[i] = f->training->outcome[i];
	return rs_eliminate(f->count, o->keep, o->drop, woods_importance, &woods, order, err);
}

/* ---- by linear support vector machines (Guyon et al. 2002): squares of the coefficients of each pair of classes ---- */

static void add_squares(const struct rs_svm *svm, uint32_t a, uint32_t b, double *out)
{
	const size_t n = svm->vector_count;
	for (uint32_t c = 0; c < svm->columns; c++) {
		double sum = 0;
		for (size_t v = 0, class = 0, left = svm->counts[0]; v < n; v++, left--) {
			while (left == 0)
				left = svm->counts[++class];
			/* As libsvm lays coefficients out: those against a class before one's own, then after it. */
			if (class == a)
				sum += svm->coefficients[(b - 1) * n + v] *
				       svm->vectors[v * svm->columns + c];
			else if (class == b)
				sum += svm->coefficients[a * n + v] * svm->vectors[v * svm->columns + c];
		}
		out[c] += sum * sum;
	}
}

static enum rs_code machines_importance(void *context, const size_t *columns, size_t count, double *out,
                                        struct rs_error *err)
{
	const struct woods *of = context;
	size_t rows = of->fitting->training->rows;
	uint32_t classes = of->fitting->training->classes;
	struct rs_svm svm RS_CLEANUP(rs_svm_finish) = {0};
	double *x RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, rows * sizeof *x);
	if (!x)
		return rs_error_memory(err, count * rows * sizeof *x, "elimination");
	for (size_t c = 0; c < count; c++)
		memcpy(x + c * rows, of->x + columns[c] * rows, rows * sizeof *x);
	const struct rs_matrix matrix = {rows, count, x};
	const struct rs_svm_options options = {
		.linear = true, .cost = 1 / of->options->penalty, .seed = of->fitting->seed};
	RS_TRY(rs_svm_fit(&matrix, of->labels, classes, &options, &svm, err));
	memset(out, 0, count * sizeof *out);
	for (uint32_t a = 0; a < classes; a++)
		for (uint32_t b = a + 1; b < classes; b++)
			add_squares(&svm, a, b, out);
	return RS_OK;
}

static enum rs_code eliminate_by_svm(const struct rs_fitting *f, const struct options *o, size_t *order,
                                     struct rs_error *err)
{
	double *values RS_CLEANUP(rs_free_pointer) = rs_standardised_inputs(f);
	uint32_t *labels RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->training->rows, sizeof *labels);
	struct woods of = {f, o, values, labels};
	if (!values || !labels)
		return rs_error_memory(err, f->count * f->training->rows * sizeof *values, "elimination");
	if (f->training->target == RS_TARGET_SURVIVAL)
		return rs_error_set(err, RS_USAGE,
		                    "support vector machines are of classes; by: ridge or forest");
	for (size_t i = 0; i < f->training->rows; i++)
		labels[i] = f->training->outcome[i];
	return rs_eliminate(f->count, o->keep, o->drop, machines_importance, &of, order, err);
}

static enum rs_code choose(const struct rs_fitting *f, const void *options, bool *keep, struct rs_error *err)
{
	const struct options *o = options;
	size_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->count, sizeof *order);
	if (!order)
		return rs_error_memory(err, f->count * sizeof *order, "elimination");
	if (o->by == BY_RIDGE)
		RS_TRY(eliminate_by_ridge(f, o, order, err));
	else if (o->by == BY_FOREST)
		RS_TRY(eliminate_by_forest(f, o, order, err));
	else
		RS_TRY(eliminate_by_svm(f, o, order, err));
	for (size_t k = 0; k < f->count && k < o->keep; k++)
		keep[order[k]] = true;
	return RS_OK;
}

static const char *const models[] = {"ridge", "forest", "svm", NULL};
static const struct rs_setting settings[] = {
	{"keep", RS_SETTING_COUNT, offsetof(struct options, keep), 1, 1000000, 20, NULL},
	{"by", RS_SETTING_WORD, offsetof(struct options, by), 0, 0, BY_RIDGE, models},
	{"drop", RS_SETTING_NUMBER, offsetof(struct options, drop), 0, 0.9, 0.25, NULL},
	{"penalty", RS_SETTING_NUMBER, offsetof(struct options, penalty), 1e-6, 1e12, 1, NULL},
	{"trees", RS_SETTING_COUNT, offsetof(struct options, trees), 1, 100000, 200, NULL},
	{.name = NULL},
};
const struct rs_step rs_step_rfe = {
	.name = "rfe", .settings = settings, .options_size = sizeof(struct options), .choose = choose};
