/* NRRD files made by hand from teem's definition of the format, read and refused. */
#include "image_test.h"

#define PATH "/d/a.nrrd"
#define CUBE "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2 2\n"

static void spaces_become_lps(void **state)
{
	static const struct {
		const char *space;
		double x, y;
	} spaces[] = {{"left-posterior-superior", 1, 1}, {"RAS", -1, -1}, {"left-anterior-superior", 1, -1}};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(spaces); i++) {
		struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
		struct rs_error err;
		char header[512];
		snprintf(header, sizeof header,
		         CUBE "space: %s\nspace directions: (2,0,0) (0,3,0) (0,0,4)\n"
		              "space origin: (1,2,3)\nencoding: raw\n\n",
		         spaces[i].space);
		put_text(PATH, header, "\1\2\3\4\5\6\7\10", 8);
		assert_int_equal(read_volume(PATH, &v, &err), RS_OK);
		near(v.geometry.origin_mm[0], spaces[i].x * 1);
		near(v.geometry.origin_mm[1], spaces[i].y * 2);
		near(v.geometry.origin_mm[2], 3);
		near(v.geometry.direction[0][0], spaces[i].x);
		near(v.geometry.direction[1][1], spaces[i].y);
		near(v.geometry.spacing_mm[1], 3);
		assert_true(v.voxels[7] == 8);
	}
}

static void encodings_and_endians_agree(void **state)
{
	static const struct {
		const char *type, *fields, *data;
		size_t size;
	} files[] = {
		{"int16", "encoding: raw\nendian: big\n", "\1\2\377\376\0\0", 6},
		{"int16", "encoding: raw\nendian: little\n", "\2\1\376\377\0\0", 6},
		{"short", "encoding: ascii\n", "258 -2\n0\n", 9},
		{"signed short", "encoding: hex\nendian: little\n", "0201 feFF\n0000", 14},
		{"int16", "encoding: raw\nendian: big\nbyte skip: -1\n", "junk\1\2\377\376\0\0", 10},
		{"int16", "encoding: raw\nendian: big\nbyte skip: 2\n", "ju\1\2\377\376\0\0", 8},
		{"int16", "encoding: raw\nendian: big\nline skip: 2\n", "a\nb\n\1\2\377\376\0\0", 10},
		{"double", "encoding: txt\n", "2.58e2, -2 0", 12},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(files); i++) {
		struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
		struct rs_error err;
		char header[256];
		snprintf(header, sizeof header,
		         "NRRD0005\n# a comment\ntype: %s\ndimension: 1\nsizes: 3\n%s\n", files[i].type,
		         files[i].fields);
		put_text(PATH, header, files[i].data, files[i].size);
		if (read_volume(PATH, &v, &err) != RS_OK)
			fail_msg("%s: %s", files[i].fields, err.message);
		assert_true(v.voxels[0] == 258 && v.voxels[1] == -2 && v.voxels[2] == 0);
	}
}

/* SimpleITK writes planes with vectors of two numbers. */
static void a_plane_has_one_slice(void **state)
{
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	put_text(
		PATH,
		"NRRD0004\ntype: uint8\ndimension: 2\nspace dimension: 2\nsizes: 2 1\n"
		"space directions: (0.5,0) (0,2)\nkinds: domain domain\nencoding: raw\nspace origin: (4,5)\n\n",
		"\1\2", 2);
	assert_int_equal(read_volume(PATH, &v, &err), RS_OK);
	assert_int_equal(v.geometry.size[2], 1);
	near(v.geometry.direction[2][2], 1);
	near(v.geometry.spacing_mm[0], 0.5);
	near(v.geometry.origin_mm[1], 5);
}

static void detached_data_stay_in_their_directory(void **state)
{
	static const char *const escapes[] = {"../secret", "/etc/passwd", "sub/x.raw", "..", ".hidden"};
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	put_file("/d/a.raw", "\1\2\3\4\5\6\7\10", 8);
	put_text(PATH, CUBE "encoding: raw\ndata file: a.raw\n\n", "", 0);
	assert_int_equal(read_volume(PATH, &v, &err), RS_OK);
	assert_true(v.voxels[7] == 8);
	for (size_t i = 0; i < RS_COUNT(escapes); i++) {
		char header[256];
		snprintf(header, sizeof header, CUBE "encoding: raw\ndata file: %s\n\n", escapes[i]);
		put_text(PATH, header, "", 0);
		refused(PATH, RS_UNSUPPORTED, "beside the header");
	}
	put_text(PATH, CUBE "encoding: raw\ndata file: gone.raw\n\n", "", 0);
	refused(PATH, RS_NOT_FOUND, "gone.raw");
	put_text(PATH, CUBE "encoding: raw\ndata file: slice%03d.raw 0 9 1\n\n", "", 0);
	refused(PATH, RS_UNSUPPORTED, "several files");
}

static void names_of_segments_are_sorted(void **state)
{
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_error err = {0};
	(void)state;
	put_text(PATH,
	         CUBE "encoding: raw\nSegment0_LabelValue:=5\nSegment0_Name:=Tumour\nSegment0_Layer:=0\n"
	              "Segment3_LabelValue:=2\nSegment3_Name:=Breast\nSegment3_Layer:=0\n\n",
	         "\0\5\5\2\2\0\0\0", 8);
	assert_int_equal(rs_mask_read(test_world, PATH, &mask, &err), RS_OK);
	assert_int_equal(mask.name_count, 2);
	assert_true(mask.names[0].value == 2 && mask.names[1].value == 5);
	assert_string_equal(mask.names[1].name, "Tumour");
	assert_true(mask.labels[1] == 5 && mask.labels[3] == 2);
}

/* Slicer: two layers side by side for each of 2 x 2 x 1 voxels; both layers use the label 1. */
#define LAYERS                                                                                            \
	"NRRD0004\ntype: uint8\ndimension: 4\nsizes: 2 2 2 1\nkinds: list domain domain domain\n"         \
	"space: left-posterior-superior\nspace directions: none (1,0,0) (0,1,0) (0,0,1)\nencoding: raw\n" \
	"Segment0_LabelValue:=1\nSegment0_Name:=Organ\nSegment0_Layer:=0\n"                               \
	"Segment1_LabelValue:=1\nSegment1_Name:=Tumour\nSegment1_Layer:=1\n"                              \
	"Segment2_LabelValue:=2\nSegment2_Name:=Vessel\nSegment2_Layer:=1\n"

static enum rs_code read_segment(const char *text, struct rs_mask *out, struct rs_error *err)
{
	const struct rs_label_choice choice = {.texts = &text, .count = text != NULL};
	*err = (struct rs_error){0};
	return rs_mask_read_chosen(test_world, PATH, NULL, &choice, out, err);
}

static void overlapping_segments_are_read_one_by_one(void **state)
{
	static const char *const texts[] = {"Organ", "Tumour", "3"};
	static const uint32_t wanted[3][4] = {{1, 1, 1, 0}, {0, 2, 0, 0}, {0, 0, 0, 3}};
	struct rs_mask mask = {.labels = NULL};
	struct rs_label *names = NULL;
	size_t count = 0;
	struct rs_error err;
	(void)state;
	put_text(PATH, LAYERS "\n", "\1\0\1\1\1\0\0\2", 8);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(read_segment(texts[i], &mask, &err), RS_OK);
		assert_memory_equal(mask.labels, wanted[i], sizeof wanted[i]);
		assert_int_equal(mask.name_count, 1);
		rs_mask_finish(&mask);
	}
	assert_int_equal(read_segment(NULL, &mask, &err), RS_UNSUPPORTED);
	assert_non_null(strstr(err.message, "1 'Organ' and 2 'Tumour' overlap"));
	assert_int_equal(read_segment("Liver", &mask, &err), RS_NOT_FOUND);
	refused(PATH, RS_UNSUPPORTED, "2 channels");
	assert_int_equal(rs_mask_names(test_world, PATH, &names, &count, &err), RS_OK);
	assert_true(count == 3 && names[2].value == 3 && strcmp(names[2].name, "Vessel") == 0);
	rs_free(names);
	put_text(PATH, LAYERS "\n", "\1\0\0\1\1\0\0\2", 8);
	assert_int_equal(read_segment(NULL, &mask, &err), RS_OK);
	assert_memory_equal(mask.labels, ((const uint32_t[]){1, 2, 1, 3}), 4 * sizeof(uint32_t));
	rs_mask_finish(&mask);
}

static void layers_that_do_not_fit_are_refused(void **state)
{
	static const struct {
		const char *key, *voxels, *words;
	} cases[] = {
		{"Segment4_LabelValue:=1\nSegment4_Layer:=2\n", "\1\0\0\1\1\0\0\2",
	         "in layer 2, which is not"},
		{"Segment4_LabelValue:=2\nSegment4_Layer:=1\n", "\1\0\0\1\1\0\0\2",
	         "two segments have the label 2"},
		{"", "\1\0\0\1\1\0\0\3", "the label 3, which no segment has"},
		{"Segment4_LabelValue:=x\n", "\1\0\0\1\1\0\0\2", "Segment4_LabelValue"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		char header[1024];
		struct rs_mask mask = {.labels = NULL};
		struct rs_error err;
		snprintf(header, sizeof header, LAYERS "%s\n", cases[i].key);
		put_text(PATH, header, cases[i].voxels, 8);
		assert_int_equal(read_segment(NULL, &mask, &err), RS_MALFORMED);
		assert_null(mask.labels);
		if (!strstr(err.message, cases[i].words))
			fail_msg("%s", err.message);
	}
}

/* A single layer of Slicer's has its axis, too: in front, with no direction. */
static void one_layer_is_a_mask(void **state)
{
	static const char header[] =
		"NRRD0004\ntype: uint8\ndimension: 4\nspace: LPS\nsizes: 1 2 2 2\n"
		"space directions: none (1,0,0) (0,1,0) (0,0,2)\nkinds: list domain domain domain\n"
		"encoding: raw\nSegment0_LabelValue:=7\nSegment0_Name:=Rectum\n\n";
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_error err = {0};
	(void)state;
	put_text(PATH, header, "\0\7\7\0\0\0\0\0", 8);
	if (rs_mask_read(test_world, PATH, &mask, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_true(mask.geometry.size[0] == 2 && mask.labels[2] == 7 && mask.name_count == 1);
	near(mask.geometry.spacing_mm[2], 2);
}

/* Written on Windows: every line ends with two characters. */
static void headers_of_windows_are_read(void **state)
{
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	put_text(
		PATH,
		"NRRD0004\r\ntype: uint8\r\ndimension: 2\r\nsizes: 2 1\r\nspacings: 0.5 nan\r\nencoding: raw\r\n\r\n",
		"\r\n", 2);
	if (read_volume(PATH, &v, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_true(v.voxels[0] == '\r' && v.voxels[1] == '\n');
	near(v.geometry.spacing_mm[0], 0.5);
	near(v.geometry.spacing_mm[1], 1);
}

static void masks_with_fractions_are_refused(void **state)
{
	struct rs_mask mask = {.labels = NULL};
	struct rs_error err = {0};
	(void)state;
	put_text(PATH, "NRRD0004\ntype: float\ndimension: 1\nsizes: 2\nencoding: ascii\n\n", "1 0.5", 5);
	assert_int_equal(rs_mask_read(test_world, PATH, &mask, &err), RS_MALFORMED);
	assert_non_null(strstr(err.message, "0.5"));
	put_text(PATH, "NRRD0004\ntype: int8\ndimension: 1\nsizes: 2\nencoding: ascii\n\n", "1 -1", 4);
	assert_int_equal(rs_mask_read(test_world, PATH, &mask, &err), RS_MALFORMED);
	assert_null(mask.labels);
}

static void hostile_headers_are_refused(void **state)
{
	static const struct {
		const char *header;
		enum rs_code code;
		const char *words;
	} cases[] = {
		{CUBE "encoding: raw\nspacings: 1 0 1\n\n", RS_MALFORMED, "spacing of 0"},
		{CUBE "encoding: raw\nspacings: 1 -2 1\n\n", RS_MALFORMED, "spacing of -2"},
		{CUBE "encoding: raw\nspace directions: (1,0,0) (0.5,1,0) (0,0,1)\n\n", RS_UNSUPPORTED,
	         "perpendicular"},
		{CUBE "encoding: raw\nspace directions: (0,0,0) (0,1,0) (0,0,1)\n\n", RS_MALFORMED,
	         "spacing of 0"},
		{CUBE "encoding: bzip2\n\n", RS_UNSUPPORTED, "bzip2"},
		{CUBE "encoding: raw\nspace: scanner-xyz\n\n", RS_UNSUPPORTED, "scanner-xyz"},
		{"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 4294967295 4294967295 2\nencoding: raw\n\n",
	         RS_TOO_LARGE, "too large"},
		{"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 1000 1000 1000\nencoding: gzip\n\n",
	         RS_MALFORMED, "cannot hold the 1000000000"},
		{"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 1000 1000 1000\nencoding: raw\n\n",
	         RS_MALFORMED, "1000000000"},
		{"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 2\nencoding: raw\n\n", RS_MALFORMED, "sizes"},
		{"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 0 2\nencoding: raw\n\n", RS_TOO_LARGE,
	         "empty"},
		{"NRRD0004\ntype: int16\ndimension: 1\nsizes: 2\nencoding: raw\n\nabcd", RS_MALFORMED,
	         "endian"},
		{"NRRD0004\ntype: uint8\ndimension: 1\nsizes: 2\nencoding: ascii\n\n1 256", RS_MALFORMED,
	         "voxel 1"},
		{"NRRD0004\ntype: block\ndimension: 1\nsizes: 2\nencoding: raw\n\n", RS_MALFORMED, "block"},
		{CUBE "encoding: raw\nbyte skip: 9999999999\n\n", RS_MALFORMED, "bytes"},
		{CUBE "encoding: raw\nbyte skip: -2\n\n", RS_MALFORMED, "byte skip"},
		{CUBE "encoding: raw\nline skip: 99\n\n", RS_MALFORMED, "lines"},
		{CUBE "encoding: hex\n\n00 01 02 0g 04 05 06 07", RS_MALFORMED, "not hexadecimal"},
		{CUBE "encoding: hex\n\n00 01 02 03 04 05 06", RS_MALFORMED, "8 bytes, there are 7"},
		{CUBE "spacings: 1 one 1\nencoding: raw\n\n", RS_MALFORMED, "'1 one 1'"},
		{CUBE "space directions: (1,0,0) 0 (0,0,1)\nencoding: raw\n\n", RS_MALFORMED,
	         "space directions"},
		{CUBE "space directions: (1,0,0,0) (0,1,0) (0,0,1)\nencoding: raw\n\n", RS_MALFORMED,
	         "space directions"},
		{CUBE "kinds: domain domain domain domain domain\nencoding: raw\n\n", RS_MALFORMED, "kinds"},
		{CUBE "encoding: raw\nSegment0_LabelValue:=-1\n\n", RS_MALFORMED, "Segment0_LabelValue"},
		{CUBE "encoding: raw\nSegment0_Layer:=x\n\n", RS_MALFORMED, "Segment0_Layer"},
		{CUBE "encoding: raw\nno colon here\n\n", RS_MALFORMED, "line 6 is neither"},
		{CUBE "encoding:raw\n\n", RS_MALFORMED, "line 5 is neither"},
		{"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 two 2\nencoding: raw\n\n", RS_MALFORMED,
	         "sizes"},
		{"NRRD0004\ntype: uint8\ndimension: 5\nsizes: 2 2 2 2 2\nencoding: raw\n\n", RS_UNSUPPORTED,
	         "5 axes"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		put_text(PATH, cases[i].header, "", 0);
		refused(PATH, cases[i].code, cases[i].words);
	}
}

static void every_cut_is_refused(void **state)
{
	static const char file[] = CUBE
		"space: left-posterior-superior\nspace directions: (2,0,0) (0,3,0) (0,0,4)\n"
		"space origin: (1,2,3)\nencoding: raw\n\n\1\2\3\4\5\6\7\10";
	(void)state;
	every_cut_is_refused_of(PATH, file, sizeof file - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spaces_become_lps),
		cmocka_unit_test(encodings_and_endians_agree),
		cmocka_unit_test(a_plane_has_one_slice),
		cmocka_unit_test(detached_data_stay_in_their_directory),
		cmocka_unit_test(names_of_segments_are_sorted),
		cmocka_unit_test(overlapping_segments_are_read_one_by_one),
		cmocka_unit_test(layers_that_do_not_fit_are_refused),
		cmocka_unit_test(one_layer_is_a_mask),
		cmocka_unit_test(headers_of_windows_are_read),
		cmocka_unit_test(masks_with_fractions_are_refused),
		cmocka_unit_test(hostile_headers_are_refused),
		cmocka_unit_test(every_cut_is_refused),
	};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
