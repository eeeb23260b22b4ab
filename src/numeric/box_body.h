/* What a search for the smallest box looks at: the hull in its units, its edges, its outline from one side. */
#ifndef RS_NUMERIC_BOX_BODY_H
#define RS_NUMERIC_BOX_BODY_H

#include <math.h>

#include "numeric/numeric_hull.h"

/* A bent edge, between triangles left and right of from -> to. */
struct edge {
	uint32_t from, to, left, right;
};

struct body {
	const struct rs_hull *hull;
	double (*points)[3];  /* vertices, middle of their extent at 0 */
	double (*normals)[3]; /* of triangles, unit length */
	struct edge *edges;
	size_t edge_count;
	uint32_t *first, *neighbours; /* along bent edges: neighbours[first[v] … first[v + 1]) */
	double (*outline)[2];
	size_t outline_count;
};

struct candidate {
	double volume;
	struct rs_oriented_box box;
};

enum rs_code body_init(struct body *body, const struct rs_hull *hull, const double unit[3],
                       struct rs_error *err);
void body_finish(struct body *body);
/* Whether two triangles lie in one plane, decided on the integers. */
bool body_in_one_plane(const struct rs_hull *hull, const struct rs_hull_triangle *s,
                       const struct rs_hull_triangle *t);
/* The vertex farthest along a direction, climbing from `start`: on a convex body a summit is the summit. */
uint32_t body_climb(const struct body *body, const double direction[3], uint32_t start);
/* Sides and volume of the box along three axes, from the corners themselves. */
struct candidate body_measure(const struct body *body, const double axis[3][3]);
/* The smallest box that has `normal` as one axis and `width` across; false when it is not below `limit`. */
bool body_box_across(struct body *body, const double normal[3], double width, uint32_t hint, double limit,
                     struct candidate *out);

static inline double dot(const double a[3], const double b[3])
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static inline void cross(const double a[3], const double b[3], double out[3])
{
	out[0] = a[1] * b[2] - a[2] * b[1];
	out[1] = a[2] * b[0] - a[0] * b[2];
	out[2] = a[0] * b[1] - a[1] * b[0];
}

/* False for a vector too short to have a direction. */
static inline bool normalise(double v[3])
{
	double length = sqrt(dot(v, v));
	if (!(length > 0))
		return false;
	for (int a = 0; a < 3; a++)
		v[a] /= length;
	return true;
}

#endif
