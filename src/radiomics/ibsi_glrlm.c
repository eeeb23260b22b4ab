/* Grey level run lengths (IBSI reference manual, TP0I), in the mode ibsi's aggregations. Each direction counts all
 * voxels, so the percentage of a merged matrix divides by the sum of theirs. */
#include "radiomics/ibsi.h"

static enum rs_code count(const struct ibsi_case *work, struct slab slab, struct offset direction,
                          struct tally *tally, struct rs_error *err)
{
	return glrlm_count(&work->grid, slab, direction, tally, err);
}

static enum rs_code measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                            double *const *out, struct rs_error *err)
{
	struct tally tally RS_CLEANUP(tally_finish) = {0};
	(void)pool;
	RS_TRY(glrlm_tally_init(&tally, &work->grid, 1, err));
	return ibsi_directional(work, volume, &tally, count, ibsi_size_measure, IBSI_SIZE_FEATURES, out, err);
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
