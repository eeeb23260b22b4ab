/* Grey level co-occurrence (IBSI reference manual, LFYI): symmetrical matrices, in the mode ibsi's aggregations.
 * The distance multiplies the directions. */
#include "radiomics/ibsi.h"

enum { FEATURES = 25 };

static enum rs_code values(const struct ibsi_part *part, uint32_t level_count, double *out,
                           struct rs_error *err)
{
	struct glcm_sums s = {0};
	RS_TRY(glcm_measure(&part->matrix, level_count, false, &s, err));
	const double all[FEATURES] = {
		s.joint_maximum,
		s.joint_average,
		s.sum_squares,
		s.joint_entropy,
		s.difference_average,
		s.difference_variance,
		s.difference_entropy,
		s.sum_average,
		s.cluster_tendency, /* equals sum variance */
		s.sum_entropy,
		s.joint_energy,
		s.contrast,
		s.difference_average, /* equals dissimilarity */
		s.inverse_difference,
		s.idn,
		s.inverse_difference_moment,
		s.idmn,
		s.inverse_variance,
		s.correlation,
		s.autocorrelation,
		s.cluster_tendency,
		s.cluster_shade,
		s.cluster_prominence,
		s.imc1,
		s.imc2,
	};
	for (size_t i = 0; i < FEATURES; i++)
		out[i] = all[i];
	return RS_OK;
}

static enum rs_code count(const struct ibsi_case *work, bool volume, struct ibsi_parts *parts,
                          struct rs_error *err)
{
	struct tally tally RS_CLEANUP(tally_finish) = {0};
	int distance = (int)work->settings->distance;
	RS_TRY(glcm_tally_init(&tally, &work->grid, 1, err));
	for (size_t s = 0; s < parts->slices; s++)
		for (size_t d = 0; d < parts->directions; d++) {
			struct offset offset = ibsi_directions[d];
			struct slab slab = volume ? (struct slab){0, work->grid.size[2]}
			                          : (struct slab){s, s + 1};
			for (int a = 0; a < 3; a++)
				offset.at[a] *= distance;
			glcm_count(&work->grid, slab, offset, &tally);
			RS_TRY(tally_mirror(&tally, err));
			RS_TRY(tally_take(&tally, &parts->list[s * parts->directions + d].matrix, err));
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
	return ibsi_aggregate(&parts, volume, true, values, FEATURES, work->levels.level_count, out, err);
}

static const struct ibsi_row rows[FEATURES] = {
	{"cm_joint_max", "GYBY", "1"},
	{"cm_joint_avg", "60VM", "1"},
	{"cm_joint_var", "UR99", "1"},
	{"cm_joint_entr", "TU9B", "bit"},
	{"cm_diff_avg", "TF7R", "1"},
	{"cm_diff_var", "D3YU", "1"},
	{"cm_diff_entr", "NTRS", "bit"},
	{"cm_sum_avg", "ZGXS", "1"},
	{"cm_sum_var", "OEEB", "1"},
	{"cm_sum_entr", "P6QZ", "bit"},
	{"cm_energy", "8ZQL", "1"},
	{"cm_contrast", "ACUI", "1"},
	{"cm_dissimilarity", "8S9J", "1"},
	{"cm_inv_diff", "IB1Z", "1"},
	{"cm_inv_diff_norm", "NDRX", "1"},
	{"cm_inv_diff_mom", "WF0Z", "1"},
	{"cm_inv_diff_mom_norm", "1QCO", "1"},
	{"cm_inv_var", "E8JP", "1"},
	{"cm_corr", "NI2N", "1"},
	{"cm_auto_corr", "QWB0", "1"},
	{"cm_clust_tend", "DG8W", "1"},
	{"cm_clust_shade", "7NFM", "1"},
	{"cm_clust_prom", "AE86", "1"},
	{"cm_info_corr1", "R8DG", "1"},
	{"cm_info_corr2", "JN9H", "1"},
};
const struct ibsi_family ibsi_glcm = {"cm", IBSI_DIRECTIONAL, rows, FEATURES, measure};
