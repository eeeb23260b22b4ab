/* IBSI's morphological features, each by its formula in the reference manual, from a few measures of the masks:
 * mesh, voxel centres, and the convex bodies around the mesh. */
#include "radiomics/morphology.h"

#include <math.h>
#include <string.h>

#include "numeric/numeric_hull.h"
#include "radiomics/autocorrelation.h"
#include "radiomics/bits.h"

#define PI 3.14159265358979323846
#define SERIES_TERMS 21 /* degrees 0 … 20, the manual's default */
/* The manual's default is 1e-3; a smaller one costs little here and leaves no doubt about the third digit. */
#define ELLIPSOID_TOLERANCE 1e-7
/* Variances below this share of the largest are rounding of 0: a million voxels in a line have 1e-12. */
#define VARIANCE_SHARE_MIN 1e-13

const struct ibsi_row morphology_rows[MORPHOLOGY_COUNT] = {
	[MORPHOLOGY_VOLUME] = {"morph_volume", "RNU0", "mm3"},
	[MORPHOLOGY_VOLUME_COUNTING] = {"morph_vol_approx", "YEKZ", "mm3"},
	[MORPHOLOGY_SURFACE_AREA] = {"morph_area_mesh", "C0JK", "mm2"},
	[MORPHOLOGY_SURFACE_TO_VOLUME] = {"morph_av", "2PR5", "mm-1"},
	[MORPHOLOGY_COMPACTNESS_1] = {"morph_comp_1", "SKGS", "1"},
	[MORPHOLOGY_COMPACTNESS_2] = {"morph_comp_2", "BQWJ", "1"},
	[MORPHOLOGY_SPHERICAL_DISPROPORTION] = {"morph_sph_dispr", "KRCK", "1"},
	[MORPHOLOGY_SPHERICITY] = {"morph_sphericity", "QCFX", "1"},
	[MORPHOLOGY_ASPHERICITY] = {"morph_asphericity", "25C7", "1"},
	[MORPHOLOGY_CENTRE_OF_MASS_SHIFT] = {"morph_com", "KLMA", "mm"},
	[MORPHOLOGY_DIAMETER] = {"morph_diam", "L0JK", "mm"},
	[MORPHOLOGY_MAJOR_AXIS] = {"morph_pca_maj_axis", "TDIC", "mm"},
	[MORPHOLOGY_MINOR_AXIS] = {"morph_pca_min_axis", "P9VJ", "mm"},
	[MORPHOLOGY_LEAST_AXIS] = {"morph_pca_least_axis", "7J51", "mm"},
	[MORPHOLOGY_ELONGATION] = {"morph_pca_elongation", "Q3CK", "1"},
	[MORPHOLOGY_FLATNESS] = {"morph_pca_flatness", "N17B", "1"},
	[MORPHOLOGY_VOLUME_DENSITY_AABB] = {"morph_vol_dens_aabb", "PBX1", "1"},
	[MORPHOLOGY_AREA_DENSITY_AABB] = {"morph_area_dens_aabb", "R59B", "1"},
	[MORPHOLOGY_VOLUME_DENSITY_OMBB] = {"morph_vol_dens_ombb", "ZH1A", "1"},
	[MORPHOLOGY_AREA_DENSITY_OMBB] = {"morph_area_dens_ombb", "IQYR", "1"},
	[MORPHOLOGY_VOLUME_DENSITY_AEE] = {"morph_vol_dens_aee", "6BDE", "1"},
	[MORPHOLOGY_AREA_DENSITY_AEE] = {"morph_area_dens_aee", "RDD2", "1"},
	[MORPHOLOGY_VOLUME_DENSITY_MVEE] = {"morph_vol_dens_mvee", "SWZ1", "1"},
	[MORPHOLOGY_AREA_DENSITY_MVEE] = {"morph_area_dens_mvee", "BRI8", "1"},
	[MORPHOLOGY_VOLUME_DENSITY_CONVEX_HULL] = {"morph_vol_dens_conv_hull", "R3ER", "1"},
	[MORPHOLOGY_AREA_DENSITY_CONVEX_HULL] = {"morph_area_dens_conv_hull", "7T7F", "1"},
	[MORPHOLOGY_INTEGRATED_INTENSITY] = {"morph_integ_int", "99N0", "[image].mm3"},
	[MORPHOLOGY_MORAN_I] = {"morph_moran_i", "N365", "1"},
	[MORPHOLOGY_GEARY_C] = {"morph_geary_c", "NPT7", "1"},
};

static double quotient(double a, double b) { return b > 0 ? a / b : NAN; }

static void bounds(const struct morphology_input *in, const uint8_t *mask, struct region *out)
{
	size_t low[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, high[3] = {0, 0, 0}, i = 0, v[3];
	out->count = 0;
	for (v[2] = 0; v[2] < in->size[2]; v[2]++)
		for (v[1] = 0; v[1] < in->size[1]; v[1]++)
			for (v[0] = 0; v[0] < in->size[0]; v[0]++, i++) {
				if (!mask[i])
					continue;
				out->count++;
				for (int a = 0; a < 3; a++) {
					low[a] = v[a] < low[a] ? v[a] : low[a];
					high[a] = v[a] > high[a] ? v[a] : high[a];
				}
			}
	for (int a = 0; a < 3; a++) {
		out->first[a] = out->count > 0 ? low[a] : 0;
		out->size[a] = out->count > 0 ? high[a] - low[a] + 1 : 0;
	}
}

/* The mask within its own bounding box, with intensities unless `values` is NULL. */
static enum rs_code cut(const struct morphology_input *in, const uint8_t *mask, const double *values,
                        struct region *out, struct rs_error *err)
{
	bounds(in, mask, out);
	size_t box = out->size[0] * out->size[1] * out->size[2], to = 0, n = 0;
	out->inside = rs_allocate(box);
	out->values = values != NULL ? rs_allocate_array(out->count, sizeof *out->values) : NULL;
	if (out->inside == NULL || (values != NULL && out->values == NULL))
		return rs_error_memory(err, box + out->count * sizeof *out->values, "a region");
	for (size_t z = out->first[2]; z < out->first[2] + out->size[2]; z++)
		for (size_t y = out->first[1]; y < out->first[1] + out->size[1]; y++)
			for (size_t x = out->first[0]; x < out->first[0] + out->size[0]; x++, to++) {
				size_t from = (z * in->size[1] + y) * in->size[0] + x;
				out->inside[to] = mask[from] != 0;
				if (mask[from] && values != NULL)
					out->values[n++] = values[from];
			}
	return RS_OK;
}

/* Of voxel centres, weighted by intensity where there are any. NaN when the weights add up to nothing. */
static void centre_of_mass(const struct region *region, const double spacing[3], double out[3])
{
	double sum[3] = {0}, total = 0;
	size_t v[3], i = 0, n = 0;
	for (v[2] = 0; v[2] < region->size[2]; v[2]++)
		for (v[1] = 0; v[1] < region->size[1]; v[1]++)
			for (v[0] = 0; v[0] < region->size[0]; v[0]++, i++) {
				if (!region->inside[i])
					continue;
				double weight = region->values != NULL ? region->values[n++] : 1;
				total += weight;
				for (int a = 0; a < 3; a++)
					sum[a] += weight * (double)v[a];
			}
	for (int a = 0; a < 3; a++)
		out[a] = total == 0 ? NAN : ((double)region->first[a] + sum[a] / total) * spacing[a];
}

/* Surface and volume against the mesh, and their ratios. */
static void sizes(double volume, double surface, double out[MORPHOLOGY_COUNT])
{
	double sphere = cbrt(36 * PI * volume * volume); /* surface of the ball of this volume */
	out[MORPHOLOGY_VOLUME] = volume;
	out[MORPHOLOGY_SURFACE_AREA] = surface;
	out[MORPHOLOGY_SURFACE_TO_VOLUME] = quotient(surface, volume);
	out[MORPHOLOGY_COMPACTNESS_1] = quotient(volume, sqrt(PI) * surface * sqrt(surface));
	out[MORPHOLOGY_COMPACTNESS_2] = quotient(36 * PI * volume * volume, surface * surface * surface);
	out[MORPHOLOGY_SPHERICAL_DISPROPORTION] = quotient(surface, sphere);
	out[MORPHOLOGY_SPHERICITY] = quotient(sphere, surface);
	out[MORPHOLOGY_ASPHERICITY] = quotient(surface, sphere) - 1;
}

static void density(double volume, double surface, enum morphology_feature volume_density,
                    double out[MORPHOLOGY_COUNT])
{
	out[volume_density] = quotient(out[MORPHOLOGY_VOLUME], volume);
	out[volume_density + 1] = quotient(out[MORPHOLOGY_SURFACE_AREA], surface);
}

static void box_density(const double side[3], enum morphology_feature volume_density,
                        double out[MORPHOLOGY_COUNT])
{
	density(side[0] * side[1] * side[2], 2 * (side[0] * side[1] + side[1] * side[2] + side[2] * side[0]),
	        volume_density, out);
}

static void ellipsoid_density(const double semi_axis[3], enum morphology_feature volume_density,
                              double out[MORPHOLOGY_COUNT])
{
	double surface = semi_axis[2] > 0 ? rs_ellipsoid_surface(semi_axis, SERIES_TERMS) : NAN;
	density(4 * PI / 3 * semi_axis[0] * semi_axis[1] * semi_axis[2], surface, volume_density, out);
}

/* The reference values of the digital phantom want the sample variance, with one voxel less in the divisor. */
static void principal_axes(const struct bit_rows *bits, double n, const double spacing[3],
                           double out[MORPHOLOGY_COUNT])
{
	double variance[3], semi_axis[3];
	if (n < 2)
		return;
	principal_variances(bits, spacing, variance);
	for (int i = 0; i < 3; i++)
		semi_axis[i] = variance[i] > VARIANCE_SHARE_MIN * variance[0]
		                       ? 2 * sqrt(variance[i] * (n / (n - 1)))
		                       : 0;
	out[MORPHOLOGY_MAJOR_AXIS] = 2 * semi_axis[0];
	out[MORPHOLOGY_MINOR_AXIS] = 2 * semi_axis[1];
	out[MORPHOLOGY_LEAST_AXIS] = 2 * semi_axis[2];
	out[MORPHOLOGY_ELONGATION] = quotient(semi_axis[1], semi_axis[0]);
	out[MORPHOLOGY_FLATNESS] = quotient(semi_axis[2], semi_axis[0]);
	ellipsoid_density(semi_axis, MORPHOLOGY_VOLUME_DENSITY_AEE, out);
}

/* A mesh reaches half a voxel beyond each voxel centre, so even one voxel has bodies around it. */
static enum rs_code convex_bodies(const struct surface_corners *surface, const double spacing[3],
                                  double out[MORPHOLOGY_COUNT], struct rs_error *err)
{
	const double half[3] = {spacing[0] / 2, spacing[1] / 2, spacing[2] / 2};
	struct rs_hull hull RS_CLEANUP(rs_hull_finish) = {0};
	struct rs_oriented_box box;
	double area, volume, semi_axis[3];
	RS_TRY(rs_hull_build((const int32_t(*)[3])surface->at, surface->count, &hull, err));
	rs_hull_measure(&hull, half, &area, &volume);
	density(volume, area, MORPHOLOGY_VOLUME_DENSITY_CONVEX_HULL, out);
	RS_TRY(rs_hull_box(&hull, half, &box, err));
	box_density(box.side, MORPHOLOGY_VOLUME_DENSITY_OMBB, out);
	double(*corners)[3] = rs_hull_corners(&hull, half);
	if (corners == NULL)
		return rs_error_memory(err, hull.corner_count * sizeof *corners, "hull corners");
	enum rs_code code = rs_ellipsoid_minimum((const double(*)[3])corners, hull.corner_count,
	                                         ELLIPSOID_TOLERANCE, semi_axis, err);
	rs_free(corners);
	if (code == RS_OK)
		ellipsoid_density(semi_axis, MORPHOLOGY_VOLUME_DENSITY_MVEE, out);
	return code == RS_REFUSED ? RS_OK
	                          : code; /* a needle so long that rounding takes it for a line: NaN */
}

static enum rs_code shape_of_mask(const struct region *region, const double spacing[3],
                                  double out[MORPHOLOGY_COUNT], struct rs_error *err)
{
	struct surface_corners corners RS_CLEANUP(surface_corners_finish) = {0};
	double volume, surface, diameter[4], side[3];
	struct bit_rows bits RS_CLEANUP(bit_rows_finish) = {0};
	RS_TRY(bit_rows_init(&bits, region, err));
	mesh_measure(&bits, spacing, &surface, &volume);
	RS_TRY(diameters_measure(&bits, spacing, diameter, &corners, err));
	sizes(fabs(volume), surface, out);
	out[MORPHOLOGY_VOLUME_COUNTING] = (double)region->count * (spacing[0] * spacing[1] * spacing[2]);
	out[MORPHOLOGY_DIAMETER] = diameter[0];
	for (int a = 0; a < 3; a++)
		side[a] = (double)region->size[a] * spacing[a];
	box_density(side, MORPHOLOGY_VOLUME_DENSITY_AABB, out);
	principal_axes(&bits, (double)region->count, spacing, out);
	return convex_bodies(&corners, spacing, out, err);
}

static enum rs_code intensities_in_space(const struct region *mask, const struct region *intensity,
                                         const double spacing[3], struct rs_pool *pool,
                                         double out[MORPHOLOGY_COUNT], struct rs_error *err)
{
	double a[3], b[3], sum = 0;
	if (intensity->count == 0)
		return RS_OK;
	centre_of_mass(mask, spacing, a);
	centre_of_mass(intensity, spacing, b);
	out[MORPHOLOGY_CENTRE_OF_MASS_SHIFT] = sqrt((a[0] - b[0]) * (a[0] - b[0]) +
	                                            (a[1] - b[1]) * (a[1] - b[1]) +
	                                            (a[2] - b[2]) * (a[2] - b[2]));
	for (size_t i = 0; i < intensity->count; i++)
		sum += intensity->values[i];
	out[MORPHOLOGY_INTEGRATED_INTENSITY] = out[MORPHOLOGY_VOLUME] * (sum / (double)intensity->count);
	return autocorrelation_measure(intensity, spacing, AUTOCORRELATION_CHOOSE, pool,
	                               &out[MORPHOLOGY_MORAN_I], &out[MORPHOLOGY_GEARY_C], err);
}

enum rs_code morphology_measure(const struct morphology_input *input, struct rs_pool *pool,
                                double out[MORPHOLOGY_COUNT], struct rs_error *err)
{
	struct region mask RS_CLEANUP(region_finish) = {0}, intensity RS_CLEANUP(region_finish) = {0};
	double values[MORPHOLOGY_COUNT];
	for (int i = 0; i < MORPHOLOGY_COUNT; i++)
		values[i] = NAN;
	RS_TRY(cut(input, input->morphological, NULL, &mask, err));
	if (mask.count == 0)
		return rs_error_set(err, RS_USAGE, "a morphological mask without a voxel has no shape");
	RS_TRY(cut(input, input->intensity, input->values, &intensity, err));
	RS_TRY(shape_of_mask(&mask, input->spacing_mm, values, err));
	RS_TRY(intensities_in_space(&mask, &intensity, input->spacing_mm, pool, values, err));
	memcpy(out, values, sizeof values);
	return RS_OK;
}
