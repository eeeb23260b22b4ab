/* Non-local means. For one displacement at a time, the squared differences of a whole slice are summed over patches, so that
 * a patch costs as much as its sides are long; arithmetic is single, order of sums fixed. */
#include <math.h>
#include <string.h>

#include "intensity/intensity.h"

#define SEARCH_MAX 15
#define PATCH_MAX 3
#define FALL \
	2.0 /* weights end at this many variances of the noise beyond what noise makes of equal patches */

/* The volume with a rim of search + patch voxels, which repeats its faces. */
struct rimmed {
	float *voxels;
	size_t size[3], rim[3];
};

struct averaging {
	const struct rs_volume *volume;
	struct rimmed rimmed;
	ptrdiff_t search[3], patch[3];
	float expected,
		per_fall; /* of the mean squared difference: what noise makes of it, and 1 over the range of weights */
	double variance;
	bool rician;
	double *out;
};

static size_t clamp(ptrdiff_t at, size_t size)
{
	return at < 0 ? 0 : (size_t)at < size ? (size_t)at : size - 1;
}

static enum rs_code rimmed_init(struct rimmed *rimmed, const struct rs_volume *volume, struct rs_error *err)
{
	const size_t *size = volume->geometry.size;
	size_t count = 1;
	for (int a = 0; a < 3; a++) {
		rimmed->size[a] = size[a] + 2 * rimmed->rim[a];
		if (!rs_mul_size(count, rimmed->size[a], &count))
			return rs_error_set(err, RS_TOO_LARGE, "the volume is too large");
	}
	float *to = rimmed->voxels = rs_allocate_array(count, sizeof *rimmed->voxels);
	if (!to)
		return rs_error_memory(err, count * sizeof *to, "a volume with its rim");
	for (size_t z = 0; z < rimmed->size[2]; z++)
		for (size_t y = 0; y < rimmed->size[1]; y++) {
			size_t from_z = clamp((ptrdiff_t)z - (ptrdiff_t)rimmed->rim[2], size[2]);
			size_t from_y = clamp((ptrdiff_t)y - (ptrdiff_t)rimmed->rim[1], size[1]);
			const double *row = volume->voxels + (from_z * size[1] + from_y) * size[0];
			for (size_t x = 0; x < rimmed->size[0]; x++)
				*to++ = (float)row[clamp((ptrdiff_t)x - (ptrdiff_t)rimmed->rim[0], size[0])];
		}
	return RS_OK;
}

/* Of one slice; rows are `width` long. */
struct sums {
	float *rows; /* squared differences of the patch's rows, one after the other: a ring of 2 patch[1] + 1 */
	float *patches; /* of one row of voxels */
	float *weights, *means;
};

static const float *rimmed_at(const struct averaging *a, ptrdiff_t x, ptrdiff_t y, ptrdiff_t z)
{
	const struct rimmed *r = &a->rimmed;
	return r->voxels +
	       ((size_t)(z + (ptrdiff_t)r->rim[2]) * r->size[1] + (size_t)(y + (ptrdiff_t)r->rim[1])) *
	               r->size[0] +
	       (size_t)(x + (ptrdiff_t)r->rim[0]);
}

/* Squared differences at y, summed over the patch's extent along z and x. */
static void difference_row(const struct averaging *a, ptrdiff_t y, ptrdiff_t z, const ptrdiff_t by[3],
                           float *restrict spare, float *restrict out)
{
	const size_t width = a->volume->geometry.size[0], reach = (size_t)a->patch[0],
		     wide = width + 2 * reach;
	memset(spare, 0, wide * sizeof *spare);
	for (ptrdiff_t k = -a->patch[2]; k <= a->patch[2]; k++) {
		const float *restrict here = rimmed_at(a, -a->patch[0], y, z + k);
		const float *restrict there = rimmed_at(a, -a->patch[0] + by[0], y + by[1], z + k + by[2]);
		for (size_t x = 0; x < wide; x++)
			spare[x] += (here[x] - there[x]) * (here[x] - there[x]);
	}
	memcpy(out, spare, width * sizeof *out);
	for (size_t i = 1; i <= 2 * reach; i++)
		for (size_t x = 0; x < width; x++)
			out[x] += spare[x + i];
}

static void weigh_row(const struct averaging *a, const float *restrict patches, const float *restrict there,
                      float *restrict weights, float *restrict means)
{
	const size_t width = a->volume->geometry.size[0];
	const float expected = a->expected, per_fall = a->per_fall, power = a->rician ? 1 : 0;
	for (size_t x = 0; x < width; x++) {
		float beyond = patches[x] - expected;
		beyond = beyond > 0 ? beyond : 0;
		float left = 1 - beyond * per_fall;
		left = left > 0 ? left : 0;
		float weight = left * left, value = there[x];
		weights[x] += weight;
		means[x] += weight * (power * value * value + (1 - power) * value);
	}
}

/* All voxels of a slice against those displaced by `by`. */
static void displace(const struct averaging *a, ptrdiff_t z, const ptrdiff_t by[3], const struct sums *sums,
                     float *spare)
{
	const size_t *size = a->volume->geometry.size, width = size[0];
	const ptrdiff_t reach = a->patch[1], ring = 2 * reach + 1;
	for (ptrdiff_t y = -reach; y < (ptrdiff_t)size[1] + reach; y++) {
		difference_row(a, y, z, by, spare, sums->rows + (size_t)((y + reach) % ring) * width);
		ptrdiff_t done = y - reach;
		if (done < 0)
			continue;
		memcpy(sums->patches, sums->rows, width * sizeof *sums->patches);
		for (ptrdiff_t i = 1; i < ring; i++) {
			const float *restrict row = sums->rows + (size_t)i * width;
			for (size_t x = 0; x < width; x++)
				sums->patches[x] += row[x];
		}
		weigh_row(a, sums->patches, rimmed_at(a, by[0], done + by[1], z + by[2]),
		          sums->weights + (size_t)done * width, sums->means + (size_t)done * width);
	}
}

static void finish_slice(const struct averaging *a, size_t z, const struct sums *sums)
{
	const size_t *size = a->volume->geometry.size, slice = size[0] * size[1];
	for (size_t i = 0; i < slice; i++) {
		double mean = (double)sums->means[i] / (double)sums->weights[i];
		if (a->rician) {
			double square = mean - 2 * a->variance;
			mean = square > 0 ? sqrt(square) : 0;
		}
		a->out[z * slice + i] = mean;
	}
}

static enum rs_code average_slice(void *context, size_t z, struct rs_error *err)
{
	const struct averaging *a = context;
	const size_t *size = a->volume->geometry.size, width = size[0], slice = width * size[1];
	size_t ring = 2 * (size_t)a->patch[1] + 1, wide = width + 2 * (size_t)a->patch[0];
	size_t count = (ring + 1) * width + wide + 2 * slice;
	float *block RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *block);
	if (!block)
		return rs_error_memory(err, count * sizeof *block, "a slice's sums");
	struct sums sums = {
		.rows = block, .patches = block + ring * width, .weights = block + (ring + 1) * width};
	sums.means = sums.weights + slice;
	float *spare = sums.means + slice;
	memset(sums.weights, 0, 2 * slice * sizeof *sums.weights);
	ptrdiff_t by[3];
	for (by[2] = -a->search[2]; by[2] <= a->search[2]; by[2]++)
		for (by[1] = -a->search[1]; by[1] <= a->search[1]; by[1]++)
			for (by[0] = -a->search[0]; by[0] <= a->search[0]; by[0]++)
				displace(a, (ptrdiff_t)z, by, &sums, spare);
	finish_slice(a, z, &sums);
	return RS_OK;
}

static enum rs_code check(const struct rs_nlm *how, struct rs_error *err)
{
	for (int a = 0; a < 3; a++)
		if (how->search[a] > SEARCH_MAX || how->patch[a] > PATCH_MAX)
			return rs_error_set(
				err, RS_USAGE,
				"non-local means searches up to %d voxels away, with patches up to %d",
				SEARCH_MAX, PATCH_MAX);
	if (!(how->strength > 0) || !(how->sigma >= 0))
		return rs_error_set(err, RS_USAGE,
		                    "non-local means needs a strength above 0, sigma not below");
	return RS_OK;
}

enum rs_code rs_denoise_nlm(const struct rs_volume *volume, const struct rs_nlm *how, struct rs_pool *pool,
                            double *out, struct rs_error *err)
{
	struct averaging a = {.volume = volume, .rician = how->rician, .out = out};
	double sigma = how->sigma, patch = 1;
	RS_TRY(check(how, err));
	if (sigma == 0)
		RS_TRY(rs_noise_sigma(volume, &sigma, err));
	if (sigma == 0) { /* nothing to take out */
		memcpy(out, volume->voxels, rs_geometry_voxels(&volume->geometry) * sizeof *out);
		return RS_OK;
	}
	for (int k = 0; k < 3; k++) {
		/* A single slice has no neighbours across. */
		bool flat = volume->geometry.size[k] == 1;
		a.search[k] = flat ? 0 : (ptrdiff_t)how->search[k];
		a.patch[k] = flat ? 0 : (ptrdiff_t)how->patch[k];
		a.rimmed.rim[k] = (size_t)(a.search[k] + a.patch[k]);
		patch *= (double)(2 * a.patch[k] + 1);
	}
	a.variance = sigma * sigma;
	a.expected = (float)(2 * a.variance * patch);
	a.per_fall = (float)(1 / (FALL * how->strength * a.variance * patch));
	enum rs_code code = rimmed_init(&a.rimmed, volume, err);
	if (code == RS_OK)
		code = rs_pool_for(pool, volume->geometry.size[2], average_slice, &a, err);
	rs_free(a.rimmed.voxels);
	return code;
}
