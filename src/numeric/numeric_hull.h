/* Convex bodies around points: hull, smallest box, smallest ellipsoid, farthest pair. The hull is found on
 * integer coordinates, exactly; lengths come in only afterwards, one unit per axis. */
#ifndef RS_NUMERIC_HULL_H
#define RS_NUMERIC_HULL_H

#include "base/base.h"

/* Coordinates 0 … RS_HULL_EXTENT_MAX: the sign of every determinant then fits in 63 bits. */
#define RS_HULL_EXTENT_MAX 1048576

struct rs_hull_triangle {
	uint32_t vertex[3];    /* anticlockwise seen from outside */
	uint32_t neighbour[3]; /* triangle on the other side of vertex[i], vertex[(i + 1) % 3] */
};

/* Flat faces are divided into triangles. Vertices below corner_count are corners of the body; the others,
 * few and often none, lie inside a straight edge or a flat face. */
struct rs_hull {
	size_t vertex_count, corner_count, triangle_count;
	int32_t (*vertices)[3];
	struct rs_hull_triangle *triangles;
};

/* The same points in another order give the same body, perhaps otherwise divided into triangles.
 * errors  RS_REFUSED when all points lie in one plane, RS_TOO_LARGE for a coordinate out of range, RS_NO_MEMORY
 * source  Barber, Dobkin & Huhdanpaa, "The Quickhull algorithm for convex hulls" (1996)            */
enum rs_code rs_hull_build(const int32_t (*points)[3], size_t count, struct rs_hull *out,
                           struct rs_error *err);
void rs_hull_finish(struct rs_hull *hull); /* accepts NULL and zeroed memory */
void rs_hull_measure(const struct rs_hull *hull, const double unit[3], double *out_area, double *out_volume);
/* The corners times unit, in a new block for rs_free(); NULL without memory. */
double (*rs_hull_corners(const struct rs_hull *hull, const double unit[3]))[3];

/* The greatest squared distance of two of the points; 0 below two points.
 * `middle` may be any point; work is least when it is central. */
enum rs_code rs_farthest_squared(const double (*points)[3], size_t count, const double middle[3], double *out,
                                 struct rs_error *err);

struct rs_oriented_box {
	double axis[3][3]; /* unit vectors, at right angles */
	double side[3];    /* along them, longest first */
};

/* The smallest box around the hull: the best of all that lie flat on a face of it, of all whose two parallel faces
 * each hold an edge of it, and of what turning two dozen boxes freely downhill leads to. Searches by others
 * have not found a smaller one (box_test.c); that there is none is not proven.
 * source  O'Rourke, "Finding minimal enclosing boxes" (1985): two adjacent faces of the minimum hold edges */
enum rs_code rs_hull_box(const struct rs_hull *hull, const double unit[3], struct rs_oriented_box *out,
                         struct rs_error *err);

/* Semi-axes, longest first, of the ellipsoid of least volume around the points: that volume is at most
 * (1 + tolerance)^1.5 times the least one, and every point is inside. At least four points, not in one plane.
 * errors  RS_REFUSED when they lie in one plane (to rounding), RS_NO_MEMORY
 * source  Todd & Yildirim, "On Khachiyan's algorithm for the computation of minimum-volume enclosing
 *         ellipsoids" (2007)                                                                          */
enum rs_code rs_ellipsoid_minimum(const double (*points)[3], size_t count, double tolerance,
                                  double out_semi_axis[3], struct rs_error *err);
/* "Surface" of an ellipsoid, semi-axes longest first, by the first `terms` of the series of Legendre polynomials that
 * the IBSI reference manual gives under "Area density (approximate enclosing ellipsoid)". Only for balls is it the
 * true surface (axes 3, 2, 1: 52.81, not 48.88), but IBSI's reference values follow it. */
double rs_ellipsoid_surface(const double semi_axis[3], unsigned terms);

#endif
