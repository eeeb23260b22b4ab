/* Which stroke is nearest on a path over the image's grid. */
#ifndef RS_SEGMENT_GEODESIC_H
#define RS_SEGMENT_GEODESIC_H

#include "base/base.h"

/* A step to one of 26 neighbours is sqrt(mm^2 + (rise * difference)^2) long.
 * labels  0: unknown, 1 and 2: seeds; all become 1 or 2, 0 only where there is no seed at all or `closed` is set
 * closed  NULL, or not 0 where no path goes */
enum rs_code geodesic_nearest(const float *guide, const uint8_t *closed, const size_t size[3],
                              const double spacing_mm[3], double rise, uint8_t *labels, struct rs_error *err);

#endif
