/* N4: sharpen the histogram, take what that changed as a smooth field, and again with what is left. */
#include <math.h>
#include <string.h>

#include "intensity/intensity.h"
#include "lattice.h"
#include "sharpen.h"

#define VOXELS_MIN 100
#define SAMPLES_MIN 16 /* along an axis, where the volume has so many */

struct estimating {
	const struct rs_bias *how;
	struct rs_pool *pool;
	size_t volume[3], step[3], elements[3], count; /* of the samples */
	double *logarithms, *field, *left, *change;    /* NAN outside the region */
	struct rs_lattice lattice;
};

static void estimating_finish(struct estimating *e)
{
	rs_free(e->logarithms);
	rs_lattice_finish(&e->lattice);
}

static enum rs_code check(const struct rs_bias *how, struct rs_error *err)
{
	if (how->levels < 1 || how->levels > RS_BIAS_LEVELS_MAX || how->iterations < 1 ||
	    how->iterations > 1000 || how->shrink < 1 || how->shrink > 64 || how->bins < 10 ||
	    how->bins > 10000)
		return rs_error_set(
			err, RS_USAGE,
			"a bias field takes 1 to %d levels, 1 to 1000 iterations, shrinks by 1 to 64 "
			"and counts 10 to 10000 bins",
			RS_BIAS_LEVELS_MAX);
	for (int a = 0; a < 3; a++)
		if (how->mesh[a] < 1 || how->mesh[a] > 64)
			return rs_error_set(err, RS_USAGE,
			                    "a bias field's mesh has 1 to 64 elements along an axis");
	if (!(how->convergence >= 0) || !(how->width > 0) || !(how->noise > 0))
		return rs_error_set(err, RS_USAGE, "a bias field needs a width and a noise above 0");
	return RS_OK;
}

/* The region's logarithms at every step-th voxel. */
static enum rs_code sample(struct estimating *e, const struct rs_volume *volume, const uint8_t *region,
                           double threshold, struct rs_error *err)
{
	size_t size[3], used = 0, at = 0;
	for (int a = 0; a < 3; a++) {
		e->volume[a] = volume->geometry.size[a];
		e->elements[a] = e->how->mesh[a];
		e->step[a] = e->how->shrink;
		while (e->step[a] > 1 && e->volume[a] / e->step[a] < SAMPLES_MIN)
			e->step[a]--;
		size[a] = (e->volume[a] + e->step[a] - 1) / e->step[a];
	}
	e->count = size[0] * size[1] * size[2];
	e->logarithms = rs_allocate_array(4 * e->count, sizeof *e->logarithms);
	if (!e->logarithms)
		return rs_error_memory(err, 4 * e->count * sizeof *e->logarithms, "a bias field");
	e->field = e->logarithms + e->count;
	e->left = e->field + e->count;
	e->change = e->left + e->count;
	for (size_t z = 0; z < size[2]; z++)
		for (size_t y = 0; y < size[1]; y++)
			for (size_t x = 0; x < size[0]; x++, at++) {
				size_t voxel = (z * e->step[2] * e->volume[1] + y * e->step[1]) *
				                       e->volume[0] +
				               x * e->step[0];
				double value = volume->voxels[voxel];
				bool in = region ? region[voxel] != 0 : value > threshold;
				in = in && value > 0 && isfinite(value);
				e->logarithms[at] = in ? log(value) : NAN;
				e->field[at] = 0;
				used += in;
			}
	if (used < VOXELS_MIN)
		return rs_error_set(
			err, RS_REFUSED,
			"a bias field is found from %d voxels or more that are above 0; here are %zu",
			VOXELS_MIN, used);
	return RS_OK;
}

/* The coefficient of variation of what the field was multiplied by. */
static double variation(const struct estimating *e)
{
	double sum = 0, squares = 0, n = 0;
	for (size_t i = 0; i < e->count; i++) {
		if (isnan(e->logarithms[i]))
			continue;
		double factor = exp(e->change[i]);
		n++;
		sum += factor;
		squares += factor * factor;
	}
	double mean = sum / n, variance = (squares - n * mean * mean) / (n > 1 ? n - 1 : 1);
	return variance > 0 ? sqrt(variance) / mean : 0;
}

static enum rs_code iterate(struct estimating *e, const struct grid_reach *grid, double *out_variation,
                            struct rs_error *err)
{
	const struct sharpening how = {e->how->width, e->how->noise, e->how->bins};
	struct rs_lattice step;
	for (size_t i = 0; i < e->count; i++)
		e->left[i] = e->logarithms[i] - e->field[i];
	RS_TRY(sharpen(&how, e->left, e->count, e->change, err));
	for (size_t i = 0; i < e->count; i++)
		e->left[i] -= e->change[i];
	RS_TRY(rs_lattice_init(&step, e->lattice.elements, err));
	enum rs_code code = lattice_approach(&step, grid, e->left, err);
	if (code == RS_OK)
		code = lattice_values(&step, grid, e->pool, e->change, err);
	for (size_t i = 0; code == RS_OK && i < e->count; i++)
		e->field[i] += e->change[i];
	for (size_t i = 0; code == RS_OK && i < step.size[0] * step.size[1] * step.size[2]; i++)
		e->lattice.control[i] += step.control[i];
	rs_lattice_finish(&step);
	*out_variation = code == RS_OK ? variation(e) : 0;
	return code;
}

static enum rs_code run_level(struct estimating *e, struct rs_error *err)
{
	struct grid_reach grid;
	double changed = INFINITY;
	RS_TRY(grid_reach_init(&grid, e->volume, e->step, e->lattice.elements, err));
	enum rs_code code = RS_OK;
	for (unsigned i = 0; code == RS_OK && i < e->how->iterations && changed > e->how->convergence; i++)
		code = iterate(e, &grid, &changed, err);
	grid_reach_finish(&grid);
	return code;
}

static enum rs_code write_field(struct estimating *e, double *out, struct rs_error *err)
{
	static const size_t every[3] = {1, 1, 1};
	struct grid_reach grid;
	double mean = 0, n = 0;
	for (size_t i = 0; i < e->count; i++) {
		bool in = !isnan(e->logarithms[i]);
		mean += in ? e->field[i] : 0;
		n += in;
	}
	mean /= n;
	RS_TRY(grid_reach_init(&grid, e->volume, every, e->lattice.elements, err));
	enum rs_code code = lattice_values(&e->lattice, &grid, e->pool, out, err);
	for (size_t i = 0; code == RS_OK && i < e->volume[0] * e->volume[1] * e->volume[2]; i++)
		out[i] = exp(out[i] - mean);
	grid_reach_finish(&grid);
	return code;
}

enum rs_code rs_bias_field(const struct rs_volume *volume, const uint8_t *region, const struct rs_bias *how,
                           struct rs_pool *pool, double *out_field, struct rs_error *err)
{
	struct estimating e RS_CLEANUP(estimating_finish) = {.how = how, .pool = pool};
	double threshold = 0;
	RS_TRY(check(how, err));
	if (!region)
		RS_TRY(rs_foreground_threshold(volume, &threshold, err));
	RS_TRY(sample(&e, volume, region, threshold, err));
	RS_TRY(rs_lattice_init(&e.lattice, e.elements, err));
	for (unsigned level = 0; level < how->levels; level++) {
		unsigned axes = 0;
		/* A spline is not made finer than there are samples. */
		for (int a = 0; a < 3; a++)
			if (level > 0 && 2 * e.lattice.elements[a] <= (e.volume[a] - 1) / e.step[a])
				axes |= 1u << a;
		RS_TRY(rs_lattice_refine(&e.lattice, axes, err));
		RS_TRY(run_level(&e, err));
	}
	return write_field(&e, out_field, err);
}
