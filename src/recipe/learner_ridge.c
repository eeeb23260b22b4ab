/* Logistic and softmax regression with a ridge: the simple model that others have to beat. */
#include <math.h>
#include <string.h>

#include "recipe/recipe_linear.h"
#include "numeric/numeric_linear.h"

#define STEPS_MAX 100

struct newton {
	const double *x;
	size_t rows, columns;
	const uint8_t *outcome;
	const double *weight;                      /* NULL: 1 */
	double penalty, *at, *step, *matrix, *row; /* of columns + 1, the last one the intercept */
};

static double weight_of(const struct newton *n, size_t row) { return n->weight ? n->weight[row] : 1; }

static double loss_at(const struct newton *n, const double *at)
{
	double loss = 0;
	for (size_t i = 0; i < n->rows; i++) {
		double sum = at[n->columns];
		for (size_t c = 0; c < n->columns; c++)
			sum += at[c] * n->x[c * n->rows + i];
		loss += weight_of(n, i) *
		        (log1p(exp(-fabs(sum))) + (n->outcome[i] ? fmax(-sum, 0) : fmax(sum, 0)));
	}
	for (size_t c = 0; c < n->columns; c++)
		loss += n->penalty / 2 * at[c] * at[c];
	return loss;
}

/* Gradient to step, second derivatives to the matrix's lower triangle. */
static void derive(struct newton *n)
{
	size_t size = n->columns + 1;
	memset(n->matrix, 0, size * size * sizeof *n->matrix);
	memset(n->step, 0, size * sizeof *n->step);
	for (size_t i = 0; i < n->rows; i++) {
		double sum = n->at[n->columns];
		for (size_t c = 0; c < n->columns; c++) {
			n->row[c] = n->x[c * n->rows + i];
			sum += n->at[c] * n->row[c];
		}
		n->row[n->columns] = 1;
		double p = 1 / (1 + exp(-sum)), weight = weight_of(n, i) * p * (1 - p);
		for (size_t a = 0; a < size; a++) {
			n->step[a] += weight_of(n, i) * (n->outcome[i] - p) * n->row[a];
			for (size_t b = 0; b <= a; b++)
				n->matrix[a * size + b] += weight * n->row[a] * n->row[b];
		}
	}
	for (size_t c = 0; c < n->columns; c++) {
		n->step[c] -= n->penalty * n->at[c];
		n->matrix[c * size + c] += n->penalty;
	}
}

/* Newton's step, halved until the loss falls. False when there is none. */
static bool move(struct newton *n, double *loss)
{
	size_t size = n->columns + 1;
	derive(n);
	rs_ldl(n->matrix, size, 1e-14);
	rs_ldl_solve(n->matrix, size, n->step);
	for (double share = 1; share > 1e-6; share /= 2) {
		for (size_t a = 0; a < size; a++)
			n->row[a] = n->at[a] + share * n->step[a];
		double found = loss_at(n, n->row);
		if (found <= *loss) {
			bool better = found < *loss - 1e-13 * fabs(*loss);
			memcpy(n->at, n->row, size * sizeof *n->at);
			*loss = found;
			return better;
		}
	}
	return false;
}

struct options {
	double penalty; /* half of it times the sum of squares is added to the loss; not of the intercept */
};

static enum rs_code fit_binary(const struct rs_lesson *lesson, double penalty, double *out,
                               struct rs_error *err)
{
	size_t size = lesson->shape.columns + 1, square;
	double *room RS_CLEANUP(rs_free_pointer) = NULL;
	if (rs_mul_size(size, size + 2, &square))
		room = rs_allocate_array(square, sizeof *room);
	if (!room)
		return rs_error_memory(err, size * sizeof *room, "logistic regression");
	struct newton newton = {.x = lesson->x,
	                        .rows = lesson->rows,
	                        .columns = lesson->shape.columns,
	                        .outcome = lesson->outcome,
	                        .weight = lesson->weight,
	                        .penalty = penalty,
	                        .at = out,
	                        .step = room,
	                        .row = room + size,
	                        .matrix = room + 2 * size};
	double loss = loss_at(&newton, newton.at);
	for (int step = 0; step < STEPS_MAX && move(&newton, &loss); step++)
		;
	return RS_OK;
}

static enum rs_code fit(const struct rs_lesson *lesson, const void *options, double *own_scores, void *state,
                        struct rs_error *err)
{
	const struct options *o = options;
	struct rs_linear *linear = state;
	(void)own_scores;
	RS_TRY(rs_linear_init(&lesson->shape, false, linear, err));
	return lesson->shape.target == RS_TARGET_BINARY
	               ? fit_binary(lesson, o->penalty, linear->coefficients, err)
	               : rs_ridge_several(lesson, o->penalty, linear->coefficients, err);
}

static const struct rs_setting settings[] = {
	{"penalty", RS_SETTING_NUMBER, offsetof(struct options, penalty), 0, 1e12, 1, NULL},
	{.name = NULL},
};
const struct rs_learner rs_learner_ridge = {
	.name = "ridge",
	.targets = RS_TARGET_BINARY | RS_TARGET_CLASSES | RS_TARGET_ORDINAL,
	.standardised = true,
	.weighs = true,
	.settings = settings,
	.options_size = sizeof(struct options),
	.state_size = sizeof(struct rs_linear),
	.fit = fit,
	.finish = rs_linear_finish,
	.score = rs_linear_score,
	.importance = rs_linear_importance,
	.explain = rs_linear_explain,
	.write = rs_linear_write,
	.read = rs_linear_read,
};
