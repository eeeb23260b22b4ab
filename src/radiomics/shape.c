/* Shape in three dimensions, from the mask alone (PyRadiomics 3.1 documentation, "Shape Features (3D)"). */
#include <math.h>

#include "numeric/numeric.h"
#include "radiomics/bits.h"

/* Of a row's voxels: their number, and the sums of x and of x squared. */
struct row_sums {
	uint64_t count, first, second;
};

static struct row_sums row_sum(const uint64_t *row, size_t words)
{
	struct row_sums sums = {0, 0, 0};
	for (size_t word = 0; word < words; word++)
		for (uint64_t rest = row[word]; rest != 0; rest &= rest - 1) {
			uint64_t x = word * 64 + lowest_bit(rest) - 1;
			sums.count++;
			sums.first += x;
			sums.second += x * x;
		}
	return sums;
}

/* Population covariance of voxel centres, from integer sums. */
static void covariance(const struct bit_rows *bits, const double spacing[3], double out[3][3])
{
	uint64_t count = 0, sum[3] = {0}, product[3][3] = {{0}};
	for (size_t z = 0; z < bits->size[2]; z++)
		for (size_t y = 0; y < bits->size[1]; y++) {
			struct row_sums row = row_sum(bit_row(bits, y + 1, z + 1), bits->per_row);
			count += row.count;
			sum[0] += row.first;
			sum[1] += row.count * y;
			sum[2] += row.count * z;
			product[0][0] += row.second;
			product[0][1] += row.first * y;
			product[0][2] += row.first * z;
			product[1][1] += row.count * y * y;
			product[1][2] += row.count * y * z;
			product[2][2] += row.count * z * z;
		}
	double n = (double)count;
	for (int a = 0; a < 3; a++)
		for (int b = a; b < 3; b++)
			out[a][b] = out[b][a] = ((double)product[a][b] / n -
			                         (double)sum[a] / n * ((double)sum[b] / n)) *
			                        spacing[a] * spacing[b];
}

void principal_variances(const struct bit_rows *bits, const double spacing_mm[3], double out[3])
{
	double matrix[3][3], ascending[3];
	covariance(bits, spacing_mm, matrix);
	rs_eigenvalues_symmetric3((const double(*)[3])matrix, ascending);
	for (int i = 0; i < 3; i++) {
		double value = ascending[2 - i];
		out[i] = value < 0 && value > -1e-10 ? 0 : value;
	}
}

enum rs_code shape_build(struct rs_evidence *evidence, struct rs_error *err)
{
	const struct region *region = evidence->shape_region;
	const double *spacing = evidence->spacing_mm;
	struct shape_sums sums = {0};
	double diameter[4];
	struct bit_rows bits RS_CLEANUP(bit_rows_finish) = {0};
	RS_TRY(bit_rows_init(&bits, region, err));
	mesh_measure(&bits, spacing, &sums.surface, &sums.volume);
	RS_TRY(diameters_measure(&bits, spacing, diameter, NULL, err));
	principal_variances(&bits, spacing, sums.eigenvalue);
	sums.diameter_3d = diameter[0];
	sums.diameter_slice = diameter[1];
	sums.diameter_column = diameter[2];
	sums.diameter_row = diameter[3];
	sums.voxel_volume = (double)region->count * (spacing[0] * spacing[1] * spacing[2]);
	evidence->shape = sums;
	return RS_OK;
}

#define PI 3.14159265358979323846

static double elongation(const struct rs_evidence *e)
{
	return sqrt(e->shape.eigenvalue[1] / e->shape.eigenvalue[0]);
}
static double flatness(const struct rs_evidence *e)
{
	return sqrt(e->shape.eigenvalue[2] / e->shape.eigenvalue[0]);
}
static double least_axis(const struct rs_evidence *e) { return 4 * sqrt(e->shape.eigenvalue[2]); }
static double minor_axis(const struct rs_evidence *e) { return 4 * sqrt(e->shape.eigenvalue[1]); }
static double major_axis(const struct rs_evidence *e) { return 4 * sqrt(e->shape.eigenvalue[0]); }
static double diameter_column(const struct rs_evidence *e) { return e->shape.diameter_column; }
static double diameter_row(const struct rs_evidence *e) { return e->shape.diameter_row; }
static double diameter_slice(const struct rs_evidence *e) { return e->shape.diameter_slice; }
static double diameter_3d(const struct rs_evidence *e) { return e->shape.diameter_3d; }
static double mesh_volume(const struct rs_evidence *e) { return e->shape.volume; }
static double surface(const struct rs_evidence *e) { return e->shape.surface; }
static double surface_to_volume(const struct rs_evidence *e) { return e->shape.surface / e->shape.volume; }
static double voxel_volume(const struct rs_evidence *e) { return e->shape.voxel_volume; }

static double sphericity(const struct rs_evidence *e)
{
	return pow(36 * PI * e->shape.volume * e->shape.volume, 1.0 / 3.0) / e->shape.surface;
}

static double spherical_disproportion(const struct rs_evidence *e) { return 1 / sphericity(e); }

static double compactness_1(const struct rs_evidence *e)
{
	return e->shape.volume / (pow(e->shape.surface, 1.5) * sqrt(PI));
}

static double compactness_2(const struct rs_evidence *e)
{
	return 36 * PI * (e->shape.volume * e->shape.volume) /
	       (e->shape.surface * e->shape.surface * e->shape.surface);
}

static const struct rs_feature rows[] = {
	{"shape_compactness_1", "SKGS", "1", "Compactness1", RS_FAMILY_SHAPE, true, compactness_1},
	{"shape_compactness_2", "BQWJ", "1", "Compactness2", RS_FAMILY_SHAPE, true, compactness_2},
	{"shape_elongation", "Q3CK", "1", "Elongation", RS_FAMILY_SHAPE, false, elongation},
	{"shape_flatness", "N17B", "1", "Flatness", RS_FAMILY_SHAPE, false, flatness},
	{"shape_least_axis_length", "7J51", "mm", "LeastAxisLength", RS_FAMILY_SHAPE, false, least_axis},
	{"shape_major_axis_length", "TDIC", "mm", "MajorAxisLength", RS_FAMILY_SHAPE, false, major_axis},
	{"shape_maximum_2d_diameter_column", "", "mm", "Maximum2DDiameterColumn", RS_FAMILY_SHAPE, false,
         diameter_column},
	{"shape_maximum_2d_diameter_row", "", "mm", "Maximum2DDiameterRow", RS_FAMILY_SHAPE, false,
         diameter_row},
	{"shape_maximum_2d_diameter_slice", "", "mm", "Maximum2DDiameterSlice", RS_FAMILY_SHAPE, false,
         diameter_slice},
	{"shape_maximum_3d_diameter", "L0JK", "mm", "Maximum3DDiameter", RS_FAMILY_SHAPE, false, diameter_3d},
	{"shape_mesh_volume", "RNU0", "mm3", "MeshVolume", RS_FAMILY_SHAPE, false, mesh_volume},
	{"shape_minor_axis_length", "P9VJ", "mm", "MinorAxisLength", RS_FAMILY_SHAPE, false, minor_axis},
	{"shape_spherical_disproportion", "KRCK", "1", "SphericalDisproportion", RS_FAMILY_SHAPE, true,
         spherical_disproportion},
	{"shape_sphericity", "QCFX", "1", "Sphericity", RS_FAMILY_SHAPE, false, sphericity},
	{"shape_surface_area", "C0JK", "mm2", "SurfaceArea", RS_FAMILY_SHAPE, false, surface},
	{"shape_surface_to_volume_ratio", "2PR5", "mm-1", "SurfaceVolumeRatio", RS_FAMILY_SHAPE, false,
         surface_to_volume},
	{"shape_voxel_volume", "YEKZ", "mm3", "VoxelVolume", RS_FAMILY_SHAPE, false, voxel_volume},
};
const struct rs_feature_table shape_features = {RS_COUNT(rows), rows};
