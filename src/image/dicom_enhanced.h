/* Multi-frame objects (enhanced MR, CT, PET and what was converted to them) as volumes. */
#ifndef RS_IMAGE_DICOM_ENHANCED_H
#define RS_IMAGE_DICOM_ENHANCED_H

#include "dicom_stack.h"
#include "image/image_series.h"

/* More than one frame, or functional groups that describe one. */
bool is_multi_frame(const struct slice *slice);
/* One stack, sorted by position; gaps, several stacks and several frames at one place are refused with a sentence.
 * images: which frames, `count` of them; NULL: all */
enum rs_code enhanced_read(const struct slice *slice, const struct rs_series_image *images, size_t count,
                           struct rs_volume *out, struct rs_error *err);

#endif
