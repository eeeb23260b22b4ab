/* Hostile files whose frames lie in fragments: each frame's bytes lie within the file or are joined of it; what is decoded in
 * this process (RLE, deflate, native) is written in other transfer syntaxes, and has the same values there. */
#include <assert.h>
#include <string.h>

#include "dicom/dicom_transcode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAMES_MAX 8
#define VALUES_MAX 65536

static void stored(const struct rs_dicom *dicom)
{
	for (size_t frame = 0; frame < FRAMES_MAX; frame++) {
		struct rs_buffer joined;
		struct rs_bytes bytes = {0};
		struct rs_error err = {0};
		const enum rs_code code = rs_dicom_frame_stored(dicom, frame, &joined, &bytes, &err);
		assert(code != RS_OK ? err.message[0] != '\0' : bytes.size <= dicom->bytes.size);
		rs_buffer_finish(&joined);
	}
}

static bool is_ours(const char *transfer_syntax)
{
	return strncmp(transfer_syntax, "1.2.840.10008.1.2.4", 19) != 0;
}

static void transcoded(const struct rs_dicom *dicom, const char *to)
{
	static double first[VALUES_MAX], second[VALUES_MAX];
	struct rs_buffer copy;
	struct rs_dicom again = {0};
	struct rs_dicom_metadata m = {0};
	struct rs_error err = {0};
	rs_buffer_init(&copy, (size_t)1 << 26);
	enum rs_code code = rs_dicom_transcode(dicom, to, NULL, &copy, &err);
	if (code == RS_OK)
		code = rs_dicom_parse(rs_buffer_bytes(&copy), &again, &err);
	assert(code == RS_OK || err.message[0] != '\0');
	if (code == RS_OK && rs_dicom_metadata(&again, &m, &err) == RS_OK) {
		const uint64_t count = (uint64_t)m.rows * m.columns * m.samples_per_pixel;
		if (count > 0 && count <= VALUES_MAX &&
		    rs_dicom_pixels(dicom, 0, first, (size_t)count, &err) == RS_OK) {
			const enum rs_code read = rs_dicom_pixels(&again, 0, second, (size_t)count, &err);
			assert(read == RS_OK && memcmp(first, second, (size_t)count * sizeof *first) == 0);
		}
	}
	rs_dicom_finish(&again);
	rs_buffer_finish(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_dicom dicom = {0};
	struct rs_error err = {0};
	if (rs_dicom_parse(rs_bytes_of(data, size), &dicom, &err) != RS_OK)
		return 0;
	stored(&dicom);
	if (is_ours(dicom.transfer_syntax)) {
		transcoded(&dicom, RS_DICOM_SYNTAX_EXPLICIT);
		transcoded(&dicom, RS_DICOM_SYNTAX_IMPLICIT);
		transcoded(&dicom, RS_CODEC_RLE);
	}
	rs_dicom_finish(&dicom);
	return 0;
}
