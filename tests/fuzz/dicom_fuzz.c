/* Hostile DICOM: parse, metadata, pixels; what is accepted is written, and reads back alike. */
#include <assert.h>
#include <string.h>

#include "dicom/dicom.h"

static void walk(const struct rs_dicom *dicom)
{
	struct rs_dicom_metadata metadata;
	struct rs_error err = {0};
	if (rs_dicom_metadata(dicom, &metadata, &err) != RS_OK)
		return;
	uint64_t count = (uint64_t)metadata.rows * metadata.columns *
	                 (metadata.samples_per_pixel ? metadata.samples_per_pixel : 1);
	if (count == 0 || count > 65536)
		return;
	double *pixels = rs_allocate_array((size_t)count, sizeof *pixels);
	assert(pixels);
	(void)rs_dicom_pixels(dicom, 0, pixels, (size_t)count, &err);
	rs_free(pixels);
}

static enum rs_code read_at(void *context, uint64_t offset, void *out, size_t size, struct rs_error *err)
{
	const struct rs_bytes *file = context;
	(void)err;
	assert(offset <= file->size && size <= file->size - offset);
	memcpy(out, file->data + offset, size);
	return RS_OK;
}

/* A scan takes and refuses what parsing does, and finds the same. */
static void scan(struct rs_bytes file, enum rs_code parsed, const struct rs_dicom *dicom)
{
	struct rs_dicom_source source = {file.size, read_at, &file};
	struct rs_dicom scanned = {0};
	struct rs_dicom_metadata here = {0}, there = {0};
	struct rs_error err = {0}, reason = {0};
	enum rs_code code = rs_dicom_scan(&source, &scanned, &err);
	if (code == RS_MALFORMED && parsed == RS_OK && strstr(err.message, "65536 are allowed"))
		return;
	assert(code == parsed);
	if (code != RS_OK)
		return;
	assert(scanned.warnings == dicom->warnings && scanned.encoding == dicom->encoding);
	code = rs_dicom_metadata(dicom, &here, &reason);
	assert(rs_dicom_metadata(&scanned, &there, &err) == code && strcmp(err.message, reason.message) == 0);
	assert(rs_str_equal(here.patient_id, there.patient_id) && here.present == there.present &&
	       rs_str_equal(here.sop_instance_uid, there.sop_instance_uid) &&
	       rs_str_equal(here.transfer_syntax_uid, there.transfer_syntax_uid));
	rs_dicom_finish(&scanned);
}

/* The front of what is sound is sound, too, and ends where the first element of the data set begins. */
static void front(struct rs_bytes file, enum rs_code parsed, const struct rs_dicom *dicom)
{
	struct rs_dicom found = {0};
	struct rs_error err = {0};
	size_t begin = 0;
	enum rs_code code = rs_dicom_parse_front(file, &found, &begin, &err);
	assert(parsed != RS_OK || code == RS_OK);
	if (code != RS_OK)
		return;
	assert(begin <= file.size);
	if (parsed == RS_OK) {
		assert(found.count == dicom->meta_count);
		if (dicom->inflated == NULL && dicom->count > dicom->meta_count)
			assert(dicom->elements[dicom->meta_count].offset == begin);
	}
	rs_dicom_finish(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_dicom dicom = {0};
	struct rs_error err = {0};
	struct rs_buffer again;
	(void)rs_dicom_begins(rs_bytes_of(data, size));
	if (rs_dicom_parse_header(rs_bytes_of(data, size), &dicom, &err) == RS_OK)
		rs_dicom_finish(&dicom);
	enum rs_code code = rs_dicom_parse(rs_bytes_of(data, size), &dicom, &err);
	scan(rs_bytes_of(data, size), code, &dicom);
	front(rs_bytes_of(data, size), code, &dicom);
	if (code != RS_OK) {
		assert(err.message[0]);
		return 0;
	}
	walk(&dicom);
	rs_buffer_init(&again, (size_t)1 << 26);
	if (rs_dicom_write(&dicom, &again, &err) == RS_OK) {
		struct rs_dicom second = {0};
		if (rs_dicom_parse(rs_buffer_bytes(&again), &second, &err) == RS_OK) {
			assert(second.count == dicom.count);
			rs_dicom_finish(&second);
		}
	}
	rs_buffer_finish(&again);
	rs_dicom_finish(&dicom);
	return 0;
}
