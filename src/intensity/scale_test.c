/* Scales and landmarks. */
#include <stdlib.h>

#include "phantom.h"

static void scales_do_what_they_say(void **state)
{
	struct rs_volume volume;
	struct rs_scale scale;
	uint8_t *body;
	(void)state;
	phantom_make(&volume, false, 3, 2);
	const size_t voxels = rs_geometry_voxels(&volume.geometry);
	body = rs_allocate_array(voxels, 1);
	assert_non_null(body);
	for (size_t i = 0; i < voxels; i++)
		body[i] = volume.voxels[i] > 30;
	double sum = 0, squares = 0, n = 0, below = 0, above = 0;
	assert_int_equal(rs_scale_zscore(&volume, body, &scale, NULL), RS_OK);
	for (size_t i = 0; i < voxels; i++) {
		double value = body[i] ? volume.voxels[i] * scale.slope + scale.intercept : 0;
		sum += value;
		squares += value * value;
		n += body[i];
	}
	assert_true(fabs(sum / n) < 1e-10 && fabs(squares / n - 1) < 1e-10);
	assert_int_equal(rs_scale_percentiles(&volume, body, 5, 95, &scale, NULL), RS_OK);
	for (size_t i = 0; i < voxels; i++) {
		double value = volume.voxels[i] * scale.slope + scale.intercept;
		below += body[i] && value < 0;
		above += body[i] && value > 1;
	}
	assert_true(fabs(below / n - 0.05) < 0.001 && fabs(above / n - 0.05) < 0.001);
	/* Most of the body is 100; the stripe around it is its mean, whatever the organs are. */
	assert_int_equal(rs_scale_stripe(&volume, body, 0.1, &scale, NULL), RS_OK);
	assert_true(fabs(100 * scale.slope + scale.intercept) < 1);
	assert_int_equal(rs_scale_percentiles(&volume, body, 50, 50, &scale, NULL), RS_USAGE);
	assert_int_equal(rs_scale_stripe(&volume, body, 0.5, &scale, NULL), RS_USAGE);
	for (size_t i = 0; i < voxels; i++)
		body[i] = 0;
	assert_int_equal(rs_scale_zscore(&volume, body, &scale, NULL), RS_REFUSED);
	body[7] = 1;
	assert_int_equal(rs_scale_zscore(&volume, body, &scale, NULL), RS_REFUSED);
	assert_int_equal(rs_scale_percentiles(&volume, body, 1, 99, &scale, NULL), RS_REFUSED);
	rs_free(body);
	rs_volume_finish(&volume);
}

/* Volumes of one subject that scanners scaled differently come out the same. */
static void landmarks_undo_scales(void **state)
{
	struct rs_volume first, second;
	struct rs_landmarks marks[2], standard;
	(void)state;
	phantom_make(&first, true, 3, 2);
	phantom_make(&second, true, 3, 2);
	const size_t voxels = rs_geometry_voxels(&first.geometry);
	for (size_t i = 0; i < voxels; i++)
		second.voxels[i] = 40 + 7.5 * second.voxels[i];
	assert_int_equal(rs_landmarks_of(&first, NULL, &marks[0], NULL), RS_OK);
	assert_int_equal(rs_landmarks_of(&second, NULL, &marks[1], NULL), RS_OK);
	assert_int_equal(rs_landmarks_standard(marks, 2, &standard, NULL), RS_OK);
	assert_true(standard.value[0] == 0 && fabs(standard.value[standard.count - 1] - 100) < 1e-12);
	for (size_t i = 0; i < voxels; i += 17) {
		double a = rs_landmarks_map(&marks[0], &standard, first.voxels[i]);
		double b = rs_landmarks_map(&marks[1], &standard, second.voxels[i]);
		assert_true(fabs(a - b) < 1e-9);
	}
	for (size_t i = 0; i < standard.count; i++)
		assert_true(fabs(rs_landmarks_map(&marks[0], &standard, marks[0].value[i]) -
		                 standard.value[i]) < 1e-9);
	/* Landmarks on one another: still ascending, never NaN. */
	struct rs_landmarks heap = marks[0];
	for (size_t i = 2; i < 6; i++)
		heap.value[i] = heap.value[1];
	double former = -INFINITY;
	for (double value = heap.value[0] - 10; value < heap.value[heap.count - 1] + 10; value += 0.37) {
		double mapped = rs_landmarks_map(&heap, &standard, value);
		assert_true(mapped >= former);
		former = mapped;
	}
	for (size_t i = 0; i < voxels; i++)
		first.voxels[i] = 1;
	assert_int_equal(rs_landmarks_of(&first, NULL, &marks[0], NULL), RS_REFUSED);
	marks[0].count = 5;
	assert_int_equal(rs_landmarks_standard(marks, 2, &standard, NULL), RS_USAGE);
	assert_int_equal(rs_landmarks_standard(marks, 0, &standard, NULL), RS_USAGE);
	rs_volume_finish(&first);
	rs_volume_finish(&second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scales_do_what_they_say),
		cmocka_unit_test(landmarks_undo_scales),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
