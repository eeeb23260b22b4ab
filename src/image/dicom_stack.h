/* What the readers of DICOM share: a parsed file, frames of a grid, names. */
#ifndef RS_IMAGE_DICOM_STACK_H
#define RS_IMAGE_DICOM_STACK_H

#include "dicom/dicom.h"
#include "image/image.h"

#define SLICES_MAX 65536

struct slice {
	char *path;
	struct rs_buffer file;
	struct rs_dicom dicom;
	struct rs_dicom_metadata metadata;
};
enum rs_code file_begins_dicom(const struct rs_world *world, const char *path, bool *out_is,
                               struct rs_error *err);
/* out->file and out->dicom are the caller's to finish, whatever is returned. */
enum rs_code slice_parse(const struct rs_world *world, const char *path, struct slice *out,
                         struct rs_error *err);
void slice_finish(struct slice *slice);

/* The children of a sequence or item, one after the other: rs_dicom_item() walks from the start each time.
 * `for (e = first_child(d, s); e; e = next_child(d, s, e))`; `parent` may be NULL (nothing then). */
const struct rs_dicom_element *first_child(const struct rs_dicom *dicom,
                                           const struct rs_dicom_element *parent);
const struct rs_dicom_element *next_child(const struct rs_dicom *dicom, const struct rs_dicom_element *parent,
                                          const struct rs_dicom_element *child);

void normal_of(const double orientation[6], double out[3]);
double place_of(const double position[3], const double normal[3]);
/* `position` lies on the line through `first` along the normal: a tilted gantry shears the stack. */
enum rs_code check_straight(const double first[3], const double position[3], const double normal[3],
                            struct rs_error *err);
void fill_geometry(const struct rs_dicom_metadata *m, size_t slices, double spacing, struct rs_geometry *out);
enum rs_voxel_type stored_type(const struct rs_dicom_metadata *m);
/* The pixel data are long enough for all frames: told before memory is taken for them. */
enum rs_code check_pixel_data(const struct slice *slice, struct rs_error *err);
/* Rescaled values keep an integer type while slope and intercept are whole, as ITK does. */
void rescale(struct rs_volume *volume, double slope, double intercept, double *voxels, size_t count);
/* A text as UTF-8, cut to the size of a label's name between characters. */
enum rs_code take_label_name(const struct rs_dicom *dicom, const struct rs_dicom_element *element,
                             struct rs_label *out, struct rs_error *err);

#endif
