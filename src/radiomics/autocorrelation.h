/* How alike voxels are that lie near each other, see autocorrelation.c. */
#ifndef RS_RADIOMICS_AUTOCORRELATION_H
#define RS_RADIOMICS_AUTOCORRELATION_H

#include "radiomics/evidence.h"

enum autocorrelation_method {
	AUTOCORRELATION_CHOOSE, /* the quicker one */
	AUTOCORRELATION_PAIRS,
	AUTOCORRELATION_FOURIER,
	AUTOCORRELATION_FOURIER_FRUGAL /* holds the spectra of one plane at a time */
};
/* NaN for one voxel, and for voxels all of one intensity. The order of sums never depends on the pool.
 * source  IBSI reference manual, "Moran's I index" (N365) and "Geary's C measure" (NPT7)        */
enum rs_code autocorrelation_measure(const struct region *region, const double spacing_mm[3],
                                     enum autocorrelation_method method, struct rs_pool *pool,
                                     double *out_moran, double *out_geary, struct rs_error *err);

#endif
