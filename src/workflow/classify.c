/* Recognising DICOM, NIfTI, NRRD and MetaImage by content. */
#include "workflow/workflow_classify.h"

#include <string.h>

#include "dicom/dicom.h"
#include "image/image.h"
#include "workflow/workflow_features.h"

static bool has_at(struct rs_bytes content, size_t offset, const char *magic, size_t size)
{
	return content.size >= offset + size && memcmp(content.data + offset, magic, size) == 0;
}

/* A view into a fixed array; what does not fit is refused, not cut: two patients must not become one. */
static enum rs_code copy_text(struct rs_str from, char *to, size_t size, const char *field,
                              struct rs_error *err)
{
	if (from.size >= size || (from.size && memchr(from.data, '\0', from.size)))
		return rs_error_set(err, RS_MALFORMED,
		                    "%s has %zu characters or a zero byte; at most %zu are allowed", field,
		                    from.size, size - 1);
	if (from.size)
		memcpy(to, from.data, from.size);
	to[from.size] = '\0';
	return RS_OK;
}

/* PS3.4 Annex B: Segmentation, Surface Segmentation, Label Map Segmentation and RT Structure Set Storage. */
static bool is_mask_class(const char *uid)
{
	static const char *const classes[] = {"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.5",
	                                      "1.2.840.10008.5.1.4.1.1.66.7",
	                                      "1.2.840.10008.5.1.4.1.1.481.3"};
	for (size_t i = 0; i < RS_COUNT(classes); i++)
		if (strcmp(uid, classes[i]) == 0)
			return true;
	return false;
}

static enum rs_code copy_metadata(const struct rs_dicom_metadata *metadata, struct classified *what,
                                  struct rs_error *err)
{
	const struct {
		struct rs_str from;
		char *to;
		const char *field;
	} uids[] = {
		{metadata->study_instance_uid, what->study_instance_uid, "StudyInstanceUID"},
		{metadata->series_instance_uid, what->series_instance_uid, "SeriesInstanceUID"},
		{metadata->sop_instance_uid, what->sop_instance_uid, "SOPInstanceUID"},
		{metadata->sop_class_uid, what->sop_class_uid, "SOPClassUID"},
		{metadata->transfer_syntax_uid, what->transfer_syntax_uid, "TransferSyntaxUID"},
	};
	RS_TRY(copy_text(metadata->patient_id, what->patient_id, PATIENT_ID_SIZE, "PatientID", err));
	RS_TRY(copy_text(metadata->issuer_of_patient_id, what->issuer, PATIENT_ID_SIZE, "IssuerOfPatientID",
	                 err));
	for (size_t i = 0; i < RS_COUNT(uids); i++)
		RS_TRY(copy_text(uids[i].from, uids[i].to, UID_SIZE, uids[i].field, err));
	what->is_mask = is_mask_class(what->sop_class_uid);
	return RS_OK;
}

static enum rs_code read_metadata(const struct rs_dicom *dicom, struct classified *out, struct rs_error *err)
{
	struct classified what = {.media = "application/dicom", .is_dicom = true};
	struct rs_dicom_metadata metadata;
	RS_TRY(rs_dicom_metadata(dicom, &metadata, err));
	RS_TRY(copy_metadata(&metadata, &what, err));
	rs_catalogue_describe(dicom, &what.entry);
	*out = what;
	return RS_OK;
}

static enum rs_code classify_dicom(struct rs_bytes content, struct classified *out, struct rs_error *err)
{
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	RS_TRY(rs_dicom_parse(content, &dicom, err));
	return read_metadata(&dicom, out, err);
}

enum rs_code classify_large(struct rs_bytes start, uint32_t tail, const struct rs_dicom_source *file,
                            struct classified *out, bool *out_known, struct rs_error *err)
{
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	const char *media;
	*out_known = true;
	if (has_at(start, 128, "DICM", 4)) {
		RS_TRY(rs_dicom_scan(file, &dicom, err));
		return read_metadata(&dicom, out, err);
	}
	RS_TRY(rs_image_inspect_start(start, file->size, tail, &media, err));
	if (media)
		*out = (struct classified){.media = media};
	/* Some DICOM files lack the preamble; only a whole walk tells them from other bytes. */
	*out_known = media || (rs_dicom_begins(start) && rs_dicom_scan(file, &dicom, NULL) == RS_OK &&
	                       read_metadata(&dicom, out, NULL) == RS_OK);
	return RS_OK;
}

enum rs_code classify(struct rs_bytes content, struct classified *out, struct rs_error *err)
{
	const char *media;
	if (has_at(content, 128, "DICM", 4))
		return classify_dicom(content, out, err);
	if (has_at(content, 0, RS_FEATURES_FIRST_LINE, sizeof RS_FEATURES_FIRST_LINE - 1)) {
		RS_TRY(rs_features_parse(content, NULL, NULL, err));
		*out = (struct classified){.media = RS_FEATURES_MEDIA, .is_features = true};
		return RS_OK;
	}
	RS_TRY(rs_image_inspect(content, &media, err));
	if (media) {
		*out = (struct classified){.media = media};
		return RS_OK;
	}
	/* Some DICOM files lack the preamble; only a whole parse tells them from other bytes. */
	if (classify_dicom(content, out, NULL) == RS_OK)
		return RS_OK;
	return rs_error_set(err, RS_UNSUPPORTED,
	                    "is not DICOM, NIfTI, NRRD, MetaImage or a vector of features");
}
