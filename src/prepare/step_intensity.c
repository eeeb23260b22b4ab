/* Steps of one volume: noise, the coils' bias field, the scale of intensities. */
#include <math.h>
#include <string.h>

#include "work.h"

/* The values become `values`, which are the volume's from now on. */
static void replace_voxels(struct rs_volume *volume, double *values)
{
	rs_free(volume->voxels);
	volume->voxels = values;
	volume->stored = RS_VOXEL_F64;
}

static double *values_for(const struct rs_volume *volume, struct rs_error *err)
{
	size_t voxels = rs_geometry_voxels(&volume->geometry);
	double *values = rs_allocate_aligned(voxels * sizeof *values);
	if (!values)
		(void)rs_error_memory(err, voxels * sizeof *values, "a volume");
	return values;
}

static enum rs_code denoise(struct work *work, const struct rs_step *step, const struct held *item,
                            double *out, struct rs_error *err)
{
	const double *v = step->values, given = v[DENOISE_SIGMA];
	double sigma = given > 0 ? given : isnan(item->sigma) ? 0 : item->sigma;
	unsigned radius = (unsigned)v[DENOISE_RADIUS], search = (unsigned)v[DENOISE_SEARCH],
		 patch = (unsigned)v[DENOISE_PATCH], along = (unsigned)v[DENOISE_SEARCH_Z];
	if (v[DENOISE_METHOD] == DENOISE_MEDIAN) {
		const unsigned radii[3] = {radius, radius, along > 0 ? 1 : 0};
		return rs_denoise_median(&item->volume, radii, work->how->pool, out, err);
	}
	if (v[DENOISE_METHOD] == DENOISE_DIFFUSION) {
		const struct rs_diffusion how = {(unsigned)v[DENOISE_STEPS], v[DENOISE_EDGE], sigma};
		return rs_denoise_diffusion(&item->volume, &how, work->how->pool, out, err);
	}
	const struct rs_nlm how = {.strength = v[DENOISE_STRENGTH],
	                           .sigma = sigma,
	                           .search = {search, search, along},
	                           .patch = {patch, patch, along > 0 ? 1 : 0},
	                           .rician = v[DENOISE_RICIAN] != 0};
	return rs_denoise_nlm(&item->volume, &how, work->how->pool, out, err);
}

enum rs_code denoise_one(struct work *work, const struct rs_step *step, struct held *item,
                         struct rs_error *err)
{
	double *values = values_for(&item->volume, err);
	if (!values)
		return RS_NO_MEMORY;
	enum rs_code code = denoise(work, step, item, values, err);
	if (code != RS_OK) {
		rs_free(values);
		return code;
	}
	replace_voxels(&item->volume, values);
	tell_step(work, step, item->name);
	tell_number(work, "noise", item->sigma);
	rs_json_object_end(&work->json);
	return RS_OK;
}

enum rs_code bias_one(struct work *work, const struct rs_step *step, struct held *item, struct rs_error *err)
{
	struct rs_bias how = RS_BIAS_DEFAULT;
	double least = INFINITY, greatest = 0, *field = values_for(&item->volume, err);
	size_t voxels = rs_geometry_voxels(&item->volume.geometry);
	if (!field)
		return RS_NO_MEMORY;
	how.levels = (unsigned)step->values[BIAS_LEVELS];
	how.iterations = (unsigned)step->values[BIAS_ITERATIONS];
	how.shrink = (unsigned)step->values[BIAS_SHRINK];
	how.convergence = step->values[BIAS_CONVERGENCE];
	enum rs_code code = rs_bias_field(&item->volume, NULL, &how, work->how->pool, field, err);
	if (code != RS_OK) {
		rs_free(field);
		return code;
	}
	for (size_t i = 0; i < voxels; i++) {
		least = fmin(least, field[i]);
		greatest = fmax(greatest, field[i]);
		field[i] = item->volume.voxels[i] / field[i];
	}
	replace_voxels(&item->volume, field);
	tell_step(work, step, item->name);
	tell_number(work, "field_least", least);
	tell_number(work, "field_greatest", greatest);
	rs_json_object_end(&work->json);
	return RS_OK;
}

enum rs_code foreground_of(const struct rs_volume *volume, uint8_t **out, struct rs_error *err)
{
	double threshold;
	size_t voxels = rs_geometry_voxels(&volume->geometry);
	RS_TRY(rs_foreground_threshold(volume, &threshold, err));
	uint8_t *region = rs_allocate(voxels);
	if (!region)
		return rs_error_memory(err, voxels, "a region");
	for (size_t i = 0; i < voxels; i++)
		region[i] = volume->voxels[i] > threshold;
	*out = region;
	return RS_OK;
}

/* NULL stands for all voxels; *out_own is to be freed. */
static enum rs_code region_of(struct work *work, const struct rs_step *step, const struct held *item,
                              const uint8_t **out, uint8_t **out_own, struct rs_error *err)
{
	*out = NULL;
	if (step->values[NORMALISE_REGION] == REGION_ALL)
		return RS_OK;
	if (step->values[NORMALISE_REGION] == REGION_FOREGROUND) {
		RS_TRY(foreground_of(&item->volume, out_own, err));
		*out = *out_own;
		return RS_OK;
	}
	if (!work->region)
		return rs_error_set(err, RS_REFUSED, "region: mask, but no mask was given (--mask)");
	if (!same_geometry(&work->grid, &item->volume.geometry))
		return rs_error_set(err, RS_REFUSED,
		                    "region: mask, but it lies on the reference's grid, and this volume does "
		                    "not: resample before");
	*out = work->region;
	return RS_OK;
}

static enum rs_code scale_of(struct work *work, const struct rs_step *step, const struct held *item,
                             struct family *family, struct rs_error *err)
{
	const double *v = step->values;
	const uint8_t *region;
	uint8_t *own RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(region_of(work, step, item, &region, &own, err));
	if (v[NORMALISE_METHOD] == NORMALISE_LANDMARKS)
		return rs_landmarks_of(&item->volume, region, &family->landmarks, err);
	if (v[NORMALISE_METHOD] == NORMALISE_PERCENTILE)
		return rs_scale_percentiles(&item->volume, region, v[NORMALISE_LOW], v[NORMALISE_HIGH],
		                            &family->scale, err);
	if (v[NORMALISE_METHOD] == NORMALISE_TISSUE)
		return rs_scale_stripe(&item->volume, region, v[NORMALISE_WIDTH], &family->scale, err);
	return rs_scale_zscore(&item->volume, region, &family->scale, err);
}

static enum rs_code map_landmarks(struct work *work, const struct rs_step *step, struct held *item,
                                  const struct family *family, struct rs_error *err)
{
	struct rs_landmarks standard;
	struct rs_digest digest;
	char hex[2 * RS_SHA256_SIZE + 1];
	size_t voxels = rs_geometry_voxels(&item->volume.geometry);
	RS_TRY(landmarks_read(work->how->world, step->file, rs_scan_kind_name(item->family), &standard,
	                      &digest, err));
	for (size_t i = 0; i < voxels; i++)
		item->volume.voxels[i] = rs_landmarks_map(&family->landmarks, &standard,
		                                          item->volume.voxels[i]);
	rs_hex_encode(rs_bytes_of(digest.bytes, RS_SHA256_SIZE), hex);
	tell_step(work, step, item->name);
	tell_text(work, "landmarks_sha256", hex);
	rs_json_object_end(&work->json);
	return RS_OK;
}

/* All volumes of a scan get the scale of its first: what differs between b-values and times is what they are for. */
enum rs_code normalise_one(struct work *work, const struct rs_step *step, struct held *item,
                           struct rs_error *err)
{
	struct family *family = &work->families[item->family];
	size_t voxels = rs_geometry_voxels(&item->volume.geometry);
	if (!family->has_scale)
		RS_TRY(scale_of(work, step, item, family, err));
	family->has_scale = true;
	item->volume.stored = RS_VOXEL_F64;
	if (step->values[NORMALISE_METHOD] == NORMALISE_LANDMARKS)
		return map_landmarks(work, step, item, family, err);
	for (size_t i = 0; i < voxels; i++)
		item->volume.voxels[i] = item->volume.voxels[i] * family->scale.slope +
		                         family->scale.intercept;
	tell_step(work, step, item->name);
	tell_number(work, "slope", family->scale.slope);
	tell_number(work, "intercept", family->scale.intercept);
	rs_json_object_end(&work->json);
	return RS_OK;
}
