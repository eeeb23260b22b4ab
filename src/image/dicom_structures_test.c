/* Structure sets built with dicom's builder on straight and turned grids: which voxels, which names, which refusals. */
#include "image_test.h"
#include "dicom/dicom.h"

#define RTSTRUCT "1.2.840.10008.5.1.4.1.1.481.3"

/* Corners in voxels (column, row) on slice `slice`. */
struct outline {
	int64_t roi;
	const char *type;
	double slice;
	size_t count;
	double corners[6][2];
};
struct roi {
	int64_t number;
	const char *name;
};
static const struct roi two_rois[] = {{7, "Tumour"}, {3, "Organ at risk"}};

static const struct rs_geometry straight = {
	.size = {8, 6, 4},
	.spacing_mm = {2, 3, 5},
	.origin_mm = {-10, 20, 30},
	.direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
};
/* Turned about all axes (columns are 2/3 -1/3 2/3, …), as an oblique MR. */
static const struct rs_geometry oblique = {
	.size = {8, 6, 4},
	.spacing_mm = {0.7, 1.3, 4},
	.origin_mm = {-110.25, 20.5, 35},
	.direction = {{2. / 3, -1. / 3, 2. / 3}, {2. / 3, 2. / 3, -1. / 3}, {-1. / 3, 2. / 3, 2. / 3}},
};

static size_t put_point(const struct rs_geometry *g, const double index[3], char *out, size_t size)
{
	double p[3];
	for (int row = 0; row < 3; row++) {
		p[row] = g->origin_mm[row];
		for (int axis = 0; axis < 3; axis++)
			p[row] += g->direction[row][axis] * g->spacing_mm[axis] * index[axis];
	}
	return (size_t)snprintf(out, size, "%.9f\\%.9f\\%.9f", p[0], p[1], p[2]);
}

/* `across`: the image's axis across the outlines. */
static void put_outline(struct rs_dicom_builder *b, const struct rs_geometry *g, const struct outline *o,
                        int across)
{
	char text[1024], count[8];
	size_t used = 0;
	for (size_t i = 0; i < o->count; i++) {
		double index[3];
		index[across] = o->slice;
		index[across == 0 ? 1 : 0] = o->corners[i][0];
		index[across == 2 ? 1 : 2] = o->corners[i][1];
		if (i)
			text[used++] = '\\';
		used += put_point(g, index, text + used, sizeof text - used);
	}
	snprintf(count, sizeof count, "%zu", o->count);
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	rs_dicom_builder_text(b, 0x30060042, "CS", o->type);
	rs_dicom_builder_text(b, 0x30060046, "IS", count);
	rs_dicom_builder_text(b, 0x30060050, "DS", text);
	rs_dicom_builder_end(b);
}

static void put_number(struct rs_dicom_builder *b, uint32_t tag, int64_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)number);
	rs_dicom_builder_text(b, tag, "IS", text);
}

static void put_rois(struct rs_dicom_builder *b, const struct roi *rois, size_t count)
{
	rs_dicom_builder_begin(b, 0x30060020);
	for (size_t i = 0; i < count; i++) {
		rs_dicom_builder_begin(b, RS_DICOM_ITEM);
		put_number(b, 0x30060022, rois[i].number);
		rs_dicom_builder_text(b, 0x30060026, "LO", rois[i].name);
		rs_dicom_builder_end(b);
	}
	rs_dicom_builder_end(b);
}

static void put_structures(const struct rs_geometry *g, const struct outline *outlines, size_t count,
                           const struct roi *rois, size_t roi_count, int across)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	rs_dicom_builder_init(&b, RS_DICOM_IMPLICIT_LE, 1 << 20);
	rs_dicom_builder_text(&b, 0x00080005, "CS", "ISO_IR 192");
	rs_dicom_builder_text(&b, 0x00080016, "UI", RTSTRUCT);
	put_rois(&b, rois, roi_count);
	rs_dicom_builder_begin(&b, 0x30060039);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || outlines[i].roi != outlines[i - 1].roi) {
			rs_dicom_builder_begin(&b, RS_DICOM_ITEM);
			rs_dicom_builder_begin(&b, 0x30060040);
		}
		put_outline(&b, g, &outlines[i], across);
		if (i + 1 == count || outlines[i].roi != outlines[i + 1].roi) {
			rs_dicom_builder_end(&b);
			put_number(&b, 0x30060084, outlines[i].roi);
			rs_dicom_builder_end(&b);
		}
	}
	rs_dicom_builder_end(&b);
	rs_buffer_init(&file, 1 << 20);
	if (rs_dicom_builder_file(&b, RTSTRUCT, "1.2.3.4", &file, &err) != RS_OK)
		fail_msg("%s", err.message);
	put_file("/d/rs.dcm", file.data, file.size);
}

static enum rs_code read_structures(const struct rs_geometry *g, const char *label, struct rs_mask *out,
                                    struct rs_error *err)
{
	const struct rs_label_choice choice = {.texts = &label, .count = label != NULL};
	*err = (struct rs_error){0};
	return rs_mask_read_chosen(test_world, "/d/rs.dcm", g, &choice, out, err);
}

static void not_read(const struct rs_geometry *g, const char *label, enum rs_code code, const char *words)
{
	struct rs_mask mask = {.labels = NULL};
	struct rs_error err;
	enum rs_code got = read_structures(g, label, &mask, &err);
	assert_null(mask.labels);
	if (got != code || !strstr(err.message, words))
		fail_msg("%s: %s", rs_code_name(got), err.message);
}

/* Columns from .. to, rows top .. bottom of a slice. */
struct box {
	uint32_t label;
	size_t slice, left, right, top, bottom;
};

static void expect_boxes(const struct rs_mask *mask, const struct box *boxes, size_t count)
{
	const size_t *size = mask->geometry.size;
	for (size_t i = 0; i < rs_geometry_voxels(&mask->geometry); i++) {
		size_t x = i % size[0], y = i / size[0] % size[1], z = i / size[0] / size[1];
		uint32_t wanted = 0;
		for (size_t k = 0; k < count; k++)
			if (z == boxes[k].slice && x >= boxes[k].left && x <= boxes[k].right &&
			    y >= boxes[k].top && y <= boxes[k].bottom)
				wanted = boxes[k].label;
		if (mask->labels[i] != wanted)
			fail_msg("voxel %zu %zu %zu is %u, not %u", x, y, z, mask->labels[i], wanted);
	}
}

/* A ring by a second contour on one slice, the same by a keyhole on the next, another region, and two points. */
static const struct outline rings[] = {
	{3, "CLOSED_PLANAR", 3, 4, {{5.5, 0.5}, {7.5, 0.5}, {7.5, 1.5}, {5.5, 1.5}}},
	{7, "CLOSED_PLANAR", 1, 4, {{0.5, 0.5}, {5.5, 0.5}, {5.5, 4.5}, {0.5, 4.5}}},
	{7, "CLOSED_PLANAR", 2, 4, {{0.5, 0.5}, {5.5, 0.5}, {5.5, 4.5}, {0.5, 4.5}}},
	{7, "CLOSED_PLANAR", 1, 4, {{2.5, 1.5}, {3.5, 1.5}, {3.5, 3.5}, {2.5, 3.5}}},
	{7, "POINT", 1, 1, {{3, 3}}},
	{7, "OPEN_PLANAR", 1, 2, {{3, 3}, {4, 4}}},
	{7, "CLOSED_PLANAR", 2, 2, {{3, 3}, {4, 4}}},
};
static const struct box ring_boxes[] = {
	{1, 3, 6, 7, 1, 1}, {2, 1, 1, 5, 1, 4}, {0, 1, 3, 3, 2, 3}, {2, 2, 1, 5, 1, 4}};

static void regions_are_filled_on_any_grid(void **state)
{
	const struct rs_geometry *grids[] = {&straight, &oblique};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
		struct rs_error err;
		put_structures(grids[i], rings, RS_COUNT(rings), two_rois, 2, 2);
		if (read_structures(grids[i], NULL, &mask, &err) != RS_OK)
			fail_msg("%s", err.message);
		assert_memory_equal(&mask.geometry, grids[i], sizeof mask.geometry);
		expect_boxes(&mask, ring_boxes, RS_COUNT(ring_boxes));
		assert_int_equal(mask.name_count, 2);
		assert_true(mask.names[0].value == 1 && mask.names[1].value == 2);
		assert_string_equal(mask.names[0].name, "Organ at risk");
		assert_string_equal(mask.names[1].name, "Tumour");
		assert_string_equal(mask.note, "contours left out that are points or open lines: 2; "
		                               "contours left out that have one or two points: 1");
	}
}

/* An image stored in another order of axes: contours across its columns. */
static void slices_may_lie_across_any_axis(void **state)
{
	static const struct outline box[] = {
		{7, "CLOSED_PLANAR", 4, 4, {{0.5, 0.5}, {3.5, 0.5}, {3.5, 2.5}, {0.5, 2.5}}},
		{7, "CLOSED_PLANAR", 5, 4, {{0.5, 0.5}, {3.5, 0.5}, {3.5, 2.5}, {0.5, 2.5}}}};
	const struct box across_columns[] = {{2, 1, 4, 5, 1, 3}, {2, 2, 4, 5, 1, 3}};
	const struct box across_rows[] = {{2, 1, 1, 3, 4, 5}, {2, 2, 1, 3, 4, 5}};
	(void)state;
	for (int across = 0; across < 2; across++) {
		struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
		struct rs_error err;
		put_structures(&oblique, box, 2, two_rois, 2, across);
		if (read_structures(&oblique, NULL, &mask, &err) != RS_OK)
			fail_msg("%s", err.message);
		expect_boxes(&mask, across ? across_rows : across_columns, 2);
		assert_string_equal(mask.note, "regions without a voxel: 1");
	}
}

static void contours_go_to_the_nearest_slice(void **state)
{
	static const struct outline beside[] = {
		{7, "CLOSED_PLANAR", 0.25, 4, {{0.5, 0.5}, {2.5, 0.5}, {2.5, 1.5}, {0.5, 1.5}}},
		{7, "CLOSED_PLANAR", 3.25, 4, {{0.5, 0.5}, {2.5, 0.5}, {2.5, 1.5}, {0.5, 1.5}}}};
	const struct box boxes[] = {{1, 0, 1, 2, 1, 1}, {1, 3, 1, 2, 1, 1}};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_error err;
	(void)state;
	put_structures(&oblique, beside, 2, two_rois, 1, 2);
	if (read_structures(&oblique, NULL, &mask, &err) != RS_OK)
		fail_msg("%s", err.message);
	expect_boxes(&mask, boxes, 2);
	assert_string_equal(mask.note,
	                    "contours up to 0.25 slices beside the image's slices were moved to the "
	                    "nearest; slices without a contour between others of the region: 2");
}

static void twins_are_taken_once_and_what_is_outside_is_cut(void **state)
{
	static const struct outline outlines[] = {
		{7, "CLOSED_PLANAR", 1, 4, {{0.5, 0.5}, {2.5, 0.5}, {2.5, 1.5}, {0.5, 1.5}}},
		{7, "CLOSED_PLANAR", 2, 4, {{5.5, 2.5}, {12.5, 2.5}, {12.5, 3.5}, {5.5, 3.5}}},
		{7, "CLOSED_PLANAR", 1, 4, {{0.5, 0.5}, {2.5, 0.5}, {2.5, 1.5}, {0.5, 1.5}}}};
	const struct box boxes[] = {{1, 1, 1, 2, 1, 1}, {1, 2, 6, 7, 3, 3}};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_error err;
	(void)state;
	put_structures(&oblique, outlines, 3, two_rois, 1, 2);
	if (read_structures(&oblique, NULL, &mask, &err) != RS_OK)
		fail_msg("%s", err.message);
	expect_boxes(&mask, boxes, 2);
	assert_string_equal(mask.note, "contours cut where they reach beyond the image: 1; "
	                               "contours taken once that are there twice: 1");
}

static void contours_that_do_not_fit_are_refused(void **state)
{
	static const struct outline outside = {7, "CLOSED_PLANAR", 4.25, 3, {{1, 1}, {3, 1}, {2, 3}}};
	static const struct outline thin[] = {{7, "CLOSED_PLANAR", 1, 3, {{1, 1}, {3, 1}, {2, 3}}},
	                                      {7, "CLOSED_PLANAR", 1.4, 3, {{1, 1}, {3, 1}, {2, 3}}}};
	struct rs_geometry turned = straight;
	(void)state;
	put_structures(&straight, &outside, 1, two_rois, 2, 2);
	not_read(&straight, NULL, RS_REFUSED, "slice 4.25");
	not_read(&straight, "Tumour", RS_REFUSED, "region 2 'Tumour': contour 1");
	put_structures(&straight, thin, 2, two_rois, 2, 2);
	not_read(&straight, NULL, RS_REFUSED, "thinner slices");
	put_structures(&oblique, rings, RS_COUNT(rings), two_rois, 2, 2);
	memcpy(turned.origin_mm, oblique.origin_mm, sizeof turned.origin_mm);
	not_read(&turned, "Tumour", RS_REFUSED, "not parallel");
	not_read(NULL, NULL, RS_UNSUPPORTED, "together with its image");
}

static void overlaps_are_read_one_by_one(void **state)
{
	static const struct outline nested[] = {
		{3, "CLOSED_PLANAR", 1, 4, {{0.5, 0.5}, {5.5, 0.5}, {5.5, 4.5}, {0.5, 4.5}}},
		{7, "CLOSED_PLANAR", 1, 4, {{2.5, 1.5}, {3.5, 1.5}, {3.5, 3.5}, {2.5, 3.5}}}};
	static const struct box organ = {1, 1, 1, 5, 1, 4}, tumour = {2, 1, 3, 3, 2, 3};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_label *names = NULL;
	size_t count = 0;
	struct rs_error err;
	(void)state;
	put_structures(&straight, nested, 2, two_rois, 2, 2);
	not_read(&straight, NULL, RS_UNSUPPORTED, "1 'Organ at risk' and 2 'Tumour' overlap");
	assert_int_equal(read_structures(&straight, "Tumour", &mask, &err), RS_OK);
	expect_boxes(&mask, &tumour, 1);
	assert_int_equal(mask.name_count, 1);
	rs_mask_finish(&mask);
	assert_int_equal(read_structures(&straight, "1", &mask, &err), RS_OK);
	expect_boxes(&mask, &organ, 1);
	not_read(&straight, "Tumor", RS_NOT_FOUND, "there are 1 'Organ at risk', 2 'Tumour'");
	not_read(&straight, "3", RS_NOT_FOUND, "there is no label '3'");
	assert_int_equal(rs_mask_names(test_world, "/d/rs.dcm", &names, &count, &err), RS_OK);
	assert_true(count == 2 && names[1].value == 2 && strcmp(names[1].name, "Tumour") == 0);
	rs_free(names);
}

static void a_name_that_two_regions_have_is_no_choice(void **state)
{
	static const struct roi twins[] = {{1, "GTV"}, {2, "GTV"}};
	static const struct roi same[] = {{1, "GTV"}, {1, "PTV"}};
	static const struct outline one = {1, "CLOSED_PLANAR", 1, 3, {{1, 1}, {3, 1}, {2, 3}}};
	static const struct outline strange = {9, "CLOSED_PLANAR", 1, 3, {{1, 1}, {3, 1}, {2, 3}}};
	(void)state;
	put_structures(&straight, &one, 1, twins, 2, 2);
	not_read(&straight, "GTV", RS_REFUSED, "2 labels have the name 'GTV'");
	put_structures(&straight, &one, 1, same, 2, 2);
	not_read(&straight, NULL, RS_MALFORMED, "two regions of the structure set have the ROINumber 1");
	put_structures(&straight, &strange, 1, twins, 2, 2);
	not_read(&straight, NULL, RS_MALFORMED, "ROINumber 9 belong to no region");
}

static void damaged_contours_are_refused(void **state)
{
	static const char *const data[] = {"1\\2\\3\\4", "1\\2\\3\\4\\5\\6\\7\\8\\x",
	                                   "1\\2\\3\\4\\5\\6\\7\\8\\1e300", "1\\2\\3\\4\\5\\6\\7\\8\\nan",
	                                   "1\\2\\3\\4\\5\\6\\7\\8\\9"};
	static const char *const words[] = {"has 4 coordinates", "no place in a patient",
	                                    "no place in a patient", "no place in a patient",
	                                    "announces 4 points and has 9"};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(data); i++) {
		struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_error err;
		rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 16);
		rs_dicom_builder_text(&b, 0x00080016, "UI", RTSTRUCT);
		put_rois(&b, two_rois, 1);
		for (uint32_t k = 0; k < 2; k++) {
			rs_dicom_builder_begin(&b, k ? 0x30060040 : 0x30060039);
			rs_dicom_builder_begin(&b, RS_DICOM_ITEM);
		}
		rs_dicom_builder_text(&b, 0x30060042, "CS", "CLOSED_PLANAR");
		rs_dicom_builder_text(&b, 0x30060046, "IS", i == 4 ? "4" : i ? "3" : "1");
		rs_dicom_builder_text(&b, 0x30060050, "DS", data[i]);
		rs_dicom_builder_end(&b);
		rs_dicom_builder_end(&b);
		put_number(&b, 0x30060084, 7);
		rs_dicom_builder_end(&b);
		rs_dicom_builder_end(&b);
		rs_buffer_init(&file, 1 << 16);
		assert_int_equal(rs_dicom_builder_file(&b, RTSTRUCT, "1.2.3.4", &file, &err), RS_OK);
		put_file("/d/rs.dcm", file.data, file.size);
		not_read(&straight, NULL, RS_MALFORMED, words[i]);
	}
}

/* Every allocation in turn fails: told as that, and nothing is lost (the sanitizer looks). */
static void a_lack_of_memory_is_told(void **state)
{
	enum rs_code code = RS_NO_MEMORY;
	(void)state;
	put_structures(&oblique, rings, RS_COUNT(rings), two_rois, 2, 2);
	for (uint64_t k = 1; code != RS_OK; k++) {
		struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
		struct rs_error err;
		rs_memory_fail_at(k);
		code = read_structures(&oblique, "Tumour", &mask, &err);
		rs_memory_fail_at(0);
		if (code != RS_OK)
			assert_int_equal(code, RS_NO_MEMORY);
		assert_true(k < 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions_are_filled_on_any_grid),
		cmocka_unit_test(slices_may_lie_across_any_axis),
		cmocka_unit_test(contours_go_to_the_nearest_slice),
		cmocka_unit_test(twins_are_taken_once_and_what_is_outside_is_cut),
		cmocka_unit_test(contours_that_do_not_fit_are_refused),
		cmocka_unit_test(overlaps_are_read_one_by_one),
		cmocka_unit_test(a_name_that_two_regions_have_is_no_choice),
		cmocka_unit_test(damaged_contours_are_refused),
		cmocka_unit_test(a_lack_of_memory_is_told),
	};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
