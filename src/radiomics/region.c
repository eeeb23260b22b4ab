/* Cutting the region out of the volume, narrowing it by intensity, and giving it grey levels. */
#include <math.h>
#include <string.h>

#include "radiomics/evidence.h"

void region_finish(struct region *region)
{
	if (region == NULL)
		return;
	if (!region->borrowed) {
		rs_free(region->inside);
		rs_free(region->values);
	}
	memset(region, 0, sizeof *region);
}

static size_t count_in_row(const uint32_t *labels, size_t size, uint32_t label)
{
	size_t x = 0;
	quad zero = {0}, found = {0};
	for (; x + QUAD <= size; x += QUAD)
		found -= (quad)(quad_read(labels + x) == zero + label);
	size_t count = (size_t)found[0] + found[1] + found[2] + found[3];
	for (; x < size; x++)
		count += labels[x] == label;
	return count;
}

static bool bounding_box(const uint32_t *labels, const size_t size[3], uint32_t label, struct region *out)
{
	size_t low[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, high[3] = {0, 0, 0};
	for (size_t r = 0; r < size[1] * size[2]; r++, labels += size[0]) {
		size_t count = count_in_row(labels, size[0], label), first = 0, last = size[0] - 1;
		if (count == 0)
			continue;
		while (labels[first] != label)
			first++;
		while (labels[last] != label)
			last--;
		const size_t begin[3] = {first, r % size[1], r / size[1]},
			     end[3] = {last, begin[1], begin[2]};
		for (int a = 0; a < 3; a++) {
			low[a] = begin[a] < low[a] ? begin[a] : low[a];
			high[a] = end[a] > high[a] ? end[a] : high[a];
		}
		out->count += count;
	}
	for (int a = 0; a < 3 && out->count > 0; a++) {
		out->first[a] = low[a];
		out->size[a] = high[a] - low[a] + 1;
	}
	return out->count > 0;
}

static enum rs_code region_allocate(struct region *region, struct rs_error *err)
{
	size_t box = region->size[0] * region->size[1] * region->size[2];
	region->inside = rs_allocate(box);
	region->values = rs_allocate_array(region->count + 1, sizeof *region->values);
	if (region->inside == NULL || region->values == NULL)
		return rs_error_memory(err, box + region->count * sizeof *region->values, "a region");
	return RS_OK;
}

/* One row of the box; returns how many values it wrote. One more may be written than counts, and is not read. */
static size_t cut_row(const double *voxels, const uint32_t *labels, uint32_t label, size_t size,
                      uint8_t *inside, double *values)
{
	size_t n = 0;
	for (size_t x = 0; x < size; x++) {
		bool in = labels[x] == label;
		inside[x] = in;
		values[n] = voxels[x];
		n += in;
	}
	return n;
}

static enum rs_code all_finite(const struct region *region, uint32_t label, struct rs_error *err)
{
	size_t cell = 0;
	bool finite = true;
	for (size_t i = 0; i < region->count; i++)
		finite &= isfinite(region->values[i]) != 0;
	for (size_t i = 0; i < region->count && !finite; i++, cell++) {
		while (!region->inside[cell])
			cell++;
		if (!isfinite(region->values[i]))
			return rs_error_set(err, RS_REFUSED,
			                    "label %u holds a voxel that is no number at (%zu, %zu, "
			                    "%zu); mend the image or exclude it from the mask",
			                    label, region->first[0] + cell % region->size[0],
			                    region->first[1] + cell / region->size[0] % region->size[1],
			                    region->first[2] + cell / region->size[0] / region->size[1]);
	}
	return RS_OK;
}

enum rs_code region_cut(const double *voxels, const uint32_t *labels, const size_t size[3], uint32_t label,
                        struct region *out, struct rs_error *err)
{
	struct region region RS_CLEANUP(region_finish) = {0};
	if (!bounding_box(labels, size, label, &region))
		return rs_error_set(err, RS_NOT_FOUND, "label %u has no voxel", label);
	RS_TRY(region_allocate(&region, err));
	size_t n = 0;
	for (size_t r = 0; r < region.size[1] * region.size[2]; r++) {
		size_t y = region.first[1] + r % region.size[1], z = region.first[2] + r / region.size[1];
		size_t from = (z * size[1] + y) * size[0] + region.first[0];
		n += cut_row(voxels + from, labels + from, label, region.size[0],
		             region.inside + r * region.size[0], region.values + n);
	}
	RS_TRY(all_finite(&region, label, err));
	*out = region;
	memset(&region, 0, sizeof region);
	return RS_OK;
}

static void thresholds(const struct rs_radiomics_settings *settings, const struct region *region,
                       double out[2])
{
	double scale = 1, shift = 0, sum = 0, squares = 0;
	if (settings->resegment_mode == RS_RESEGMENT_RELATIVE) {
		scale = region->values[0];
		for (size_t i = 0; i < region->count; i++)
			scale = region->values[i] > scale ? region->values[i] : scale;
	} else if (settings->resegment_mode == RS_RESEGMENT_SIGMA) {
		for (size_t i = 0; i < region->count; i++)
			sum += region->values[i];
		shift = sum / (double)region->count;
		for (size_t i = 0; i < region->count; i++)
			squares += (region->values[i] - shift) * (region->values[i] - shift);
		scale = sqrt(squares / (double)region->count);
	}
	out[0] = shift + scale * settings->resegment_range[0];
	out[1] = settings->resegment_count > 1 ? shift + scale * settings->resegment_range[1] : INFINITY;
}

/* Labels 1 where the voxel stays, over the old bounding box. */
static uint32_t *surviving(const struct region *whole, const double limit[2], double *box)
{
	size_t size = whole->size[0] * whole->size[1] * whole->size[2], n = 0;
	uint32_t *labels = rs_allocate_array(size, sizeof *labels);
	for (size_t i = 0; labels != NULL && i < size; i++) {
		if (!whole->inside[i])
			continue;
		box[i] = whole->values[n++];
		labels[i] = box[i] >= limit[0] && box[i] <= limit[1];
	}
	return labels;
}

enum rs_code region_resegment(const struct rs_radiomics_settings *settings, const struct region *whole,
                              struct region *out, struct rs_error *err)
{
	size_t size = whole->size[0] * whole->size[1] * whole->size[2];
	double limit[2];
	if (settings->resegment_count == 0) {
		*out = *whole;
		out->borrowed = true;
		return RS_OK;
	}
	thresholds(settings, whole, limit);
	double *box RS_CLEANUP(rs_free_pointer) = rs_allocate_array(size, sizeof *box);
	uint32_t *labels RS_CLEANUP(rs_free_pointer) = box == NULL ? NULL : surviving(whole, limit, box);
	if (labels == NULL)
		return rs_error_memory(err, size * 12, "resegmentation");
	struct region cut = {0};
	enum rs_code code = region_cut(box, labels, whole->size, 1, &cut, err);
	if (code == RS_NO_MEMORY)
		return code;
	if (code != RS_OK)
		return rs_error_set(err, RS_REFUSED,
		                    "resegmentRange leaves no voxel of label %u between "
		                    "%g and %g; widen it",
		                    settings->label, limit[0], limit[1]);
	for (int a = 0; a < 3; a++)
		cut.first[a] += whole->first[a];
	*out = cut;
	return RS_OK;
}

/* Edges of bins: edge(i) = low + i * step, but the last one of a fixed count (PyRadiomics' getBinEdges). */
struct bins {
	double low, step, last;
	uint32_t count;
};

static double edge(const struct bins *bins, uint32_t i)
{
	return i == bins->count ? bins->last : bins->low + (double)i * bins->step;
}

/* The number of edges that are <= x: numpy.digitize. */
static uint32_t level_of(const struct bins *bins, double x)
{
	double guess = floor((x - bins->low) / bins->step);
	uint32_t k = guess < 0 ? 0 : guess > bins->count ? bins->count : (uint32_t)guess;
	while (k > 0 && edge(bins, k) > x)
		k--;
	while (k < bins->count && edge(bins, k + 1) <= x)
		k++;
	return k + 1;
}

static enum rs_code bins_choose(const struct rs_image_settings *settings, const struct region *region,
                                struct bins *out, struct rs_error *err)
{
	double low = region->values[0], high = low;
	for (size_t i = 0; i < region->count; i++) {
		low = region->values[i] < low ? region->values[i] : low;
		high = region->values[i] > high ? region->values[i] : high;
	}
	if (settings->bin_count > 0) {
		if (!(low < high)) {
			low -= 0.5;
			high += 0.5;
		}
		*out = (struct bins){low, (high - low) / settings->bin_count, high + 1, settings->bin_count};
		return RS_OK;
	}
	double width = settings->bin_width, rest = fmod(low, width);
	rest += rest < 0 ? width : 0;
	double start = low - rest, wanted = ceil((high + 2 * width - start) / width);
	if (!(wanted <= RS_RADIOMICS_LEVELS_MAX + 2))
		return rs_error_set(err, RS_REFUSED,
		                    "binWidth %g cuts intensities %g to %g into %.0f bins, "
		                    "more than %d; choose a wider binWidth, or binCount",
		                    width, low, high, wanted, RS_RADIOMICS_LEVELS_MAX);
	double step = start + width - start; /* as numpy.arange rounds it */
	out->low = start;
	out->step = step;
	out->count = (uint32_t)wanted - 1;
	out->last = start + (double)out->count * step;
	return RS_OK;
}

enum rs_code levels_build(const struct rs_image_settings *settings, const struct region *region,
                          struct levels *out, struct rs_error *err)
{
	struct bins bins = {0};
	RS_TRY(bins_choose(settings, region, &bins, err));
	struct levels levels = {.of_voxel = rs_allocate_array(region->count, sizeof *levels.of_voxel),
	                        .histogram = rs_allocate_array(bins.count + 2, sizeof *levels.histogram)};
	if (levels.of_voxel == NULL || levels.histogram == NULL) {
		rs_free(levels.of_voxel);
		rs_free(levels.histogram);
		return rs_error_memory(err, region->count * 4, "grey levels");
	}
	for (size_t i = 0; i < region->count; i++) {
		uint32_t level = level_of(&bins, region->values[i]);
		levels.of_voxel[i] = level;
		levels.histogram[level]++;
		levels.level_count = level > levels.level_count ? level : levels.level_count;
	}
	*out = levels;
	return RS_OK;
}

double log2_guarded(double p) { return log2(p + EPSILON); }
