/* Grey level size zones (PyRadiomics 3.1 documentation, "GLSZM"; IBSI reference manual, 3.8): how many groups of
 * touching voxels of one level have so many voxels. Zones are found by union-find, one pass over the rows. */
#include <string.h>

#include "radiomics/texture.h"

void zones_finish(struct zones *zones)
{
	if (zones == NULL)
		return;
	rs_free(zones->list);
	memset(zones, 0, sizeof *zones);
}

void linking_finish(struct linking *linking)
{
	if (linking == NULL)
		return;
	rs_free(linking->parent);
	memset(linking, 0, sizeof *linking);
}

/* A root is its own parent, and the first voxel of its zone; every other parent lies before its child. */
static uint32_t root_of(uint32_t *parent, uint32_t v)
{
	while (parent[v] != v) {
		parent[v] = parent[parent[v]];
		v = parent[v];
	}
	return v;
}

static void unite(uint32_t *parent, uint32_t a, uint32_t b)
{
	a = root_of(parent, a);
	b = root_of(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

/* Whether the voxels at two links touch each other: their difference is a link. */
static bool touch(const struct offset *linked, size_t count, size_t a, size_t b)
{
	for (size_t m = 0; m < count; m++) {
		bool plus = true, minus = true;
		for (int i = 0; i < 3; i++) {
			int d = linked[a].at[i] - linked[b].at[i];
			plus = plus && d == linked[m].at[i];
			minus = minus && d == -linked[m].at[i];
		}
		if (plus || minus)
			return true;
	}
	return false;
}

enum rs_code linking_init(struct linking *linking, const struct grid *grid, const struct offset *linked,
                          size_t count, struct rs_error *err)
{
	size_t cells = grid_cells(grid);
	assert(count <= LINKS_MAX);
	*linking = (struct linking){.count = count};
	for (size_t k = 0; k < count; k++) {
		linking->shift[k] = -offset_shift(grid, linked[k]); /* the neighbour that came before */
		for (size_t other = 0; other < count; other++)
			linking->near[k] |= (uint32_t)touch(linked, count, k, other) << other;
	}
	linking->parent = rs_allocate_array(cells, sizeof *linking->parent);
	if (linking->parent == NULL)
		return rs_error_memory(err, cells * sizeof *linking->parent, "zones");
	return RS_OK;
}

/* Bit k of each of four voxels: the neighbour k before it has its level. */
static quad links_of(const struct linking *linking, const uint32_t *level)
{
	quad own = quad_read(level), links = {0};
	for (size_t k = 0; k < linking->count; k++) {
		quad bit = {0};
		links |= (quad)(quad_read(level + linking->shift[k]) == own) & (bit + (1U << k));
	}
	return links;
}

static void link_voxel(const struct linking *linking, uint32_t v, uint32_t links)
{
	linking->parent[v] = v;
	while (links != 0) {
		unsigned k = (unsigned)__builtin_ctz(links);
		unite(linking->parent, (uint32_t)((ptrdiff_t)v + linking->shift[k]), v);
		links &= ~(linking->near[k] | 1U << k);
	}
}

static void link_row(const struct linking *linking, const struct grid *grid, const uint32_t *level,
                     const struct row *row)
{
	for (size_t x = row->first; x < row->end; x += QUAD) {
		quad links = links_of(linking, level + x);
		for (size_t i = 0; i < QUAD && x + i < row->end; i++)
			if (level[x + i] != 0)
				link_voxel(linking, (uint32_t)(level + x + i - grid->levels), links[i]);
	}
}

static enum rs_code zone_append(struct zones *zones, struct zone zone, struct rs_error *err)
{
	if (zones->count == zones->room) {
		size_t room = zones->room > 0 ? 2 * zones->room : 256;
		struct zone *list = rs_reallocate(zones->list, room * sizeof *list);
		if (list == NULL)
			return rs_error_memory(err, room * sizeof *list, "zones");
		zones->list = list;
		zones->room = room;
	}
	zones->list[zones->count++] = zone;
	return RS_OK;
}

/* Numbers zones in the order of their roots, which come before all others; afterwards parent[] holds numbers. */
static enum rs_code number_row(uint32_t *parent, const struct grid *grid, size_t r,
                               const uint32_t *distance_map, struct zones *out, struct rs_error *err)
{
	const uint32_t *level = grid_row(grid, r % grid->size[1], r / grid->size[1]);
	for (size_t x = grid->rows[r].first; x < grid->rows[r].end; x++) {
		size_t v = (size_t)(level + x - grid->levels);
		uint32_t distance = distance_map != NULL ? distance_map[v] : 0;
		if (level[x] == 0)
			continue;
		bool root = parent[v] == v;
		parent[v] = root ? (uint32_t)out->count : parent[parent[v]];
		if (root)
			RS_TRY(zone_append(out, (struct zone){level[x], distance, 0}, err));
		struct zone *zone = &out->list[parent[v]];
		zone->size++;
		zone->distance = distance < zone->distance ? distance : zone->distance;
	}
	return RS_OK;
}

enum rs_code zones_find_in(struct linking *linking, const struct grid *grid, struct slab slab,
                           const uint32_t *distance_map, struct zones *out, struct rs_error *err)
{
	size_t ny = grid->size[1];
	for (size_t r = slab.first * ny; r < slab.end * ny; r++)
		link_row(linking, grid, grid_row(grid, r % ny, r / ny), &grid->rows[r]);
	for (size_t r = slab.first * ny; r < slab.end * ny; r++)
		RS_TRY(number_row(linking->parent, grid, r, distance_map, out, err));
	return RS_OK;
}

enum rs_code zones_find(const struct grid *grid, struct slab slab, const struct offset *linked, size_t count,
                        const uint32_t *distance_map, struct zones *out, struct rs_error *err)
{
	struct linking linking RS_CLEANUP(linking_finish) = {0};
	RS_TRY(linking_init(&linking, grid, linked, count, err));
	return zones_find_in(&linking, grid, slab, distance_map, out, err);
}

#define SMALL_ZONE 64 /* sizes up to here are counted in a table */

enum rs_code zones_matrix(const struct zones *zones, bool by_distance, struct matrix *out,
                          struct rs_error *err)
{
	struct tally tally RS_CLEANUP(tally_finish) = {0};
	uint32_t levels = 0;
	for (size_t i = 0; i < zones->count; i++)
		levels = zones->list[i].level > levels ? zones->list[i].level : levels;
	RS_TRY(tally_init(&tally, levels + 1, SMALL_ZONE, zones->count, err));
	for (size_t i = 0; i < zones->count; i++)
		tally_add(&tally, zones->list[i].level,
		          by_distance ? zones->list[i].distance : (uint32_t)zones->list[i].size);
	return tally_take(&tally, out, err);
}

enum rs_code glszm_build(struct rs_evidence *evidence, struct rs_error *err)
{
	const struct grid *grid = &evidence->grid;
	struct offset *linked RS_CLEANUP(rs_free_pointer) = NULL;
	struct zones zones RS_CLEANUP(zones_finish) = {0};
	struct matrix matrix RS_CLEANUP(matrix_finish) = {0};
	size_t count;
	RS_TRY(offsets_of_image(evidence->image, grid, false, &linked, &count, err));
	RS_TRY(zones_find(grid, grid_whole(grid), linked, count, NULL, &zones, err));
	RS_TRY(zones_matrix(&zones, false, &matrix, err));
	return sizes_measure(&matrix, (double)grid->count, &evidence->glszm, err);
}

#define OF(member) \
	static double member(const struct rs_evidence *e) { return e->glszm.member; }
SIZE_SUMS_EACH(OF)

#define ROW(name, ibsi, unit, display, function)                                     \
	{                                                                            \
		"glszm_" name, ibsi, unit, display, RS_FAMILY_GLSZM, false, function \
	}
static const struct rs_feature rows[] = {
	ROW("grey_level_nonuniformity", "JNSA", "1", "GrayLevelNonUniformity", level_nonuniformity),
	ROW("grey_level_nonuniformity_normalised", "Y1RO", "1", "GrayLevelNonUniformityNormalized",
            level_nonuniformity_normalised),
	ROW("grey_level_variance", "BYLV", "1", "GrayLevelVariance", level_variance),
	ROW("high_grey_level_zone_emphasis", "5GN9", "1", "HighGrayLevelZoneEmphasis", high),
	ROW("large_area_emphasis", "48P8", "1", "LargeAreaEmphasis", large),
	ROW("large_area_high_grey_level_emphasis", "J17V", "1", "LargeAreaHighGrayLevelEmphasis", large_high),
	ROW("large_area_low_grey_level_emphasis", "YH51", "1", "LargeAreaLowGrayLevelEmphasis", large_low),
	ROW("low_grey_level_zone_emphasis", "XMSY", "1", "LowGrayLevelZoneEmphasis", low),
	ROW("size_zone_nonuniformity", "4JP3", "1", "SizeZoneNonUniformity", size_nonuniformity),
	ROW("size_zone_nonuniformity_normalised", "VB3A", "1", "SizeZoneNonUniformityNormalized",
            size_nonuniformity_normalised),
	ROW("small_area_emphasis", "5QRC", "1", "SmallAreaEmphasis", small),
	ROW("small_area_high_grey_level_emphasis", "HW1V", "1", "SmallAreaHighGrayLevelEmphasis", small_high),
	ROW("small_area_low_grey_level_emphasis", "5RAI", "1", "SmallAreaLowGrayLevelEmphasis", small_low),
	ROW("zone_entropy", "GU8N", "bit", "ZoneEntropy", entropy),
	ROW("zone_percentage", "P30P", "1", "ZonePercentage", percentage),
	ROW("zone_variance", "3NSA", "1", "ZoneVariance", size_variance),
};
const struct rs_feature_table glszm_features = {RS_COUNT(rows), rows};
