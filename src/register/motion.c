/* Motions: turns, shears and shifts, and what both kinds share. */
#include "register/motion.h"

#include <math.h>
#include <string.h>

#include "register/freeform.h"

#define BLOCK_MM 16.0 /* points that lie close to each other are looked at together */
#define LINEAR_SUMS 12

/* Mean of the points and their deviations from it; at least a mm, so that a flat volume can turn, too. */
static void measure(struct motion *m, const struct points *points)
{
	for (int a = 0; a < 3; a++) {
		double sum = 0, squares = 0;
		for (size_t i = 0; i < points->count; i++)
			sum += points->place_mm[a][i];
		m->centre_mm[a] = sum / (double)points->count;
		for (size_t i = 0; i < points->count; i++) {
			const double d = points->place_mm[a][i] - m->centre_mm[a];
			squares += d * d;
		}
		m->reach_mm[a] = fmax(sqrt(squares / (double)points->count), 1);
	}
	rs_transform_point(&m->base, m->centre_mm, m->moved_mm);
}

/* Blocks of space, row after row. */
static enum rs_code sort_by_blocks(struct points *points, struct rs_error *err)
{
	uint32_t *keys RS_CLEANUP(rs_free_pointer) = rs_allocate_array(points->count, sizeof *keys);
	double low[3] = {INFINITY, INFINITY, INFINITY};
	if (!keys)
		return rs_error_memory(err, points->count * sizeof *keys, "the order of points");
	for (int a = 0; a < 3; a++)
		for (size_t i = 0; i < points->count; i++)
			low[a] = fmin(low[a], points->place_mm[a][i]);
	for (size_t i = 0; i < points->count; i++)
		for (int a = 2; a >= 0; a--) {
			const double block = fmin((points->place_mm[a][i] - low[a]) / BLOCK_MM, 255);
			keys[i] = keys[i] << 8 | (uint32_t)block;
		}
	return points_sort(points, keys, err);
}

enum rs_code motion_init(struct motion *out, enum rs_transform_kind kind, const struct rs_transform *base,
                         const struct rs_geometry *lattice, double stiffness, struct points *points,
                         const struct view *moving, struct rs_error *err)
{
	struct motion m RS_CLEANUP(motion_finish) = {
		.kind = kind, .base = *base, .to = moving->space, .stiffness = stiffness};
	measure(&m, points);
	m.count = kind == RS_TRANSFORM_RIGID ? 6 : LINEAR_MAX;
	m.sum_size = LINEAR_SUMS;
	if (kind == RS_TRANSFORM_BSPLINE) {
		m.lattice = *lattice;
		RS_TRY(freeform_init(&m, points, err));
	} else {
		RS_TRY(sort_by_blocks(points, err));
	}
	m.sums = rs_allocate_array(points->chunk_count, m.sum_size * sizeof *m.sums);
	if (!m.sums)
		return rs_error_memory(err, points->chunk_count * m.sum_size * sizeof *m.sums,
		                       "sums of forces");
	*out = m;
	m = (struct motion){0};
	return RS_OK;
}

void motion_finish(struct motion *motion)
{
	rs_free(motion->first);
	rs_free(motion->weights);
	rs_free(motion->sums);
}

/* A turn about x, then y, then z, or one of them changed by its angle (0, 1, 2; 3: none). */
static void turn(const double angle[3], int changed, double out[3][3])
{
	double now[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
	for (int a = 0; a < 3; a++) {
		const int b = (a + 1) % 3, c = (a + 2) % 3;
		const double s = sin(angle[a]), k = cos(angle[a]);
		double one[3][3] = {{0}}, next[3][3];
		one[a][a] = changed == a ? 0 : 1;
		one[b][b] = one[c][c] = changed == a ? -s : k;
		one[c][b] = changed == a ? k : s;
		one[b][c] = -one[c][b];
		product3(one, now, next);
		memcpy(now, next, sizeof now);
	}
	memcpy(out, now, sizeof now);
}

/* The distance from the axis, by which an angle becomes a distance. */
static double arm(const struct motion *m, int axis)
{
	return hypot(m->reach_mm[(axis + 1) % 3], m->reach_mm[(axis + 2) % 3]);
}

static void angles_of(const struct motion *m, const double *parameters, double out[3])
{
	for (int a = 0; a < 3; a++)
		out[a] = parameters[a] / arm(m, a);
}

void motion_linear(const struct motion *m, const double *parameters, struct rs_transform *out)
{
	double own[3][3], angle[3], base[3][3];
	struct rs_transform t = {.kind = m->kind};
	const double *shift = parameters + m->count - 3;
	if (m->kind == RS_TRANSFORM_BSPLINE) {
		*out = m->base;
		return;
	}
	if (m->kind == RS_TRANSFORM_RIGID) {
		angles_of(m, parameters, angle);
		turn(angle, 3, own);
	} else {
		for (int r = 0; r < 3; r++)
			for (int c = 0; c < 3; c++)
				own[r][c] = (r == c) + parameters[3 * r + c] / m->reach_mm[c];
	}
	memcpy(base, m->base.matrix, sizeof base);
	product3(own, base, t.matrix);
	for (int r = 0; r < 3; r++) {
		t.offset_mm[r] = m->moved_mm[r] + shift[r];
		for (int c = 0; c < 3; c++)
			t.offset_mm[r] -= t.matrix[r][c] * m->centre_mm[c];
	}
	*out = t;
}

void motion_set(struct motion *m, const double *parameters)
{
	struct rs_transform t;
	double to_index[3][3];
	motion_linear(m, parameters, &t);
	memcpy(to_index, m->to.to_index, sizeof to_index);
	product3(to_index, t.matrix, m->matrix);
	space_index(&m->to, t.offset_mm, m->offset);
	m->control_mm = parameters;
}

void motion_place(const struct motion *m, const struct points *points, const struct chunk *chunk,
                  double *const at[3])
{
	const double *const *place = (const double *const *)points->place_mm;
	for (size_t i = chunk->begin; i < chunk->end; i++)
		for (int r = 0; r < 3; r++)
			at[r][i] = m->matrix[r][0] * place[0][i] + m->matrix[r][1] * place[1][i] +
			           m->matrix[r][2] * place[2][i] + m->offset[r];
	if (m->kind == RS_TRANSFORM_BSPLINE)
		freeform_place(m, chunk, at);
}

void motion_gather(const struct motion *m, const struct points *points, size_t chunk, double *const force[3])
{
	const struct chunk *of = &points->chunks[chunk];
	double *sums = m->sums + chunk * m->sum_size;
	memset(sums, 0, m->sum_size * sizeof *sums);
	if (m->kind == RS_TRANSFORM_BSPLINE) {
		freeform_gather(m, of, force, sums);
		return;
	}
	for (size_t i = of->begin; i < of->end; i++)
		for (size_t r = 0; r < 3; r++) {
			for (size_t c = 0; c < 3; c++)
				sums[3 * r + c] += force[r][i] * (points->place_mm[c][i] - m->centre_mm[c]);
			sums[9 + r] += force[r][i];
		}
}

/* Slopes along the entries of the matrix that follows `base`, and along the shift. */
static void linear_slopes(const struct motion *m, const struct points *points, double by_matrix[3][3],
                          double by_shift[3])
{
	double sums[LINEAR_SUMS] = {0}, outer[3][3], back[3][3];
	for (size_t chunk = 0; chunk < points->chunk_count; chunk++)
		for (size_t i = 0; i < LINEAR_SUMS; i++)
			sums[i] += m->sums[chunk * m->sum_size + i];
	for (int r = 0; r < 3; r++) {
		by_shift[r] = 0;
		for (int c = 0; c < 3; c++) {
			by_shift[r] += m->to.to_index[c][r] * sums[9 + c];
			outer[r][c] = 0;
			for (int k = 0; k < 3; k++)
				outer[r][c] += m->to.to_index[k][r] * sums[3 * k + c];
			back[r][c] = m->base.matrix[c][r];
		}
	}
	product3(outer, back, by_matrix);
}

void motion_slopes(const struct motion *m, const struct points *points, const double *parameters,
                   double *slopes)
{
	double by_matrix[3][3], by_shift[3], angle[3], change[3][3];
	if (m->kind == RS_TRANSFORM_BSPLINE) {
		freeform_slopes(m, points, slopes);
		return;
	}
	linear_slopes(m, points, by_matrix, by_shift);
	angles_of(m, parameters, angle);
	for (int a = 0; a < 3; a++) {
		slopes[m->count - 3 + (size_t)a] = by_shift[a];
		if (m->kind == RS_TRANSFORM_AFFINE) {
			for (int c = 0; c < 3; c++)
				slopes[3 * a + c] = by_matrix[a][c] / m->reach_mm[c];
			continue;
		}
		turn(angle, a, change);
		slopes[a] = 0;
		for (int r = 0; r < 3; r++)
			for (int c = 0; c < 3; c++)
				slopes[a] += by_matrix[r][c] * change[r][c] / arm(m, a);
	}
}

double motion_bending(const struct motion *m, double *slopes)
{
	return m->kind == RS_TRANSFORM_BSPLINE && m->stiffness > 0 ? freeform_bending(m, slopes) : 0;
}
