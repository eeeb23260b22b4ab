/* T1 before the agent, from gradient echoes at several flip angles. */
#include <math.h>

#include "curves.h"

#define FLIPS_MAX 32
#define T1_MAX_MS 10000.0

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

enum rs_code map_t1(struct work *work, const struct rs_geometry *onto, const double **out,
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
