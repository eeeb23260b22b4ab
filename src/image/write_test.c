/* What is written is read back equal, with the same bytes each time, and what does not fit is refused. */
#include "image_test.h"

static const char *const paths[] = {"/d/a.nii", "/d/a.nii.gz", "/d/a.nrrd"};

/* A grid turned about two axes; `hand` -1 mirrors its third axis. */
static void make(struct rs_volume *out, double hand)
{
	const double c = 0.6, s = 0.8;
	const struct rs_geometry geometry = {
		.size = {3, 2, 4},
		.spacing_mm = {0.5, 1.25, 3},
		.origin_mm = {-10.5, 20.25, 7},
		.direction = {{c, -s * c, hand * s * s}, {s, c * c, hand * -s * c}, {0, s, hand * c}}};
	struct rs_error err = {0};
	assert_int_equal(rs_volume_init(out, &geometry, &err), RS_OK);
}

static void same_geometry(const struct rs_geometry *a, const struct rs_geometry *b)
{
	assert_memory_equal(a->size, b->size, sizeof a->size);
	for (int row = 0; row < 3; row++) {
		near(a->origin_mm[row], b->origin_mm[row]);
		near(a->spacing_mm[row], b->spacing_mm[row]);
		for (int axis = 0; axis < 3; axis++)
			near(a->direction[row][axis], b->direction[row][axis]);
	}
}

static void every_type_comes_back(void **state)
{
	(void)state;
	for (int type = RS_VOXEL_I8; type <= RS_VOXEL_F64; type++)
		for (size_t p = 0; p < 2 * RS_COUNT(paths); p++) {
			struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
			struct rs_volume w RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
			struct rs_error err = {0};
			bool real = type >= RS_VOXEL_F32, is_signed = real || type % 2 == 0;
			make(&v, p % 2 ? -1 : 1);
			v.stored = (enum rs_voxel_type)type;
			for (int i = 0; i < 24; i++)
				v.voxels[i] = (is_signed ? i - 12 : i) * (real ? 0.25 : 5);
			if (rs_volume_write(test_world, paths[p / 2], &v, &err) != RS_OK)
				fail_msg("%s", err.message);
			assert_int_equal(read_volume(paths[p / 2], &w, &err), RS_OK);
			assert_int_equal(w.stored, type);
			assert_memory_equal(w.voxels, v.voxels, 24 * sizeof(double));
			same_geometry(&w.geometry, &v.geometry);
		}
}

static void bytes_are_the_same_each_time(void **state)
{
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err = {0};
	(void)state;
	make(&v, 1);
	for (size_t p = 0; p < RS_COUNT(paths); p++) {
		struct rs_buffer first RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_buffer second RS_CLEANUP(rs_buffer_finish) = {0};
		assert_int_equal(rs_volume_write(test_world, paths[p], &v, &err), RS_OK);
		assert_int_equal(rs_file_read_all(test_world, paths[p], 1 << 20, &first, &err), RS_OK);
		rs_sim_advance_ms(test_sim, 3600000);
		assert_int_equal(rs_volume_write(test_world, paths[p], &v, &err), RS_OK);
		assert_int_equal(rs_file_read_all(test_world, paths[p], 1 << 20, &second, &err), RS_OK);
		assert_true(rs_bytes_equal(rs_buffer_bytes(&first), rs_buffer_bytes(&second)));
		if (p == 1)
			assert_memory_equal(first.data + 4, "\0\0\0\0", 4); /* RFC 1952: MTIME */
	}
}

static void what_does_not_fit_is_refused(void **state)
{
	static const struct {
		enum rs_voxel_type type;
		double value;
	} cases[] = {{RS_VOXEL_I8, 128},   {RS_VOXEL_U8, -1},    {RS_VOXEL_I16, 0.5},     {RS_VOXEL_U16, NAN},
	             {RS_VOXEL_I64, 1e19}, {RS_VOXEL_U64, 1e20}, {RS_VOXEL_I32, INFINITY}};
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err = {0};
	(void)state;
	make(&v, 1);
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		v.stored = cases[i].type;
		v.voxels[5] = cases[i].value;
		assert_int_equal(rs_volume_write(test_world, "/d/no.nii", &v, &err), RS_USAGE);
		assert_false(rs_path_exists(test_world, "/d/no.nii"));
	}
	assert_int_equal(rs_volume_write(test_world, "/d/no.png", &v, &err), RS_USAGE);
}

static void masks_come_back(void **state)
{
	static const uint32_t largest[] = {200, 60000, 4000000000u};
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	(void)state;
	make(&v, 1);
	for (size_t i = 0; i < RS_COUNT(largest) * RS_COUNT(paths); i++) {
		struct rs_mask m RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
		struct rs_mask n RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
		struct rs_error err = {0};
		assert_int_equal(rs_mask_init(&m, &v.geometry, &err), RS_OK);
		m.labels[3] = largest[i / 3];
		m.labels[9] = 1;
		assert_int_equal(rs_mask_write(test_world, paths[i % 3], &m, &err), RS_OK);
		assert_int_equal(rs_mask_read(test_world, paths[i % 3], &n, &err), RS_OK);
		assert_memory_equal(n.labels, m.labels, 24 * sizeof *n.labels);
	}
}

static void every_cut_of_a_packed_file_is_refused(void **state)
{
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err = {0};
	(void)state;
	make(&v, 1);
	for (size_t p = 1; p < RS_COUNT(paths); p++) {
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		assert_int_equal(rs_volume_write(test_world, paths[p], &v, &err), RS_OK);
		assert_int_equal(rs_file_read_all(test_world, paths[p], 1 << 20, &file, &err), RS_OK);
		every_cut_is_refused_of(paths[p], file.data, file.size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_comes_back),
		cmocka_unit_test(bytes_are_the_same_each_time),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(masks_come_back),
		cmocka_unit_test(every_cut_of_a_packed_file_is_refused),
	};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
