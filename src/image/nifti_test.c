/* NIfTI files made byte by byte from nifti1.h, read and refused. */
#include "image_test.h"

#define PATH "/d/a.nii"
#define SIZE (352 + 2 * 3 * 4 * 2)

static void f32(uint8_t *p, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	rs_write_le32(p, bits);
}

/* 2 x 3 x 4 of int16 with the values 0 … 23, without sform and qform. */
static void make(uint8_t file[SIZE])
{
	static const uint16_t dim[8] = {3, 2, 3, 4, 1, 1, 1, 1};
	static const float pixdim[4] = {1, 0.5f, 2, 3};
	memset(file, 0, SIZE);
	rs_write_le32(file, 348);
	for (size_t i = 0; i < 8; i++)
		rs_write_le16(file + 40 + 2 * i, dim[i]);
	rs_write_le16(file + 70, 4);
	rs_write_le16(file + 72, 16);
	for (size_t i = 0; i < 4; i++)
		f32(file + 76 + 4 * i, pixdim[i]);
	f32(file + 108, 352);
	file[123] = 2;
	memcpy(file + 344, "n+1", 4);
	for (size_t i = 0; i < 24; i++)
		rs_write_le16(file + 352 + 2 * i, (uint16_t)i);
}

static void axes_without_a_form_are_ras(void **state)
{
	uint8_t file[SIZE];
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	make(file);
	put_file(PATH, file, SIZE);
	assert_int_equal(read_volume(PATH, &v, &err), RS_OK);
	assert_true(v.geometry.size[0] == 2 && v.geometry.size[1] == 3 && v.geometry.size[2] == 4);
	near(v.geometry.spacing_mm[0], 0.5);
	near(v.geometry.direction[0][0], -1);
	near(v.geometry.direction[1][1], -1);
	near(v.geometry.direction[2][2], 1);
	assert_int_equal(v.stored, RS_VOXEL_I16);
	for (int i = 0; i < 24; i++)
		assert_true(v.voxels[i] == i);
}

/* sform: x and y exchanged. qform: turned by 180 degrees about x, the third axis flipped back by qfac. */
static void sform_comes_before_qform(void **state)
{
	uint8_t file[SIZE];
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_volume w RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	make(file);
	rs_write_le16(file + 252, 1);
	f32(file + 76, -1);
	f32(file + 256, 1);
	f32(file + 268, 7);
	rs_write_le16(file + 254, 2);
	f32(file + 280 + 4, 2);
	f32(file + 280 + 12, 11);
	f32(file + 296, 0.5f);
	f32(file + 312 + 8, 3);
	put_file(PATH, file, SIZE);
	assert_int_equal(read_volume(PATH, &v, &err), RS_OK);
	near(v.geometry.origin_mm[0], -11);
	near(v.geometry.direction[0][1], -1);
	near(v.geometry.direction[1][0], -1);
	near(v.geometry.spacing_mm[1], 2);
	rs_write_le16(file + 254, 0);
	put_file(PATH, file, SIZE);
	assert_int_equal(read_volume(PATH, &w, &err), RS_OK);
	near(w.geometry.origin_mm[0], -7);
	near(w.geometry.direction[0][0], -1);
	near(w.geometry.direction[1][1], 1);
	near(w.geometry.direction[2][2], 1);
}

static void slope_and_units_are_applied(void **state)
{
	uint8_t file[SIZE];
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	make(file);
	f32(file + 112, 0.5f);
	f32(file + 116, -1000);
	file[123] = 3; /* micrometres */
	put_file(PATH, file, SIZE);
	assert_int_equal(read_volume(PATH, &v, &err), RS_OK);
	near(v.voxels[3], -998.5);
	near(v.geometry.spacing_mm[2], 0.003);
	assert_int_equal(v.stored, RS_VOXEL_F64);
}

static void every_cut_is_refused(void **state)
{
	uint8_t file[SIZE];
	(void)state;
	make(file);
	every_cut_is_refused_of(PATH, file, SIZE);
}

static void hostile_numbers_are_refused(void **state)
{
	static const struct {
		size_t offset;
		int bytes;
		float real;
		uint16_t whole;
		enum rs_code code;
		const char *words;
	} cases[] = {
		{80, 4, NAN, 0, RS_MALFORMED, "spacing of nan"},
		{84, 4, 0, 0, RS_MALFORMED, "spacing of 0"},
		{84, 4, INFINITY, 0, RS_MALFORMED, "spacing of inf"},
		{42, 2, 0, 0xffff, RS_MALFORMED, "dim[1] is -1"},
		{40, 2, 0, 8, RS_MALFORMED, "dim[0] is 8"},
		{40, 2, 0, 0, RS_MALFORMED, "dim[0] is 0"},
		{46, 2, 0, 32767, RS_MALFORMED, "announces"},
		{70, 2, 0, 128, RS_UNSUPPORTED, "datatype 128"},
		{72, 2, 0, 8, RS_MALFORMED, "does not have 8 bits"},
		{108, 4, 0, 0, RS_MALFORMED, "byte 0"},
		{108, 4, 1e30f, 0, RS_MALFORMED, "byte 1e+30"},
		{108, 4, NAN, 0, RS_MALFORMED, "byte nan"},
		{112, 4, INFINITY, 0, RS_MALFORMED, "slope inf"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		uint8_t file[SIZE];
		make(file);
		if (cases[i].bytes == 4)
			f32(file + cases[i].offset, cases[i].real);
		else
			rs_write_le16(file + cases[i].offset, cases[i].whole);
		put_file(PATH, file, SIZE);
		refused(PATH, cases[i].code, cases[i].words);
	}
}

static void shear_and_several_volumes_are_refused(void **state)
{
	uint8_t file[SIZE];
	(void)state;
	make(file);
	rs_write_le16(file + 254, 1);
	f32(file + 280, 1);
	f32(file + 284, 0.4f);
	f32(file + 300, 1);
	f32(file + 320, 1);
	put_file(PATH, file, SIZE);
	refused(PATH, RS_UNSUPPORTED, "0.371391");
	make(file);
	rs_write_le16(file + 40, 4);
	rs_write_le16(file + 48, 2);
	put_file(PATH, file, SIZE);
	refused(PATH, RS_UNSUPPORTED, "2 volumes");
}

/* Writers of one byte order: both headers are the same but for it. */
struct order {
	void (*w16)(uint8_t *, uint16_t);
	void (*w32)(uint8_t *, uint32_t);
	void (*w64)(uint8_t *, uint64_t);
};
static const struct order little = {rs_write_le16, rs_write_le32, rs_write_le64};
static const struct order big = {rs_write_be16, rs_write_be32, rs_write_be64};

static void f64(const struct order *order, uint8_t *p, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	order->w64(p, bits);
}

#define SIZE_2 (544 + 2 * 3 * 4 * 2)

/* nifti2.h: 2 x 3 x 4 of int16 with the values 0 … 23, in metres, by an sform that exchanges no axes. */
static void make_2(const struct order *order, uint8_t file[SIZE_2])
{
	static const uint64_t dim[8] = {3, 2, 3, 4, 1, 1, 1, 1};
	static const double spacing[3] = {0.001, 0.002, 0.003};
	memset(file, 0, SIZE_2);
	order->w32(file, 540);
	memcpy(file + 4, "n+2\0\r\n\032\n", 8);
	order->w16(file + 12, 4);
	order->w16(file + 14, 16);
	for (size_t i = 0; i < 8; i++)
		order->w64(file + 16 + 8 * i, dim[i]);
	order->w64(file + 168, 544);
	f64(order, file + 176, 2);
	f64(order, file + 184, -5);
	order->w32(file + 348, 1);
	for (size_t i = 0; i < 3; i++)
		f64(order, file + 400 + 32 * i + 8 * i, spacing[i]);
	f64(order, file + 400 + 24, 0.01);
	order->w32(file + 500, 1);
	for (size_t i = 0; i < 24; i++)
		order->w16(file + 544 + 2 * i, (uint16_t)i);
}

static void nifti_2_is_read_in_both_byte_orders(void **state)
{
	const struct order *const orders[] = {&little, &big};
	(void)state;
	for (size_t k = 0; k < RS_COUNT(orders); k++) {
		uint8_t file[SIZE_2];
		struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
		struct rs_error err;
		make_2(orders[k], file);
		put_file(PATH, file, SIZE_2);
		if (read_volume(PATH, &v, &err) != RS_OK)
			fail_msg("%s", err.message);
		assert_true(v.geometry.size[0] == 2 && v.geometry.size[1] == 3 && v.geometry.size[2] == 4);
		near(v.geometry.spacing_mm[0], 1);
		near(v.geometry.spacing_mm[2], 3);
		near(v.geometry.origin_mm[0], -10);
		for (int i = 0; i < 24; i++)
			assert_true(v.voxels[i] == 2 * i - 5);
		every_cut_is_refused_of(PATH, file, SIZE_2);
		orders[k]->w64(file + 24, UINT64_MAX);
		put_file(PATH, file, SIZE_2);
		refused(PATH, RS_MALFORMED, "dim[1] is -1");
	}
}

/* The same NIfTI-1 file, every number turned round. */
static void nifti_1_is_read_in_the_other_byte_order(void **state)
{
	static const struct {
		size_t offset, count, width;
	} numbers[] = {{0, 1, 4}, {40, 8, 2}, {70, 2, 2}, {76, 8, 4}, {108, 3, 4}, {352, 24, 2}};
	uint8_t file[SIZE];
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	make(file);
	for (size_t i = 0; i < RS_COUNT(numbers); i++)
		for (size_t k = 0; k < numbers[i].count; k++)
			for (size_t b = 0; b < numbers[i].width / 2; b++) {
				uint8_t *first = file + numbers[i].offset + k * numbers[i].width;
				uint8_t kept = first[b];
				first[b] = first[numbers[i].width - 1 - b];
				first[numbers[i].width - 1 - b] = kept;
			}
	put_file(PATH, file, SIZE);
	assert_int_equal(read_volume(PATH, &v, &err), RS_OK);
	near(v.geometry.spacing_mm[0], 0.5);
	for (int i = 0; i < 24; i++)
		assert_true(v.voxels[i] == i);
	file[3] = 0; /* neither order gives the header's size now */
	put_file(PATH, file, SIZE);
	refused(PATH, RS_MALFORMED, "the header says");
}

static void headers_of_two_files_are_refused(void **state)
{
	uint8_t file[SIZE];
	(void)state;
	make(file);
	memcpy(file + 344, "ni1", 4);
	put_file(PATH, file, SIZE);
	refused(PATH, RS_UNSUPPORTED, "in two files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(axes_without_a_form_are_ras),
		cmocka_unit_test(sform_comes_before_qform),
		cmocka_unit_test(slope_and_units_are_applied),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(hostile_numbers_are_refused),
		cmocka_unit_test(shear_and_several_volumes_are_refused),
		cmocka_unit_test(nifti_2_is_read_in_both_byte_orders),
		cmocka_unit_test(nifti_1_is_read_in_the_other_byte_order),
		cmocka_unit_test(headers_of_two_files_are_refused),
	};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
