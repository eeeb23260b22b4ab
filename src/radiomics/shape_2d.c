/* Shape of a region of one slice (PyRadiomics 3.1 documentation, "Shape Features (2D)"): the outline by marching
 * squares at 0.5, its area, length and largest diameter, and the spread of pixel centres. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radiomics/evidence.h"

struct point {
	double v, u; /* mm along the slower and the faster axis of the slice */
};

/* The slice with a frame of pixels outside. */
struct slice {
	uint8_t *inside; /* [rows][columns] */
	size_t rows, columns;
	double spacing[2]; /* of rows and columns */
	struct point *points;
	size_t count;
};

static void slice_finish(struct slice *slice)
{
	rs_free(slice->inside);
	rs_free(slice->points);
}

static enum rs_code slice_cut(const struct region *region, unsigned flat, const double spacing_mm[3],
                              struct slice *out, struct rs_error *err)
{
	unsigned fast = flat == 0 ? 1 : 0, slow = flat == 2 ? 1 : 2;
	size_t cells, nu = region->size[fast], nv = region->size[slow];
	*out = (struct slice){
		.rows = nv + 2, .columns = nu + 2, .spacing = {spacing_mm[slow], spacing_mm[fast]}};
	if (!rs_mul_size(out->rows, out->columns, &cells))
		return rs_error_set(err, RS_TOO_LARGE, "the region's slice is too large");
	out->inside = rs_allocate(cells);
	out->points = rs_allocate_array(cells, 2 * sizeof *out->points);
	if (out->inside == NULL || out->points == NULL)
		return rs_error_memory(err, cells * 2 * sizeof *out->points, "an outline");
	for (size_t v = 0; v < nv; v++) /* with one slice, cells of the box lie as those of the slice do */
		memcpy(out->inside + (v + 1) * out->columns + 1, region->inside + v * nu, nu);
	return RS_OK;
}

/* The middle of edge e of the square whose first corner is (row, column); edge e joins corners e and e + 1, which go
 * round from (0, 0) over (0, 1). */
static struct point edge_middle(const struct slice *slice, size_t row, size_t column, unsigned e)
{
	static const double middle[4][2] = {{0, 0.5}, {0.5, 1}, {1, 0.5}, {0.5, 0}};
	return (struct point){((double)row + middle[e][0]) * slice->spacing[0],
	                      ((double)column + middle[e][1]) * slice->spacing[1]};
}

/* Each row of corners inside is cut off by a line from the edge before its first to the edge after its last. */
static void square(struct slice *slice, size_t row, size_t column, struct shape_2d_sums *out)
{
	const uint8_t *at = slice->inside + row * slice->columns + column;
	const bool corner[4] = {at[0], at[1], at[slice->columns + 1], at[slice->columns]};
	for (unsigned first = 0; first < 4; first++) {
		unsigned last = first;
		if (!corner[first] || corner[(first + 3) % 4])
			continue;
		while (corner[(last + 1) % 4])
			last++;
		struct point a = edge_middle(slice, row, column, (first + 3) % 4);
		struct point b = edge_middle(slice, row, column, last % 4);
		out->surface += a.v * b.u - b.v * a.u;
		out->perimeter += sqrt((a.v - b.v) * (a.v - b.v) + (a.u - b.u) * (a.u - b.u));
		slice->points[slice->count++] = a; /* every point of the outline begins one line */
	}
}

static int point_order(const void *a, const void *b)
{
	const struct point *x = a, *y = b;
	int v = (x->v > y->v) - (x->v < y->v);
	return v != 0 ? v : (x->u > y->u) - (x->u < y->u);
}

static double turn(struct point a, struct point b, struct point c)
{
	return (b.v - a.v) * (c.u - a.u) - (b.u - a.u) * (c.v - a.v);
}

/* Andrew's monotone chain; the ends of the largest diameter are corners of the hull. Returns how many lie in hull. */
static size_t hull_of(const struct point *sorted, size_t count, struct point *hull)
{
	size_t n = 0;
	for (int side = 0; side < 2; side++) {
		size_t start = n;
		for (size_t k = 0; k < count; k++) {
			struct point p = sorted[side == 0 ? k : count - 1 - k];
			while (n >= start + 2 && turn(hull[n - 2], hull[n - 1], p) <= 0)
				n--;
			hull[n++] = p;
		}
	}
	return n;
}

static enum rs_code diameter_of(struct slice *slice, double *out, struct rs_error *err)
{
	struct point *hull RS_CLEANUP(rs_free_pointer) = rs_allocate_array(2 * slice->count, sizeof *hull);
	double largest = 0;
	if (hull == NULL)
		return rs_error_memory(err, 2 * slice->count * sizeof *hull, "an outline's hull");
	qsort(slice->points, slice->count, sizeof *slice->points, point_order);
	size_t n = hull_of(slice->points, slice->count, hull);
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++) {
			double v = hull[i].v - hull[k].v, u = hull[i].u - hull[k].u;
			largest = v * v + u * u > largest ? v * v + u * u : largest;
		}
	*out = sqrt(largest);
	return RS_OK;
}

/* Eigenvalues of the population covariance of pixel centres. */
static void axes_of(const struct slice *slice, struct shape_2d_sums *out)
{
	double n = 0, v = 0, u = 0, vv = 0, uu = 0, vu = 0;
	for (size_t i = 0; i < slice->rows * slice->columns; i++) {
		double row = (double)(i / slice->columns), column = (double)(i % slice->columns);
		if (!slice->inside[i])
			continue;
		n++; /* whole numbers below 2^53: exact */
		v += row;
		u += column;
		vv += row * row;
		uu += column * column;
		vu += row * column;
	}
	double a = (vv - v / n * v) / n * (slice->spacing[0] * slice->spacing[0]);
	double c = (uu - u / n * u) / n * (slice->spacing[1] * slice->spacing[1]);
	double b = (vu - v / n * u) / n * (slice->spacing[0] * slice->spacing[1]);
	double middle = (a + c) / 2, reach = sqrt((a - c) * (a - c) / 4 + b * b);
	double minor = middle - reach;
	out->major = middle + reach;
	out->minor = minor < 0 && minor > -1e-10 ? 0 : minor;
	out->pixel_surface = n * (slice->spacing[0] * slice->spacing[1]);
}

enum rs_code shape_2d_build(struct rs_evidence *evidence, struct rs_error *err)
{
	unsigned flat = 2 - evidence->image->force_2d_dimension;
	struct slice slice RS_CLEANUP(slice_finish) = {0};
	struct shape_2d_sums sums = {.possible = evidence->image->force_2d &&
	                                         evidence->shape_region->size[flat] == 1};
	if (sums.possible) {
		RS_TRY(slice_cut(evidence->shape_region, flat, evidence->spacing_mm, &slice, err));
		for (size_t row = 0; row + 1 < slice.rows; row++)
			for (size_t column = 0; column + 1 < slice.columns; column++)
				square(&slice, row, column, &sums);
		sums.surface /= 2;
		RS_TRY(diameter_of(&slice, &sums.diameter, err));
		axes_of(&slice, &sums);
	}
	evidence->shape_2d = sums;
	return RS_OK;
}

#define PI 3.14159265358979323846

/* NaN without force2D, or where the region has more than one slice along force2Ddimension. */
#define FEATURE(name, expression)                             \
	static double name(const struct rs_evidence *e)       \
	{                                                     \
		const struct shape_2d_sums *s = &e->shape_2d; \
		return s->possible ? (expression) : NAN;      \
	}
FEATURE(elongation, sqrt(s->minor / s->major))
FEATURE(major_axis, 4 * sqrt(s->major))
FEATURE(minor_axis, 4 * sqrt(s->minor))
FEATURE(diameter, s->diameter)
FEATURE(mesh_surface, s->surface)
FEATURE(perimeter, s->perimeter)
FEATURE(perimeter_surface, s->perimeter / s->surface)
FEATURE(pixel_surface, s->pixel_surface)
FEATURE(sphericity, 2 * sqrt(PI * s->surface) / s->perimeter)
FEATURE(disproportion, s->perimeter / (2 * sqrt(PI * s->surface)))

#define ROW(name, unit, display, deprecated, function)                                       \
	{                                                                                    \
		"shape2D_" name, "", unit, display, RS_FAMILY_SHAPE_2D, deprecated, function \
	}
static const struct rs_feature rows[] = {
	ROW("elongation", "1", "Elongation", false, elongation),
	ROW("major_axis_length", "mm", "MajorAxisLength", false, major_axis),
	ROW("maximum_diameter", "mm", "MaximumDiameter", false, diameter),
	ROW("mesh_surface", "mm2", "MeshSurface", false, mesh_surface),
	ROW("minor_axis_length", "mm", "MinorAxisLength", false, minor_axis),
	ROW("perimeter", "mm", "Perimeter", false, perimeter),
	ROW("perimeter_surface_ratio", "mm-1", "PerimeterSurfaceRatio", false, perimeter_surface),
	ROW("pixel_surface", "mm2", "PixelSurface", false, pixel_surface),
	ROW("spherical_disproportion", "1", "SphericalDisproportion", true, disproportion),
	ROW("sphericity", "1", "Sphericity", false, sphericity),
};
const struct rs_feature_table shape_2d_features = {RS_COUNT(rows), rows};
