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

static enum rs_code read_kind(const struct slice *slice, enum kind kind, const struct mask_request *request,
                              struct rs_mask *out, struct rs_error *err)
{
	if (kind == KIND_STRUCTURES)
		return structures_read(&slice->dicom, request, out, err);
	return segmentation_read(slice, kind == KIND_LABELMAP, request, out, err);
}

static enum rs_code names_of_kind(const struct slice *slice, enum kind kind, struct rs_label **out_names,
                                  size_t *out_count, struct rs_error *err)
{
	if (kind == KIND_STRUCTURES)
		return structures_names(&slice->dicom, out_names, out_count, err);
	return segmentation_names(&slice->dicom, out_names, out_count, err);
}

/* A directory is a series: no mask object. */
static enum rs_code parse_file(const struct rs_world *world, const char *path, struct slice *out,
                               bool *out_file, struct rs_error *err)
{
	struct rs_file_stat status;
	RS_TRY(world->files->stat(world->files, path, &status, err));
	*out_file = status.kind == RS_FILE_REGULAR;
	return *out_file ? slice_parse(world, path, out, err) : RS_OK;
}

enum rs_code dicom_mask_read(const struct rs_world *world, const char *path,
                             const struct mask_request *request, struct rs_mask *out, bool *out_is,
                             struct rs_error *err)
{
	struct slice slice RS_CLEANUP(slice_finish) = {.path = NULL};
	bool file;
	*out_is = false;
	RS_TRY(parse_file(world, path, &slice, &file, err));
	enum kind kind = file ? kind_of(&slice) : KIND_OTHER;
	if (kind == KIND_OTHER)
		return RS_OK;
	*out_is = true;
	enum rs_code code = read_kind(&slice, kind, request, out, err);
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
}

enum rs_code dicom_mask_names(const struct rs_world *world, const char *path, struct rs_label **out_names,
                              size_t *out_count, bool *out_is, struct rs_error *err)
{
	struct slice slice RS_CLEANUP(slice_finish) = {.path = NULL};
	bool file;
	*out_is = false;
	RS_TRY(parse_file(world, path, &slice, &file, err));
	enum kind kind = file ? kind_of(&slice) : KIND_OTHER;
	if (kind == KIND_OTHER)
		return RS_OK;
	*out_is = true;
	enum rs_code code = names_of_kind(&slice, kind, out_names, out_count, err);
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
}
