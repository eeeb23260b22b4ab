/* Cubic B-splines with the choices of ITK's BSplineInterpolate: mirrored ends, and the support found from the position in
 * single precision. */
#include <math.h>

#include "filter/interpolate.h"

static double mirrored(double index, size_t count)
{
	double last = (double)count - 1;
	if (count == 1)
		return 0;
	if (index < 0)
		index = -index;
	if (index >= last)
		index = last - (index - last);
	return fabs(index); /* a volume of two voxels turns it twice; ITK reads beside the volume */
}

void bspline_support(double position, size_t whole, struct support *out, double *indices)
{
	double low = floor((double)(float)position);
	out->count = 4;
	rs_spline_weights(position - low, out->weights);
	for (int k = 0; k < 4; k++)
		indices[k] = mirrored(low + k - 1, whole);
}
