/* The mode ibsi from volume, mask and settings to values named as IBSI's reference tables name them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "radiomics/case.h"
#include "radiomics/ibsi.h"

static const struct ibsi_family *const families[RS_IBSI_FAMILY_COUNT] = {
	[RS_IBSI_MORPHOLOGY] = &ibsi_morphology,
	[RS_IBSI_LOCAL_INTENSITY] = &ibsi_local,
	[RS_IBSI_STATISTICS] = &ibsi_statistics,
	[RS_IBSI_HISTOGRAM] = &ibsi_histogram,
	[RS_IBSI_VOLUME_HISTOGRAM] = &ibsi_volume_histogram,
	[RS_IBSI_GLCM] = &ibsi_glcm,
	[RS_IBSI_GLRLM] = &ibsi_glrlm,
	[RS_IBSI_GLSZM] = &ibsi_glszm,
	[RS_IBSI_GLDZM] = &ibsi_gldzm,
	[RS_IBSI_NGTDM] = &ibsi_ngtdm,
	[RS_IBSI_NGLDM] = &ibsi_ngldm,
};

const char *ibsi_family_name(enum rs_ibsi_family family) { return families[family]->name; }

/* How slices and directions are put together, in the order of output. */
struct aggregation {
	const char *suffix; /* of the tag */
	const char *code;   /* permanent IBSI code */
	uint32_t dimension; /* 0: whatever is asked for */
	bool volume;
	size_t block; /* in ibsi_aggregate()'s order */
};
static const struct aggregation whole[] = {{"", "DHQ4", 0, true, 0}};
static const struct aggregation directional[] = {
	{"_2D_avg", "BTW3", RS_IBSI_2D, false, 0},     {"_2D_comb", "SUJT", RS_IBSI_2D, false, 1},
	{"_2_5D_avg", "JJUI", RS_IBSI_2_5D, false, 2}, {"_2_5D_comb", "ZW7Z", RS_IBSI_2_5D, false, 3},
	{"_3D_avg", "ITBB", RS_IBSI_3D, true, 0},      {"_3D_comb", "IAZD", RS_IBSI_3D, true, 1},
};
static const struct aggregation undirected[] = {
	{"_2D", "8QNN", RS_IBSI_2D, false, 0},
	{"_2_5D", "62GR", RS_IBSI_2_5D, false, 1},
	{"_3D", "KOBO", RS_IBSI_3D, true, 0},
};
#define BLOCKS_MAX 4

static const struct aggregation *aggregations(enum ibsi_kind kind, size_t *out_count)
{
	*out_count = kind == IBSI_WHOLE         ? RS_COUNT(whole)
	             : kind == IBSI_DIRECTIONAL ? RS_COUNT(directional)
	                                        : RS_COUNT(undirected);
	return kind == IBSI_WHOLE ? whole : kind == IBSI_DIRECTIONAL ? directional : undirected;
}

/* One family, of slices or of the volume: a unit of work of the pool. */
struct task {
	const struct ibsi_family *family;
	bool volume;
	size_t slot[BLOCKS_MAX]; /* of each block's first value; SIZE_MAX: not wanted */
};

struct run {
	struct ibsi_case work;
	struct task tasks[2 * RS_IBSI_FAMILY_COUNT];
	size_t task_count;
	struct rs_radiomics_value *values;
	size_t value_count;
	double *numbers; /* [value_count] */
};

static void run_finish(struct run *run)
{
	ibsi_chain_finish(&run->work.chain);
	ibsi_levels_finish(&run->work.levels);
	grid_finish(&run->work.grid);
	rs_free(run->work.slice_voxels);
	ibsi_zones_finish(&run->work.zones[0]);
	ibsi_zones_finish(&run->work.zones[1]);
	rs_free(run->values);
	rs_free(run->numbers);
}

static bool wanted(const struct rs_ibsi_settings *settings, const struct aggregation *aggregation)
{
	return aggregation->dimension == 0 || (settings->dimensions & aggregation->dimension) != 0;
}

static void name_block(struct run *run, const struct ibsi_family *family,
                       const struct aggregation *aggregation)
{
	for (size_t i = 0; i < family->count; i++) {
		struct rs_radiomics_value *value = &run->values[run->value_count++];
		value->value = NAN;
		value->ibsi = family->rows[i].code;
		value->unit = family->rows[i].unit;
		value->aggregation = aggregation->code;
		snprintf(value->name, sizeof value->name, "%s%s", family->rows[i].tag, aggregation->suffix);
	}
}

static void family_plan(struct run *run, const struct ibsi_family *family,
                        const struct rs_ibsi_settings *settings)
{
	size_t count;
	const struct aggregation *list = aggregations(family->kind, &count);
	for (int volume = 0; volume <= 1; volume++) {
		struct task task = {.family = family, .volume = volume != 0};
		bool any = false;
		for (size_t k = 0; k < BLOCKS_MAX; k++)
			task.slot[k] = SIZE_MAX;
		for (size_t k = 0; k < count; k++) {
			if (list[k].volume != task.volume || !wanted(settings, &list[k]))
				continue;
			task.slot[list[k].block] = run->value_count;
			name_block(run, family, &list[k]);
			any = true;
		}
		if (any)
			run->tasks[run->task_count++] = task;
	}
}

static enum rs_code plan(struct run *run, const struct rs_radiomics_settings *settings, struct rs_error *err)
{
	size_t most = 0;
	RS_TRY(rs_radiomics_settings_check(settings, err));
	run->work.settings = &settings->ibsi;
	for (int f = 0; f < RS_IBSI_FAMILY_COUNT; f++)
		most += families[f]->count * RS_COUNT(directional);
	run->values = rs_allocate_array(most, sizeof *run->values);
	if (run->values == NULL)
		return rs_error_memory(err, most * sizeof *run->values, "results");
	for (int f = 0; f < RS_IBSI_FAMILY_COUNT; f++)
		if (settings->ibsi.families >> f & 1)
			family_plan(run, families[f], &settings->ibsi);
	return RS_OK;
}

static void hand_over(struct run *run, struct rs_radiomics_result *result)
{
	result->values = run->values;
	result->count = run->value_count;
	run->values = NULL;
}

enum rs_code ibsi_plan(const struct rs_radiomics_settings *settings, struct rs_radiomics_result *out,
                       struct rs_error *err)
{
	struct run run RS_CLEANUP(run_finish) = {0};
	struct rs_radiomics_result result = {0};
	RS_TRY(plan(&run, settings, err));
	RS_TRY(rs_radiomics_settings_digest(settings, &result.settings_digest, err));
	if (settings->additional_info)
		RS_TRY(ibsi_diagnose_plan(&result, err));
	hand_over(&run, &result);
	*out = result;
	return RS_OK;
}

static bool measures(const struct rs_ibsi_settings *s, enum rs_ibsi_family family)
{
	return (s->families >> family & 1) != 0;
}

static bool measures_texture(const struct rs_ibsi_settings *s) { return s->families >> RS_IBSI_GLCM != 0; }

static enum rs_code slices_count(struct ibsi_case *work, struct rs_error *err)
{
	const struct region *region = &work->chain.intensity;
	size_t slice = region->size[0] * region->size[1];
	work->slice_voxels = rs_allocate_array(region->size[2], sizeof *work->slice_voxels);
	if (work->slice_voxels == NULL)
		return rs_error_memory(err, region->size[2] * sizeof *work->slice_voxels, "slices");
	for (size_t z = 0; z < region->size[2]; z++)
		for (size_t i = 0; i < slice; i++)
			work->slice_voxels[z] += region->inside[z * slice + i];
	return RS_OK;
}

static enum rs_code zones_in_pool(void *context, size_t index, struct rs_error *err)
{
	struct ibsi_case *work = context;
	uint32_t dimensions = index == 0 ? RS_IBSI_2D | RS_IBSI_2_5D : RS_IBSI_3D;
	if ((work->settings->dimensions & dimensions) == 0)
		return RS_OK;
	return ibsi_zones_build(work, index == 1, &work->zones[index], err);
}

/* What several families measure. */
static enum rs_code evidence_build(struct ibsi_case *work, struct rs_pool *pool, struct rs_error *err)
{
	const struct rs_ibsi_settings *s = work->settings;
	struct ibsi_bins bins;
	if (!measures(s, RS_IBSI_HISTOGRAM) && !measures_texture(s))
		return RS_OK;
	RS_TRY(ibsi_bins_choose(s, false, &work->chain.intensity, &bins, err));
	RS_TRY(ibsi_levels_build(&bins, &work->chain.intensity, &work->levels, err));
	if (!measures_texture(s))
		return RS_OK;
	RS_TRY(grid_build(&work->chain.intensity, &work->levels, s->distance, NULL, &work->grid, err));
	RS_TRY(slices_count(work, err));
	if (measures(s, RS_IBSI_GLSZM) || measures(s, RS_IBSI_GLDZM))
		RS_TRY(rs_pool_for(pool, 2, zones_in_pool, work, err));
	return RS_OK;
}

/* Bins of a width that is not the image's: the commonest mistake on MRI. */
static void levels_warn(const struct ibsi_case *work, struct rs_radiomics_result *result)
{
	uint32_t levels = work->levels.level_count;
	if (work->settings->texture.kind != RS_DISCRETISE_WIDTH || levels == 0 ||
	    (levels >= LEVELS_FEW && levels <= LEVELS_MANY))
		return;
	snprintf(
		result->warning, sizeof result->warning,
		"binWidth %g makes %u grey level%s of the region; %d to %d are usual: choose another binWidth, or "
		"a binCount",
		work->settings->texture.width, levels, levels == 1 ? "" : "s", LEVELS_FEW, LEVELS_MANY);
}

static enum rs_code task_run(struct run *run, const struct task *task, struct rs_pool *pool,
                             struct rs_error *err)
{
	double *out[BLOCKS_MAX];
	for (size_t k = 0; k < BLOCKS_MAX; k++)
		out[k] = task->slot[k] == SIZE_MAX ? NULL : run->numbers + task->slot[k];
	return task->family->measure(&run->work, task->volume, pool, out, err);
}

static enum rs_code task_in_pool(void *context, size_t index, struct rs_error *err)
{
	struct run *run = context;
	const struct task *task = &run->tasks[index];
	return task->family == families[RS_IBSI_MORPHOLOGY] ? RS_OK : task_run(run, task, NULL, err);
}

static enum rs_code evaluate(struct run *run, struct rs_pool *pool, struct rs_error *err)
{
	run->numbers = rs_allocate_array(run->value_count, sizeof *run->numbers);
	if (run->numbers == NULL)
		return rs_error_memory(err, run->value_count * sizeof *run->numbers, "results");
	RS_TRY(evidence_build(&run->work, pool, err));
	for (size_t i = 0; i < run->task_count; i++)
		if (run->tasks[i].family == families[RS_IBSI_MORPHOLOGY]) /* shares its own work out */
			RS_TRY(task_run(run, &run->tasks[i], pool, err));
	RS_TRY(rs_pool_for(pool, run->task_count, task_in_pool, run, err));
	for (size_t i = 0; i < run->value_count; i++) /* a division by zero says that it is not defined */
		run->values[i].value = isfinite(run->numbers[i]) ? run->numbers[i] : NAN;
	return RS_OK;
}

enum rs_code ibsi_extract(const struct rs_volume *volume, const struct rs_mask *mask,
                          const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                          struct rs_radiomics_result *out, struct rs_error *err)
{
	struct run run RS_CLEANUP(run_finish) = {0};
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_mask carried RS_CLEANUP(rs_mask_finish) = {0};
	const struct rs_mask *matched;
	RS_TRY(plan(&run, settings, err));
	RS_TRY(case_match(volume, mask, settings, pool, &carried, &matched, err));
	RS_TRY(ibsi_chain_run(volume, matched, settings, pool, &run.work.chain, err));
	RS_TRY(evaluate(&run, pool, err));
	if (settings->additional_info)
		RS_TRY(ibsi_diagnose(volume, mask, &run.work.chain, &result, err));
	RS_TRY(rs_radiomics_settings_digest(settings, &result.settings_digest, err));
	levels_warn(&run.work, &result);
	hand_over(&run, &result);
	*out = result;
	memset(&result, 0, sizeof result);
	return RS_OK;
}
