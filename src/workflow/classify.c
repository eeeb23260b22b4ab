/* Recognising DICOM, NIfTI, NRRD and MetaImage by content. */
#include "classify.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "dicom/dicom.h"

static bool has_at(struct rs_bytes content, size_t offset, const char *magic, size_t size)
{
	return content.size >= offset + size && memcmp(content.data + offset, magic, size) == 0;
}

/* NIfTI-1 has its magic at 344, NIfTI-2 at 4; both begin with the size of their header. */
static bool is_nifti(struct rs_bytes content)
{
	return has_at(content, 344, "n+1\0", 4) || has_at(content, 344, "ni1\0", 4) ||
	       has_at(content, 4, "n+2\0\r\n\032\n", 8) || has_at(content, 4, "ni2\0\r\n\032\n", 8);
}

static bool is_metaimage(struct rs_bytes content)
{
	static const char key[] = "ObjectType";
	return has_at(content, 0, key, sizeof key - 1) || has_at(content, 0, "NDims", 5);
}

static bool is_gzip(struct rs_bytes content) { return has_at(content, 0, "\x1f\x8b\x08", 3); }

static const char *media_of(struct rs_bytes content)
{
	if (is_nifti(content))
		return "application/x-nifti";
	if (has_at(content, 0, "NRRD000", 7))
		return "application/x-nrrd";
	if (is_metaimage(content))
		return "application/x-metaimage";
	return NULL;
}

/* The first bytes of a gzip stream, unpacked: enough for a NIfTI header. */
static size_t unpack_start(struct rs_bytes content, uint8_t *out, size_t size)
{
	z_stream stream = {0};
	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		return 0;
	union {
		const uint8_t *in;
		Bytef *next; /* zlib's field is not const, though it only reads */
	} input = {.in = content.data};
	stream.next_in = input.next;
	stream.avail_in = content.size < UINT_MAX ? (uInt)content.size : UINT_MAX;
	stream.next_out = out;
	stream.avail_out = (uInt)size;
	(void)inflate(&stream, Z_SYNC_FLUSH);
	size_t unpacked = size - stream.avail_out;
	inflateEnd(&stream);
	return unpacked;
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

static enum rs_code copy_metadata(const struct rs_dicom_metadata *metadata, struct classified *out,
                                  struct rs_error *err)
{
	struct classified what = {.media = "application/dicom", .is_dicom = true};
	const struct {
		struct rs_str from;
		char *to;
		const char *field;
	} uids[] = {
		{metadata->study_instance_uid, what.study_instance_uid, "StudyInstanceUID"},
		{metadata->series_instance_uid, what.series_instance_uid, "SeriesInstanceUID"},
		{metadata->sop_instance_uid, what.sop_instance_uid, "SOPInstanceUID"},
		{metadata->sop_class_uid, what.sop_class_uid, "SOPClassUID"},
		{metadata->transfer_syntax_uid, what.transfer_syntax_uid, "TransferSyntaxUID"},
	};
	RS_TRY(copy_text(metadata->patient_id, what.patient_id, PATIENT_ID_SIZE, "PatientID", err));
	RS_TRY(copy_text(metadata->issuer_of_patient_id, what.issuer, PATIENT_ID_SIZE, "IssuerOfPatientID",
	                 err));
	for (size_t i = 0; i < RS_COUNT(uids); i++)
		RS_TRY(copy_text(uids[i].from, uids[i].to, UID_SIZE, uids[i].field, err));
	*out = what;
	return RS_OK;
}

static enum rs_code classify_dicom(struct rs_bytes content, struct classified *out, struct rs_error *err)
{
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_dicom_metadata metadata;
	RS_TRY(rs_dicom_parse(content, &dicom, err));
	RS_TRY(rs_dicom_metadata(&dicom, &metadata, err));
	return copy_metadata(&metadata, out, err);
}

enum rs_code classify(struct rs_bytes content, struct classified *out, struct rs_error *err)
{
	uint8_t start[512];
	if (has_at(content, 128, "DICM", 4))
		return classify_dicom(content, out, err);
	struct rs_bytes head = content;
	if (is_gzip(content))
		head = rs_bytes_of(start, unpack_start(content, start, sizeof start));
	const char *media = media_of(head);
	if (media) {
		*out = (struct classified){.media = media};
		return RS_OK;
	}
	/* Some DICOM files lack the preamble; only a whole parse tells them from other bytes. */
	if (classify_dicom(content, out, NULL) == RS_OK)
		return RS_OK;
	return rs_error_set(err, RS_UNSUPPORTED, "is not DICOM, NIfTI, NRRD or MetaImage");
}
