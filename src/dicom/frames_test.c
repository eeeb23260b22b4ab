/* Frames of compressed files: which fragments make one, by hand; and the values of files in every transfer syntax, as
 * pydicom 3.0 (pylibjpeg, GDCM) or, of YBR and 12-bit JPEG, DCMTK 3.6.7 decode them: CRC-32 of the last frame's doubles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>

#include "dicom/dicom.h"

static const struct {
	const char *path;
	unsigned frames, crc;
} files[] = {
	{"transfer_syntaxes/orthanc/1.2.840.10008.1.2.4.50.dcm", 1, 0x2d9474b1},
	{"pydicom/test_files/SC_rgb_dcmtk_+eb+cy+s4.dcm", 1, 0xec56a8ae},
	{"pydicom/test_files/SC_rgb_dcmtk_+eb+cr.dcm", 1, 0x5a23b4b9},
	{"pydicom/test_files/JPEG-lossy.dcm", 1, 0xa7171446},
	{"transfer_syntaxes/orthanc/1.2.840.10008.1.2.4.57.dcm", 1, 0x9cf640bc},
	{"transfer_syntaxes/orthanc/1.2.840.10008.1.2.4.70.dcm", 1, 0xa94ce405},
	{"pydicom/test_files/SC_rgb_jpeg_gdcm.dcm", 1, 0x1396cabc},
	{"pydicom/pydicom-data/JLSL_16_15_1_1F.dcm", 1, 0x9cd0da24},
	{"pydicom/pydicom-data/JLSL_RGB_ILV0.dcm", 1, 0x8f8f6de6},
	{"pydicom/test_files/JPEGLSNearLossless_16.dcm", 1, 0x7a5ca263},
	{"pydicom/pydicom-data/emri_small_jpeg_2k_lossless.dcm", 10, 0x94bfe1a6},
	{"pydicom/test_files/J2K_pixelrep_mismatch.dcm", 1, 0x0e24714b},
	{"pydicom/pydicom-data/liver_j2k.dcm", 3, 0x7f95866f},
	{"pydicom/test_files/GDCMJ2K_TextGBR.dcm", 1, 0x06bfd296},
	{"pydicom/test_files/693_J2KI.dcm", 1, 0x7880a324},
	{"pydicom/pydicom-data/HTJ2KLossless_08_RGB.dcm", 1, 0x092a6eea},
	{"pydicom/test_files/SC_rgb_rle_32bit_2frame.dcm", 2, 0xbfc37f94},
	{"pydicom/test_files/examples_ybr_color.dcm", 30, 0x6d409dba},
};

static void every_transfer_syntax_as_others_decode_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < RS_COUNT(files); i++) {
		char path[512];
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
		struct rs_dicom_metadata m = {0};
		struct rs_error err = {0};
		snprintf(path, sizeof path, "%s/dicom/%s", getenv("RADSEAL_DATA"), files[i].path);
		if (rs_file_read_all(rs_world_system(), path, 1 << 26, &file, &err) != RS_OK ||
		    rs_dicom_parse(rs_buffer_bytes(&file), &dicom, &err) != RS_OK ||
		    rs_dicom_metadata(&dicom, &m, &err) != RS_OK)
			fail_msg("%s: %s", files[i].path, err.message);
		assert_int_equal(m.number_of_frames, files[i].frames);
		const size_t count = (size_t)m.rows * m.columns * m.samples_per_pixel;
		double *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *values);
		if (rs_dicom_pixels(&dicom, m.number_of_frames - 1, values, count, &err) != RS_OK)
			fail_msg("%s: %s", files[i].path, err.message);
		if (crc32(0, (const Bytef *)values, (uInt)(count * sizeof *values)) != files[i].crc)
			fail_msg("%s: other values", files[i].path);
	}
}

/* Two frames in three fragments, or whatever `starts` says; tables as given, empty ones left out. */
struct layout {
	const char *starts[4]; /* content of the fragments, four bytes each */
	uint32_t table[2];
	uint64_t extended[2];
	size_t table_count, extended_count;
};

static void put_le32(struct rs_buffer *out, uint32_t value)
{
	uint8_t p[4];
	rs_write_le32(p, value);
	rs_buffer_append(out, p, sizeof p);
}

static void put_fragment(struct rs_buffer *out, const void *data, size_t size)
{
	rs_buffer_append(out, "\xFE\xFF\x00\xE0", 4);
	put_le32(out, (uint32_t)size);
	rs_buffer_append(out, data, size);
}

/* The builder writes no encapsulated data: an OB of undefined length is put behind it by hand. */
static void build(const struct layout *layout, struct rs_buffer *out)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_error err = {0};
	uint8_t table[16];
	static const uint16_t words[] = {8, 8, 7, 0};
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 16);
	rs_dicom_builder_u16(&b, 0x00280002, 1);
	rs_dicom_builder_text(&b, 0x00280004, "CS", "MONOCHROME2");
	rs_dicom_builder_text(&b, 0x00280008, "IS", "2");
	rs_dicom_builder_u16(&b, 0x00280010, 2);
	rs_dicom_builder_u16(&b, 0x00280011, 2);
	for (uint32_t i = 0; i < 4; i++)
		rs_dicom_builder_u16(&b, 0x00280100 + i, words[i]);
	for (size_t i = 0; i < layout->extended_count; i++)
		rs_write_le64(table + 8 * i, layout->extended[i]);
	if (layout->extended_count != 0)
		rs_dicom_builder_bytes(&b, 0x7FE00001, "OV", rs_bytes_of(table, 8 * layout->extended_count));
	rs_buffer_init(out, 1 << 16);
	assert_int_equal(rs_dicom_put_meta("1.2.3", "1.2.4", "1.2.840.10008.1.2.4.90", NULL, out, &err),
	                 RS_OK);
	rs_buffer_append_bytes(out, rs_buffer_bytes(&b.body));
	rs_buffer_append(out, "\xE0\x7F\x10\x00OB\x00\x00\xFF\xFF\xFF\xFF", 12);
	for (size_t i = 0; i < layout->table_count; i++)
		rs_write_le32(table + 4 * i, layout->table[i]);
	put_fragment(out, table, 4 * layout->table_count);
	for (size_t i = 0; i < 4 && layout->starts[i] != NULL; i++)
		put_fragment(out, layout->starts[i], 4);
	rs_buffer_append(out, "\xFE\xFF\xDD\xE0\x00\x00\x00\x00", 8);
}

static enum rs_code stored(const struct layout *layout, size_t frame, char *out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0}, joined RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_bytes bytes = {0};
	build(layout, &file);
	if (rs_dicom_parse(rs_buffer_bytes(&file), &dicom, err) != RS_OK)
		fail_msg("%s", err->message);
	RS_TRY(rs_dicom_frame_stored(&dicom, frame, &joined, &bytes, err));
	assert_true(bytes.size <= 16);
	memcpy(out, bytes.data, bytes.size);
	out[bytes.size] = '\0';
	return RS_OK;
}

static void frames_of_several_fragments(void **state)
{
	static const struct {
		struct layout layout;
		const char *frames[2]; /* NULL: refused */
	} cases[] = {
		{{{"aaaa", "bbbb"}, {0}, {0}, 0, 0}, {"aaaa", "bbbb"}},
		{{{"aaaa", "bbbb"}, {0, 99}, {0}, 2, 0},
	         {"aaaa", "bbbb"}}, /* a table that lies is not needed */
		{{{"aaaa", "bbbb", "cccc"}, {0, 24}, {0}, 2, 0}, {"aaaabbbb", "cccc"}},
		{{{"aaaa", "bbbb", "cccc"}, {0, 12}, {0}, 2, 0}, {"aaaa", "bbbbcccc"}},
		{{{"aaaa", "bbbb", "cccc"}, {0}, {0, 12}, 0, 2}, {"aaaa", "bbbbcccc"}},
		{{{"aaaa", "bbbb", "cccc"}, {0, 13}, {0}, 2, 0}, {NULL, NULL}}, /* into the middle of one */
		{{{"aaaa", "bbbb", "cccc"}, {0}, {0}, 0, 0}, {NULL, NULL}},
		{{{"aaaa", "bbbb", "cccc"}, {0}, {0, UINT64_MAX}, 0, 2}, {NULL, NULL}},
		{{{"aaaa", "bbbb", "cccc"}, {24, 0}, {0}, 2, 0}, {NULL, NULL}},
		{{{"\xFF\xD8\xFF!", "bbbb", "\xFF\x4F\xFF!"}, {0}, {0}, 0, 0},
	         {"\xFF\xD8\xFF!bbbb", "\xFF\x4F\xFF!"}},
		{{{"aaaa"}, {0}, {0}, 0, 0}, {NULL, NULL}},
	};
	(void)state;
	for (size_t i = 0; i < 2 * RS_COUNT(cases); i++) {
		const char *wanted = cases[i / 2].frames[i % 2];
		struct rs_error err = {0};
		char out[20];
		const enum rs_code code = stored(&cases[i / 2].layout, i % 2, out, &err);
		if (code != (wanted != NULL ? RS_OK : RS_MALFORMED) ||
		    (wanted != NULL && strcmp(out, wanted) != 0))
			fail_msg("case %zu, frame %zu: %s", i / 2, i % 2, code == RS_OK ? out : err.message);
	}
}

int main(void)
{
	const struct CMUnitTest by_hand[] = {cmocka_unit_test(frames_of_several_fragments)};
	const struct CMUnitTest with_files[] = {cmocka_unit_test(frames_of_several_fragments),
	                                        cmocka_unit_test(every_transfer_syntax_as_others_decode_it)};
	const char *data = getenv("RADSEAL_DATA");
	return data != NULL && data[0] != '\0' ? cmocka_run_group_tests(with_files, NULL, NULL)
	                                       : cmocka_run_group_tests(by_hand, NULL, NULL);
}
