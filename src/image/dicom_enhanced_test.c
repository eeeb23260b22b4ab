/* Enhanced multi-frame objects built with dicom's builder: frames in any order, own scales; gaps, mixed stacks, several
 * times, and lies about the number of frames. */
#include "image_test.h"
#include "dicom/dicom.h"
#include "image/image_series.h"

#define ENHANCED_MR "1.2.840.10008.5.1.4.1.1.4.1"

struct frame {
	const char *position, *orientation, *stack, *slope;
	uint32_t time;
	uint16_t value;
};

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

static void put_frame(struct rs_dicom_builder *b, const struct frame *frame)
{
	uint8_t time[4];
	rs_write_le32(time, frame->time);
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	begin_item(b, 0x00209111);
	rs_dicom_builder_text(b, 0x00209056, "SH", frame->stack ? frame->stack : "1");
	rs_dicom_builder_bytes(b, 0x00209128, "UL", rs_bytes_of(time, 4));
	end_item(b);
	begin_item(b, 0x00209113);
	if (frame->position)
		rs_dicom_builder_text(b, 0x00200032, "DS", frame->position);
	end_item(b);
	if (frame->orientation) {
		begin_item(b, 0x00209116);
		rs_dicom_builder_text(b, 0x00200037, "DS", frame->orientation);
		end_item(b);
	}
	if (frame->slope) {
		begin_item(b, 0x00289145);
		rs_dicom_builder_text(b, 0x00281052, "DS", "-5");
		rs_dicom_builder_text(b, 0x00281053, "DS", frame->slope);
		end_item(b);
	}
	rs_dicom_builder_end(b);
}

static void put_groups(struct rs_dicom_builder *b, const struct frame *frames, size_t count)
{
	begin_item(b, 0x52009229);
	begin_item(b, 0x00209116);
	rs_dicom_builder_text(b, 0x00200037, "DS", "0\\1\\0\\0\\0\\-1");
	end_item(b);
	begin_item(b, 0x00289110);
	rs_dicom_builder_text(b, 0x00180050, "DS", "4");
	rs_dicom_builder_text(b, 0x00280030, "DS", "0.5\\0.25");
	end_item(b);
	end_item(b);
	rs_dicom_builder_begin(b, 0x52009230);
	for (size_t i = 0; i < count; i++)
		put_frame(b, &frames[i]);
	rs_dicom_builder_end(b);
}

/* Frames of 2 x 1 pixels: the frame's value, and one more. `announced` is NumberOfFrames, `stored` how many have pixels. */
static size_t put_enhanced(const struct frame *frames, size_t count, const char *announced, size_t stored)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	uint16_t pixels[32] = {0};
	for (size_t i = 0; i < count; i++) {
		pixels[2 * i] = frames[i].value;
		pixels[2 * i + 1] = (uint16_t)(frames[i].value + 1);
	}
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 20);
	rs_dicom_builder_text(&b, 0x00080016, "UI", ENHANCED_MR);
	rs_dicom_builder_text(&b, 0x0020000E, "UI", "1.2.3");
	rs_dicom_builder_u16(&b, 0x00280002, 1);
	rs_dicom_builder_text(&b, 0x00280004, "CS", "MONOCHROME2");
	rs_dicom_builder_text(&b, 0x00280008, "IS", announced);
	rs_dicom_builder_u16(&b, 0x00280010, 1);
	rs_dicom_builder_u16(&b, 0x00280011, 2);
	for (uint32_t i = 0; i < 4; i++)
		rs_dicom_builder_u16(&b, 0x00280100 + i, i < 2 ? 16 : i == 2 ? 15 : 0);
	if (count)
		put_groups(&b, frames, count);
	rs_dicom_builder_words(&b, RS_DICOM_PIXEL_DATA, "OW", pixels, 2 * stored);
	rs_buffer_init(&file, 1 << 20);
	if (rs_dicom_builder_file(&b, ENHANCED_MR, "1.2.3.4", &file, &err) != RS_OK)
		fail_msg("%s", err.message);
	put_file("/d/e.dcm", file.data, file.size);
	return file.size;
}

static const struct frame three[] = {{"10\\-5\\7", NULL, NULL, NULL, 1, 100},
                                     {"7\\-5\\7", NULL, NULL, "2", 1, 200},
                                     {"8.5\\-5\\7", NULL, NULL, NULL, 1, 300}};

/* The normal is row x column = (-1, 0, 0): the frame at 10 is the first. */
static void frames_are_ordered_by_place(void **state)
{
	static const double wanted[] = {100, 101, 300, 301, 395, 397};
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	put_enhanced(three, 3, "3", 3);
	if (read_volume("/d/e.dcm", &v, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_true(v.geometry.size[0] == 2 && v.geometry.size[1] == 1 && v.geometry.size[2] == 3);
	near(v.geometry.spacing_mm[0], 0.25);
	near(v.geometry.spacing_mm[1], 0.5);
	near(v.geometry.spacing_mm[2], 1.5);
	near(v.geometry.origin_mm[0], 10);
	near(v.geometry.direction[1][0], 1);
	near(v.geometry.direction[2][1], -1);
	near(v.geometry.direction[0][2], -1);
	for (size_t i = 0; i < 6; i++)
		assert_true(v.voxels[i] == wanted[i]);
}

static void one_frame_has_its_thickness(void **state)
{
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	put_enhanced(three, 1, "1", 1);
	assert_int_equal(read_volume("/d/e.dcm", &v, &err), RS_OK);
	near(v.geometry.spacing_mm[2], 4);
	near(v.geometry.origin_mm[0], 10);
}

static void stacks_that_are_none_are_refused(void **state)
{
	static const struct {
		struct frame third;
		enum rs_code code;
		const char *words;
	} cases[] = {
		{{"5\\-5\\7", NULL, NULL, NULL, 1, 1},
	         RS_UNSUPPORTED,
	         "between frame 1 and frame 2 lie 3.0000"},
		{{"7\\-5\\7", NULL, NULL, NULL, 3, 1},
	         RS_UNSUPPORTED,
	         "frame 2 and frame 3 lie at the same place (-7.0000 mm); their TemporalPositionIndex is 1 and 3"},
		{{"8.5\\-4\\7", NULL, NULL, NULL, 1, 1}, RS_UNSUPPORTED, "shift by 1.0000 mm"},
		{{"8.5\\-5\\7", "1\\0\\0\\0\\1\\0", NULL, NULL, 1, 1}, RS_UNSUPPORTED, "frame 3 is turned"},
		{{"8.5\\-5\\7", NULL, "2", NULL, 1, 1}, RS_UNSUPPORTED, "frame 3 belongs to the stack '2'"},
		{{NULL, NULL, NULL, NULL, 1, 1}, RS_MALFORMED, "frame 3 has no ImagePositionPatient"},
		{{"8.5\\nan\\7", NULL, NULL, NULL, 1, 1}, RS_MALFORMED, "nowhere"},
		{{"8.5\\-5\\7", "0\\1\\0\\0\\0", NULL, NULL, 1, 1},
	         RS_MALFORMED,
	         "frame 3 has no orientation"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct frame frames[3] = {three[0], three[1], cases[i].third};
		put_enhanced(frames, 3, "3", 3);
		refused("/d/e.dcm", cases[i].code, cases[i].words);
	}
}

static void several_times_at_every_place_are_counted(void **state)
{
	const struct frame frames[] = {{"10\\0\\0", NULL, NULL, NULL, 1, 1},
	                               {"9\\0\\0", NULL, NULL, NULL, 1, 1},
	                               {"10\\0\\0", NULL, NULL, NULL, 2, 1},
	                               {"9\\0\\0", NULL, NULL, NULL, 2, 1}};
	(void)state;
	put_enhanced(frames, 4, "4", 4);
	refused("/d/e.dcm", RS_UNSUPPORTED, "at each of 2 places lie 2: several times");
}

static void one_of_several_times_is_picked(void **state)
{
	const struct frame frames[] = {{"10\\0\\0", NULL, NULL, NULL, 1, 1},
	                               {"9\\0\\0", NULL, NULL, NULL, 1, 3},
	                               {"10\\0\\0", NULL, NULL, NULL, 2, 5},
	                               {"9\\0\\0", NULL, NULL, NULL, 2, 7}};
	const struct rs_series_image second[] = {{"/d/e.dcm", 3}, {"/d/e.dcm", 2}},
				     beyond[] = {{"/d/e.dcm", 3}, {"/d/e.dcm", 4}};
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	put_enhanced(frames, 4, "4", 4);
	assert_int_equal(rs_volume_read_images(test_world, beyond, 2, &v, &err), RS_USAGE);
	assert_non_null(strstr(err.message, "no frame 5"));
	assert_int_equal(rs_volume_read_images(test_world, second, 2, &v, &err), RS_OK);
	assert_true(v.geometry.size[2] == 2 && v.voxels[0] == 5 && v.voxels[2] == 7);
}

static void lies_about_frames_are_refused(void **state)
{
	(void)state;
	put_enhanced(three, 3, "4", 4);
	refused("/d/e.dcm", RS_MALFORMED, "has 4 frames and describes 3");
	put_enhanced(three, 3, "3", 2);
	refused("/d/e.dcm", RS_MALFORMED, "8 bytes of pixel data cannot hold 3 frames");
	put_enhanced(three, 3, "2147483647", 3);
	refused("/d/e.dcm", RS_MALFORMED, "cannot hold 2147483647 frames");
	put_enhanced(three, 0, "3", 3);
	refused("/d/e.dcm", RS_UNSUPPORTED, "does not tell where they lie");
}

static void no_beginning_of_it_is_read(void **state)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err;
	(void)state;
	put_enhanced(three, 3, "3", 3);
	assert_int_equal(rs_file_read_all(test_world, "/d/e.dcm", 1 << 20, &file, &err), RS_OK);
	every_cut_is_refused_of("/d/e.dcm", file.data, file.size);
}

/* Every allocation in turn fails: told as that, and nothing is lost (the sanitizer looks). */
static void a_lack_of_memory_is_told(void **state)
{
	enum rs_code code = RS_NO_MEMORY;
	(void)state;
	put_enhanced(three, 3, "3", 3);
	for (uint64_t k = 1; code != RS_OK; k++) {
		struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
		struct rs_error err;
		rs_memory_fail_at(k);
		code = read_volume("/d/e.dcm", &v, &err);
		rs_memory_fail_at(0);
		if (code != RS_OK)
			assert_int_equal(code, RS_NO_MEMORY);
		assert_true(k < 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_ordered_by_place),
		cmocka_unit_test(one_frame_has_its_thickness),
		cmocka_unit_test(stacks_that_are_none_are_refused),
		cmocka_unit_test(several_times_at_every_place_are_counted),
		cmocka_unit_test(one_of_several_times_is_picked),
		cmocka_unit_test(lies_about_frames_are_refused),
		cmocka_unit_test(no_beginning_of_it_is_read),
		cmocka_unit_test(a_lack_of_memory_is_told),
	};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
