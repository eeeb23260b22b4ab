/* Multigrid by cells: 2 x 2 x 2 voxels, or fewer along axes of wide spacing, become one; their edges and springs add up, and
 * edges that have become longer are halved, as a finite-volume scheme has them. One sweep of Gauss and Seidel forward on the way
 * down and one backward on the way up keep the cycle symmetric, as conjugate gradients want it. */
#include "segment/random_walk.h"

#include <math.h>
#include <string.h>

#define COARSEST 8 /* voxels */
#define LANES 8

/* ---- memory ---- */

static void level_finish(struct walk_level *level) { rs_free(level->memory); }

void random_walk_finish(struct random_walk *walk)
{
	for (size_t l = 0; l < walk->count; l++)
		level_finish(&walk->levels[l]);
	rs_free(walk->memory);
	*walk = (struct random_walk){.count = 0};
}

static enum rs_code carve(size_t arrays, const struct walk_level *level, void **out_memory, float **outs[],
                          struct rs_error *err)
{
	size_t each = level->count + 2 * level->guard, size;
	each = (each + 15) / 16 * 16;
	if (!rs_mul_size(each, arrays * sizeof(float), &size))
		return rs_error_memory(err, SIZE_MAX, "a random walk");
	float *block = *out_memory = rs_allocate_aligned(size);
	if (!block)
		return rs_error_memory(err, size, "a random walk");
	for (size_t i = 0; i < arrays; i++)
		*outs[i] = block + i * each + level->guard;
	return RS_OK;
}

static enum rs_code level_init(struct walk_level *level, const size_t size[3], struct rs_error *err)
{
	float **arrays[] = {&level->weight[0], &level->weight[1], &level->weight[2], &level->inverse,
	                    &level->x,         &level->b,         &level->r};
	memcpy(level->size, size, sizeof level->size);
	level->count = size[0] * size[1] * size[2];
	level->guard = (size[0] * size[1] + 15) / 16 * 16;
	return carve(RS_COUNT(arrays), level, &level->memory, arrays, err);
}

/* Axes whose voxels are about as short as the shortest are halved; when none can be, there is no coarser grid. */
static bool coarsen(struct walk_level *level, double spacing_mm[3], size_t next[3])
{
	double shortest = INFINITY;
	bool any = false;
	for (int a = 0; a < 3; a++)
		if (level->size[a] > 1)
			shortest = fmin(shortest, spacing_mm[a]);
	for (int a = 0; a < 3; a++) {
		const bool halve = level->size[a] > 1 && spacing_mm[a] < 1.5 * shortest;
		level->factor[a] = halve ? 2 : 1;
		next[a] = (level->size[a] + level->factor[a] - 1) / level->factor[a];
		spacing_mm[a] *= level->factor[a];
		any = any || halve;
	}
	return any;
}

enum rs_code random_walk_init(struct random_walk *out, const size_t size[3], const double spacing_mm[3],
                              struct rs_error *err)
{
	struct random_walk walk RS_CLEANUP(random_walk_finish) = {.count = 0};
	double spacing[3] = {spacing_mm[0], spacing_mm[1], spacing_mm[2]};
	size_t next[3] = {size[0], size[1], size[2]};
	do {
		struct walk_level *level = &walk.levels[walk.count++];
		RS_TRY(level_init(level, next, err));
		if (level->count <= COARSEST || !coarsen(level, spacing, next))
			break;
	} while (walk.count < WALK_LEVELS_MAX);
	RS_TRY(carve(2, &walk.levels[0], &walk.memory, (float **[]){&walk.solution, &walk.direction}, err));
	*out = walk;
	walk = (struct random_walk){.count = 0};
	return RS_OK;
}

/* ---- coarser grids ---- */

static void invert(struct walk_level *level)
{
	const size_t row = level->size[0], slice = row * level->size[1];
	const float *wx = level->weight[0], *wy = level->weight[1], *wz = level->weight[2];
	for (size_t i = 0; i < level->count; i++) {
		float sum = wx[i] + wx[(ptrdiff_t)i - 1] + wy[i] + wy[(ptrdiff_t)i - (ptrdiff_t)row] + wz[i] +
		            wz[(ptrdiff_t)i - (ptrdiff_t)slice] + level->r[i];
		level->inverse[i] = sum > 0 ? 1 / sum : 0;
	}
}

static void add_edges(const struct walk_level *fine, struct walk_level *coarse, const size_t at[3],
                      size_t from, size_t to)
{
	for (int a = 0; a < 3; a++) {
		const bool leaves = (at[a] + 1) % fine->factor[a] == 0;
		if (leaves) /* the cell */
			coarse->weight[a][to] += fine->weight[a][from] / (float)fine->factor[a];
	}
	coarse->r[to] += fine->r[from];
}

static void build_coarser(const struct walk_level *fine, struct walk_level *coarse)
{
	size_t i = 0;
	memset(coarse->r, 0, coarse->count * sizeof *coarse->r);
	for (int a = 0; a < 3; a++)
		memset(coarse->weight[a], 0, coarse->count * sizeof *coarse->weight[a]);
	for (size_t z = 0; z < fine->size[2]; z++)
		for (size_t y = 0; y < fine->size[1]; y++) {
			const size_t base = (z / fine->factor[2] * coarse->size[1] + y / fine->factor[1]) *
			                    coarse->size[0];
			for (size_t x = 0; x < fine->size[0]; x++, i++)
				add_edges(fine, coarse, (const size_t[3]){x, y, z}, i,
				          base + x / fine->factor[0]);
		}
}

/* ---- one grid ---- */

/* From x = 0: x becomes (D - L)^-1 b. */
static void sweep_forward(const struct walk_level *level)
{
	const size_t row = level->size[0], slice = row * level->size[1];
	for (size_t i = 0; i < level->count; i += row) {
		float *x = level->x + i, *r = level->r + i, before = 0;
		const float *b = level->b + i, *wx = level->weight[0] + i, *wy = level->weight[1] + i - row,
			    *wz = level->weight[2] + i - slice, *y = x - row, *z = x - slice;
		for (size_t k = 0; k < row; k++)
			r[k] = b[k] + wy[k] * y[k] + wz[k] * z[k];
		for (size_t k = 0; k < row; k++) {
			before = (r[k] + before) * level->inverse[i + k];
			x[k] = before;
			before *= wx[k];
		}
	}
}

/* What the sweep before left: r = U x. */
static void leave_residual(const struct walk_level *level)
{
	const size_t row = level->size[0], slice = row * level->size[1];
	const float *x = level->x, *wx = level->weight[0], *wy = level->weight[1], *wz = level->weight[2];
	for (size_t i = 0; i < level->count; i++)
		level->r[i] = wx[i] * x[i + 1] + wy[i] * x[i + row] + wz[i] * x[i + slice];
}

static void sweep_row_backward(const struct walk_level *level, size_t i, float *sums)
{
	const size_t row = level->size[0], slice = row * level->size[1];
	float *x = level->x + i, behind = 0;
	const float *b = level->b + i, *wx = level->weight[0] + i, *wy = level->weight[1] + i,
		    *wz = level->weight[2] + i, *inverse = level->inverse + i;
	for (size_t k = 0; k < row; k++)
		sums[k] = b[k] + wx[(ptrdiff_t)k - 1] * x[(ptrdiff_t)k - 1] + wy[k] * x[k + row] +
		          wz[k] * x[k + slice];
	for (size_t k = 0; k < row; k++)
		sums[k] += (wy - row)[k] * (x - row)[k] + (wz - slice)[k] * (x - slice)[k];
	for (size_t k = row; k-- > 0;) {
		x[k] = (sums[k] + behind) * inverse[k];
		behind = k ? wx[k - 1] * x[k] : 0;
	}
}

/* `sums` of a row lie in r, which is not needed any more. */
static void sweep_backward(const struct walk_level *level)
{
	const size_t row = level->size[0];
	for (size_t i = level->count; i > 0; i -= row)
		sweep_row_backward(level, i - row, level->r + i - row);
}

/* ---- between grids ---- */

static void restrict_residual(const struct walk_level *fine, struct walk_level *coarse)
{
	size_t i = 0;
	memset(coarse->b, 0, coarse->count * sizeof *coarse->b);
	for (size_t z = 0; z < fine->size[2]; z++)
		for (size_t y = 0; y < fine->size[1]; y++) {
			float *to = coarse->b +
			            (z / fine->factor[2] * coarse->size[1] + y / fine->factor[1]) *
			                    coarse->size[0];
			const float *from = fine->r + i;
			for (size_t x = 0; x < fine->size[0]; x++)
				to[x / fine->factor[0]] += from[x];
			i += fine->size[0];
		}
}

static void prolong(const struct walk_level *coarse, const struct walk_level *fine, float *onto)
{
	size_t i = 0;
	for (size_t z = 0; z < fine->size[2]; z++)
		for (size_t y = 0; y < fine->size[1]; y++) {
			const float *from = coarse->x +
			                    (z / fine->factor[2] * coarse->size[1] + y / fine->factor[1]) *
			                            coarse->size[0];
			float *to = onto + i;
			for (size_t x = 0; x < fine->size[0]; x++)
				to[x] += from[x / fine->factor[0]];
			i += fine->size[0];
		}
}

static void cycle(struct random_walk *walk)
{
	size_t last = walk->count - 1;
	for (size_t l = 0; l < last; l++) {
		sweep_forward(&walk->levels[l]);
		leave_residual(&walk->levels[l]);
		restrict_residual(&walk->levels[l], &walk->levels[l + 1]);
	}
	sweep_forward(&walk->levels[last]);
	sweep_backward(&walk->levels[last]);
	for (size_t l = last; l-- > 0;) {
		prolong(&walk->levels[l + 1], &walk->levels[l], walk->levels[l].x);
		sweep_backward(&walk->levels[l]);
	}
}

/* ---- conjugate gradients ---- */

static double dot(const float *a, const float *b, size_t count)
{
	double sums[LANES] = {0}, sum = 0;
	size_t whole = count / LANES * LANES;
	for (size_t i = 0; i < whole; i += LANES)
		for (size_t k = 0; k < LANES; k++)
			sums[k] += (double)a[i + k] * (double)b[i + k];
	for (size_t i = whole; i < count; i++)
		sums[0] += (double)a[i] * (double)b[i];
	for (size_t k = 0; k < LANES; k++)
		sum += sums[k];
	return sum;
}

/* to = A from; from is guarded. */
static void apply(const struct walk_level *level, const float *from, float *to)
{
	const size_t row = level->size[0], slice = row * level->size[1];
	for (size_t i = 0; i < level->count; i += row) {
		const float *x = from + i, *wx = level->weight[0] + i, *wy = level->weight[1] + i,
			    *wz = level->weight[2] + i;
		const float *xy = x - row, *xz = x - slice, *vy = wy - row, *vz = wz - slice;
		for (size_t k = 0; k < row; k++)
			to[i + k] = x[k] / level->inverse[i + k] - wx[k] * x[k + 1] -
			            wx[(ptrdiff_t)k - 1] * x[(ptrdiff_t)k - 1] - wy[k] * x[k + row] -
			            vy[k] * xy[k] - wz[k] * x[k + slice] - vz[k] * xz[k];
	}
}

static void add_scaled(float *to, float by, const float *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] += by * from[i];
}

unsigned random_walk_solve(struct random_walk *walk, double tolerance, unsigned iterations_max)
{
	struct walk_level *level = &walk->levels[0];
	const size_t count = level->count;
	float *const b = level->b, *const z = level->x, *const q = level->r, *const p = walk->direction;
	unsigned iterations = 0;
	for (size_t l = 0; l + 1 < walk->count; l++)
		build_coarser(&walk->levels[l], &walk->levels[l + 1]);
	for (size_t l = 0; l < walk->count; l++)
		invert(&walk->levels[l]);
	apply(level, walk->solution, q);
	for (size_t i = 0; i < count; i++)
		b[i] -= q[i];
	cycle(walk);
	memcpy(p, z, count * sizeof *p);
	double rz = dot(b, z, count);
	const double enough = tolerance * tolerance * rz;
	while (rz > enough && iterations < iterations_max) {
		apply(level, p, q);
		const double step = rz / dot(p, q, count);
		add_scaled(walk->solution, (float)step, p, count);
		add_scaled(b, -(float)step, q, count);
		iterations++;
		cycle(walk);
		const double now = dot(b, z, count);
		const float turn = (float)(now / rz);
		for (size_t i = 0; i < count; i++)
			p[i] = z[i] + turn * p[i];
		rz = now;
	}
	return iterations;
}
