/* Marching cubes by rule instead of by table. On every face of the cube lines join the middles of those edges that the surface
 * cuts; they close to rings; a ring is divided into triangles, and of all divisions the one with the largest area in a unit
 * cube counts. Which of a face's two diagonals is cut off where the face is ambiguous: that of the corners that are fewer in
 * the cube. Rule and areas are those of DeepMind's table, found by comparing all 256 codes at several spacings. */
#include "segment/surface.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#define EDGES 12
#define NONE EDGES

struct ring {
	unsigned count;
	double points[EDGES][3]; /* in a unit cube */
};

/* Edge 4 a + k runs along axis a; k counts by the two other axes. */
static unsigned edge_between(unsigned a, unsigned b)
{
	const unsigned bit = a ^ b, low = a & b, axis = bit >> 1;
	const unsigned u = low >> (axis + 1) % 3 & 1, v = low >> (axis + 2) % 3 & 1;
	return axis * 4 + u + 2 * v;
}

static void edge_middle(unsigned edge, double out[3])
{
	const unsigned axis = edge / 4;
	out[axis] = 0.5;
	out[(axis + 1) % 3] = edge & 1;
	out[(axis + 2) % 3] = edge >> 1 & 1;
}

static void join(unsigned links[EDGES][2], unsigned a, unsigned b)
{
	links[a][links[a][0] != NONE] = b;
	links[b][links[b][0] != NONE] = a;
}

/* Corners in order around the face. */
static void link_face(unsigned code, const unsigned corner[4], bool few_inside, unsigned links[EDGES][2])
{
	unsigned cut[4], cuts = 0;
	for (unsigned i = 0; i < 4; i++)
		if ((code >> corner[i] & 1) != (code >> corner[(i + 1) % 4] & 1))
			cut[cuts++] = edge_between(corner[i], corner[(i + 1) % 4]);
	if (cuts == 2)
		join(links, cut[0], cut[1]);
	for (unsigned i = 0; cuts == 4 && i < 4; i++) /* edge i lies between corners i and i + 1 */
		if ((code >> corner[i] & 1) == few_inside)
			join(links, cut[(i + 3) % 4], cut[i]);
}

static void link_faces(unsigned code, unsigned links[EDGES][2])
{
	unsigned inside = 0;
	for (unsigned c = 0; c < 8; c++)
		inside += code >> c & 1;
	for (unsigned e = 0; e < EDGES; e++)
		links[e][0] = links[e][1] = NONE;
	for (unsigned axis = 0; axis < 3; axis++) {
		const unsigned u = 1U << (axis + 1) % 3, v = 1U << (axis + 2) % 3, far = 1U << axis;
		link_face(code, (const unsigned[4]){0, u, u | v, v}, inside <= 4, links);
		link_face(code, (const unsigned[4]){far, far | u, far | u | v, far | v}, inside <= 4, links);
	}
}

static void take_ring(unsigned start, unsigned links[EDGES][2], bool taken[EDGES], struct ring *out)
{
	out->count = 0;
	for (unsigned edge = start; edge != NONE;) {
		taken[edge] = true;
		edge_middle(edge, out->points[out->count++]);
		const unsigned *to = links[edge];
		edge = !taken[to[0]] ? to[0] : !taken[to[1]] ? to[1] : NONE;
	}
}

struct area {
	double unit, real; /* in a unit cube, and with the spacing */
};

static double triangle(const double *const p[3], const double scale[3])
{
	double u[3], v[3];
	for (unsigned a = 0; a < 3; a++) {
		u[a] = (p[1][a] - p[0][a]) * scale[a];
		v[a] = (p[2][a] - p[0][a]) * scale[a];
	}
	const double n[3] = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
	return 0.5 * sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
}

/* Of the polygon of the ring's points first … last. */
static struct area divide(const struct ring *ring, unsigned first, unsigned last, const double spacing[3])
{
	static const double unit[3] = {1, 1, 1};
	struct area best = {0, 0};
	for (unsigned k = first + 1; k < last; k++) {
		const double *const p[3] = {ring->points[first], ring->points[k], ring->points[last]};
		struct area left = divide(ring, first, k, spacing), right = divide(ring, k, last, spacing);
		double area = left.unit + right.unit + triangle(p, unit);
		if (area > best.unit)
			best = (struct area){area, left.real + right.real + triangle(p, spacing)};
	}
	return best;
}

void surface_areas(const double spacing_mm[3], double out[SURFACE_CODES])
{
	struct ring ring;
	for (unsigned code = 0; code < SURFACE_CODES; code++) {
		unsigned links[EDGES][2];
		bool taken[EDGES] = {false};
		link_faces(code, links);
		out[code] = 0;
		for (unsigned e = 0; e < EDGES; e++) {
			if (taken[e] || links[e][0] == NONE)
				continue;
			take_ring(e, links, taken, &ring);
			out[code] += divide(&ring, 0, ring.count - 1, spacing_mm).real;
		}
	}
}
