/* What the readers of pictures share. */
#ifndef RS_IMAGE_PICTURE_PRIVATE_H
#define RS_IMAGE_PICTURE_PRIVATE_H

#include "image/image_picture.h"

/* Sizes checked, values zero. */
enum rs_code picture_init(struct rs_picture *picture, size_t width, size_t height, struct rs_error *err);
bool png_begins(struct rs_bytes file);
enum rs_code png_read(struct rs_bytes file, struct rs_picture *out, struct rs_error *err);

#endif
