/* The cube around one voxel: cut out of the grid, given ranks, measured family by family by the same builders and
 * formulas as a region. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "radiomics/kernel.h"

void kernel_finish(struct kernel *kernel)
{
	if (kernel == NULL)
		return;
	grid_finish(&kernel->cube);
	grid_finish(&kernel->ranks);
	void *const blocks[] = {kernel->present, kernel->rank_of,       kernel->values,
	                        kernel->scratch, kernel->counts,        kernel->columns,
	                        kernel->lengths, kernel->shifts,        kernel->rows,
	                        kernel->tones,   kernel->evidence.glcm, kernel->evidence.glrlm};
	for (size_t i = 0; i < RS_COUNT(blocks); i++)
		rs_free(blocks[i]);
	tally_finish(&kernel->pairs);
	tally_finish(&kernel->runs);
	tally_finish(&kernel->sizes);
	matrix_finish(&kernel->matrix);
	matrix_finish(&kernel->weighted);
	glcm_room_finish(&kernel->room);
	linking_finish(&kernel->linking);
	zones_finish(&kernel->zones);
	memset(kernel, 0, sizeof *kernel);
}

/* A grid of a cube's shape whose rows are whole. */
static enum rs_code cube_init(struct grid *cube, const struct kernel_plan *plan, struct rs_error *err)
{
	size_t cells = plan->side[0] * plan->side[1] * plan->side[2];
	uint8_t *all RS_CLEANUP(rs_free_pointer) = rs_allocate(cells);
	uint32_t *ones RS_CLEANUP(rs_free_pointer) = rs_allocate_array(cells, sizeof *ones);
	if (all == NULL || ones == NULL)
		return rs_error_memory(err, cells * sizeof *ones, "a kernel");
	struct region region = {.count = cells, .inside = all};
	struct levels levels = {.of_voxel = ones, .level_count = plan->grid->level_count};
	memcpy(region.size, plan->side, sizeof region.size);
	memset(all, 1, cells);
	return grid_build(&region, &levels, plan->image->distances[plan->image->distance_count - 1], NULL,
	                  cube, err);
}

static enum rs_code memory_take(struct kernel *k, size_t cells, struct rs_error *err)
{
	size_t levels = (size_t)k->plan->grid->level_count + 1;
	size_t longest = cells > 2 * k->plan->pair_count + 1 ? cells : 2 * k->plan->pair_count + 1;
	k->present = rs_allocate_array(cells, sizeof *k->present);
	k->rank_of = rs_allocate_array(levels, sizeof *k->rank_of);
	k->values = rs_allocate_array(cells, sizeof *k->values);
	k->scratch = rs_allocate_array(cells, sizeof *k->scratch);
	k->counts = rs_allocate_array(cells + 1, sizeof *k->counts);
	k->columns = rs_allocate_array(longest + 1, sizeof *k->columns);
	k->lengths = rs_allocate_array(grid_cells(&k->cube), sizeof *k->lengths);
	k->rows = rs_allocate_array(levels, sizeof *k->rows);
	k->tones = rs_allocate_array(cells, sizeof *k->tones);
	k->evidence.glcm = rs_allocate_array(k->plan->pair_count + 1, sizeof *k->evidence.glcm);
	k->evidence.glrlm = rs_allocate_array(k->plan->run_count + 1, sizeof *k->evidence.glrlm);
	if (k->present == NULL || k->rank_of == NULL || k->values == NULL || k->scratch == NULL ||
	    k->counts == NULL || k->columns == NULL || k->lengths == NULL || k->rows == NULL ||
	    k->tones == NULL || k->evidence.glcm == NULL || k->evidence.glrlm == NULL)
		return rs_error_memory(err, cells * 64 + levels * 32, "a kernel");
	return RS_OK;
}

enum rs_code kernel_init(struct kernel *kernel, const struct kernel_plan *plan, struct rs_error *err)
{
	struct kernel k RS_CLEANUP(kernel_finish) = {.plan = plan};
	size_t cells = plan->side[0] * plan->side[1] * plan->side[2];
	uint32_t most = cells < plan->grid->level_count ? (uint32_t)cells : plan->grid->level_count;
	size_t pair_cells = 2 * cells; /* a pair a voxel and direction, and its mirror image */
	uint32_t longest = 0;
	if (plan->image->weighting != RS_WEIGHTING_NONE)
		pair_cells *= plan->pair_count;
	for (int a = 0; a < 3; a++)
		longest = plan->side[a] > longest ? (uint32_t)plan->side[a] : longest;
	RS_TRY(cube_init(&k.cube, plan, err));
	RS_TRY(cube_init(&k.ranks, plan, err));
	RS_TRY(memory_take(&k, cells, err));
	RS_TRY(tally_init(&k.pairs, most + 1, most + 1, cells, err));
	RS_TRY(tally_init(&k.runs, most + 1, longest + 1, cells, err));
	RS_TRY(tally_init(&k.sizes, plan->grid->level_count + 1, (uint32_t)(2 * plan->pair_count) + 2, cells,
	                  err));
	RS_TRY(glcm_room_init(&k.room, plan->grid->level_count, pair_cells, plan->wants_mcc ? most : 0, err));
	RS_TRY(shifts_list(&k.cube, plan->pairs, plan->pair_count, &k.shifts, err));
	RS_TRY(linking_init(&k.linking, &k.cube, plan->runs, plan->run_count, err));
	k.evidence.settings = plan->settings;
	k.evidence.image = plan->image;
	memcpy(k.evidence.spacing_mm, plan->spacing_mm, sizeof plan->spacing_mm);
	*kernel = k;
	memset(&k, 0, sizeof k);
	return RS_OK;
}

static void sort_levels(uint32_t *levels, size_t count)
{
	for (size_t i = 1; i < count; i++) { /* few, and in smooth images nearly in order */
		uint32_t level = levels[i];
		size_t k = i;
		for (; k > 0 && levels[k - 1] > level; k--)
			levels[k] = levels[k - 1];
		levels[k] = level;
	}
}

/* Levels of the cube from the rank of each: those that occur, ascending, and how often. */
static void ranks_give(struct kernel *k)
{
	size_t rows = k->cube.size[1] * k->cube.size[2], width = k->cube.size[0];
	sort_levels(k->present, k->present_count);
	for (size_t i = 0; i < k->present_count; i++) {
		k->rank_of[k->present[i]] = (uint32_t)i + 1;
		k->counts[i + 1] = 0;
	}
	for (size_t r = 0; r < rows; r++) {
		const uint32_t *from = grid_row(&k->cube, r % k->cube.size[1], r / k->cube.size[1]);
		uint32_t *to = k->ranks.origin + (from - k->cube.origin);
		for (size_t x = 0; x < width; x++) {
			to[x] = k->rank_of[from[x]];
			k->counts[to[x]]++;
		}
	}
	for (size_t i = 0; i < k->present_count; i++)
		k->rank_of[k->present[i]] = 0;
	k->ranks.level_count = (uint32_t)k->present_count;
}

void kernel_move(struct kernel *k, const size_t voxel[3])
{
	const struct grid *grid = k->plan->grid;
	size_t n = 0, first[3];
	for (int a = 0; a < 3;
	     a++) /* may be before the box, in its margin: wraps around, and back in the sums below */
		first[a] = voxel[a] - k->plan->side[a] / 2;
	k->present_count = 0;
	for (size_t z = 0; z < k->cube.size[2]; z++)
		for (size_t y = 0; y < k->cube.size[1]; y++) {
			const uint32_t *from = grid->origin + (ptrdiff_t)first[0] +
			                       (ptrdiff_t)(first[1] + y) * grid->stride[1] +
			                       (ptrdiff_t)(first[2] + z) * grid->stride[2];
			uint32_t *to = grid_row(&k->cube, y, z);
			for (size_t x = 0; x < k->cube.size[0]; x++) {
				uint32_t level = to[x] = from[x];
				if (level == 0)
					continue;
				if (k->rank_of[level] == 0)
					k->present[k->present_count++] = level;
				k->rank_of[level] = 1;
				k->values[n++] =
					k->plan->intensities[((first[2] + z) * grid->size[1] + first[1] + y) *
				                                     grid->size[0] +
				                             first[0] + x];
			}
		}
	k->evidence.region.count = k->cube.count = k->ranks.count = n;
	ranks_give(k);
}

bool kernel_has_pair(const struct kernel *k, struct offset offset)
{
	ptrdiff_t shift = offset_shift(&k->cube, offset);
	for (size_t r = 0; r < k->cube.size[1] * k->cube.size[2]; r++) {
		const uint32_t *level = grid_row(&k->cube, r % k->cube.size[1], r / k->cube.size[1]);
		for (ptrdiff_t x = 0; x < (ptrdiff_t)k->cube.size[0]; x++)
			if (level[x] != 0 && level[x + shift] != 0)
				return true;
	}
	return false;
}

static void firstorder(struct kernel *k)
{
	struct firstorder_sums *sums = &k->evidence.firstorder;
	double n = (double)k->cube.count;
	firstorder_measure(k->values, k->cube.count, k->plan->image->voxel_array_shift, k->scratch, sums);
	for (size_t i = 1; i <= k->present_count; i++) {
		double p = (double)k->counts[i] / n;
		sums->uniformity += p * p;
		sums->entropy -= p * log2_guarded(p);
	}
}

/* The tally's cells, ranks put back into levels. */
static enum rs_code take(struct kernel *k, struct tally *tally, bool pairs, struct rs_error *err)
{
	RS_TRY(tally_take(tally, &k->matrix, err));
	for (size_t c = 0; c < k->matrix.count; c++) {
		struct cell *cell = &k->matrix.cells[c];
		cell->i = k->present[cell->i - 1];
		cell->j = pairs ? k->present[cell->j - 1] : cell->j;
	}
	return RS_OK;
}

static void glcm_measure_one(struct kernel *k, const struct matrix *matrix, struct glcm_sums *out)
{
	glcm_measure_in(matrix, k->plan->grid->level_count, k->plan->wants_mcc && !k->plan->flat, &k->room,
	                out);
	out->mcc = k->plan->flat ? 1 : out->mcc;
}

static enum rs_code glcm(struct kernel *k, struct rs_error *err)
{
	const struct kernel_plan *plan = k->plan;
	enum rs_weighting weighting = plan->image->weighting;
	k->weighted.count = 0;
	k->weighted.total = 0;
	tally_narrow(&k->pairs, (uint32_t)k->present_count + 1, (uint32_t)k->present_count + 1);
	for (size_t a = 0; a < plan->kept_count; a++) {
		glcm_count(&k->ranks, grid_whole(&k->ranks), plan->kept[a], &k->pairs);
		if (plan->image->symmetrical_glcm)
			RS_TRY(tally_mirror(&k->pairs, err));
		RS_TRY(take(k, &k->pairs, true, err));
		if (weighting == RS_WEIGHTING_NONE)
			glcm_measure_one(k, &k->matrix, &k->evidence.glcm[a]);
		else
			RS_TRY(matrix_add(&k->weighted, &k->matrix,
			                  glcm_weight(plan->kept[a], weighting, plan->spacing_mm), err));
	}
	k->evidence.glcm_count = weighting == RS_WEIGHTING_NONE ? plan->kept_count : 1;
	if (weighting != RS_WEIGHTING_NONE)
		glcm_measure_one(k, &k->weighted, &k->evidence.glcm[0]);
	return RS_OK;
}

static enum rs_code glrlm(struct kernel *k, struct rs_error *err)
{
	const struct kernel_plan *plan = k->plan;
	enum rs_weighting weighting = plan->image->weighting;
	k->weighted.count = 0;
	k->weighted.total = 0;
	tally_narrow(&k->runs, (uint32_t)k->present_count + 1, k->runs.columns);
	for (size_t a = 0; a < plan->run_count; a++) {
		k->matrix.count = 0;
		k->matrix.total = 0;
		if (glrlm_has_lines(&k->ranks, grid_whole(&k->ranks), plan->runs[a])) {
			glrlm_count_in(&k->ranks, grid_whole(&k->ranks), plan->runs[a], k->lengths, &k->runs);
			RS_TRY(take(k, &k->runs, false, err));
		}
		if (weighting == RS_WEIGHTING_NONE)
			sizes_measure_in(&k->matrix, 0, k->columns, &k->evidence.glrlm[a]);
		else
			RS_TRY(matrix_add(&k->weighted, &k->matrix,
			                  offset_length(plan->runs[a], weighting, plan->spacing_mm), err));
	}
	k->evidence.glrlm_count = weighting == RS_WEIGHTING_NONE ? plan->run_count : 1;
	if (weighting != RS_WEIGHTING_NONE)
		sizes_measure_in(&k->weighted, 0, k->columns, &k->evidence.glrlm[0]);
	return RS_OK;
}

static enum rs_code gldm(struct kernel *k, struct rs_error *err)
{
	/* With alpha below 1 only equal levels depend on each other, and ranks make a smaller table. */
	bool by_rank = k->plan->image->gldm_alpha < 1;
	const struct grid *grid = by_rank ? &k->ranks : &k->cube;
	tally_narrow(&k->sizes, (by_rank ? (uint32_t)k->present_count : k->plan->grid->level_count) + 1,
	             k->sizes.columns);
	gldm_count_in(grid, grid_whole(grid), k->shifts, 2 * k->plan->pair_count, k->plan->image->gldm_alpha,
	              &k->sizes);
	RS_TRY(by_rank ? take(k, &k->sizes, false, err) : tally_take(&k->sizes, &k->matrix, err));
	sizes_measure_in(&k->matrix, (double)k->cube.count, k->columns, &k->evidence.gldm);
	return RS_OK;
}

static enum rs_code glszm(struct kernel *k, struct rs_error *err)
{
	k->zones.count = 0;
	tally_narrow(&k->sizes, (uint32_t)k->present_count + 1, k->sizes.columns);
	RS_TRY(zones_find_in(&k->linking, &k->ranks, grid_whole(&k->ranks), NULL, &k->zones, err));
	for (size_t i = 0; i < k->zones.count; i++)
		tally_add(&k->sizes, k->zones.list[i].level, (uint32_t)k->zones.list[i].size);
	RS_TRY(take(k, &k->sizes, false, err));
	sizes_measure_in(&k->matrix, (double)k->cube.count, k->columns, &k->evidence.glszm);
	return RS_OK;
}

static void ngtdm(struct kernel *k)
{
	double n = (double)k->cube.count;
	ngtdm_count_in(&k->cube, grid_whole(&k->cube), k->shifts, 2 * k->plan->pair_count, true, k->rows);
	for (size_t i = 0; i < k->present_count; i++) {
		struct ngtdm_row *row = &k->rows[k->present[i]];
		k->tones[i] = (struct ngtdm_tone){k->present[i], (double)row->n / n, row->s};
		*row = (struct ngtdm_row){0};
	}
	ngtdm_measure_tones(k->tones, k->present_count, n, &k->evidence.ngtdm);
}

enum rs_code kernel_measure(struct kernel *k, struct rs_error *err)
{
	const bool *wants = k->plan->wants;
	if (wants[RS_FAMILY_FIRSTORDER])
		firstorder(k);
	if (wants[RS_FAMILY_GLCM])
		RS_TRY(glcm(k, err));
	if (wants[RS_FAMILY_GLDM])
		RS_TRY(gldm(k, err));
	if (wants[RS_FAMILY_GLRLM])
		RS_TRY(glrlm(k, err));
	if (wants[RS_FAMILY_GLSZM])
		RS_TRY(glszm(k, err));
	if (wants[RS_FAMILY_NGTDM])
		ngtdm(k);
	return RS_OK;
}
