/* The chosen scans as volumes: weightings that were measured several times become one, scanners' ADC gets its unit, and
 * what does not lie where the reference lies is found out before anything is laid upon anything. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "work.h"

#define GRID_TOLERANCE_MM 0.01
#define POINTS 13

bool same_geometry(const struct rs_geometry *a, const struct rs_geometry *b)
{
	for (int k = 0; k < 3; k++) {
		double reach = (double)a->size[k] * fabs(a->spacing_mm[k] - b->spacing_mm[k]);
		if (a->size[k] != b->size[k] || reach > GRID_TOLERANCE_MM ||
		    fabs(a->origin_mm[k] - b->origin_mm[k]) > GRID_TOLERANCE_MM)
			return false;
		for (int axis = 0; axis < 3; axis++)
			if (fabs(a->direction[k][axis] - b->direction[k][axis]) > 1e-4)
				return false;
	}
	return true;
}

static void name_item(const struct rs_scan *scan, size_t index, struct held *item)
{
	const char *kind = rs_scan_kind_name(scan->kind);
	if (scan->kind == RS_SCAN_DWI)
		(void)snprintf(item->name, sizeof item->name, "DWI_b%04.0f", item->b);
	else if (scan->kind == RS_SCAN_DCE)
		(void)snprintf(item->name, sizeof item->name, "DCE_%02zu", index + 1);
	else if (scan->kind == RS_SCAN_VFA)
		(void)snprintf(item->name, sizeof item->name, "VFA_%02.0f", item->flip);
	else
		(void)snprintf(item->name, sizeof item->name, "%s", kind);
}

/* Scanners store 1e-6 mm2/s, 1e-5, 1e-3 or none of them by the way: what tissue can have tells which. */
static void scale_adc(struct held *item)
{
	struct rs_scale percentiles;
	double *v = item->volume.voxels, factor = 1;
	size_t voxels = rs_geometry_voxels(&item->volume.geometry);
	item->map = true;
	item->unit = "um2/s";
	/* 0 is the 1st percentile, 1 the 99th: that of free water and more, 3000 um2/s, within half a power of ten. */
	if (rs_scale_percentiles(&item->volume, NULL, 1, 99, &percentiles, NULL) != RS_OK)
		return;
	double greatest = (1 - percentiles.intercept) / percentiles.slope;
	if (!(greatest > 0))
		return;
	while (greatest * factor < 950 && factor < 1e9)
		factor *= 10;
	while (greatest * factor >= 9500 && factor > 1e-9)
		factor /= 10;
	for (size_t i = 0; factor != 1 && i < voxels; i++)
		v[i] *= factor;
	if (factor != 1)
		item->volume.stored = RS_VOXEL_F64;
}

/* Repetitions and directions of one weighting: their geometric mean, whose logarithm is the mean of theirs. */
static void combine(struct rs_volume *to, const struct rs_volume *with, size_t count)
{
	size_t voxels = rs_geometry_voxels(&to->geometry);
	double share = 1 / (double)(count + 1);
	for (size_t i = 0; i < voxels; i++) {
		double a = to->voxels[i], b = with->voxels[i];
		to->voxels[i] = a > 0 && b > 0 ? exp(log(a) * (1 - share) + log(b) * share) : 0;
	}
	to->stored = RS_VOXEL_F64;
}

static enum rs_code read_item(struct work *work, const struct rs_scan *scan, size_t index, struct held *item,
                              struct rs_error *err)
{
	const struct rs_scan_volume *v = &scan->volumes[index];
	*item = (struct held){.family = scan->kind,
	                      .unit = "",
	                      .b = v->b,
	                      .flip = v->flip,
	                      .time_s = v->time_s,
	                      .sigma = NAN};
	name_item(scan, index, item);
	return rs_volume_read_images(work->how->world, v->images, v->image_count, &item->volume, err);
}

static enum rs_code take_item(struct work *work, const struct rs_scan *scan, struct held *item,
                              size_t *repeats, struct rs_error *err)
{
	struct held *last = work->count > 0 ? &work->items[work->count - 1] : NULL,
		    *first = first_of(work, scan->kind);
	if (first && !same_geometry(&first->volume.geometry, &item->volume.geometry)) {
		leave_out(work, item->name, "lies on another grid than the first volume of its scan");
		rs_volume_finish(&item->volume);
		return RS_OK;
	}
	if (scan->kind == RS_SCAN_DWI && last && last->family == RS_SCAN_DWI && last->b == item->b) {
		combine(&last->volume, &item->volume, (*repeats)++);
		rs_volume_finish(&item->volume);
		return RS_OK;
	}
	*repeats = 1;
	if (scan->kind == RS_SCAN_ADC)
		scale_adc(item);
	return hold(work, item, err);
}

/* Where there are traces of a weighting, single directions of it are not wanted. */
static bool is_wanted(const struct rs_scan *scan, size_t index)
{
	const struct rs_scan_volume *v = &scan->volumes[index];
	if (scan->kind != RS_SCAN_DWI)
		return true;
	for (size_t i = 0; i < scan->volume_count && !v->trace; i++)
		if (scan->volumes[i].trace && scan->volumes[i].b == v->b)
			return false;
	return !isnan(v->b);
}

static enum rs_code load_scan(struct work *work, const struct rs_scan *scan, struct rs_error *err)
{
	size_t repeats = 1, count = scan->volume_count;
	/* Other kinds have one volume; if there are several (echoes), the first is it. */
	if (scan->kind != RS_SCAN_DWI && scan->kind != RS_SCAN_DCE && scan->kind != RS_SCAN_VFA)
		count = 1;
	for (size_t i = 0; i < count; i++) {
		struct held item;
		struct rs_error own = {0};
		if (!is_wanted(scan, i))
			continue;
		enum rs_code code = read_item(work, scan, i, &item, &own);
		if (code == RS_OK)
			code = take_item(work, scan, &item, &repeats, &own);
		if (code != RS_OK && err)
			*err = own;
		RS_TRY(survive(work, item.name, code, err));
	}
	if (first_of(work, scan->kind))
		work->families[scan->kind].present = true;
	else if (scan->kind == RS_SCAN_DWI && isnan(scan->volumes[0].b))
		leave_out(work, "DWI", "no attribute tells its b-values");
	else
		leave_out(work, rs_scan_kind_name(scan->kind), "none of its volumes can be read");
	return RS_OK;
}

/* What is left of noise after denoising says nothing of the values' floor: it is measured before. */
static enum rs_code measure_noise(void *context, size_t index, struct rs_error *err)
{
	struct held *item = &((struct work *)context)->items[index];
	(void)err;
	if (!item->map && rs_noise_sigma(&item->volume, &item->sigma, NULL) != RS_OK)
		item->sigma = NAN;
	return RS_OK;
}

static void point_of(const struct rs_geometry *g, const size_t part[3], double out[3])
{
	for (int row = 0; row < 3; row++) {
		out[row] = g->origin_mm[row];
		for (int axis = 0; axis < 3; axis++)
			out[row] += g->direction[row][axis] * g->spacing_mm[axis] *
			            (double)(g->size[axis] - 1) * (double)part[axis] / (POINTS - 1);
	}
}

static bool holds_point(const struct rs_geometry *g, const double point[3])
{
	for (int axis = 0; axis < 3; axis++) {
		double along = 0;
		for (int row = 0; row < 3; row++)
			along += (point[row] - g->origin_mm[row]) * g->direction[row][axis];
		double index = along / g->spacing_mm[axis];
		if (!(index >= -0.5 && index <= (double)g->size[axis] - 0.5))
			return false;
	}
	return true;
}

static bool has_points_in(const struct rs_geometry *a, const struct rs_geometry *b)
{
	for (size_t i = 0; i < (size_t)POINTS * POINTS * POINTS; i++) {
		const size_t part[3] = {i % POINTS, i / POINTS % POINTS, i / POINTS / POINTS};
		double point[3];
		point_of(a, part, point);
		if (holds_point(b, point))
			return true;
	}
	return false;
}

static bool is_registered(const struct work *work, enum rs_scan_kind kind)
{
	for (size_t i = 0; i < work->how->pipeline->step_count; i++) {
		const struct rs_step *step = &work->how->pipeline->steps[i];
		if (step->kind == RS_STEP_REGISTER && (step->on & BIT(kind)))
			return true;
	}
	return false;
}

static void check_places(struct work *work)
{
	const struct rs_scan *reference = rs_scans_chosen(work->how->scans, work->reference);
	const struct rs_geometry *grid = &first_of(work, work->reference)->volume.geometry;
	for (size_t k = 0; k < RS_SCAN_KINDS; k++) {
		enum rs_scan_kind kind = (enum rs_scan_kind)k;
		const struct rs_scan *scan = rs_scans_chosen(work->how->scans, kind);
		char why[160] = "";
		if (!work->families[k].present || kind == work->reference)
			continue;
		const struct rs_geometry *own = &first_of(work, kind)->volume.geometry;
		if (!has_points_in(grid, own) && !has_points_in(own, grid))
			(void)snprintf(why, sizeof why, "its field of view does not overlap that of %s",
			               rs_scan_kind_name(work->reference));
		else if (strcmp(scan->frame_of_reference, reference->frame_of_reference) != 0 &&
		         !is_registered(work, kind))
			(void)snprintf(
				why, sizeof why,
				"it has another frame of reference than %s: where it lies is not known "
				"without the step register",
				rs_scan_kind_name(work->reference));
		if (!*why)
			continue;
		leave_out(work, rs_scan_kind_name(kind), why);
		drop_family(work, kind);
	}
}

/* T2 shows most of the abdomen's organs; where there is none, what is there. */
static bool find_reference(struct work *work)
{
	static const enum rs_scan_kind order[] = {RS_SCAN_T2,  RS_SCAN_T1,  RS_SCAN_T1C, RS_SCAN_DCE,
	                                          RS_SCAN_DWI, RS_SCAN_ADC, RS_SCAN_VFA};
	enum rs_scan_kind wanted = work->how->pipeline->reference;
	work->reference = wanted;
	if (wanted != RS_SCAN_OTHER && work->families[wanted].present)
		return true;
	for (size_t i = 0; i < RS_COUNT(order); i++)
		if (work->families[order[i]].present) {
			work->reference = order[i];
			if (wanted != RS_SCAN_OTHER)
				leave_out(work, rs_scan_kind_name(wanted),
				          "is wanted as reference, but is not there: another one was taken");
			return true;
		}
	return false;
}

enum rs_code load_scans(struct work *work, struct rs_error *err)
{
	for (size_t k = 0; k < RS_SCAN_KINDS; k++) {
		const struct rs_scan *scan = rs_scans_chosen(work->how->scans, (enum rs_scan_kind)k);
		if (scan)
			RS_TRY(load_scan(work, scan, err));
	}
	if (!find_reference(work))
		return rs_error_set(
			err, RS_REFUSED,
			"there is no series that could be prepared; --list tells what was recognised");
	RS_TRY(rs_pool_for(work->how->pool, work->count, measure_noise, work, err));
	work->grid = first_of(work, work->reference)->volume.geometry;
	check_places(work);
	return RS_OK;
}
