/* One region of what several readers drew. */
#ifndef RS_SEGMENT_STAPLE_H
#define RS_SEGMENT_STAPLE_H

#include "image/image.h"

#define RS_READERS_MAX 16
struct rs_consensus {
	unsigned iterations; /* 0 after a vote */
	double prior;        /* share of inside, over all readers and voxels */
	/* Against the consensus: of STAPLE what it estimates, of a vote what is counted; NaN where there is nothing of a kind. */
	double sensitivity[RS_READERS_MAX], specificity[RS_READERS_MAX];
};
/* How likely each voxel is inside, from readers whose sensitivities and specificities are estimated along with it (Warfield,
 * Zou & Wells, IEEE TMI 23 (2004) 903), over all voxels of the grid. Every label but 0 is inside; grids have the same size.
 * probability  one value a voxel, the caller's
 * errors       RS_USAGE for fewer than 2 or more than RS_READERS_MAX masks, or grids of different size; RS_NOT_FOUND when no
 *              voxel is inside anywhere; RS_NO_MEMORY */
enum rs_code rs_masks_staple(const struct rs_mask *const *masks, size_t count, double *probability,
                             struct rs_consensus *out, struct rs_error *err);
/* The share of readers that have it inside; consensus is what more than half of them have. */
enum rs_code rs_masks_vote(const struct rs_mask *const *masks, size_t count, double *probability,
                           struct rs_consensus *out, struct rs_error *err);

#endif
