/* How strong the noise is. */
#include <math.h>

#include "intensity/intensity.h"
#include "numeric/numeric.h"

#define MAD_OF_NORMAL 0.6744897501960817 /* its third quartile */

/* |what a voxel differs from the mean of its four neighbours|, scaled so that noise keeps its deviation. */
static size_t residuals(const struct rs_volume *volume, double threshold, double *out)
{
	const size_t *size = volume->geometry.size, row = size[0];
	const double scale = sqrt(4.0 / 5);
	size_t count = 0;
	for (size_t z = 0; z < size[2]; z++)
		for (size_t y = 1; y + 1 < size[1]; y++)
			for (size_t x = 1; x + 1 < size[0]; x++) {
				const double *at = volume->voxels + (z * size[1] + y) * row + x;
				if (*at <= threshold)
					continue;
				double mean = (at[-1] + at[1] + *(at - row) + at[row]) / 4;
				out[count++] = scale * fabs(*at - mean);
			}
	return count;
}

enum rs_code rs_noise_sigma(const struct rs_volume *volume, double *out_sigma, struct rs_error *err)
{
	size_t voxels = rs_geometry_voxels(&volume->geometry), count;
	double threshold;
	RS_TRY(rs_foreground_threshold(volume, &threshold, err));
	double *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(voxels, sizeof *values);
	if (!values)
		return rs_error_memory(err, voxels * sizeof *values, "the noise's residuals");
	count = residuals(volume, threshold, values);
	if (count == 0)
		return rs_error_set(err, RS_REFUSED, "noise is estimated in slices of 3 x 3 voxels or more");
	rs_select(values, 0, count, count / 2);
	*out_sigma = values[count / 2] / MAD_OF_NORMAL;
	return RS_OK;
}
