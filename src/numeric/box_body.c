/* A convex body looked at from one side: for one direction the smallest box across it is exact, for the body's
 * outline seen from there is a polygon, and the smallest rectangle around a polygon lies along one of its sides
 * (Freeman & Shapira 1975), found by turning four callipers (Toussaint 1983). */
#include "numeric/box_body.h"

#include <string.h>

void body_finish(struct body *body)
{
	rs_free(body->points);
	rs_free(body->normals);
	rs_free(body->edges);
	rs_free(body->first);
	rs_free(body->neighbours);
	rs_free(body->outline);
}

static void place_points(struct body *body, const double unit[3])
{
	const struct rs_hull *hull = body->hull;
	double low[3], high[3];
	for (size_t i = 0; i < hull->vertex_count; i++)
		for (int a = 0; a < 3; a++) {
			double x = hull->vertices[i][a] * unit[a];
			body->points[i][a] = x;
			low[a] = i == 0 || x < low[a] ? x : low[a];
			high[a] = i == 0 || x > high[a] ? x : high[a];
		}
	for (size_t i = 0; i < hull->vertex_count; i++)
		for (int a = 0; a < 3; a++)
			body->points[i][a] -= (low[a] + high[a]) / 2;
}

bool body_in_one_plane(const struct rs_hull *hull, const struct rs_hull_triangle *s,
                       const struct rs_hull_triangle *t)
{
	int64_t p[3][3], normal[3];
	for (int i = 0; i < 3; i++)
		for (int a = 0; a < 3; a++)
			p[i][a] = (int64_t)hull->vertices[s->vertex[i]][a] - hull->vertices[s->vertex[0]][a];
	for (int a = 0; a < 3; a++) {
		int b = (a + 1) % 3, c = (a + 2) % 3;
		normal[a] = p[1][b] * p[2][c] - p[1][c] * p[2][b];
	}
	for (int i = 0; i < 3; i++) {
		int64_t height = 0;
		for (int a = 0; a < 3; a++)
			height += normal[a] * ((int64_t)hull->vertices[t->vertex[i]][a] -
			                       hull->vertices[s->vertex[0]][a]);
		if (height != 0)
			return false;
	}
	return true;
}

static void find_edges(struct body *body)
{
	const struct rs_hull *hull = body->hull;
	for (uint32_t t = 0; t < hull->triangle_count; t++) {
		const struct rs_hull_triangle *triangle = &hull->triangles[t];
		double u[3], v[3];
		for (int a = 0; a < 3; a++) {
			u[a] = body->points[triangle->vertex[1]][a] - body->points[triangle->vertex[0]][a];
			v[a] = body->points[triangle->vertex[2]][a] - body->points[triangle->vertex[0]][a];
		}
		cross(u, v, body->normals[t]);
		normalise(body->normals[t]);
		for (unsigned i = 0; i < 3; i++) {
			uint32_t n = triangle->neighbour[i];
			if (t < n && !body_in_one_plane(hull, triangle, &hull->triangles[n]))
				body->edges[body->edge_count++] = (struct edge){
					triangle->vertex[i], triangle->vertex[(i + 1) % 3], t, n};
		}
	}
}

static void link_vertices(struct body *body)
{
	size_t n = body->hull->vertex_count;
	for (size_t e = 0; e < body->edge_count; e++) {
		body->first[body->edges[e].from + 1]++;
		body->first[body->edges[e].to + 1]++;
	}
	for (size_t v = 0; v < n; v++)
		body->first[v + 1] += body->first[v];
	for (size_t e = body->edge_count; e-- > 0;) { /* first[v + 1] counts down to first[v] of the end */
		const struct edge *edge = &body->edges[e];
		body->neighbours[--body->first[edge->from + 1]] = edge->to;
		body->neighbours[--body->first[edge->to + 1]] = edge->from;
	}
	for (size_t v = 0; v < n; v++)
		body->first[v] = body->first[v + 1];
	body->first[n] = (uint32_t)(2 * body->edge_count);
}

enum rs_code body_init(struct body *body, const struct rs_hull *hull, const double unit[3],
                       struct rs_error *err)
{
	size_t v = hull->vertex_count, t = hull->triangle_count;
	body->hull = hull;
	body->points = rs_allocate_array(v, sizeof *body->points);
	body->normals = rs_allocate_array(t, sizeof *body->normals);
	body->edges = rs_allocate_array(3 * t / 2, sizeof *body->edges);
	body->first = rs_allocate_array(v + 2, sizeof *body->first);
	body->neighbours = rs_allocate_array(3 * t, sizeof *body->neighbours);
	body->outline = rs_allocate_array(v + 1, sizeof *body->outline);
	if (body->points == NULL || body->normals == NULL || body->edges == NULL || body->first == NULL ||
	    body->neighbours == NULL || body->outline == NULL)
		return rs_error_memory(err, v * 48 + t * 72, "the smallest box");
	place_points(body, unit);
	find_edges(body);
	link_vertices(body);
	return RS_OK;
}

uint32_t body_climb(const struct body *body, const double direction[3], uint32_t start)
{
	/* a vertex inside a flat face has no bent edge; the first one is a corner */
	uint32_t at = body->first[start] < body->first[start + 1] ? start : 0;
	double height = dot(body->points[at], direction);
	for (bool moved = true; moved;) {
		moved = false;
		for (uint32_t i = body->first[at]; i < body->first[at + 1]; i++) {
			double h = dot(body->points[body->neighbours[i]], direction);
			if (h > height) {
				height = h;
				at = body->neighbours[i];
				moved = true;
				break;
			}
		}
	}
	return at;
}

/* Grows with the angle from direction d to e, from a little below 0 up to a full turn. */
static double angle_order(const double d[2], const double e[2])
{
	double along = d[0] * e[0] + d[1] * e[1], left = d[0] * e[1] - d[1] * e[0];
	double sum = fabs(along) + fabs(left);
	if (!(sum > 0))
		return 8;
	return along >= 0 ? left / sum : 2 - left / sum;
}

/* The outline across u x v, anticlockwise from the vertex farthest along u: from each vertex on along the
 * edge that turns least. False when rounding leads astray, and there is no outline. */
static bool draw_outline(struct body *body, const double u[3], const double v[3], uint32_t hint)
{
	uint32_t start = body_climb(body, u, hint), at = start;
	double direction[2] = {0, 1};
	body->outline_count = 0;
	do {
		if (body->outline_count > body->hull->vertex_count)
			return false;
		double *here = body->outline[body->outline_count], next[2] = {0, 0}, least = 4;
		uint32_t to = at;
		here[0] = dot(body->points[at], u);
		here[1] = dot(body->points[at], v);
		body->outline_count++;
		for (uint32_t i = body->first[at]; i < body->first[at + 1]; i++) {
			const double *p = body->points[body->neighbours[i]];
			double e[2] = {dot(p, u) - here[0], dot(p, v) - here[1]};
			double order = angle_order(direction, e);
			if (order < least) {
				least = order;
				to = body->neighbours[i];
				next[0] = e[0];
				next[1] = e[1];
			}
		}
		if (to == at)
			return false;
		at = to;
		direction[0] = next[0];
		direction[1] = next[1];
	} while (at != start);
	return body->outline_count > 2;
}

/* The side of the outline along which the smallest rectangle lies: its unit vector; returns the area. */
static double smallest_rectangle(const struct body *body, double out_side[2])
{
	const double(*p)[2] = (const double(*)[2])body->outline;
	size_t n = body->outline_count, right = 1, top = 1, left = 1;
	double best = INFINITY;
	for (size_t i = 0; i < n; i++) {
		size_t j = i + 1 == n ? 0 : i + 1;
		double d[2] = {p[j][0] - p[i][0], p[j][1] - p[i][1]};
		double length = sqrt(d[0] * d[0] + d[1] * d[1]);
		if (!(length > 0))
			continue;
		d[0] /= length;
		d[1] /= length;
#define ALONG(k) (p[(k) % n][0] * d[0] + p[(k) % n][1] * d[1])
#define ABOVE(k) (p[(k) % n][1] * d[0] - p[(k) % n][0] * d[1])
		right = right < i + 1 ? i + 1 : right;
		while (right < i + n && ALONG(right + 1) > ALONG(right))
			right++;
		top = top < right ? right : top;
		while (top < i + n && ABOVE(top + 1) > ABOVE(top))
			top++;
		left = left < top ? top : left;
		while (left < i + n && ALONG(left + 1) < ALONG(left))
			left++;
		double area = (ALONG(right) - ALONG(left)) * (ABOVE(top) - ABOVE(i));
		if (area < best) {
			best = area;
			out_side[0] = d[0];
			out_side[1] = d[1];
		}
	}
#undef ALONG
#undef ABOVE
	return best;
}

struct candidate body_measure(const struct body *body, const double axis[3][3])
{
	struct candidate out = {.volume = 1};
	double low[3], high[3];
	for (size_t i = 0; i < body->hull->corner_count; i++)
		for (int a = 0; a < 3; a++) {
			double x = dot(body->points[i], axis[a]);
			low[a] = i == 0 || x < low[a] ? x : low[a];
			high[a] = i == 0 || x > high[a] ? x : high[a];
		}
	for (int a = 0; a < 3; a++) {
		memcpy(out.box.axis[a], axis[a], sizeof out.box.axis[a]);
		out.box.side[a] = high[a] - low[a];
		out.volume *= out.box.side[a];
	}
	return out;
}

/* Two directions across `normal`. */
static void across(const double normal[3], double u[3], double v[3])
{
	int least = fabs(normal[0]) < fabs(normal[1]) ? 0 : 1;
	least = fabs(normal[2]) < fabs(normal[least]) ? 2 : least;
	double unit[3] = {least == 0, least == 1, least == 2};
	cross(normal, unit, u);
	normalise(u);
	cross(normal, u, v);
}

bool body_box_across(struct body *body, const double normal[3], double width, uint32_t hint, double limit,
                     struct candidate *out)
{
	double u[3], v[3], side[2] = {1, 0}, axis[3][3];
	across(normal, u, v);
	if (!draw_outline(body, u, v, hint))
		return false;
	if (!(smallest_rectangle(body, side) * width < limit))
		return false;
	memcpy(axis[0], normal, sizeof axis[0]);
	for (int a = 0; a < 3; a++) {
		axis[1][a] = side[0] * u[a] + side[1] * v[a];
		axis[2][a] = side[0] * v[a] - side[1] * u[a];
	}
	*out = body_measure(body, (const double(*)[3])axis);
	return out->volume < limit;
}
