/* From volume, mask and settings to an ordered list of named numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "radiomics/diagnostics.h"
#include "radiomics/ibsi.h"
#include "radiomics/images.h"
#include "radiomics/settings_table.h"

/* A family is one file with its rows and its builder, and one line here. Those with directions are built in parts. */
static const struct {
	const char *name;
	const struct rs_feature_table *table;
	enum rs_code (*build)(struct rs_evidence *evidence, struct rs_error *err);
	enum rs_code (*prepare)(struct rs_evidence *evidence, size_t *out_parts, struct rs_error *err);
	enum rs_code (*part)(struct rs_evidence *evidence, size_t part, struct rs_error *err);
	enum rs_code (*finish)(struct rs_evidence *evidence, struct rs_error *err);
} families[RS_FAMILY_COUNT] = {
	[RS_FAMILY_SHAPE] = {"shape", &shape_features, shape_build, NULL, NULL, NULL},
	[RS_FAMILY_SHAPE_2D] = {"shape2D", &shape_2d_features, shape_2d_build, NULL, NULL, NULL},
	[RS_FAMILY_FIRSTORDER] = {"firstorder", &firstorder_features, firstorder_build, NULL, NULL, NULL},
	[RS_FAMILY_GLCM] = {"glcm", &glcm_features, NULL, glcm_prepare, glcm_part, glcm_finish},
	[RS_FAMILY_GLDM] = {"gldm", &gldm_features, gldm_build, NULL, NULL, NULL},
	[RS_FAMILY_GLRLM] = {"glrlm", &glrlm_features, NULL, glrlm_prepare, glrlm_part, glrlm_finish},
	[RS_FAMILY_GLSZM] = {"glszm", &glszm_features, glszm_build, NULL, NULL, NULL},
	[RS_FAMILY_NGTDM] = {"ngtdm", &ngtdm_features, ngtdm_build, NULL, NULL, NULL},
};

const struct rs_feature_table *rs_feature_family(enum rs_family family) { return families[family].table; }

const char *rs_family_name(enum rs_family family) { return families[family].name; }

static void evidence_finish(struct rs_evidence *evidence)
{
	rs_free(evidence->owned_values);
	rs_free(evidence->levels.of_voxel);
	rs_free(evidence->levels.histogram);
	grid_finish(&evidence->grid);
	rs_free(evidence->glcm);
	rs_free(evidence->glrlm);
	directions_finish(&evidence->glcm_directions);
	directions_finish(&evidence->glrlm_directions);
	memset(evidence, 0, sizeof *evidence);
}

void rs_radiomics_result_finish(struct rs_radiomics_result *result)
{
	if (result == NULL)
		return;
	for (size_t i = 0; i < result->diagnostic_count; i++)
		rs_free(result->diagnostics[i].text);
	rs_free(result->diagnostics);
	rs_free(result->values);
	memset(result, 0, sizeof *result);
}

const struct rs_radiomics_value *rs_radiomics_result_find(const struct rs_radiomics_result *result,
                                                          const char *name)
{
	for (size_t i = 0; i < result->count; i++)
		if (strcmp(result->values[i].name, name) == 0)
			return &result->values[i];
	return NULL;
}

/* One image's family, with slots of its own in the result. */
struct task {
	size_t image;
	enum rs_family family;
	size_t first; /* slot of its first value */
};

/* A unit of work of the pool. */
struct part {
	const struct task *task;
	size_t index; /* among those of the task */
};

struct extraction {
	const struct rs_radiomics_settings *settings;
	const struct radiomics_case *work;
	struct derived_images images;
	struct rs_evidence *evidence; /* one per image, and one for shape at the end */
	struct task *tasks;
	size_t task_count;
	struct part *parts;
	size_t part_count, part_room;
	struct rs_radiomics_value *values;
	size_t value_count;
};

static void extraction_finish(struct extraction *e)
{
	for (size_t i = 0; e->evidence != NULL && i <= e->images.count; i++)
		evidence_finish(&e->evidence[i]);
	rs_free(e->evidence);
	rs_free(e->tasks);
	rs_free(e->parts);
	rs_free(e->values);
	images_finish(&e->images);
}

static bool is_shape(enum rs_family family)
{
	return family == RS_FAMILY_SHAPE || family == RS_FAMILY_SHAPE_2D;
}

static bool wants_levels(const struct rs_radiomics_settings *settings)
{
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		if (!is_shape((enum rs_family)f) && settings->chosen[f] != 0)
			return true;
	return false;
}

static bool is_texture(enum rs_family family) { return !is_shape(family) && family != RS_FAMILY_FIRSTORDER; }

static bool wants_grid(const struct rs_radiomics_settings *settings)
{
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		if (is_texture((enum rs_family)f) && settings->chosen[f] != 0)
			return true;
	return false;
}

static void name_values(struct extraction *e, const struct task *task, const char *image)
{
	const struct rs_feature_table *table = families[task->family].table;
	size_t slot = task->first;
	uint8_t rows[RS_RADIOMICS_FEATURES_MAX];
	size_t count = settings_features(e->settings, task->family, rows);
	for (size_t i = 0; i < count; i++) {
		const struct rs_feature *feature = &table->rows[rows[i]];
		struct rs_radiomics_value *value = &e->values[slot++];
		value->ibsi = feature->ibsi;
		value->unit = feature->unit;
		value->aggregation = "";
		value->value = NAN;
		snprintf(value->name, sizeof value->name, "%s_%s_%s", image, families[task->family].name,
		         feature->display);
	}
}

static void task_add(struct extraction *e, size_t image, enum rs_family family, const char *name)
{
	uint64_t chosen = e->settings->chosen[family];
	if (chosen == 0)
		return;
	struct task *task = &e->tasks[e->task_count++];
	*task = (struct task){image, family, e->value_count};
	e->value_count += (size_t)__builtin_popcountll(chosen);
	name_values(e, task, name);
}

/* Shape first, then the families of each image, in the order the settings give. */
static enum rs_code tasks_list(struct extraction *e, struct rs_error *err)
{
	size_t per_image = 0, count = (e->images.count + 1) * RS_FAMILY_COUNT;
	for (int f = 0; f < RS_FAMILY_COUNT; f++)
		per_image += (size_t)__builtin_popcountll(e->settings->chosen[f]);
	e->tasks = rs_allocate_array(count, sizeof *e->tasks);
	e->values = rs_allocate_array((e->images.count + 1) * per_image + 1, sizeof *e->values);
	e->evidence = rs_allocate_array(e->images.count + 1, sizeof *e->evidence);
	if (e->tasks == NULL || e->values == NULL || e->evidence == NULL)
		return rs_error_memory(err, count * per_image * sizeof *e->values, "results");
	for (int k = 0; k < RS_FAMILY_COUNT; k++)
		if (is_shape((enum rs_family)e->settings->family_order[k]))
			task_add(e, e->images.count, (enum rs_family)e->settings->family_order[k],
			         "original");
	for (size_t i = 0; i < e->images.count; i++)
		for (int k = 0; k < RS_FAMILY_COUNT; k++)
			if (!is_shape((enum rs_family)e->settings->family_order[k]))
				task_add(e, i, (enum rs_family)e->settings->family_order[k],
				         e->images.list[i].name);
	return RS_OK;
}

/* The region with the intensities of one image; the cells are those of the case's region. */
static enum rs_code region_fill(const struct region *region, const struct derived_image *image,
                                struct region *out, struct rs_error *err)
{
	struct region filled = *region;
	filled.borrowed = true;
	if (!image->in_place) {
		filled.values = rs_allocate_array(region->count, sizeof *filled.values);
		if (filled.values == NULL)
			return rs_error_memory(err, region->count * sizeof(double), "a region's intensities");
		for (size_t i = 0, n = 0; n < region->count; i++)
			if (region->inside[i])
				filled.values[n++] = image->box[i];
	}
	*out = filled;
	return RS_OK;
}

/* Intensities of the region in one image, and their grey levels. */
static enum rs_code evidence_fill(struct extraction *e, size_t index, struct rs_pool *pool,
                                  struct rs_error *err)
{
	struct rs_evidence *evidence = &e->evidence[index];
	struct derived_image *image = &e->images.list[index];
	evidence->settings = e->settings;
	evidence->image = &image->settings;
	memcpy(evidence->spacing_mm, e->work->volume->geometry.spacing_mm, sizeof evidence->spacing_mm);
	if (image->box == NULL && !image->in_place)
		return RS_OK;
	RS_TRY(region_fill(&e->work->region, image, &evidence->region, err));
	evidence->owned_values = image->in_place ? NULL : evidence->region.values;
	rs_free(image->box);
	image->box = NULL;
	if (levels_build(&image->settings, &evidence->region, pool, &evidence->levels, err) != RS_OK)
		return rs_error_context(err, "image %s", image->name);
	if (!wants_grid(e->settings))
		return RS_OK;
	return grid_build(&evidence->region, &evidence->levels,
	                  image->settings.distances[image->settings.distance_count - 1], pool,
	                  &evidence->grid, err);
}

static bool is_left_out(const struct extraction *e, const struct task *task)
{
	return !is_shape(task->family) && e->evidence[task->image].region.values == NULL;
}

static enum rs_code part_run(struct extraction *e, const struct part *part, struct rs_error *err)
{
	struct rs_evidence *evidence = &e->evidence[part->task->image];
	enum rs_family family = part->task->family;
	return families[family].part != NULL ? families[family].part(evidence, part->index, err)
	                                     : families[family].build(evidence, err);
}

static enum rs_code part_in_pool(void *context, size_t index, struct rs_error *err)
{
	struct extraction *e = context;
	return part_run(e, &e->parts[index], err);
}

static enum rs_code fill_in_pool(void *context, size_t index, struct rs_error *err)
{
	return evidence_fill(context, index, NULL, err);
}

/* Images side by side where there are enough for all threads, else the threads share each. */
static enum rs_code fill_all(struct extraction *e, struct rs_pool *pool, struct rs_error *err)
{
	if (e->images.count >= rs_pool_threads(pool))
		return rs_pool_for(pool, e->images.count, fill_in_pool, e, err);
	for (size_t i = 0; i < e->images.count; i++)
		RS_TRY(evidence_fill(e, i, pool, err));
	return RS_OK;
}

static enum rs_code parts_add(struct extraction *e, const struct task *task, struct rs_error *err)
{
	size_t count = 1;
	if (families[task->family].prepare != NULL)
		RS_TRY(families[task->family].prepare(&e->evidence[task->image], &count, err));
	if (e->part_room < e->part_count + count) {
		size_t room = 2 * (e->part_count + count);
		struct part *parts = rs_reallocate(e->parts, room * sizeof *parts);
		if (parts == NULL)
			return rs_error_memory(err, room * sizeof *parts, "parts of the work");
		e->parts = parts;
		e->part_room = room;
	}
	for (size_t i = 0; i < count; i++)
		e->parts[e->part_count++] = (struct part){task, i};
	return RS_OK;
}

/* Large parts first, so that the last to end are small. */
static enum rs_code parts_list(struct extraction *e, struct rs_error *err)
{
	static const enum rs_family by_size[] = {RS_FAMILY_SHAPE,      RS_FAMILY_SHAPE_2D, RS_FAMILY_GLSZM,
	                                         RS_FAMILY_FIRSTORDER, RS_FAMILY_GLRLM,    RS_FAMILY_GLCM,
	                                         RS_FAMILY_GLDM,       RS_FAMILY_NGTDM};
	for (size_t f = 0; f < RS_COUNT(by_size); f++)
		for (size_t t = 0; t < e->task_count; t++)
			if (e->tasks[t].family == by_size[f] && !is_left_out(e, &e->tasks[t]))
				RS_TRY(parts_add(e, &e->tasks[t], err));
	return RS_OK;
}

static enum rs_code task_finish(struct extraction *e, const struct task *task, struct rs_error *err)
{
	struct rs_evidence *evidence = &e->evidence[task->image];
	const struct rs_feature_table *table = families[task->family].table;
	size_t slot = task->first;
	if (is_left_out(e, task))
		return RS_OK; /* its values stay NaN */
	if (families[task->family].finish != NULL)
		RS_TRY(families[task->family].finish(evidence, err));
	uint8_t rows[RS_RADIOMICS_FEATURES_MAX];
	size_t count = settings_features(e->settings, task->family, rows);
	for (size_t i = 0; i < count; i++)
		e->values[slot++].value = table->rows[rows[i]].value(evidence);
	return RS_OK;
}

/* A number of grey levels that makes texture say little is worth a word: the commonest mistake on MRI. */
static void levels_warn(const struct extraction *e, struct rs_radiomics_result *result)
{
	for (size_t i = 0; i < e->images.count && result->warning[0] == '\0'; i++) {
		const struct rs_image_settings *s = &e->images.list[i].settings;
		uint32_t levels = e->evidence[i].levels.level_count;
		if (e->images.list[i].type != RS_IMAGE_ORIGINAL ||
		    (levels >= LEVELS_FEW && levels <= LEVELS_MANY))
			continue;
		if (s->bin_count == 0)
			snprintf(
				result->warning, sizeof result->warning,
				"binWidth %g makes %u grey level%s of the region; %d to %d are usual: choose another "
				"binWidth, or a binCount",
				s->bin_width, levels, levels == 1 ? "" : "s", LEVELS_FEW, LEVELS_MANY);
		else
			snprintf(result->warning, sizeof result->warning,
			         "binCount %u is unusual; %d to %d grey levels are usual", s->bin_count,
			         LEVELS_FEW, LEVELS_MANY);
	}
}

/* Asked for, but not of this region: said, so that NaN surprises nobody. */
static void shape_2d_warn(const struct extraction *e, struct rs_radiomics_result *result)
{
	if (e->settings->chosen[RS_FAMILY_SHAPE_2D] != 0 && result->warning[0] == '\0' &&
	    !e->evidence[e->images.count].shape_2d.possible)
		snprintf(result->warning, sizeof result->warning,
		         "shape2D is NaN: it needs force2D, and a region of one slice along force2Ddimension "
		         "(%u)",
		         e->settings->common.force_2d_dimension);
}

static enum rs_code evaluate(struct extraction *e, struct rs_pool *pool, struct rs_error *err)
{
	struct rs_box box;
	struct rs_evidence *shape = &e->evidence[e->images.count];
	memcpy(box.first, e->work->region.first, sizeof box.first);
	memcpy(box.size, e->work->region.size, sizeof box.size);
	shape->settings = e->settings;
	shape->image = &e->settings->common;
	shape->shape_region = &e->work->shape_region;
	memcpy(shape->spacing_mm, e->work->volume->geometry.spacing_mm, sizeof shape->spacing_mm);
	for (size_t i = 0; i < e->images.count; i++)
		e->images.list[i].in_place = e->images.list[i].type == RS_IMAGE_ORIGINAL;
	if (e->images.count > 0)
		RS_TRY(images_derive(e->work->volume, &box, e->work->region.inside, pool, &e->images, err));
	RS_TRY(fill_all(e, pool, err));
	RS_TRY(parts_list(e, err));
	RS_TRY(rs_pool_for(pool, e->part_count, part_in_pool, e, err));
	for (size_t t = 0; t < e->task_count; t++)
		RS_TRY(task_finish(e, &e->tasks[t], err));
	return RS_OK;
}

static enum rs_code plan(struct extraction *e, struct rs_error *err)
{
	RS_TRY(rs_radiomics_settings_check(e->settings, err));
	if (wants_levels(e->settings))
		RS_TRY(images_plan(e->settings, &e->images, err));
	return tasks_list(e, err);
}

static void hand_over(struct extraction *e, struct rs_radiomics_result *result)
{
	result->values = e->values;
	result->count = e->value_count;
	e->values = NULL;
}

enum rs_code rs_radiomics_plan(const struct rs_radiomics_settings *settings, struct rs_radiomics_result *out,
                               struct rs_error *err)
{
	struct extraction e RS_CLEANUP(extraction_finish) = {.settings = settings};
	struct rs_radiomics_result result = {0};
	if (settings->mode == RS_RADIOMICS_IBSI)
		return ibsi_plan(settings, out, err);
	RS_TRY(plan(&e, err));
	RS_TRY(rs_radiomics_settings_digest(settings, &result.settings_digest, err));
	if (settings->additional_info)
		RS_TRY(diagnostics_plan(settings, &result, err));
	hand_over(&e, &result);
	*out = result;
	return RS_OK;
}

enum rs_code rs_radiomics_extract(const struct rs_volume *volume, const struct rs_mask *mask,
                                  const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                                  struct rs_radiomics_result *out, struct rs_error *err)
{
	struct radiomics_case work RS_CLEANUP(case_finish) = {0};
	struct extraction e RS_CLEANUP(extraction_finish) = {.settings = settings, .work = &work};
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	if (settings->mode == RS_RADIOMICS_IBSI)
		return ibsi_extract(volume, mask, settings, pool, out, err);
	RS_TRY(plan(&e, err));
	RS_TRY(case_prepare(volume, mask, settings, pool, &work, err));
	RS_TRY(evaluate(&e, pool, err));
	if (settings->additional_info)
		RS_TRY(diagnostics_build(volume, mask, &work, settings, &result, err));
	RS_TRY(rs_radiomics_settings_digest(settings, &result.settings_digest, err));
	memcpy(result.warning, e.images.warning, sizeof result.warning);
	shape_2d_warn(&e, &result);
	levels_warn(&e, &result);
	hand_over(&e, &result);
	*out = result;
	memset(&result, 0, sizeof result);
	return RS_OK;
}
