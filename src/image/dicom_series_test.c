/* Series and segmentations built with dicom's builder: order, gaps, twins, tilt, and segments. */
#include "image_test.h"
#include "dicom/dicom.h"
#include "image/image_series.h"

#define MR "1.2.840.10008.5.1.4.1.1.4"
#define SEG "1.2.840.10008.5.1.4.1.1.66.4"

struct slice {
	const char *position, *orientation, *spacing, *series, *slope;
	uint16_t columns, value;
};
static const struct slice plain = {"-10\\20\\0", "1\\0\\0\\0\\1\\0", "2\\3", "1.2.3", NULL, 2, 7};

/* BitsAllocated, BitsStored, HighBit; unsigned. */
static void put_depth(struct rs_dicom_builder *b, uint16_t bits)
{
	rs_dicom_builder_u16(b, 0x00280100, bits);
	rs_dicom_builder_u16(b, 0x00280101, bits);
	rs_dicom_builder_u16(b, 0x00280102, (uint16_t)(bits - 1));
	rs_dicom_builder_u16(b, 0x00280103, 0);
}

static void put_dicom(struct rs_dicom_builder *b, const char *sop_class, const char *path)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	rs_buffer_init(&file, 1 << 20);
	assert_int_equal(rs_dicom_builder_file(b, sop_class, "1.2.3.4", &file, &err), RS_OK);
	put_file(path, file.data, file.size);
}

static void put_slice(const char *path, const struct slice *slice)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	const uint16_t words[6] = {slice->value, 2, 3, 4, 5, 6};
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 20);
	rs_dicom_builder_text(&b, 0x00080016, "UI", MR);
	rs_dicom_builder_text(&b, 0x0020000E, "UI", slice->series);
	rs_dicom_builder_text(&b, 0x00200032, "DS", slice->position);
	rs_dicom_builder_text(&b, 0x00200037, "DS", slice->orientation);
	rs_dicom_builder_u16(&b, 0x00280002, 1);
	rs_dicom_builder_text(&b, 0x00280004, "CS", "MONOCHROME2");
	rs_dicom_builder_u16(&b, 0x00280010, 2);
	rs_dicom_builder_u16(&b, 0x00280011, slice->columns);
	rs_dicom_builder_text(&b, 0x00280030, "DS", slice->spacing);
	put_depth(&b, 16);
	if (slice->slope) {
		rs_dicom_builder_text(&b, 0x00281052, "DS", "-1000");
		rs_dicom_builder_text(&b, 0x00281053, "DS", slice->slope);
	}
	rs_dicom_builder_words(&b, RS_DICOM_PIXEL_DATA, "OW", words, 2 * (size_t)slice->columns);
	put_dicom(&b, MR, path);
}

/* Three slices, named against their order in space; the third as given. */
static void put_series(const struct slice *third)
{
	struct slice first = plain, second = plain;
	first.position = "-10\\20\\0";
	first.value = 100;
	second.position = "-10\\20\\2.5";
	second.value = 101;
	put_slice("/d/s/c.dcm", &first);
	put_slice("/d/s/b.dcm", &second);
	put_slice("/d/s/a.dcm", third);
	put_file("/d/s/readme.txt", "not an image", 12);
}

static int setup(void **state)
{
	struct rs_error err;
	return test_setup(state) == 0 && rs_directory_make(test_world, "/d/s", &err) == RS_OK ? 0 : -1;
}

static void slices_are_ordered_by_place(void **state)
{
	struct slice third = plain;
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	third.position = "-10\\20\\5";
	third.value = 102;
	third.slope = "2";
	put_series(&third);
	assert_int_equal(read_volume("/d/s", &v, &err), RS_OK);
	assert_true(v.geometry.size[0] == 2 && v.geometry.size[1] == 2 && v.geometry.size[2] == 3);
	near(v.geometry.spacing_mm[0], 3); /* PixelSpacing is between rows first */
	near(v.geometry.spacing_mm[1], 2);
	near(v.geometry.spacing_mm[2], 2.5);
	near(v.geometry.origin_mm[2], 0);
	assert_true(v.voxels[0] == 100 && v.voxels[4] == 101 && v.voxels[8] == 102 * 2 - 1000);
}

static void some_files_of_a_directory_are_picked(void **state)
{
	struct slice third = plain;
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	const struct rs_series_image some[] = {{"/d/s/b.dcm", 0}, {"/d/s/c.dcm", 0}},
				     frames[] = {{"/d/s/b.dcm", 0}, {"/d/s/c.dcm", 1}};
	(void)state;
	third.position = "-10\\20\\7.5";
	put_series(&third);
	assert_int_equal(rs_volume_read_images(test_world, some, 0, &v, &err), RS_USAGE);
	assert_int_equal(rs_volume_read_images(test_world, frames, 2, &v, &err), RS_USAGE);
	assert_int_equal(rs_volume_read_images(test_world, some, 2, &v, &err), RS_OK);
	assert_true(v.geometry.size[2] == 2 && v.voxels[0] == 100 && v.voxels[4] == 101);
}

static void what_is_no_straight_series_is_refused(void **state)
{
	static const struct {
		struct slice slice;
		enum rs_code code;
		const char *words;
	} cases[] = {
		{{"-10\\20\\7.5", "1\\0\\0\\0\\1\\0", "2\\3", "1.2.3", NULL, 2, 1},
	         RS_UNSUPPORTED,
	         "slice is missing"},
		{{"-10\\20\\2.5", "1\\0\\0\\0\\1\\0", "2\\3", "1.2.3", NULL, 2, 1},
	         RS_UNSUPPORTED,
	         "same place"},
		{{"-10\\21\\5", "1\\0\\0\\0\\1\\0", "2\\3", "1.2.3", NULL, 2, 1},
	         RS_UNSUPPORTED,
	         "shift by 1.0000 mm"},
		{{"-10\\20\\5", "0\\1\\0\\1\\0\\0", "2\\3", "1.2.3", NULL, 2, 1}, RS_UNSUPPORTED, "turned"},
		{{"-10\\20\\5", "1\\0\\0\\0\\1\\0", "2\\4", "1.2.3", NULL, 2, 1},
	         RS_UNSUPPORTED,
	         "pixel spacing"},
		{{"-10\\20\\5", "1\\0\\0\\0\\1\\0", "2\\3", "1.2.9", NULL, 2, 1},
	         RS_UNSUPPORTED,
	         "holds 2 series, by SeriesInstanceUID: 1.2.3 (files: 2), 1.2.9 (files: 1); name"},
		{{"-10\\20\\5", "1\\0\\0\\0\\1\\0", "2\\3", "1.2.3", NULL, 3, 1},
	         RS_UNSUPPORTED,
	         "the first slice 3 x 2"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		put_series(&cases[i].slice);
		refused("/d/s", cases[i].code, cases[i].words);
	}
	refused("/d/none", RS_NOT_FOUND, "none");
}

/* What lies beside images and is none: reports, structure sets. */
static void objects_without_images_are_passed_over(void **state)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct slice third = plain;
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	third.position = "-10\\20\\5";
	put_series(&third);
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 20);
	rs_dicom_builder_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.481.3");
	rs_dicom_builder_text(&b, 0x0020000E, "UI", "1.2.77");
	put_dicom(&b, "1.2.840.10008.5.1.4.1.1.481.3", "/d/s/rs.dcm");
	if (read_volume("/d/s", &v, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(v.geometry.size[2], 3);
	refused("/d/s/rs.dcm", RS_UNSUPPORTED, "has no pixels");
	assert_int_equal(test_world->files->remove(test_world->files, "/d/s/rs.dcm", &err), RS_OK);
}

static void cut(const char *from, const char *to, size_t start)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err;
	assert_int_equal(rs_file_read_all(test_world, from, 1 << 20, &file, &err), RS_OK);
	put_file(to, file.data + start, file.size - start);
}

/* 128 bytes, "DICM", and the meta group: 12 bytes of its length, which is told there. */
static void files_without_a_preamble_are_read(void **state)
{
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err;
	(void)state;
	put_slice("/d/one.dcm", &plain);
	assert_int_equal(rs_file_read_all(test_world, "/d/one.dcm", 1 << 20, &file, &err), RS_OK);
	const size_t starts[] = {132, 132 + 12 + rs_read_le32(file.data + 132 + 8)};
	for (size_t i = 0; i < 2; i++) {
		cut("/d/one.dcm", "/d/bare.dcm", starts[i]);
		if (read_volume("/d/bare.dcm", &v, &err) != RS_OK)
			fail_msg("%s", err.message);
		assert_true(v.voxels[0] == 7);
		rs_volume_finish(&v);
	}
}

static void mosaics_are_refused(void **state)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	const uint16_t words[2] = {1, 2};
	(void)state;
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 20);
	rs_dicom_builder_text(&b, 0x00080008, "CS", "ORIGINAL\\PRIMARY\\M\\MOSAIC");
	rs_dicom_builder_text(&b, 0x00080016, "UI", MR);
	rs_dicom_builder_u16(&b, 0x00280002, 1);
	rs_dicom_builder_u16(&b, 0x00280010, 1);
	rs_dicom_builder_u16(&b, 0x00280011, 2);
	put_depth(&b, 16);
	rs_dicom_builder_words(&b, RS_DICOM_PIXEL_DATA, "OW", words, 2);
	put_dicom(&b, MR, "/d/one.dcm");
	refused("/d/one.dcm", RS_UNSUPPORTED, "mosaic");
}

static void a_grid_that_is_none_is_refused(void **state)
{
	struct slice slice = plain;
	(void)state;
	slice.orientation = "1\\0\\0\\0.5\\1\\0";
	put_slice("/d/one.dcm", &slice);
	refused("/d/one.dcm", RS_UNSUPPORTED, "perpendicular");
	slice.orientation = plain.orientation;
	slice.spacing = "0\\3";
	put_slice("/d/one.dcm", &slice);
	refused("/d/one.dcm", RS_MALFORMED, "spacing of 0");
}

static void begin_item(struct rs_dicom_builder *b, uint32_t sequence)
{
	rs_dicom_builder_begin(b, sequence);
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
}

static void end_item(struct rs_dicom_builder *b)
{
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
}

static void put_frame(struct rs_dicom_builder *b, const char *position, uint16_t segment)
{
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	begin_item(b, 0x00209113);
	rs_dicom_builder_text(b, 0x00200032, "DS", position);
	end_item(b);
	begin_item(b, 0x0062000A);
	rs_dicom_builder_u16(b, 0x0062000B, segment);
	end_item(b);
	rs_dicom_builder_end(b);
}

static void put_segments(struct rs_dicom_builder *b)
{
	rs_dicom_builder_text(b, 0x00620001, "CS", "BINARY");
	rs_dicom_builder_begin(b, 0x00620002);
	for (uint16_t number = 2; number >= 1; number--) {
		rs_dicom_builder_begin(b, RS_DICOM_ITEM);
		rs_dicom_builder_u16(b, 0x00620004, number);
		rs_dicom_builder_text(b, 0x00620005, "LO", number == 1 ? "Tumour" : "Breast");
		rs_dicom_builder_end(b);
	}
	rs_dicom_builder_end(b);
}

static void put_shared_groups(struct rs_dicom_builder *b)
{
	begin_item(b, 0x52009229);
	begin_item(b, 0x00209116);
	rs_dicom_builder_text(b, 0x00200037, "DS", "1\\0\\0\\0\\1\\0");
	end_item(b);
	begin_item(b, 0x00289110);
	rs_dicom_builder_text(b, 0x00180088, "DS", "2.5");
	rs_dicom_builder_text(b, 0x00280030, "DS", "1\\1");
	end_item(b);
	end_item(b);
}

/* 8 x 1 pixels, two frames of one bit each: of segment 2 at 10 mm, and of segment 1 where it is told. */
static void put_segmentation(const char *second_position, uint8_t second_bits)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	const uint8_t bits[2] = {0x0F, second_bits};
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 20);
	rs_dicom_builder_text(&b, 0x00080016, "UI", SEG);
	rs_dicom_builder_u16(&b, 0x00280002, 1);
	rs_dicom_builder_text(&b, 0x00280004, "CS", "MONOCHROME2");
	rs_dicom_builder_text(&b, 0x00280008, "IS", "2");
	rs_dicom_builder_u16(&b, 0x00280010, 1);
	rs_dicom_builder_u16(&b, 0x00280011, 8);
	put_depth(&b, 1);
	put_segments(&b);
	put_shared_groups(&b);
	rs_dicom_builder_begin(&b, 0x52009230);
	put_frame(&b, "0\\0\\10", 2);
	put_frame(&b, second_position, 1);
	rs_dicom_builder_end(&b);
	rs_dicom_builder_bytes(&b, RS_DICOM_PIXEL_DATA, "OB", rs_bytes_of(bits, 2));
	put_dicom(&b, SEG, "/d/seg.dcm");
}

/* A slice without a frame lies between: SpacingBetweenSlices tells it. */
static void empty_slices_of_segmentations_are_kept(void **state)
{
	struct rs_mask m RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_error err = {0};
	(void)state;
	put_segmentation("0\\0\\5", 0xF0);
	if (rs_mask_read(test_world, "/d/seg.dcm", &m, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(m.geometry.size[2], 3);
	near(m.geometry.spacing_mm[2], 2.5);
	near(m.geometry.origin_mm[2], 5);
	assert_true(m.labels[0] == 0 && m.labels[4] == 1 && m.labels[8 + 4] == 0 && m.labels[16] == 2 &&
	            m.labels[20] == 0);
	assert_int_equal(m.name_count, 2);
	assert_true(m.names[0].value == 1 && m.names[1].value == 2);
	assert_string_equal(m.names[0].name, "Tumour");
}

/* 0x0F and 0x18 share the fourth bit: alone each segment is whole. */
static void one_segment_is_read_by_its_name(void)
{
	static const char *const texts[] = {"Tumour", "2", "Lung"};
	static const uint32_t wanted[2][8] = {{0, 0, 0, 1, 1, 0, 0, 0}, {2, 2, 2, 2, 0, 0, 0, 0}};
	struct rs_error err = {0};
	for (size_t i = 0; i < 3; i++) {
		const struct rs_label_choice choice = {.texts = &texts[i], .count = 1};
		struct rs_mask m RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
		enum rs_code code = rs_mask_read_chosen(test_world, "/d/seg.dcm", NULL, &choice, &m, &err);
		assert_int_equal(code, i < 2 ? RS_OK : RS_NOT_FOUND);
		if (code != RS_OK)
			break;
		assert_memory_equal(m.labels, wanted[i], sizeof wanted[i]);
		assert_int_equal(m.name_count, 1);
	}
	assert_non_null(strstr(err.message, "there is no label 'Lung'; there are 1 'Tumour', 2 'Breast'"));
}

static void overlaps_and_tiles_are_refused(void **state)
{
	struct rs_mask m = {.labels = NULL};
	struct rs_error err = {0};
	(void)state;
	put_segmentation("0\\0\\10", 0xF0);
	assert_int_equal(rs_mask_read(test_world, "/d/seg.dcm", &m, &err), RS_OK);
	rs_mask_finish(&m);
	put_segmentation("0\\0\\10", 0x18);
	assert_int_equal(rs_mask_read(test_world, "/d/seg.dcm", &m, &err), RS_UNSUPPORTED);
	assert_non_null(strstr(err.message, "2 and 1 overlap"));
	one_segment_is_read_by_its_name();
	put_segmentation("8\\0\\10", 0x18);
	assert_int_equal(rs_mask_read(test_world, "/d/seg.dcm", &m, &err), RS_UNSUPPORTED);
	assert_non_null(strstr(err.message, "tiles"));
	assert_null(m.labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_are_ordered_by_place),
		cmocka_unit_test(some_files_of_a_directory_are_picked),
		cmocka_unit_test(what_is_no_straight_series_is_refused),
		cmocka_unit_test(objects_without_images_are_passed_over),
		cmocka_unit_test(files_without_a_preamble_are_read),
		cmocka_unit_test(mosaics_are_refused),
		cmocka_unit_test(a_grid_that_is_none_is_refused),
		cmocka_unit_test(empty_slices_of_segmentations_are_kept),
		cmocka_unit_test(overlaps_and_tiles_are_refused),
	};
	return cmocka_run_group_tests(tests, setup, test_teardown);
}
