/* Local binary patterns on a sphere: which of the samples around a voxel are not darker than it, described by the
 * norms of their spherical harmonics, and how peaked the samples are.
 * source  PyRadiomics 3.1, getLBP3DImage; SciPy 1.6 … 1.13, map_coordinates and kurtosis. As there, the first
 *         coordinate of a point of the sphere runs along z, and samples have the volume's own type */
#include <math.h>
#include <string.h>

#include "filter/as_stored.h"
#include "filter/filter.h"
#include "filter/pairwise.h"
#include "filter/sphere.h"
#include "filter/spline.h"

#define HARMONICS_MAX (2 * RS_LBP_LEVELS_MAX) /* of one level */
#define RADIUS_MAX 64                         /* voxels: spline coefficients reach that far beyond the box */

struct work {
	const struct rs_volume *volume;
	const struct rs_box *box;
	const uint8_t *inside;
	struct sphere sphere;
	struct spline spline;
	double *results; /* levels + 1 blocks */
};

/* Part of a row of the box: `count` voxels from `first` on, x and y and z of the volume. */
struct row {
	size_t at[3], count;
	double *samples; /* of each point of the sphere, in turn */
	double *spline_work, *coefficients, *pattern, *norm, *mean, *second, *fourth, *scratch;
};

static void work_finish(struct work *w)
{
	sphere_finish(&w->sphere);
	spline_finish(&w->spline);
	rs_free(w->results);
}

static void take_samples(const struct work *w, struct row *r)
{
	for (size_t p = 0; p < w->sphere.count; p++) {
		const double *point = w->sphere.points[p];
		const double shift[3] = {point[2], point[1], point[0]};
		double *samples = r->samples + p * r->count;
		spline_row(&w->spline, r->at, shift, r->count, r->spline_work, samples);
		as_stored_rounded(samples, r->count, w->volume->stored);
	}
}

/* Fisher's kurtosis of the samples; they are all alike where it is not a number. */
static void find_kurtosis(const struct work *w, struct row *r, double *out)
{
	bool single = w->volume->stored == RS_VOXEL_F32;
	size_t points = w->sphere.count, n = r->count;
	double resolution = single ? (double)1e-6F : 1e-15;
	double *deviations = r->scratch + PAIRWISE_WORK(n);
	pairwise_mean(r->samples, points, n, single, r->scratch, r->mean);
	for (size_t p = 0; p < points; p++)
		for (size_t i = 0; i < n; i++) {
			double d = rounded(r->samples[p * n + i] - r->mean[i], single);
			deviations[p * n + i] = rounded(d * d, single);
		}
	pairwise_mean(deviations, points, n, single, r->scratch, r->second);
	for (size_t i = 0; i < points * n; i++)
		deviations[i] = rounded(deviations[i] * deviations[i], single);
	pairwise_mean(deviations, points, n, single, r->scratch, r->fourth);
	for (size_t i = 0; i < n; i++) {
		double m2 = r->second[i], floor_of_it = rounded(resolution * r->mean[i], single);
		double square = rounded(m2 * m2, single);
		bool alike = m2 <= rounded(floor_of_it * floor_of_it, single);
		out[i] = alike ? NAN : rounded(rounded(r->fourth[i] / square, single) - 3, single);
	}
}

static void find_pattern(const struct work *w, struct row *r)
{
	const size_t *size = w->volume->geometry.size;
	const double *centre = w->volume->voxels + (r->at[2] * size[1] + r->at[1]) * size[0] + r->at[0];
	for (size_t p = 0; p < w->sphere.count; p++)
		for (size_t i = 0; i < r->count; i++)
			r->samples[p * r->count + i] = r->samples[p * r->count + i] >= centre[i];
}

static void add_scaled(const double *restrict from, double factor, size_t count, double *restrict to)
{
	for (size_t i = 0; i < count; i++)
		to[i] += factor * from[i];
}

/* The real part of coefficient times harmonic at one point, for m = -n … n: it is the same for m and -m. */
static void make_terms(const struct row *r, const double *harmonics, size_t points, unsigned level,
                       double *terms)
{
	size_t n = r->count;
	for (unsigned m = 0; m <= level; m++) {
		const double *re = r->coefficients + (m == 0 ? 0 : 2 * m - 1) * n, *im = re + n;
		double re_here = harmonics[(m == 0 ? 0 : 2 * m - 1) * points];
		double im_here = m == 0 ? 0 : harmonics[2 * m * points];
		double *up = terms + (level + m) * n, *down = terms + (level - m) * n;
		for (size_t i = 0; m == 0 && i < n; i++)
			up[i] = re[i] * re_here;
		for (size_t i = 0; m > 0 && i < n; i++)
			up[i] = down[i] = re[i] * re_here - im[i] * im_here;
	}
}

/* Length, over the points, of that part of the pattern which the harmonics of level n make. PyRadiomics multiplies
 * by the harmonics themselves, not by their conjugates, when it composes the part. */
static void find_norm(const struct work *w, struct row *r, unsigned level, double *out)
{
	size_t points = w->sphere.count, n = r->count, rows = 2 * level + 1;
	const double *harmonics = w->sphere.harmonics + (size_t)level * level * points;
	memset(r->coefficients, 0, rows * n * sizeof *r->coefficients);
	memset(out, 0, n * sizeof *out);
	for (size_t p = 0; p < points; p++)
		for (size_t k = 0; k < rows; k++)
			add_scaled(r->samples + p * n, harmonics[k * points + p], n, r->coefficients + k * n);
	double *terms = r->scratch + PAIRWISE_WORK(n);
	for (size_t p = 0; p < points; p++) {
		make_terms(r, harmonics + p, points, level, terms);
		pairwise_sum(terms, rows, n, PAIRWISE_COMPLEX, false, r->scratch, r->pattern);
		for (size_t i = 0; i < n; i++)
			out[i] += r->pattern[i] * r->pattern[i];
	}
	for (size_t i = 0; i < n; i++)
		out[i] = sqrt(out[i]);
}

static void keep(const struct work *w, const struct row *r, size_t offset, size_t block, const double *values)
{
	double *out = w->results + block * rs_box_voxels(w->box) + offset;
	for (size_t i = 0; i < r->count; i++)
		if (w->inside[offset + i])
			out[i] = values[i];
}

static void filter_row(const struct work *w, struct row *r, size_t offset)
{
	take_samples(w, r);
	find_kurtosis(w, r, r->norm);
	keep(w, r, offset, w->sphere.levels, r->norm);
	find_pattern(w, r);
	for (unsigned level = 0; level < w->sphere.levels; level++) {
		find_norm(w, r, level, r->norm);
		keep(w, r, offset, level, r->norm);
	}
}

static enum rs_code make_row(const struct work *w, struct rs_arena *arena, struct row *out,
                             struct rs_error *err)
{
	size_t width = w->box->size[0], points = w->sphere.count;
	const struct {
		double **block;
		size_t rows;
	} blocks[] = {{&out->samples, points},
	              {&out->coefficients, 2 * (size_t)w->sphere.levels},
	              {&out->pattern, 1},
	              {&out->norm, 1},
	              {&out->mean, 1},
	              {&out->second, 1},
	              {&out->fourth, 1},
	              {&out->scratch, PAIRWISE_WORK(1) + (points > HARMONICS_MAX ? points : HARMONICS_MAX)},
	              {&out->spline_work, SPLINE_ROW_WORK(1)}};
	for (size_t i = 0; i < RS_COUNT(blocks); i++) {
		*blocks[i].block = rs_arena_allocate_array(arena, blocks[i].rows, width * sizeof(double));
		if (!*blocks[i].block)
			return rs_error_memory(err, blocks[i].rows * width * sizeof(double),
			                       "a row of local binary patterns");
	}
	return RS_OK;
}

static enum rs_code filter_slice(void *context, size_t index, struct rs_error *err)
{
	const struct work *w = context;
	const struct rs_box *box = w->box;
	struct rs_arena arena RS_CLEANUP(rs_arena_finish) = {0};
	rs_arena_init(&arena, SIZE_MAX);
	struct row row;
	RS_TRY(make_row(w, &arena, &row, err));
	for (size_t y = 0; y < box->size[1]; y++) {
		size_t offset = (index * box->size[1] + y) * box->size[0], begin = 0, end = box->size[0];
		while (begin < end && !w->inside[offset + begin])
			begin++;
		while (end > begin && !w->inside[offset + end - 1])
			end--;
		row.at[0] = box->first[0] + begin;
		row.at[1] = box->first[1] + y;
		row.at[2] = box->first[2] + index;
		row.count = end - begin;
		if (row.count > 0)
			filter_row(w, &row, offset + begin);
	}
	return RS_OK;
}

static enum rs_code check(unsigned levels, double radius, unsigned subdivision, struct rs_error *err)
{
	if (levels == 0 || levels > RS_LBP_LEVELS_MAX)
		return rs_error_set(err, RS_USAGE, "%u levels of local binary patterns on a sphere; 1 to %d",
		                    levels, RS_LBP_LEVELS_MAX);
	if (!(radius > 0 && radius <= RADIUS_MAX))
		return rs_error_set(
			err, RS_USAGE,
			"a sphere of local binary patterns of radius %g voxels; above 0 and at most %d",
			radius, RADIUS_MAX);
	if (subdivision > SPHERE_SUBDIVISION_MAX)
		return rs_error_set(err, RS_USAGE, "%u subdivisions of the sphere; 0 to %d", subdivision,
		                    SPHERE_SUBDIVISION_MAX);
	return RS_OK;
}

enum rs_code rs_filter_lbp_3d(const struct rs_volume *volume, const struct rs_box *box, const uint8_t *inside,
                              unsigned levels, double radius, unsigned subdivision, struct rs_pool *pool,
                              double *const *outs, struct rs_error *err)
{
	RS_TRY(rs_box_check(box, &volume->geometry, err));
	RS_TRY(check(levels, radius, subdivision, err));
	struct work w RS_CLEANUP(work_finish) = {.volume = volume, .box = box, .inside = inside};
	size_t voxels = rs_box_voxels(box);
	RS_TRY(sphere_init(&w.sphere, subdivision, radius, levels, err));
	RS_TRY(spline_init(&w.spline, volume, box, (size_t)ceil(radius), pool, err));
	w.results = rs_allocate_array(voxels, ((size_t)levels + 1) * sizeof *w.results);
	if (!w.results)
		return rs_error_memory(err, voxels * sizeof *w.results, "local binary patterns");
	RS_TRY(rs_pool_for(pool, box->size[2], filter_slice, &w, err));
	for (size_t block = 0; block <= levels; block++)
		memcpy(outs[block], w.results + block * voxels, voxels * sizeof **outs);
	return RS_OK;
}
