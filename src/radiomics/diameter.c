/* Largest distances between surface points, which are the middles of voxel pairs of which one is inside.
 * A largest distance is always between corners of a convex hull, and a hull's corner is the first or the
 * last point of its row; so rows keep two points, planes their 2-D hull, and only the hulls' corners are
 * compared. All choices are made on doubled integer indices: exact, whatever the spacing. */
#include <math.h>

#include "numeric/numeric_hull.h"
#include "radiomics/evidence.h"

/* Of each row (plane, line) the least and greatest coordinate; -1 when it has no point. */
struct rows {
	unsigned plane_axis, line_axis, along_axis;
	size_t planes, lines;
	int32_t *low, *high;
};

void surface_corners_finish(struct surface_corners *corners)
{
	rs_free(corners->at);
	*corners = (struct surface_corners){0};
}

static enum rs_code rows_init(struct rows *rows, const struct region *region, unsigned plane_axis,
                              unsigned line_axis, struct rs_error *err)
{
	rows->plane_axis = plane_axis;
	rows->line_axis = line_axis;
	rows->along_axis = 3 - plane_axis - line_axis;
	rows->planes = 2 * region->size[plane_axis] + 2;
	rows->lines = 2 * region->size[line_axis] + 2;
	size_t count = rows->planes * rows->lines;
	rows->low = rs_allocate_array(count, sizeof *rows->low);
	rows->high = rs_allocate_array(count, sizeof *rows->high);
	if (rows->low == NULL || rows->high == NULL)
		return rs_error_memory(err, count * 8, "rows of surface points");
	for (size_t i = 0; i < count; i++)
		rows->low[i] = rows->high[i] = -1;
	return RS_OK;
}

static void rows_finish(struct rows rows[3])
{
	for (int i = 0; i < 3; i++) {
		rs_free(rows[i].low);
		rs_free(rows[i].high);
	}
}

static void rows_add(struct rows *rows, const size_t at[3])
{
	size_t i = at[rows->plane_axis] * rows->lines + at[rows->line_axis];
	int32_t value = (int32_t)at[rows->along_axis];
	if (rows->low[i] < 0 || value < rows->low[i])
		rows->low[i] = value;
	if (value > rows->high[i])
		rows->high[i] = value;
}

/* Voxel v of an axis has doubled index 2 v + 1, so that its outer middles are 2 v and 2 v + 2. */
static void add_voxel(const struct region *region, const size_t v[3], size_t index, struct rows rows[3])
{
	size_t stride[3] = {1, region->size[0], region->size[0] * region->size[1]};
	for (int a = 0; a < 3; a++) {
		size_t at[3] = {2 * v[0] + 1, 2 * v[1] + 1, 2 * v[2] + 1};
		if (v[a] == 0 || !region->inside[index - stride[a]]) {
			at[a] = 2 * v[a];
			for (int r = 0; r < 3; r++)
				rows_add(&rows[r], at);
		}
		if (v[a] + 1 == region->size[a] || !region->inside[index + stride[a]]) {
			at[a] = 2 * v[a] + 2;
			for (int r = 0; r < 3; r++)
				rows_add(&rows[r], at);
		}
	}
}

struct flat {
	int32_t line, along;
};

static int64_t turn(struct flat a, struct flat b, struct flat c)
{
	return (int64_t)(b.line - a.line) * (c.along - a.along) -
	       (int64_t)(b.along - a.along) * (c.line - a.line);
}

/* One side of the hull of a plane (monotone chain); returns the number of corners. */
static size_t chain(const struct rows *rows, size_t plane, bool upper, struct flat *out)
{
	const int32_t *value = (upper ? rows->high : rows->low) + plane * rows->lines;
	size_t n = 0;
	for (size_t i = 0; i < rows->lines; i++) {
		if (value[i] < 0)
			continue;
		struct flat next = {(int32_t)i, value[i]};
		while (n > 1 && (upper ? turn(out[n - 2], out[n - 1], next) >= 0
		                       : turn(out[n - 2], out[n - 1], next) <= 0))
			n--;
		out[n++] = next;
	}
	return n;
}

static double squared_diameter(const struct flat *points, size_t count, double line_mm, double along_mm)
{
	double best = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++) {
			double u = (points[i].line - points[j].line) * line_mm;
			double v = (points[i].along - points[j].along) * along_mm;
			double d = u * u + v * v;
			best = d > best ? d : best;
		}
	return best;
}

static enum rs_code keep_corners(struct surface_corners *corners, const struct rows *rows, size_t plane,
                                 const struct flat *points, size_t count, struct rs_error *err)
{
	if (corners->count + count > corners->capacity) {
		size_t capacity = 2 * (corners->count + count);
		void *grown = rs_reallocate(corners->at, capacity * sizeof *corners->at);
		if (grown == NULL)
			return rs_error_memory(err, capacity * sizeof *corners->at, "hull corners");
		corners->at = grown;
		corners->capacity = capacity;
	}
	for (size_t i = 0; i < count; i++) {
		int32_t *at = corners->at[corners->count++];
		at[rows->plane_axis] = (int32_t)plane;
		at[rows->line_axis] = points[i].line;
		at[rows->along_axis] = points[i].along;
	}
	return RS_OK;
}

static enum rs_code planes_measure(const struct rows *rows, const double half_mm[3],
                                   struct surface_corners *corners, double *out_squared, struct rs_error *err)
{
	struct flat *points RS_CLEANUP(rs_free_pointer) = rs_allocate_array(2 * rows->lines, sizeof *points);
	if (points == NULL)
		return rs_error_memory(err, 2 * rows->lines * sizeof *points, "a hull");
	double best = 0;
	for (size_t plane = 0; plane < rows->planes; plane++) {
		size_t count = chain(rows, plane, false, points);
		count += chain(rows, plane, true, points + count);
		double d = squared_diameter(points, count, half_mm[rows->line_axis],
		                            half_mm[rows->along_axis]);
		best = d > best ? d : best;
		if (corners != NULL)
			RS_TRY(keep_corners(corners, rows, plane, points, count, err));
	}
	*out_squared = best;
	return RS_OK;
}

static enum rs_code farthest(const struct surface_corners *corners, const double half_mm[3],
                             const double middle_mm[3], double *out_squared, struct rs_error *err)
{
	double(*at)[3] = rs_allocate_array(corners->count, sizeof *at);
	if (at == NULL)
		return rs_error_memory(err, corners->count * sizeof *at, "hull corners");
	for (size_t i = 0; i < corners->count; i++)
		for (int a = 0; a < 3; a++)
			at[i][a] = corners->at[i][a] * half_mm[a];
	enum rs_code code = rs_farthest_squared((const double(*)[3])at, corners->count, middle_mm,
	                                        out_squared, err);
	rs_free(at);
	return code;
}

static enum rs_code rows_measure(const struct region *region, const double spacing_mm[3], struct rows rows[3],
                                 struct surface_corners *corners, double out_mm[4], struct rs_error *err)
{
	double half[3], middle[3], squared[4];
	for (unsigned a = 0; a < 3; a++) {
		half[a] = spacing_mm[a] / 2;
		middle[a] = (double)region->size[a] * half[a];
		RS_TRY(rows_init(&rows[a], region, 2 - a, a == 0 ? 1 : a == 1 ? 2 : 1, err));
	}
	size_t v[3], index = 0;
	for (v[2] = 0; v[2] < region->size[2]; v[2]++)
		for (v[1] = 0; v[1] < region->size[1]; v[1]++)
			for (v[0] = 0; v[0] < region->size[0]; v[0]++, index++)
				if (region->inside[index])
					add_voxel(region, v, index, rows);
	for (int a = 0; a < 3; a++)
		RS_TRY(planes_measure(&rows[a], half, a == 0 ? corners : NULL, &squared[a + 1], err));
	RS_TRY(farthest(corners, half, middle, &squared[0], err));
	for (int i = 0; i < 4; i++)
		out_mm[i] = sqrt(squared[i]);
	return RS_OK;
}

enum rs_code diameters_measure(const struct region *region, const double spacing_mm[3], double out_mm[4],
                               struct surface_corners *out_corners, struct rs_error *err)
{
	struct rows rows[3] = {{0}};
	struct surface_corners corners RS_CLEANUP(surface_corners_finish) = {0};
	enum rs_code code = rows_measure(region, spacing_mm, rows, &corners, out_mm, err);
	rows_finish(rows);
	RS_TRY(code);
	if (out_corners != NULL) {
		*out_corners = corners;
		corners = (struct surface_corners){0};
	}
	return RS_OK;
}
