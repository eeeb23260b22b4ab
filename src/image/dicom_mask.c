/* Tells which DICOM objects are masks, by their SOP class. */
#include "dicom_mask.h"

#include <math.h>
#include <string.h>

#define SOP_CLASS_SEGMENTATION "1.2.840.10008.5.1.4.1.1.66.4"
#define SOP_CLASS_LABELMAP "1.2.840.10008.5.1.4.1.1.66.7"
#define SOP_CLASS_STRUCTURES "1.2.840.10008.5.1.4.1.1.481.3"
#define STRUCTURE_SET_ROI_SEQUENCE RS_DICOM_TAG(0x3006, 0x0020)

enum kind { KIND_OTHER, KIND_SEGMENTATION, KIND_LABELMAP, KIND_STRUCTURES };

static enum kind kind_of(const struct slice *slice)
{
	struct rs_str sop_class = slice->metadata.sop_class_uid;
	if (rs_str_equal_text(sop_class, SOP_CLASS_SEGMENTATION))
		return KIND_SEGMENTATION;
	if (rs_str_equal_text(sop_class, SOP_CLASS_LABELMAP))
		return KIND_LABELMAP;
	if (rs_str_equal_text(sop_class, SOP_CLASS_STRUCTURES) ||
	    rs_dicom_find(&slice->dicom, NULL, STRUCTURE_SET_ROI_SEQUENCE))
		return KIND_STRUCTURES;
	return KIND_OTHER;
}

/* A directory is a series: no mask object. */
static enum rs_code open_object(const struct rs_world *world, const char *path, struct slice *out,
                                enum kind *out_kind, struct rs_error *err)
{
	struct rs_file_stat status;
	RS_TRY(world->files->stat(world->files, path, &status, err));
	*out_kind = KIND_OTHER;
	if (status.kind != RS_FILE_REGULAR)
		return RS_OK;
	RS_TRY(slice_parse(world, path, out, err));
	*out_kind = kind_of(out);
	return RS_OK;
}

/* Of slices that no segment touches a segmentation says nothing. Which of the image's slices its first one is; false when its
 * grid is no part of the image's. */
static bool first_slice_on(const struct rs_geometry *image, const struct rs_geometry *mask, size_t *out)
{
	double along = 0;
	if (mask->size[0] != image->size[0] || mask->size[1] != image->size[1] ||
	    mask->size[2] >= image->size[2] ||
	    (mask->size[2] > 1 && fabs(mask->spacing_mm[2] / image->spacing_mm[2] - 1) > 1e-3))
		return false;
	for (size_t k = 0; k < 3; k++)
		along += (mask->origin_mm[k] - image->origin_mm[k]) * image->direction[k][2];
	const double slice = floor(along / image->spacing_mm[2] + 0.5);
	*out = slice >= 0 ? (size_t)fmin(slice, (double)image->size[2]) : 0;
	return slice >= 0 && fabs(along / image->spacing_mm[2] - slice) <= 0.02 &&
	       *out <= image->size[2] - mask->size[2];
}

/* All of the image's slices, those that were left out empty. rs_mask_match() then tells whether they are the image's. */
static enum rs_code spread(const struct rs_geometry *image, struct rs_mask *mask, struct rs_error *err)
{
	const size_t area = mask->geometry.size[0] * mask->geometry.size[1];
	struct rs_geometry geometry = mask->geometry;
	struct rs_mask whole;
	size_t first;
	if (!first_slice_on(image, &mask->geometry, &first))
		return RS_OK;
	geometry.size[2] = image->size[2];
	geometry.spacing_mm[2] = image->spacing_mm[2];
	for (size_t k = 0; k < 3; k++)
		geometry.origin_mm[k] -= geometry.direction[k][2] * geometry.spacing_mm[2] * (double)first;
	RS_TRY(rs_mask_init(&whole, &geometry, err));
	memcpy(whole.labels + first * area, mask->labels,
	       mask->geometry.size[2] * area * sizeof *whole.labels);
	rs_free(mask->labels);
	mask->labels = whole.labels;
	mask->geometry = geometry;
	return RS_OK;
}

enum rs_code dicom_mask_read(const struct rs_world *world, const char *path,
                             const struct mask_request *request, struct rs_mask *out, bool *out_is,
                             struct rs_error *err)
{
	struct slice slice RS_CLEANUP(slice_finish) = {.path = NULL};
	enum rs_code code = RS_OK;
	enum kind kind;
	RS_TRY(open_object(world, path, &slice, &kind, err));
	*out_is = kind != KIND_OTHER;
	if (kind == KIND_STRUCTURES)
		code = structures_read(&slice.dicom, request, out, err);
	else if (*out_is)
		code = segmentation_read(&slice, kind == KIND_LABELMAP, request, out, err);
	if (code == RS_OK && *out_is && kind != KIND_STRUCTURES && request->image &&
	    (code = spread(request->image, out, err)) != RS_OK)
		rs_mask_finish(out);
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
}

enum rs_code dicom_mask_names(const struct rs_world *world, const char *path, struct rs_label **out_names,
                              size_t *out_count, bool *out_is, struct rs_error *err)
{
	struct slice slice RS_CLEANUP(slice_finish) = {.path = NULL};
	enum rs_code code = RS_OK;
	enum kind kind;
	RS_TRY(open_object(world, path, &slice, &kind, err));
	*out_is = kind != KIND_OTHER;
	if (kind == KIND_STRUCTURES)
		code = structures_names(&slice.dicom, out_names, out_count, err);
	else if (*out_is)
		code = segmentation_names(&slice.dicom, out_names, out_count, err);
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
}
