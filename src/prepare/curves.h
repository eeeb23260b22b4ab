/* Curves of contrast agent over time, voxel by voxel, while their maps are made. */
#ifndef RS_PREPARE_CURVES_H
#define RS_PREPARE_CURVES_H

#include "signal/signal.h"
#include "work.h"

#define TIMES_MAX 256
#define ARRIVALS_MAX 128
#define DEGREE (3.14159265358979323846 / 180)
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
struct curves {
	const struct rs_volume *volumes[TIMES_MAX];
	double times[TIMES_MAX];
	size_t count, before, slice;
	double floor;
	double *maps[MAPS];
	/* of Tofts' model */
	bool tofts, extended;
	const char *relaxivity_source;
	double t1_ms, tr_ms, flip, relaxivity, arrival;
	const double *t1_map; /* NULL: t1_ms for all */
	double *fine;         /* moments between the times */
	size_t fine_count, at[TIMES_MAX];
	/* Agent comes to no two tissues at once: plasma, as it would come at each of these. */
	double arrivals[ARRIVALS_MAX], *plasma[ARRIVALS_MAX];
	struct rs_tofts_input inputs[ARRIVALS_MAX];
	size_t input_count;
};
void curves_finish(struct curves *curves); /* accepts zeroed memory */
double before_agent(const struct curves *curves, const double *values);
/* step_t1.c: T1 in ms from several flip angles, as a volume that is held from then on, on the grid `onto`; *out NULL when there
 * are none. */
enum rs_code map_t1(struct work *work, const struct rs_geometry *onto, const double **out,
                    struct rs_error *err);
/* step_tofts.c: sets curves->tofts where the model can be fitted. It is no error where nobody asked for it: `auto` takes
 * the model when T1 is known. */
enum rs_code prepare_tofts(struct work *work, const struct rs_step *step, struct curves *curves,
                           struct rs_error *err);
void fit_tofts(const struct curves *curves, size_t voxel, const double *values, double before);

#endif
