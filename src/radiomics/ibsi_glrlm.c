/* Grey level run lengths (IBSI reference manual, TP0I), in the mode ibsi's aggregations. Each direction counts all
 * voxels, so the percentage of a merged matrix divides by the sum of theirs. */
#include "radiomics/ibsi.h"

static enum rs_code count(const struct ibsi_case *work, bool volume, struct ibsi_parts *parts,
                          struct rs_error *err)
{
	struct tally tally RS_CLEANUP(tally_finish) = {0};
	RS_TRY(glrlm_tally_init(&tally, &work->grid, 1, err));
	for (size_t s = 0; s < parts->slices; s++)
		for (size_t d = 0; d < parts->directions; d++) {
			struct ibsi_part *part = &parts->list[s * parts->directions + d];
			struct slab slab = volume ? (struct slab){0, work->grid.size[2]}
			                          : (struct slab){s, s + 1};
			part->voxels = (double)(volume ? work->grid.count : work->slice_voxels[s]);
			RS_TRY(glrlm_count(&work->grid, slab, ibsi_directions[d], &tally, err));
			RS_TRY(tally_take(&tally, &part->matrix, err));
		}
	return RS_OK;
}

static enum rs_code measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                            double *const *out, struct rs_error *err)
{
	struct ibsi_parts parts RS_CLEANUP(ibsi_parts_finish) = {0};
	(void)pool;
	RS_TRY(ibsi_parts_init(&parts, volume ? 1 : work->grid.size[2],
	                       volume ? IBSI_DIRECTIONS : IBSI_DIRECTIONS_2D, err));
	RS_TRY(count(work, volume, &parts, err));
	return ibsi_aggregate(&parts, volume, true, ibsi_size_measure, IBSI_SIZE_FEATURES,
	                      work->levels.level_count, out, err);
}

static const struct ibsi_row rows[IBSI_SIZE_FEATURES] = {
	{"rlm_sre", "22OV", "1"},       {"rlm_lre", "W4KF", "1"},    {"rlm_lgre", "V3SW", "1"},
	{"rlm_hgre", "G3QZ", "1"},      {"rlm_srlge", "HTZT", "1"},  {"rlm_srhge", "GD3A", "1"},
	{"rlm_lrlge", "IVPO", "1"},     {"rlm_lrhge", "3KUM", "1"},  {"rlm_glnu", "R5YN", "1"},
	{"rlm_glnu_norm", "OVBL", "1"}, {"rlm_rlnu", "W92Y", "1"},   {"rlm_rlnu_norm", "IC23", "1"},
	{"rlm_r_perc", "9ZK5", "1"},    {"rlm_gl_var", "8CE5", "1"}, {"rlm_rl_var", "SXLW", "1"},
	{"rlm_rl_entr", "HJ9O", "bit"},
};
const struct ibsi_family ibsi_glrlm = {"rlm", IBSI_DIRECTIONAL, rows, IBSI_SIZE_FEATURES, measure};
