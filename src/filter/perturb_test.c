/* Perturbed masks have the volumes asked for, by layers at faces; noise has the deviation it is found to have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "filter/filter_perturb.h"

#define SIDE 24

static const struct rs_geometry cube = {
	{SIDE, SIDE, SIDE}, {1, 1, 2}, {0, 0, 0}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};

/* A box of 10 x 8 x 6 voxels of label 5. */
static void box_make(struct rs_mask *mask)
{
	assert_int_equal(rs_mask_init(mask, &cube, NULL), RS_OK);
	for (size_t z = 8; z < 14; z++)
		for (size_t y = 6; y < 14; y++)
			for (size_t x = 4; x < 14; x++)
				mask->labels[(z * SIDE + y) * SIDE + x] = 5;
}

static size_t count_of(const struct rs_mask *mask)
{
	size_t count = 0;
	for (size_t v = 0; v < SIDE * SIDE * SIDE; v++)
		count += mask->labels[v] == 1;
	return count;
}

static void volumes_are_those_asked_for(void **state)
{
	(void)state;
	struct rs_mask box, found, again;
	struct rs_error err;
	box_make(&box);
	/* The faces have 80 + 60 + 48 voxels twice: 376; without its layer the box has 8 x 6 x 4 voxels. */
	static const struct {
		double share;
		size_t count;
	} rows[] = {{0.1, 528},
	            {-0.1, 432},
	            {0, 480},
	            {376.0 / 480, 856},
	            {-0.6, 192},
	            {-0.9, 48},
	            {40, SIDE * SIDE * SIDE}};
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		assert_int_equal(rs_mask_resize(&box, 5, rows[k].share, 3, &found, NULL), RS_OK);
		assert_int_equal(rs_mask_resize(&box, 5, rows[k].share, 3, &again, NULL), RS_OK);
		assert_int_equal(count_of(&found), rows[k].count);
		assert_memory_equal(found.labels, again.labels, SIDE * SIDE * SIDE * sizeof *found.labels);
		size_t outside = 0;
		for (size_t v = 0; v < SIDE * SIDE * SIDE; v++)
			outside += box.labels[v] == 5 && !found.labels[v];
		assert_int_equal(outside, rows[k].share < 0 ? 480 - rows[k].count : 0);
		if (rows[k].count == 192)
			assert_true(found.labels[(9 * SIDE + 7) * SIDE + 5] &&
			            !found.labels[(9 * SIDE + 7) * SIDE + 4]);
		rs_mask_finish(&found);
		rs_mask_finish(&again);
	}
	assert_int_equal(rs_mask_resize(&box, 5, -1, 3, &found, &err), RS_REFUSED);
	assert_int_equal(rs_mask_resize(&box, 4, 0.1, 3, &found, &err), RS_REFUSED);
	rs_mask_finish(&box);
}

static void masks_move_within_the_image(void **state)
{
	(void)state;
	struct rs_mask box, found;
	struct rs_error err;
	box_make(&box);
	assert_int_equal(rs_mask_shift(&box, 5, (int[]){-4, 1, 0}, &found, NULL), RS_OK);
	for (size_t v = 0; v < SIDE * SIDE * SIDE - SIDE; v++)
		if (box.labels[v])
			assert_true(found.labels[v - 4 + SIDE] == 1);
	assert_int_equal(count_of(&found), 480);
	rs_mask_finish(&found);
	assert_int_equal(rs_mask_shift(&box, 5, (int[]){-5, 0, 0}, &found, &err), RS_REFUSED);
	assert_string_equal(err.message, "moved by -5, 0, 0 voxels the region leaves the image");
	rs_mask_finish(&box);
}

static void noise_is_found_again(void **state)
{
	(void)state;
	struct rs_volume volume, noisy;
	assert_int_equal(rs_volume_init(&volume, &cube, NULL), RS_OK);
	for (size_t v = 0; v < SIDE * SIDE * SIDE;
	     v++) /* a ramp with an edge, which the estimate does not see */
		volume.voxels[v] = (double)(v % SIDE) * 3 + (v % SIDE > 11 ? 400 : 0);
	assert_true(rs_volume_noise(&volume) < 1e-9);
	assert_int_equal(rs_volume_add_noise(&volume, 7, 1, &noisy, NULL), RS_OK);
	assert_true(fabs(rs_volume_noise(&noisy) - 7) < 0.2);
	double sum = 0, squares = 0, n = SIDE * SIDE * SIDE;
	for (size_t v = 0; v < SIDE * SIDE * SIDE; v++) {
		sum += noisy.voxels[v] - volume.voxels[v];
		squares += (noisy.voxels[v] - volume.voxels[v]) * (noisy.voxels[v] - volume.voxels[v]);
	}
	assert_true(fabs(sum / n) < 0.25 && fabs(sqrt(squares / n) - 7) < 0.2);
	rs_volume_finish(&noisy);
	rs_volume_finish(&volume);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volumes_are_those_asked_for),
		cmocka_unit_test(masks_move_within_the_image),
		cmocka_unit_test(noise_is_found_again),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
