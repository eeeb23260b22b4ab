/* Shortest paths from all seeds at once, with a circle of buckets: one is as wide as the shortest step, so whatever lies in the
 * lowest is final (Dial 1969; Denardo & Fox 1979), and there are no more of them than the longest step needs. */
#include "segment/geodesic.h"

#include <math.h>

#define NEIGHBOURS 26
#define STEP_MAX 4000 /* buckets that one step may cross; steeper ones are as long as that */
#define NOBODY UINT32_MAX

struct geodesic {
	const float *guide;
	const size_t *size;
	uint8_t *labels;
	ptrdiff_t offset[NEIGHBOURS];
	int along[NEIGHBOURS][3];
	float square_mm[NEIGHBOURS];
	float rise, width; /* of a bucket */
	float *distance;
	uint32_t *next, *before, *buckets; /* doubly linked lists of voxels */
	size_t waiting;
};

static void geodesic_finish(struct geodesic *g)
{
	rs_free(g->distance);
	rs_free(g->next);
	rs_free(g->before);
	rs_free(g->buckets);
}

static void find_neighbours(struct geodesic *g, const double spacing_mm[3])
{
	size_t n = 0;
	g->width = (float)fmin(spacing_mm[0], fmin(spacing_mm[1], spacing_mm[2]));
	for (int z = -1; z <= 1; z++)
		for (int y = -1; y <= 1; y++)
			for (int x = -1; x <= 1; x++) {
				const int at[3] = {x, y, z};
				double sum = 0;
				if (x == 0 && y == 0 && z == 0)
					continue;
				for (int a = 0; a < 3; a++) {
					g->along[n][a] = at[a];
					sum += at[a] * spacing_mm[a] * at[a] * spacing_mm[a];
				}
				g->square_mm[n] = (float)sum;
				g->offset[n++] = (z * (ptrdiff_t)g->size[1] + y) * (ptrdiff_t)g->size[0] + x;
			}
}

static uint32_t *bucket_of(struct geodesic *g, float distance)
{
	return &g->buckets[(size_t)(distance / g->width) % (STEP_MAX + 2)];
}

static void put(struct geodesic *g, uint32_t voxel, float distance)
{
	uint32_t *head = bucket_of(g, distance);
	g->distance[voxel] = distance;
	g->next[voxel] = *head;
	g->before[voxel] = NOBODY;
	if (*head != NOBODY)
		g->before[*head] = voxel;
	*head = voxel;
	g->waiting++;
}

static void take(struct geodesic *g, uint32_t voxel)
{
	const uint32_t next = g->next[voxel], before = g->before[voxel];
	if (before == NOBODY)
		*bucket_of(g, g->distance[voxel]) = next;
	else
		g->next[before] = next;
	if (next != NOBODY)
		g->before[next] = before;
	g->waiting--;
}

static void visit(struct geodesic *g, uint32_t voxel)
{
	const size_t *size = g->size;
	const size_t at[3] = {voxel % size[0], voxel / size[0] % size[1], voxel / size[0] / size[1]};
	for (size_t n = 0; n < NEIGHBOURS; n++) {
		bool beyond = false;
		for (int a = 0; a < 3; a++)
			beyond = beyond || at[a] + (size_t)g->along[n][a] >= size[a]; /* -1 wraps around */
		if (beyond)
			continue;
		const uint32_t other = (uint32_t)((ptrdiff_t)voxel + g->offset[n]);
		const float up = g->rise * (g->guide[other] - g->guide[voxel]);
		const float step = fminf(sqrtf(g->square_mm[n] + up * up), (float)STEP_MAX * g->width);
		const float distance = g->distance[voxel] + step;
		if (!(distance < g->distance[other]))
			continue;
		if (g->labels[other] != 0)
			take(g, other);
		g->labels[other] = g->labels[voxel];
		put(g, other, distance);
	}
}

static enum rs_code geodesic_init(struct geodesic *g, size_t count, const uint8_t *closed,
                                  struct rs_error *err)
{
	if (count >= NOBODY)
		return rs_error_set(err, RS_TOO_LARGE, "%zu voxels are too many for paths; name a box",
		                    count);
	g->distance = rs_allocate_array(count, sizeof *g->distance);
	g->next = rs_allocate_array(count, sizeof *g->next);
	g->before = rs_allocate_array(count, sizeof *g->before);
	g->buckets = rs_allocate_array(STEP_MAX + 2, sizeof *g->buckets);
	if (!g->distance || !g->next || !g->before || !g->buckets)
		return rs_error_memory(err, count * 3 * sizeof *g->next, "paths");
	for (size_t i = 0; i < STEP_MAX + 2; i++)
		g->buckets[i] = NOBODY;
	for (size_t i = 0; i < count; i++) {
		if (closed && closed[i])
			g->labels[i] = 0;
		g->distance[i] = closed && closed[i] ? 0 : INFINITY;
		if (g->labels[i])
			put(g, (uint32_t)i, 0);
	}
	return RS_OK;
}

enum rs_code geodesic_nearest(const float *guide, const uint8_t *closed, const size_t size[3],
                              const double spacing_mm[3], double rise, uint8_t *labels, struct rs_error *err)
{
	struct geodesic g RS_CLEANUP(geodesic_finish) = {
		.guide = guide, .size = size, .labels = labels, .rise = (float)rise};
	find_neighbours(&g, spacing_mm);
	RS_TRY(geodesic_init(&g, size[0] * size[1] * size[2], closed, err));
	for (size_t b = 0; g.waiting; b = (b + 1) % (STEP_MAX + 2))
		while (g.buckets[b] != NOBODY) {
			const uint32_t voxel = g.buckets[b];
			take(&g, voxel);
			visit(&g, voxel);
		}
	return RS_OK;
}
