/* The 60 diagnostic values of IBSI's compliance check: image before and after interpolation; region as segmented,
 * interpolated, re-segmented. */
#include <stdio.h>

#include "radiomics/diagnostics.h"
#include "radiomics/ibsi.h"

#define DIAGNOSTICS 60

static void add(struct rs_radiomics_result *result, const char *name, const char *stage, double value)
{
	struct rs_radiomics_diagnostic *entry = &result->diagnostics[result->diagnostic_count++];
	char text[RS_F64_TEXT_SIZE];
	rs_format_f64(value, text);
	snprintf(entry->name, sizeof entry->name, "%s_%s", name, stage);
	entry->text = rs_str_duplicate(rs_str_from(text));
}

static void add_sizes(struct rs_radiomics_result *result, const char *prefix, const size_t size[3],
                      const char *stage)
{
	char name[64];
	for (int a = 0; a < 3; a++) {
		snprintf(name, sizeof name, "%s_%c", prefix, "xyz"[a]);
		add(result, name, stage, (double)size[a]);
	}
}

/* Mean, minimum, maximum. */
static void add_intensities(struct rs_radiomics_result *result, const char *prefix, const double *x,
                            size_t count, const char *stage)
{
	char name[64];
	double sum = 0, low = x[0], high = x[0];
	for (size_t i = 0; i < count; i++) {
		sum += x[i];
		low = x[i] < low ? x[i] : low;
		high = x[i] > high ? x[i] : high;
	}
	const struct {
		const char *what;
		double value;
	} entries[] = {{"mean", sum / (double)count}, {"min", low}, {"max", high}};
	for (size_t i = 0; i < RS_COUNT(entries); i++) {
		snprintf(name, sizeof name, "%s%s_int", prefix, entries[i].what);
		add(result, name, stage, entries[i].value);
	}
}

static void add_image(struct rs_radiomics_result *result, const struct rs_volume *volume, const char *stage)
{
	const struct rs_geometry *g = &volume->geometry;
	add_sizes(result, "img_dim", g->size, stage);
	add(result, "vox_dim_x", stage, g->spacing_mm[0]);
	add(result, "vox_dim_y", stage, g->spacing_mm[1]);
	add(result, "vox_dim_z", stage, g->spacing_mm[2]);
	add_intensities(result, "", volume->voxels, rs_geometry_voxels(g), stage);
}

static void add_region(struct rs_radiomics_result *result, const struct rs_geometry *geometry,
                       const struct region *intensity, const struct region *morphological, const char *stage)
{
	add_sizes(result, "int_mask_dim", geometry->size, stage);
	add_sizes(result, "int_mask_bb_dim", intensity->size, stage);
	add_sizes(result, "morph_mask_bb_dim", morphological->size, stage);
	add(result, "int_mask_vox_count", stage, (double)intensity->count);
	add(result, "morph_mask_vox_count", stage, (double)morphological->count);
	add_intensities(result, "int_mask_", intensity->values, intensity->count, stage);
}

static void add_all(struct rs_radiomics_result *result, const struct rs_volume *volume,
                    const struct ibsi_chain *chain)
{
	const struct rs_geometry *now = &chain->volume->geometry;
	add_image(result, volume, "init_img");
	add_image(result, chain->volume, "interp_img");
	add_region(result, &volume->geometry, &chain->initial, &chain->initial, "init_roi");
	add_region(result, now, &chain->morphological, &chain->morphological, "interp_roi");
	add_region(result, now, &chain->intensity, &chain->morphological, "reseg_roi");
}

enum rs_code ibsi_diagnose(const struct rs_volume *volume, const struct rs_mask *mask,
                           const struct ibsi_chain *chain, struct rs_radiomics_result *result,
                           struct rs_error *err)
{
	RS_TRY(diagnostics_allocate(DIAGNOSTICS_IDENTITY + DIAGNOSTICS, result, err));
	RS_TRY(diagnostics_identify(volume, mask, result, err));
	add_all(result, volume, chain);
	return diagnostics_check(result, err);
}

/* The names of a case of one voxel. */
enum rs_code ibsi_diagnose_plan(struct rs_radiomics_result *result, struct rs_error *err)
{
	double value = 0;
	uint8_t inside = 1;
	const struct region region = {.size = {1, 1, 1}, .count = 1, .inside = &inside, .values = &value};
	const struct rs_volume volume = {.geometry = {.size = {1, 1, 1}}, .voxels = &value};
	const struct ibsi_chain chain = {
		.volume = &volume, .initial = region, .morphological = region, .intensity = region};
	RS_TRY(diagnostics_allocate(DIAGNOSTICS_IDENTITY + DIAGNOSTICS, result, err));
	diagnostics_plan_identity(result);
	add_all(result, &volume, &chain);
	for (size_t i = 0; i < result->diagnostic_count; i++) {
		rs_free(result->diagnostics[i].text);
		result->diagnostics[i].text = NULL;
	}
	return RS_OK;
}
