/* The voxels that count. Private to intensity. */
#ifndef RS_INTENSITY_REGION_H
#define RS_INTENSITY_REGION_H

#include "intensity/intensity.h"

/* Values of the region's voxels (NULL: all), ascending; the caller frees them.
 * errors  RS_REFUSED: none is in it, or one is not finite */
enum rs_code region_sorted(const struct rs_volume *volume, const uint8_t *region, double **out,
                           size_t *out_count, struct rs_error *err);

#endif
