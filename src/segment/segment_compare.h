/* How alike two regions are, in voxels and in millimetres. */
#ifndef RS_SEGMENT_COMPARE_H
#define RS_SEGMENT_COMPARE_H

#include "image/image.h"

/* Distances run between surface elements, one in each 2 x 2 x 2 neighbourhood of voxel centres that is partly inside,
 * weighted by their area: that of the marching-cubes polygons between the middles of edges, cut where a face is ambiguous
 * so that the fewer corners stand alone, and divided into the triangles of largest area. These are the elements of DeepMind's
 * surface-distance (Nikolov et al. 2018, arXiv:1809.04430), and so are the figures. Beyond the grid all is outside. */
struct rs_comparison {
	uint64_t voxels_a, voxels_b, voxels_both;
	double volume_a_mm3, volume_b_mm3;
	double dice, jaccard;
	/* NaN where one region is empty. */
	double surface_dice;                  /* share of both surfaces within the tolerance of the other */
	double hausdorff_mm, hausdorff_95_mm; /* the larger of both ways */
	double distance_a_to_b_mm, distance_b_to_a_mm; /* means over the surface */
	double average_surface_distance_mm;            /* mean of the two */
};
/* Of the voxels with this label. The masks lie on one grid.
 * errors  RS_NOT_FOUND when neither has the label; RS_USAGE for grids of different size; RS_NO_MEMORY */
enum rs_code rs_masks_compare(const struct rs_mask *a, const struct rs_mask *b, uint32_t label,
                              double tolerance_mm, struct rs_comparison *out, struct rs_error *err);

#endif
