/* IBSI's CT phantom from ../shared/data, read with the numbers that SimpleITK 2.5.7 reads; and its mask, of its contours. */
#include "image_test.h"

#define PHANTOM_FOLDER "radiomics/ibsi1/ibsi_1_ct_radiomics_phantom/"
#define PHANTOM PHANTOM_FOLDER "nifti/image/phantom.nii.gz"

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

/* The phantom's own mask was made of these contours by the IBSI. */
static void the_contours_of_ibsi_give_its_mask(void **state)
{
	static const char *const names[] = {"dicom/image", "dicom/mask/DCM_RS_00060.dcm",
	                                    "nifti/mask/mask.nii.gz"};
	struct rs_volume image RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL},
			    reference RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	const struct rs_world *world = rs_world_system();
	struct rs_error err = {0};
	char path[3][1024];
	(void)state;
	for (size_t i = 0; i < 3; i++)
		snprintf(path[i], sizeof path[i], "%s/" PHANTOM_FOLDER "%s", getenv("RADSEAL_DATA"),
		         names[i]);
	if (rs_volume_read(world, path[0], &image, &err) != RS_OK ||
	    rs_mask_read_chosen(world, path[1], &image.geometry, NULL, &mask, &err) != RS_OK ||
	    rs_mask_read(world, path[2], &reference, &err) != RS_OK)
		fail_msg("%s", err.message);
	size_t inside = 0, count = rs_geometry_voxels(&mask.geometry);
	assert_int_equal(count, rs_geometry_voxels(&reference.geometry));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(mask.labels[i], reference.labels[i]);
		inside += mask.labels[i];
	}
	assert_int_equal(inside, 125256); /* the count the IBSI gives */
	assert_string_equal(mask.names[0].name, "GTV-1");
}

int main(void)
{
	const char *data = getenv("RADSEAL_DATA");
	if (!data || !*data) {
		puts("1..0 # SKIP the phantom of ../shared/data is not here");
		return 0;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_phantom_of_ibsi_is_read),
		cmocka_unit_test(the_contours_of_ibsi_give_its_mask),
	};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
