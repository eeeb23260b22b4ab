/* Volumes and masks: memory, and whether two of them lie in the same physical space. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "image/image.h"

static enum rs_code count_voxels(const struct rs_geometry *geometry, size_t *out, struct rs_error *err)
{
	size_t count = 1;
	for (int axis = 0; axis < 3; axis++)
		if (geometry->size[axis] == 0 || !rs_mul_size(count, geometry->size[axis], &count) ||
		    count > RS_VOXELS_MAX)
			return rs_error_set(err, RS_TOO_LARGE,
			                    "a grid of %zu x %zu x %zu voxels is empty or too large",
			                    geometry->size[0], geometry->size[1], geometry->size[2]);
	*out = count;
	return RS_OK;
}

enum rs_code rs_volume_init(struct rs_volume *out, const struct rs_geometry *geometry, struct rs_error *err)
{
	size_t count, size;
	RS_TRY(count_voxels(geometry, &count, err));
	double *voxels = rs_mul_size(count, sizeof *voxels, &size) ? rs_allocate_aligned(size) : NULL;
	if (!voxels)
		return rs_error_memory(err, count * sizeof *voxels, "voxels");
	*out = (struct rs_volume){*geometry, RS_VOXEL_F64, voxels};
	return RS_OK;
}

void rs_volume_finish(struct rs_volume *volume)
{
	if (!volume)
		return;
	rs_free(volume->voxels);
	volume->voxels = NULL;
}

enum rs_code rs_mask_init(struct rs_mask *out, const struct rs_geometry *geometry, struct rs_error *err)
{
	size_t count, size;
	RS_TRY(count_voxels(geometry, &count, err));
	uint32_t *labels = rs_mul_size(count, sizeof *labels, &size) ? rs_allocate_aligned(size) : NULL;
	if (!labels)
		return rs_error_memory(err, count * sizeof *labels, "labels");
	*out = (struct rs_mask){.geometry = *geometry, .labels = labels};
	return RS_OK;
}

void rs_mask_finish(struct rs_mask *mask)
{
	if (!mask)
		return;
	rs_free(mask->labels);
	rs_free(mask->names);
	mask->labels = NULL;
	mask->names = NULL;
	mask->name_count = 0;
}

#define LABELS_TOLD 16

/* Puts a label into the ascending least ones; returns how many they are. */
static size_t keep_least(uint32_t *least, size_t count, uint32_t label)
{
	size_t at = count;
	while (at > 0 && least[at - 1] >= label)
		at--;
	if (label == 0 || at == LABELS_TOLD || (at < count && least[at] == label))
		return count;
	count += count < LABELS_TOLD;
	memmove(least + at + 1, least + at, (count - at - 1) * sizeof *least);
	least[at] = label;
	return count;
}

void rs_mask_labels_text(const struct rs_mask *mask, char *out, size_t size)
{
	uint32_t least[LABELS_TOLD];
	size_t count = 0, used = 0;
	size_t voxels = mask->labels != NULL ? rs_geometry_voxels(&mask->geometry) : 0;
	for (size_t i = 0; i < voxels; i++)
		if (i == 0 || mask->labels[i] != mask->labels[i - 1])
			count = keep_least(least, count, mask->labels[i]);
	for (size_t i = 0; voxels == 0 && i < mask->name_count; i++)
		count = keep_least(least, count, mask->names[i].value);
	snprintf(out, size, "none");
	for (size_t i = 0; i < count && used + 80 < size; i++) {
		const char *name = "";
		for (size_t k = 0; k < mask->name_count; k++)
			name = mask->names[k].value == least[i] ? mask->names[k].name : name;
		int n = snprintf(out + used, size - used, "%s%" PRIu32 "%s%s%s", i > 0 ? ", " : "", least[i],
		                 *name ? " (" : "", name, *name ? ")" : "");
		used += n > 0 ? (size_t)n : 0;
	}
}

static void corner_position(const struct rs_geometry *geometry, unsigned corner, double out[3])
{
	for (int row = 0; row < 3; row++) {
		out[row] = geometry->origin_mm[row];
		for (int axis = 0; axis < 3; axis++) {
			double index = corner >> axis & 1 ? (double)(geometry->size[axis] - 1) : 0;
			out[row] += geometry->direction[row][axis] * geometry->spacing_mm[axis] * index;
		}
	}
}

/* The largest distance between the same corners of two grids of equal size. */
static double corner_distance(const struct rs_geometry *a, const struct rs_geometry *b)
{
	double largest = 0;
	for (unsigned corner = 0; corner < 8; corner++) {
		double first[3], second[3], sum = 0;
		corner_position(a, corner, first);
		corner_position(b, corner, second);
		for (int axis = 0; axis < 3; axis++)
			sum += (first[axis] - second[axis]) * (first[axis] - second[axis]);
		if (isnan(sum)) /* fmax would drop it, and call the grids equal */
			return INFINITY;
		largest = fmax(largest, sqrt(sum));
	}
	return largest;
}

enum rs_code rs_mask_match(const struct rs_geometry *image, struct rs_mask *mask, double tolerance_mm,
                           char *note, size_t note_size, struct rs_error *err)
{
	const struct rs_geometry *other = &mask->geometry;
	if (memcmp(image->size, other->size, sizeof image->size) != 0)
		return rs_error_set(
			err, RS_REFUSED,
			"the image has %zu x %zu x %zu voxels, the mask %zu x %zu x %zu: they are not on one grid; "
			"resample the mask to the image",
			image->size[0], image->size[1], image->size[2], other->size[0], other->size[1],
			other->size[2]);
	double distance = corner_distance(image, other);
	if (note_size)
		note[0] = '\0';
	if (distance == 0)
		return RS_OK;
	/* A thousandth of a voxel is noise of headers whatever the tolerance: float32 positions at 1 m differ by that. */
	double noise = 1e-3 * fmin(image->spacing_mm[0], fmin(image->spacing_mm[1], image->spacing_mm[2]));
	if (!(distance <= fmax(tolerance_mm, noise)))
		return rs_error_set(
			err, RS_REFUSED,
			"image and mask lie in different places: their corners are up to %.6g mm apart (origins "
			"%.6g %.6g %.6g and %.6g %.6g %.6g, spacings %.6g %.6g %.6g and %.6g %.6g %.6g mm)",
			distance, image->origin_mm[0], image->origin_mm[1], image->origin_mm[2],
			other->origin_mm[0], other->origin_mm[1], other->origin_mm[2], image->spacing_mm[0],
			image->spacing_mm[1], image->spacing_mm[2], other->spacing_mm[0],
			other->spacing_mm[1], other->spacing_mm[2]);
	if (note_size)
		snprintf(note, note_size,
		         "the mask's header was up to %.3g mm off and took the image's geometry", distance);
	mask->geometry = *image;
	return RS_OK;
}
