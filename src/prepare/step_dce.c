/* Maps of how contrast agent comes and goes: without a model, and, where T1 is known, by Tofts' model. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "curves.h"

static const struct {
	const char *name, *unit;
} map_rows[MAPS] = {
	{"DCE_wash_in", "/s"},
	{"DCE_wash_out", "/s"},
	{"DCE_time_to_peak", "s"},
	{"DCE_peak", "1"},
	{"DCE_iauc", "s"},
	{"Ktrans", "/min"},
	{"ve", "1"},
	{"vp", "1"},
	{"Tofts_fit", "1"},
};

double before_agent(const struct curves *c, const double *values)
{
	double sum = 0;
	for (size_t t = 0; t < c->before; t++)
		sum += values[t];
	return sum / (double)c->before;
}

static enum rs_code measure_slice(void *context, size_t slice, struct rs_error *err)
{
	const struct curves *c = context;
	double values[TIMES_MAX];
	struct rs_enhancement e;
	(void)err;
	for (size_t i = slice * c->slice; i < (slice + 1) * c->slice; i++) {
		for (size_t t = 0; t < c->count; t++)
			values[t] = c->volumes[t]->voxels[i];
		double before = before_agent(c, values);
		if (!(before > c->floor) ||
		    !rs_enhancement_measure(c->times, values, c->count, c->before, &e))
			continue;
		c->maps[MAP_WASH_IN][i] = e.wash_in;
		c->maps[MAP_WASH_OUT][i] = e.wash_out;
		c->maps[MAP_TIME_TO_PEAK][i] = e.time_to_peak_s;
		c->maps[MAP_PEAK][i] = e.peak;
		c->maps[MAP_IAUC][i] = e.iauc;
		if (c->tofts)
			fit_tofts(c, i, values, before);
	}
	return RS_OK;
}

/* Times must ascend: a volume that does not tell its own is of no use here. */
static enum rs_code find_times(struct work *work, struct curves *c, struct rs_error *err)
{
	for (size_t i = 0; i < work->count; i++) {
		struct held *item = &work->items[i];
		if (item->family != RS_SCAN_DCE || item->map)
			continue;
		if (c->count == TIMES_MAX)
			return rs_error_set(err, RS_TOO_LARGE, "there are more than %d times", TIMES_MAX);
		if (!isfinite(item->time_s) || (c->count > 0 && !(item->time_s > c->times[c->count - 1])))
			return rs_error_set(
				err, RS_REFUSED,
				"%s is of %g s, after %g s: times are not told, or are the same for several volumes",
				item->name, item->time_s, c->count > 0 ? c->times[c->count - 1] : 0);
		if (c->count == 0)
			c->floor = isnan(item->sigma) ? 0 : SIGMAS * item->sigma;
		c->volumes[c->count] = &item->volume;
		c->times[c->count++] = item->time_s;
	}
	if (c->count < 3)
		return rs_error_set(err, RS_REFUSED, "there are %zu times; a curve needs three", c->count);
	return RS_OK;
}

/* Where the mean of what is bright at the end begins to rise. */
static enum rs_code find_arrival(const struct rs_step *step, struct curves *c, struct rs_error *err)
{
	double means[TIMES_MAX] = {0};
	uint8_t *region RS_CLEANUP(rs_free_pointer) = NULL;
	size_t voxels = rs_geometry_voxels(&c->volumes[0]->geometry), inside = 0;
	/* Where all voxels are alike there is no background to leave out. */
	enum rs_code code = foreground_of(c->volumes[c->count - 1], &region, NULL);
	if (code == RS_NO_MEMORY)
		return rs_error_memory(err, voxels, "a region");
	for (size_t i = 0; i < voxels; i++) {
		if (code == RS_OK && !region[i])
			continue;
		inside++;
		for (size_t t = 0; t < c->count; t++)
			means[t] += c->volumes[t]->voxels[i];
	}
	for (size_t t = 0; t < c->count; t++)
		means[t] /= (double)inside;
	size_t given = (size_t)step->values[DCE_BEFORE];
	c->before = given > 0 ? given : rs_contrast_arrival(means, c->count);
	if (c->before == 0)
		c->before = 1;
	if (c->before >= c->count)
		return rs_error_set(err, RS_REFUSED,
		                    "of %zu times, %zu are before the agent came: none after", c->count,
		                    c->before);
	return RS_OK;
}

static enum rs_code hold_maps(struct work *work, struct curves *c, const struct rs_geometry *geometry,
                              struct rs_error *err)
{
	for (size_t m = 0; m < MAPS; m++) {
		struct held item = {.family = RS_SCAN_DCE,
		                    .unit = map_rows[m].unit,
		                    .map = true,
		                    .sigma = NAN,
		                    .volume = {*geometry, RS_VOXEL_F64, c->maps[m]}};
		if (!c->maps[m])
			continue;
		(void)snprintf(item.name, sizeof item.name, "%s", map_rows[m].name);
		c->maps[m] = NULL;
		RS_TRY(hold(work, &item, err));
	}
	return RS_OK;
}

static void tell_tofts(struct work *work, const struct curves *c)
{
	const bool measured = work->how->artery != NULL;
	tell_text(work, "model", c->extended ? "extended" : "tofts");
	if (isfinite(c->arrival))
		tell_number(work, measured ? "after_artery_s" : "arrival_s", c->arrival);
	tell_text(work, "input", measured ? "measured" : "Parker 2006");
	tell_text(work, "t1", c->t1_map ? "map from flip angles" : "given");
	tell_number(work, "relaxivity", c->relaxivity);
	tell_text(work, "relaxivity_source", c->relaxivity_source);
}

static enum rs_code measure_all(struct work *work, const struct rs_step *step, struct curves *c,
                                struct rs_error *err)
{
	RS_TRY(find_times(work, c, err));
	RS_TRY(find_arrival(step, c, err));
	RS_TRY(survive(work, "Ktrans, ve", prepare_tofts(work, step, c, err), err));
	/* Holding T1 may have moved what is held. */
	c->count = 0;
	RS_TRY(find_times(work, c, err));
	const struct rs_geometry geometry = c->volumes[0]->geometry;
	size_t voxels = rs_geometry_voxels(&geometry);
	c->slice = geometry.size[0] * geometry.size[1];
	for (size_t m = 0; m < (c->tofts ? MAPS : MAP_KTRANS); m++) {
		if (m == MAP_VP && !c->extended)
			continue;
		c->maps[m] = rs_allocate_aligned(voxels * sizeof(double));
		if (!c->maps[m])
			return rs_error_memory(err, voxels * sizeof(double), "a map");
	}
	RS_TRY(rs_pool_for(work->how->pool, geometry.size[2], measure_slice, c, err));
	RS_TRY(hold_maps(work, c, &geometry, err));
	tell_step(work, step, "DCE");
	tell_number(work, "times", (double)c->count);
	tell_number(work, "before_agent", (double)c->before);
	if (c->tofts)
		tell_tofts(work, c);
	rs_json_object_end(&work->json);
	return RS_OK;
}

enum rs_code do_dce(struct work *work, const struct rs_step *step, struct rs_error *err)
{
	if (!(step->on & BIT(RS_SCAN_DCE)) || !work->families[RS_SCAN_DCE].present)
		return RS_OK;
	struct curves *curves = rs_allocate(sizeof *curves);
	if (!curves)
		return rs_error_memory(err, sizeof *curves, "curves");
	enum rs_code code = measure_all(work, step, curves, err);
	curves_finish(curves);
	rs_free(curves);
	return survive(work, "DCE maps", code, err);
}
