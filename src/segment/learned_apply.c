/* A model's mask and uncertainty on a study's own grid. */
#include <math.h>

#include "learned.h"

/* In bits. */
static double entropy_of(double p) { return p > 0 && p < 1 ? -(p * log2(p) + (1 - p) * log2(1 - p)) : 0; }

static enum rs_code outline(const struct study *study, float *probability, const struct rs_geometry *image,
                            bool whole, struct rs_mask *mask, struct rs_volume *uncertainty,
                            struct rs_error *err)
{
	const size_t voxels = rs_geometry_voxels(image);
	float *fine RS_CLEANUP(rs_free_pointer) = rs_allocate_array(voxels, sizeof *fine);
	if (!fine)
		return rs_error_memory(err, voxels * sizeof *fine, "a prediction");
	RS_TRY(rs_mask_init(mask, image, err));
	RS_TRY(grid_onto(&study->grid, probability, &study->turned.grid, fine, err));
	if (uncertainty) {
		RS_TRY(rs_volume_init(uncertainty, image, err));
		uncertainty->stored = RS_VOXEL_F32;
		for (size_t i = 0; i < voxels; i++)
			uncertainty->voxels[turned_at(&study->turned, i)] = (double)(float)entropy_of(
				(double)fine[i]);
	}
	if (!whole)
		RS_TRY(largest_part(study->turned.grid.size, fine, err));
	for (size_t i = 0; i < voxels; i++)
		mask->labels[turned_at(&study->turned, i)] = fine[i] >= 0.5f;
	return RS_OK;
}

static enum rs_code predict(const struct rs_learned *model, const struct study *study,
                            const struct rs_geometry *image, bool whole, struct rs_pool *pool,
                            struct rs_mask *mask, struct rs_volume *uncertainty, struct rs_error *err)
{
	const size_t voxels = rs_geometry_voxels(&study->grid);
	float *probability RS_CLEANUP(rs_free_pointer) = rs_allocate_array(voxels, sizeof *probability);
	if (!probability)
		return rs_error_memory(err, voxels * sizeof *probability, "a prediction");
	RS_TRY(study_predict(&model->network, study, pool, probability, err));
	return outline(study, probability, image, whole, mask, uncertainty, err);
}

enum rs_code rs_learned_apply(const struct rs_learned *model, const struct rs_volume *const *images,
                              size_t count, bool whole, struct rs_pool *pool, struct rs_mask *out_mask,
                              struct rs_volume *out_uncertainty, struct rs_error *err)
{
	struct study study RS_CLEANUP(study_finish) = {0};
	struct rs_mask mask = {0};
	struct rs_volume uncertainty = {0};
	const struct rs_volume *first = NULL;
	if (count != model->channels)
		return rs_error_set(err, RS_USAGE, "the model takes %zu images, not %zu", model->channels,
		                    count);
	for (size_t c = count; c-- > 0;)
		first = images[c] ? images[c] : first;
	RS_TRY(study_of(images, count, NULL, model->spacing_mm, &study, err));
	enum rs_code code = predict(model, &study, &first->geometry, whole, pool, &mask,
	                            out_uncertainty ? &uncertainty : NULL, err);
	if (code != RS_OK) {
		rs_mask_finish(&mask);
		rs_volume_finish(&uncertainty);
		return code;
	}
	*out_mask = mask;
	if (out_uncertainty)
		*out_uncertainty = uncertainty;
	return RS_OK;
}
