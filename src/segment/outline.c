/* What of a rough outline is surely inside, and what surely outside: all that lies deeper than the band. */
#include <math.h>
#include <string.h>

#include "segment/distance.h"
#include "segment/segment_grow.h"

#define DEEPEST 0.5 /* of the way to the innermost voxel: thin regions keep a core */

static bool find_box(const struct rs_mask *outline, double band_mm, struct rs_box *out)
{
	const struct rs_geometry *g = &outline->geometry;
	size_t low[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, high[3] = {0}, i = 0;
	for (size_t z = 0; z < g->size[2]; z++)
		for (size_t y = 0; y < g->size[1]; y++)
			for (size_t x = 0; x < g->size[0]; x++, i++) {
				const size_t at[3] = {x, y, z};
				for (int a = 0; outline->labels[i] && a < 3; a++) {
					low[a] = at[a] < low[a] ? at[a] : low[a];
					high[a] = at[a] > high[a] ? at[a] : high[a];
				}
			}
	for (int a = 0; low[0] <= high[0] && a < 3; a++) {
		const size_t by = (size_t)ceil(band_mm / g->spacing_mm[a]) + 1, end = high[a] + by + 1;
		out->first[a] = low[a] > by ? low[a] - by : 0;
		out->size[a] = (end < g->size[a] ? end : g->size[a]) - out->first[a];
	}
	return low[0] <= high[0];
}

static size_t voxel_of(const struct rs_mask *mask, const struct rs_box *box, size_t k)
{
	const size_t x = k % box->size[0], y = k / box->size[0] % box->size[1],
		     z = k / box->size[0] / box->size[1];
	return ((box->first[2] + z) * mask->geometry.size[1] + box->first[1] + y) * mask->geometry.size[0] +
	       box->first[0] + x;
}

/* Squared distances of each side's voxels to the other one. */
static enum rs_code take_side(const struct rs_mask *outline, const struct rs_box *box, bool inside,
                              double band_mm, double *field, struct rs_mask *out, struct rs_error *err)
{
	const size_t count = rs_box_voxels(box);
	double deepest = 0;
	for (size_t k = 0; k < count; k++)
		field[k] = (outline->labels[voxel_of(outline, box, k)] != 0) == inside ? INFINITY : 0;
	RS_TRY(distance_squared(field, box->size, outline->geometry.spacing_mm, err));
	for (size_t k = 0; k < count; k++)
		deepest = isinf(field[k]) ? deepest : fmax(deepest, field[k]);
	const double least = inside ? fmin(band_mm, DEEPEST * sqrt(deepest)) : band_mm;
	for (size_t k = 0; k < count; k++)
		if (field[k] > least * least)
			out->labels[voxel_of(outline, box, k)] = inside ? 1 : 2;
	return RS_OK;
}

enum rs_code rs_outline_strokes(const struct rs_mask *outline, double band_mm, struct rs_mask *out,
                                struct rs_box *out_box, struct rs_error *err)
{
	struct rs_mask strokes RS_CLEANUP(rs_mask_finish) = {0};
	struct rs_box box;
	if (!(band_mm > 0 && band_mm < 1000))
		return rs_error_set(err, RS_USAGE, "a band is wider than 0 and narrower than 1000 mm");
	if (!find_box(outline, band_mm, &box))
		return rs_error_set(err, RS_NOT_FOUND, "the outline has no voxel inside");
	double *field RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rs_box_voxels(&box), sizeof *field);
	if (!field)
		return rs_error_memory(err, rs_box_voxels(&box) * sizeof *field, "distances to an outline");
	RS_TRY(rs_mask_init(&strokes, &outline->geometry, err));
	RS_TRY(take_side(outline, &box, true, band_mm, field, &strokes, err));
	RS_TRY(take_side(outline, &box, false, band_mm, field, &strokes, err));
	*out = strokes;
	*out_box = box;
	strokes = (struct rs_mask){0};
	return RS_OK;
}
