/* Free-form deformation: points held by 64 control points each. */
#include "register/freeform.h"

#include <string.h>

#define AROUND (REACH * REACH) /* rows of control points that a row of elements reaches */

static void hold_point(const struct motion *m, const struct points *points, size_t i, struct hold *out)
{
	const double place[3] = {points->place_mm[0][i], points->place_mm[1][i], points->place_mm[2][i]};
	double at[3];
	space_index(&m->lattice_space, place, at);
	hold_of(m->lattice.size, at, out);
}

enum rs_code freeform_init(struct motion *m, struct points *points, struct rs_error *err)
{
	const size_t count = points->count, rows = m->lattice.size[1] - 3;
	uint32_t *keys RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *keys);
	struct hold hold;
	m->first = rs_allocate_array(count, sizeof *m->first);
	m->weights = rs_allocate_array(count, 3 * REACH * sizeof *m->weights);
	if (!keys || !m->first || !m->weights)
		return rs_error_memory(err, count * (8 + 3 * REACH * sizeof *m->weights),
		                       "weights of points");
	RS_TRY(space_of(&m->lattice, &m->lattice_space, err));
	for (size_t i = 0; i < count; i++) {
		hold_point(m, points, i, &hold);
		keys[i] = (uint32_t)((hold.first[2] * rows + hold.first[1]) << 16 | hold.first[0]);
	}
	RS_TRY(points_sort(points, keys, err));
	for (size_t i = 0; i < count; i++) {
		hold_point(m, points, i, &hold);
		m->first[i] = (uint32_t)hold.first[0];
		memcpy(m->weights + i * 3 * REACH, hold.weight, sizeof hold.weight);
	}
	m->count = 3 * rs_geometry_voxels(&m->lattice);
	m->sum_size = 3 * AROUND * m->lattice.size[0];
	return RS_OK;
}

/* The first of the control points that a row of elements reaches. */
static size_t row_start(const struct motion *m, size_t row)
{
	const size_t *size = m->lattice.size, rows = size[1] - 3;
	return (row / rows * size[1] + row % rows) * size[0];
}

void freeform_place(const struct motion *m, const struct chunk *chunk, double *const at[3])
{
	const size_t *size = m->lattice.size, plane = size[0] * size[1];
	const double *start = m->control_mm + row_start(m, chunk->row);
	for (size_t i = chunk->begin; i < chunk->end; i++) {
		const double *w = m->weights + i * 3 * REACH;
		double u[3];
		for (size_t a = 0; a < 3; a++) {
			const double *from = start + a * plane * size[2] + m->first[i];
			lanes sum = {0};
			for (size_t k = 0; k < REACH; k++) {
				lanes flat = {0};
				for (size_t j = 0; j < REACH; j++)
					flat += w[REACH + j] * LANES_AT(from + k * plane + j * size[0]);
				sum += w[2 * REACH + k] * flat;
			}
			sum *= LANES_AT(w);
			u[a] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
		}
		for (int r = 0; r < 3; r++)
			at[r][i] += m->to.to_index[r][0] * u[0] + m->to.to_index[r][1] * u[1] +
			            m->to.to_index[r][2] * u[2];
	}
}

void freeform_gather(const struct motion *m, const struct chunk *chunk, double *const force[3], double *sums)
{
	const size_t width = m->lattice.size[0];
	for (size_t i = chunk->begin; i < chunk->end; i++) {
		const double f[3] = {force[0][i], force[1][i], force[2][i]};
		if (f[0] == 0 && f[1] == 0 && f[2] == 0)
			continue;
		const double *w = m->weights + i * 3 * REACH;
		const lanes along = LANES_AT(w);
		for (size_t k = 0; k < AROUND; k++) {
			const lanes share = w[2 * REACH + k / REACH] * w[REACH + k % REACH] * along;
			for (size_t a = 0; a < 3; a++) {
				double *to = sums + (a * AROUND + k) * width + m->first[i];
				*(lanes *)(void *)to += f[a] * share;
			}
		}
	}
}

void freeform_slopes(const struct motion *m, const struct points *points, double *slopes)
{
	const size_t *size = m->lattice.size, width = size[0], plane = width * size[1], all = plane * size[2];
	memset(slopes, 0, m->count * sizeof *slopes);
	for (size_t c = 0; c < points->chunk_count; c++) {
		const double *sums = m->sums + c * m->sum_size;
		double *start = slopes + row_start(m, points->chunks[c].row);
		for (size_t a = 0; a < 3; a++)
			for (size_t k = 0; k < AROUND; k++) {
				double *to = start + a * all + k / REACH * plane + k % REACH * width;
				for (size_t x = 0; x < width; x++)
					to[x] += sums[(a * AROUND + k) * width + x];
			}
	}
	for (size_t i = 0; i < all; i++) {
		const double f[3] = {slopes[i], slopes[all + i], slopes[2 * all + i]};
		for (size_t r = 0; r < 3; r++)
			slopes[r * all + i] = m->to.to_index[0][r] * f[0] + m->to.to_index[1][r] * f[1] +
			                      m->to.to_index[2][r] * f[2];
	}
}

/* Squares of second differences, along axes and across them: the bending energy of a thin plate, of control points. The
 * cost of one stencil of `count` control points. */
struct stencil {
	size_t count;
	ptrdiff_t step[4];
	double weight[4];
};

static double bend(const struct stencil *s, double scale, const double *control, double *slopes)
{
	double second = 0;
	for (size_t i = 0; i < s->count; i++)
		second += s->weight[i] * control[s->step[i]];
	for (size_t i = 0; i < s->count; i++)
		slopes[s->step[i]] += 2 * scale * second * s->weight[i];
	return scale * second * second;
}

double freeform_bending(const struct motion *m, double *slopes)
{
	const size_t *size = m->lattice.size, all = size[0] * size[1] * size[2];
	const ptrdiff_t stride[3] = {1, (ptrdiff_t)size[0], (ptrdiff_t)(size[0] * size[1])};
	const double *h = m->lattice.spacing_mm;
	double cost = 0;
	struct stencil along[6];
	double scales[6];
	for (int a = 0; a < 3; a++) {
		const int b = (a + 1) % 3;
		along[a] = (struct stencil){3, {-stride[a], 0, stride[a]}, {1, -2, 1}};
		scales[a] = m->stiffness / ((double)all * h[a] * h[a] * h[a] * h[a]);
		along[3 + a] = (struct stencil){4,
		                                {-stride[a] - stride[b], stride[a] - stride[b],
		                                 stride[b] - stride[a], stride[a] + stride[b]},
		                                {0.25, -0.25, -0.25, 0.25}};
		scales[3 + a] = 2 * m->stiffness / ((double)all * h[a] * h[a] * h[b] * h[b]);
	}
	for (size_t i = 0; i < 3 * all; i++) {
		const size_t at[3] = {i % size[0], i / size[0] % size[1], i % all / (size[0] * size[1])};
		bool inner[3];
		for (int a = 0; a < 3; a++)
			inner[a] = at[a] > 0 && at[a] + 1 < size[a];
		for (int a = 0; a < 3; a++) {
			if (inner[a])
				cost += bend(&along[a], scales[a], m->control_mm + i, slopes + i);
			if (inner[a] && inner[(a + 1) % 3])
				cost += bend(&along[3 + a], scales[3 + a], m->control_mm + i, slopes + i);
		}
	}
	return cost;
}
