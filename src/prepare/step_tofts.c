/* Tofts' model, voxel by voxel: agent in tissue from its signal, agent in plasma from the population or an artery, and when
 * it came to each tissue. */
#include <math.h>
#include <stdlib.h>

#include "curves.h"
#include "image/image.h"

#define FINE_MAX RS_SIGNAL_POINTS_MAX
#define FINE_S 1.0
#define BRIGHT_MAX 300
/* Tissues get their agent up to so long after the first ones; moments are tried at such distances. */
#define RELAXIVITY_USUAL 4.5 /* l/(mmol s): amid those of agent.c */
#define LATE_S 15.0
#define ARRIVAL_S 0.5
/* Blood is through a tissue for the first time, and comes again, in so long: Parker 2006, figure 3. */
#define FIRST_PASS_S 40.0
/* Plasma can be told from what has left it where so many times say so. */
#define EXTENDED_TIMES 8

void curves_finish(struct curves *c)
{
	for (size_t m = 0; m < MAPS; m++)
		rs_free(c->maps[m]);
	rs_free(c->fine);
	for (size_t a = 0; a < ARRIVALS_MAX; a++) {
		rs_free(c->plasma[a]);
		rs_free(c->inputs[a].shapes);
	}
}

/* ---- one curve ---- */

/* False where no concentration makes so much signal. */
static bool agent_of(const struct curves *c, size_t voxel, const double *values, double before, double *out)
{
	double t1 = c->t1_map ? c->t1_map[voxel] : c->t1_ms;
	for (size_t t = 0; t < c->count; t++) {
		out[t] = rs_contrast_concentration(before, values[t], t1, c->tr_ms, c->flip, c->relaxivity);
		if (!isfinite(out[t]))
			return false;
	}
	return true;
}

void fit_tofts(const struct curves *c, size_t i, const double *values, double before)
{
	double agent[TIMES_MAX];
	struct rs_tofts tofts;
	size_t arrival;
	if (!agent_of(c, i, values, before, agent) ||
	    !rs_tofts_fit(c->inputs, c->input_count, agent, c->extended, &tofts, &arrival))
		return;
	c->maps[MAP_KTRANS][i] = tofts.ktrans;
	c->maps[MAP_VE][i] = tofts.ve;
	if (c->extended)
		c->maps[MAP_VP][i] = tofts.vp;
	c->maps[MAP_FIT][i] = tofts.r2;
}

/* ---- plasma ---- */

static enum rs_code make_fine(struct curves *c, struct rs_error *err)
{
	double step = fmax(FINE_S, (c->times[c->count - 1] - c->times[0]) / (FINE_MAX - TIMES_MAX));
	c->fine = rs_allocate_array(FINE_MAX, sizeof *c->fine);
	if (!c->fine)
		return rs_error_memory(err, FINE_MAX * sizeof *c->fine, "moments");
	for (size_t t = 0; t + 1 < c->count; t++) {
		double gap = c->times[t + 1] - c->times[t];
		size_t parts = (size_t)fmax(1, floor(gap / step));
		c->at[t] = c->fine_count;
		for (size_t k = 0; k < parts; k++)
			c->fine[c->fine_count++] = c->times[t] + gap * (double)k / (double)parts;
	}
	c->at[c->count - 1] = c->fine_count;
	c->fine[c->fine_count++] = c->times[c->count - 1];
	return RS_OK;
}

/* Straight lines between the times; before the first one: its value. */
static double between(const struct curves *c, const double *values, double moment)
{
	size_t t = 0;
	while (t + 2 < c->count && moment >= c->times[t + 1])
		t++;
	double share = (moment - c->times[t]) / (c->times[t + 1] - c->times[t]);
	return values[t] + fmax(share, 0) * (values[t + 1] - values[t]);
}

/* measured: plasma in the artery; NULL: the population's. Arrivals are times, or how long after the artery. */
static enum rs_code make_inputs(const struct rs_step *step, struct curves *c, const double *measured,
                                double first, double last, struct rs_error *err)
{
	double apart = fmax(ARRIVAL_S, (last - first) / (ARRIVALS_MAX - 1));
	c->input_count = (size_t)floor((last - first) / apart) + 1;
	for (size_t a = 0; a < c->input_count; a++) {
		double arrival = c->arrivals[a] = first + apart * (double)a;
		struct rs_tofts_input *in = &c->inputs[a];
		c->plasma[a] = rs_allocate_array(c->fine_count, sizeof(double));
		*in = (struct rs_tofts_input){c->fine, c->plasma[a], c->fine_count, c->at, c->count, NULL};
		in->shapes = rs_allocate_array((RS_TOFTS_RATES + 1) * c->count, sizeof(double));
		if (!c->plasma[a] || !in->shapes)
			return rs_error_memory(err, c->fine_count * sizeof(double), "plasma");
		for (size_t f = 0; f < c->fine_count; f++)
			c->plasma[a][f] = measured ? between(c, measured, c->fine[f] - arrival)
			                  : c->fine[f] <= arrival
			                          ? 0
			                          : rs_parker_blood(c->fine[f] - arrival) /
			                                    (1 - step->values[DCE_HEMATOCRIT]);
		rs_tofts_shapes(in);
	}
	return RS_OK;
}

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
	return make_inputs(step, c, plasma, 0, LATE_S, err);
}

/* Agent comes between two times for most of what is bright; the mean may rise a time late. */
static enum rs_code population_plasma(const struct rs_step *step, struct curves *c, struct rs_error *err)
{
	return make_inputs(step, c, NULL, c->times[c->before > 1 ? c->before - 2 : 0],
	                   c->times[c->before] + LATE_S, err);
}

/* ---- what the report tells ---- */

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

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* The median of when agent came to what is bright. */
static double usual_arrival(const struct curves *c)
{
	size_t picked[BRIGHT_MAX], count = bright_voxels(c, picked), found = 0, arrival;
	double values[TIMES_MAX], agent[TIMES_MAX], arrivals[BRIGHT_MAX];
	struct rs_tofts tofts;
	for (size_t p = 0; p < count; p++) {
		for (size_t t = 0; t < c->count; t++)
			values[t] = c->volumes[t]->voxels[picked[p]];
		if (agent_of(c, picked[p], values, before_agent(c, values), agent) &&
		    rs_tofts_fit(c->inputs, c->input_count, agent, c->extended, &tofts, &arrival))
			arrivals[found++] = c->arrivals[arrival];
	}
	qsort(arrivals, found, sizeof *arrivals, by_size);
	return found ? arrivals[found / 2] : NAN;
}

/* Given, that of the agent which the files name, or that of many agents. */
static void choose_relaxivity(const struct rs_step *step, const struct rs_scan *scan, struct curves *c)
{
	bool given = step->values[DCE_RELAXIVITY] > 0, named = scan->relaxivity > 0;
	c->relaxivity = given ? step->values[DCE_RELAXIVITY] : named ? scan->relaxivity : RELAXIVITY_USUAL;
	c->relaxivity_source = given ? "given" : named ? "of the agent that is named" : "usual";
}

enum rs_code prepare_tofts(struct work *work, const struct rs_step *step, struct curves *c,
                           struct rs_error *err)
{
	const struct rs_scan *scan = rs_scans_chosen(work->how->scans, RS_SCAN_DCE);
	double model = step->values[DCE_MODEL];
	c->t1_ms = step->values[DCE_T1];
	c->extended = model == DCE_EXTENDED || (model == DCE_AUTO && c->count >= EXTENDED_TIMES);
	choose_relaxivity(step, scan, c);
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
	double gap = c->times[c->before] - c->times[c->before - 1];
	if (gap > FIRST_PASS_S)
		return rs_error_set(
			err, RS_REFUSED,
			"nothing was measured between %g s and %g s, while the agent came: its first pass is not known",
			c->times[c->before - 1], c->times[c->before]);
	RS_TRY(make_fine(c, err));
	RS_TRY(work->how->artery ? measured_plasma(work, step, c, err) : population_plasma(step, c, err));
	c->arrival = usual_arrival(c);
	c->tofts = true;
	return RS_OK;
}
