/* Transforms, point by point. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "register/space.h"

static const char *const kinds[] = {"rigid", "affine", "bspline"};

const char *rs_transform_kind_name(enum rs_transform_kind kind) { return kinds[kind]; }

enum rs_code rs_transform_kind_of(const char *name, enum rs_transform_kind *out, struct rs_error *err)
{
	for (size_t i = 0; i < RS_COUNT(kinds); i++)
		if (strcmp(name, kinds[i]) == 0) {
			*out = (enum rs_transform_kind)i;
			return RS_OK;
		}
	return rs_error_set(err, RS_USAGE,
	                    "'%s' is no kind of transform; there are rigid, affine and bspline", name);
}

void rs_transform_identity(struct rs_transform *out)
{
	*out = (struct rs_transform){.matrix = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
}

void rs_transform_finish(struct rs_transform *transform)
{
	if (transform) {
		rs_free(transform->control_mm);
		transform->control_mm = NULL;
	}
}

void product3(double a[3][3], double b[3][3], double out[3][3])
{
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 3; c++)
			out[r][c] = a[r][0] * b[0][c] + a[r][1] * b[1][c] + a[r][2] * b[2][c];
}

enum rs_code space_of(const struct rs_geometry *g, struct space *out, struct rs_error *err)
{
	struct space s;
	for (int r = 0; r < 3; r++) {
		for (int c = 0; c < 3; c++)
			s.to_point[r][c] = g->direction[r][c] * g->spacing_mm[c];
		s.origin_mm[r] = g->origin_mm[r];
		if (!isfinite(g->origin_mm[r]) || !(g->spacing_mm[r] > 0))
			return rs_error_set(err, RS_REFUSED,
			                    "a volume with origin %g and spacing %g mm along %c lies nowhere",
			                    g->origin_mm[r], g->spacing_mm[r], "xyz"[r]);
	}
	double determinant = 0, volume = g->spacing_mm[0] * g->spacing_mm[1] * g->spacing_mm[2];
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 3; c++) {
			const int r1 = (c + 1) % 3, r2 = (c + 2) % 3, c1 = (r + 1) % 3, c2 = (r + 2) % 3;
			s.to_index[r][c] = s.to_point[r1][c1] * s.to_point[r2][c2] -
			                   s.to_point[r1][c2] * s.to_point[r2][c1];
		}
	for (int c = 0; c < 3; c++)
		determinant += s.to_point[0][c] * s.to_index[c][0];
	if (!(fabs(determinant) >= 1e-3 * volume))
		return rs_error_set(err, RS_REFUSED, "the directions of the axes do not span space");
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 3; c++)
			s.to_index[r][c] /= determinant;
	*out = s;
	return RS_OK;
}

void space_point(const struct space *s, const double index[3], double out[3])
{
	for (int r = 0; r < 3; r++)
		out[r] = s->origin_mm[r] + s->to_point[r][0] * index[0] + s->to_point[r][1] * index[1] +
		         s->to_point[r][2] * index[2];
}

void space_index(const struct space *s, const double point[3], double out[3])
{
	double d[3];
	for (int c = 0; c < 3; c++)
		d[c] = point[c] - s->origin_mm[c];
	for (int r = 0; r < 3; r++)
		out[r] = s->to_index[r][0] * d[0] + s->to_index[r][1] * d[1] + s->to_index[r][2] * d[2];
}

void rs_transform_point(const struct rs_transform *t, const double fixed_mm[3], double out[3])
{
	double moved[3];
	for (int r = 0; r < 3; r++)
		moved[r] = t->matrix[r][0] * fixed_mm[0] + t->matrix[r][1] * fixed_mm[1] +
		           t->matrix[r][2] * fixed_mm[2] + t->offset_mm[r];
	struct space space;
	if (t->control_mm && space_of(&t->lattice, &space, NULL) == RS_OK) {
		struct hold hold;
		double at[3];
		space_index(&space, fixed_mm, at);
		hold_of(t->lattice.size, at, &hold);
		for (size_t a = 0; a < 3; a++)
			moved[a] += hold_value(&hold, t->lattice.size,
			                       t->control_mm + a * rs_geometry_voxels(&t->lattice));
	}
	memcpy(out, moved, sizeof moved);
}

static double square_moved(const struct rs_transform *transform, const double point[3])
{
	double moved[3], square = 0;
	rs_transform_point(transform, point, moved);
	for (int a = 0; a < 3; a++)
		square += (moved[a] - point[a]) * (moved[a] - point[a]);
	return square;
}

/* What the lattice adds to the matrix there. */
static void add_slopes(const struct rs_transform *t, const double point[3], double matrix[3][3])
{
	struct space space;
	struct hold hold;
	double at[3];
	if (!t->control_mm || space_of(&t->lattice, &space, NULL) != RS_OK)
		return;
	space_index(&space, point, at);
	hold_of(t->lattice.size, at, &hold);
	for (int a = 0; a < 3; a++) {
		struct hold along = hold;
		weigh_slopes(hold.fraction[a], along.weight[a]);
		for (size_t r = 0; r < 3; r++) {
			const double slope = hold_value(&along, t->lattice.size,
			                                t->control_mm + r * rs_geometry_voxels(&t->lattice));
			for (int c = 0; c < 3; c++)
				matrix[r][c] += slope * space.to_index[a][c];
		}
	}
}

static double minus_jacobian(const struct rs_transform *transform, const double point[3])
{
	double m[3][3];
	memcpy(m, transform->matrix, sizeof m);
	add_slopes(transform, point, m);
	return m[0][0] * (m[1][2] * m[2][1] - m[1][1] * m[2][2]) +
	       m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
	       m[0][2] * (m[1][1] * m[2][0] - m[1][0] * m[2][1]);
}

/* The greatest at corners, and, where space may bend, at no more than `count` and one voxels along each axis. */
static double greatest(const struct rs_transform *transform, const struct rs_geometry *g, size_t count,
                       double (*measure)(const struct rs_transform *transform, const double point[3]))
{
	struct space space;
	size_t step[3];
	double most = -INFINITY;
	if (space_of(g, &space, NULL) != RS_OK)
		return NAN;
	for (int a = 0; a < 3; a++)
		step[a] = transform->control_mm ? (g->size[a] + count - 1) / count : g->size[a] - 1;
	for (size_t z = 0; z < g->size[2] + step[2]; z += step[2] ? step[2] : 1)
		for (size_t y = 0; y < g->size[1] + step[1]; y += step[1] ? step[1] : 1)
			for (size_t x = 0; x < g->size[0] + step[0]; x += step[0] ? step[0] : 1) {
				const size_t at[3] = {x, y, z};
				double index[3], point[3];
				for (int a = 0; a < 3; a++)
					index[a] = (double)(at[a] < g->size[a] ? at[a] : g->size[a] - 1);
				space_point(&space, index, point);
				most = fmax(most, measure(transform, point));
			}
	return most;
}

double rs_transform_greatest_mm(const struct rs_transform *transform, const struct rs_geometry *fixed)
{
	return sqrt(greatest(transform, fixed, 32, square_moved));
}

double rs_transform_least_jacobian(const struct rs_transform *transform, const struct rs_geometry *fixed)
{
	return -greatest(transform, fixed, 64, minus_jacobian);
}
