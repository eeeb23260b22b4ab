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

static enum rs_code count(const struct ibsi_case *work, struct slab slab, struct offset direction,
                          struct tally *tally, struct rs_error *err)
{
	for (int a = 0; a < 3; a++)
		direction.at[a] *= (int)work->settings->distance;
	glcm_count(&work->grid, slab, direction, tally);
	return tally_mirror(tally, err);
}

static enum rs_code measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                            double *const *out, struct rs_error *err)
{
	struct tally tally RS_CLEANUP(tally_finish) = {0};
	(void)pool;
	RS_TRY(glcm_tally_init(&tally, &work->grid, 1, err));
	return ibsi_directional(work, volume, &tally, count, values, FEATURES, out, err);
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
