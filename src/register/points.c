/* Points: drawn, looked at, put in order. */
#include "register/points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_random.h"

#define CHUNK_MAX 2048
#define TRIES 64 /* for a point in the region, for each that is wanted */
#define POINTS_MIN 500
#define FIELDS 4

static enum rs_code points_init(struct points *points, size_t count, struct rs_error *err)
{
	points->block = rs_allocate_array(FIELDS * count, sizeof *points->block);
	points->bin = rs_allocate_array(count, sizeof *points->bin);
	if (!points->block || !points->bin)
		return rs_error_memory(err, count * FIELDS * sizeof *points->block, "points");
	for (size_t a = 0; a < 3; a++)
		points->place_mm[a] = points->block + a * count;
	points->grey = points->block + 3 * count;
	return RS_OK;
}

void points_finish(struct points *points)
{
	rs_free(points->block);
	rs_free(points->bin);
	rs_free(points->chunks);
}

/* The next place, in voxels. The steps are powers of the least root of x^4 = x + 1: of such sequences the evenest in three
 * dimensions. */
static void next_place(double at[3], const size_t size[3], double index[3])
{
	static const double steps[] = {0.81917251339616444, 0.67104360670378920, 0.54970047790197044};
	for (int a = 0; a < 3; a++) {
		at[a] += steps[a];
		at[a] -= floor(at[a]);
		index[a] = at[a] * (double)(size[a] - 1);
	}
}

enum rs_code points_draw(struct points *out, const struct rs_volume *fixed, const uint8_t *region,
                         size_t count, uint64_t seed, struct rs_error *err)
{
	struct points points RS_CLEANUP(points_finish) = {0};
	const size_t *size = fixed->geometry.size;
	struct rs_stream random = {seed};
	struct space space;
	double at[3];
	RS_TRY(space_of(&fixed->geometry, &space, err));
	RS_TRY(points_init(&points, count, err));
	for (int a = 0; a < 3; a++)
		at[a] = rs_stream_unit(&random);
	for (size_t tries = 0; points.count < count && tries < TRIES * count; tries++) {
		double index[3], place[3];
		next_place(at, size, index);
		const size_t voxel = ((size_t)(index[2] + 0.5) * size[1] + (size_t)(index[1] + 0.5)) *
		                             size[0] +
		                     (size_t)(index[0] + 0.5);
		if (region && !region[voxel])
			continue;
		space_point(&space, index, place);
		for (int a = 0; a < 3; a++)
			points.place_mm[a][points.count] = place[a];
		points.count++;
	}
	if (points.count < POINTS_MIN)
		return rs_error_set(
			err, RS_REFUSED,
			"the region that is looked at holds %zu of %zu places: too few to register by; "
			"draw a larger one",
			points.count, TRIES * count);
	*out = points;
	points = (struct points){0};
	return RS_OK;
}

void points_look(struct points *points, const struct view *fixed, size_t bins)
{
	const double scale = (double)bins / (fixed->high - fixed->low);
	for (size_t i = 0; i < points->count; i++) {
		const double place[3] = {points->place_mm[0][i], points->place_mm[1][i],
		                         points->place_mm[2][i]};
		double index[3], slopes[3];
		space_index(&fixed->space, place, index);
		for (int a = 0; a < 3; a++) /* rounding */
			index[a] = fmin(fmax(index[a], -0.5), (double)fixed->size[a] - 0.5);
		points->grey[i] = view_look(fixed, index, slopes);
		const double bin = floor((points->grey[i] - fixed->low) * scale);
		points->bin[i] = (uint16_t)fmin(fmax(bin, 0), (double)(bins - 1));
	}
}

static int by_number(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static enum rs_code cut(struct points *points, const uint64_t *order, struct rs_error *err)
{
	size_t rows = 1;
	for (size_t i = 1; i < points->count; i++)
		rows += order[i] >> 48 != order[i - 1] >> 48;
	const size_t most = rows + points->count / CHUNK_MAX;
	struct chunk *chunks = rs_allocate_array(most, sizeof *chunks), *chunk = chunks;
	if (!chunks)
		return rs_error_memory(err, most * sizeof *chunks, "chunks of points");
	*chunk = (struct chunk){.row = (size_t)(order[0] >> 48)};
	for (size_t i = 0; i < points->count; i++) {
		const size_t row = (size_t)(order[i] >> 48);
		if (row != chunk->row || i - chunk->begin == CHUNK_MAX)
			*++chunk = (struct chunk){.begin = i, .row = row};
		chunk->end = i + 1;
	}
	rs_free(points->chunks);
	points->chunks = chunks;
	points->chunk_count = (size_t)(chunk - chunks) + 1;
	return RS_OK;
}

enum rs_code points_sort(struct points *points, const uint32_t *keys, struct rs_error *err)
{
	const size_t count = points->count;
	uint64_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *order);
	double *old RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *old);
	if (!order || !old)
		return rs_error_memory(err, count * (sizeof *order + sizeof *old), "the order of points");
	for (size_t i = 0; i < count; i++)
		order[i] = (uint64_t)keys[i] << 32 | i;
	qsort(order, count, sizeof *order, by_number);
	RS_TRY(cut(points, order, err));
	for (int a = 0; a < 3; a++) {
		memcpy(old, points->place_mm[a], count * sizeof *old);
		for (size_t i = 0; i < count; i++)
			points->place_mm[a][i] = old[order[i] & UINT32_MAX];
	}
	return RS_OK;
}
