/* When an image and its mask lie in one place: equal, noise that is repaired, and real differences. */
#include "image_test.h"

static const struct rs_geometry grid = {.size = {4, 5, 6},
                                        .spacing_mm = {1, 1, 2},
                                        .origin_mm = {-10, 20, 30},
                                        .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};

static enum rs_code match(struct rs_geometry other, char *note, struct rs_geometry *out, struct rs_error *err)
{
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	*err = (struct rs_error){0};
	assert_int_equal(rs_mask_init(&mask, &other, err), RS_OK);
	enum rs_code code = rs_mask_match(&grid, &mask, 1e-4, note, 200, err);
	*out = mask.geometry;
	return code;
}

static void equal_grids_need_no_note(void **state)
{
	char note[200] = "x";
	struct rs_geometry after;
	struct rs_error err;
	(void)state;
	assert_int_equal(match(grid, note, &after, &err), RS_OK);
	assert_string_equal(note, "");
}

static void noise_is_repaired_and_told(void **state)
{
	char note[200];
	struct rs_geometry other = grid, after;
	struct rs_error err;
	(void)state;
	other.origin_mm[1] += 5e-5;
	assert_int_equal(match(other, note, &after, &err), RS_OK);
	assert_non_null(strstr(note, "5e-05 mm"));
	assert_memory_equal(&after, &grid, sizeof grid);
}

static void differences_are_refused_with_numbers(void **state)
{
	char note[200];
	struct rs_geometry others[] = {grid, grid, grid, grid, grid, grid, grid}, after;
	struct rs_error err;
	(void)state;
	others[0].origin_mm[2] += 1;
	others[1].spacing_mm[0] = 1.01;
	others[2].direction[0][0] = -1; /* mirrored */
	others[3].size[0] = 5;          /* as many voxels, in another shape */
	others[3].size[1] = 4;
	others[4].origin_mm[0] = NAN;
	others[5].direction[0][0] = others[5].direction[1][1] = 0; /* turned in its plane */
	others[5].direction[0][1] = others[5].direction[1][0] = 1;
	others[6].origin_mm[0] += 3; /* the same box, stored the other way round */
	others[6].direction[0][0] = -1;
	for (size_t i = 0; i < RS_COUNT(others); i++) {
		assert_int_equal(match(others[i], note, &after, &err), RS_REFUSED);
		assert_memory_equal(&after, &others[i], sizeof after);
	}
	assert_int_equal(match(others[0], note, &after, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "1 mm apart"));
	assert_non_null(strstr(err.message, "31"));
}

/* Twenty labels from the highest down, every other voxel outside: the least sixteen are told, as far as they fit. */
static void labels_are_told(void **state)
{
	const struct rs_geometry row = {.size = {40, 1, 1}};
	struct rs_label names[] = {{2, "liver"}, {30, "gone"}};
	struct rs_mask mask = {.labels = NULL};
	struct rs_error err = {0};
	char text[256];
	(void)state;
	rs_mask_labels_text(&mask, text, sizeof text);
	assert_string_equal(text, "none");
	assert_int_equal(rs_mask_init(&mask, &row, &err), RS_OK);
	rs_mask_labels_text(&mask, text, sizeof text);
	assert_string_equal(text, "none");
	for (uint32_t i = 0; i < 20; i++)
		mask.labels[2 * i] = 20 - i;
	mask.labels[39] = 7;
	mask.names = names;
	mask.name_count = RS_COUNT(names);
	rs_mask_labels_text(&mask, text, sizeof text);
	assert_string_equal(text, "1, 2 (liver), 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16");
	rs_mask_labels_text(&mask, text, 90);
	assert_string_equal(text, "1, 2 (liver)");
	rs_free(mask.labels);
	mask.labels = NULL;
	rs_mask_labels_text(&mask, text, sizeof text);
	assert_string_equal(text, "2 (liver), 30 (gone)");
}

static void absurd_sizes_take_no_memory(void **state)
{
	struct rs_geometry other = grid;
	struct rs_volume volume = {.voxels = NULL};
	struct rs_error err = {0};
	(void)state;
	other.size[0] = other.size[1] = other.size[2] = SIZE_MAX / 2;
	assert_int_equal(rs_volume_init(&volume, &other, &err), RS_TOO_LARGE);
	other.size[0] = 0;
	assert_int_equal(rs_volume_init(&volume, &other, &err), RS_TOO_LARGE);
	assert_null(volume.voxels);
	rs_volume_finish(NULL);
	rs_mask_finish(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_grids_need_no_note),
		cmocka_unit_test(noise_is_repaired_and_told),
		cmocka_unit_test(differences_are_refused_with_numbers),
		cmocka_unit_test(labels_are_told),
		cmocka_unit_test(absurd_sizes_take_no_memory),
	};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
