/* Frames as pictures to be looked at: the grey scale of PS3.3 C.11 (rescaling or modality LUT, then window or VOI LUT, then
 * MONOCHROME1 turned), palettes and colours, as PNG or JPEG of 8 bits. */
#ifndef RS_IMAGE_RENDER_H
#define RS_IMAGE_RENDER_H

#include "dicom/dicom.h"

enum rs_window_function { RS_WINDOW_LINEAR, RS_WINDOW_LINEAR_EXACT, RS_WINDOW_SIGMOID };
struct rs_window {
	double centre, width; /* after rescaling; width > 0, of LINEAR >= 1 */
	enum rs_window_function function;
};

struct rs_rendering {
	size_t frame;     /* from 0 */
	bool as_jpeg;     /* else PNG */
	unsigned quality; /* of a JPEG: 1 to 100; 0: 90 */
	const struct rs_window
		*window; /* NULL: the file's first one, else its VOI LUT, else all values there are */
	/* Of the frame, in pixels; width and height 0: up to its end. What reaches beyond it is refused. */
	size_t left, top, width, height;
	size_t fit_width, fit_height; /* the largest picture of that shape that fits in here; 0: any */
};
/* The picture, appended. The data set is parsed whole.
 * errors  RS_NOT_FOUND: no such frame or no pixels; RS_UNSUPPORTED: pixels that are no picture; RS_USAGE: a window or a part
 * that cannot be; those of rs_dicom_pixels() */
enum rs_code rs_render(const struct rs_dicom *dicom, const struct rs_rendering *how, struct rs_buffer *out,
                       struct rs_error *err);

#endif
