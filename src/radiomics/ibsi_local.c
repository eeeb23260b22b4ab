/* Local intensity (IBSI reference manual, 9ST6): the mean within a sphere of 1 cm3 about voxels of the intensity
 * mask, over all voxels of the image, inside the mask or not. Sums along x are differences of running sums, taken
 * for several voxels of a row at once: each voxel's sum is the same, bit for bit, as if it were alone. */
#include <math.h>
#include <string.h>

#include "radiomics/ibsi.h"

#define CM3_IN_MM3 1000.0
#define PI 3.14159265358979323846

/* The sphere as rows along x: `half` voxels to either side of the row's middle. */
struct sphere {
	struct sphere_row {
		ptrdiff_t y, z, half;
	} * rows;
	size_t count;
	ptrdiff_t reach[3];
};

/* Running sums along x of part of the image, which holds the region and the sphere about it. Lines go on for the
 * sphere's reach at both ends, where nothing is added. */
struct running {
	size_t first[3], size[3];
	size_t reach, width; /* entry k of a line of `width`: the sum of voxels below k - reach */
	double *sum;
	uint32_t *count; /* likewise: those that are numbers */
};

#define LANES 4 /* voxels at once, in the compiler's own vectors */
typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef uint32_t count_lanes __attribute__((vector_size(LANES * sizeof(uint32_t))));

static void sphere_finish(struct sphere *sphere) { rs_free(sphere->rows); }

static void running_finish(struct running *running)
{
	rs_free(running->sum);
	rs_free(running->count);
}

static enum rs_code sphere_build(const double spacing_mm[3], const size_t size[3], struct sphere *out,
                                 struct rs_error *err)
{
	double radius = cbrt(CM3_IN_MM3 * 3 / (4 * PI));
	for (int a = 0; a < 3; a++) {
		double reach = floor(radius / spacing_mm[a]); /* not further than the image is wide */
		out->reach[a] = reach < (double)size[a] ? (ptrdiff_t)reach : (ptrdiff_t)size[a];
	}
	size_t most = (size_t)(2 * out->reach[1] + 1) * (size_t)(2 * out->reach[2] + 1);
	out->rows = rs_allocate_array(most, sizeof *out->rows);
	if (out->rows == NULL)
		return rs_error_memory(err, most * sizeof *out->rows, "a sphere");
	for (ptrdiff_t z = -out->reach[2]; z <= out->reach[2]; z++)
		for (ptrdiff_t y = -out->reach[1]; y <= out->reach[1]; y++) {
			double at_y = (double)y * spacing_mm[1], at_z = (double)z * spacing_mm[2];
			double rest = radius * radius - at_y * at_y - at_z * at_z;
			ptrdiff_t half = out->reach[0];
			while (half >= 0 &&
			       (double)half * spacing_mm[0] * ((double)half * spacing_mm[0]) > rest)
				half--;
			if (half >= 0)
				out->rows[out->count++] = (struct sphere_row){y, z, half};
		}
	return RS_OK;
}

static void running_line(struct running *running, const double *voxels, size_t line)
{
	double *sum = running->sum + line * running->width + running->reach;
	uint32_t *count = running->count + line * running->width + running->reach;
	for (size_t x = 0; x < running->size[0]; x++) {
		bool number = isfinite(voxels[x]);
		sum[x + 1] = sum[x] + (number ? voxels[x] : 0);
		count[x + 1] = count[x] + number;
	}
	for (size_t x = running->size[0]; x < running->size[0] + running->reach; x++) {
		sum[x + 1] = sum[x];
		count[x + 1] = count[x];
	}
}

static enum rs_code running_build(const struct rs_volume *volume, const struct region *region,
                                  const struct sphere *sphere, struct running *out, struct rs_error *err)
{
	const size_t *whole = volume->geometry.size;
	for (int a = 0; a < 3; a++) {
		size_t reach = (size_t)sphere->reach[a], end = region->first[a] + region->size[a] + reach;
		out->first[a] = region->first[a] > reach ? region->first[a] - reach : 0;
		out->size[a] = (end < whole[a] ? end : whole[a]) - out->first[a];
	}
	out->reach = (size_t)sphere->reach[0];
	out->width = out->size[0] + 2 * out->reach + 1;
	size_t cells = out->width * out->size[1] * out->size[2] + LANES;
	out->sum = rs_allocate_array(cells, sizeof *out->sum);
	out->count = rs_allocate_array(cells, sizeof *out->count);
	if (out->sum == NULL || out->count == NULL)
		return rs_error_memory(err, cells * 12, "local intensities");
	for (size_t z = 0; z < out->size[2]; z++)
		for (size_t y = 0; y < out->size[1]; y++) {
			size_t from = (z + out->first[2]) * whole[1] + y + out->first[1];
			running_line(out, volume->voxels + from * whole[0] + out->first[0],
			             z * out->size[1] + y);
		}
	return RS_OK;
}

/* Sums and counts of the spheres about voxels of one row. */
struct spheres {
	double *sum; /* a whole number of LANES, and room for LANES more than the region is wide */
	uint32_t *count;
};

static void spheres_finish(struct spheres *spheres)
{
	rs_free(spheres->sum);
	rs_free(spheres->count);
}

/* About `count` voxels from `at` (in the part, x y z) on. */
static void spheres_of_row(const struct running *part, const struct sphere *sphere, const size_t at[3],
                           size_t count, struct spheres *out)
{
	lanes sum, high, low;
	count_lanes number, many, few;
	memset(out->sum, 0, (count + LANES) * sizeof *out->sum);
	memset(out->count, 0, (count + LANES) * sizeof *out->count);
	for (size_t i = 0; i < sphere->count; i++) {
		const struct sphere_row *row = &sphere->rows[i];
		ptrdiff_t y = (ptrdiff_t)at[1] + row->y, z = (ptrdiff_t)at[2] + row->z;
		if (y < 0 || z < 0 || y >= (ptrdiff_t)part->size[1] || z >= (ptrdiff_t)part->size[2])
			continue;
		size_t middle = ((size_t)z * part->size[1] + (size_t)y) * part->width + part->reach + at[0];
		size_t end = middle + (size_t)row->half + 1, start = middle - (size_t)row->half;
		for (size_t x = 0; x < count; x += LANES) {
			memcpy(&sum, out->sum + x, sizeof sum);
			memcpy(&high, part->sum + end + x, sizeof high);
			memcpy(&low, part->sum + start + x, sizeof low);
			sum += high - low;
			memcpy(out->sum + x, &sum, sizeof sum);
			memcpy(&number, out->count + x, sizeof number);
			memcpy(&many, part->count + end + x, sizeof many);
			memcpy(&few, part->count + start + x, sizeof few);
			number += many - few;
			memcpy(out->count + x, &number, sizeof number);
		}
	}
}

/* Peak about the most intense voxel (the highest of several), peak about any voxel. */
struct peaks {
	double most, local, global;
};

/* The region's voxels of one row; values: theirs. Returns how many there are. */
static size_t peaks_of_row(const struct region *region, const struct running *part,
                           const struct sphere *sphere, const size_t row[2], const double *values,
                           struct spheres *spheres, struct peaks *out)
{
	const uint8_t *inside = region->inside + (row[1] * region->size[1] + row[0]) * region->size[0];
	size_t first = 0, end = region->size[0], n = 0;
	while (first < end && !inside[first])
		first++;
	while (end > first && !inside[end - 1])
		end--;
	const size_t at[3] = {first + region->first[0] - part->first[0],
	                      row[0] + region->first[1] - part->first[1],
	                      row[1] + region->first[2] - part->first[2]};
	spheres_of_row(part, sphere, at, end - first, spheres);
	for (size_t x = first; x < end; x++) {
		if (!inside[x])
			continue;
		double value = values[n++], mean = spheres->sum[x - first] / spheres->count[x - first];
		if (value > out->most || (value >= out->most && mean > out->local)) {
			out->most = value;
			out->local = mean;
		}
		out->global = mean > out->global ? mean : out->global;
	}
	return n;
}

static enum rs_code measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                            double *const *out, struct rs_error *err)
{
	const struct rs_volume *image = work->chain.volume;
	struct sphere sphere RS_CLEANUP(sphere_finish) = {0};
	struct running part RS_CLEANUP(running_finish) = {0};
	struct spheres spheres RS_CLEANUP(spheres_finish) = {0};
	const struct region *region = &work->chain.intensity;
	struct peaks peaks = {-INFINITY, -INFINITY, -INFINITY};
	size_t row[2], n = 0; /* y, z */
	(void)volume;
	(void)pool;
	RS_TRY(sphere_build(image->geometry.spacing_mm, image->geometry.size, &sphere, err));
	RS_TRY(running_build(image, region, &sphere, &part, err));
	spheres.sum = rs_allocate_array(region->size[0] + 2 * LANES, sizeof *spheres.sum);
	spheres.count = rs_allocate_array(region->size[0] + 2 * LANES, sizeof *spheres.count);
	if (spheres.sum == NULL || spheres.count == NULL)
		return rs_error_memory(err, region->size[0] * 12, "local intensities");
	for (row[1] = 0; row[1] < region->size[2]; row[1]++)
		for (row[0] = 0; row[0] < region->size[1]; row[0]++)
			n += peaks_of_row(region, &part, &sphere, row, region->values + n, &spheres, &peaks);
	out[0][0] = peaks.local;
	out[0][1] = peaks.global;
	return RS_OK;
}

static const struct ibsi_row rows[] = {
	{"loc_peak_loc", "VJGA", "[image]"},
	{"loc_peak_glob", "0F91", "[image]"},
};
const struct ibsi_family ibsi_local = {"loc", IBSI_WHOLE, rows, RS_COUNT(rows), measure};
