/* Series that are one scan; volumes in their order; the best of each kind. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gather.h"

static bool close_to(double a, double b, double share)
{
	return (isnan(a) && isnan(b)) || fabs(a - b) <= share * fabs(b);
}

static bool same_grid(const struct rs_scan *a, const struct rs_scan *b)
{
	double along = a->normal[0] * b->normal[0] + a->normal[1] * b->normal[1] +
	               a->normal[2] * b->normal[2];
	return a->rows == b->rows && a->columns == b->columns && a->places == b->places && along > 0.999 &&
	       strcmp(a->frame_of_reference, b->frame_of_reference) == 0;
}

static bool same_times(const struct rs_scan *a, const struct rs_scan *b)
{
	return close_to(a->repetition_ms, b->repetition_ms, 0.05) && close_to(a->echo_ms, b->echo_ms, 0.05);
}

static bool is_t1(const struct rs_scan *scan)
{
	return scan->kind == RS_SCAN_T1 || scan->kind == RS_SCAN_T1C;
}

static double acquired(const struct rs_scan *scan)
{
	return scan->volume_count > 0 ? scan->volumes[0].acquired_s : NAN;
}

/* One b-value each, or a volume of the same contrast at another time, or at another flip angle. */
static bool belong_together(const struct rs_scan *a, const struct rs_scan *b, enum rs_scan_kind as)
{
	if (!same_grid(a, b) || a->volume_count == 0 || b->volume_count == 0)
		return false;
	if (as == RS_SCAN_DWI)
		return a->kind == RS_SCAN_DWI && b->kind == RS_SCAN_DWI && a->volumes[0].b != b->volumes[0].b;
	if (!same_times(a, b))
		return false;
	if (as == RS_SCAN_VFA)
		return is_t1(a) && is_t1(b) && !a->contrast && !b->contrast && fabs(a->flip - b->flip) > 0.5;
	return (is_t1(a) || a->kind == RS_SCAN_DCE) && (is_t1(b) || b->kind == RS_SCAN_DCE) &&
	       close_to(a->flip, b->flip, 0.02) && fabs(acquired(a) - acquired(b)) >= 1;
}

static int compare(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a > b) - (a < b);
}

static int by_weight(const void *a, const void *b)
{
	const struct rs_scan_volume *x = a, *y = b;
	int order = compare(x->b, y->b);
	return order ? order : compare(x->number, y->number);
}

static int by_flip(const void *a, const void *b)
{
	const struct rs_scan_volume *x = a, *y = b;
	int order = compare(x->flip, y->flip);
	return order ? order : compare(x->number, y->number);
}

static int by_time(const void *a, const void *b)
{
	const struct rs_scan_volume *x = a, *y = b;
	int order = compare(x->time_s, y->time_s);
	if (order == 0)
		order = compare(x->order, y->order);
	return order ? order : compare(x->number, y->number);
}

/* Acquisition times where they differ; else what was told of the time since the first. Before: time_s is the latter. */
static void tell_times(struct rs_scan *scan)
{
	double first = INFINITY, last = -INFINITY;
	for (size_t i = 0; i < scan->volume_count; i++) {
		first = fmin(first, scan->volumes[i].acquired_s);
		last = fmax(last, scan->volumes[i].acquired_s);
	}
	bool offsets = !(last > first);
	double least = INFINITY;
	for (size_t i = 0; i < scan->volume_count; i++) {
		if (!offsets)
			scan->volumes[i].time_s = scan->volumes[i].acquired_s;
		least = fmin(least, scan->volumes[i].time_s);
	}
	for (size_t i = 0; i < scan->volume_count; i++)
		scan->volumes[i].time_s -= least;
}

static const char *oddities_of_times(const struct rs_scan *scan)
{
	size_t back = 0;
	for (size_t i = 1; i < scan->volume_count; i++) {
		const struct rs_scan_volume *v = &scan->volumes[i];
		if (!(v->time_s > v[-1].time_s))
			return "its times are not told, or are the same for several volumes";
		back += v->order < v[-1].order;
	}
	return back > 0
	               ? "its files number the times in another order than the clock did: the clock's was taken"
	               : "";
}

static void order_volumes(struct rs_scan *scan)
{
	if (scan->volume_count == 0)
		return;
	tell_times(scan);
	qsort(scan->volumes, scan->volume_count, sizeof *scan->volumes,
	      scan->kind == RS_SCAN_DWI   ? by_weight
	      : scan->kind == RS_SCAN_VFA ? by_flip
	                                  : by_time);
	if (scan->kind == RS_SCAN_DCE)
		scan->note = oddities_of_times(scan);
}

/* Into the first of them; the others are gone. */
static enum rs_code merge(struct rs_scans *scans, const size_t *which, size_t count, enum rs_scan_kind as,
                          struct rs_error *err)
{
	struct rs_scan *to = &scans->items[which[0]];
	size_t volumes = 0, at = 0;
	char why[240];
	for (size_t i = 0; i < count; i++)
		volumes += scans->items[which[i]].volume_count;
	struct rs_scan_volume *all = rs_arena_allocate_array(&scans->arena, volumes, sizeof *all);
	if (!all)
		return rs_error_memory(err, volumes * sizeof *all, "volumes");
	for (size_t i = 0; i < count; i++) {
		struct rs_scan *from = &scans->items[which[i]];
		memcpy(all + at, from->volumes, from->volume_count * sizeof *all);
		at += from->volume_count;
		to->contrast = to->contrast || from->contrast;
		to->relaxivity = fmax(to->relaxivity, from->relaxivity);
		to->forced = to->forced || from->forced;
		if (i > 0)
			from->series_count = 0; /* taken */
	}
	static const char *const differ[RS_SCAN_KINDS] = {
		[RS_SCAN_DWI] = "b-value", [RS_SCAN_DCE] = "time", [RS_SCAN_VFA] = "flip angle"};
	(void)snprintf(why, sizeof why, "%zu series of one grid that differ in %s (first: %s)", count,
	               differ[as], to->why);
	to->why = arena_text(&scans->arena, rs_str_from(why));
	to->volumes = all;
	to->volume_count = volumes;
	to->series_count = count;
	to->rank += to->kind == as ? (int)count : (int)volumes;
	to->kind = as;
	return to->why ? RS_OK : rs_error_memory(err, sizeof why, "a sentence");
}

/* Times of the same contrast: at least one of them, but not the first, after contrast agent; or a DCE series already, with
 * what was measured before it. */
static bool is_dynamic(const struct rs_scans *scans, const size_t *which, size_t count)
{
	bool contrast = false, plain = false, dce = false;
	for (size_t i = 0; i < count; i++) {
		const struct rs_scan *scan = &scans->items[which[i]];
		contrast = contrast || scan->contrast;
		plain = plain || !scan->contrast;
		dce = dce || scan->kind == RS_SCAN_DCE;
	}
	return dce || (contrast && (plain || count > 2));
}

static enum rs_code join_as(struct rs_scans *scans, enum rs_scan_kind as, struct rs_error *err)
{
	size_t *which RS_CLEANUP(rs_free_pointer) = rs_allocate_array(scans->count, sizeof *which);
	if (!which)
		return rs_error_memory(err, scans->count * sizeof *which, "scans");
	for (size_t i = 0; i < scans->count; i++) {
		size_t count = 1;
		which[0] = i;
		if (scans->items[i].series_count == 0)
			continue;
		for (size_t k = i + 1; k < scans->count; k++) {
			bool all = scans->items[k].series_count > 0;
			for (size_t w = 0; w < count && all; w++)
				all = belong_together(&scans->items[which[w]], &scans->items[k], as);
			if (all)
				which[count++] = k;
		}
		if (count > 1 && (as != RS_SCAN_DCE || is_dynamic(scans, which, count)))
			RS_TRY(merge(scans, which, count, as, err));
	}
	return RS_OK;
}

/* What the user called by one name is one scan. */
static enum rs_code join_forced(struct rs_scans *scans, enum rs_scan_kind as, struct rs_error *err)
{
	size_t *which RS_CLEANUP(rs_free_pointer) = rs_allocate_array(scans->count, sizeof *which);
	size_t count = 0;
	if (!which)
		return rs_error_memory(err, scans->count * sizeof *which, "scans");
	for (size_t i = 0; i < scans->count; i++)
		if (scans->items[i].forced && scans->items[i].kind == as)
			which[count++] = i;
	return count > 1 ? merge(scans, which, count, as, err) : RS_OK;
}

static bool is_better(const struct rs_scan *a, const struct rs_scan *b)
{
	if (a->forced != b->forced)
		return a->forced;
	if (a->rank != b->rank)
		return a->rank > b->rank;
	if (a->number != b->number)
		return a->number < b->number;
	return strcmp(a->uid, b->uid) < 0;
}

enum rs_code join_scans(struct rs_scans *scans, struct rs_error *err)
{
	static const enum rs_scan_kind order[] = {RS_SCAN_DWI, RS_SCAN_DCE, RS_SCAN_VFA};
	size_t kept = 0;
	for (size_t i = 0; i < RS_COUNT(order); i++) {
		RS_TRY(join_forced(scans, order[i], err));
		RS_TRY(join_as(scans, order[i], err));
	}
	for (size_t i = 0; i < scans->count; i++)
		if (scans->items[i].series_count > 0)
			scans->items[kept++] = scans->items[i];
	scans->count = kept;
	for (size_t kind = 0; kind < RS_SCAN_KINDS; kind++) {
		struct rs_scan *best = NULL;
		for (size_t i = 0; i < kept; i++)
			if (scans->items[i].kind == (enum rs_scan_kind)kind &&
			    (!best || is_better(&scans->items[i], best)))
				best = &scans->items[i];
		if (best)
			best->chosen = true;
	}
	for (size_t i = 0; i < kept; i++)
		order_volumes(&scans->items[i]);
	return RS_OK;
}
