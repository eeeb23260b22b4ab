/* MetaImage files made by hand after MetaIO's documentation, read and refused. */
#include "image_test.h"

#define PATH "/d/a.mha"
#define HEAD "ObjectType = Image\nNDims = 3\nBinaryData = True\nDimSize = 2 1 2\n"

/* The rows of TransformMatrix are the directions of the axes. */
static void the_matrix_is_read_by_rows(void **state)
{
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err;
	(void)state;
	put_text(PATH,
	         HEAD "BinaryDataByteOrderMSB = True\nTransformMatrix = 0 1 0 0 0 1 1 0 0\nOffset = 1 2 3\n"
	              "ElementSpacing = 0.5 2 4\nElementType = MET_SHORT\nElementDataFile = LOCAL\n",
	         "\1\2\377\376\0\3\0\4", 8);
	assert_int_equal(read_volume(PATH, &v, &err), RS_OK);
	near(v.geometry.direction[1][0], 1);
	near(v.geometry.direction[2][1], 1);
	near(v.geometry.direction[0][2], 1);
	near(v.geometry.origin_mm[2], 3);
	near(v.geometry.spacing_mm[2], 4);
	assert_true(v.voxels[0] == 258 && v.voxels[1] == -2 && v.voxels[3] == 4);
}

static void a_header_before_the_voxels_is_skipped(void **state)
{
	static const char *const sizes[] = {"3", "-1"};
	(void)state;
	put_file("/d/a.raw", "\7\7\7\1\2\3\4", 7);
	for (size_t i = 0; i < RS_COUNT(sizes); i++) {
		struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
		struct rs_error err;
		char header[256];
		snprintf(header, sizeof header,
		         HEAD "HeaderSize = %s\nElementType = MET_UCHAR\nElementDataFile = a.raw\n",
		         sizes[i]);
		put_text(PATH, header, "", 0);
		assert_int_equal(read_volume(PATH, &v, &err), RS_OK);
		assert_true(v.voxels[0] == 1 && v.voxels[3] == 4);
	}
	put_text(PATH, HEAD "HeaderSize = 8\nElementType = MET_UCHAR\nElementDataFile = a.raw\n", "", 0);
	refused(PATH, RS_MALFORMED, "HeaderSize 8");
}

static void hostile_headers_are_refused(void **state)
{
	static const struct {
		const char *header;
		enum rs_code code;
		const char *words;
	} cases[] = {
		{HEAD "ElementSpacing = 1 0 1\nElementType = MET_UCHAR\nElementDataFile = LOCAL\nabcd",
	         RS_MALFORMED, "of 0 mm"},
		{HEAD "ElementSpacing = 1 nan 1\nElementType = MET_UCHAR\nElementDataFile = LOCAL\nabcd",
	         RS_MALFORMED, "nan"},
		{HEAD
	         "TransformMatrix = 1 1 0 0 1 0 0 0 1\nElementType = MET_UCHAR\nElementDataFile = LOCAL\nabcd",
	         RS_UNSUPPORTED, "perpendicular"},
		{HEAD "ElementType = MET_UCHAR\nElementDataFile = ../a\n", RS_UNSUPPORTED, "ElementDataFile"},
		{HEAD "ElementType = MET_UCHAR\nElementDataFile = LIST\n", RS_UNSUPPORTED, "ElementDataFile"},
		{HEAD "ElementType = MET_UCHAR_ARRAY\nElementDataFile = LOCAL\n", RS_UNSUPPORTED,
	         "ElementType"},
		{"NDims = 3\nDimSize = 1e4 1e4 1e4\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n",
	         RS_TOO_LARGE, "large"},
		{"NDims = 3\nDimSize = 999 999 999\nElementType = MET_UCHAR\nCompressedData = True\nElementDataFile = LOCAL\nx",
	         RS_MALFORMED, "cannot hold"},
		{"NDims = 3\nDimSize = 2 -1 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n",
	         RS_MALFORMED, "-1"},
		{"NDims = 9\nDimSize = 2 1 2\n", RS_UNSUPPORTED, "NDims"},
		{HEAD "ElementType = MET_UCHAR\n", RS_MALFORMED, "missing"},
		{HEAD "ElementType = MET_UCHAR\nElementDataFile = LOCAL\nabc", RS_MALFORMED,
	         "4 bytes, there are 3"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		put_text(PATH, cases[i].header, "", 0);
		refused(PATH, cases[i].code, cases[i].words);
	}
}

static void every_cut_is_refused(void **state)
{
	static const char file[] = HEAD "ElementType = MET_UCHAR\nElementDataFile = LOCAL\n\1\2\3\4";
	(void)state;
	every_cut_is_refused_of(PATH, file, sizeof file - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_matrix_is_read_by_rows),
		cmocka_unit_test(a_header_before_the_voxels_is_skipped),
		cmocka_unit_test(hostile_headers_are_refused),
		cmocka_unit_test(every_cut_is_refused),
	};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
