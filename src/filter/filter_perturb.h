/* What another reader, another scan or another day might have changed (Zwanenburg et al. 2019, "Assessing robustness of
 * radiomic features by image perturbation"): for features that shall be measured several times. */
#ifndef RS_FILTER_PERTURB_H
#define RS_FILTER_PERTURB_H

#include "image/image.h"

/* The label's region, as label 1, grown (share > 0) or shrunk by that share of its voxels: layer by layer of neighbours at
 * a face, of the last layer as many as are wanted, drawn from the seed. It does not leave the grid.
 * errors  RS_REFUSED when the label is absent or nothing would be left, RS_NO_MEMORY */
enum rs_code rs_mask_resize(const struct rs_mask *mask, uint32_t label, double share, uint64_t seed,
                            struct rs_mask *out, struct rs_error *err);
/* Moved by whole voxels. errors  RS_REFUSED when it would leave the grid */
enum rs_code rs_mask_shift(const struct rs_mask *mask, uint32_t label, const int by[3], struct rs_mask *out,
                           struct rs_error *err);
/* Deviation of an image's noise (Immerkær 1996): the mean over its slices of what a mask sees that cancels planes and
 * edges; 0 for slices below 3 x 3 voxels. */
double rs_volume_noise(const struct rs_volume *volume);
/* Normal noise added; of a type that holds it. */
enum rs_code rs_volume_add_noise(const struct rs_volume *volume, double deviation, uint64_t seed,
                                 struct rs_volume *out, struct rs_error *err);

#endif
