/* Grey level run lengths (PyRadiomics 3.1 documentation, "GLRLM"; IBSI reference manual, 3.7): how often voxels of
 * one level follow each other so many times, for each direction; features of directions are averaged, or the
 * matrices are weighted by the distance of a step and added. */
#include <math.h>
#include <string.h>

#include "radiomics/texture.h"

enum rs_code glrlm_tally_init(struct tally *tally, const struct grid *grid, size_t times,
                              struct rs_error *err)
{
	size_t longest = 0;
	for (int a = 0; a < 3; a++)
		longest = grid->size[a] > longest ? grid->size[a] : longest;
	return tally_init(tally, grid->level_count + 1, (uint32_t)longest + 1,
	                  (uint64_t)grid->count * times / 2, err);
}

/* Where a row's runs are counted: its levels, and lengths of the runs that end at each voxel so far. */
struct run_row {
	const uint32_t *level;
	uint32_t *length;
	ptrdiff_t shift; /* to the next voxel of a run */
	size_t first, end;
};

/* Without branches: a voxel outside has length 1 in row 0 of the table, which nobody reads. */
static void count_dense(const struct run_row *row, struct tally *tally)
{
	for (size_t x = row->first; x < row->end; x++) {
		ptrdiff_t at = (ptrdiff_t)x;
		uint32_t level = row->level[at];
		uint32_t follows = (level != 0) & (level == row->level[at - row->shift]);
		uint32_t length = (row->length[at - row->shift] & -follows) + 1;
		row->length[at] = length;
		tally->table[(size_t)level * tally->columns + length] += level != row->level[at + row->shift];
	}
}

static void count_sparse(const struct run_row *row, struct tally *tally)
{
	for (size_t x = row->first; x < row->end; x++) {
		ptrdiff_t at = (ptrdiff_t)x;
		uint32_t level = row->level[at];
		if (level == 0)
			continue;
		bool follows = level == row->level[at - row->shift];
		row->length[at] = follows ? row->length[at - row->shift] + 1 : 1;
		if (level != row->level[at + row->shift])
			tally_add(tally, level, row->length[at]);
	}
}

void glrlm_count_in(const struct grid *grid, struct slab slab, struct offset offset, uint32_t *lengths,
                    struct tally *tally)
{
	struct run_row row = {.shift = offset_shift(grid, offset)};
	for (size_t z = slab.first; z < slab.end; z++)
		for (size_t y = 0; y < grid->size[1]; y++) {
			const struct row *span = &grid->rows[z * grid->size[1] + y];
			row.level = grid_row(grid, y, z);
			row.length = lengths + (row.level - grid->levels);
			row.first = span->first;
			row.end = span->end;
			if (tally->columns > 0)
				count_dense(&row, tally);
			else
				count_sparse(&row, tally);
		}
}

enum rs_code glrlm_count(const struct grid *grid, struct slab slab, struct offset offset, struct tally *tally,
                         struct rs_error *err)
{
	uint32_t *lengths RS_CLEANUP(rs_free_pointer) = rs_allocate_array(grid_cells(grid), sizeof *lengths);
	if (lengths == NULL)
		return rs_error_memory(err, grid_cells(grid) * sizeof *lengths, "lengths of runs");
	glrlm_count_in(grid, slab, offset, lengths, tally);
	return RS_OK;
}

/* Whether some voxel of the region lies on the line from voxel (x, y, z), which does, beyond it. */
static bool line_goes_on(const struct grid *grid, const size_t voxel[3], struct offset offset)
{
	ptrdiff_t at[3] = {(ptrdiff_t)voxel[0], (ptrdiff_t)voxel[1], (ptrdiff_t)voxel[2]};
	for (;;) {
		for (int a = 0; a < 3; a++) {
			at[a] += offset.at[a];
			if (at[a] < 0 || at[a] >= (ptrdiff_t)grid->size[a])
				return false;
		}
		if (grid_row(grid, (size_t)at[1], (size_t)at[2])[at[0]] != 0)
			return true;
	}
}

bool glrlm_has_lines(const struct grid *grid, struct slab slab, struct offset offset)
{
	size_t voxel[3];
	for (voxel[2] = slab.first; voxel[2] < slab.end; voxel[2]++)
		for (voxel[1] = 0; voxel[1] < grid->size[1]; voxel[1]++) {
			const struct row *span = &grid->rows[voxel[2] * grid->size[1] + voxel[1]];
			const uint32_t *level = grid_row(grid, voxel[1], voxel[2]);
			for (voxel[0] = span->first; voxel[0] < span->end; voxel[0]++)
				if (level[voxel[0]] != 0 && line_goes_on(grid, voxel, offset))
					return true;
		}
	return false;
}

enum rs_code glrlm_prepare(struct rs_evidence *e, size_t *out_parts, struct rs_error *err)
{
	RS_TRY(directions_list(e, false, &e->glrlm_directions, err));
	*out_parts = e->glrlm_count = e->glrlm_directions.count;
	e->glrlm = rs_allocate_array(e->glrlm_count + 1, sizeof *e->glrlm);
	if (e->glrlm == NULL)
		return rs_error_memory(err, e->glrlm_count * sizeof *e->glrlm, "GLRLM");
	return RS_OK;
}

enum rs_code glrlm_part(struct rs_evidence *e, size_t part, struct rs_error *err)
{
	struct offset offset = e->glrlm_directions.offsets[part];
	struct tally tally RS_CLEANUP(tally_finish) = {0};
	struct matrix own RS_CLEANUP(matrix_finish) = {0};
	bool weighted = e->image->weighting != RS_WEIGHTING_NONE;
	struct matrix *matrix = weighted ? &e->glrlm_directions.matrices[part] : &own;
	if (glrlm_has_lines(&e->grid, grid_whole(&e->grid), offset)) {
		RS_TRY(glrlm_tally_init(&tally, &e->grid, 1, err));
		RS_TRY(glrlm_count(&e->grid, grid_whole(&e->grid), offset, &tally, err));
		RS_TRY(tally_take(&tally, matrix, err));
	}
	return weighted ? RS_OK : sizes_measure(matrix, 0, &e->glrlm[part], err);
}

enum rs_code glrlm_finish(struct rs_evidence *e, struct rs_error *err)
{
	struct matrix sum RS_CLEANUP(matrix_finish) = {0};
	const struct directions *d = &e->glrlm_directions;
	if (e->image->weighting == RS_WEIGHTING_NONE)
		return RS_OK;
	for (size_t a = 0; a < d->count; a++) /* in order: sums of weights are not exact */
		RS_TRY(matrix_add(&sum, &d->matrices[a],
		                  offset_length(d->offsets[a], e->image->weighting, e->spacing_mm), err));
	e->glrlm_count = 1;
	return sizes_measure(&sum, 0, e->glrlm, err);
}

/* Mean over directions that have runs. */
#define MEAN(member)                                        \
	static double member(const struct rs_evidence *e)   \
	{                                                   \
		double sum = 0;                             \
		size_t n = 0;                               \
		for (size_t a = 0; a < e->glrlm_count; a++) \
			if (!e->glrlm[a].empty) {           \
				sum += e->glrlm[a].member;  \
				n++;                        \
			}                                   \
		return sum / (double)n;                     \
	}
SIZE_SUMS_EACH(MEAN)

#define ROW(name, ibsi, unit, display, function)                                     \
	{                                                                            \
		"glrlm_" name, ibsi, unit, display, RS_FAMILY_GLRLM, false, function \
	}
static const struct rs_feature rows[] = {
	ROW("grey_level_nonuniformity", "R5YN", "1", "GrayLevelNonUniformity", level_nonuniformity),
	ROW("grey_level_nonuniformity_normalised", "OVBL", "1", "GrayLevelNonUniformityNormalized",
            level_nonuniformity_normalised),
	ROW("grey_level_variance", "8CE5", "1", "GrayLevelVariance", level_variance),
	ROW("high_grey_level_run_emphasis", "G3QZ", "1", "HighGrayLevelRunEmphasis", high),
	ROW("long_run_emphasis", "W4KF", "1", "LongRunEmphasis", large),
	ROW("long_run_high_grey_level_emphasis", "3KUM", "1", "LongRunHighGrayLevelEmphasis", large_high),
	ROW("long_run_low_grey_level_emphasis", "IVPO", "1", "LongRunLowGrayLevelEmphasis", large_low),
	ROW("low_grey_level_run_emphasis", "V3SW", "1", "LowGrayLevelRunEmphasis", low),
	ROW("run_entropy", "HJ9O", "bit", "RunEntropy", entropy),
	ROW("run_length_nonuniformity", "W92Y", "1", "RunLengthNonUniformity", size_nonuniformity),
	ROW("run_length_nonuniformity_normalised", "IC23", "1", "RunLengthNonUniformityNormalized",
            size_nonuniformity_normalised),
	ROW("run_percentage", "9ZK5", "1", "RunPercentage", percentage),
	ROW("run_variance", "SXLW", "1", "RunVariance", size_variance),
	ROW("short_run_emphasis", "22OV", "1", "ShortRunEmphasis", small),
	ROW("short_run_high_grey_level_emphasis", "GD3A", "1", "ShortRunHighGrayLevelEmphasis", small_high),
	ROW("short_run_low_grey_level_emphasis", "HTZT", "1", "ShortRunLowGrayLevelEmphasis", small_low),
};
const struct rs_feature_table glrlm_features = {RS_COUNT(rows), rows};
