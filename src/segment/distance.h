/* Euclidean distances to a set of voxels. */
#ifndef RS_SEGMENT_DISTANCE_H
#define RS_SEGMENT_DISTANCE_H

#include "base/base.h"

/* In place: 0 where the set is and INFINITY elsewhere becomes the squared distance in mm to the nearest voxel of the set,
 * exactly (Felzenszwalb & Huttenlocher 2012); all INFINITY when the set is empty. [z][y][x] */
enum rs_code distance_squared(double *field, const size_t size[3], const double spacing_mm[3],
                              struct rs_error *err);

#endif
