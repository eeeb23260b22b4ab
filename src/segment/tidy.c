/* Pieces and holes by flooding from voxel to voxel; only what is flooded and the box around it is looked at. */
#include "segment/tidy.h"

#include <string.h>

enum { OUTSIDE, CANDIDATE, KEPT, SEEN };

struct flood {
	uint8_t *mask;
	const size_t *size;
	size_t *stack, used, capacity;
	size_t low[3], high[3]; /* what was flooded */
	uint64_t count;
};

static void flood_finish(struct flood *f) { rs_free(f->stack); }

static enum rs_code push(struct flood *f, size_t voxel, uint8_t as, struct rs_error *err)
{
	f->mask[voxel] = as;
	if (f->used == f->capacity) {
		const size_t capacity = f->capacity ? 2 * f->capacity : 4096;
		size_t *stack = rs_reallocate(f->stack, capacity * sizeof *stack);
		if (!stack)
			return rs_error_memory(err, capacity * sizeof *stack, "a region's pieces");
		f->stack = stack;
		f->capacity = capacity;
	}
	f->stack[f->used++] = voxel;
	return RS_OK;
}

/* From `start`, over voxels that are `from` within low … high, which become `as`. */
static enum rs_code flood(struct flood *f, size_t start, uint8_t from, uint8_t as, const size_t low[3],
                          const size_t high[3], struct rs_error *err)
{
	const size_t stride[3] = {1, f->size[0], f->size[0] * f->size[1]};
	RS_TRY(push(f, start, as, err));
	while (f->used) {
		const size_t voxel = f->stack[--f->used];
		f->count++;
		for (int a = 0; a < 3; a++) {
			const size_t at = voxel / stride[a] % f->size[a];
			f->low[a] = at < f->low[a] ? at : f->low[a];
			f->high[a] = at > f->high[a] ? at : f->high[a];
			if (at > low[a] && f->mask[voxel - stride[a]] == from)
				RS_TRY(push(f, voxel - stride[a], as, err));
			if (at < high[a] && f->mask[voxel + stride[a]] == from)
				RS_TRY(push(f, voxel + stride[a], as, err));
		}
	}
	return RS_OK;
}

static void flood_reset(struct flood *f)
{
	for (int a = 0; a < 3; a++) {
		f->low[a] = SIZE_MAX;
		f->high[a] = 0;
	}
	f->count = 0;
}

/* Flooding marks the piece as SEEN; the largest is flooded once more. */
static enum rs_code keep_largest(struct flood *f, size_t count, const size_t last[3], struct rs_error *err)
{
	static const size_t origin[3] = {0, 0, 0};
	uint64_t largest = 0;
	size_t start = count;
	for (size_t i = 0; i < count; i++) {
		if (f->mask[i] != CANDIDATE)
			continue;
		flood_reset(f);
		RS_TRY(flood(f, i, CANDIDATE, SEEN, origin, last, err));
		if (f->count > largest) {
			largest = f->count;
			start = i;
		}
	}
	flood_reset(f);
	return start < count ? flood(f, start, SEEN, KEPT, origin, last, err) : RS_OK;
}

static enum rs_code keep_anchored(struct flood *f, size_t count, const size_t last[3], const uint8_t *anchors,
                                  uint8_t anchor, struct rs_error *err)
{
	static const size_t origin[3] = {0, 0, 0};
	flood_reset(f);
	for (size_t i = 0; i < count; i++)
		if (anchors[i] == anchor && f->mask[i] == CANDIDATE)
			RS_TRY(flood(f, i, CANDIDATE, KEPT, origin, last, err));
	return RS_OK;
}

/* What lies in the region's box and is not reached from the box's faces. */
static enum rs_code fill_holes(struct flood *f, struct rs_error *err)
{
	const size_t low[3] = {f->low[0], f->low[1], f->low[2]},
		     high[3] = {f->high[0], f->high[1], f->high[2]};
	for (size_t z = low[2]; z <= high[2]; z++)
		for (size_t y = low[1]; y <= high[1]; y++)
			for (size_t x = low[0]; x <= high[0]; x++) {
				const bool at_face = x == low[0] || x == high[0] || y == low[1] ||
				                     y == high[1] || z == low[2] || z == high[2];
				const size_t i = (z * f->size[1] + y) * f->size[0] + x;
				if (at_face && f->mask[i] == OUTSIDE)
					RS_TRY(flood(f, i, OUTSIDE, SEEN, low, high, err));
			}
	f->count = 0;
	for (size_t z = low[2]; z <= high[2]; z++)
		for (size_t y = low[1]; y <= high[1]; y++)
			for (size_t x = low[0]; x <= high[0]; x++) {
				uint8_t *voxel = &f->mask[(z * f->size[1] + y) * f->size[0] + x];
				*voxel = *voxel != SEEN;
				f->count += *voxel;
			}
	return RS_OK;
}

enum rs_code tidy(uint8_t *mask, const size_t size[3], const uint8_t *anchors, uint8_t anchor,
                  uint64_t *out_count, struct rs_error *err)
{
	struct flood f RS_CLEANUP(flood_finish) = {.mask = mask, .size = size};
	const size_t count = size[0] * size[1] * size[2], last[3] = {size[0] - 1, size[1] - 1, size[2] - 1};
	for (size_t i = 0; i < count; i++)
		mask[i] = mask[i] != 0;
	RS_TRY(anchors ? keep_anchored(&f, count, last, anchors, anchor, err)
	               : keep_largest(&f, count, last, err));
	const bool any = f.count > 0;
	for (size_t i = 0; i < count; i++)
		mask[i] = mask[i] == KEPT ? KEPT : OUTSIDE;
	if (any)
		RS_TRY(fill_holes(&f, err));
	*out_count = any ? f.count : 0;
	return RS_OK;
}
