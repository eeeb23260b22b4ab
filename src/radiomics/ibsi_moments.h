/* The 16 statistics that intensities and grey levels share, see ibsi_statistics.c. */
#ifndef RS_RADIOMICS_IBSI_MOMENTS_H
#define RS_RADIOMICS_IBSI_MOMENTS_H

#include "radiomics/ibsi.h"

enum ibsi_moment {
	IBSI_MEAN,
	IBSI_VARIANCE,
	IBSI_SKEWNESS,
	IBSI_KURTOSIS, /* in excess of the normal distribution's */
	IBSI_MEDIAN,
	IBSI_MINIMUM,
	IBSI_P10,
	IBSI_P90,
	IBSI_MAXIMUM,
	IBSI_INTERQUARTILE,
	IBSI_RANGE,
	IBSI_MEAN_ABSOLUTE,   /* deviation from the mean */
	IBSI_ROBUST_ABSOLUTE, /* likewise, of values between the 10th and 90th percentile */
	IBSI_MEDIAN_ABSOLUTE, /* mean deviation from the median */
	IBSI_VARIATION,       /* coefficient of */
	IBSI_DISPERSION,      /* quartile coefficient of */
	IBSI_MOMENTS
};
/* out_energy: the sum of squares */
enum rs_code ibsi_moments_measure(const double *values, size_t count, double out[IBSI_MOMENTS],
                                  double *out_energy, struct rs_error *err);

#endif
