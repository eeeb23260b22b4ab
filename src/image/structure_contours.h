/* The closed contours of one region of a structure set, on the slices of an image. */
#ifndef RS_IMAGE_STRUCTURE_CONTOURS_H
#define RS_IMAGE_STRUCTURE_CONTOURS_H

#include "dicom/dicom.h"
#include "image/image.h"

#define SAME_PLANE 0.01 /* voxels between contours that lie in one plane */

struct contour {
	size_t first, count;       /* points */
	double low, high;          /* along the axis across the slices, in voxels */
	size_t slice, order;       /* order counts from 1, as in the file */
	const double (*points)[3]; /* once they are placed */
};
struct contours {
	double (*points)[3]; /* in voxels of the image */
	size_t point_count, point_capacity;
	struct contour *list; /* sorted by slice once they are placed */
	size_t count, capacity;
	/* Of all regions so far, for the note: what was left out, what reaches beyond the image, slices without contours
	 * between others, and how far contours were moved, in slices. */
	size_t open, tiny, twins, beyond, gaps;
	double largest_shift;
};
void contours_finish(struct contours *contours); /* accepts NULL and zeroed memory */
/* Replaces the contours of the region before. `sequence` is a ContourSequence; NULL has none. */
enum rs_code contours_collect(struct contours *contours, const struct rs_dicom *dicom,
                              const struct rs_dicom_element *sequence, const struct rs_geometry *image,
                              struct rs_error *err);
/* *out_axis is the axis of the image across the contours. Twins are taken once. RS_REFUSED when they do not fit the slices. */
enum rs_code contours_place(struct contours *contours, const struct rs_geometry *image, int *out_axis,
                            struct rs_error *err);

#endif
