/* Masks with several values for each voxel, in every format that has them: files made by hand, one channel read. */
#include "image_test.h"

#define PATH "/d/a"
#define NRRD(sizes, kinds) \
	"NRRD0004\ntype: uint8\ndimension: 4\nsizes: " sizes "\nkinds: " kinds "\nencoding: raw\n\n"
#define META "NDims = 3\nDimSize = 2 2 1\nElementType = MET_UCHAR\n"

/* Of 2 x 2 x 1 voxels; channel 0 is 0 1 1 0, channel 1 is 2 0 0 2, channel 2 is 3 3 0 0. */
static const uint32_t wanted[3][4] = {{0, 1, 1, 0}, {2, 0, 0, 2}, {3, 3, 0, 0}};
static const char beside[] = "\0\2\3\1\0\3\1\0\0\0\2\0";  /* the channels of a voxel side by side */
static const char between[] = "\0\1\2\0\3\3\1\0\0\2\0\0"; /* those of a row */
static const char behind[] = "\0\1\1\0\2\0\0\2\3\3\0\0";  /* one image after the other */

static enum rs_code read_channel(const uint32_t *channel, struct rs_mask *out, struct rs_error *err)
{
	const struct rs_label_choice choice = {.has_channel = channel != NULL,
	                                       .channel = channel != NULL ? *channel : 0};
	*err = (struct rs_error){0};
	return rs_mask_read_chosen(test_world, PATH, NULL, &choice, out, err);
}

static void each_is_read(void)
{
	struct rs_mask mask = {.labels = NULL};
	struct rs_error err;
	uint32_t channel;
	for (channel = 0; channel < 3; channel++) {
		if (read_channel(&channel, &mask, &err) != RS_OK)
			fail_msg("%s", err.message);
		assert_memory_equal(mask.labels, wanted[channel], sizeof wanted[channel]);
		assert_string_equal(mask.note, "");
		rs_mask_finish(&mask);
	}
	assert_int_equal(read_channel(&channel, &mask, &err), RS_NOT_FOUND);
	assert_non_null(strstr(err.message, "3 channels, 0 to 2"));
	assert_int_equal(read_channel(NULL, &mask, &err), RS_OK);
	assert_memory_equal(mask.labels, wanted[0], sizeof wanted[0]);
	assert_non_null(strstr(mask.note, "3 channels, of which the first"));
	rs_mask_finish(&mask);
	refused(PATH, RS_UNSUPPORTED, "3 channels, as masks may have");
}

static void text_headers(void **state)
{
	static const struct {
		const char *header, *voxels;
	} files[] = {
		{NRRD("3 2 2 1", "vector domain domain domain"), beside},
		{NRRD("2 3 2 1", "domain list domain domain"), between},
		{NRRD("2 2 3 1", "space space RGB-color space"), behind},
		{NRRD("2 2 1 3", "domain domain domain list"), behind},
		{META "ElementNumberOfChannels = 3\nElementDataFile = LOCAL\n", beside},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(files); i++) {
		put_text(PATH, files[i].header, files[i].voxels, 12);
		each_is_read();
	}
}

/* NIfTI's fifth dimension; scaling holds for all. */
static void the_fifth_dimension(void **state)
{
	static const uint16_t dim[8] = {5, 2, 2, 1, 1, 3, 1, 1};
	uint8_t file[364] = {0};
	(void)state;
	rs_write_le32(file, 348);
	for (size_t i = 0; i < 8; i++) {
		rs_write_le16(file + 40 + 2 * i, dim[i]);
		rs_write_le32(file + 76 + 4 * i, 0x3f800000); /* pixdim 1 */
	}
	rs_write_le16(file + 70, 2);
	rs_write_le16(file + 72, 8);
	rs_write_le32(file + 108, 0x43b00000); /* 352 */
	memcpy(file + 344, "n+1", 4);
	memcpy(file + 352, behind, 12);
	put_file(PATH, file, sizeof file);
	each_is_read();
	put_file(PATH, file, sizeof file - 1);
	refused(PATH, RS_MALFORMED, "its header announces 364");
}

static void a_plain_mask_has_every_channel(void **state)
{
	const uint32_t channel = 7;
	struct rs_mask mask = {.labels = NULL};
	struct rs_error err;
	(void)state;
	put_text(PATH, META "ElementDataFile = LOCAL\n", "\0\1\1\0", 4);
	assert_int_equal(read_channel(&channel, &mask, &err), RS_OK);
	assert_memory_equal(mask.labels, wanted[0], sizeof wanted[0]);
	rs_mask_finish(&mask);
}

/* Told to, a layer of Slicer's is a channel with its own labels, whatever overlaps it. */
static void a_layer_is_a_channel(void **state)
{
	const uint32_t channel = 1;
	struct rs_mask mask = {.labels = NULL};
	struct rs_error err;
	(void)state;
	put_text(PATH,
	         "NRRD0004\ntype: uint8\ndimension: 4\nsizes: 2 2 2 1\nkinds: list domain domain domain\n"
	         "encoding: raw\nSegment0_LabelValue:=1\nSegment0_Name:=Organ\nSegment0_Layer:=0\n"
	         "Segment1_LabelValue:=2\nSegment1_Name:=Vessel\nSegment1_Layer:=1\n"
	         "Segment2_LabelValue:=1\nSegment2_Name:=Tumour\nSegment2_Layer:=1\n\n",
	         "\1\0\1\1\1\0\0\2", 8);
	assert_int_equal(read_channel(&channel, &mask, &err), RS_OK);
	assert_memory_equal(mask.labels, ((const uint32_t[]){0, 1, 0, 2}), 4 * sizeof(uint32_t));
	assert_true(mask.name_count == 2 && mask.names[0].value == 1 && mask.names[1].value == 2);
	assert_string_equal(mask.names[0].name, "Tumour");
	rs_mask_finish(&mask);
}

static void what_is_no_channel_is_refused(void **state)
{
	static const struct {
		const char *header;
		enum rs_code code;
		const char *words;
	} cases[] = {
		{NRRD("3 2 2 1", "time domain domain domain"), RS_UNSUPPORTED, "axis 0 holds 3 values"},
		{NRRD("2 2 1 3", "domain domain domain domain"), RS_UNSUPPORTED, "axis 3 holds 3 values"},
		{NRRD("2 2 2 1", "vector vector domain domain"), RS_UNSUPPORTED, "axis 1 holds 2 values"},
		{NRRD("0 2 2 1", "vector domain domain domain"), RS_UNSUPPORTED, "axis 0 holds 0 values"},
		{NRRD("9223372036854775807 2 2 1", "vector domain domain domain"), RS_TOO_LARGE, "channels"},
		{NRRD("1000000000 2 2 1", "vector domain domain domain"), RS_MALFORMED, "4000000000 bytes"},
		{META "ElementNumberOfChannels = 0\n", RS_MALFORMED, "Channels"},
		{META "ElementNumberOfChannels = 99999999999\nElementDataFile = LOCAL\nabc", RS_MALFORMED,
	         "bytes, there are 3"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		put_text(PATH, cases[i].header, "", 0);
		refused(PATH, cases[i].code, cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_headers),
		cmocka_unit_test(the_fifth_dimension),
		cmocka_unit_test(a_plain_mask_has_every_channel),
		cmocka_unit_test(a_layer_is_a_channel),
		cmocka_unit_test(what_is_no_channel_is_refused),
	};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
