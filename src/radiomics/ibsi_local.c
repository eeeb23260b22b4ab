/* Local intensity (IBSI reference manual, 9ST6): the mean within a sphere of 1 cm3 about voxels of the intensity
 * mask, over all voxels of the image, inside the mask or not. Sums along x are differences of running sums. */
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

/* Running sums along x of part of the image, which holds the region and the sphere about it. */
struct running {
	size_t first[3], size[3];
	double *sum;     /* [z][y][x + 1]: of the x voxels before */
	uint32_t *count; /* likewise: those that are numbers */
};

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

static enum rs_code running_build(const struct rs_volume *volume, const struct region *region,
                                  const struct sphere *sphere, struct running *out, struct rs_error *err)
{
	const size_t *whole = volume->geometry.size;
	for (int a = 0; a < 3; a++) {
		size_t reach = (size_t)sphere->reach[a], end = region->first[a] + region->size[a] + reach;
		out->first[a] = region->first[a] > reach ? region->first[a] - reach : 0;
		out->size[a] = (end < whole[a] ? end : whole[a]) - out->first[a];
	}
	size_t width = out->size[0] + 1, cells = width * out->size[1] * out->size[2], to = 0;
	out->sum = rs_allocate_array(cells, sizeof *out->sum);
	out->count = rs_allocate_array(cells, sizeof *out->count);
	if (out->sum == NULL || out->count == NULL)
		return rs_error_memory(err, cells * 12, "local intensities");
	for (size_t z = out->first[2]; z < out->first[2] + out->size[2]; z++)
		for (size_t y = out->first[1]; y < out->first[1] + out->size[1]; y++, to++) {
			const double *row = volume->voxels + (z * whole[1] + y) * whole[0] + out->first[0];
			for (size_t x = 0; x < out->size[0]; x++, to++) {
				bool number = isfinite(row[x]);
				out->sum[to + 1] = out->sum[to] + (number ? row[x] : 0);
				out->count[to + 1] = out->count[to] + number;
			}
		}
	return RS_OK;
}

/* at: in the part, x y z */
static double mean_about(const struct running *part, const struct sphere *sphere, const ptrdiff_t at[3])
{
	double sum = 0;
	uint32_t count = 0;
	for (size_t i = 0; i < sphere->count; i++) {
		const struct sphere_row *row = &sphere->rows[i];
		ptrdiff_t y = at[1] + row->y, z = at[2] + row->z;
		if (y < 0 || z < 0 || y >= (ptrdiff_t)part->size[1] || z >= (ptrdiff_t)part->size[2])
			continue;
		ptrdiff_t low = at[0] - row->half, high = at[0] + row->half + 1;
		size_t line = ((size_t)z * part->size[1] + (size_t)y) * (part->size[0] + 1);
		size_t from = line + (low > 0 ? (size_t)low : 0);
		size_t to = line + (high < (ptrdiff_t)part->size[0] ? (size_t)high : part->size[0]);
		sum += part->sum[to] - part->sum[from];
		count += part->count[to] - part->count[from];
	}
	return sum / count; /* the middle is a voxel of the region, hence a number */
}

/* out: peak about the most intense voxel (the highest of several), peak about any voxel */
static void peaks(const struct region *region, const struct running *part, const struct sphere *sphere,
                  double out[2])
{
	double most = -INFINITY;
	size_t i = 0, n = 0;
	out[0] = out[1] = -INFINITY;
	for (size_t z = 0; z < region->size[2]; z++)
		for (size_t y = 0; y < region->size[1]; y++)
			for (size_t x = 0; x < region->size[0]; x++, i++) {
				if (!region->inside[i])
					continue;
				const ptrdiff_t at[3] = {(ptrdiff_t)(x + region->first[0] - part->first[0]),
				                         (ptrdiff_t)(y + region->first[1] - part->first[1]),
				                         (ptrdiff_t)(z + region->first[2] - part->first[2])};
				double value = region->values[n++], mean = mean_about(part, sphere, at);
				if (value > most || (value >= most && mean > out[0])) {
					most = value;
					out[0] = mean;
				}
				out[1] = mean > out[1] ? mean : out[1];
			}
}

static enum rs_code measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                            double *const *out, struct rs_error *err)
{
	const struct rs_volume *image = work->chain.volume;
	struct sphere sphere RS_CLEANUP(sphere_finish) = {0};
	struct running part RS_CLEANUP(running_finish) = {0};
	(void)volume;
	(void)pool;
	RS_TRY(sphere_build(image->geometry.spacing_mm, image->geometry.size, &sphere, err));
	RS_TRY(running_build(image, &work->chain.intensity, &sphere, &part, err));
	peaks(&work->chain.intensity, &part, &sphere, out[0]);
	return RS_OK;
}

static const struct ibsi_row rows[] = {
	{"loc_peak_loc", "VJGA", "[image]"},
	{"loc_peak_glob", "0F91", "[image]"},
};
const struct ibsi_family ibsi_local = {"loc", IBSI_WHOLE, rows, RS_COUNT(rows), measure};
