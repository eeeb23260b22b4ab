/* Pictures: X-rays and slices as they are to be looked at, grey from 0 (dark) to 1 (bright); and the arrays of NumPy's
 * archives (NPZ), which data sets of pictures are shipped in. All of it is read as written by a stranger. */
#ifndef RS_IMAGE_PICTURE_H
#define RS_IMAGE_PICTURE_H

#include "base/base.h"

#define RS_PICTURE_SIDE_MAX 16384

struct rs_picture {
	size_t width, height;
	float *values; /* row by row */
};
void rs_picture_finish(struct rs_picture *picture); /* accepts zeroed memory */
/* PNG (grey or colours, 1 to 16 bits, not interlaced), PGM (P5), DICOM (its first frame: rescaled, windowed by its first
 * VOI window, or else from its least to its largest value; MONOCHROME1 turned).
 * errors  RS_MALFORMED, RS_UNSUPPORTED, RS_TOO_LARGE, RS_NO_MEMORY */
enum rs_code rs_picture_read(struct rs_bytes file, struct rs_picture *out, struct rs_error *err);
/* Linear between pixels; where it becomes smaller, over as many as it covers. */
enum rs_code rs_picture_resample(const struct rs_picture *picture, size_t width, size_t height, float *out,
                                 struct rs_error *err);

/* An 8-bit PNG, row by row, of grey (1 sample) or red, green and blue (3). errors  RS_NO_MEMORY, and what `out` remembers */
enum rs_code rs_png_write(const uint8_t *pixels, size_t samples, size_t width, size_t height,
                          struct rs_buffer *out, struct rs_error *err);

/* An array of whole numbers from 0 to 255, C order. */
struct rs_npz_array {
	size_t dimensions, size[4];
	struct rs_buffer values; /* owned */
};
void rs_npz_array_finish(struct rs_npz_array *array); /* accepts zeroed memory */
/* The array NAME (the member NAME.npy), stored or deflated.
 * errors  RS_NOT_FOUND: the archive has none of this name; RS_UNSUPPORTED: of another type; RS_MALFORMED */
enum rs_code rs_npz_read(struct rs_bytes file, const char *name, struct rs_npz_array *out,
                         struct rs_error *err);
bool rs_npz_begins(struct rs_bytes file);

#endif
