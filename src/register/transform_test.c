/* Transforms as bytes, refused when they are anything else; volumes and masks seen through them; what is refused. */
#include <string.h>

#include "register/phantom.h"

static const struct rs_geometry grid = {.size = {20, 16, 6},
                                        .spacing_mm = {2, 2, 5},
                                        .origin_mm = {-19, -15, -12},
                                        .direction = {{0.8, -0.6, 0}, {0.6, 0.8, 0}, {0, 0, 1}}};
static const struct rs_geometry onto = {.size = {11, 9, 4},
                                        .spacing_mm = {1.3, 1.7, 2.9},
                                        .origin_mm = {-4, -3, -5},
                                        .direction = {{1, 0, 0}, {0, 0.6, 0.8}, {0, -0.8, 0.6}}};

/* An affine with a lattice whose spline is linear in x: it adds 0.1 x to the displacement along y. */
static void made(struct rs_transform *out)
{
	rs_transform_identity(out);
	out->kind = RS_TRANSFORM_BSPLINE;
	out->matrix[0][1] = 0.05, out->offset_mm[2] = -1.5;
	out->lattice = (struct rs_geometry){.size = {7, 5, 4},
	                                    .spacing_mm = {20, 25, 40},
	                                    .origin_mm = {-60, -55, -60},
	                                    .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	const size_t all = 7 * 5 * 4;
	out->control_mm = rs_allocate_array(3 * all, sizeof *out->control_mm);
	assert_non_null(out->control_mm);
	for (size_t i = 0; i < all; i++)
		out->control_mm[all + i] = 0.1 * (-60 + 20 * (double)(i % 7));
}

static void moved(const double p[3], double out[3])
{
	out[0] = p[0] + 0.05 * p[1];
	out[1] = p[1] + 0.1 * p[0];
	out[2] = p[2] - 1.5;
}

static void points(void **state)
{
	(void)state;
	struct rs_transform t;
	made(&t);
	for (int i = 0; i < 27; i++) {
		const double p[3] = {-20 + 17.0 * (i % 3), -11 + 9.5 * (i / 3 % 3), -8 + 7.0 * (i / 9)};
		double got[3], want[3];
		rs_transform_point(&t, p, got);
		moved(p, want);
		for (int a = 0; a < 3; a++)
			assert_true(fabs(got[a] - want[a]) < 1e-12);
	}
	/* The lattice adds 0.1 beside the matrix's 0.05: 1 - 0.05 * 0.1. More of it than 20 would fold. */
	assert_true(fabs(rs_transform_least_jacobian(&t, &grid) - 0.995) < 1e-12);
	t.matrix[0][1] = 20;
	assert_true(fabs(rs_transform_least_jacobian(&t, &grid) + 1) < 1e-12);
	rs_transform_finish(&t);
	rs_transform_identity(&t);
	assert_true(rs_transform_least_jacobian(&t, &grid) == 1);
	t.offset_mm[0] = 3, t.offset_mm[1] = -4;
	assert_true(fabs(rs_transform_greatest_mm(&t, &grid) - 5) < 1e-12);
}

/* The nearest voxel is the nearest, of volumes and of masks. */
static void nearest(void **state)
{
	(void)state;
	struct rs_transform t;
	struct rs_volume moving, got;
	struct rs_mask mask, labels;
	made(&t);
	assert_int_equal(rs_volume_init(&moving, &grid, NULL), RS_OK);
	assert_int_equal(rs_mask_init(&mask, &grid, NULL), RS_OK);
	for (size_t i = 0; i < rs_geometry_voxels(&grid); i++) {
		const double index[3] = {(double)(i % 20), (double)(i / 20 % 16), (double)(i / 320)};
		double p[3];
		for (int r = 0; r < 3; r++)
			p[r] = grid.origin_mm[r] + grid.direction[r][0] * 2 * index[0] +
			       grid.direction[r][1] * 2 * index[1] + grid.direction[r][2] * 5 * index[2];
		moving.voxels[i] = 3 * p[0] - 2 * p[1] + p[2] + 7;
		mask.labels[i] = (uint32_t)i + 1;
	}
	assert_int_equal(rs_transform_apply_volume(&t, &moving, &onto, 0, -99, NULL, &got, NULL), RS_OK);
	assert_int_equal(rs_transform_apply_mask(&t, &mask, &onto, NULL, &labels, NULL), RS_OK);
	size_t held = 0;
	for (size_t i = 0; i < rs_geometry_voxels(&onto); i++) {
		const double index[3] = {(double)(i % 11), (double)(i / 11 % 9), (double)(i / 99)};
		double p[3], q[3];
		for (int r = 0; r < 3; r++)
			p[r] = onto.origin_mm[r] + onto.direction[r][0] * 1.3 * index[0] +
			       onto.direction[r][1] * 1.7 * index[1] + onto.direction[r][2] * 2.9 * index[2];
		moved(p, q);
		assert_int_equal(got.voxels[i] == -99, labels.labels[i] == 0);
		if (labels.labels[i] == 0)
			continue;
		held++;
		assert_true(got.voxels[i] == moving.voxels[labels.labels[i] - 1] &&
		            fabs(got.voxels[i] - (3 * q[0] - 2 * q[1] + q[2] + 7)) < 3 + 2 + 2.5 + 1);
	}
	assert_true(held > 200);
	rs_volume_finish(&got);
	rs_mask_finish(&labels);
	assert_int_equal(rs_transform_apply_volume(&t, &moving, &onto, 2, 0, NULL, &got, NULL), RS_USAGE);
	rs_transform_finish(&t);
	rs_volume_finish(&moving);
	rs_mask_finish(&mask);
}

/* What SimpleITK 2.5.7 makes of the same voxels: Resample with an AffineTransform, sitkLinear and sitkBSpline. */
static void splines(void **state)
{
	(void)state;
	static const double want[2][18] = {
		{79.5371932, 52.8154297298, 53.7322155, 59.340569528, 38.304891536, 36.0953484427,
	         31.8788327363, 40.8050518827, 59.452820832, 44.966718352, 49.4714691615, 24.8648333333,
	         37.2862619947, 67.4643830016, 37.2226811252, 40.1356813416, 33.0542560012, 55.5019676679},
		{89.2740891492, 57.0966434278, 62.7576467957, 63.9125640391, 21.290754247, 34.6132779498,
	         29.1618913141, 43.9499741714, 69.3049193046, 40.8319111635, 51.4840605136, 21.9016932389,
	         33.0979570515, 84.3639904469, 31.6271470239, 30.1613594348, 23.1080007135, 61.6986043346}};
	const struct rs_geometry from = {.size = {6, 5, 4},
	                                 .spacing_mm = {2, 2.5, 3},
	                                 .origin_mm = {-5, -4, -3},
	                                 .direction = {{0.8, -0.6, 0}, {0.6, 0.8, 0}, {0, 0, 1}}};
	const struct rs_geometry to = {.size = {3, 3, 2},
	                               .spacing_mm = {2.2, 1.9, 3.1},
	                               .origin_mm = {-4, 0.5, -1.5},
	                               .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	const struct rs_transform t = {
		.kind = RS_TRANSFORM_AFFINE,
		.matrix = {{1.02, 0.03, -0.05}, {-0.04, 0.97, 0.02}, {0.01, 0.06, 1.01}},
		.offset_mm = {0.4, -0.3, 0.7}};
	struct rs_volume moving, got;
	assert_int_equal(rs_volume_init(&moving, &from, NULL), RS_OK);
	for (size_t i = 0; i < 120; i++)
		moving.voxels[i] = (double)((i * i * 7 + i * 13) % 101);
	for (unsigned k = 0; k < 2; k++) {
		assert_int_equal(
			rs_transform_apply_volume(&t, &moving, &to, k ? 3 : 1, -99, NULL, &got, NULL), RS_OK);
		for (size_t i = 0; i < 18; i++)
			if (!(fabs(got.voxels[i] - want[k][i]) < (k ? 1e-4 : 1e-8)))
				fail_msg("order %u, voxel %zu: %.12g, SimpleITK has %.12g", k ? 3 : 1, i,
				         got.voxels[i], want[k][i]);
		rs_volume_finish(&got);
	}
	rs_volume_finish(&moving);
}

static void bytes(void **state)
{
	(void)state;
	struct rs_transform t, back;
	struct rs_buffer first, again;
	struct rs_error err = {0};
	rs_buffer_init(&first, RS_TRANSFORM_BYTES_MAX);
	rs_buffer_init(&again, RS_TRANSFORM_BYTES_MAX);
	made(&t);
	assert_int_equal(rs_transform_write(&t, &first, NULL), RS_OK);
	assert_int_equal(rs_cbor_check(rs_buffer_bytes(&first), &err), RS_OK);
	assert_int_equal(rs_transform_read(rs_buffer_bytes(&first), &back, NULL), RS_OK);
	assert_memory_equal(back.control_mm, t.control_mm, (size_t)3 * 7 * 5 * 4 * sizeof(double));
	assert_memory_equal(&back.lattice, &t.lattice, sizeof t.lattice);
	assert_int_equal(rs_transform_write(&back, &again, NULL), RS_OK);
	assert_true(rs_bytes_equal(rs_buffer_bytes(&first), rs_buffer_bytes(&again)));
	rs_transform_finish(&back);
	/* Cut short and with every byte changed: refused, or a transform of other bytes. */
	for (size_t i = 0; i < first.size; i++) {
		assert_int_not_equal(rs_transform_read((struct rs_bytes){first.data, i}, &back, NULL), RS_OK);
		first.data[i] ^= 1u << i % 8;
		if (rs_transform_read(rs_buffer_bytes(&first), &back, NULL) == RS_OK) {
			rs_buffer_clear(&again);
			assert_int_equal(rs_transform_write(&back, &again, NULL), RS_OK);
			assert_true(rs_bytes_equal(rs_buffer_bytes(&first), rs_buffer_bytes(&again)));
			rs_transform_finish(&back);
		}
		first.data[i] ^= 1u << i % 8;
	}
	t.control_mm[5] = INFINITY;
	rs_buffer_clear(&again);
	assert_int_equal(rs_transform_write(&t, &again, NULL), RS_OK);
	assert_int_equal(rs_transform_read(rs_buffer_bytes(&again), &back, &err), RS_MALFORMED);
	assert_non_null(strstr(err.message, "number 5 of a transform's control_mm is inf"));
	rs_transform_finish(&t);
	rs_buffer_finish(&first);
	rs_buffer_finish(&again);
}

static void refused(void **state)
{
	(void)state;
	struct rs_geometry far = grid;
	struct rs_volume fixed, moving;
	struct rs_transform t;
	struct rs_register_report report;
	struct rs_register how = RS_REGISTER_DEFAULT;
	struct rs_error err = {0};
	how.samples = 1000;
	far.origin_mm[2] = 400;
	scan_make(&fixed, &grid, 0, NULL, 1, 1);
	scan_make(&moving, &far, 1, NULL, 1, 2);
	assert_int_equal(rs_register(&fixed, &moving, &how, NULL, &t, &report, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "the fields of view do not overlap: 0.0 %"));
	for (size_t i = 0; i < rs_geometry_voxels(&far); i++)
		moving.voxels[i] = 3;
	assert_int_equal(rs_register(&fixed, &moving, &how, NULL, &t, &report, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "the moving volume: all voxels that are looked at are 3"));
	moving.voxels[7] = NAN;
	assert_int_equal(rs_register(&fixed, &moving, &how, NULL, &t, &report, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "voxel (7, 0, 0) of the moving volume is not a finite number"));
	how.bins = 4;
	assert_int_equal(rs_register(&fixed, &moving, &how, NULL, &t, &report, &err), RS_USAGE);
	rs_volume_finish(&fixed);
	rs_volume_finish(&moving);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points), cmocka_unit_test(nearest), cmocka_unit_test(splines),
		cmocka_unit_test(bytes),  cmocka_unit_test(refused),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
