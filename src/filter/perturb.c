#include "filter/filter_perturb.h"

#include <math.h>

#include "base/base_random.h"

static enum rs_code region_of(const struct rs_mask *mask, uint32_t label, struct rs_mask *out,
                              size_t *out_count, struct rs_error *err)
{
	size_t voxels = rs_geometry_voxels(&mask->geometry), count = 0;
	RS_TRY(rs_mask_init(out, &mask->geometry, err));
	for (size_t v = 0; v < voxels; v++)
		count += out->labels[v] = mask->labels[v] == label;
	*out_count = count;
	if (count > 0)
		return RS_OK;
	rs_mask_finish(out);
	return rs_error_set(err, RS_REFUSED, "no voxel has label %u", label);
}

/* Whether one of the six neighbours is (`inside`) or is not of the region; beyond the grid nothing is. */
static bool touches(const struct rs_mask *mask, size_t voxel, bool inside)
{
	const size_t *size = mask->geometry.size;
	size_t at[3] = {voxel % size[0], voxel / size[0] % size[1], voxel / size[0] / size[1]};
	const size_t stride[3] = {1, size[0], size[0] * size[1]};
	for (size_t axis = 0; axis < 3; axis++) {
		bool before = at[axis] > 0 && mask->labels[voxel - stride[axis]];
		bool after = at[axis] + 1 < size[axis] && mask->labels[voxel + stride[axis]];
		if (before == inside || after == inside)
			return true;
	}
	return false;
}

static size_t find_layer(const struct rs_mask *mask, bool grow, size_t *out)
{
	size_t voxels = rs_geometry_voxels(&mask->geometry), count = 0;
	for (size_t v = 0; v < voxels; v++)
		if ((mask->labels[v] != 0) != grow && touches(mask, v, grow))
			out[count++] = v;
	return count;
}

/* `wanted` of the layer, drawn, come first. */
static void draw(size_t *layer, size_t count, size_t wanted, struct rs_stream *stream)
{
	for (size_t i = 0; i < wanted; i++) {
		size_t from = i + (size_t)rs_stream_below(stream, count - i), kept = layer[i];
		layer[i] = layer[from];
		layer[from] = kept;
	}
}

static void change(struct rs_mask *mask, bool grow, size_t left, uint64_t seed, size_t *layer)
{
	struct rs_stream stream = rs_stream_of(seed, grow);
	while (left > 0) {
		size_t count = find_layer(mask, grow, layer), taken = count < left ? count : left;
		if (taken == 0)
			break;
		draw(layer, count, taken < count ? taken : 0, &stream);
		for (size_t i = 0; i < taken; i++)
			mask->labels[layer[i]] = grow;
		left -= taken;
	}
}

enum rs_code rs_mask_resize(const struct rs_mask *mask, uint32_t label, double share, uint64_t seed,
                            struct rs_mask *out, struct rs_error *err)
{
	struct rs_mask region = {0};
	size_t count;
	RS_TRY(region_of(mask, label, &region, &count, err));
	size_t *layer RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rs_geometry_voxels(&mask->geometry),
	                                                              sizeof *layer);
	double changed = round(fabs(share) * (double)count);
	enum rs_code code = RS_OK;
	if (!layer)
		code = rs_error_memory(err, rs_geometry_voxels(&mask->geometry) * sizeof *layer, "a mask");
	else if (share < 0 && changed >= (double)count)
		code = rs_error_set(err, RS_REFUSED, "of %zu voxels nothing would be left", count);
	if (code != RS_OK) {
		rs_mask_finish(&region);
		return code;
	}
	change(&region, share > 0, (size_t)changed, seed, layer);
	*out = region;
	return RS_OK;
}

enum rs_code rs_mask_shift(const struct rs_mask *mask, uint32_t label, const int by[3], struct rs_mask *out,
                           struct rs_error *err)
{
	struct rs_mask moved = {0};
	const size_t *size = mask->geometry.size;
	size_t voxels = rs_geometry_voxels(&mask->geometry), count = 0;
	RS_TRY(rs_mask_init(&moved, &mask->geometry, err));
	for (size_t v = 0; v < voxels; v++) {
		const size_t from[3] = {v % size[0], v / size[0] % size[1], v / size[0] / size[1]};
		int64_t to[3];
		bool within = true;
		if (mask->labels[v] != label)
			continue;
		for (size_t axis = 0; axis < 3; axis++) {
			to[axis] = (int64_t)from[axis] + by[axis];
			within &= to[axis] >= 0 && to[axis] < (int64_t)size[axis];
		}
		count++;
		if (!within) {
			rs_mask_finish(&moved);
			return rs_error_set(err, RS_REFUSED,
			                    "moved by %d, %d, %d voxels the region leaves the image", by[0],
			                    by[1], by[2]);
		}
		moved.labels[((size_t)to[2] * size[1] + (size_t)to[1]) * size[0] + (size_t)to[0]] = 1;
	}
	if (count == 0) {
		rs_mask_finish(&moved);
		return rs_error_set(err, RS_REFUSED, "no voxel has label %u", label);
	}
	*out = moved;
	return RS_OK;
}

/* Σ |1 -2 1; -2 4 -2; 1 -2 1| over a slice's inner voxels. */
static double responses(const double *slice, size_t width, size_t height)
{
	double sum = 0;
	for (size_t y = 1; y + 1 < height; y++)
		for (size_t x = 1; x + 1 < width; x++) {
			const double *above = slice + (y - 1) * width + x, *here = above + width,
				     *below = here + width;
			double row = here[-1] - 2 * here[0] + here[1];
			sum += fabs(above[-1] - 2 * above[0] + above[1] - 2 * row + below[-1] - 2 * below[0] +
			            below[1]);
		}
	return sum;
}

double rs_volume_noise(const struct rs_volume *volume)
{
	const double pi = 3.141592653589793;
	const size_t *size = volume->geometry.size;
	double sum = 0;
	if (size[0] < 3 || size[1] < 3)
		return 0;
	for (size_t z = 0; z < size[2]; z++)
		sum += responses(volume->voxels + z * size[0] * size[1], size[0], size[1]);
	return sqrt(pi / 2) * sum / (6 * (double)(size[0] - 2) * (double)(size[1] - 2) * (double)size[2]);
}

enum rs_code rs_volume_add_noise(const struct rs_volume *volume, double deviation, uint64_t seed,
                                 struct rs_volume *out, struct rs_error *err)
{
	const double two_pi = 6.283185307179586;
	struct rs_volume noisy = {0};
	struct rs_stream stream = rs_stream_of(seed, 2);
	size_t voxels = rs_geometry_voxels(&volume->geometry);
	RS_TRY(rs_volume_init(&noisy, &volume->geometry, err));
	noisy.stored = RS_VOXEL_F64;
	for (size_t v = 0; v < voxels; v++) { /* Box & Muller */
		double length = sqrt(-2 * log(1 - rs_stream_unit(&stream)));
		noisy.voxels[v] = volume->voxels[v] +
		                  deviation * length * cos(two_pi * rs_stream_unit(&stream));
	}
	*out = noisy;
	return RS_OK;
}
