/* A Gaussian over a block of floats. */
#ifndef RS_SEGMENT_BLUR_H
#define RS_SEGMENT_BLUR_H

#include "base/base.h"

/* In place, axis by axis; weights at faces are those of the voxels there are. Axes along which sigma is below a third of
 * a voxel stay as they are. */
enum rs_code blur(float *values, const size_t size[3], const double spacing_mm[3], double sigma_mm,
                  struct rs_error *err);

#endif
