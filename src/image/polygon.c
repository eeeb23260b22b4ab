/* Scan conversion of contours. Every crossing of an edge with a row toggles the cell to its right, so that a sum along
 * the row tells inside from outside, whatever number of contours there is; cells on an edge are marked besides. */
#include "polygon.h"

#include <math.h>
#include <string.h>

enum { TOGGLE = 1, EDGE = 2 };

enum rs_code raster_init(struct raster *out, size_t width, size_t height, struct rs_error *err)
{
	size_t size;
	uint8_t *cells = rs_mul_size(width, height, &size) ? rs_allocate(size) : NULL;
	if (!cells)
		return rs_error_memory(err, width, "rows of a slice");
	*out = (struct raster){.width = width, .height = height, .cells = cells, .first_row = height};
	return RS_OK;
}

void raster_finish(struct raster *raster)
{
	if (!raster)
		return;
	rs_free(raster->cells);
	raster->cells = NULL;
}

/* The first whole number >= x, and the last <= x, within 0 … count; doubles may lie anywhere. */
static size_t first_index(double x, size_t count)
{
	double up = ceil(x);
	return up <= 0 ? 0 : up >= (double)count ? count : (size_t)up;
}

static size_t end_index(double x, size_t count)
{
	double down = floor(x) + 1;
	return down <= 0 ? 0 : down >= (double)count ? count : (size_t)down;
}

struct edge {
	double x, y, dx, dy; /* from the upper end, dy >= 0 */
};

/* One way to walk it, so that the two sides of a keyhole cross every row at the same place. */
static struct edge edge_between(double u, double v, double to_u, double to_v)
{
	bool swap = v > to_v || (v == to_v && u > to_u);
	return swap ? (struct edge){to_u, to_v, u - to_u, v - to_v} : (struct edge){u, v, to_u - u, to_v - v};
}

/* y lies on the edge; the quotient is at most 1, however flat the edge is. */
static double edge_x_at(const struct edge *edge, double y)
{
	return edge->dy > 0 ? edge->x + (y - edge->y) / edge->dy * edge->dx : edge->x;
}

static size_t mark_row(uint8_t *row, size_t width, const struct edge *edge, double y)
{
	double low = fmax(edge->y, y - EDGE_TOLERANCE), high = fmin(edge->y + edge->dy, y + EDGE_TOLERANCE);
	double a = edge_x_at(edge, low), b = edge->dy > 0 ? edge_x_at(edge, high) : edge->x + edge->dx;
	size_t from = first_index(fmin(a, b) - EDGE_TOLERANCE, width),
	       end = end_index(fmax(a, b) + EDGE_TOLERANCE, width);
	for (size_t column = from; column < end; column++)
		row[column] |= EDGE;
	return end > from ? end - from : 0;
}

static void raster_add_edge(struct raster *raster, struct edge edge)
{
	double bottom = edge.y + edge.dy;
	size_t first = first_index(edge.y - EDGE_TOLERANCE, raster->height),
	       end = end_index(bottom + EDGE_TOLERANCE, raster->height);
	for (size_t v = first; v < end; v++) {
		uint8_t *row = raster->cells + v * raster->width;
		double y = (double)v;
		/* Half open: a point between two edges is crossed once. */
		if (edge.y <= y && y < bottom) {
			size_t column = first_index(edge_x_at(&edge, y), raster->width);
			if (column < raster->width)
				row[column] ^= TOGGLE;
		}
		raster->work += 1 + mark_row(row, raster->width, &edge, y);
	}
	if (first < end) {
		raster->first_row = first < raster->first_row ? first : raster->first_row;
		raster->end_row = end > raster->end_row ? end : raster->end_row;
	}
}

enum rs_code raster_add(struct raster *raster, const double (*points)[3], int u, int v, size_t count,
                        struct rs_error *err)
{
	for (size_t i = 0; i < count; i++) {
		const double *from = points[i], *to = points[i + 1 < count ? i + 1 : 0];
		raster_add_edge(raster, edge_between(from[u], from[v], to[u], to[v]));
		if (++raster->work > WORK_MAX)
			return rs_error_set(
				err, RS_TOO_LARGE,
				"the contours cross more than %llu pixels: the file is damaged, or made "
				"to keep the program busy",
				(unsigned long long)WORK_MAX);
	}
	return RS_OK;
}

void raster_resolve(struct raster *raster)
{
	for (size_t v = raster->first_row; v < raster->end_row; v++) {
		uint8_t *row = raster->cells + v * raster->width, inside = 0;
		for (size_t u = 0; u < raster->width; u++) {
			inside ^= row[u] & TOGGLE;
			row[u] = inside || (row[u] & EDGE);
		}
		raster->work += raster->width;
	}
}

void raster_clear(struct raster *raster)
{
	if (raster->first_row < raster->end_row)
		memset(raster->cells + raster->first_row * raster->width, 0,
		       (raster->end_row - raster->first_row) * raster->width);
	raster->first_row = raster->height;
	raster->end_row = 0;
}
