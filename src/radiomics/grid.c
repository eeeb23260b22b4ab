/* Grey levels in place, and the offsets from a voxel to its neighbours. */
#include <math.h>
#include <string.h>

#include "radiomics/texture.h"

void grid_finish(struct grid *grid)
{
	if (grid == NULL)
		return;
	rs_free(grid->levels);
	rs_free(grid->rows);
	memset(grid, 0, sizeof *grid);
}

static enum rs_code grid_allocate(struct grid *grid, struct rs_error *err)
{
	size_t cells = GRID_OVERREAD, row = 1, rows;
	for (int a = 0; a < 3; a++) {
		size_t side;
		grid->stride[a] = (ptrdiff_t)row;
		if (!rs_add_size(grid->size[a], 2 * grid->margin, &side) || !rs_mul_size(row, side, &row) ||
		    row > GRID_CELLS_MAX)
			return rs_error_set(
				err, RS_TOO_LARGE,
				"the region's bounding box of %zu x %zu x %zu voxels is more than "
				"texture is measured on; crop or resample",
				grid->size[0], grid->size[1], grid->size[2]);
	}
	cells += row;
	rows = grid->size[1] * grid->size[2];
	grid->levels = rs_allocate_array(cells, sizeof *grid->levels);
	grid->rows = rs_allocate_array(rows, sizeof *grid->rows);
	if (grid->levels == NULL || grid->rows == NULL)
		return rs_error_memory(err, cells * sizeof *grid->levels, "grey levels in place");
	size_t margin = grid->margin;
	grid->origin = grid->levels + margin * (size_t)(grid->stride[0] + grid->stride[1] + grid->stride[2]);
	return RS_OK;
}

/* Rows in chunks that threads may take. */
#define CHUNKS 16
struct filling {
	struct grid grid;
	const uint8_t *inside;
	const uint32_t *level;
	size_t first[CHUNKS + 1]; /* voxels of the region before each chunk */
};

static size_t chunk_begin(const struct grid *grid, size_t index)
{
	size_t rows = grid->size[1] * grid->size[2];
	return rows / CHUNKS * index + rows % CHUNKS * index / CHUNKS;
}

static enum rs_code chunk_count(void *context, size_t index, struct rs_error *err)
{
	(void)err;
	struct filling *filling = context;
	size_t nx = filling->grid.size[0], count = 0;
	size_t end = chunk_begin(&filling->grid, index + 1) * nx;
	for (size_t i = chunk_begin(&filling->grid, index) * nx; i < end; i++)
		count += filling->inside[i];
	filling->first[index + 1] = count;
	return RS_OK;
}

static enum rs_code chunk_fill(void *context, size_t index, struct rs_error *err)
{
	(void)err;
	struct filling *filling = context;
	const struct grid *grid = &filling->grid;
	const uint32_t *level = filling->level + filling->first[index];
	for (size_t r = chunk_begin(grid, index); r < chunk_begin(grid, index + 1); r++) {
		const uint8_t *inside = filling->inside + r * grid->size[0];
		uint32_t *to = grid_row(grid, r % grid->size[1], r / grid->size[1]);
		struct row *row = &grid->rows[r];
		for (size_t x = 0; x < grid->size[0]; x++) {
			if (!inside[x])
				continue;
			row->first = row->end == 0 ? (uint32_t)x : row->first;
			row->end = (uint32_t)x + 1;
			to[x] = *level++;
		}
	}
	return RS_OK;
}

enum rs_code grid_build(const struct region *region, const struct levels *levels, size_t margin,
                        struct rs_pool *pool, struct grid *out, struct rs_error *err)
{
	struct grid grid RS_CLEANUP(grid_finish) = {
		.margin = margin, .level_count = levels->level_count, .count = region->count};
	memcpy(grid.size, region->size, sizeof grid.size);
	RS_TRY(grid_allocate(&grid, err));
	struct filling filling = {.grid = grid, .inside = region->inside, .level = levels->of_voxel};
	RS_TRY(rs_pool_for(pool, CHUNKS, chunk_count, &filling, err));
	for (size_t k = 0; k < CHUNKS; k++)
		filling.first[k + 1] += filling.first[k];
	RS_TRY(rs_pool_for(pool, CHUNKS, chunk_fill, &filling, err));
	*out = grid;
	memset(&grid, 0, sizeof grid);
	return RS_OK;
}

static bool offset_wanted(const struct offset *offset, const unsigned *distances, size_t distance_count,
                          const size_t box_size[3], unsigned flat_axis)
{
	unsigned distance = 0;
	for (unsigned a = 0; a < 3; a++) {
		unsigned d = (unsigned)(offset->at[a] < 0 ? -offset->at[a] : offset->at[a]);
		if (d >= box_size[a] || (a == flat_axis && d > 0))
			return false;
		distance = d > distance ? d : distance;
	}
	for (size_t k = 0; k < distance_count; k++)
		if (distances[k] == distance)
			return true;
	return false;
}

enum rs_code offsets_list(const unsigned *distances, size_t distance_count, const size_t box_size[3],
                          unsigned flat_axis, struct offset **out, size_t *out_count, struct rs_error *err)
{
	int far = (int)distances[distance_count - 1], width = 2 * far + 1;
	size_t half = (size_t)width * (size_t)width * (size_t)width / 2, count = 0;
	struct offset *list = rs_allocate_array(half, sizeof *list);
	if (list == NULL)
		return rs_error_memory(err, half * sizeof *list, "offsets");
	for (size_t i = 0; i < half; i++) {
		struct offset offset = {
			{far - (int)i % width, far - (int)i / width % width, far - (int)i / (width * width)}};
		if (offset_wanted(&offset, distances, distance_count, box_size, flat_axis))
			list[count++] = offset;
	}
	*out = list;
	*out_count = count;
	return RS_OK;
}

enum rs_code offsets_of_image(const struct rs_image_settings *settings, const struct grid *grid,
                              bool all_distances, struct offset **out, size_t *out_count,
                              struct rs_error *err)
{
	static const unsigned one[] = {1};
	unsigned flat_axis = settings->force_2d ? 2 - settings->force_2d_dimension : 3;
	if (!all_distances)
		return offsets_list(one, 1, grid->size, flat_axis, out, out_count, err);
	return offsets_list(settings->distances, settings->distance_count, grid->size, flat_axis, out,
	                    out_count, err);
}

double offset_length(struct offset offset, enum rs_weighting norm, const double spacing_mm[3])
{
	double sum = 0, squares = 0, largest = 0;
	for (int a = 0; a < 3; a++) {
		double d = (offset.at[a] < 0 ? -offset.at[a] : offset.at[a]) * spacing_mm[a];
		sum += d;
		squares += d * d;
		largest = d > largest ? d : largest;
	}
	switch (norm) {
	case RS_WEIGHTING_MANHATTAN: return sum;
	case RS_WEIGHTING_EUCLIDEAN: return sqrt(squares);
	case RS_WEIGHTING_INFINITY: return largest;
	case RS_WEIGHTING_NONE:
	case RS_WEIGHTING_EQUAL: break;
	}
	return 1;
}

enum rs_code shifts_list(const struct grid *grid, const struct offset *offsets, size_t count, ptrdiff_t **out,
                         struct rs_error *err)
{
	ptrdiff_t *shifts = rs_allocate_array(2 * count, sizeof *shifts);
	if (shifts == NULL)
		return rs_error_memory(err, 2 * count * sizeof *shifts, "neighbours");
	for (size_t k = 0; k < count; k++) {
		shifts[2 * k] = offset_shift(grid, offsets[k]);
		shifts[2 * k + 1] = -shifts[2 * k];
	}
	*out = shifts;
	return RS_OK;
}

void directions_finish(struct directions *directions)
{
	for (size_t a = 0; directions->matrices != NULL && a < directions->count; a++)
		matrix_finish(&directions->matrices[a]);
	rs_free(directions->matrices);
	rs_free(directions->offsets);
	memset(directions, 0, sizeof *directions);
}

enum rs_code directions_list(const struct rs_evidence *evidence, bool all_distances, struct directions *out,
                             struct rs_error *err)
{
	RS_TRY(offsets_of_image(evidence->image, &evidence->grid, all_distances, &out->offsets, &out->count,
	                        err));
	if (evidence->image->weighting == RS_WEIGHTING_NONE)
		return RS_OK;
	out->matrices = rs_allocate_array(out->count, sizeof *out->matrices);
	if (out->matrices == NULL)
		return rs_error_memory(err, out->count * sizeof *out->matrices, "matrices of directions");
	return RS_OK;
}
