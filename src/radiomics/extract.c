/* From volume, mask and settings to an ordered list of named numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "radiomics/evidence.h"

/* A family is one file with its rows and its builder, and one line here. */
static const struct {
	const char *name;
	const struct rs_feature_table *table;
	enum rs_code (*build)(struct rs_evidence *evidence, struct rs_pool *pool, struct rs_error *err);
} families[RS_FAMILY_COUNT] = {
	[RS_FAMILY_SHAPE] = {"shape", &shape_features, shape_build},
	[RS_FAMILY_FIRSTORDER] = {"firstorder", &firstorder_features, firstorder_build},
	[RS_FAMILY_GLCM] = {"glcm", &glcm_features, glcm_build},
};

const struct rs_feature_table *rs_feature_family(enum rs_family family) { return families[family].table; }

const char *rs_family_name(enum rs_family family) { return families[family].name; }

void evidence_finish(struct rs_evidence *evidence)
{
	region_finish(&evidence->region);
	region_finish(&evidence->shape_region);
	rs_free(evidence->levels.of_voxel);
	rs_free(evidence->levels.histogram);
	rs_free(evidence->glcm);
}

void rs_radiomics_result_finish(struct rs_radiomics_result *result)
{
	if (result == NULL)
		return;
	rs_free(result->diagnostics);
	rs_free(result->values);
	memset(result, 0, sizeof *result);
}

const struct rs_radiomics_value *rs_radiomics_result_find(const struct rs_radiomics_result *result,
                                                          const char *name)
{
	for (size_t i = 0; i < result->count; i++)
		if (strcmp(result->values[i].name, name) == 0)
			return &result->values[i];
	return NULL;
}

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

/* The labels of the mask as text, for the sentence that refuses another one. */
static void labels_present(const struct rs_mask *mask, char *out, size_t size)
{
	uint32_t seen[16];
	size_t count = 0, used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < rs_geometry_voxels(&mask->geometry) && count < RS_COUNT(seen); i++) {
		bool known = mask->labels[i] == 0;
		for (size_t k = 0; k < count; k++)
			known |= seen[k] == mask->labels[i];
		if (known)
			continue;
		seen[count++] = mask->labels[i];
		int n = snprintf(out + used, size - used, "%s%u", count > 1 ? ", " : "", mask->labels[i]);
		used += n > 0 ? (size_t)n : 0;
	}
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

/* (x - mean) / sd over the whole image with the sample deviation, clipped, scaled; in a new block. */
static enum rs_code normalised(const struct rs_volume *volume, const struct rs_radiomics_settings *s,
                               double **out, struct rs_error *err)
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
	double *voxels = rs_allocate_array(count, sizeof *voxels);
	if (voxels == NULL)
		return rs_error_memory(err, count * sizeof *voxels, "normalisation");
	for (size_t i = 0; i < count; i++) {
		double x = (volume->voxels[i] - mean) / deviation, limit = s->remove_outliers;
		if (limit > 0)
			x = x > limit ? limit : x < -limit ? -limit : x;
		voxels[i] = x * s->normalize_scale;
	}
	*out = voxels;
	return RS_OK;
}

static enum rs_code evidence_cut(const struct rs_volume *volume, const struct rs_mask *mask,
                                 struct rs_evidence *evidence, struct rs_error *err)
{
	const struct rs_radiomics_settings *settings = evidence->settings;
	double *voxels RS_CLEANUP(rs_free_pointer) = NULL;
	struct region resegmented = {0};
	if (settings->normalize)
		RS_TRY(normalised(volume, settings, &voxels, err));
	enum rs_code code = region_cut(voxels != NULL ? voxels : volume->voxels, mask->labels,
	                               volume->geometry.size, settings->label, &evidence->shape_region, err);
	if (code == RS_NOT_FOUND) {
		char text[192];
		labels_present(mask, text, sizeof text);
		return rs_error_set(err, RS_NOT_FOUND, "the mask has no label %u; it has %s", settings->label,
		                    text[0] != '\0' ? text : "none");
	}
	RS_TRY(code);
	RS_TRY(region_check(settings, &evidence->shape_region, err));
	RS_TRY(region_resegment(settings, &evidence->shape_region, &evidence->region, err));
	RS_TRY(region_check(settings, &evidence->region, err));
	if (settings->resegment_shape && settings->resegment_count > 0) {
		struct rs_radiomics_settings off = *settings;
		off.resegment_count = 0;
		RS_TRY(region_resegment(&off, &evidence->region, &resegmented, err));
		region_finish(&evidence->shape_region);
		evidence->shape_region = resegmented;
	}
	return RS_OK;
}

static enum rs_code evaluate(struct rs_evidence *evidence, struct rs_pool *pool,
                             struct rs_radiomics_result *result, struct rs_error *err)
{
	for (int f = 0; f < RS_FAMILY_COUNT; f++) {
		uint64_t chosen = evidence->settings->chosen[f];
		if (chosen == 0)
			continue;
		RS_TRY(families[f].build(evidence, pool, err));
		for (size_t i = 0; i < families[f].table->count; i++) {
			const struct rs_feature *feature = &families[f].table->rows[i];
			if (!(chosen >> i & 1))
				continue;
			struct rs_radiomics_value *value = &result->values[result->count++];
			value->feature = feature;
			value->value = feature->value(evidence);
			snprintf(value->name, sizeof value->name, "original_%s_%s", families[f].name,
			         feature->display);
		}
	}
	return RS_OK;
}

enum rs_code rs_radiomics_extract(const struct rs_volume *volume, const struct rs_mask *mask,
                                  const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                                  struct rs_radiomics_result *out, struct rs_error *err)
{
	struct rs_evidence evidence RS_CLEANUP(evidence_finish) = {.settings = settings};
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	RS_TRY(rs_radiomics_settings_check(settings, err));
	RS_TRY(geometry_check(&volume->geometry, &mask->geometry, settings->geometry_tolerance, err));
	memcpy(evidence.spacing_mm, volume->geometry.spacing_mm, sizeof evidence.spacing_mm);
	RS_TRY(evidence_cut(volume, mask, &evidence, err));
	if (settings->chosen[RS_FAMILY_FIRSTORDER] || settings->chosen[RS_FAMILY_GLCM])
		RS_TRY(levels_build(settings, &evidence.region, &evidence.levels, err));
	result.values = rs_allocate_array(64 * RS_FAMILY_COUNT, sizeof *result.values);
	if (result.values == NULL)
		return rs_error_memory(err, 64 * RS_FAMILY_COUNT * sizeof *result.values, "results");
	RS_TRY(evaluate(&evidence, pool, &result, err));
	if (settings->additional_info)
		RS_TRY(diagnostics_build(volume, mask, &evidence, &result, err));
	RS_TRY(rs_radiomics_settings_digest(settings, &result.settings_digest, err));
	*out = result;
	memset(&result, 0, sizeof result);
	return RS_OK;
}
