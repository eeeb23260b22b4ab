/* A mask on one grid, carried onto another by the nearest voxel. */
#include <math.h>
#include <string.h>

#include "filter/filter_resample.h"

/* Index in the mask of a point: columns of `to_index` times the point, less the origin. */
struct frame {
	double to_index[3][3];
	double origin[3];
};

static enum rs_code frame_of(const struct rs_geometry *g, struct frame *out, struct rs_error *err)
{
	const double(*d)[3] = g->direction;
	double minor[3][3], determinant = 0;
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 3; c++) {
			int r1 = (r + 1) % 3, r2 = (r + 2) % 3, c1 = (c + 1) % 3, c2 = (c + 2) % 3;
			minor[r][c] = d[r1][c1] * d[r2][c2] - d[r1][c2] * d[r2][c1];
		}
	for (int c = 0; c < 3; c++)
		determinant += d[0][c] * minor[0][c];
	if (!(fabs(determinant) > 1e-6))
		return rs_error_set(err, RS_REFUSED, "the mask's directions do not span space");
	for (int axis = 0; axis < 3; axis++) {
		for (int r = 0; r < 3; r++)
			out->to_index[axis][r] = minor[r][axis] / determinant / g->spacing_mm[axis];
		out->origin[axis] = g->origin_mm[axis];
	}
	return RS_OK;
}

static void position(const struct rs_geometry *g, const double index[3], double out[3])
{
	for (int r = 0; r < 3; r++) {
		out[r] = g->origin_mm[r];
		for (int axis = 0; axis < 3; axis++)
			out[r] += g->direction[r][axis] * g->spacing_mm[axis] * index[axis];
	}
}

static void index_of(const struct frame *frame, const double point[3], double out[3])
{
	for (int axis = 0; axis < 3; axis++) {
		out[axis] = 0;
		for (int r = 0; r < 3; r++)
			out[axis] += frame->to_index[axis][r] * (point[r] - frame->origin[r]);
	}
}

/* The mask's label there, 0 outside; halves round up, as ITK's nearest neighbour does. */
static uint32_t label_at(const struct rs_mask *mask, const double index[3])
{
	size_t at[3];
	for (int a = 0; a < 3; a++) {
		double nearest = floor(index[a] + 0.5);
		if (!(nearest >= 0) || nearest >= (double)mask->geometry.size[a])
			return 0;
		at[a] = (size_t)nearest;
	}
	return mask->labels[(at[2] * mask->geometry.size[1] + at[1]) * mask->geometry.size[0] + at[0]];
}

/* Whether the corners of the box around all labels lie in the image, half a voxel over. */
static enum rs_code labels_inside(const struct rs_geometry *image, const struct rs_mask *mask,
                                  struct rs_error *err)
{
	size_t low[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, high[3] = {0, 0, 0}, i = 0;
	const size_t *size = mask->geometry.size;
	struct frame frame;
	RS_TRY(frame_of(image, &frame, err));
	for (size_t z = 0; z < size[2]; z++)
		for (size_t y = 0; y < size[1]; y++)
			for (size_t x = 0; x < size[0]; x++, i++)
				for (int a = 0; mask->labels[i] != 0 && a < 3; a++) {
					size_t at = a == 0 ? x : a == 1 ? y : z;
					low[a] = at < low[a] ? at : low[a];
					high[a] = at > high[a] ? at : high[a];
				}
	if (low[0] == SIZE_MAX)
		return rs_error_set(err, RS_NOT_FOUND, "the mask is empty");
	for (unsigned corner = 0; corner < 8; corner++) {
		double index[3], point[3];
		for (int a = 0; a < 3; a++)
			index[a] = (double)(corner >> a & 1 ? high[a] : low[a]);
		position(&mask->geometry, index, point);
		index_of(&frame, point, index);
		for (int a = 0; a < 3; a++)
			if (!(index[a] >= -0.5) || !(index[a] <= (double)image->size[a] - 0.5))
				return rs_error_set(
					err, RS_REFUSED,
					"the mask's labels reach voxel %.1f along %c, the image has %zu; "
					"they do not belong together",
					index[a], "xyz"[a], image -> size[a]);
	}
	return RS_OK;
}

enum rs_code rs_mask_onto(const struct rs_geometry *image, const struct rs_mask *mask, struct rs_mask *out,
                          struct rs_error *err)
{
	struct rs_mask made RS_CLEANUP(rs_mask_finish) = {0};
	struct frame frame;
	RS_TRY(labels_inside(image, mask, err));
	RS_TRY(frame_of(&mask->geometry, &frame, err));
	RS_TRY(rs_mask_init(&made, image, err));
	size_t i = 0;
	for (size_t z = 0; z < image->size[2]; z++)
		for (size_t y = 0; y < image->size[1]; y++)
			for (size_t x = 0; x < image->size[0]; x++, i++) {
				double point[3], index[3];
				position(image, (const double[3]){(double)x, (double)y, (double)z}, point);
				index_of(&frame, point, index);
				made.labels[i] = label_at(mask, index);
			}
	if (mask->name_count > 0) {
		made.names = rs_allocate_array(mask->name_count, sizeof *made.names);
		if (made.names == NULL)
			return rs_error_memory(err, mask->name_count * sizeof *made.names, "names of labels");
		memcpy(made.names, mask->names, mask->name_count * sizeof *made.names);
		made.name_count = mask->name_count;
	}
	*out = made;
	made = (struct rs_mask){0};
	return RS_OK;
}
