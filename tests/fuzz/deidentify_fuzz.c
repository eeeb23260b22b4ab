/* Hostile DICOM through de-identification: what comes out can be read, and says what was done. */
#include <assert.h>

#include "deidentify/deidentify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rs_secret key = {{1}};
	struct rs_dicom dicom = {0}, again = {0};
	struct rs_error err = {0};
	struct rs_deidentified names;
	struct rs_buffer out;
	unsigned options = size ? (data[size - 1] * 5u) & 1023u : 0;
	const struct rs_deidentification how = {.key = &key, .options = options, .pixels_are_clean = true};
	if (rs_dicom_parse(rs_bytes_of(data, size), &dicom, &err) != RS_OK)
		return 0;
	rs_buffer_init(&out, (size_t)1 << 26);
	if (rs_deidentify(&dicom, &how, &out, &names, &err) == RS_OK && !dicom.warnings) {
		assert(rs_dicom_parse(rs_buffer_bytes(&out), &again, &err) == RS_OK);
		const struct rs_dicom_element *said = rs_dicom_find(&again, NULL,
		                                                    RS_DICOM_TAG(0x0012, 0x0062));
		assert(rs_str_equal_text(rs_dicom_text(said, 0), "YES"));
		rs_dicom_finish(&again);
	}
	rs_buffer_finish(&out);
	rs_dicom_finish(&dicom);
	return 0;
}
