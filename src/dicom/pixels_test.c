/* Pixels of every width, order and packing: bytes laid by hand after PS3.5 section 8 and annexes D and G. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "dicom/dicom.h"

struct layout {
	enum rs_dicom_encoding encoding;
	uint16_t columns, samples, planar, allocated, stored, high, is_signed;
	const char *vr, *photometric, *frames;
};

static void put_layout(struct rs_dicom_builder *b, const struct layout *l)
{
	const uint16_t values[] = {l->allocated, l->stored, l->high, l->is_signed};
	rs_dicom_builder_text(b, 0x00080016, "UI", "1.2.3");
	rs_dicom_builder_u16(b, 0x00280002, l->samples);
	rs_dicom_builder_text(b, 0x00280004, "CS", l->photometric ? l->photometric : "MONOCHROME2");
	if (l->samples > 1)
		rs_dicom_builder_u16(b, 0x00280006, l->planar);
	if (l->frames)
		rs_dicom_builder_text(b, 0x00280008, "IS", l->frames);
	rs_dicom_builder_u16(b, 0x00280010, 1);
	rs_dicom_builder_u16(b, 0x00280011, l->columns);
	for (uint32_t i = 0; i < 4; i++)
		rs_dicom_builder_u16(b, 0x00280100 + i, values[i]);
}

static enum rs_code read_layout(const struct layout *l, const void *bytes, size_t size, uint32_t tag,
                                size_t frame, double *out, struct rs_error *err)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom d RS_CLEANUP(rs_dicom_finish) = {0};
	rs_dicom_builder_init(&b, l->encoding, 1 << 16);
	put_layout(&b, l);
	rs_dicom_builder_bytes(&b, tag, l->vr, rs_bytes_of(bytes, size));
	rs_buffer_init(&file, 1 << 16);
	assert_int_equal(rs_dicom_builder_file(&b, "1.2.3", "1.2.4", &file, err), RS_OK);
	assert_int_equal(rs_dicom_parse(rs_buffer_bytes(&file), &d, err), RS_OK);
	return rs_dicom_pixels(&d, frame, out, (size_t)l->columns * l->samples, err);
}

static void expect(const struct layout *l, const void *bytes, size_t size, size_t frame, const double *wanted)
{
	double out[16];
	struct rs_error err = {0};
	if (read_layout(l, bytes, size, RS_DICOM_PIXEL_DATA, frame, out, &err) != RS_OK)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < (size_t)l->columns * l->samples; i++)
		assert_true(out[i] == wanted[i]);
}

static void whole_numbers_of_every_width(void **state)
{
	static const uint8_t bytes[] = {0x01, 0xFF, 0x80, 0x7F, 0x10, 0x20, 0x30, 0x40};
	static const struct layout u8 = {RS_DICOM_EXPLICIT_LE, 2, 1, 0, 8, 8, 7, 0, "OB", NULL, NULL};
	static const struct layout i8 = {RS_DICOM_EXPLICIT_LE, 4, 1, 0, 8, 8, 7, 1, "OB", NULL, NULL};
	static const struct layout u16 = {RS_DICOM_EXPLICIT_LE, 2, 1, 0, 16, 16, 15, 0, "OW", NULL, "2"};
	static const struct layout i16be = {RS_DICOM_EXPLICIT_BE, 2, 1, 0, 16, 16, 15, 1, "OW", NULL, NULL};
	static const struct layout u32 = {RS_DICOM_IMPLICIT_LE, 2, 1, 0, 32, 32, 31, 0, "OW", NULL, NULL};
	static const struct layout u12 = {RS_DICOM_EXPLICIT_LE, 2, 1, 0, 16, 12, 11, 0, "OW", NULL, NULL};
	static const struct layout i12 = {RS_DICOM_EXPLICIT_LE, 2, 1, 0, 16, 12, 15, 1, "OW", NULL, NULL};
	(void)state;
	expect(&u8, bytes, 8, 0, (const double[]){1, 255});
	expect(&i8, bytes, 8, 0, (const double[]){1, -1, -128, 127});
	expect(&u16, bytes, 8, 0, (const double[]){0xFF01, 0x7F80});
	expect(&u16, bytes, 8, 1, (const double[]){0x2010, 0x4030});
	expect(&i16be, bytes, 8, 0, (const double[]){0x01FF, 0x807F - 65536});
	expect(&u32, bytes, 8, 0, (const double[]){0x7F80FF01, 0x40302010});
	expect(&u12, bytes, 8, 0, (const double[]){0xF01, 0xF80}); /* overlays in the bits above are cut */
	expect(&i12, bytes, 8, 0, (const double[]){0xFF0 - 4096, 0x7F8});
}

/* Bits from the lowest on (8.1.1); a frame begins where the one before ends, within a byte. */
static void single_bits(void **state)
{
	static const uint8_t bytes[] = {0x05, 0x03};
	static const struct layout bits = {RS_DICOM_EXPLICIT_LE, 5, 1, 0, 1, 1, 0, 0, "OB", NULL, "2"};
	(void)state;
	expect(&bits, bytes, 2, 0, (const double[]){1, 0, 1, 0, 0});
	expect(&bits, bytes, 2, 1, (const double[]){0, 0, 0, 1, 1});
}

static void colours_by_pixel_plane_and_half(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6};
	static const uint8_t halves[] = {10, 20, 30, 40};
	static const struct layout pixels = {RS_DICOM_EXPLICIT_LE, 2, 3, 0, 8, 8, 7, 0, "OB", "RGB", NULL};
	static const struct layout planes = {RS_DICOM_EXPLICIT_LE, 2, 3, 1, 8, 8, 7, 0, "OB", "RGB", NULL};
	static const struct layout half = {RS_DICOM_EXPLICIT_LE, 2,   3, 0, 8, 8, 7, 0, "OB",
	                                   "YBR_FULL_422",       NULL};
	(void)state;
	expect(&pixels, bytes, 6, 0, (const double[]){1, 2, 3, 4, 5, 6});
	expect(&planes, bytes, 6, 0, (const double[]){1, 3, 5, 2, 4, 6});
	expect(&half, halves, 4, 0, (const double[]){10, 30, 40, 20, 30, 40});
}

static void floats(void **state)
{
	static const float singles[] = {1.5F, -0.1F};
	static const double doubles[] = {1.5, -0.1};
	static const struct layout l32 = {RS_DICOM_EXPLICIT_LE, 2, 1, 0, 32, 32, 31, 0, "OF", NULL, NULL};
	static const struct layout l64 = {RS_DICOM_EXPLICIT_LE, 2, 1, 0, 64, 64, 63, 0, "OD", NULL, NULL};
	double out[2];
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(read_layout(&l32, singles, 8, 0x7FE00008, 0, out, &err), RS_OK);
	assert_true(out[0] == 1.5 && out[1] == (double)-0.1F);
	assert_int_equal(read_layout(&l64, doubles, 16, 0x7FE00009, 0, out, &err), RS_OK);
	assert_true(out[0] == 1.5 && out[1] == -0.1);
}

static void what_is_too_short_or_odd_is_refused(void **state)
{
	static const uint8_t bytes[] = {1, 2, 3, 4};
	static const struct layout long_row = {
		RS_DICOM_EXPLICIT_LE, 3, 1, 0, 16, 16, 15, 0, "OW", NULL, NULL};
	static const struct layout odd = {RS_DICOM_EXPLICIT_LE, 2, 1, 0, 12, 12, 11, 0, "OW", NULL, NULL};
	static const struct layout beyond = {RS_DICOM_EXPLICIT_LE, 2, 1, 0, 16, 17, 16, 0, "OW", NULL, NULL};
	static const struct layout good = {RS_DICOM_EXPLICIT_LE, 2, 1, 0, 16, 16, 15, 0, "OW", NULL, NULL};
	double out[3];
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(read_layout(&long_row, bytes, 4, RS_DICOM_PIXEL_DATA, 0, out, &err), RS_MALFORMED);
	assert_int_equal(read_layout(&odd, bytes, 4, RS_DICOM_PIXEL_DATA, 0, out, &err), RS_UNSUPPORTED);
	assert_int_equal(read_layout(&beyond, bytes, 4, RS_DICOM_PIXEL_DATA, 0, out, &err), RS_MALFORMED);
	assert_int_equal(read_layout(&good, bytes, 4, RS_DICOM_PIXEL_DATA, 1, out, &err), RS_NOT_FOUND);
}

/* Annex G: two byte planes of two pixels; a literal run, and a replicated one. */
static const uint8_t rle_data[] = {0xFE, 0xFF, 0x00, 0xE0, 0x00, 0x00, 0x00, 0x00, 0xFE, 0xFF, 0x00, 0xE0,
                                   0x46, 0x00, 0x00, 0x00, /* table */
                                   0x02, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00, 0x00, 0x43, 0x00, 0x00, 0x00};
static const uint8_t rle_segments[] = {0x01, 0x12, 0x34, 0xFF, 0x56, 0x00};

static size_t make_rle(uint8_t *out)
{
	size_t frame = sizeof rle_data - 12;
	memcpy(out, rle_data, sizeof rle_data);
	memset(out + sizeof rle_data, 0, 64 - 12);
	memcpy(out + frame + 64, rle_segments, sizeof rle_segments);
	static const uint8_t end[8] = {0xFE, 0xFF, 0xDD, 0xE0};
	memcpy(out + frame + 64 + sizeof rle_segments, end, 8);
	return frame + 64 + sizeof rle_segments + 8;
}

static enum rs_code read_rle(const uint8_t *fragments, size_t size, double *out, struct rs_error *err)
{
	static const struct layout l = {RS_DICOM_EXPLICIT_LE, 2, 1, 0, 16, 16, 15, 0, "OB", NULL, NULL};
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom d RS_CLEANUP(rs_dicom_finish) = {0};
	static const uint8_t head[12] = {0xE0, 0x7F, 0x10, 0x00, 'O', 'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF};
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 16);
	put_layout(&b, &l);
	rs_buffer_init(&file, 1 << 16);
	assert_int_equal(rs_dicom_builder_file(&b, "1.2.3", "1.2.4", &file, err), RS_OK);
	rs_buffer_append(&file, head, sizeof head);
	rs_buffer_append(&file, fragments, size);
	if (rs_dicom_parse(rs_buffer_bytes(&file), &d, err) != RS_OK)
		return err->code;
	memcpy(d.transfer_syntax, "1.2.840.10008.1.2.5", 20);
	return rs_dicom_pixels(&d, 0, out, 2, err);
}

static void run_lengths(void **state)
{
	uint8_t fragments[128];
	double out[2];
	struct rs_error err = {0};
	(void)state;
	size_t size = make_rle(fragments);
	if (read_rle(fragments, size, out, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_true(out[0] == 0x1256 && out[1] == 0x3456);
	/* A segment that begins beyond the fragment, one that ends before its plane does, one segment too few. */
	static const size_t places[] = {24, 80, 16};
	static const uint8_t values[] = {0xF0, 0x00, 0x01};
	for (size_t i = 0; i < RS_COUNT(places); i++) {
		make_rle(fragments);
		fragments[places[i]] = values[i];
		assert_int_equal(read_rle(fragments, size, out, &err), RS_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_of_every_width),        cmocka_unit_test(single_bits),
		cmocka_unit_test(colours_by_pixel_plane_and_half),     cmocka_unit_test(floats),
		cmocka_unit_test(what_is_too_short_or_odd_is_refused), cmocka_unit_test(run_lengths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
