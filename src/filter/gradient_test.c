/* Magnitudes of the gradient against SimpleITK 2.5.7 (ITK 5) through PyRadiomics 3.0.1, bit for bit, and of a ramp. */
#include "filter/filter_test.h"

static enum rs_code run(const struct filter_call *call, const struct rs_volume *volume,
                        const struct rs_box *box, struct rs_pool *pool, double *out, struct rs_error *err)
{
	return rs_filter_gradient(volume, box, call->choice[0] != 0, pool, out, err);
}

static const struct {
	enum rs_voxel_type stored;
	bool use_spacing;
	double expected[EXPECTED];
} cases[] = {
	{RS_VOXEL_I16,
         true,
         {616.7903442382812, 270.66302490234375, 270.66302490234375, 270.66302490234375, 410.0617980957031,
          205.03089904785156}},
	{RS_VOXEL_I16,
         false,
         {612.050048828125, 261.8616027832031, 261.8616027832031, 261.8616027832031, 562.361083984375,
          281.1805419921875}},
	{RS_VOXEL_U8,
         true,
         {66.6610107421875, 76.03192901611328, 76.03192901611328, 94.69230651855469, 141.9135284423828,
          70.9567642211914}},
	{RS_VOXEL_U8,
         false,
         {93.70832061767578, 57.37159729003906, 57.37159729003906, 71.29866790771484, 183.37393188476562,
          91.68696594238281}},
	{RS_VOXEL_F32,
         true,
         {88.11290740966797, 38.66614532470703, 38.66614532470703, 38.66614532470703, 58.580257415771484,
          29.290128707885742}},
	{RS_VOXEL_F32,
         false,
         {87.43572235107422, 37.4088020324707, 37.4088020324707, 37.4088020324707, 80.33729553222656,
          40.16864776611328}},
	{RS_VOXEL_F64,
         true,
         {88.11290740966797, 38.66614532470703, 38.66614532470703, 38.66614532470703, 58.580257415771484,
          29.290128707885742}},
	{RS_VOXEL_F64,
         false,
         {87.43572235107422, 37.4088020324707, 37.4088020324707, 37.4088020324707, 80.33729553222656,
          40.16864776611328}},
};

static void values_are_those_of_itk(void **state)
{
	(void)state;
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		struct rs_volume volume = volume_of(13, 9, 7, cases[c].stored);
		struct rs_box box = whole_of(&volume);
		struct filter_call call = {.run = run, .choice = {cases[c].use_spacing}, .blocks = 1};
		double *got = filtered(&call, &volume, &box, NULL);
		expect_values("gradient", got, rs_box_voxels(&box), cases[c].expected, 0);
		rs_free(got);
		rs_volume_finish(&volume);
	}
}

static void parts_are_parts_of_the_whole(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(23, 11, 6, RS_VOXEL_I16);
	for (unsigned use_spacing = 0; use_spacing < 2; use_spacing++) {
		struct filter_call call = {.run = run, .choice = {use_spacing}, .blocks = 1};
		expect_same_parts(&call, &volume);
	}
	rs_volume_finish(&volume);
}

/* 3 per voxel along x, 4 along y, 12 along z: 13 inside, and half of it across a face. */
static void a_ramp_is_as_steep_as_it_is(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(6, 5, 4, RS_VOXEL_I16);
	struct rs_box box = whole_of(&volume);
	struct filter_call call = {.run = run, .blocks = 1};
	for (size_t i = 0; i < 120; i++)
		volume.voxels[i] = (double)(3 * (i % 6) + 4 * (i / 6 % 5) + 12 * (i / 30));
	double *got = filtered(&call, &volume, &box, NULL);
	for (size_t i = 0; i < 120; i++) {
		size_t x = i % 6, y = i / 6 % 5, z = i / 30;
		double gx = x == 0 || x == 5 ? 1.5 : 3, gy = y == 0 || y == 4 ? 2 : 4,
		       gz = z == 0 || z == 3 ? 6 : 12;
		assert_true(fabs(got[i] - sqrt(gx * gx + gy * gy + gz * gz)) < 1e-6);
	}
	rs_free(got);
	rs_volume_finish(&volume);
}

/* One voxel along an axis has no slope there, and a box may not leave the volume. */
static void thin_volumes_and_wrong_boxes(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(1, 5, 1, RS_VOXEL_I16);
	struct rs_box box = whole_of(&volume), outside = {{0, 2, 0}, {1, 4, 1}};
	struct filter_call call = {.run = run, .choice = {1}, .blocks = 1};
	double *got = filtered(&call, &volume, &box, NULL);
	for (size_t i = 0; i < 5; i++) {
		double before = volume.voxels[i == 0 ? 0 : i - 1], after = volume.voxels[i == 4 ? 4 : i + 1];
		assert_true(fabs(got[i] - fabs(after - before) / 2.5) < 1e-4);
	}
	expect_refused(&call, &volume, &outside, RS_USAGE, "along y");
	rs_free(got);
	rs_volume_finish(&volume);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_itk),
		cmocka_unit_test(parts_are_parts_of_the_whole),
		cmocka_unit_test(a_ramp_is_as_steep_as_it_is),
		cmocka_unit_test(thin_volumes_and_wrong_boxes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
