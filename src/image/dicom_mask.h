/* DICOM objects that are masks: segmentations, label maps, structure sets. */
#ifndef RS_IMAGE_DICOM_MASK_H
#define RS_IMAGE_DICOM_MASK_H

#include "dicom_stack.h"
#include "image/image.h"

struct mask_request {
	const struct rs_geometry *image; /* NULL when there is none */
	const struct rs_label_choice *choice;
};
/* *out_is tells whether the file is such an object at all; *out is made only then. */
enum rs_code dicom_mask_read(const struct rs_world *world, const char *path,
                             const struct mask_request *request, struct rs_mask *out, bool *out_is,
                             struct rs_error *err);
/* The labels it names, sorted by value; *out_is as above. */
enum rs_code dicom_mask_names(const struct rs_world *world, const char *path, struct rs_label **out_names,
                              size_t *out_count, bool *out_is, struct rs_error *err);

enum rs_code segmentation_read(const struct slice *slice, bool labelmap, const struct mask_request *request,
                               struct rs_mask *out, struct rs_error *err);
enum rs_code segmentation_names(const struct rs_dicom *dicom, struct rs_label **out_names, size_t *out_count,
                                struct rs_error *err);
enum rs_code structures_read(const struct rs_dicom *dicom, const struct mask_request *request,
                             struct rs_mask *out, struct rs_error *err);
enum rs_code structures_names(const struct rs_dicom *dicom, struct rs_label **out_names, size_t *out_count,
                              struct rs_error *err);

#endif
