/* Largest distances between surface points, which are the middles of voxel pairs of which one is inside.
 * A largest distance is always between corners of a convex hull, and a hull's corner is the first or the
 * last point of its row; so rows keep two points, planes their 2-D hull, and only the hulls' corners are
 * compared. All choices are made on doubled integer indices: exact, whatever the spacing. */
#include <math.h>
#include <string.h>

#include "numeric/numeric_hull.h"
#include "radiomics/bits.h"

/* Where a line of surface points begins and ends; -1 when it has none. */
struct ends {
	int32_t low, high;
};

/* Lines along x, [doubled z][doubled y], and along z, [doubled x][doubled y]. */
struct surface {
	size_t extent[3]; /* doubled coordinates 0 … 2 size */
	struct ends *along_x, *along_z;
	uint64_t *seen; /* scratch */
};

static void surface_finish(struct surface *surface)
{
	rs_free(surface->along_x);
	rs_free(surface->along_z);
	rs_free(surface->seen);
}

void surface_corners_finish(struct surface_corners *corners)
{
	rs_free(corners->at);
	*corners = (struct surface_corners){0};
}

static enum rs_code surface_init(struct surface *surface, const struct bit_rows *bits, struct rs_error *err)
{
	for (int a = 0; a < 3; a++)
		surface->extent[a] = 2 * bits->size[a] + 1;
	size_t x = surface->extent[2] * surface->extent[1], z = surface->extent[0] * surface->extent[1];
	surface->along_x = rs_allocate_array(x, sizeof *surface->along_x);
	surface->along_z = rs_allocate_array(z, sizeof *surface->along_z);
	surface->seen = rs_allocate_array(3 * (bits->size[1] + 2), bits->per_row * sizeof *surface->seen);
	if (surface->along_x == NULL || surface->along_z == NULL || surface->seen == NULL)
		return rs_error_memory(err, (x + z) * sizeof *surface->along_x, "lines of surface points");
	memset(surface->along_x, 0xff, x * sizeof *surface->along_x); /* -1 */
	memset(surface->along_z, 0xff, z * sizeof *surface->along_z);
	return RS_OK;
}

/* Bit b of a padded row is the voxel between doubled coordinates 2 b - 2 and 2 b. The first and the last bit that
 * differ between two rows are where the points between these rows begin and end. */
static struct ends ends_of_difference(const uint64_t *a, const uint64_t *b, size_t words)
{
	struct ends ends = {-1, -1};
	for (size_t word = 0; word < words; word++) {
		uint64_t bits = a[word] ^ b[word];
		if (bits == 0)
			continue;
		if (ends.low < 0)
			ends.low = (int32_t)(2 * (word * 64 + lowest_bit(bits))) - 1;
		ends.high = (int32_t)(2 * (word * 64 + highest_bit(bits))) - 1;
	}
	return ends;
}

static void find_along_x(const struct bit_rows *bits, struct surface *surface)
{
	size_t words = bits->per_row;
	const uint64_t *empty = bit_row(bits, 0, 0);
	for (size_t z = 1; z <= bits->size[2] + 1; z++)
		for (size_t y = 1; y <= bits->size[1] + 1; y++) {
			const uint64_t *here = bit_row(bits, y, z);
			struct ends *at = surface->along_x + (2 * z - 2) * surface->extent[1] + 2 * y - 2;
			if (y <= bits->size[1])
				at[1] = ends_of_difference(here, bit_row(bits, y, z - 1), words);
			if (z > bits->size[2])
				continue;
			at += surface->extent[1];
			at[0] = ends_of_difference(here, bit_row(bits, y - 1, z), words);
			struct ends row = ends_of_difference(here, empty, words);
			if (row.low >= 0) /* the ends' own faces */
				at[1] = (struct ends){row.low - 1, row.high + 1};
		}
}

struct sweep {
	struct ends *ends;
	size_t lines; /* in y */
	bool upward;
};

/* Points of one word of a row, whose bit 0 is `bit` of the row: those not seen yet end their lines along z.
 * back  how much less than 2 b the doubled x of bit b is */
static void note_ends(const struct sweep *sweep, uint64_t points, uint64_t *seen, size_t bit, size_t back,
                      size_t y, size_t z)
{
	uint64_t fresh = points & ~*seen;
	*seen |= fresh;
	for (; fresh != 0; fresh &= fresh - 1) {
		size_t x = 2 * (bit + lowest_bit(fresh)) - back;
		struct ends *at = &sweep->ends[x * sweep->lines + y];
		*(sweep->upward ? &at->low : &at->high) = (int32_t)z;
	}
}

/* Slice by slice from one side: points in the middle of faces across x, y and z. */
static void find_along_z(const struct bit_rows *bits, bool upward, struct surface *surface)
{
	const struct sweep sweep = {surface->along_z, surface->extent[1], upward};
	size_t words = bits->per_row, depth = bits->size[2] + 1;
	memset(surface->seen, 0, 3 * (bits->size[1] + 2) * words * sizeof *surface->seen);
	for (size_t i = 1; i <= depth; i++) {
		size_t z = upward ? i : depth + 1 - i;
		for (size_t y = 1; y <= bits->size[1] + 1; y++) {
			const uint64_t *here = bit_row(bits, y, z), *before_y = bit_row(bits, y - 1, z),
				       *before_z = bit_row(bits, y, z - 1);
			uint64_t *seen = surface->seen + 3 * y * words;
			for (size_t w = 0; w < words; w++, seen += 3) {
				note_ends(&sweep, here[w] ^ next_bits(here + w), &seen[0], 64 * w, 0,
				          2 * y - 1, 2 * z - 1);
				note_ends(&sweep, here[w] ^ before_y[w], &seen[1], 64 * w, 1, 2 * y - 2,
				          2 * z - 1);
				note_ends(&sweep, here[w] ^ before_z[w], &seen[2], 64 * w, 1, 2 * y - 1,
				          2 * z - 2);
			}
		}
	}
}

/* Planes of lines; a plane's lines are `line_stride` apart. */
struct view {
	unsigned plane_axis, line_axis, along_axis;
	const struct ends *ends;
	size_t planes, lines, plane_stride, line_stride;
};

struct flat {
	int32_t line, along;
};

static int64_t turn(struct flat a, struct flat b, struct flat c)
{
	return (int64_t)(b.line - a.line) * (c.along - a.along) -
	       (int64_t)(b.along - a.along) * (c.line - a.line);
}

/* One side of the hull of a plane (monotone chain); returns the number of corners. */
static size_t chain(const struct view *view, size_t plane, bool upper, struct flat *out)
{
	const struct ends *ends = view->ends + plane * view->plane_stride;
	size_t n = 0;
	for (size_t i = 0; i < view->lines; i++, ends += view->line_stride) {
		if (ends->low < 0)
			continue;
		struct flat next = {(int32_t)i, upper ? ends->high : ends->low};
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

static enum rs_code keep_corners(struct surface_corners *corners, const struct view *view, size_t plane,
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
		at[view->plane_axis] = (int32_t)plane;
		at[view->line_axis] = points[i].line;
		at[view->along_axis] = points[i].along;
	}
	return RS_OK;
}

static enum rs_code planes_measure(const struct view *view, const double half_mm[3],
                                   struct surface_corners *corners, double *out_squared, struct rs_error *err)
{
	struct flat *points RS_CLEANUP(rs_free_pointer) = rs_allocate_array(2 * view->lines, sizeof *points);
	if (points == NULL)
		return rs_error_memory(err, 2 * view->lines * sizeof *points, "a hull");
	double best = 0;
	for (size_t plane = 0; plane < view->planes; plane++) {
		size_t count = chain(view, plane, false, points);
		count += chain(view, plane, true, points + count);
		double d = squared_diameter(points, count, half_mm[view->line_axis],
		                            half_mm[view->along_axis]);
		best = d > best ? d : best;
		if (corners != NULL)
			RS_TRY(keep_corners(corners, view, plane, points, count, err));
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

enum rs_code diameters_measure(const struct bit_rows *bits, const double spacing_mm[3], double out_mm[4],
                               struct surface_corners *out_corners, struct rs_error *err)
{
	struct surface surface RS_CLEANUP(surface_finish) = {0};
	struct surface_corners corners RS_CLEANUP(surface_corners_finish) = {0};
	double half[3], middle[3], squared[4];
	for (int a = 0; a < 3; a++) {
		half[a] = spacing_mm[a] / 2;
		middle[a] = (double)bits->size[a] * half[a];
	}
	RS_TRY(surface_init(&surface, bits, err));
	find_along_x(bits, &surface);
	find_along_z(bits, true, &surface);
	find_along_z(bits, false, &surface);
	size_t x = surface.extent[0], y = surface.extent[1], z = surface.extent[2];
	const struct view views[3] = {
		{2, 1, 0, surface.along_x, z, y, y, 1}, /* the planes of one z, y, x */
		{1, 2, 0, surface.along_x, y, z, 1, y},
		{0, 1, 2, surface.along_z, x, y, y, 1},
	};
	for (int a = 0; a < 3; a++)
		RS_TRY(planes_measure(&views[a], half, a == 0 ? &corners : NULL, &squared[a + 1], err));
	RS_TRY(farthest(&corners, half, middle, &squared[0], err));
	for (int i = 0; i < 4; i++)
		out_mm[i] = sqrt(squared[i]);
	if (out_corners != NULL) {
		*out_corners = corners;
		corners = (struct surface_corners){0};
	}
	return RS_OK;
}
