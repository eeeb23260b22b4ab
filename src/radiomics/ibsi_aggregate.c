/* Putting slices and directions together (IBSI reference manual, "Aggregating features"): matrices are merged by
 * adding their cells, features of matrices that are kept apart are averaged. */
#include <math.h>
#include <string.h>

#include "radiomics/ibsi.h"

#define FEATURES_MAX 32

const struct offset ibsi_directions[IBSI_DIRECTIONS] = {
	{{1, 0, 0}}, {{0, 1, 0}},  {{1, 1, 0}}, {{-1, 1, 0}}, {{0, 0, 1}},  {{1, 0, 1}},   {{-1, 0, 1}},
	{{0, 1, 1}}, {{0, -1, 1}}, {{1, 1, 1}}, {{-1, 1, 1}}, {{1, -1, 1}}, {{-1, -1, 1}},
};

enum rs_code ibsi_parts_init(struct ibsi_parts *parts, size_t slices, size_t directions, struct rs_error *err)
{
	*parts = (struct ibsi_parts){.slices = slices, .directions = directions};
	parts->list = rs_allocate_array(slices * directions, sizeof *parts->list);
	if (parts->list == NULL)
		return rs_error_memory(err, slices * directions * sizeof *parts->list, "matrices of texture");
	return RS_OK;
}

void ibsi_parts_finish(struct ibsi_parts *parts)
{
	for (size_t i = 0; parts->list != NULL && i < parts->slices * parts->directions; i++)
		matrix_finish(&parts->list[i].matrix);
	rs_free(parts->list);
}

static void part_finish(struct ibsi_part *part) { matrix_finish(&part->matrix); }

/* Which matrices stay apart. */
struct keeping {
	bool slices, directions;
};

/* The sum over the slices and directions that are merged; slice, direction: those that are kept apart. */
static enum rs_code merge(const struct ibsi_parts *parts, struct keeping apart, size_t slice,
                          size_t direction, struct ibsi_part *out, struct rs_error *err)
{
	for (size_t s = 0; s < parts->slices; s++)
		for (size_t d = 0; d < parts->directions; d++) {
			const struct ibsi_part *part = &parts->list[s * parts->directions + d];
			if ((apart.slices && s != slice) || (apart.directions && d != direction))
				continue;
			RS_TRY(matrix_add(&out->matrix, &part->matrix, 1, err));
			out->voxels += part->voxels;
		}
	return RS_OK;
}

/* Means of features, each over the matrices where it is a number. */
struct means {
	double sum[FEATURES_MAX];
	size_t n[FEATURES_MAX];
};

static enum rs_code group_add(const struct ibsi_part *group, ibsi_part_measure *measure, size_t features,
                              uint32_t level_count, struct means *means, struct rs_error *err)
{
	double values[FEATURES_MAX];
	if (group->matrix.count == 0)
		return RS_OK;
	RS_TRY(measure(group, level_count, values, err));
	for (size_t f = 0; f < features; f++)
		if (!isnan(values[f])) {
			means->sum[f] += values[f];
			means->n[f]++;
		}
	return RS_OK;
}

static enum rs_code average(const struct ibsi_parts *parts, struct keeping apart, ibsi_part_measure *measure,
                            size_t features, uint32_t level_count, double *out, struct rs_error *err)
{
	struct means means = {0};
	if (out == NULL)
		return RS_OK;
	for (size_t s = 0; s < (apart.slices ? parts->slices : 1); s++)
		for (size_t d = 0; d < (apart.directions ? parts->directions : 1); d++) {
			struct ibsi_part merged RS_CLEANUP(part_finish) = {0};
			const struct ibsi_part *group = &parts->list[s * parts->directions + d];
			if ((!apart.slices && parts->slices > 1) ||
			    (!apart.directions && parts->directions > 1)) {
				RS_TRY(merge(parts, apart, s, d, &merged, err));
				group = &merged;
			}
			RS_TRY(group_add(group, measure, features, level_count, &means, err));
		}
	for (size_t f = 0; f < features; f++)
		out[f] = means.n[f] > 0 ? means.sum[f] / (double)means.n[f] : NAN;
	return RS_OK;
}

enum rs_code ibsi_aggregate(const struct ibsi_parts *parts, bool volume, bool directional,
                            ibsi_part_measure *measure, size_t features, uint32_t level_count,
                            double *const *out, struct rs_error *err)
{
	static const struct keeping slices[] = {{true, true}, {true, false}, {false, true}, {false, false}};
	for (size_t k = 0; k < (volume ? 2 : 4); k++) {
		struct keeping apart = volume ? (struct keeping){true, k == 0} : slices[k];
		if (!directional && !apart.directions)
			continue; /* there is only one */
		RS_TRY(average(parts, apart, measure, features, level_count, out[directional ? k : k / 2],
		               err));
	}
	return RS_OK;
}

enum rs_code ibsi_directional(const struct ibsi_case *work, bool volume, struct tally *tally,
                              ibsi_direction_count *count, ibsi_part_measure *measure, size_t features,
                              double *const *out, struct rs_error *err)
{
	struct ibsi_parts parts RS_CLEANUP(ibsi_parts_finish) = {0};
	RS_TRY(ibsi_parts_init(&parts, volume ? 1 : work->grid.size[2],
	                       volume ? IBSI_DIRECTIONS : IBSI_DIRECTIONS_2D, err));
	for (size_t s = 0; s < parts.slices; s++)
		for (size_t d = 0; d < parts.directions; d++) {
			struct ibsi_part *part = &parts.list[s * parts.directions + d];
			part->voxels = ibsi_slab_voxels(work, volume, s);
			RS_TRY(count(work, ibsi_slab(work, volume, s), ibsi_directions[d], tally, err));
			RS_TRY(tally_take(tally, &part->matrix, err));
		}
	return ibsi_aggregate(&parts, volume, true, measure, features, work->levels.level_count, out, err);
}

void ibsi_size_values(const struct size_sums *s, double out[IBSI_SIZE_FEATURES])
{
	const double values[IBSI_SIZE_FEATURES] = {
		s->small,
		s->large,
		s->low,
		s->high,
		s->small_low,
		s->small_high,
		s->large_low,
		s->large_high,
		s->level_nonuniformity,
		s->level_nonuniformity_normalised,
		s->size_nonuniformity,
		s->size_nonuniformity_normalised,
		s->percentage,
		s->level_variance,
		s->size_variance,
		s->entropy,
	};
	memcpy(out, values, sizeof values);
}

enum rs_code ibsi_size_measure(const struct ibsi_part *part, uint32_t level_count, double *out,
                               struct rs_error *err)
{
	struct size_sums sums;
	(void)level_count;
	RS_TRY(sizes_measure(&part->matrix, part->voxels, &sums, err));
	ibsi_size_values(&sums, out);
	return RS_OK;
}
