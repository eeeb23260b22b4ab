/* Where things lie: registration to the reference, its grid with another spacing, volumes and masks laid onto it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "work.h"

#define COUNT_TOLERANCE 1e-6
#define COVERAGE 0.5
#define COVERAGE_TOLERANCE 1e-9
#define LABELS_MAX 256

static struct rs_register how_to_register(const struct rs_step *step)
{
	static const enum rs_transform_kind kinds[] = {RS_TRANSFORM_RIGID, RS_TRANSFORM_AFFINE,
	                                               RS_TRANSFORM_BSPLINE};
	struct rs_register how = RS_REGISTER_DEFAULT;
	how.kind = kinds[(size_t)step->values[REGISTER_TRANSFORM]];
	how.levels = (unsigned)step->values[REGISTER_LEVELS];
	how.samples = (unsigned)step->values[REGISTER_SAMPLES];
	how.bins = (unsigned)step->values[REGISTER_BINS];
	how.steps = (unsigned)step->values[REGISTER_STEPS];
	how.lattice_mm = step->values[REGISTER_LATTICE];
	how.stiffness = step->values[REGISTER_STIFFNESS];
	return how;
}

static void tell_registration(struct work *work, const struct rs_step *step, const char *what,
                              const struct rs_register_report *report)
{
	tell_step(work, step, what);
	tell_number(work, "mutual_information_before", report->mi_before);
	tell_number(work, "mutual_information_after", report->mi_after);
	tell_number(work, "correlation_before", report->ncc_before);
	tell_number(work, "correlation_after", report->ncc_after);
	tell_number(work, "overlap_after", report->overlap_after);
	tell_number(work, "greatest_mm", report->greatest_mm);
	tell_number(work, "least_jacobian", report->least_jacobian);
	rs_json_object_end(&work->json);
}

/* The volumes of a scan, onto its first: what moved between b-values or times. */
static enum rs_code register_within(struct work *work, const struct rs_step *step, enum rs_scan_kind family,
                                    struct rs_error *err)
{
	const struct rs_register how = how_to_register(step);
	struct held *first = first_of(work, family);
	for (size_t i = 0; i < work->count; i++) {
		struct held *item = &work->items[i];
		struct rs_transform transform RS_CLEANUP(rs_transform_finish) = {.control_mm = NULL};
		struct rs_register_report report;
		struct rs_volume moved;
		if (item->family != family || item->map || item == first)
			continue;
		enum rs_code code = rs_register(&first->volume, &item->volume, &how, work->how->pool,
		                                &transform, &report, err);
		if (code != RS_OK) {
			RS_TRY(survive(work, item->name, code, err));
			continue;
		}
		RS_TRY(rs_transform_apply_volume(&transform, &item->volume, &first->volume.geometry, 3, 0,
		                                 work->how->pool, &moved, err));
		rs_volume_finish(&item->volume);
		item->volume = moved;
		tell_registration(work, step, item->name, &report);
	}
	return RS_OK;
}

static bool has_another_frame(const struct work *work, enum rs_scan_kind family)
{
	const struct rs_scan *a = rs_scans_chosen(work->how->scans, family),
			     *b = rs_scans_chosen(work->how->scans, work->reference);
	return strcmp(a->frame_of_reference, b->frame_of_reference) != 0;
}

/* Where registration fails, the scan stays where the scanner says that it lies: if that is a place in the same frame. */
static enum rs_code register_family(struct work *work, const struct rs_step *step, enum rs_scan_kind kind,
                                    struct rs_error *err)
{
	const struct rs_register how = how_to_register(step);
	struct family *family = &work->families[kind];
	struct held *fixed = any_of(work, work->reference), *moving = any_of(work, kind);
	struct rs_register_report report;
	struct rs_transform transform;
	struct rs_error own = {0};
	char why[RS_ERROR_MESSAGE_SIZE + 128];
	enum rs_code code = rs_register(&fixed->volume, &moving->volume, &how, work->how->pool, &transform,
	                                &report, &own);
	if (code == RS_OK) {
		rs_transform_finish(&family->transform);
		family->transform = transform;
		family->moved = true;
		tell_registration(work, step, rs_scan_kind_name(kind), &report);
		return RS_OK;
	}
	if (code != RS_REFUSED) {
		if (err)
			*err = own;
		return code;
	}
	bool lost = has_another_frame(work, kind);
	(void)snprintf(why, sizeof why, "register: %s%s", own.message,
	               lost ? "; it has another frame of reference, so it cannot be laid on the reference"
	                    : "; it stays where the scanner says");
	leave_out(work, rs_scan_kind_name(kind), why);
	if (lost)
		drop_family(work, kind);
	return RS_OK;
}

enum rs_code do_register(struct work *work, const struct rs_step *step, struct rs_error *err)
{
	for (size_t k = 0; k < RS_SCAN_KINDS; k++) {
		enum rs_scan_kind kind = (enum rs_scan_kind)k;
		if (!(step->on & BIT(k)) || !work->families[k].present || kind == RS_SCAN_VFA)
			continue;
		if (step->values[REGISTER_WITHIN] != 0 && first_of(work, kind))
			RS_TRY(register_within(work, step, kind, err));
		else if (kind != work->reference)
			RS_TRY(register_family(work, step, kind, err));
	}
	return RS_OK;
}

/* ---- the grid ---- */

/* IBSI: as many voxels as cover the old ones, centres aligned. */
static void finer_grid(const struct rs_geometry *from, const double spacing[3], struct rs_geometry *out)
{
	*out = *from;
	for (int axis = 0; axis < 3; axis++) {
		double extent = (double)from->size[axis] * from->spacing_mm[axis];
		out->size[axis] = (size_t)fmax(1, ceil(extent / spacing[axis] - COUNT_TOLERANCE));
		out->spacing_mm[axis] = spacing[axis];
	}
	for (int row = 0; row < 3; row++)
		for (int axis = 0; axis < 3; axis++)
			out->origin_mm[row] += from->direction[row][axis] * 0.5 *
			                       ((double)(from->size[axis] - 1) * from->spacing_mm[axis] -
			                        (double)(out->size[axis] - 1) * out->spacing_mm[axis]);
}

/* Voxels first … last along the axis hold what lies within `margin` of the mask. */
static void bounds_on(const struct work *work, const struct rs_geometry *grid, int axis, double margin,
                      double *least, double *greatest)
{
	const struct rs_geometry *own = &work->mask.geometry;
	*least = INFINITY;
	*greatest = -INFINITY;
	for (size_t i = 0, voxels = rs_geometry_voxels(own); i < voxels; i++) {
		const size_t index[3] = {i % own->size[0], i / own->size[0] % own->size[1],
		                         i / own->size[0] / own->size[1]};
		double along = 0;
		if (work->mask.labels[i] == 0)
			continue;
		for (int row = 0; row < 3; row++) {
			double point = own->origin_mm[row] - grid->origin_mm[row];
			for (int a = 0; a < 3; a++)
				point += own->direction[row][a] * own->spacing_mm[a] * (double)index[a];
			along += point * grid->direction[row][axis];
		}
		*least = fmin(*least, along);
		*greatest = fmax(*greatest, along);
	}
	*least = (*least - margin) / grid->spacing_mm[axis];
	*greatest = (*greatest + margin) / grid->spacing_mm[axis];
}

/* Around an empty region there is nothing to cut: then all of the reference is kept. */
static void cut_grid(struct work *work, double margin, struct rs_geometry *grid)
{
	const struct rs_geometry whole = *grid;
	for (int axis = 0; axis < 3; axis++) {
		double least, greatest, last = (double)whole.size[axis] - 1;
		bounds_on(work, &whole, axis, margin, &least, &greatest);
		least = fmax(0, floor(least));
		greatest = fmin(last, ceil(greatest));
		if (!(greatest >= least)) {
			leave_out(
				work, "margin_mm",
				"the mask is empty, or lies outside of the reference, of which all is kept");
			*grid = whole;
			return;
		}
		grid->size[axis] = (size_t)(greatest - least) + 1;
		for (int row = 0; row < 3; row++)
			grid->origin_mm[row] += whole.direction[row][axis] * whole.spacing_mm[axis] * least;
	}
}

enum rs_code do_resample(struct work *work, const struct rs_step *step, struct rs_error *err)
{
	struct rs_geometry grid;
	size_t voxels;
	finer_grid(&work->grid, step->values + RESAMPLE_X, &grid);
	if (step->values[RESAMPLE_MARGIN] >= 0 && !work->mask.labels)
		return rs_error_set(err, RS_USAGE,
		                    "margin_mm is around a mask, but no mask was given (--mask)");
	if (step->values[RESAMPLE_MARGIN] >= 0)
		cut_grid(work, step->values[RESAMPLE_MARGIN], &grid);
	if (!rs_mul_size(grid.size[0], grid.size[1], &voxels) ||
	    !rs_mul_size(voxels, grid.size[2], &voxels) || voxels > RS_VOXELS_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "a grid of %zu x %zu x %zu voxels is too large",
		                    grid.size[0], grid.size[1], grid.size[2]);
	work->grid = grid;
	work->order = (unsigned)step->values[RESAMPLE_ORDER];
	work->resampled = true;
	tell_step(work, step, rs_scan_kind_name(work->reference));
	tell_number(work, "voxels", (double)voxels);
	rs_json_object_end(&work->json);
	return RS_OK;
}

static const struct rs_transform *transform_of(struct work *work, enum rs_scan_kind family,
                                               struct rs_transform *still)
{
	rs_transform_identity(still);
	return work->families[family].moved ? &work->families[family].transform : still;
}

/* Maps are 0 where nothing was measured: splines would swing beside such edges, and leave what can be. */
enum rs_code lay_on_grid(struct work *work, struct held *item, struct rs_error *err)
{
	struct rs_transform still;
	struct rs_volume moved;
	unsigned order = item->map && work->order > 1 ? 1 : work->order;
	RS_TRY(rs_transform_apply_volume(transform_of(work, item->family, &still), &item->volume, &work->grid,
	                                 order, 0, work->how->pool, &moved, err));
	rs_volume_finish(&item->volume);
	item->volume = moved;
	return RS_OK;
}

/* ---- the mask ---- */

enum rs_code read_mask(struct work *work, struct rs_error *err)
{
	char note[160];
	enum rs_scan_kind on = work->how->mask_on == RS_SCAN_OTHER ? work->reference : work->how->mask_on;
	work->mask_on = on;
	if (!work->how->mask)
		return RS_OK;
	if (!work->families[on].present)
		return rs_error_set(err, RS_USAGE, "--mask: there is no %s that it could be drawn on",
		                    rs_scan_kind_name(on));
	const struct rs_geometry *grid = &any_of(work, on)->volume.geometry;
	RS_TRY(rs_mask_read_chosen(work->how->world, work->how->mask, grid, NULL, &work->mask, err));
	enum rs_code code = rs_mask_match(grid, &work->mask, 0.1, note, sizeof note, err);
	return code == RS_OK
	               ? RS_OK
	               : rs_error_context(err, "%s, drawn on %s", work->how->mask, rs_scan_kind_name(on));
}

static size_t labels_of(const struct rs_mask *mask, uint32_t labels[LABELS_MAX])
{
	size_t count = 0, voxels = rs_geometry_voxels(&mask->geometry);
	uint32_t above = 0;
	/* The next greater one, again and again: they are few. */
	for (bool found = true; found && count < LABELS_MAX;) {
		uint32_t least = UINT32_MAX;
		found = false;
		for (size_t i = 0; i < voxels; i++)
			if (mask->labels[i] > above && mask->labels[i] <= least) {
				least = mask->labels[i];
				found = true;
			}
		if (found)
			labels[count++] = above = least;
	}
	return count;
}

/* IBSI: a voxel belongs to a label that covers half of it, between voxels in straight lines. */
static enum rs_code cover(struct work *work, uint32_t label, struct rs_mask *out, struct rs_error *err)
{
	struct rs_volume drawn RS_CLEANUP(rs_volume_finish) = {.voxels = NULL},
			       covered RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_transform still;
	RS_TRY(rs_volume_init(&drawn, &work->mask.geometry, err));
	for (size_t i = 0, n = rs_geometry_voxels(&drawn.geometry); i < n; i++)
		drawn.voxels[i] = work->mask.labels[i] == label;
	RS_TRY(rs_transform_apply_volume(transform_of(work, work->mask_on, &still), &drawn, &work->grid, 1, 0,
	                                 work->how->pool, &covered, err));
	for (size_t i = 0, n = rs_geometry_voxels(&covered.geometry); i < n; i++)
		if (covered.voxels[i] >= COVERAGE - COVERAGE_TOLERANCE && out->labels[i] == 0) {
			out->labels[i] = label;
			work->region[i] = 1;
		}
	return RS_OK;
}

enum rs_code lay_mask(struct work *work, struct rs_error *err)
{
	struct rs_mask laid RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	uint32_t labels[LABELS_MAX];
	size_t voxels = rs_geometry_voxels(&work->grid), count;
	if (!work->mask.labels)
		return RS_OK;
	RS_TRY(rs_mask_init(&laid, &work->grid, err));
	work->region = rs_allocate(voxels);
	if (!work->region)
		return rs_error_memory(err, voxels, "a region");
	count = labels_of(&work->mask, labels);
	for (size_t l = 0; l < count; l++)
		RS_TRY(cover(work, labels[l], &laid, err));
	if (count == 0 || !memchr(work->region, 1, voxels))
		leave_out(work, "mask", "the region is empty on the reference's grid");
	return write_mask(work, &laid, err);
}
