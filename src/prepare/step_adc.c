/* ADC, or IVIM, from the weightings of one scan: voxel by voxel, with a map of how well the curve fits. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "signal/signal.h"
#include "work.h"

#define WEIGHTS_MAX 64
#define MAPS_MAX 4
#define UM2 1e6 /* um2/s in a mm2/s */

struct fitting {
	const struct rs_volume *volumes[WEIGHTS_MAX];
	double b[WEIGHTS_MAX], floor;
	size_t count, slice; /* voxels of a slice */
	bool ivim;
	double *maps[MAPS_MAX];
};
static const struct {
	const char *name, *unit;
} maps_of[2][MAPS_MAX] = {
	{{"ADC", "um2/s"}, {"ADC_fit", "1"}, {NULL, NULL}},
	{{"IVIM_D", "um2/s"}, {"IVIM_f", "1"}, {"IVIM_D_star", "um2/s"}, {"IVIM_fit", "1"}},
};

static void fit_voxel(const struct fitting *f, size_t i)
{
	double values[WEIGHTS_MAX];
	struct rs_adc adc;
	struct rs_ivim ivim;
	for (size_t w = 0; w < f->count; w++)
		values[w] = f->volumes[w]->voxels[i];
	if (!(values[0] > f->floor))
		return;
	if (f->ivim && rs_ivim_fit(f->b, values, f->count, &ivim)) {
		f->maps[0][i] = ivim.d * UM2;
		f->maps[1][i] = ivim.f;
		f->maps[2][i] = ivim.d_star * UM2;
		f->maps[3][i] = ivim.r2;
	} else if (!f->ivim && rs_adc_fit(f->b, values, f->count, f->floor, &adc)) {
		f->maps[0][i] = adc.adc * UM2;
		f->maps[1][i] = adc.r2;
	}
}

static enum rs_code fit_slice(void *context, size_t slice, struct rs_error *err)
{
	const struct fitting *f = context;
	(void)err;
	for (size_t i = slice * f->slice; i < (slice + 1) * f->slice; i++)
		fit_voxel(f, i);
	return RS_OK;
}

static enum rs_code find_weights(struct work *work, const struct rs_step *step, struct fitting *f,
                                 struct rs_error *err)
{
	size_t low = 0;
	double sigma = 0;
	for (size_t i = 0; i < work->count && f->count < WEIGHTS_MAX; i++) {
		struct held *item = &work->items[i];
		if (item->family != RS_SCAN_DWI || item->map || !(item->b >= step->values[ADC_B_LEAST]) ||
		    !(item->b <= step->values[ADC_B_GREATEST]))
			continue;
		f->volumes[f->count] = &item->volume;
		f->b[f->count++] = item->b;
		low += item->b < RS_IVIM_SPLIT;
		if (!isnan(item->sigma))
			sigma = item->sigma; /* that of the greatest b: signal moves least there */
	}
	f->floor = sigma * step->values[ADC_NOISE];
	if (f->count < 2)
		return rs_error_set(err, RS_REFUSED,
		                    "there %s b-value%s; two different ones tell a coefficient",
		                    f->count == 1 ? "is one" : "are no", f->count == 1 ? "" : "s");
	if (f->ivim && (f->count < 4 || low < 2 || f->count - low < 2))
		return rs_error_set(
			err, RS_REFUSED,
			"there are %zu b-values, %zu of them below %g; IVIM needs four, and two on "
			"both sides",
			f->count, low, RS_IVIM_SPLIT);
	return RS_OK;
}

/* What the scanner computed stays, under another name. */
static void rename_scanners(struct work *work)
{
	for (size_t i = 0; i < work->count; i++)
		if (work->items[i].family == RS_SCAN_ADC)
			(void)snprintf(work->items[i].name, NAME_SIZE, "ADC_scanner");
}

static enum rs_code hold_map(struct work *work, size_t which, bool ivim, const struct rs_geometry *geometry,
                             double **map, struct rs_error *err)
{
	struct held item = {.family = RS_SCAN_DWI,
	                    .unit = maps_of[ivim][which].unit,
	                    .map = true,
	                    .b = NAN,
	                    .flip = NAN,
	                    .time_s = NAN,
	                    .sigma = NAN,
	                    .volume = {*geometry, RS_VOXEL_F64, *map}};
	(void)snprintf(item.name, sizeof item.name, "%s", maps_of[ivim][which].name);
	*map = NULL;
	return hold(work, &item, err);
}

static enum rs_code fit_all(struct work *work, const struct rs_step *step, struct fitting *f,
                            struct rs_error *err)
{
	RS_TRY(find_weights(work, step, f, err));
	const struct rs_geometry geometry = f->volumes[0]->geometry;
	size_t voxels = rs_geometry_voxels(&geometry);
	f->slice = geometry.size[0] * geometry.size[1];
	for (size_t m = 0; m < MAPS_MAX && maps_of[f->ivim][m].name; m++) {
		f->maps[m] = rs_allocate_aligned(voxels * sizeof(double));
		if (!f->maps[m])
			return rs_error_memory(err, voxels * sizeof(double), "a map");
	}
	RS_TRY(rs_pool_for(work->how->pool, geometry.size[2], fit_slice, f, err));
	if (!f->ivim)
		rename_scanners(work);
	for (size_t m = 0; m < MAPS_MAX && maps_of[f->ivim][m].name; m++)
		RS_TRY(hold_map(work, m, f->ivim, &geometry, &f->maps[m], err));
	tell_step(work, step, "DWI");
	tell_number(work, "weightings", (double)f->count);
	tell_number(work, "noise_floor", f->floor);
	rs_json_object_end(&work->json);
	return RS_OK;
}

enum rs_code do_adc(struct work *work, const struct rs_step *step, struct rs_error *err)
{
	struct fitting fitting = {.ivim = step->values[ADC_MODEL] == ADC_IVIM};
	if (!(step->on & BIT(RS_SCAN_DWI)) || !work->families[RS_SCAN_DWI].present)
		return RS_OK;
	enum rs_code code = fit_all(work, step, &fitting, err);
	for (size_t m = 0; m < MAPS_MAX; m++)
		rs_free(fitting.maps[m]);
	return survive(work, fitting.ivim ? "IVIM" : "ADC", code, err);
}
