/* Grey level dependence (PyRadiomics 3.1 documentation, "GLDM"; IBSI reference manual, 3.11, "NGLDM"): how many
 * voxels of one level have so many neighbours of about the same level. */
#include <string.h>

#include "radiomics/texture.h"

enum rs_code gldm_tally_init(struct tally *tally, const struct grid *grid, size_t neighbours, size_t times,
                             struct rs_error *err)
{
	return tally_init(tally, grid->level_count + 1, (uint32_t)neighbours + 2,
	                  (uint64_t)grid->count * times, err);
}

/* 1 + the dependent neighbours of each of four voxels. |a - b| <= reach is a - b + reach <= 2 reach modulo 2^32,
 * levels being far below. Comparisons give -1 where true. */
static quad dependence(const uint32_t *level, const ptrdiff_t *shifts, size_t count, uint32_t reach)
{
	quad own = quad_read(level), sum = {0}, zero = {0};
	for (size_t k = 0; k < count; k++) {
		quad other = quad_read(level + shifts[k]);
		quad near = reach == 0
		                    ? (quad)(other == own)
		                    : (quad)(other - own + reach <= zero + 2 * reach) & (quad)(other != zero);
		sum -= near;
	}
	return sum + 1;
}

void gldm_count_in(const struct grid *grid, struct slab slab, const ptrdiff_t *shifts, size_t shift_count,
                   double alpha, struct tally *tally)
{
	uint32_t reach = alpha < RS_RADIOMICS_LEVELS_MAX ? (uint32_t)alpha : RS_RADIOMICS_LEVELS_MAX;
	for (size_t r = slab.first * grid->size[1]; r < slab.end * grid->size[1]; r++) {
		const uint32_t *level = grid_row(grid, r % grid->size[1], r / grid->size[1]);
		const struct row *row = &grid->rows[r];
		for (size_t x = row->first; x < row->end; x += QUAD) {
			quad size = dependence(level + x, shifts, shift_count, reach);
			for (size_t i = 0; i < QUAD && x + i < row->end; i++)
				if (level[x + i] != 0)
					tally_add(tally, level[x + i], size[i]);
		}
	}
}

enum rs_code gldm_count(const struct grid *grid, struct slab slab, const struct offset *offsets, size_t count,
                        double alpha, struct tally *tally, struct rs_error *err)
{
	ptrdiff_t *shifts RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(shifts_list(grid, offsets, count, &shifts, err));
	gldm_count_in(grid, slab, shifts, 2 * count, alpha, tally);
	return RS_OK;
}

enum rs_code gldm_build(struct rs_evidence *evidence, struct rs_error *err)
{
	const struct grid *grid = &evidence->grid;
	struct offset *offsets RS_CLEANUP(rs_free_pointer) = NULL;
	struct tally tally RS_CLEANUP(tally_finish) = {0};
	struct matrix matrix RS_CLEANUP(matrix_finish) = {0};
	size_t count;
	RS_TRY(offsets_of_image(evidence->image, grid, true, &offsets, &count, err));
	RS_TRY(gldm_tally_init(&tally, grid, 2 * count, 1, err));
	RS_TRY(gldm_count(grid, grid_whole(grid), offsets, count, evidence->image->gldm_alpha, &tally, err));
	RS_TRY(tally_take(&tally, &matrix, err));
	return sizes_measure(&matrix, (double)grid->count, &evidence->gldm, err);
}

#define OF(member) \
	static double member(const struct rs_evidence *e) { return e->gldm.member; }
SIZE_SUMS_EACH(OF)

#define ROW(name, ibsi, unit, display, deprecated, function)                            \
	{                                                                               \
		"gldm_" name, ibsi, unit, display, RS_FAMILY_GLDM, deprecated, function \
	}
static const struct rs_feature rows[] = {
	ROW("dependence_entropy", "FCBV", "bit", "DependenceEntropy", false, entropy),
	ROW("dependence_nonuniformity", "Z87G", "1", "DependenceNonUniformity", false, size_nonuniformity),
	ROW("dependence_nonuniformity_normalised", "OKJI", "1", "DependenceNonUniformityNormalized", false,
            size_nonuniformity_normalised),
	ROW("dependence_percentage", "6XV8", "1", "DependencePercentage", true, percentage),
	ROW("dependence_variance", "DNX2", "1", "DependenceVariance", false, size_variance),
	ROW("grey_level_nonuniformity", "FP8K", "1", "GrayLevelNonUniformity", false, level_nonuniformity),
	ROW("grey_level_nonuniformity_normalised", "5SPA", "1", "GrayLevelNonUniformityNormalized", true,
            level_nonuniformity_normalised),
	ROW("grey_level_variance", "1PFV", "1", "GrayLevelVariance", false, level_variance),
	ROW("high_grey_level_emphasis", "OAE7", "1", "HighGrayLevelEmphasis", false, high),
	ROW("large_dependence_emphasis", "IMOQ", "1", "LargeDependenceEmphasis", false, large),
	ROW("large_dependence_high_grey_level_emphasis", "9QMG", "1", "LargeDependenceHighGrayLevelEmphasis",
            false, large_high),
	ROW("large_dependence_low_grey_level_emphasis", "NBZI", "1", "LargeDependenceLowGrayLevelEmphasis",
            false, large_low),
	ROW("low_grey_level_emphasis", "TL9H", "1", "LowGrayLevelEmphasis", false, low),
	ROW("small_dependence_emphasis", "SODN", "1", "SmallDependenceEmphasis", false, small),
	ROW("small_dependence_high_grey_level_emphasis", "JA6D", "1", "SmallDependenceHighGrayLevelEmphasis",
            false, small_high),
	ROW("small_dependence_low_grey_level_emphasis", "EQ3F", "1", "SmallDependenceLowGrayLevelEmphasis",
            false, small_low),
};
const struct rs_feature_table gldm_features = {RS_COUNT(rows), rows};
