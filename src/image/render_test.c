/* Rendered frames: the windows of PS3.3 C.11.2.1.2.1 with the figures of its notes, tables and colours by hand; what is
 * written is read back by the PNG reader (tests/system/convert.py has other people's). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "image/image_picture.h"
#include "image/image_render.h"

/* A row of 16-bit pixels. */
struct row {
	const char *photometric, *centre, *width, *function;
	uint16_t samples, is_signed;
	uint16_t pixels[6];
	bool with_palette;
};

static void put_palette(struct rs_dicom_builder *b)
{
	static const uint16_t descriptor[] = {3, 10, 16},
			      data[3][3] = {{0, 65535, 0}, {0, 0, 65535}, {65535, 0, 0}};
	for (uint32_t c = 0; c < 3; c++)
		rs_dicom_builder_words(b, 0x00281101 + c, "US", descriptor, 3);
	for (uint32_t c = 0; c < 3; c++)
		rs_dicom_builder_words(b, 0x00281201 + c, "OW", data[c], 3);
}

static void build(const struct row *row, struct rs_buffer *out)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_error err = {0};
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 16);
	rs_dicom_builder_u16(&b, 0x00280002, row->samples);
	rs_dicom_builder_text(&b, 0x00280004, "CS", row->photometric);
	rs_dicom_builder_u16(&b, 0x00280006, 0);
	rs_dicom_builder_u16(&b, 0x00280010, 1);
	rs_dicom_builder_u16(&b, 0x00280011, (uint16_t)(6 / row->samples));
	rs_dicom_builder_u16(&b, 0x00280100, 16);
	rs_dicom_builder_u16(&b, 0x00280101, 16);
	rs_dicom_builder_u16(&b, 0x00280102, 15);
	rs_dicom_builder_u16(&b, 0x00280103, row->is_signed);
	if (row->centre) {
		rs_dicom_builder_text(&b, 0x00281050, "DS", row->centre);
		rs_dicom_builder_text(&b, 0x00281051, "DS", row->width);
	}
	if (row->function)
		rs_dicom_builder_text(&b, 0x00281056, "CS", row->function);
	if (row->with_palette)
		put_palette(&b);
	rs_dicom_builder_words(&b, RS_DICOM_PIXEL_DATA, "OW", row->pixels, 6);
	rs_buffer_init(out, 1 << 16);
	assert_int_equal(rs_dicom_builder_file(&b, "1.2.3", "1.2.4", out, &err), RS_OK);
}

static enum rs_code rendered(const struct row *row, const struct rs_rendering *how, struct rs_buffer *out,
                             struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	build(row, &file);
	assert_int_equal(rs_dicom_parse(rs_buffer_bytes(&file), &dicom, err), RS_OK);
	rs_buffer_init(out, 1 << 20);
	return rs_render(&dicom, how, out, err);
}

#define MINUS(value) (uint16_t)(65536 - (value))
static void grey_by_window_and_table(void **state)
{
	static const struct {
		struct row row;
		uint8_t wanted[6];
	} cases[] = {
		/* y = ((x - 2047.5) / 4095 + 0.5) * 255 */
		{{"MONOCHROME2", "2048", "4096", NULL, 1, 0, {0, 4095, 2048, 1024, 5000, 100}, false},
	         {0, 255, 128, 64, 255, 6}},
		/* x <= 2047.5: 0, else 255 */
		{{"MONOCHROME2", "2048", "1", "LINEAR_EXACT", 1, 0, {0, 4095, 2048, 2047, 2049, 1}, false},
	         {0, 255, 128, 0, 255, 0}},
		/* x <= -50: 0, x > 49: 255, else ((x + 0.5) / 99 + 0.5) * 255 */
		{{"MONOCHROME2", "0", "100", "LINEAR", 1, 1, {MINUS(50), 49, 0, MINUS(49), 48, 50}, false},
	         {0, 255, 129, 3, 252, 255}},
		{{"MONOCHROME1", "2048", "4096", NULL, 1, 0, {0, 4095, 2048, 1024, 5000, 100}, false},
	         {255, 0, 127, 191, 0, 249}},
		/* 255 / (1 + exp(-4 (x - 100) / 40)) */
		{{"MONOCHROME2", "100", "40", "SIGMOID", 1, 0, {100, 110, 90, 0, 200, 120}, false},
	         {128, 186, 69, 0, 255, 225}},
		/* no window: least to largest */
		{{"MONOCHROME2", NULL, NULL, NULL, 1, 0, {10, 20, 15, 10, 20, 11}, false},
	         {0, 255, 128, 0, 255, 26}},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_buffer png RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_picture picture RS_CLEANUP(rs_picture_finish) = {0};
		struct rs_error err = {0};
		if (rendered(&cases[i].row, &(struct rs_rendering){.frame = 0}, &png, &err) != RS_OK ||
		    rs_picture_read(rs_buffer_bytes(&png), &picture, &err) != RS_OK)
			fail_msg("case %zu: %s", i, err.message);
		assert_int_equal(picture.width, 6);
		for (size_t x = 0; x < 6; x++)
			if (lroundf(picture.values[x] * 255) != cases[i].wanted[x])
				fail_msg("case %zu, pixel %zu: %ld", i, x, lroundf(picture.values[x] * 255));
	}
}

/* The PNG reader gives luma (ITU-R BT.601) of colours, which tells the primaries apart. */
static void colours_and_palettes(void **state)
{
	static const struct row rows[] = {
		{"RGB", NULL, NULL, NULL, 3, 0, {65535, 0, 0, 0, 65535, 0}, false},
		{"YBR_FULL", NULL, NULL, NULL, 3, 0, {30000, 32896, 32896, 65535, 32896, 32896}, false},
		{"PALETTE COLOR", NULL, NULL, NULL, 1, 0, {10, 11, 12, 9, 13, 11}, true},
	};
	static const double wanted[][6] = {
		{0.299, 0.587}, {117 / 255.0, 1}, {0.114, 0.299, 0.587, 0.114, 0.587, 0.299}};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		struct rs_buffer png RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_picture picture RS_CLEANUP(rs_picture_finish) = {0};
		struct rs_error err = {0};
		if (rendered(&rows[i], &(struct rs_rendering){.frame = 0}, &png, &err) != RS_OK ||
		    rs_picture_read(rs_buffer_bytes(&png), &picture, &err) != RS_OK)
			fail_msg("case %zu: %s", i, err.message);
		for (size_t x = 0; x < picture.width; x++)
			assert_true(fabs((double)picture.values[x] - wanted[i][x]) < 1e-3);
	}
}

static void parts_sizes_and_jpeg(void **state)
{
	static const struct row row = {"MONOCHROME2", "100", "100", NULL, 1, 0, {50, 60, 70, 100, 120, 150},
	                               false};
	struct rs_buffer picture RS_CLEANUP(rs_buffer_finish) = {0}, jpeg RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_picture read RS_CLEANUP(rs_picture_finish) = {0};
	struct rs_error err = {0};
	const struct rs_rendering part = {.left = 2, .width = 3, .fit_width = 6, .fit_height = 9};
	(void)state;
	assert_int_equal(rendered(&row, &part, &picture, &err), RS_OK);
	assert_int_equal(rs_picture_read(rs_buffer_bytes(&picture), &read, &err), RS_OK);
	assert_int_equal(read.width, 6);
	assert_int_equal(read.height, 2);
	assert_int_equal(rendered(&row, &(struct rs_rendering){.as_jpeg = true, .quality = 100}, &jpeg, &err),
	                 RS_OK);
	uint8_t out[6];
	struct rs_codec_decoded what;
	const struct rs_codec_shape shape = {1, 6, 1, 8, 8, false, false};
	assert_int_equal(rs_codec_decode(RS_CODEC_JPEG, &shape, rs_buffer_bytes(&jpeg), out, &what, &err),
	                 RS_OK);
	assert_true(out[0] < 5 && out[5] > 250);
}

static void what_cannot_be_is_refused(void **state)
{
	static const struct row grey = {"MONOCHROME2", NULL, NULL, NULL, 1, 0, {1, 2, 3, 4, 5, 6}, false},
				odd = {"ARGB", NULL, NULL, NULL, 3, 0, {0}, false},
				bare = {"PALETTE COLOR", NULL, NULL, NULL, 1, 0, {0}, false};
	static const struct rs_window narrow = {1, 0.5, RS_WINDOW_LINEAR},
				      nowhere = {NAN, 5, RS_WINDOW_SIGMOID};
	static const struct {
		const struct row *row;
		struct rs_rendering how;
		enum rs_code code;
	} cases[] = {
		{&grey, {.frame = 1}, RS_NOT_FOUND},        {&grey, {.left = 6}, RS_USAGE},
		{&grey, {.left = 3, .width = 4}, RS_USAGE}, {&grey, {.top = SIZE_MAX}, RS_USAGE},
		{&grey, {.window = &narrow}, RS_USAGE},     {&grey, {.window = &nowhere}, RS_USAGE},
		{&grey, {.quality = 101}, RS_USAGE},        {&grey, {.fit_width = 1 << 20}, RS_USAGE},
		{&odd, {.frame = 0}, RS_UNSUPPORTED},       {&bare, {.frame = 0}, RS_UNSUPPORTED},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_error err = {0};
		if (rendered(cases[i].row, &cases[i].how, &out, &err) != cases[i].code ||
		    err.message[0] == '\0')
			fail_msg("case %zu: %s", i, err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grey_by_window_and_table),
		cmocka_unit_test(colours_and_palettes),
		cmocka_unit_test(parts_sizes_and_jpeg),
		cmocka_unit_test(what_cannot_be_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
