/* Hostile DICOM: parse, metadata, pixels; what is accepted is written, and reads back alike. */
#include <assert.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_dicom dicom = {0};
	struct rs_error err = {0};
	struct rs_buffer again;
	(void)rs_dicom_begins(rs_bytes_of(data, size));
	if (rs_dicom_parse_header(rs_bytes_of(data, size), &dicom, &err) == RS_OK)
		rs_dicom_finish(&dicom);
	if (rs_dicom_parse(rs_bytes_of(data, size), &dicom, &err) != RS_OK) {
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
