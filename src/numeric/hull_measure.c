/* Area, volume and diameter of what a convex hull encloses. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "numeric/numeric_hull.h"

void rs_hull_measure(const struct rs_hull *hull, const double unit[3], double *out_area, double *out_volume)
{
	double area = 0, volume = 0;
	const int32_t *origin = hull->vertices[0];
	for (size_t t = 0; t < hull->triangle_count; t++) {
		double p[3][3], normal[3];
		for (int i = 0; i < 3; i++)
			for (int a = 0; a < 3; a++)
				p[i][a] = (hull->vertices[hull->triangles[t].vertex[i]][a] - origin[a]) *
				          unit[a];
		for (int a = 0; a < 3; a++) {
			int b = (a + 1) % 3, c = (a + 2) % 3;
			normal[a] = (p[1][b] - p[0][b]) * (p[2][c] - p[0][c]) -
			            (p[1][c] - p[0][c]) * (p[2][b] - p[0][b]);
		}
		area += sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]) / 2;
		volume += (p[0][0] * normal[0] + p[0][1] * normal[1] + p[0][2] * normal[2]) / 6;
	}
	*out_area = area;
	*out_volume = volume;
}

double (*rs_hull_corners(const struct rs_hull *hull, const double unit[3]))[3]
{
	double(*corners)[3] = rs_allocate_array(hull->corner_count, sizeof *corners);
	for (size_t i = 0; corners != NULL && i < hull->corner_count; i++)
		for (int a = 0; a < 3; a++)
			corners[i][a] = hull->vertices[i][a] * unit[a];
	return corners;
}

struct point {
	double at[3], radius;
};

static int farther_first(const void *a, const void *b)
{
	const struct point *x = a, *y = b;
	return (x->radius < y->radius) - (x->radius > y->radius);
}

static double squared_distance(const double a[3], const double b[3])
{
	double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
	return x * x + y * y + z * z;
}

/* In order of their distance from the middle two points can only beat `best` if their radii add up to more. */
static double farthest_sorted(const struct point *points, size_t count)
{
	double best = 0, root = 0;
	for (size_t i = 1; i < count; i++) {
		const struct point *p = &points[i];
		if (p->radius + points[0].radius < root)
			break;
		for (size_t j = 0; j < i && p->radius + points[j].radius >= root; j++) {
			double d = squared_distance(p->at, points[j].at);
			if (d > best) {
				best = d;
				root = sqrt(d);
			}
		}
	}
	return best;
}

enum rs_code rs_farthest_squared(const double (*points)[3], size_t count, const double middle[3], double *out,
                                 struct rs_error *err)
{
	struct point *sorted RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *sorted);
	if (sorted == NULL)
		return rs_error_memory(err, count * sizeof *sorted, "the farthest pair");
	for (size_t i = 0; i < count; i++) {
		memcpy(sorted[i].at, points[i], sizeof sorted[i].at);
		/* a little longer than rounding may have made it, so that no pair is missed */
		sorted[i].radius = sqrt(squared_distance(points[i], middle)) * (1 + 1e-12);
	}
	if (count > 0)
		qsort(sorted, count, sizeof *sorted, farther_first);
	*out = farthest_sorted(sorted, count);
	return RS_OK;
}
