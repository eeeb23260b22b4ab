/* The grey scale of a frame, for pictures that are rendered and for those that networks look at. */
#ifndef RS_IMAGE_GREY_H
#define RS_IMAGE_GREY_H

#include "image/image_render.h"

/* A table of PS3.3 C.11.1 and C.7.6.3.1.5: descriptor, data. */
struct grey_table {
	size_t count;
	int64_t first;
	double most; /* the largest value that its bits can have */
	struct rs_bytes data;
	bool wide, big;
};
/* False when there is none, or one that cannot be. */
bool grey_table_of(const struct rs_dicom_element *descriptor, const struct rs_dicom_element *data,
                   bool is_signed, struct grey_table *out);
double grey_look_up(const struct grey_table *table, double value);

/* Whether the frame's pixels are grey; colours and palettes are not. */
bool grey_is(const struct rs_dicom_metadata *m);
/* From 0 (dark) to 1 (bright), count pixels. window: NULL for the file's own. */
enum rs_code grey_read(const struct rs_dicom *dicom, size_t frame, const struct rs_window *window, float *out,
                       size_t count, struct rs_error *err);

#endif
