/* IBSI's CT phantom from ../shared/data, read with the numbers that SimpleITK 2.5.7 reads. */
#include "image_test.h"

#define PHANTOM "radiomics/ibsi1/ibsi_1_ct_radiomics_phantom/nifti/image/phantom.nii.gz"

static void the_phantom_of_ibsi_is_read(void **state)
{
	struct rs_volume v RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err = {0};
	double sum = 0;
	(void)state;
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(getenv("RADSEAL_DATA"), PHANTOM);
	assert_non_null(path);
	assert_int_equal(rs_volume_read(rs_world_system(), path, &v, &err), RS_OK);
	assert_true(v.geometry.size[0] == 204 && v.geometry.size[1] == 201 && v.geometry.size[2] == 60);
	near(v.geometry.spacing_mm[0], 0.9769999980926514);
	near(v.geometry.origin_mm[0], -174.39450073242188);
	near(v.geometry.origin_mm[1], -79.62550354003906);
	near(v.geometry.origin_mm[2], -100.4000015258789);
	near(v.geometry.direction[0][0], 1);
	near(v.geometry.direction[1][1], 1);
	assert_true(v.voxels[(30 * 201 + 100) * 204 + 90] == 27);
	for (size_t i = 0; i < rs_geometry_voxels(&v.geometry); i++)
		sum += v.voxels[i];
	assert_true(sum == -655581056.0);
}

int main(void)
{
	const char *data = getenv("RADSEAL_DATA");
	if (!data || !*data) {
		puts("1..0 # SKIP the phantom of ../shared/data is not here");
		return 0;
	}
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_phantom_of_ibsi_is_read)};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
