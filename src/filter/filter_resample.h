/* Resampling: image and mask onto a grid of another spacing. */
#ifndef RS_FILTER_RESAMPLE_H
#define RS_FILTER_RESAMPLE_H

#include "filter/filter.h"

enum rs_interpolator {
	RS_INTERPOLATE_NEAREST,
	RS_INTERPOLATE_LINEAR,
	RS_INTERPOLATE_BSPLINE /* cubic */,
	RS_INTERPOLATE_GAUSSIAN,
	RS_INTERPOLATE_LABEL_GAUSSIAN,
	RS_INTERPOLATE_HAMMING,
	RS_INTERPOLATE_COSINE,
	RS_INTERPOLATE_WELCH,
	RS_INTERPOLATE_LANCZOS,
	RS_INTERPOLATE_BLACKMAN
};

/* PyRadiomics' resampleImage: the new grid covers the label's bounding box of the mask and pad_distance voxels more,
 * voxel corners aligned; the mask takes the nearest label.
 * spacing_mm  0 keeps the mask's along that axis
 * out_image, out_mask  initialised by this function; the caller finishes them
 * errors      RS_USAGE, RS_REFUSED (label absent, grid too large), RS_NO_MEMORY
 * source      PyRadiomics 3.1 imageoperations.resampleImage; ITK 5 ResampleImageFilter, BSplineInterpolate */
enum rs_code rs_resample_corners(const struct rs_volume *image, const struct rs_mask *mask, uint32_t label,
                                 const double spacing_mm[3], enum rs_interpolator interpolator,
                                 unsigned pad_distance, struct rs_pool *pool, struct rs_volume *out_image,
                                 struct rs_mask *out_mask, struct rs_error *err);

/* IBSI's grid: ceil(n * s / s') voxels along each axis, centres of the two grids aligned, edges extended by
 * their nearest voxel; spline order 0 (nearest), 1 (linear) or 3 (tricubic, interpolating B-spline).
 * Along an axis where spacing_mm is 0 nothing changes.
 * source  IBSI reference manual, "Image interpolation" */
enum rs_code rs_resample_centres(const struct rs_volume *image, const double spacing_mm[3],
                                 unsigned spline_order, struct rs_pool *pool, struct rs_volume *out,
                                 struct rs_error *err);
/* The same for one label of a mask: 1 where the interpolated coverage is >= threshold, else 0; no names. */
enum rs_code rs_resample_label_centres(const struct rs_mask *mask, uint32_t label, const double spacing_mm[3],
                                       unsigned spline_order, double threshold, struct rs_pool *pool,
                                       struct rs_mask *out, struct rs_error *err);

/* A mask carried onto an image's grid by the nearest voxel (PyRadiomics' correctMask), for the sake of one label.
 * errors  RS_REFUSED when the label is absent or reaches out of the image; RS_NO_MEMORY */
enum rs_code rs_mask_onto(const struct rs_geometry *image, const struct rs_mask *mask, uint32_t label,
                          struct rs_pool *pool, struct rs_mask *out, struct rs_error *err);

#endif
