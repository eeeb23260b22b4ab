/* Convex hull in three dimensions on integer coordinates: quickhull, every decision by the sign of a 64-bit
 * determinant, so that coplanar and collinear points, of which a mesh of voxels is full, do no harm.
 *
 * A point joins only when it is strictly above a facet. So a point in the plane of a flat face is never
 * "visible" from it, the visible facets always form one patch, and no triangle is ever degenerate. */
#include <string.h>

#include "numeric/numeric_hull.h"

#define NONE UINT32_MAX

struct facet {
	uint32_t vertex[3], neighbour[3];
	int64_t normal[3];
	uint32_t outside; /* points that see it, farthest first; NONE at the end */
	uint32_t stamp;   /* of the last search that reached it */
	bool visible, dead;
};

struct horizon {
	uint32_t from, to, beyond; /* an edge, and the facet that stays */
};

struct builder {
	const int32_t (*points)[3];
	uint32_t *next; /* of the list a point is in */
	struct facet *facets;
	size_t facet_count, facet_capacity;
	uint32_t *stack;
	size_t stack_capacity;
	struct horizon *horizon;
	size_t horizon_count, horizon_capacity;
	uint32_t *by_start; /* new facet whose horizon edge starts at a point */
	uint32_t stamp;
};

static void builder_finish(struct builder *builder)
{
	rs_free(builder->next);
	rs_free(builder->facets);
	rs_free(builder->stack);
	rs_free(builder->horizon);
	rs_free(builder->by_start);
}

static void cross(const int64_t a[3], const int64_t b[3], int64_t out[3])
{
	out[0] = a[1] * b[2] - a[2] * b[1];
	out[1] = a[2] * b[0] - a[0] * b[2];
	out[2] = a[0] * b[1] - a[1] * b[0];
}

static void difference(const int32_t a[3], const int32_t b[3], int64_t out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = (int64_t)a[i] - b[i];
}

static void normal_of(const int32_t (*points)[3], const uint32_t vertex[3], int64_t out[3])
{
	int64_t u[3], v[3];
	difference(points[vertex[1]], points[vertex[0]], u);
	difference(points[vertex[2]], points[vertex[0]], v);
	cross(u, v, out);
}

/* Above the facet's plane (> 0), on it, or below: at most 3 * 2^61 in size, see RS_HULL_EXTENT_MAX. */
static int64_t height(const struct builder *b, const struct facet *facet, const int32_t point[3])
{
	int64_t d[3];
	difference(point, b->points[facet->vertex[0]], d);
	return facet->normal[0] * d[0] + facet->normal[1] * d[1] + facet->normal[2] * d[2];
}

static bool lexicographically_greater(const int32_t a[3], const int32_t b[3])
{
	return a[0] != b[0] ? a[0] > b[0] : a[1] != b[1] ? a[1] > b[1] : a[2] > b[2];
}

/* The farthest point comes first; of equals the lexicographically greatest, which is likelier a corner. */
static void push_outside(struct builder *b, struct facet *facet, uint32_t point, int64_t above)
{
	uint32_t first = facet->outside;
	bool ahead = first == NONE;
	if (!ahead) {
		int64_t best = height(b, facet, b->points[first]);
		ahead = above > best ||
		        (above == best && lexicographically_greater(b->points[point], b->points[first]));
	}
	if (ahead) {
		b->next[point] = first;
		facet->outside = point;
	} else {
		b->next[point] = b->next[first];
		b->next[first] = point;
	}
}

/* Gives the point to the first facet of [from, to) that it sees. */
static void assign(struct builder *b, uint32_t point, size_t from, size_t to)
{
	for (size_t f = from; f < to; f++) {
		int64_t above = height(b, &b->facets[f], b->points[point]);
		if (above > 0) {
			push_outside(b, &b->facets[f], point, above);
			return;
		}
	}
}

static enum rs_code grow(void **block, size_t *capacity, size_t needed, size_t item, struct rs_error *err)
{
	if (needed <= *capacity)
		return RS_OK;
	size_t size, wanted = 2 * needed + 64;
	void *grown = rs_mul_size(wanted, item, &size) ? rs_reallocate(*block, size) : NULL;
	if (grown == NULL)
		return rs_error_memory(err, wanted * item, "a convex hull");
	*block = grown;
	*capacity = wanted;
	return RS_OK;
}

static enum rs_code facet_add(struct builder *b, uint32_t u, uint32_t v, uint32_t w, struct rs_error *err)
{
	RS_TRY(grow((void **)&b->facets, &b->facet_capacity, b->facet_count + 1, sizeof *b->facets, err));
	struct facet *facet = &b->facets[b->facet_count++];
	*facet = (struct facet){.vertex = {u, v, w}, .outside = NONE};
	normal_of(b->points, facet->vertex, facet->normal);
	return RS_OK;
}

static double squared_length(const int64_t v[3])
{
	return (double)v[0] * (double)v[0] + (double)v[1] * (double)v[1] + (double)v[2] * (double)v[2];
}

/* Four points that are not in one plane, far apart; false when there are none. */
static bool first_four(const int32_t (*points)[3], size_t count, uint32_t out[4])
{
	out[0] = out[1] = 0;
	for (size_t i = 1; i < count; i++) {
		if (lexicographically_greater(points[out[0]], points[i]))
			out[0] = (uint32_t)i;
		if (lexicographically_greater(points[i], points[out[1]]))
			out[1] = (uint32_t)i;
	}
	double best = 0;
	int64_t line[3], d[3], normal[3];
	difference(points[out[1]], points[out[0]], line);
	for (size_t i = 0; i < count; i++) {
		difference(points[i], points[out[0]], d);
		cross(line, d, normal);
		if (squared_length(normal) > best) {
			best = squared_length(normal);
			out[2] = (uint32_t)i;
		}
	}
	if (!(best > 0))
		return false;
	uint64_t highest = 0;
	normal_of(points, out, normal);
	for (size_t i = 0; i < count; i++) {
		difference(points[i], points[out[0]], d);
		int64_t above = normal[0] * d[0] + normal[1] * d[1] + normal[2] * d[2];
		uint64_t size = above < 0 ? 0 - (uint64_t)above : (uint64_t)above;
		if (size > highest) {
			highest = size;
			out[3] = (uint32_t)i;
		}
	}
	return highest > 0;
}

/* The first tetrahedron, every other point given to a facet that it sees. */
static enum rs_code begin(struct builder *b, size_t count, struct rs_error *err)
{
	uint32_t four[4] = {0};
	if (count < 4 || !first_four(b->points, count, four))
		return rs_error_set(err, RS_REFUSED,
		                    "%zu points lie in one plane and have no convex hull in three dimensions",
		                    count);
	int64_t normal[3], d[3];
	normal_of(b->points, four, normal);
	difference(b->points[four[3]], b->points[four[0]], d);
	if (normal[0] * d[0] + normal[1] * d[1] + normal[2] * d[2] > 0) {
		uint32_t keep = four[0];
		four[0] = four[1];
		four[1] = keep;
	}
	static const unsigned char face[4][3] = {{0, 1, 2}, {0, 3, 1}, {1, 3, 2}, {2, 3, 0}};
	static const unsigned char neighbour[4][3] = {{1, 2, 3}, {3, 2, 0}, {1, 3, 0}, {2, 1, 0}};
	for (int f = 0; f < 4; f++) {
		RS_TRY(facet_add(b, four[face[f][0]], four[face[f][1]], four[face[f][2]], err));
		for (int i = 0; i < 3; i++)
			b->facets[f].neighbour[i] = neighbour[f][i];
	}
	for (size_t i = 0; i < count; i++)
		assign(b, (uint32_t)i, 0, 4);
	return RS_OK;
}

/* Marks what `eye` sees, starting at a facet it sees, and collects the edges around. The stack then holds
 * the seen facets. */
static enum rs_code look(struct builder *b, uint32_t start, const int32_t eye[3], size_t *out_seen,
                         struct rs_error *err)
{
	size_t seen = 0, done = 0;
	b->stamp++;
	b->horizon_count = 0;
	RS_TRY(grow((void **)&b->stack, &b->stack_capacity, 1, sizeof *b->stack, err));
	b->stack[seen++] = start;
	b->facets[start].visible = true;
	b->facets[start].stamp = b->stamp;
	while (done < seen) {
		uint32_t f = b->stack[done++];
		RS_TRY(grow((void **)&b->stack, &b->stack_capacity, seen + 3, sizeof *b->stack, err));
		RS_TRY(grow((void **)&b->horizon, &b->horizon_capacity, b->horizon_count + 3,
		            sizeof *b->horizon, err));
		for (unsigned i = 0; i < 3; i++) {
			uint32_t n = b->facets[f].neighbour[i];
			struct facet *other = &b->facets[n];
			if (other->stamp != b->stamp) {
				other->stamp = b->stamp;
				other->visible = height(b, other, eye) > 0;
				if (other->visible)
					b->stack[seen++] = n;
			}
			if (!other->visible)
				b->horizon[b->horizon_count++] = (struct horizon){
					b->facets[f].vertex[i], b->facets[f].vertex[(i + 1) % 3], n};
		}
	}
	*out_seen = seen;
	return RS_OK;
}

/* A fan from the point to the horizon, sewn to what stays and to itself. */
static enum rs_code cover(struct builder *b, uint32_t point, struct rs_error *err)
{
	size_t first = b->facet_count;
	for (size_t i = 0; i < b->horizon_count; i++) {
		const struct horizon edge = b->horizon[i];
		uint32_t f = (uint32_t)b->facet_count;
		RS_TRY(facet_add(b, edge.from, edge.to, point, err));
		b->facets[f].neighbour[0] = edge.beyond;
		struct facet *beyond = &b->facets[edge.beyond];
		for (unsigned k = 0; k < 3; k++)
			if (beyond->vertex[k] == edge.to && beyond->vertex[(k + 1) % 3] == edge.from)
				beyond->neighbour[k] = f;
		b->by_start[edge.from] = f;
	}
	for (size_t f = first; f < b->facet_count; f++) {
		uint32_t follower = b->by_start[b->facets[f].vertex[1]];
		b->facets[f].neighbour[1] = follower;
		b->facets[follower].neighbour[2] = (uint32_t)f;
	}
	return RS_OK;
}

static enum rs_code add_point(struct builder *b, uint32_t start, struct rs_error *err)
{
	uint32_t point = b->facets[start].outside;
	size_t seen, first = b->facet_count;
	b->facets[start].outside = b->next[point];
	RS_TRY(look(b, start, b->points[point], &seen, err));
	RS_TRY(cover(b, point, err));
	for (size_t i = 0; i < seen; i++) {
		struct facet *gone = &b->facets[b->stack[i]];
		gone->dead = true;
		for (uint32_t p = gone->outside, after; p != NONE; p = after) {
			after = b->next[p];
			assign(b, p, first, b->facet_count);
		}
	}
	return RS_OK;
}

/* Living facets become triangles; their points become vertices, numbered as they are met. */
static enum rs_code collect(const struct builder *b, size_t count, struct rs_hull *hull, struct rs_error *err)
{
	uint32_t *number RS_CLEANUP(rs_free_pointer) = rs_allocate_array(b->facet_count, sizeof *number);
	uint32_t *vertex = b->by_start;
	for (size_t i = 0; i < count; i++)
		vertex[i] = NONE;
	for (size_t f = 0; number != NULL && f < b->facet_count; f++)
		if (!b->facets[f].dead)
			number[f] = (uint32_t)hull->triangle_count++;
	hull->triangles = rs_allocate_array(hull->triangle_count, sizeof *hull->triangles);
	hull->vertices = rs_allocate_array(hull->triangle_count / 2 + 2, sizeof *hull->vertices);
	if (number == NULL || hull->triangles == NULL || hull->vertices == NULL)
		return rs_error_memory(err, b->facet_count * sizeof *hull->triangles, "a convex hull");
	for (size_t f = 0; f < b->facet_count; f++) {
		const struct facet *facet = &b->facets[f];
		if (facet->dead)
			continue;
		for (unsigned i = 0; i < 3; i++) {
			uint32_t p = facet->vertex[i];
			if (vertex[p] == NONE) {
				vertex[p] = (uint32_t)hull->vertex_count;
				memcpy(hull->vertices[hull->vertex_count++], b->points[p],
				       sizeof *hull->vertices);
			}
			hull->triangles[number[f]].vertex[i] = vertex[p];
			hull->triangles[number[f]].neighbour[i] = number[facet->neighbour[i]];
		}
	}
	return RS_OK;
}

static bool coplanar(const struct rs_hull *hull, size_t triangle, unsigned side)
{
	const struct rs_hull_triangle *t = &hull->triangles[triangle],
				      *n = &hull->triangles[t->neighbour[side]];
	int64_t normal[3], d[3];
	const int32_t(*points)[3] = (const int32_t(*)[3])hull->vertices;
	normal_of(points, t->vertex, normal);
	for (unsigned i = 0; i < 3; i++) {
		difference(points[n->vertex[i]], points[t->vertex[0]], d);
		if (normal[0] * d[0] + normal[1] * d[1] + normal[2] * d[2] != 0)
			return false;
	}
	return true;
}

/* A corner ends three bent edges or more; the others go to the end of the list. */
static enum rs_code corners_first(struct rs_hull *hull, struct rs_error *err)
{
	size_t n = hull->vertex_count;
	uint32_t *bent RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *bent);
	uint32_t *place RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *place);
	int32_t(*sorted)[3] = rs_allocate_array(n, sizeof *sorted);
	if (bent == NULL || place == NULL || sorted == NULL) {
		rs_free(sorted);
		return rs_error_memory(err, n * sizeof *sorted, "a convex hull");
	}
	for (size_t t = 0; t < hull->triangle_count; t++)
		for (unsigned i = 0; i < 3; i++)
			bent[hull->triangles[t].vertex[i]] += !coplanar(hull, t, i);
	for (size_t i = 0; i < n; i++)
		hull->corner_count += bent[i] > 2;
	for (size_t i = 0, corner = 0, other = hull->corner_count; i < n; i++) {
		place[i] = (uint32_t)(bent[i] > 2 ? corner++ : other++);
		memcpy(sorted[place[i]], hull->vertices[i], sizeof *sorted);
	}
	for (size_t t = 0; t < hull->triangle_count; t++)
		for (unsigned i = 0; i < 3; i++)
			hull->triangles[t].vertex[i] = place[hull->triangles[t].vertex[i]];
	rs_free(hull->vertices);
	hull->vertices = sorted;
	return RS_OK;
}

void rs_hull_finish(struct rs_hull *hull)
{
	if (hull == NULL)
		return;
	rs_free(hull->vertices);
	rs_free(hull->triangles);
	memset(hull, 0, sizeof *hull);
}

static enum rs_code points_check(const int32_t (*points)[3], size_t count, struct rs_error *err)
{
	if (count >= NONE)
		return rs_error_set(err, RS_TOO_LARGE, "%zu points are too many for a convex hull", count);
	for (size_t i = 0; i < count; i++)
		for (int a = 0; a < 3; a++)
			if (points[i][a] < 0 || points[i][a] > RS_HULL_EXTENT_MAX)
				return rs_error_set(err, RS_TOO_LARGE,
				                    "a convex hull needs coordinates from 0 to %d, not %d",
				                    RS_HULL_EXTENT_MAX, points[i][a]);
	return RS_OK;
}

enum rs_code rs_hull_build(const int32_t (*points)[3], size_t count, struct rs_hull *out,
                           struct rs_error *err)
{
	struct builder b RS_CLEANUP(builder_finish) = {.points = points};
	struct rs_hull hull RS_CLEANUP(rs_hull_finish) = {0};
	RS_TRY(points_check(points, count, err));
	b.next = rs_allocate_array(count, sizeof *b.next);
	b.by_start = rs_allocate_array(count, sizeof *b.by_start);
	if (b.next == NULL || b.by_start == NULL)
		return rs_error_memory(err, count * 2 * sizeof *b.next, "a convex hull");
	RS_TRY(begin(&b, count, err));
	for (size_t f = 0; f < b.facet_count; f++)
		while (!b.facets[f].dead && b.facets[f].outside != NONE)
			RS_TRY(add_point(&b, (uint32_t)f, err));
	RS_TRY(collect(&b, count, &hull, err));
	RS_TRY(corners_first(&hull, err));
	*out = hull;
	memset(&hull, 0, sizeof hull);
	return RS_OK;
}
