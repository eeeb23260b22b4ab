/* The chain of the IBSI reference manual ("Image processing"): interpolation, rounding, the two masks,
 * re-segmentation, discretisation. */
#include <math.h>
#include <string.h>

#include "radiomics/case.h"
#include "radiomics/ibsi.h"

void ibsi_chain_finish(struct ibsi_chain *chain)
{
	if (chain == NULL)
		return;
	rs_volume_finish(&chain->owned);
	rs_mask_finish(&chain->owned_mask);
	region_finish(&chain->initial);
	region_finish(&chain->morphological);
	region_finish(&chain->intensity);
}

static bool wants_interpolation(const struct rs_ibsi_settings *s)
{
	return s->spacing_mm[0] > 0 || s->spacing_mm[1] > 0 || s->spacing_mm[2] > 0;
}

/* The mask's label is 1 afterwards. */
static enum rs_code interpolate(struct ibsi_chain *chain, const struct rs_ibsi_settings *s,
                                struct rs_pool *pool, struct rs_error *err)
{
	RS_TRY(rs_resample_centres(chain->volume, s->spacing_mm, s->image_order, pool, &chain->owned, err));
	chain->volume = &chain->owned;
	RS_TRY(rs_resample_label_centres(chain->mask, chain->label, s->spacing_mm, s->mask_order,
	                                 s->mask_threshold, pool, &chain->owned_mask, err));
	chain->mask = &chain->owned_mask;
	chain->label = 1;
	return RS_OK;
}

static enum rs_code own_volume(struct ibsi_chain *chain, struct rs_error *err)
{
	if (chain->volume == &chain->owned)
		return RS_OK;
	RS_TRY(rs_volume_init(&chain->owned, &chain->volume->geometry, err));
	memcpy(chain->owned.voxels, chain->volume->voxels,
	       rs_geometry_voxels(&chain->volume->geometry) * sizeof(double));
	chain->owned.stored = chain->volume->stored;
	chain->volume = &chain->owned;
	return RS_OK;
}

/* To the nearest whole number; halves go up, so that the rounding of an image does not depend on its offset. */
static enum rs_code round_off(struct ibsi_chain *chain, struct rs_error *err)
{
	RS_TRY(own_volume(chain, err));
	for (size_t i = 0; i < rs_geometry_voxels(&chain->owned.geometry); i++)
		chain->owned.voxels[i] = floor(chain->owned.voxels[i] + 0.5);
	return RS_OK;
}

/* The intersection of the ranges that the methods define, each on the region before re-segmentation. */
static void limits(const struct rs_ibsi_settings *s, const struct region *region, double out[2])
{
	double sum = 0, squares = 0, n = (double)region->count;
	out[0] = s->use_range ? s->range[0] : -INFINITY;
	out[1] = s->use_range ? s->range[1] : INFINITY;
	if (!(s->outlier_sigma > 0))
		return;
	for (size_t i = 0; i < region->count; i++)
		sum += region->values[i];
	double mean = sum / n;
	for (size_t i = 0; i < region->count; i++)
		squares += (region->values[i] - mean) * (region->values[i] - mean);
	double reach = s->outlier_sigma * sqrt(squares / n);
	out[0] = mean - reach > out[0] ? mean - reach : out[0];
	out[1] = mean + reach < out[1] ? mean + reach : out[1];
}

static enum rs_code resegment(struct ibsi_chain *chain, const struct rs_radiomics_settings *settings,
                              struct rs_error *err)
{
	struct rs_radiomics_settings absolute = {
		.label = settings->label, .resegment_count = 2, .resegment_mode = RS_RESEGMENT_ABSOLUTE};
	limits(&settings->ibsi, &chain->morphological, absolute.resegment_range);
	enum rs_code code = region_resegment(&absolute, &chain->morphological, &chain->intensity, err);
	if (code != RS_REFUSED)
		return code;
	return rs_error_set(err, RS_REFUSED,
	                    "re-segmentation leaves no voxel of label %u between %g and %g; widen range or "
	                    "outlierSigma",
	                    settings->label, absolute.resegment_range[0], absolute.resegment_range[1]);
}

static enum rs_code run(struct ibsi_chain *chain, const struct rs_radiomics_settings *settings,
                        struct rs_pool *pool, struct rs_error *err)
{
	const struct rs_ibsi_settings *s = &settings->ibsi;
	RS_TRY(region_cut(chain->volume->voxels, chain->mask->labels, chain->volume->geometry.size,
	                  chain->label, NULL, &chain->initial, err));
	if (wants_interpolation(s))
		RS_TRY(interpolate(chain, s, pool, err));
	if (s->round_intensities)
		RS_TRY(round_off(chain, err));
	enum rs_code code = region_cut(chain->volume->voxels, chain->mask->labels,
	                               chain->volume->geometry.size, chain->label, NULL,
	                               &chain->morphological, err);
	if (code == RS_NOT_FOUND)
		return rs_error_set(err, RS_REFUSED,
		                    "no voxel of the new grid is covered by label %u for maskThreshold %g; "
		                    "choose a smaller spacing",
		                    settings->label, s->mask_threshold);
	RS_TRY(code);
	RS_TRY(resegment(chain, settings, err));
	if (chain->intensity.count <= settings->minimum_roi_size)
		return rs_error_set(err, RS_REFUSED,
		                    "label %u has %zu voxels after re-segmentation, not more than "
		                    "minimumROISize %llu",
		                    settings->label, chain->intensity.count,
		                    (unsigned long long)settings->minimum_roi_size);
	return RS_OK;
}

enum rs_code ibsi_chain_run(const struct rs_volume *volume, const struct rs_mask *mask,
                            const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                            struct ibsi_chain *out, struct rs_error *err)
{
	struct ibsi_chain chain RS_CLEANUP(ibsi_chain_finish) = {
		.volume = volume, .mask = mask, .label = settings->label};
	RS_TRY(run(&chain, settings, pool, err));
	*out = chain;
	out->volume = chain.volume == &chain.owned ? &out->owned : volume;
	out->mask = chain.mask == &chain.owned_mask ? &out->owned_mask : mask;
	chain = (struct ibsi_chain){0};
	return RS_OK;
}

enum rs_code ibsi_bins_choose(const struct rs_ibsi_settings *settings, bool of_ivh,
                              const struct region *region, struct ibsi_bins *out, struct rs_error *err)
{
	const struct rs_binning *binning = of_ivh ? &settings->ivh : &settings->texture;
	double low = region->values[0], high = low;
	for (size_t i = 0; i < region->count; i++) {
		low = region->values[i] < low ? region->values[i] : low;
		high = region->values[i] > high ? region->values[i] : high;
	}
	if (binning->kind == RS_DISCRETISE_COUNT) {
		*out = (struct ibsi_bins){low, (high - low) / binning->count, high, binning->count};
		return RS_OK;
	}
	double start = settings->use_range ? settings->range[0] : low;
	double levels = floor((high - start) / binning->width) + 1;
	if (!(levels <= RS_RADIOMICS_LEVELS_MAX))
		return rs_error_set(err, RS_REFUSED,
		                    "bins of %g cut intensities %g to %g into %.0f grey levels, more than "
		                    "%d; choose a wider %s, or %s",
		                    binning->width, start, high, levels, RS_RADIOMICS_LEVELS_MAX,
		                    of_ivh ? "ivhBinWidth" : "binWidth", of_ivh ? "ivhBinCount" : "binCount");
	*out = (struct ibsi_bins){start, binning->width, high, 0};
	return RS_OK;
}

/* Fixed bin number: floor(N (x - min) / (max - min)) + 1, the maximum in bin N; in a flat region the lowest bin,
 * because the manual gives the lowest bin the number 1. Fixed bin size: floor((x - low) / width) + 1. */
uint32_t ibsi_level_of(const struct ibsi_bins *bins, double value)
{
	if (bins->count == 0)
		return (uint32_t)floor((value - bins->low) / bins->width) + 1;
	if (!(bins->low < bins->high))
		return 1;
	double level = floor(bins->count * (value - bins->low) / (bins->high - bins->low)) + 1;
	return level > bins->count ? bins->count
	       : level >= 1        ? (uint32_t)level
	                           : 1; /* the range may overflow */
}

void ibsi_levels_finish(struct levels *levels)
{
	rs_free(levels->of_voxel);
	rs_free(levels->histogram);
}

enum rs_code ibsi_levels_build(const struct ibsi_bins *bins, const struct region *region, struct levels *out,
                               struct rs_error *err)
{
	struct levels levels RS_CLEANUP(ibsi_levels_finish) = {0};
	levels.level_count = ibsi_level_of(bins, bins->high);
	levels.of_voxel = rs_allocate_array(region->count, sizeof *levels.of_voxel);
	levels.histogram = rs_allocate_array((size_t)levels.level_count + 1, sizeof *levels.histogram);
	if (levels.of_voxel == NULL || levels.histogram == NULL)
		return rs_error_memory(err, region->count * sizeof *levels.of_voxel, "grey levels");
	for (size_t i = 0; i < region->count; i++) {
		levels.of_voxel[i] = ibsi_level_of(bins, region->values[i]);
		levels.histogram[levels.of_voxel[i]]++;
	}
	*out = levels;
	levels = (struct levels){0};
	return RS_OK;
}
