/* Tells which DICOM objects are masks, by their SOP class. */
#include "dicom_mask.h"

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
