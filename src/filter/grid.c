/* Grids in space, and what both ways of resampling share. */
#include <math.h>
#include <string.h>

#include "filter/grid.h"

enum rs_code grid_of(const struct rs_geometry *geometry, struct grid *out, struct rs_error *err)
{
	for (int r = 0; r < 3; r++) {
		for (int c = 0; c < 3; c++)
			out->to_point[r][c] = geometry->direction[r][c] * geometry->spacing_mm[c];
		out->origin_mm[r] = geometry->origin_mm[r];
		if (!isfinite(geometry->origin_mm[r]) || !(geometry->spacing_mm[r] > 0))
			return rs_error_set(err, RS_REFUSED,
			                    "an image with origin %g and spacing %g mm along %c lies nowhere",
			                    geometry->origin_mm[r], geometry->spacing_mm[r], "xyz"[r]);
	}
	if (!invert3((const double(*)[3])out->to_point, out->to_index))
		return rs_error_set(err, RS_REFUSED, "the directions of the axes do not span space");
	return RS_OK;
}

void grid_point(const struct grid *grid, const double index[3], double out[3])
{
	for (int r = 0; r < 3; r++) {
		out[r] = grid->origin_mm[r];
		for (int c = 0; c < 3; c++)
			out[r] += grid->to_point[r][c] * index[c];
	}
}

void grid_index(const struct grid *grid, const double point[3], double out[3])
{
	for (int r = 0; r < 3; r++) {
		out[r] = 0;
		for (int c = 0; c < 3; c++)
			out[r] += grid->to_index[r][c] * (point[c] - grid->origin_mm[c]);
	}
}

enum rs_code label_bounds(const struct rs_mask *mask, uint32_t label, size_t first[3], size_t size[3],
                          struct rs_error *err)
{
	const size_t *whole = mask->geometry.size;
	size_t low[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, high[3] = {0, 0, 0};
	const uint32_t *row = mask->labels;
	for (size_t z = 0; z < whole[2]; z++)
		for (size_t y = 0; y < whole[1]; y++, row += whole[0])
			for (size_t x = 0; x < whole[0]; x++)
				if (row[x] == label) {
					const size_t at[3] = {x, y, z};
					for (int a = 0; a < 3; a++) {
						low[a] = at[a] < low[a] ? at[a] : low[a];
						high[a] = at[a] > high[a] ? at[a] : high[a];
					}
				}
	if (low[0] == SIZE_MAX)
		return rs_error_set(err, RS_REFUSED, "the mask has no label %u to resample around", label);
	for (int a = 0; a < 3; a++) {
		first[a] = low[a];
		size[a] = high[a] - low[a] + 1;
	}
	return RS_OK;
}

enum rs_code grid_resize(const struct rs_geometry *from, const double spacing_mm[3], const double size[3],
                         struct rs_geometry *out, struct rs_error *err)
{
	struct rs_geometry geometry = *from;
	double voxels = 1;
	for (int a = 0; a < 3; a++)
		voxels *= size[a] >= 1 ? size[a] : NAN;
	if (!(voxels <= (double)RS_VOXELS_MAX))
		return rs_error_set(err, RS_REFUSED,
		                    "voxels of %g x %g x %g mm make a grid of %g x %g x %g, more than %zu "
		                    "in all; ask for a coarser one",
		                    spacing_mm[0], spacing_mm[1], spacing_mm[2], size[0], size[1], size[2],
		                    RS_VOXELS_MAX);
	for (int a = 0; a < 3; a++) {
		geometry.size[a] = (size_t)size[a];
		geometry.spacing_mm[a] = spacing_mm[a];
	}
	*out = geometry;
	return RS_OK;
}

enum rs_code names_copy(const struct rs_mask *from, struct rs_mask *to, struct rs_error *err)
{
	if (from->name_count == 0)
		return RS_OK;
	to->names = rs_allocate_array(from->name_count, sizeof *to->names);
	if (!to->names)
		return rs_error_memory(err, from->name_count * sizeof *to->names, "names of labels");
	memcpy(to->names, from->names, from->name_count * sizeof *to->names);
	to->name_count = from->name_count;
	return RS_OK;
}
