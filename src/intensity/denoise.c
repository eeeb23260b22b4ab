/* Noise taken out by the nearest voxels: the median of a window, and diffusion that stops at edges. */
#include <math.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "intensity/intensity.h"
#include "numeric/numeric.h"

#define WINDOW_MAX \
	((2 * RS_MEDIAN_RADIUS_MAX + 1) * (2 * RS_MEDIAN_RADIUS_MAX + 1) * (2 * RS_MEDIAN_RADIUS_MAX + 1))

struct median {
	const struct rs_volume *volume;
	size_t radius[3];
	double *out;
};

static void range(size_t at, size_t radius, size_t size, size_t *out_first, size_t *out_end)
{
	*out_first = at > radius ? at - radius : 0;
	*out_end = at + radius + 1 < size ? at + radius + 1 : size;
}

static double median_at(const struct median *m, size_t x, size_t y, size_t z)
{
	const size_t *size = m->volume->geometry.size;
	size_t x0, x1, y0, y1, z0, z1, count = 0;
	double window[WINDOW_MAX];
	range(x, m->radius[0], size[0], &x0, &x1);
	range(y, m->radius[1], size[1], &y0, &y1);
	range(z, m->radius[2], size[2], &z0, &z1);
	for (size_t k = z0; k < z1; k++)
		for (size_t j = y0; j < y1; j++, count += x1 - x0)
			memcpy(window + count, m->volume->voxels + (k * size[1] + j) * size[0] + x0,
			       (x1 - x0) * sizeof *window);
	rs_select(window, 0, count, count / 2);
	if (count % 2)
		return window[count / 2];
	double below = window[0];
	for (size_t i = 1; i < count / 2; i++)
		below = window[i] > below ? window[i] : below;
	return (below + window[count / 2]) / 2;
}

/* Voxels next to each other along x, whose windows are whole. */
#define LANES 8

static inline void order_lanes(double *low, double *high)
{
#ifdef __SSE2__ /* which has no branch for what noise decides; the same values */
	for (int l = 0; l < LANES; l += 2) {
		const __m128d a = _mm_loadu_pd(low + l), b = _mm_loadu_pd(high + l);
		_mm_storeu_pd(low + l, _mm_min_pd(a, b));
		_mm_storeu_pd(high + l, _mm_max_pd(b, a));
	}
#else
	for (int l = 0; l < LANES; l++) {
		const double a = low[l], b = high[l];
		low[l] = a < b ? a : b;
		high[l] = b > a ? b : a;
	}
#endif
}

/* Of a little more than half of the window the least and the greatest cannot be the median: they go, the next voxel comes. */
static void medians_at(const struct median *m, size_t x, size_t y, size_t z, double *out)
{
	const size_t *size = m->volume->geometry.size, *radius = m->radius;
	const size_t width = 2 * radius[0] + 1, rows = 2 * radius[1] + 1,
		     count = width * rows * (2 * radius[2] + 1);
	double held[WINDOW_MAX / 2 + 2][LANES];
	size_t next = 0;
	for (size_t kept = count / 2 + 2; kept >= 3; kept--) {
		for (size_t i = next ? kept - 1 : 0; i < kept; i++, next++) {
			const size_t row = next / width, k = z - radius[2] + row / rows,
				     j = y - radius[1] + row % rows;
			const double *from = m->volume->voxels + (k * size[1] + j) * size[0] + x - radius[0] +
			                     next % width;
			memcpy(held[i], from, sizeof held[i]);
		}
		for (size_t i = 0; i < kept / 2; i++)
			order_lanes(held[i], held[kept - 1 - i]);
		for (size_t i = 1; i < (kept + 1) / 2; i++) {
			order_lanes(held[0], held[i]);
			order_lanes(held[kept - 1 - i], held[kept - 1]);
		}
		if (kept == 3)
			memcpy(out, held[1], sizeof held[1]);
		memcpy(held[0], held[kept - 2],
		       sizeof held[0]); /* the greatest is beyond the end from now on */
	}
}

static enum rs_code median_slice(void *context, size_t z, struct rs_error *err RS_UNUSED)
{
	const struct median *m = context;
	const size_t *size = m->volume->geometry.size, *radius = m->radius;
	const bool any = radius[0] + radius[1] + radius[2] > 0;
	for (size_t y = 0; y < size[1]; y++) {
		double *out = m->out + (z * size[1] + y) * size[0];
		const bool whole = any && z >= radius[2] && z + radius[2] < size[2] && y >= radius[1] &&
		                   y + radius[1] < size[1];
		for (size_t x = 0; x < size[0];) {
			if (whole && x >= radius[0] && x + LANES + radius[0] <= size[0]) {
				medians_at(m, x, y, z, out + x);
				x += LANES;
			} else {
				out[x] = median_at(m, x, y, z);
				x++;
			}
		}
	}
	return RS_OK;
}

enum rs_code rs_denoise_median(const struct rs_volume *volume, const unsigned radius[3], struct rs_pool *pool,
                               double *out, struct rs_error *err)
{
	struct median median = {.volume = volume, .out = out};
	for (int a = 0; a < 3; a++) {
		if (radius[a] > RS_MEDIAN_RADIUS_MAX)
			return rs_error_set(err, RS_USAGE,
			                    "a median's window reaches %d voxels at most, not %u",
			                    RS_MEDIAN_RADIUS_MAX, radius[a]);
		median.radius[a] = radius[a];
	}
	return rs_pool_for(pool, volume->geometry.size[2], median_slice, &median, err);
}

struct diffusing {
	const struct rs_geometry *geometry;
	const double *from;
	double *to;
	double weight[3], edge; /* size of the step over the spacing squared */
};

static double flow(const struct diffusing *d, double here, double there)
{
	double across = (there - here) / d->edge;
	return exp(-across * across) * (there - here);
}

static enum rs_code diffuse_slice(void *context, size_t z, struct rs_error *err RS_UNUSED)
{
	const struct diffusing *d = context;
	const size_t *size = d->geometry->size, dy = size[0], dz = size[0] * size[1];
	for (size_t y = 0; y < size[1]; y++)
		for (size_t x = 0; x < size[0]; x++) {
			const double *at = d->from + z * dz + y * dy + x;
			double flows[3] = {0, 0, 0};
			flows[0] += x > 0 ? flow(d, *at, at[-1]) : 0;
			flows[0] += x + 1 < size[0] ? flow(d, *at, at[1]) : 0;
			flows[1] += y > 0 ? flow(d, *at, *(at - dy)) : 0;
			flows[1] += y + 1 < size[1] ? flow(d, *at, at[dy]) : 0;
			flows[2] += z > 0 ? flow(d, *at, *(at - dz)) : 0;
			flows[2] += z + 1 < size[2] ? flow(d, *at, at[dz]) : 0;
			d->to[at - d->from] = *at + d->weight[0] * flows[0] + d->weight[1] * flows[1] +
			                      d->weight[2] * flows[2];
		}
	return RS_OK;
}

enum rs_code rs_denoise_diffusion(const struct rs_volume *volume, const struct rs_diffusion *how,
                                  struct rs_pool *pool, double *out, struct rs_error *err)
{
	const struct rs_geometry *g = &volume->geometry;
	size_t voxels = rs_geometry_voxels(g);
	double sigma = how->sigma, total = 0;
	if (how->steps < 1 || how->steps > 1000 || !(how->edge > 0) || !(sigma >= 0))
		return rs_error_set(err, RS_USAGE, "diffusion takes 1 to 1000 steps, and an edge above 0");
	if (sigma == 0)
		RS_TRY(rs_noise_sigma(volume, &sigma, err));
	memcpy(out, volume->voxels, voxels * sizeof *out);
	if (sigma == 0)
		return RS_OK;
	double *spare RS_CLEANUP(rs_free_pointer) = rs_allocate_array(voxels, sizeof *spare);
	if (!spare)
		return rs_error_memory(err, voxels * sizeof *spare, "diffusion");
	struct diffusing d = {.geometry = g, .edge = how->edge * sigma};
	for (int a = 0; a < 3; a++)
		total += 1 / (g->spacing_mm[a] * g->spacing_mm[a]);
	for (int a = 0; a < 3; a++)
		d.weight[a] = 1 / (2 * total * g->spacing_mm[a] * g->spacing_mm[a]);
	for (unsigned i = 0; i < how->steps; i++) {
		d.from = i % 2 ? spare : out;
		d.to = i % 2 ? out : spare;
		RS_TRY(rs_pool_for(pool, g->size[2], diffuse_slice, &d, err));
	}
	if (how->steps % 2)
		memcpy(out, spare, voxels * sizeof *out);
	return RS_OK;
}
