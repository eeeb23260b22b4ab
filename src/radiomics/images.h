/* The images that settings ask for, each as intensities of the region's voxels. */
#ifndef RS_RADIOMICS_IMAGES_H
#define RS_RADIOMICS_IMAGES_H

#include "radiomics/case.h"

#define IMAGE_NAME_SIZE 48
struct derived_image {
	char name[IMAGE_NAME_SIZE]; /* "wavelet-LLH" */
	struct rs_image_settings settings;
	enum rs_image_type type;
	unsigned part; /* which of its type's images: sigma, band of a wavelet, level of LBP3D */
	unsigned level;
	bool in_place; /* set by the caller for the original whose intensities it has: no box is made */
	double *box; /* intensities in the region's bounding box, [z][y][x]; NULL when the filter is not defined on
	              * this volume: the features of this image are NaN */
};
struct derived_images {
	struct derived_image *list; /* in the order of output */
	size_t count;
	char warning[256]; /* why an image is missing; empty when none is */
};
/* Which images there will be, without their intensities. */
enum rs_code images_plan(const struct rs_radiomics_settings *settings, struct derived_images *out,
                         struct rs_error *err);
/* Filters what was planned.
 * box  what of the volume is wanted; inside: of the box, where filters that work voxel by voxel are needed */
enum rs_code images_derive(const struct rs_volume *volume, const struct rs_box *box, const uint8_t *inside,
                           struct rs_pool *pool, struct derived_images *images, struct rs_error *err);
void images_finish(struct derived_images *images);

#endif
