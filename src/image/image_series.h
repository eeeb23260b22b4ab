/* A volume from images that were picked out of DICOM files, as a study with several series in one directory needs them. */
#ifndef RS_IMAGE_SERIES_H
#define RS_IMAGE_SERIES_H

#include "image/image.h"

struct rs_series_image {
	const char *path;
	uint32_t frame; /* from 0; of files with one frame 0 */
};
/* One stack: either files with one frame each, or frames of one file. They are sorted by their places, whatever their order
 * here; gaps, twins and what is not alike are refused as rs_volume_read() does.
 * errors  those of rs_volume_read(); RS_USAGE when there is no image */
enum rs_code rs_volume_read_images(const struct rs_world *world, const struct rs_series_image *images,
                                   size_t count, struct rs_volume *out, struct rs_error *err);

#endif
