/* Maps of how contrast agent comes and goes: without a model, and, where T1 is known, by Tofts' model. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "image/image.h"
#include "signal/signal.h"
#include "work.h"

#define TIMES_MAX 256
#define FLIPS_MAX 32
#define DEGREE (3.14159265358979323846 / 180)
#define T1_MAX_MS 10000.0
#define FINE_MAX 512
#define FINE_S 2.5
#define BRIGHT_MAX 300
#define MOMENTS 8
/* Brighter than so much noise before the agent came: else there is no tissue to tell of. */
#define SIGMAS 3

enum {
	MAP_WASH_IN,
	MAP_WASH_OUT,
	MAP_TIME_TO_PEAK,
	MAP_PEAK,
	MAP_IAUC,
	MAP_KTRANS,
	MAP_VE,
	MAP_VP,
	MAP_FIT,
	MAPS
};
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

struct curves {
	const struct rs_volume *volumes[TIMES_MAX];
	double times[TIMES_MAX];
	size_t count, before, slice;
	/* Blood's first pass is shorter than the gaps between volumes: curves are compared at more moments than these, the
	 * tissue's in straight lines between its own. */
	double fine[FINE_MAX], plasma[FINE_MAX];
	size_t fine_count;
	double floor, t1_ms, tr_ms, flip, relaxivity, arrival;
	const double *t1_map; /* NULL: t1_ms for all */
	bool tofts, extended;
	double *maps[MAPS];
};

static double before_agent(const struct curves *c, const double *values)
{
	double sum = 0;
	for (size_t t = 0; t < c->before; t++)
		sum += values[t];
	return sum / (double)c->before;
}

static void make_fine(struct curves *c)
{
	double step = fmax(FINE_S, c->times[c->count - 1] / (FINE_MAX - TIMES_MAX));
	c->fine_count = 0;
	for (size_t t = 0; t + 1 < c->count; t++) {
		double gap = c->times[t + 1] - c->times[t];
		size_t parts = (size_t)fmax(1, floor(gap / step));
		for (size_t k = 0; k < parts; k++)
			c->fine[c->fine_count++] = c->times[t] + gap * (double)k / (double)parts;
	}
	c->fine[c->fine_count++] = c->times[c->count - 1];
}

static void spread(const struct curves *c, const double *values, double *out)
{
	for (size_t f = 0, t = 0; f < c->fine_count; f++) {
		while (t + 2 < c->count && c->fine[f] >= c->times[t + 1])
			t++;
		double share = (c->fine[f] - c->times[t]) / (c->times[t + 1] - c->times[t]);
		out[f] = values[t] + share * (values[t + 1] - values[t]);
	}
}

static bool fit_agent(const struct curves *c, const double *agent, struct rs_tofts *out)
{
	double fine[FINE_MAX];
	spread(c, agent, fine);
	return rs_tofts_fit(c->fine, c->plasma, fine, c->fine_count, c->extended, out);
}

static void fit_tofts(const struct curves *c, size_t i, const double *values, double before)
{
	double concentration[TIMES_MAX], t1 = c->t1_map ? c->t1_map[i] : c->t1_ms;
	struct rs_tofts tofts;
	if (!(t1 > 0))
		return;
	for (size_t t = 0; t < c->count; t++) {
		concentration[t] = rs_contrast_concentration(before, values[t], t1, c->tr_ms, c->flip,
		                                             c->relaxivity);
		if (!isfinite(concentration[t]))
			return;
	}
	if (!fit_agent(c, concentration, &tofts))
		return;
	c->maps[MAP_KTRANS][i] = tofts.ktrans;
	c->maps[MAP_VE][i] = tofts.ve;
	if (c->extended)
		c->maps[MAP_VP][i] = tofts.vp;
	c->maps[MAP_FIT][i] = tofts.r2;
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

/* ---- T1 before the agent ---- */

struct flips {
	const struct rs_volume *volumes[FLIPS_MAX];
	double angles[FLIPS_MAX], tr_ms, floor;
	size_t count, slice;
	double *t1;
};

static enum rs_code fit_flips(void *context, size_t slice, struct rs_error *err)
{
	const struct flips *f = context;
	double values[FLIPS_MAX];
	struct rs_t1 t1;
	(void)err;
	for (size_t i = slice * f->slice; i < (slice + 1) * f->slice; i++) {
		double greatest = 0;
		for (size_t k = 0; k < f->count; k++) {
			values[k] = f->volumes[k]->voxels[i];
			greatest = fmax(greatest, values[k]);
		}
		if (greatest > f->floor && rs_t1_fit(f->angles, values, f->count, f->tr_ms, &t1) &&
		    t1.t1_ms < T1_MAX_MS)
			f->t1[i] = t1.t1_ms;
	}
	return RS_OK;
}

/* A volume that is held from then on, on the grid of the DCE scan; *out NULL when there are no flip angles. */
static enum rs_code map_t1(struct work *work, const struct rs_geometry *onto, const double **out,
                           struct rs_error *err)
{
	const struct rs_scan *scan = rs_scans_chosen(work->how->scans, RS_SCAN_VFA);
	struct flips f = {.count = 0};
	struct held map = {.name = "T1_map", .family = RS_SCAN_DCE, .unit = "ms", .map = true, .sigma = NAN};
	*out = NULL;
	for (size_t i = 0; i < work->count && f.count < FLIPS_MAX; i++)
		if (work->items[i].family == RS_SCAN_VFA) {
			if (!isnan(work->items[i].sigma))
				f.floor = fmax(f.floor, SIGMAS * work->items[i].sigma);
			f.volumes[f.count] = &work->items[i].volume;
			f.angles[f.count++] = work->items[i].flip * DEGREE;
		}
	if (!scan || f.count < 2)
		return RS_OK;
	const struct rs_geometry *own = &f.volumes[0]->geometry;
	f.tr_ms = scan->repetition_ms;
	f.slice = own->size[0] * own->size[1];
	RS_TRY(rs_volume_init(&map.volume, own, err));
	f.t1 = map.volume.voxels;
	enum rs_code code = rs_pool_for(work->how->pool, own->size[2], fit_flips, &f, err);
	if (code == RS_OK && !same_geometry(own, onto)) {
		struct rs_transform still;
		struct rs_volume moved;
		rs_transform_identity(&still);
		code = rs_transform_apply_volume(&still, &map.volume, onto, 1, 0, work->how->pool, &moved,
		                                 err);
		rs_volume_finish(&map.volume);
		if (code == RS_OK)
			map.volume = moved;
	}
	if (code != RS_OK) {
		rs_volume_finish(&map.volume);
		return code;
	}
	*out = map.volume.voxels;
	return hold(work, &map, err);
}

/* ---- plasma ---- */

/* Mean signal of the arterial voxels, as concentration. */
static enum rs_code measured_plasma(struct work *work, const struct rs_step *step, struct curves *c,
                                    struct rs_error *err)
{
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	char note[160];
	size_t voxels = rs_geometry_voxels(&c->volumes[0]->geometry), inside = 0;
	double means[TIMES_MAX] = {0}, plasma[TIMES_MAX];
	RS_TRY(rs_mask_read_chosen(work->how->world, work->how->artery, &c->volumes[0]->geometry, NULL, &mask,
	                           err));
	RS_TRY(rs_mask_match(&c->volumes[0]->geometry, &mask, 0.1, note, sizeof note, err));
	for (size_t i = 0; i < voxels; i++)
		if (mask.labels[i] != 0) {
			inside++;
			for (size_t t = 0; t < c->count; t++)
				means[t] += c->volumes[t]->voxels[i];
		}
	if (inside == 0)
		return rs_error_set(err, RS_REFUSED, "%s: the region is empty", work->how->artery);
	double before = before_agent(c, means);
	for (size_t t = 0; t < c->count; t++) {
		double blood = rs_contrast_concentration(before, means[t], step->values[DCE_T1_BLOOD],
		                                         c->tr_ms, c->flip, c->relaxivity);
		if (!isfinite(blood))
			return rs_error_set(
				err, RS_REFUSED,
				"%s: at %g s blood is brighter than any concentration makes it (saturation, inflow)",
				work->how->artery, c->times[t]);
		plasma[t] = t < c->before ? 0 : blood / (1 - step->values[DCE_HEMATOCRIT]);
	}
	spread(c, plasma, c->plasma);
	return RS_OK;
}

static void population_plasma(const struct rs_step *step, struct curves *c, double arrival)
{
	for (size_t t = 0; t < c->fine_count; t++)
		c->plasma[t] = c->fine[t] <= arrival ? 0
		                                     : rs_parker_blood(c->fine[t] - arrival) /
		                                               (1 - step->values[DCE_HEMATOCRIT]);
}

/* How much of some bright voxels' curves Tofts' model explains. */
static double explained(const struct curves *c, const size_t *picked, size_t count)
{
	double sum = 0;
	for (size_t p = 0; p < count; p++) {
		double values[TIMES_MAX], agent[TIMES_MAX], t1 = c->t1_map ? c->t1_map[picked[p]] : c->t1_ms;
		bool all = true;
		struct rs_tofts tofts;
		for (size_t t = 0; t < c->count; t++)
			values[t] = c->volumes[t]->voxels[picked[p]];
		double before = before_agent(c, values);
		for (size_t t = 0; t < c->count; t++) {
			agent[t] = rs_contrast_concentration(before, values[t], t1, c->tr_ms, c->flip,
			                                     c->relaxivity);
			all = all && isfinite(agent[t]);
		}
		if (all && fit_agent(c, agent, &tofts))
			sum += tofts.r2;
	}
	return sum;
}

/* Voxels all over the volume, of which the signal rises by a half at least. */
static size_t bright_voxels(const struct curves *c, size_t picked[static BRIGHT_MAX])
{
	size_t voxels = rs_geometry_voxels(&c->volumes[0]->geometry), count = 0;
	size_t stride = voxels / (BRIGHT_MAX * 50) + 1;
	for (size_t i = 0; i < voxels && count < BRIGHT_MAX; i += stride) {
		double values[TIMES_MAX], greatest = 0;
		for (size_t t = 0; t < c->count; t++) {
			values[t] = c->volumes[t]->voxels[i];
			greatest = fmax(greatest, values[t]);
		}
		double before = before_agent(c, values);
		if (before > c->floor && greatest > 1.5 * before)
			picked[count++] = i;
	}
	return count;
}

/* Agent comes between two times: at that of some moments between them from which curves are explained best. */
static void find_plasma(const struct rs_step *step, struct curves *c)
{
	size_t picked[BRIGHT_MAX], count = bright_voxels(c, picked);
	double first = c->times[c->before - 1], gap = c->times[c->before] - first, best = -1;
	c->arrival = first;
	for (int part = 0; part < MOMENTS; part++) {
		double arrival = first + gap * part / MOMENTS;
		population_plasma(step, c, arrival);
		double share = explained(c, picked, count);
		if (share > best) {
			best = share;
			c->arrival = arrival;
		}
	}
	population_plasma(step, c, c->arrival);
}

/* Not an error where nobody asked for it: `auto` takes the model when T1 is known. */
static enum rs_code prepare_tofts(struct work *work, const struct rs_step *step, struct curves *c,
                                  struct rs_error *err)
{
	const struct rs_scan *scan = rs_scans_chosen(work->how->scans, RS_SCAN_DCE);
	double model = step->values[DCE_MODEL];
	c->t1_ms = step->values[DCE_T1];
	c->extended = model == DCE_EXTENDED;
	c->relaxivity = step->values[DCE_RELAXIVITY];
	c->tr_ms = scan->repetition_ms;
	c->flip = scan->flip * DEGREE;
	if (model == DCE_NONE)
		return RS_OK;
	const struct rs_geometry onto = c->volumes[0]->geometry;
	if (!(c->t1_ms > 0))
		RS_TRY(map_t1(work, &onto, &c->t1_map, err));
	if (model == DCE_AUTO && !c->t1_map && !(c->t1_ms > 0))
		return RS_OK;
	if (!c->t1_map && !(c->t1_ms > 0))
		return rs_error_set(err, RS_REFUSED,
		                    "no series with several flip angles tells T1, and no t1_ms is given");
	if (!(c->tr_ms > 0) || !(c->flip > 0))
		return rs_error_set(err, RS_REFUSED, "the DCE series tells no repetition time or flip angle");
	make_fine(c);
	if (work->how->artery)
		RS_TRY(measured_plasma(work, step, c, err));
	else
		find_plasma(step, c);
	c->tofts = true;
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
	if (c->tofts && !work->how->artery)
		tell_number(work, "arrival_s", c->arrival);
	tell_text(work, "input", !c->tofts ? "none" : work->how->artery ? "measured" : "Parker 2006");
	tell_text(work, "t1", !c->tofts ? "none" : c->t1_map ? "map from flip angles" : "given");
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
	for (size_t m = 0; m < MAPS; m++)
		rs_free(curves->maps[m]);
	rs_free(curves);
	return survive(work, "DCE maps", code, err);
}
