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

static enum rs_code region_allocate(struct region *region, struct rs_error *err)
{
	size_t box = region->size[0] * region->size[1] * region->size[2];
	region->inside = rs_allocate(box);
	region->values = rs_allocate_array(region->count, sizeof *region->values);
	if (region->inside == NULL || region->values == NULL)
		return rs_error_memory(err, box + region->count * sizeof *region->values, "a region");
	return RS_OK;
}

/* Rows of an image in chunks that threads may take; the cut is the same whoever takes them. */
#define CHUNKS 16
struct cutting {
	const double *voxels;
	const uint32_t *labels, label;
	const size_t *size; /* of the image */
	struct region region;
	struct chunk {
		size_t low[3], high[3]; /* of its voxels; low > high: none */
		size_t count, first;    /* voxels in it, and in those before it */
	} chunks[CHUNKS];
};

static size_t chunk_begin(size_t index, size_t count)
{
	return count / CHUNKS * index + count % CHUNKS * index / CHUNKS;
}

static enum rs_code chunk_measure(void *context, size_t index, struct rs_error *err)
{
	(void)err;
	struct cutting *cutting = context;
	const size_t *size = cutting->size, rows = size[1] * size[2];
	struct chunk chunk = {{SIZE_MAX, SIZE_MAX, SIZE_MAX}, {0, 0, 0}, 0, 0};
	for (size_t r = chunk_begin(index, rows); r < chunk_begin(index + 1, rows); r++) {
		const uint32_t *labels = cutting->labels + r * size[0];
		size_t count = count_in_row(labels, size[0], cutting->label), first = 0, last = size[0] - 1;
		if (count == 0)
			continue;
		while (labels[first] != cutting->label)
			first++;
		while (labels[last] != cutting->label)
			last--;
		const size_t begin[3] = {first, r % size[1], r / size[1]},
			     end[3] = {last, begin[1], begin[2]};
		for (int a = 0; a < 3; a++) {
			chunk.low[a] = begin[a] < chunk.low[a] ? begin[a] : chunk.low[a];
			chunk.high[a] = end[a] > chunk.high[a] ? end[a] : chunk.high[a];
		}
		chunk.count += count;
	}
	cutting->chunks[index] = chunk;
	return RS_OK;
}

/* The box around all chunks, and where the values of each begin. */
static bool bounding_box(struct cutting *cutting)
{
	struct region *region = &cutting->region;
	size_t low[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, high[3] = {0, 0, 0};
	for (size_t k = 0; k < CHUNKS; k++) {
		struct chunk *chunk = &cutting->chunks[k];
		chunk->first = region->count;
		region->count += chunk->count;
		for (int a = 0; a < 3; a++) {
			low[a] = chunk->low[a] < low[a] ? chunk->low[a] : low[a];
			high[a] = chunk->high[a] > high[a] ? chunk->high[a] : high[a];
		}
	}
	for (int a = 0; a < 3 && region->count > 0; a++) {
		region->first[a] = low[a];
		region->size[a] = high[a] - low[a] + 1;
	}
	return region->count > 0;
}

/* One row of the box; returns how many values it wrote. */
static size_t cut_row(const double *voxels, const uint32_t *labels, uint32_t label, size_t size,
                      uint8_t *inside, double *values)
{
	size_t n = 0;
	for (size_t x = 0; x < size; x++) {
		inside[x] = labels[x] == label;
		if (inside[x])
			values[n++] = voxels != NULL ? voxels[x] : 0;
	}
	return n;
}

static enum rs_code chunk_cut(void *context, size_t index, struct rs_error *err)
{
	(void)err;
	struct cutting *cutting = context;
	struct region *region = &cutting->region;
	const size_t *size = cutting->size, rows = size[1] * size[2];
	double *values = region->values + cutting->chunks[index].first;
	for (size_t r = chunk_begin(index, rows); r < chunk_begin(index + 1, rows); r++) {
		size_t y = r % size[1] - region->first[1], z = r / size[1] - region->first[2];
		if (y >= region->size[1] || z >= region->size[2]) /* before the box wraps around */
			continue;
		values += cut_row(
			cutting->voxels != NULL ? cutting->voxels + r * size[0] + region->first[0] : NULL,
			cutting->labels + r * size[0] + region->first[0], cutting->label, region->size[0],
			region->inside + (z * region->size[1] + y) * region->size[0], values);
	}
	return RS_OK;
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
                        struct rs_pool *pool, struct region *out, struct rs_error *err)
{
	struct cutting cutting = {.voxels = voxels, .labels = labels, .label = label, .size = size};
	struct region region RS_CLEANUP(region_finish) = {0};
	RS_TRY(rs_pool_for(pool, CHUNKS, chunk_measure, &cutting, err));
	if (!bounding_box(&cutting))
		return rs_error_set(err, RS_NOT_FOUND, "label %u has no voxel", label);
	region = cutting.region;
	RS_TRY(region_allocate(&region, err));
	cutting.region = region;
	RS_TRY(rs_pool_for(pool, CHUNKS, chunk_cut, &cutting, err));
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
	enum rs_code code = region_cut(box, labels, whole->size, 1, NULL, &cut, err);
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

static bool within(const struct region *frame, size_t x, size_t y, size_t z)
{
	return x >= frame->first[0] && x < frame->first[0] + frame->size[0] && y >= frame->first[1] &&
	       y < frame->first[1] + frame->size[1] && z >= frame->first[2] &&
	       z < frame->first[2] + frame->size[2];
}

enum rs_code region_crop(const struct region *whole, const struct region *frame, struct region *out,
                         struct rs_error *err)
{
	size_t size = whole->size[0] * whole->size[1] * whole->size[2], n = 0, i = 0;
	double *box RS_CLEANUP(rs_free_pointer) = rs_allocate_array(size, sizeof *box);
	uint32_t *labels RS_CLEANUP(rs_free_pointer) = rs_allocate_array(size, sizeof *labels);
	if (box == NULL || labels == NULL)
		return rs_error_memory(err, size * 12, "the region's shape");
	for (size_t z = 0; z < whole->size[2]; z++)
		for (size_t y = 0; y < whole->size[1]; y++)
			for (size_t x = 0; x < whole->size[0]; x++, i++)
				if (whole->inside[i]) {
					box[i] = whole->values[n++];
					labels[i] = within(frame, whole->first[0] + x, whole->first[1] + y,
					                   whole->first[2] + z);
				}
	struct region cut = {0};
	RS_TRY(region_cut(box, labels, whole->size, 1, NULL, &cut, err));
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

static enum rs_code bins_choose(const struct rs_image_settings *settings, double low, double high,
                                struct bins *out, struct rs_error *err)
{
	if (settings->bin_count > 0) {
		if (!(low < high)) {
			low -= 0.5;
			high += 0.5;
		}
		double step = (high - low) / settings->bin_count;
		if (!(step > 0 && isfinite(step)))
			return rs_error_set(err, RS_REFUSED,
			                    "intensities %g to %g cannot be cut into %u bins of numbers in "
			                    "double precision; scale the image",
			                    low, high, settings->bin_count);
		*out = (struct bins){low, step, high + 1, settings->bin_count};
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
	if (!(step > 0 && isfinite(step) && wanted >= 2))
		return rs_error_set(
			err, RS_REFUSED,
			"binWidth %g is lost beside intensities as %g in double precision; choose a "
			"wider binWidth, or scale the image",
			width, high);
	out->low = start;
	out->step = step;
	out->count = (uint32_t)wanted - 1;
	out->last = start + (double)out->count * step;
	return RS_OK;
}

/* Voxels in chunks, as rows above. */
struct levelling {
	const struct region *region;
	struct bins bins;
	struct levels levels;
	double low[CHUNKS], high[CHUNKS];
	uint64_t *histograms; /* [CHUNKS][bins.count + 2] */
};

static enum rs_code chunk_range(void *context, size_t index, struct rs_error *err)
{
	(void)err;
	struct levelling *work = context;
	const double *values = work->region->values;
	double low = values[0], high = low;
	for (size_t i = chunk_begin(index, work->region->count);
	     i < chunk_begin(index + 1, work->region->count); i++) {
		low = values[i] < low ? values[i] : low;
		high = values[i] > high ? values[i] : high;
	}
	work->low[index] = low;
	work->high[index] = high;
	return RS_OK;
}

static enum rs_code chunk_level(void *context, size_t index, struct rs_error *err)
{
	(void)err;
	struct levelling *work = context;
	const struct bins bins = work->bins;
	uint64_t *histogram = work->histograms + index * ((size_t)bins.count + 2);
	for (size_t i = chunk_begin(index, work->region->count);
	     i < chunk_begin(index + 1, work->region->count); i++) {
		uint32_t level = level_of(&bins, work->region->values[i]);
		work->levels.of_voxel[i] = level;
		histogram[level]++;
	}
	return RS_OK;
}

static void levelling_finish(struct levelling *work)
{
	rs_free(work->levels.of_voxel);
	rs_free(work->levels.histogram);
	rs_free(work->histograms);
}

enum rs_code levels_build(const struct rs_image_settings *settings, const struct region *region,
                          struct rs_pool *pool, struct levels *out, struct rs_error *err)
{
	struct levelling work RS_CLEANUP(levelling_finish) = {.region = region};
	RS_TRY(rs_pool_for(pool, CHUNKS, chunk_range, &work, err));
	for (size_t k = 1; k < CHUNKS; k++) {
		work.low[0] = work.low[k] < work.low[0] ? work.low[k] : work.low[0];
		work.high[0] = work.high[k] > work.high[0] ? work.high[k] : work.high[0];
	}
	RS_TRY(bins_choose(settings, work.low[0], work.high[0], &work.bins, err));
	size_t bins = (size_t)work.bins.count + 2;
	work.levels.of_voxel = rs_allocate_array(region->count, sizeof *work.levels.of_voxel);
	work.levels.histogram = rs_allocate_array(bins, sizeof *work.levels.histogram);
	work.histograms = rs_allocate_array(CHUNKS * bins, sizeof *work.histograms);
	if (work.levels.of_voxel == NULL || work.levels.histogram == NULL || work.histograms == NULL)
		return rs_error_memory(err, region->count * 4 + CHUNKS * bins * 8, "grey levels");
	RS_TRY(rs_pool_for(pool, CHUNKS, chunk_level, &work, err));
	for (size_t i = 0; i < CHUNKS * bins; i++)
		work.levels.histogram[i % bins] += work.histograms[i];
	for (uint32_t i = 1; i < bins; i++)
		if (work.levels.histogram[i] > 0)
			work.levels.level_count = i;
	*out = work.levels;
	work.levels = (struct levels){0};
	return RS_OK;
}

double log2_guarded(double p) { return log2(p + EPSILON); }
