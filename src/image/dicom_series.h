/* DICOM series as volumes. */
#ifndef RS_IMAGE_DICOM_SERIES_H
#define RS_IMAGE_DICOM_SERIES_H

#include "image/image.h"

/* A file, or a directory with the files of one series: sorted by position along the slice normal. Gaps, twins and
 * mixed series, sizes or orientations are refused with the numbers. */
enum rs_code dicom_series_read(const struct rs_world *world, const char *path, struct rs_volume *out,
                               struct rs_error *err);
#endif
