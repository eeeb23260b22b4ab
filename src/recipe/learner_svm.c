/* Support vector machines (libsvm) for classes. */
#include <math.h>

#include "learn/learn_svm.h"
#include "recipe/recipe_learner.h"
#include "recipe/recipe_packed.h"

struct options {
	double cost, gamma, tolerance;
	uint32_t kernel;
};
struct state {
	struct rs_model_shape shape;
	struct rs_svm svm;
};

static void finish(void *state)
{
	struct state *s = state;
	rs_svm_finish(&s->svm);
}

/* libsvm weighs classes, and classes are all that weights are made of. */
static void weigh(const struct rs_lesson *lesson, double *out)
{
	for (size_t r = 0; lesson->weight && r < lesson->rows; r++)
		out[lesson->outcome[r]] = lesson->weight[r];
}

static enum rs_code fit(const struct rs_lesson *lesson, const void *options, double *own_scores, void *state,
                        struct rs_error *err)
{
	const struct options *o = options;
	struct state *s = state;
	const struct rs_matrix x = {lesson->rows, lesson->shape.columns, lesson->x};
	double weights[RS_CLASSES_MAX];
	uint32_t *labels RS_CLEANUP(rs_free_pointer) = rs_allocate_array(lesson->rows, sizeof *labels);
	(void)own_scores;
	if (!labels)
		return rs_error_memory(err, lesson->rows * sizeof *labels, "support vectors");
	for (size_t r = 0; r < lesson->rows; r++)
		labels[r] = lesson->outcome[r];
	weigh(lesson, weights);
	const struct rs_svm_options svm = {.linear = o->kernel,
	                                   .cost = o->cost,
	                                   .gamma = o->gamma,
	                                   .tolerance = o->tolerance,
	                                   .class_weights = lesson->weight ? weights : NULL,
	                                   .seed = lesson->seed,
	                                   .pool = lesson->pool};
	s->shape = lesson->shape;
	return rs_svm_fit(&x, labels, lesson->shape.classes, &svm, &s->svm, err);
}

static enum rs_code score(const void *state, const struct rs_matrix *x, double *out, struct rs_error *err)
{
	const struct state *s = state;
	size_t width = rs_model_shape_width(&s->shape);
	double shares[RS_SVM_CLASSES_MAX];
	double *row RS_CLEANUP(rs_free_pointer) = rs_allocate_array(x->columns, sizeof *row);
	if (!row)
		return rs_error_memory(err, x->columns * sizeof *row, "a row");
	for (size_t i = 0; i < x->rows; i++) {
		for (size_t c = 0; c < x->columns; c++)
			row[c] = x->values[c * x->rows + i];
		rs_svm_probabilities(&s->svm, row, shares);
		for (size_t k = 0; k < width; k++)
			out[i * width + k] = shares[width == 1 ? 1 : k];
	}
	return RS_OK;
}

static void write(const void *state, struct rs_buffer *out)
{
	const struct state *s = state;
	rs_svm_write(&s->svm, out);
}

static enum rs_code read(struct rs_cbor_reader *reader, const struct rs_model_shape *shape, void *state,
                         struct rs_error *err)
{
	struct state *s = state;
	s->shape = *shape;
	RS_TRY(rs_svm_read(reader, (uint32_t)shape->columns, &s->svm, err));
	return s->svm.classes == shape->classes ? RS_OK : rs_packed_wrong("support vectors", err);
}

static const char *const kernels[] = {"rbf", "linear", NULL};
static const struct rs_setting settings[] = {
	{"cost", RS_SETTING_NUMBER, offsetof(struct options, cost), 1e-9, 1e9, 1, NULL},
	/* 0: one over the number of inputs */
	{"gamma", RS_SETTING_NUMBER, offsetof(struct options, gamma), 0, 1e9, 0, NULL},
	{"kernel", RS_SETTING_WORD, offsetof(struct options, kernel), 0, 1, 0, kernels},
	{"tolerance", RS_SETTING_NUMBER, offsetof(struct options, tolerance), 1e-9, 0.1, 1e-3, NULL},
	{.name = NULL},
};
const struct rs_learner rs_learner_svm = {
	.name = "svm",
	.targets = RS_TARGET_BINARY | RS_TARGET_CLASSES | RS_TARGET_ORDINAL,
	.standardised = true,
	.needs_inputs = true,
	.weighs = true,
	.settings = settings,
	.options_size = sizeof(struct options),
	.state_size = sizeof(struct state),
	.fit = fit,
	.finish = finish,
	.score = score,
	.write = write,
	.read = read,
};
