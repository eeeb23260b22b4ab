/* Grids in space: indices to points and back, in the order of operations that ITK has. Private to filter. */
#ifndef RS_FILTER_GRID_H
#define RS_FILTER_GRID_H

#include "image/image.h"

struct grid {
	double to_point[3][3], to_index[3][3];
	double origin_mm[3];
};
/* false when there is none */
bool invert3(const double matrix[3][3], double out[3][3]);
/* errors  RS_REFUSED when the axes do not span space or a number is not finite */
enum rs_code grid_of(const struct rs_geometry *geometry, struct grid *out, struct rs_error *err);
void grid_point(const struct grid *grid, const double index[3], double out[3]);
void grid_index(const struct grid *grid, const double point[3], double out[3]);

/* The label's bounding box. errors  RS_REFUSED when the label is absent */
enum rs_code label_bounds(const struct rs_mask *mask, uint32_t label, size_t first[3], size_t size[3],
                          struct rs_error *err);
/* Geometry `from` with another spacing and size; the sizes come as doubles, out of divisions.
 * errors  RS_REFUSED when the grid has more than RS_VOXELS_MAX voxels */
enum rs_code grid_resize(const struct rs_geometry *from, const double spacing_mm[3], const double size[3],
                         struct rs_geometry *out, struct rs_error *err);
/* Copies the names of labels. */
enum rs_code names_copy(const struct rs_mask *from, struct rs_mask *to, struct rs_error *err);

#endif
