/* Neighbouring grey level dependence (NGLDM, IBSI reference manual, REK0) and neighbourhood grey tone differences
 * (NGTDM, IPET): both look at all voxels within a Chebyshev distance, of which only those in the region count. */
#include <math.h>
#include <string.h>

#include "radiomics/ibsi.h"

#define DISTANCE_MAX 16

/* Half of the neighbourhood: one of each pair ±. */
struct neighbours {
	struct offset *list;
	size_t count;
};

static void neighbours_finish(struct neighbours *neighbours) { rs_free(neighbours->list); }

static enum rs_code neighbours_list(const struct ibsi_case *work, bool volume, struct neighbours *out,
                                    struct rs_error *err)
{
	unsigned distances[DISTANCE_MAX];
	for (unsigned d = 0; d < work->settings->distance; d++)
		distances[d] = d + 1;
	return offsets_list(distances, work->settings->distance, work->grid.size, volume ? 3 : 2, &out->list,
	                    &out->count, err);
}

/* ---- dependence ---- */

enum { DEPENDENCE_FEATURES = IBSI_SIZE_FEATURES + 1 };

static enum rs_code dependence_values(const struct ibsi_part *part, uint32_t level_count, double *out,
                                      struct rs_error *err)
{
	struct size_sums sums;
	(void)level_count;
	RS_TRY(sizes_measure(&part->matrix, part->voxels, &sums, err));
	ibsi_size_values(&sums, out);
	out[IBSI_SIZE_FEATURES] = sums.energy;
	return RS_OK;
}

static enum rs_code dependence_measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                                       double *const *out, struct rs_error *err)
{
	struct ibsi_parts parts RS_CLEANUP(ibsi_parts_finish) = {0};
	struct neighbours near RS_CLEANUP(neighbours_finish) = {0};
	struct tally tally RS_CLEANUP(tally_finish) = {0};
	(void)pool;
	RS_TRY(neighbours_list(work, volume, &near, err));
	RS_TRY(ibsi_parts_init(&parts, volume ? 1 : work->grid.size[2], 1, err));
	RS_TRY(gldm_tally_init(&tally, &work->grid, near.count, 1, err));
	for (size_t s = 0; s < parts.slices; s++) {
		parts.list[s].voxels = ibsi_slab_voxels(work, volume, s);
		RS_TRY(gldm_count(&work->grid, ibsi_slab(work, volume, s), near.list, near.count,
		                  work->settings->ngldm_alpha, &tally, err));
		RS_TRY(tally_take(&tally, &parts.list[s].matrix, err));
	}
	return ibsi_aggregate(&parts, volume, false, dependence_values, DEPENDENCE_FEATURES,
	                      work->levels.level_count, out, err);
}

static const struct ibsi_row dependence_rows[DEPENDENCE_FEATURES] = {
	{"ngl_lde", "SODN", "1"},       {"ngl_hde", "IMOQ", "1"},       {"ngl_lgce", "TL9H", "1"},
	{"ngl_hgce", "OAE7", "1"},      {"ngl_ldlge", "EQ3F", "1"},     {"ngl_ldhge", "JA6D", "1"},
	{"ngl_hdlge", "NBZI", "1"},     {"ngl_hdhge", "9QMG", "1"},     {"ngl_glnu", "FP8K", "1"},
	{"ngl_glnu_norm", "5SPA", "1"}, {"ngl_dcnu", "Z87G", "1"},      {"ngl_dcnu_norm", "OKJI", "1"},
	{"ngl_dc_perc", "6XV8", "1"},   {"ngl_gl_var", "1PFV", "1"},    {"ngl_dc_var", "DNX2", "1"},
	{"ngl_dc_entr", "FCBV", "bit"}, {"ngl_dc_energy", "CAS9", "1"},
};
const struct ibsi_family ibsi_ngldm = {"ngl", IBSI_UNDIRECTED, dependence_rows, DEPENDENCE_FEATURES,
                                       dependence_measure};

/* ---- tone differences ---- */

enum { TONE_FEATURES = 5 };

static enum rs_code tone_values(const struct ngtdm_row *rows, uint32_t level_count, double out[TONE_FEATURES],
                                struct rs_error *err)
{
	struct ngtdm_sums s = {0};
	RS_TRY(ngtdm_measure(rows, level_count, &s, err));
	out[0] = s.coarseness;
	out[1] = s.contrast;
	out[2] = s.busyness;
	out[3] = s.complexity;
	out[4] = s.strength;
	return RS_OK;
}

static bool any(const struct ngtdm_row *rows, uint32_t level_count)
{
	for (uint32_t i = 1; i <= level_count; i++)
		if (rows[i].n > 0)
			return true;
	return false;
}

/* Rows of a slice are measured, then added to those of all slices, which become the merged matrix. */
static enum rs_code tone_count(const struct ibsi_case *work, bool volume, struct ngtdm_row *one,
                               struct ngtdm_row *all, double *means, struct rs_error *err)
{
	struct neighbours near RS_CLEANUP(neighbours_finish) = {0};
	uint32_t levels = work->levels.level_count;
	double values[TONE_FEATURES], sum[TONE_FEATURES] = {0};
	size_t slices = 0;
	RS_TRY(neighbours_list(work, volume, &near, err));
	for (size_t s = 0; s < (volume ? 1 : work->grid.size[2]); s++) {
		memset(one, 0, ((size_t)levels + 1) * sizeof *one);
		RS_TRY(ngtdm_count(&work->grid, ibsi_slab(work, volume, s), near.list, near.count, false, one,
		                   err));
		if (!any(one, levels))
			continue;
		slices++;
		RS_TRY(tone_values(one, levels, values, err));
		for (size_t f = 0; f < TONE_FEATURES; f++)
			sum[f] += values[f];
		for (uint32_t i = 1; i <= levels; i++) {
			all[i].n += one[i].n;
			all[i].s += one[i].s;
		}
	}
	for (size_t f = 0; f < TONE_FEATURES; f++)
		means[f] = slices > 0 ? sum[f] / (double)slices : NAN;
	return RS_OK;
}

static enum rs_code tone_measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                                 double *const *out, struct rs_error *err)
{
	size_t rows = (size_t)work->levels.level_count + 1;
	double means[TONE_FEATURES];
	(void)pool;
	struct ngtdm_row *one RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *one);
	struct ngtdm_row *all RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *all);
	if (one == NULL || all == NULL)
		return rs_error_memory(err, rows * 2 * sizeof *one, "a NGTDM");
	RS_TRY(tone_count(work, volume, one, all, means, err));
	if (out[0] != NULL)
		memcpy(out[0], means, sizeof means);
	if (volume || out[1] == NULL)
		return RS_OK;
	for (size_t f = 0; f < TONE_FEATURES; f++)
		out[1][f] = NAN;
	return any(all, work->levels.level_count) ? tone_values(all, work->levels.level_count, out[1], err)
	                                          : RS_OK;
}

static const struct ibsi_row tone_rows[TONE_FEATURES] = {
	{"ngt_coarseness", "QCDE", "1"}, {"ngt_contrast", "65HE", "1"}, {"ngt_busyness", "NQ30", "1"},
	{"ngt_complexity", "HDEZ", "1"}, {"ngt_strength", "1X9X", "1"},
};
const struct ibsi_family ibsi_ngtdm = {"ngt", IBSI_UNDIRECTED, tone_rows, TONE_FEATURES, tone_measure};
