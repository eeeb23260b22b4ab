/* Zones by size (GLSZM, IBSI reference manual, 9SAK) and by distance to the edge of the region (GLDZM, VMDZ). Both
 * count the same zones: voxels of one level of the intensity mask that touch by face, edge or corner. The distance
 * is that to the nearest voxel outside the morphological mask, in steps over faces; a zone has the least of its
 * voxels. In slices all of this stays within the slice. */
#include <string.h>

#include "radiomics/ibsi.h"

void ibsi_zones_finish(struct ibsi_zones *zones)
{
	zones_finish(&zones->of);
	rs_free(zones->slice_end);
}

/* Distances in a box with one voxel of outside about it. */
struct depths {
	size_t size[3], stride[3];
	uint32_t *depth;
};

static void depths_finish(struct depths *depths) { rs_free(depths->depth); }

/* City-block distance in two passes: from the voxels before, then from those after. */
static void depths_pass(struct depths *d, unsigned axes, bool back)
{
	for (size_t k = 1; k + 1 < d->size[2]; k++)
		for (size_t j = 1; j + 1 < d->size[1]; j++)
			for (size_t i = 1; i + 1 < d->size[0]; i++) {
				size_t x = back ? d->size[0] - 1 - i : i, y = back ? d->size[1] - 1 - j : j;
				size_t z = back ? d->size[2] - 1 - k : k;
				uint32_t *at = d->depth + z * d->stride[2] + y * d->stride[1] + x;
				for (unsigned a = 0; a<axes && * at> 0; a++) {
					uint32_t beside = back ? at[d->stride[a]] : *(at - d->stride[a]);
					*at = beside + 1 < *at ? beside + 1 : *at;
				}
			}
}

static enum rs_code depths_build(const struct region *region, bool volume, struct depths *out,
                                 struct rs_error *err)
{
	size_t cells = 1, from = 0;
	for (int a = 0; a < 3; a++) {
		out->size[a] = region->size[a] + 2;
		out->stride[a] = cells;
		if (!rs_mul_size(cells, out->size[a], &cells))
			return rs_error_set(err, RS_TOO_LARGE, "the region's bounding box is too large");
	}
	out->depth = rs_allocate_array(cells, sizeof *out->depth);
	if (out->depth == NULL)
		return rs_error_memory(err, cells * sizeof *out->depth, "distances to the edge");
	for (size_t z = 0; z < region->size[2]; z++)
		for (size_t y = 0; y < region->size[1]; y++)
			for (size_t x = 0; x < region->size[0]; x++, from++)
				out->depth[(z + 1) * out->stride[2] + (y + 1) * out->stride[1] + x + 1] =
					region->inside[from] ? UINT32_MAX - 1 : 0;
	depths_pass(out, volume ? 3 : 2, false);
	depths_pass(out, volume ? 3 : 2, true);
	return RS_OK;
}

/* The same laid out as the grid of the intensity mask, whose box lies within. */
static enum rs_code map_build(const struct ibsi_case *work, bool volume, uint32_t **out, struct rs_error *err)
{
	const struct grid *grid = &work->grid;
	const struct region *outer = &work->chain.morphological, *inner = &work->chain.intensity;
	struct depths depths RS_CLEANUP(depths_finish) = {0};
	size_t cells = (size_t)grid->stride[2] * (grid->size[2] + 2 * grid->margin), shift[3];
	RS_TRY(depths_build(outer, volume, &depths, err));
	uint32_t *map = rs_allocate_array(cells, sizeof *map);
	if (map == NULL)
		return rs_error_memory(err, cells * sizeof *map, "distances to the edge");
	for (int a = 0; a < 3; a++)
		shift[a] = inner->first[a] - outer->first[a] + 1;
	uint32_t *origin = map + (grid->origin - grid->levels);
	for (size_t z = 0; z < grid->size[2]; z++)
		for (size_t y = 0; y < grid->size[1]; y++)
			memcpy(origin + z * (size_t)grid->stride[2] + y * (size_t)grid->stride[1],
			       depths.depth + (z + shift[2]) * depths.stride[2] +
			               (y + shift[1]) * depths.stride[1] + shift[0],
			       grid->size[0] * sizeof *map);
	*out = map;
	return RS_OK;
}

enum rs_code ibsi_zones_build(const struct ibsi_case *work, bool volume, struct ibsi_zones *out,
                              struct rs_error *err)
{
	uint32_t *map RS_CLEANUP(rs_free_pointer) = NULL;
	size_t slices = work->grid.size[2];
	RS_TRY(map_build(work, volume, &map, err));
	if (volume)
		return zones_find(&work->grid, grid_whole(&work->grid), ibsi_directions, IBSI_DIRECTIONS, map,
		                  &out->of, err);
	out->slice_end = rs_allocate_array(slices, sizeof *out->slice_end);
	if (out->slice_end == NULL)
		return rs_error_memory(err, slices * sizeof *out->slice_end, "zones of slices");
	for (size_t z = 0; z < slices; z++) {
		RS_TRY(zones_find(&work->grid, (struct slab){z, z + 1}, ibsi_directions, IBSI_DIRECTIONS_2D,
		                  map, &out->of, err));
		out->slice_end[z] = out->of.count;
	}
	return RS_OK;
}

static enum rs_code measure(const struct ibsi_case *work, bool volume, bool by_distance, double *const *out,
                            struct rs_error *err)
{
	const struct ibsi_zones *zones = &work->zones[volume];
	struct ibsi_parts parts RS_CLEANUP(ibsi_parts_finish) = {0};
	RS_TRY(ibsi_parts_init(&parts, volume ? 1 : work->grid.size[2], 1, err));
	for (size_t s = 0, first = 0; s < parts.slices; s++) {
		size_t end = volume ? zones->of.count : zones->slice_end[s];
		struct zones some = {.list = zones->of.list + first, .count = end - first};
		parts.list[s].voxels = ibsi_slab_voxels(work, volume, s);
		if (some.count > 0)
			RS_TRY(zones_matrix(&some, by_distance, &parts.list[s].matrix, err));
		first = end;
	}
	return ibsi_aggregate(&parts, volume, false, ibsi_size_measure, IBSI_SIZE_FEATURES,
	                      work->levels.level_count, out, err);
}

static enum rs_code measure_sizes(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                                  double *const *out, struct rs_error *err)
{
	(void)pool;
	return measure(work, volume, false, out, err);
}

static enum rs_code measure_distances(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                                      double *const *out, struct rs_error *err)
{
	(void)pool;
	return measure(work, volume, true, out, err);
}

static const struct ibsi_row size_rows[IBSI_SIZE_FEATURES] = {
	{"szm_sze", "5QRC", "1"},       {"szm_lze", "48P8", "1"},    {"szm_lgze", "XMSY", "1"},
	{"szm_hgze", "5GN9", "1"},      {"szm_szlge", "5RAI", "1"},  {"szm_szhge", "HW1V", "1"},
	{"szm_lzlge", "YH51", "1"},     {"szm_lzhge", "J17V", "1"},  {"szm_glnu", "JNSA", "1"},
	{"szm_glnu_norm", "Y1RO", "1"}, {"szm_zsnu", "4JP3", "1"},   {"szm_zsnu_norm", "VB3A", "1"},
	{"szm_z_perc", "P30P", "1"},    {"szm_gl_var", "BYLV", "1"}, {"szm_zs_var", "3NSA", "1"},
	{"szm_zs_entr", "GU8N", "bit"},
};
static const struct ibsi_row distance_rows[IBSI_SIZE_FEATURES] = {
	{"dzm_sde", "0GBI", "1"},       {"dzm_lde", "MB4I", "1"},    {"dzm_lgze", "S1RA", "1"},
	{"dzm_hgze", "K26C", "1"},      {"dzm_sdlge", "RUVG", "1"},  {"dzm_sdhge", "DKNJ", "1"},
	{"dzm_ldlge", "A7WM", "1"},     {"dzm_ldhge", "KLTH", "1"},  {"dzm_glnu", "VFT7", "1"},
	{"dzm_glnu_norm", "7HP3", "1"}, {"dzm_zdnu", "V294", "1"},   {"dzm_zdnu_norm", "IATH", "1"},
	{"dzm_z_perc", "VIWW", "1"},    {"dzm_gl_var", "QK93", "1"}, {"dzm_zd_var", "7WT1", "1"},
	{"dzm_zd_entr", "GBDU", "bit"},
};
const struct ibsi_family ibsi_glszm = {"szm", IBSI_UNDIRECTED, size_rows, IBSI_SIZE_FEATURES, measure_sizes};
const struct ibsi_family ibsi_gldzm = {"dzm", IBSI_UNDIRECTED, distance_rows, IBSI_SIZE_FEATURES,
                                       measure_distances};
