/* Icospheres: an icosahedron whose edges are halved, again and again, and pushed out to the sphere. */
#include "filter/sphere.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHORT_SIDE 0.5257311121191336 /* 1 and the golden ratio, on the unit sphere */
#define LONG_SIDE 0.85065080835204
static const double corners[12][3] = {
	{-SHORT_SIDE, LONG_SIDE, 0},  {SHORT_SIDE, LONG_SIDE, 0},   {-SHORT_SIDE, -LONG_SIDE, 0},
	{SHORT_SIDE, -LONG_SIDE, 0},  {0, -SHORT_SIDE, LONG_SIDE},  {0, SHORT_SIDE, LONG_SIDE},
	{0, -SHORT_SIDE, -LONG_SIDE}, {0, SHORT_SIDE, -LONG_SIDE},  {LONG_SIDE, 0, -SHORT_SIDE},
	{LONG_SIDE, 0, SHORT_SIDE},   {-LONG_SIDE, 0, -SHORT_SIDE}, {-LONG_SIDE, 0, SHORT_SIDE},
};
static const uint32_t triangles[20][3] = {
	{0, 11, 5},  {0, 5, 1},  {0, 1, 7},  {0, 7, 10}, {0, 10, 11}, {1, 5, 9}, {5, 11, 4},
	{11, 10, 2}, {10, 7, 6}, {7, 1, 8},  {3, 9, 4},  {3, 4, 2},   {3, 2, 6}, {3, 6, 8},
	{3, 8, 9},   {4, 9, 5},  {2, 4, 11}, {6, 2, 10}, {8, 6, 7},   {9, 8, 1},
};

struct mesh {
	double (*points)[3];
	size_t point_count;
	uint32_t (*faces)[3], (*next_faces)[3];
	size_t face_count;
	uint64_t *edges;
};

static void mesh_finish(struct mesh *mesh)
{
	rs_free(mesh->points);
	rs_free(mesh->faces);
	rs_free(mesh->next_faces);
	rs_free(mesh->edges);
}

static enum rs_code mesh_init(struct mesh *out, unsigned subdivision, struct rs_error *err)
{
	size_t faces = (size_t)20 << 2 * subdivision;
	out->points = rs_allocate_array(faces / 2 + 2, sizeof *out->points);
	out->faces = rs_allocate_array(faces, sizeof *out->faces);
	out->next_faces = rs_allocate_array(faces, sizeof *out->next_faces);
	out->edges = rs_allocate_array(3 * faces, sizeof *out->edges);
	if (!out->points || !out->faces || !out->next_faces || !out->edges)
		return rs_error_memory(err, faces * sizeof *out->faces, "a sphere of points");
	memcpy(out->points, corners, sizeof corners);
	memcpy(out->faces, triangles, sizeof triangles);
	out->point_count = RS_COUNT(corners);
	out->face_count = RS_COUNT(triangles);
	return RS_OK;
}

static void push_out(struct mesh *mesh, double radius)
{
	for (size_t i = 0; i < mesh->point_count; i++) {
		double *p = mesh->points[i], length = sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
		for (unsigned a = 0; a < 3; a++)
			p[a] += p[a] / length * (radius - length);
	}
}

/* Edges sort by their higher end first. */
static uint64_t edge_of(uint32_t a, uint32_t b)
{
	return a > b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
}

static int compare_edges(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static size_t find_edges(struct mesh *mesh)
{
	size_t count = 0, kept = 0;
	for (size_t f = 0; f < mesh->face_count; f++)
		for (unsigned k = 0; k < 3; k++)
			mesh->edges[count++] = edge_of(mesh->faces[f][k], mesh->faces[f][(k + 1) % 3]);
	qsort(mesh->edges, count, sizeof *mesh->edges, compare_edges);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || mesh->edges[i] != mesh->edges[kept - 1])
			mesh->edges[kept++] = mesh->edges[i];
	return kept;
}

/* Every edge gets a point in its middle, every triangle becomes four. */
static void subdivide(struct mesh *mesh)
{
	size_t edge_count = find_edges(mesh), old = mesh->point_count;
	for (size_t e = 0; e < edge_count; e++) {
		const double *low = mesh->points[mesh->edges[e] & UINT32_MAX],
			     *high = mesh->points[mesh->edges[e] >> 32];
		for (unsigned a = 0; a < 3; a++)
			mesh->points[mesh->point_count][a] = (low[a] + high[a]) / 2;
		mesh->point_count++;
	}
	for (size_t f = 0; f < mesh->face_count; f++) {
		const uint32_t *c = mesh->faces[f];
		uint32_t middle[3];
		for (unsigned k = 0; k < 3; k++) {
			uint64_t edge = edge_of(c[k], c[(k + 1) % 3]);
			const uint64_t *found = bsearch(&edge, mesh->edges, edge_count, sizeof edge,
			                                compare_edges);
			middle[k] = (uint32_t)(old + (size_t)(found - mesh->edges));
		}
		const uint32_t parts[4][3] = {{c[0], middle[0], middle[2]},
		                              {middle[0], c[1], middle[1]},
		                              {middle[2], middle[1], c[2]},
		                              {middle[0], middle[1], middle[2]}};
		memcpy(mesh->next_faces[4 * f], parts, sizeof parts);
	}
	uint32_t(*faces)[3] = mesh->faces;
	mesh->faces = mesh->next_faces;
	mesh->next_faces = faces;
	mesh->face_count *= 4;
}

static enum rs_code make_points(struct sphere *out, unsigned subdivision, double radius, struct rs_error *err)
{
	struct mesh mesh RS_CLEANUP(mesh_finish) = {0};
	RS_TRY(mesh_init(&mesh, subdivision, err));
	for (unsigned i = 0; i < subdivision; i++) {
		subdivide(&mesh);
		push_out(&mesh, radius);
	}
	if (subdivision == 0)
		push_out(&mesh, radius);
	out->points = mesh.points;
	out->count = mesh.point_count;
	mesh.points = NULL;
	return RS_OK;
}

/* P(n, m) of x as a sum of powers of 1 + x. What cancels there leaves its rounding in the voxels, and PyRadiomics
 * measures it where many of them are alike: hence SciPy's own way, and its order of factors below.
 * source  Zhang & Jin, "Computation of Special Functions" (1996), LPMV */
static double legendre_series(unsigned n, unsigned m, double x)
{
	double factor = 1, root = sqrt(1 - x * x), sum = 1, term = 1;
	if (m > 0) {
		double product = (double)n * (n + m), powers = 1;
		for (unsigned k = 1; k < m; k++)
			product *= (double)(n * n - k * k);
		for (unsigned k = 1; k <= m; k++)
			powers = 0.5 * powers * root / k;
		factor = powers * product;
	}
	for (unsigned k = 1; k <= n - m; k++) {
		term = 0.5 * term * ((double)(m + k) - n - 1) * (n + m + k) / ((double)k * (k + m)) * (1 + x);
		sum += term;
	}
	return (n % 2 == 0 ? 1 : -1) * factor * sum;
}

static double legendre(unsigned n, unsigned m, double x)
{
	if (n <= 2 || n == m)
		return legendre_series(n, m, x);
	double before = legendre_series(m, m, x), value = legendre_series(m + 1, m, x);
	for (unsigned k = m + 2; k <= n; k++) {
		double next = ((2 * k - 1) * x * value - (double)(k - 1 + m) * before) / (double)(k - m);
		before = value;
		value = next;
	}
	return value;
}

static double factorial_ratio(unsigned n, unsigned m) /* (n - m)! / (n + m)! */
{
	double product = 1;
	for (unsigned k = n - m + 1; k <= n + m; k++)
		product *= k;
	return 1 / product;
}

static void fill_harmonics(struct sphere *s, double radius)
{
	for (size_t i = 0; i < s->count; i++) {
		const double *p = s->points[i];
		double azimuth = acos(fmax(-1, fmin(1, p[2] / radius))),
		       polar = atan2(p[1], p[0]); /* exchanged */
		double x = cos(polar);
		for (unsigned n = 0; n < s->levels; n++) {
			double *at = s->harmonics + (size_t)n * n * s->count + i;
			double norm = sqrt((2 * n + 1) / 4.0 / M_PI);
			*at = legendre(n, 0, x) * norm;
			for (unsigned m = 1; m <= n; m++) {
				double value = legendre(n, m, x) * norm * sqrt(factorial_ratio(n, m));
				at[(2 * m - 1) * s->count] = value * cos(m * azimuth);
				at[2 * m * s->count] = value * sin(m * azimuth);
			}
		}
	}
}

enum rs_code sphere_init(struct sphere *out, unsigned subdivision, double radius, unsigned levels,
                         struct rs_error *err)
{
	struct sphere s RS_CLEANUP(sphere_finish) = {.levels = levels};
	RS_TRY(make_points(&s, subdivision, radius, err));
	s.harmonics = rs_allocate_array(s.count, (size_t)levels * levels * sizeof *s.harmonics);
	if (!s.harmonics)
		return rs_error_memory(err, s.count * sizeof *s.harmonics, "spherical harmonics");
	fill_harmonics(&s, radius);
	*out = s;
	s = (struct sphere){0};
	return RS_OK;
}

void sphere_finish(struct sphere *sphere)
{
	rs_free(sphere->points);
	rs_free(sphere->harmonics);
	*sphere = (struct sphere){0};
}
