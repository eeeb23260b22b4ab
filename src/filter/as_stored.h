/* A result that Python libraries write back into an array of the volume's own type. */
#ifndef RS_FILTER_AS_STORED_H
#define RS_FILTER_AS_STORED_H

#include "image/image.h"

/* numpy's assignment of a double on x86-64: the fraction is cut off, what does not fit wraps around, and NaN
 * becomes the smallest integer of 32 or 64 bits. float32 rounds. */
double as_stored(double value, enum rs_voxel_type type);
/* scipy.ndimage's of many: rounded half away from 0, and held within the range of the type. float32 rounds. */
void as_stored_rounded(double *values, size_t count, enum rs_voxel_type type);

#endif
