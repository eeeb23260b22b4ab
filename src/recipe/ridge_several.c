/* Several classes with a ridge: softmax regression. The curvature is bounded once for all (Böhning 1992), so that each step
 * solves with the same matrix and the loss never rises. */
#include <math.h>
#include <string.h>

#include "recipe/recipe_linear.h"
#include "numeric/numeric_linear.h"

#define STEPS_MAX 5000
#define TOLERANCE 1e-9 /* of a step, in units of standardised inputs */

struct climb {
	const struct rs_lesson *lesson;
	size_t size; /* columns + 1, the last one the intercept */
	double penalty;
	double *at;     /* [class][size] */
	double *step;   /* size */
	double *matrix; /* size x size */
	double *error;  /* [row][class]: what is missing to the truth, weighted */
};

static double x_of(const struct climb *c, size_t column, size_t row)
{
	return column + 1 < c->size ? c->lesson->x[column * c->lesson->rows + row] : 1;
}

static double weight_of(const struct climb *c, size_t row)
{
	return c->lesson->weight ? c->lesson->weight[row] : 1;
}

static void bound_curvature(struct climb *c)
{
	for (size_t a = 0; a < c->size; a++)
		for (size_t b = 0; b <= a; b++) {
			double sum = 0;
			for (size_t i = 0; i < c->lesson->rows; i++)
				sum += weight_of(c, i) * x_of(c, a, i) * x_of(c, b, i);
			c->matrix[a * c->size + b] = sum / 2 + (a == b && a + 1 < c->size ? c->penalty : 0);
		}
	rs_ldl(c->matrix, c->size, 1e-14);
}

static void find_errors(struct climb *c)
{
	uint32_t classes = c->lesson->shape.classes;
	for (size_t i = 0; i < c->lesson->rows; i++) {
		double *error = c->error + i * classes, most = -INFINITY, sum = 0;
		for (uint32_t k = 0; k < classes; k++) {
			error[k] = 0;
			for (size_t a = 0; a < c->size; a++)
				error[k] += c->at[k * c->size + a] * x_of(c, a, i);
			most = fmax(most, error[k]);
		}
		for (uint32_t k = 0; k < classes; k++)
			sum += error[k] = exp(error[k] - most);
		for (uint32_t k = 0; k < classes; k++)
			error[k] = weight_of(c, i) * ((k == c->lesson->outcome[i]) - error[k] / sum);
	}
}

/* One step of all classes; the longest change of a coefficient. */
static double move(struct climb *c)
{
	uint32_t classes = c->lesson->shape.classes;
	double longest = 0;
	find_errors(c);
	for (uint32_t k = 0; k < classes; k++) {
		double *at = c->at + k * c->size;
		for (size_t a = 0; a < c->size; a++) {
			c->step[a] = a + 1 < c->size ? -c->penalty * at[a] : 0;
			for (size_t i = 0; i < c->lesson->rows; i++)
				c->step[a] += c->error[i * classes + k] * x_of(c, a, i);
		}
		rs_ldl_solve(c->matrix, c->size, c->step);
		for (size_t a = 0; a < c->size; a++) {
			at[a] += c->step[a];
			longest = fmax(longest, fabs(c->step[a]));
		}
	}
	return longest;
}

enum rs_code rs_ridge_several(const struct rs_lesson *lesson, double penalty, double *out,
                              struct rs_error *err)
{
	size_t size = lesson->shape.columns + 1, square;
	double *room RS_CLEANUP(rs_free_pointer) = NULL;
	double *error RS_CLEANUP(rs_free_pointer) = rs_allocate_array(lesson->rows,
	                                                              lesson->shape.classes * sizeof *error);
	if (rs_mul_size(size, size + 1, &square))
		room = rs_allocate_array(square, sizeof *room);
	if (!room || !error)
		return rs_error_memory(err, size * sizeof *room, "regression of classes");
	struct climb climb = {lesson, size, penalty, out, room, room + size, error};
	bound_curvature(&climb);
	for (int step = 0; step < STEPS_MAX && move(&climb) > TOLERANCE; step++)
		;
	return RS_OK;
}
