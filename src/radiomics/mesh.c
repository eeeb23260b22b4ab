/* Area and volume of the marching-cubes surface of a region, from counts alone: every cube of eight
 * voxel centres has one of 256 patterns, each pattern's triangles have a fixed area, and their share of
 * the volume is linear in the cube's position. So the sweep only counts patterns and sums positions, in
 * integers, and the geometry is done once per pattern.
 *
 * The triangles are PyRadiomics' (3.1 documentation, "Shape Features"): cut points at edge middles; where
 * a face is ambiguous the inside corners are cut apart if corner 6 is outside, else the outside ones. A
 * polygon of the cut is divided so that its area in a unit cube is largest; nine patterns with a heptagon
 * are divided otherwise. These choices were found by measuring PyRadiomics on single cubes. */
#include <math.h>
#include <string.h>

#include "radiomics/bits.h"

#define POINTS_MAX 12

struct pattern {
	double area, volume, shift[3]; /* volume of a cube at o: volume + shift . o */
};

struct ring {
	size_t count;
	unsigned char edge[POINTS_MAX];
};

/* Corner c lies at x = c & 1, y = c >> 1 & 1, z = c >> 2; edge 4 a + k is the k-th along axis a. */
static unsigned edge_between(unsigned a, unsigned b)
{
	unsigned bit = a ^ b, low = a & b;
	unsigned axis = bit >> 1, rank = 0;
	for (unsigned c = 0; c < low; c++)
		rank += (c & bit) == 0;
	return axis * 4 + rank;
}

static void edge_point(unsigned edge, const double spacing[3], double out[3])
{
	unsigned axis = edge / 4, bit = 1U << axis, rank = edge % 4, c = 0;
	for (;; c++)
		if ((c & bit) == 0 && rank-- == 0)
			break;
	for (unsigned a = 0; a < 3; a++)
		out[a] = (a == axis ? 0.5 : (double)(c >> a & 1)) * spacing[a];
}

/* Where the surface enters a face, and where it goes on: next[edge], 255 for none. */
static void link_face(unsigned inside, const unsigned corner[4], unsigned char next[POINTS_MAX])
{
	for (unsigned i = 0; i < 4; i++) {
		if (!(inside >> corner[i] & 1) || (inside >> corner[(i + 1) % 4] & 1))
			continue;
		unsigned j = i; /* walk back over inside corners to where the inside begins */
		while (inside >> corner[(j + 3) % 4] & 1)
			j = (j + 3) % 4;
		next[edge_between(corner[i], corner[(i + 1) % 4])] = (unsigned char)edge_between(
			corner[(j + 3) % 4], corner[j]);
	}
}

static void link_faces(unsigned inside, unsigned char next[POINTS_MAX])
{
	memset(next, 255, POINTS_MAX);
	for (unsigned axis = 0; axis < 3; axis++) {
		unsigned u = 1U << (axis + 1) % 3, v = 1U << (axis + 2) % 3, far = 1U << axis;
		link_face(inside, (const unsigned[4]){v, u | v, u, 0}, next);
		link_face(inside, (const unsigned[4]){far, far | u, far | u | v, far | v}, next);
	}
}

static size_t rings_of(unsigned inside, struct ring rings[4])
{
	unsigned char next[POINTS_MAX];
	size_t count = 0;
	link_faces(inside, next);
	for (unsigned start = 0; start < POINTS_MAX; start++) {
		if (next[start] == 255)
			continue;
		struct ring *ring = &rings[count++];
		ring->count = 0;
		for (unsigned e = start; next[e] != 255;) {
			unsigned following = next[e];
			ring->edge[ring->count++] = (unsigned char)e;
			next[e] = 255;
			e = following;
		}
	}
	return count;
}

static void cross(const double a[3], const double b[3], double out[3])
{
	out[0] = a[1] * b[2] - a[2] * b[1];
	out[1] = a[2] * b[0] - a[0] * b[2];
	out[2] = a[0] * b[1] - a[1] * b[0];
}

static void add_triangle(const unsigned char edge[3], const double spacing[3], struct pattern *sum)
{
	double p[3][3], u[3], v[3], normal[3];
	for (int i = 0; i < 3; i++)
		edge_point(edge[i], spacing, p[i]);
	for (int a = 0; a < 3; a++) {
		u[a] = p[1][a] - p[0][a];
		v[a] = p[2][a] - p[0][a];
	}
	cross(u, v, normal);
	sum->area += 0.5 * sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]);
	for (int a = 0; a < 3; a++) {
		sum->volume += p[0][a] * normal[a] / 6;
		sum->shift[a] += normal[a] / 6;
	}
}

/* Ways to divide a polygon of n points into triangles: Catalan numbers. */
static unsigned ways(size_t n)
{
	static const unsigned catalan[] = {1, 1, 1, 1, 2, 5, 14, 42, 132};
	return catalan[n];
}

/* The `way`-th division of points first … last: the triangle over the closing side has its tip at k. */
static void divide(const struct ring *ring, size_t first, size_t last, unsigned way, const double spacing[3],
                   struct pattern *sum)
{
	if (last - first < 2)
		return;
	for (size_t k = first + 1; k < last; k++) {
		unsigned left = ways(k - first + 1), right = ways(last - k + 1);
		if (way >= left * right) {
			way -= left * right;
			continue;
		}
		divide(ring, first, k, way / right, spacing, sum);
		divide(ring, k, last, way % right, spacing, sum);
		add_triangle((const unsigned char[3]){ring->edge[first], ring->edge[k], ring->edge[last]},
		             spacing, sum);
		return;
	}
}

static unsigned way_of(unsigned inside, const struct ring *ring)
{
	static const unsigned char heptagons[][2] = {{61, 41}, {62, 41},  {155, 20}, {157, 20}, {167, 13},
	                                             {173, 0}, {181, 23}, {185, 13}, {188, 41}};
	for (size_t i = 0; i < RS_COUNT(heptagons); i++)
		if (heptagons[i][0] == inside)
			return heptagons[i][1];
	unsigned best = 0;
	double largest = 0;
	for (unsigned way = 0; way < ways(ring->count); way++) {
		struct pattern sum = {0};
		divide(ring, 0, ring->count - 1, way, (const double[3]){1, 1, 1}, &sum);
		if (sum.area > largest + 1e-9) {
			largest = sum.area;
			best = way;
		}
	}
	return best;
}

static void pattern_measure(unsigned pattern, const double spacing[3], struct pattern *out)
{
	bool flipped = pattern >> 6 & 1;
	unsigned inside = flipped ? 255 - pattern : pattern;
	struct ring rings[4];
	size_t count = rings_of(inside, rings);
	*out = (struct pattern){0};
	for (size_t i = 0; i < count; i++)
		divide(&rings[i], 0, rings[i].count - 1, way_of(inside, &rings[i]), spacing, out);
	double sign = flipped ? -1 : 1;
	out->volume *= sign;
	for (int a = 0; a < 3; a++)
		out->shift[a] *= sign;
}

struct tally {
	uint64_t count, position[3];
};

/* The cubes of one row between the voxels y - 1, y and z - 1, z; only those of mixed corners have a surface. */
static void sweep_row(const struct bit_rows *bits, size_t y, size_t z, struct tally tallies[256])
{
	const uint64_t *row[4] = {bit_row(bits, y, z), bit_row(bits, y + 1, z), bit_row(bits, y, z + 1),
	                          bit_row(bits, y + 1, z + 1)};
	for (size_t word = 0; word < bits->per_row; word++) {
		uint64_t here[4], next[4], any = 0, all = UINT64_MAX;
		for (unsigned k = 0; k < 4; k++) {
			here[k] = row[k][word];
			next[k] = next_bits(row[k] + word);
			any |= here[k] | next[k];
			all &= here[k] & next[k];
		}
		for (uint64_t mixed = any & ~all; mixed != 0; mixed &= mixed - 1) {
			unsigned bit = lowest_bit(mixed), pattern = 0;
			for (unsigned k = 0; k < 4; k++)
				pattern |= (unsigned)(here[k] >> bit & 1) << 2 * k |
				           (unsigned)(next[k] >> bit & 1) << (2 * k + 1);
			tallies[pattern].count++;
			tallies[pattern].position[0] += word * 64 + bit;
			tallies[pattern].position[1] += y;
			tallies[pattern].position[2] += z;
		}
	}
}

void mesh_measure(const struct bit_rows *bits, const double spacing_mm[3], double *out_area,
                  double *out_volume)
{
	struct tally tallies[256] = {{0, {0, 0, 0}}};
	for (size_t z = 0; z <= bits->size[2]; z++)
		for (size_t y = 0; y <= bits->size[1]; y++)
			sweep_row(bits, y, z, tallies);
	double area = 0, volume = 0;
	for (unsigned c = 1; c < 255; c++) {
		struct pattern pattern;
		if (tallies[c].count == 0)
			continue;
		pattern_measure(c, spacing_mm, &pattern);
		area += (double)tallies[c].count * pattern.area;
		volume += (double)tallies[c].count * pattern.volume;
		for (int a = 0; a < 3; a++) /* a triangle moved by o gains o . (twice its area vector) / 6 */
			volume += (double)tallies[c].position[a] * spacing_mm[a] * pattern.shift[a];
	}
	*out_area = area;
	*out_volume =
		-volume; /* signed as in PyRadiomics: thin regions, whose mesh is open, can be negative */
}
