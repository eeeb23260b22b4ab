/* Voxel-based features: each one of the cube around each voxel of the region, as a volume (PyRadiomics 3.1
 * documentation, "Voxel-based extraction"). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "radiomics/diagnostics.h"
#include "radiomics/images.h"
#include "radiomics/kernel.h"
#include "radiomics/settings_table.h"

#define CHUNK 128 /* voxels that one thread measures before it asks for more */

void rs_radiomics_maps_finish(struct rs_radiomics_maps *maps)
{
	if (maps == NULL)
		return;
	for (size_t i = 0; maps->list != NULL && i < maps->count; i++)
		rs_free(maps->list[i].voxels);
	rs_free(maps->list);
	rs_radiomics_result_finish(&maps->about);
	memset(maps, 0, sizeof *maps);
}

struct mapping {
	const struct rs_radiomics_settings *settings;
	const struct radiomics_case *work;
	struct derived_images images;
	struct rs_box box;
	uint8_t *inside;  /* of the box: the region */
	size_t *measured; /* cells of the box that are voxels of the region, ascending */
	struct rs_radiomics_maps *maps;
	struct rs_radiomics_map *next; /* the maps of the image at hand begin here */
	struct kernel_plan plan;
	/* Per family the rows that are mapped, in the order of output. */
	uint8_t rows[RS_FAMILY_COUNT][RS_RADIOMICS_FEATURES_MAX];
	size_t row_count[RS_FAMILY_COUNT];
};

static void mapping_finish(struct mapping *m)
{
	images_finish(&m->images);
	rs_free(m->inside);
	rs_free(m->measured);
}

static bool is_mapped(int family) { return family != RS_FAMILY_SHAPE && family != RS_FAMILY_SHAPE_2D; }

static size_t maps_per_image(const struct rs_radiomics_settings *settings)
{
	size_t count = 0;
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		count += is_mapped(f) ? (size_t)__builtin_popcountll(settings->chosen[f]) : 0;
	return count;
}

/* The bounding box and radius voxels around it, as far as the image goes. */
static enum rs_code box_cut(struct mapping *m, struct rs_error *err)
{
	const struct region *region = &m->work->region;
	const struct rs_geometry *whole = &m->work->volume->geometry;
	size_t radius = m->settings->kernel_radius, lead[3], n = 0, from = 0;
	m->maps->geometry = *whole;
	for (int a = 0; a < 3; a++) {
		size_t end = region->first[a] + region->size[a] + radius;
		lead[a] = region->first[a] < radius ? region->first[a] : radius;
		m->box.first[a] = region->first[a] - lead[a];
		m->box.size[a] = (end < whole->size[a] ? end : whole->size[a]) - m->box.first[a];
		m->maps->geometry.size[a] = m->box.size[a];
		for (int k = 0; k < 3; k++)
			m->maps->geometry.origin_mm[k] += whole->direction[k][a] * whole->spacing_mm[a] *
			                                  (double)m->box.first[a];
	}
	m->inside = rs_allocate(rs_box_voxels(&m->box));
	m->measured = rs_allocate_array(region->count, sizeof *m->measured);
	if (m->inside == NULL || m->measured == NULL)
		return rs_error_memory(err, rs_box_voxels(&m->box) + region->count * sizeof *m->measured,
		                       "the region's surroundings");
	for (size_t z = 0; z < region->size[2]; z++)
		for (size_t y = 0; y < region->size[1]; y++)
			for (size_t x = 0; x < region->size[0]; x++, from++) {
				size_t to = ((z + lead[2]) * m->box.size[1] + y + lead[1]) * m->box.size[0] +
				            x + lead[0];
				m->inside[to] = region->inside[from];
				if (region->inside[from])
					m->measured[n++] = to;
			}
	return RS_OK;
}

static enum rs_code map_add(struct mapping *m, const struct derived_image *image, enum rs_family family,
                            const struct rs_feature *row, struct rs_error *err)
{
	struct rs_radiomics_map *map = &m->maps->list[m->maps->count];
	size_t voxels = rs_box_voxels(&m->box);
	double outside = m->settings->initial_value;
	map->voxels = rs_allocate_array(voxels, sizeof *map->voxels);
	if (map->voxels == NULL)
		return rs_error_memory(err, voxels * sizeof *map->voxels, "a map");
	for (size_t i = 0; i < voxels; i++)
		map->voxels[i] = outside;
	map->ibsi = row->ibsi;
	map->unit = row->unit;
	snprintf(map->name, sizeof map->name, "%s_%s_%s", image->name, rs_family_name(family), row->display);
	m->maps->count++;
	return RS_OK;
}

static enum rs_code maps_list(struct mapping *m, struct rs_error *err)
{
	size_t count = m->images.count * maps_per_image(m->settings);
	m->maps->list = rs_allocate_array(count + 1, sizeof *m->maps->list);
	if (m->maps->list == NULL)
		return rs_error_memory(err, count * sizeof *m->maps->list, "maps");
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		if (is_mapped(f))
			m->row_count[f] = settings_features(m->settings, (enum rs_family)f, m->rows[f]);
	for (size_t i = 0; i < m->images.count; i++)
		for (int k = 0; k < RS_FAMILY_COUNT; k++) {
			enum rs_family family = (enum rs_family)m->settings->family_order[k];
			const struct rs_feature_table *table = rs_feature_family(family);
			for (size_t f = 0; f < m->row_count[family]; f++)
				RS_TRY(map_add(m, &m->images.list[i], family,
				               &table->rows[m->rows[family][f]], err));
		}
	return RS_OK;
}

static void voxel_of(const struct mapping *m, size_t cell, size_t out[3])
{
	out[0] = cell % m->box.size[0];
	out[1] = cell / m->box.size[0] % m->box.size[1];
	out[2] = cell / m->box.size[0] / m->box.size[1];
}

/* PyRadiomics removes directions without pairs in any cube. */
static enum rs_code pairs_keep(struct mapping *m, struct rs_error *err)
{
	struct kernel_plan *plan = &m->plan;
	struct kernel kernel RS_CLEANUP(kernel_finish) = {0};
	size_t left = plan->pair_count, kept = 0;
	bool *seen RS_CLEANUP(rs_free_pointer) = rs_allocate_array(plan->pair_count, sizeof *seen);
	struct offset *list = rs_allocate_array(plan->pair_count, sizeof *list);
	plan->kept = list;
	if (seen == NULL || list == NULL)
		return rs_error_memory(err, plan->pair_count * sizeof *list, "directions");
	RS_TRY(kernel_init(&kernel, plan, err));
	for (size_t v = 0; v < m->work->region.count && left > 0; v++) {
		size_t voxel[3];
		voxel_of(m, m->measured[v], voxel);
		kernel_move(&kernel, voxel);
		for (size_t a = 0; a < plan->pair_count; a++)
			if (!seen[a] && kernel_has_pair(&kernel, plan->pairs[a])) {
				seen[a] = true;
				left--;
			}
	}
	for (size_t a = 0; a < plan->pair_count; a++)
		if (seen[a])
			list[kept++] = plan->pairs[a];
	plan->kept_count = kept;
	return RS_OK;
}

static void values_write(struct mapping *m, const struct kernel *kernel, size_t cell)
{
	struct rs_radiomics_map *map = m->next;
	for (int k = 0; k < RS_FAMILY_COUNT; k++) {
		enum rs_family family = (enum rs_family)m->settings->family_order[k];
		const struct rs_feature_table *table = rs_feature_family(family);
		for (size_t f = 0; f < m->row_count[family]; f++)
			(map++)->voxels[cell] = table->rows[m->rows[family][f]].value(&kernel->evidence);
	}
}

static enum rs_code chunk_run(void *context, size_t index, struct rs_error *err)
{
	struct mapping *m = context;
	struct kernel kernel RS_CLEANUP(kernel_finish) = {0};
	size_t end = (index + 1) * CHUNK < m->work->region.count ? (index + 1) * CHUNK
	                                                         : m->work->region.count;
	RS_TRY(kernel_init(&kernel, &m->plan, err));
	for (size_t v = index * CHUNK; v < end; v++) {
		size_t voxel[3];
		voxel_of(m, m->measured[v], voxel);
		kernel_move(&kernel, voxel);
		RS_TRY(kernel_measure(&kernel, err));
		values_write(m, &kernel, m->measured[v]);
	}
	return RS_OK;
}

/* Grey levels of the image within the box: of the region alone, or of everything when kernels are not masked. */
static enum rs_code levels_place(struct mapping *m, const struct derived_image *image, struct rs_pool *pool,
                                 struct grid *out, struct rs_error *err)
{
	const struct rs_image_settings *s = &image->settings;
	struct region domain RS_CLEANUP(region_finish) = {0};
	struct levels levels = {0};
	size_t voxels = rs_box_voxels(&m->box), n = 0, margin = s->distances[s->distance_count - 1];
	margin = margin > m->settings->kernel_radius ? margin : m->settings->kernel_radius;
	memcpy(domain.size, m->box.size, sizeof domain.size);
	domain.inside = rs_allocate(voxels);
	domain.values = rs_allocate_array(voxels, sizeof *domain.values);
	if (domain.inside == NULL || domain.values == NULL)
		return rs_error_memory(err, voxels * 9, "an image's surroundings");
	for (size_t i = 0; i < voxels; i++) {
		domain.inside[i] = !m->settings->masked_kernel || m->inside[i];
		if (!domain.inside[i])
			continue;
		if (!isfinite(image->box[i]))
			return rs_error_set(
				err, RS_REFUSED,
				"the image holds a voxel that is no number near the region; mend it, "
				"or set maskedKernel to true");
		domain.values[n++] = image->box[i];
	}
	domain.count = n;
	RS_TRY(levels_build(s, &domain, pool, &levels, err));
	m->plan.flat = levels.histogram[levels.level_count] == n;
	enum rs_code code = grid_build(&domain, &levels, margin, pool, out, err);
	rs_free(levels.of_voxel);
	rs_free(levels.histogram);
	return code;
}

static void plan_make(struct mapping *m, const struct derived_image *image, const struct grid *grid)
{
	struct kernel_plan *plan = &m->plan;
	size_t width = 2 * (size_t)m->settings->kernel_radius + 1;
	plan->settings = m->settings;
	plan->image = &image->settings;
	plan->grid = grid;
	plan->intensities = image->box;
	memcpy(plan->spacing_mm, m->maps->geometry.spacing_mm, sizeof plan->spacing_mm);
	for (unsigned a = 0; a < 3; a++)
		plan->side[a] = image->settings.force_2d && a == 2 - image->settings.force_2d_dimension
		                        ? 1
		                        : width;
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		plan->wants[f] = m->settings->chosen[f] != 0;
	plan->wants_mcc = glcm_wants_mcc(m->settings);
}

static enum rs_code image_run(struct mapping *m, const struct derived_image *image, struct rs_pool *pool,
                              struct rs_error *err)
{
	struct grid grid RS_CLEANUP(grid_finish) = {0};
	RS_TRY(levels_place(m, image, pool, &grid, err));
	plan_make(m, image, &grid);
	RS_TRY(offsets_of_image(&image->settings, &grid, true, &m->plan.pairs, &m->plan.pair_count, err));
	RS_TRY(offsets_of_image(&image->settings, &grid, false, &m->plan.runs, &m->plan.run_count, err));
	RS_TRY(pairs_keep(m, err));
	return rs_pool_for(pool, (m->work->region.count + CHUNK - 1) / CHUNK, chunk_run, m, err);
}

static enum rs_code images_run(struct mapping *m, struct rs_pool *pool, struct rs_error *err)
{
	size_t per_image = maps_per_image(m->settings);
	for (size_t i = 0; i < m->images.count; i++) {
		struct derived_image *image = &m->images.list[i];
		m->next = m->maps->list + i * per_image;
		for (size_t k = 0; image->box == NULL && k < per_image; k++)
			for (size_t v = 0; v < m->work->region.count; v++)
				m->next[k].voxels[m->measured[v]] = NAN; /* the image is left out */
		if (image->box == NULL)
			continue;
		enum rs_code code = image_run(m, image, pool, err);
		rs_free(m->plan.pairs);
		rs_free(m->plan.kept);
		rs_free(m->plan.runs);
		m->plan = (struct kernel_plan){0};
		if (code != RS_OK)
			return rs_error_context(err, "image %s", image->name);
		rs_free(image->box);
		image->box = NULL;
	}
	return RS_OK;
}

enum rs_code rs_radiomics_maps(const struct rs_volume *volume, const struct rs_mask *mask,
                               const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                               struct rs_radiomics_maps *out, struct rs_error *err)
{
	struct radiomics_case work RS_CLEANUP(case_finish) = {0};
	struct rs_radiomics_maps maps RS_CLEANUP(rs_radiomics_maps_finish) = {0};
	struct mapping m RS_CLEANUP(mapping_finish) = {.settings = settings, .work = &work, .maps = &maps};
	RS_TRY(rs_radiomics_settings_check(settings, err));
	if (settings->mode != RS_RADIOMICS_PYRADIOMICS)
		return rs_error_set(err, RS_UNSUPPORTED, "voxel-based maps are of mode pyradiomics");
	if (maps_per_image(settings) == 0)
		return rs_error_set(
			err, RS_USAGE,
			"no feature is chosen that can be mapped; name some of firstorder, glcm, gldm, "
			"glrlm, glszm or ngtdm");
	RS_TRY(images_plan(settings, &m.images, err));
	RS_TRY(case_prepare(volume, mask, settings, pool, &work, err));
	RS_TRY(box_cut(&m, err));
	RS_TRY(maps_list(&m, err));
	RS_TRY(images_derive(work.volume, &m.box, m.inside, pool, &m.images, err));
	RS_TRY(images_run(&m, pool, err));
	if (settings->additional_info)
		RS_TRY(diagnostics_build(volume, mask, &work, settings, &maps.about, err));
	RS_TRY(rs_radiomics_settings_digest(settings, &maps.about.settings_digest, err));
	memcpy(maps.about.warning, m.images.warning, sizeof maps.about.warning);
	*out = maps;
	memset(&maps, 0, sizeof maps);
	return RS_OK;
}
