/* A synthetic abdominal MR volume with a tumour: data for the demonstration and for tests, made
 * from a seed, so that the project ships no patient's image. */
#ifndef RS_WORKFLOW_PHANTOM_H
#define RS_WORKFLOW_PHANTOM_H

#include "image/image.h"

/* image   int16 intensities of a T2-like sequence, 96 x 96 x 24 voxels of 1.5 x 1.5 x 3 mm
 * mask    1 inside the tumour, on the same grid
 * Both are initialised by this function; the same seed gives the same bits. */
enum rs_code rs_phantom_make(uint64_t seed, struct rs_volume *image, struct rs_mask *mask,
                             struct rs_error *err);

/* The volume as a DICOM MR series, one file a slice, in `directory` (made when missing). */
enum rs_code rs_phantom_write_dicom(const struct rs_world *world, const struct rs_volume *image,
                                    const char *directory, struct rs_error *err);

#endif
