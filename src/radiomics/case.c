/* A case made ready to be measured: one grid for image and mask, intensities normalised, both resampled or
 * cropped, the region cut out and narrowed (PyRadiomics' loadImage, checkMask and resegmentMask). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "radiomics/case.h"

static enum rs_code geometry_check(const struct rs_geometry *a, const struct rs_geometry *b, double tolerance,
                                   struct rs_error *err)
{
	for (int i = 0; i < 3; i++) {
		double limit = tolerance * fabs(a->spacing_mm[0]);
		if (a->size[i] != b->size[i])
			return rs_error_set(err, RS_REFUSED,
			                    "the mask has %zu voxels along %c, the image %zu; "
			                    "resample one onto the other",
			                    b->size[i], "xyz"[i], a -> size[i]);
		if (!(fabs(a->spacing_mm[i] - b->spacing_mm[i]) <= limit) ||
		    !(fabs(a->origin_mm[i] - b->origin_mm[i]) <= limit))
			return rs_error_set(
				err, RS_REFUSED,
				"mask and image differ along %c: spacing %.9g and "
				"%.9g mm, origin %.9g and %.9g mm; raise geometryTolerance only if "
				"this is rounding",
				"xyz"[i], b -> spacing_mm[i], a -> spacing_mm[i], b -> origin_mm[i],
				a -> origin_mm[i]);
		for (int j = 0; j < 3; j++)
			if (!(fabs(a->direction[i][j] - b->direction[i][j]) <= tolerance))
				return rs_error_set(err, RS_REFUSED,
				                    "mask and image have different directions; "
				                    "resample one onto the other");
	}
	return RS_OK;
}

static enum rs_code region_check(const struct rs_radiomics_settings *settings, const struct region *region,
                                 struct rs_error *err)
{
	unsigned dimensions = 0;
	for (int a = 0; a < 3; a++)
		dimensions += region->size[a] > 1;
	if (dimensions == 0)
		return rs_error_set(err, RS_REFUSED, "label %u is a single voxel; features need more",
		                    settings->label);
	if (dimensions < settings->minimum_roi_dimensions)
		return rs_error_set(err, RS_REFUSED,
		                    "label %u spans %u dimensions, fewer than "
		                    "minimumROIDimensions %u",
		                    settings->label, dimensions, settings->minimum_roi_dimensions);
	if (region->count <= settings->minimum_roi_size)
		return rs_error_set(err, RS_REFUSED,
		                    "label %u has %zu voxels, not more than minimumROISize "
		                    "%llu",
		                    settings->label, region->count,
		                    (unsigned long long)settings->minimum_roi_size);
	return RS_OK;
}

/* (x - mean) / sd over the whole image with the sample deviation, clipped, scaled; a new volume. */
static enum rs_code normalise(const struct rs_volume *volume, const struct rs_radiomics_settings *s,
                              struct rs_volume *out, struct rs_error *err)
{
	size_t count = rs_geometry_voxels(&volume->geometry);
	double sum = 0, squares = 0;
	for (size_t i = 0; i < count; i++)
		sum += volume->voxels[i];
	double mean = sum / (double)count;
	for (size_t i = 0; i < count; i++)
		squares += (volume->voxels[i] - mean) * (volume->voxels[i] - mean);
	double deviation = sqrt(squares / ((double)count - 1));
	if (!(deviation > 0))
		return rs_error_set(err, RS_REFUSED, "an image of one value cannot be normalised");
	RS_TRY(rs_volume_init(out, &volume->geometry, err));
	out->stored = RS_VOXEL_F64;
	for (size_t i = 0; i < count; i++) {
		double x = (volume->voxels[i] - mean) / deviation, limit = s->remove_outliers;
		if (limit > 0)
			x = x > limit ? limit : x < -limit ? -limit : x;
		out->voxels[i] = x * s->normalize_scale;
	}
	return RS_OK;
}

void case_finish(struct radiomics_case *work)
{
	rs_volume_finish(&work->owned);
	rs_mask_finish(&work->owned_mask);
	region_finish(&work->shape_region);
	region_finish(&work->region);
}

static void take(struct radiomics_case *work, struct rs_volume *volume, struct rs_mask *mask)
{
	rs_volume_finish(&work->owned);
	work->owned = *volume;
	work->volume = &work->owned;
	*volume = (struct rs_volume){0};
	if (mask == NULL)
		return;
	rs_mask_finish(&work->owned_mask);
	work->owned_mask = *mask;
	work->mask = &work->owned_mask;
	*mask = (struct rs_mask){0};
}

/* The label's bounding box and pad voxels around it, as far as the image goes. */
static enum rs_code crop(struct radiomics_case *work, const struct rs_radiomics_settings *s,
                         struct rs_pool *pool, struct rs_error *err)
{
	struct region whole RS_CLEANUP(region_finish) = {0};
	const struct rs_geometry *from = &work->mask->geometry;
	struct rs_geometry to = *from;
	size_t first[3];
	RS_TRY(region_cut(work->volume->voxels, work->mask->labels, from->size, s->label, pool, &whole, err));
	for (int a = 0; a < 3; a++) {
		size_t last = whole.first[a] + whole.size[a] - 1;
		first[a] = whole.first[a] > s->pad_distance ? whole.first[a] - s->pad_distance : 0;
		last = last + s->pad_distance < from->size[a] ? last + s->pad_distance : from->size[a] - 1;
		to.size[a] = last - first[a] + 1;
		for (int k = 0; k < 3; k++)
			to.origin_mm[k] += from->direction[k][a] * from->spacing_mm[a] * (double)first[a];
	}
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {0};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {0};
	RS_TRY(rs_volume_init(&volume, &to, err));
	RS_TRY(rs_mask_init(&mask, &to, err));
	volume.stored = work->volume->stored;
	for (size_t z = 0; z < to.size[2]; z++)
		for (size_t y = 0; y < to.size[1]; y++) {
			size_t at = ((z + first[2]) * from->size[1] + y + first[1]) * from->size[0] +
			            first[0];
			size_t row = (z * to.size[1] + y) * to.size[0];
			memcpy(volume.voxels + row, work->volume->voxels + at, to.size[0] * sizeof(double));
			memcpy(mask.labels + row, work->mask->labels + at, to.size[0] * sizeof(uint32_t));
		}
	take(work, &volume, &mask);
	return RS_OK;
}

static enum rs_code regrid(struct radiomics_case *work, const struct rs_radiomics_settings *s,
                           struct rs_pool *pool, struct rs_error *err)
{
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {0};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {0};
	if (s->resampled_count == 0)
		return s->pre_crop ? crop(work, s, pool, err) : RS_OK;
	RS_TRY(rs_resample_corners(work->volume, work->mask, s->label, s->resampled_spacing_mm,
	                           s->interpolator, s->pad_distance, pool, &volume, &mask, err));
	take(work, &volume, &mask);
	work->resampled = true;
	return RS_OK;
}

static enum rs_code label_check(const struct rs_mask *mask, uint32_t label, struct rs_error *err)
{
	char text[256];
	for (size_t i = 0; i < rs_geometry_voxels(&mask->geometry); i++)
		if (mask->labels[i] == label)
			return RS_OK;
	rs_mask_labels_text(mask, text, sizeof text);
	return rs_error_set(err, RS_NOT_FOUND, "the mask has no label %u; it has %s", label, text);
}

static enum rs_code regions_cut(struct radiomics_case *work, const struct rs_radiomics_settings *settings,
                                struct rs_pool *pool, struct rs_error *err)
{
	struct region resegmented = {0};
	struct rs_radiomics_settings off = *settings;
	enum rs_code code = region_cut(work->volume->voxels, work->mask->labels, work->volume->geometry.size,
	                               settings->label, pool, &work->shape_region, err);
	if (code == RS_NOT_FOUND)
		return label_check(work->mask, settings->label, err); /* names those there are */
	RS_TRY(code);
	RS_TRY(region_check(settings, &work->shape_region, err));
	RS_TRY(region_resegment(settings, &work->shape_region, &work->region, err));
	RS_TRY(region_check(settings, &work->region, err));
	if (settings->resegment_count == 0)
		return RS_OK;
	if (!settings->resegment_shape) { /* PyRadiomics crops the shape to the box of what is left */
		RS_TRY(region_crop(&work->shape_region, &work->region, &resegmented, err));
		region_finish(&work->shape_region);
		work->shape_region = resegmented;
		return RS_OK;
	}
	off.resegment_count = 0;
	RS_TRY(region_resegment(&off, &work->region, &resegmented, err));
	region_finish(&work->shape_region);
	work->shape_region = resegmented;
	return RS_OK;
}

enum rs_code case_match(const struct rs_volume *volume, const struct rs_mask *mask,
                        const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                        struct rs_mask *own, const struct rs_mask **out, struct rs_error *err)
{
	enum rs_code code = geometry_check(&volume->geometry, &mask->geometry, settings->geometry_tolerance,
	                                   err);
	if (code != RS_OK && !settings->correct_mask)
		return code;
	RS_TRY(label_check(mask, settings->label, err));
	*out = mask;
	if (code == RS_OK)
		return RS_OK;
	RS_TRY(rs_mask_onto(&volume->geometry, mask, settings->label, pool, own, err));
	*out = own;
	return RS_OK;
}

enum rs_code case_prepare(const struct rs_volume *volume, const struct rs_mask *mask,
                          const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                          struct radiomics_case *out, struct rs_error *err)
{
	struct radiomics_case work RS_CLEANUP(case_finish) = {.volume = volume, .mask = mask};
	struct rs_volume normalised RS_CLEANUP(rs_volume_finish) = {0};
	if (settings->resampled_count > 0) /* whatever their grids: both go onto a new one */
		RS_TRY(label_check(mask, settings->label, err));
	else
		RS_TRY(case_match(volume, mask, settings, pool, &work.owned_mask, &work.mask, err));
	work.carried = work.mask != mask;
	if (settings->normalize) {
		RS_TRY(normalise(volume, settings, &normalised, err));
		take(&work, &normalised, NULL);
	}
	RS_TRY(regrid(&work, settings, pool, err));
	RS_TRY(regions_cut(&work, settings, pool, err));
	*out = work;
	out->volume = work.volume == &work.owned ? &out->owned : work.volume;
	out->mask = work.mask == &work.owned_mask ? &out->owned_mask : work.mask;
	work = (struct radiomics_case){0};
	return RS_OK;
}
