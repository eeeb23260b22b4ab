/* Laplacian of Gaussian against SimpleITK 2.5.7 (ITK 5) through PyRadiomics 3.0.1, bit for bit, and against the formula. */
#include "filter/filter_test.h"

static enum rs_code run(const struct filter_call *call, const struct rs_volume *volume,
                        const struct rs_box *box, struct rs_pool *pool, double *out, struct rs_error *err)
{
	return rs_filter_log(volume, box, call->number, pool, out, err);
}

static const struct {
	enum rs_voxel_type stored;
	double sigma_mm, expected[EXPECTED];
} cases[] = {
	{RS_VOXEL_I16,
         0.5,
         {295.5672607421875, 184.61886596679688, 179.78004455566406, 180.71481323242188, 47.00553894042969,
          81.62551879882812}},
	{RS_VOXEL_I16,
         1.0,
         {84.77449798583984, 170.27151489257812, 66.54105377197266, 104.0239486694336, 88.5486831665039,
          -52.136016845703125}},
	{RS_VOXEL_I16,
         3.0,
         {50.330989837646484, -4.091063022613525, 22.576663970947266, -6.509093761444092, 27.228008270263672,
          -82.72834014892578}},
	{RS_VOXEL_U8,
         0.5,
         {43.629241943359375, -95.81043243408203, 92.19470977783203, 31.975927352905273, -0.5088357329368591,
          11.399666786193848}},
	{RS_VOXEL_U8,
         1.0,
         {55.11915588378906, -8.856706619262695, -1.478733777999878, 16.012754440307617, -1.1700432300567627,
          30.212451934814453}},
	{RS_VOXEL_U8,
         3.0,
         {14.485621452331543, -12.645439147949219, -3.236538887023926, 12.581680297851562, -4.558807373046875,
          -4.887637138366699}},
	{RS_VOXEL_F32,
         0.5,
         {42.22389602661133, 26.37412452697754, 25.682863235473633, 25.81639862060547, 6.7150774002075195,
          11.660788536071777}},
	{RS_VOXEL_F32,
         1.0,
         {12.110644340515137, 24.324501037597656, 9.505863189697266, 14.860564231872559, 12.649811744689941,
          -7.448002338409424}},
	{RS_VOXEL_F32,
         3.0,
         {7.190141201019287, -0.584438145160675, 3.2252378463745117, -0.9298704266548157, 3.8897156715393066,
          -11.818334579467773}},
	{RS_VOXEL_F64,
         0.5,
         {42.22389602661133, 26.374120712280273, 25.682863235473633, 25.8164005279541, 6.715076923370361,
          11.660787582397461}},
	{RS_VOXEL_F64,
         1.0,
         {12.11064338684082, 24.32450294494629, 9.505865097045898, 14.860564231872559, 12.649810791015625,
          -7.448002338409424}},
	{RS_VOXEL_F64,
         3.0,
         {7.190140724182129, -0.5844374895095825, 3.2252373695373535, -0.9298700094223022, 3.8897156715393066,
          -11.818333625793457}},
};

static void values_are_those_of_itk(void **state)
{
	(void)state;
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		struct rs_volume volume = volume_of(13, 9, 7, cases[c].stored);
		struct rs_box box = whole_of(&volume);
		struct filter_call call = {.run = run, .number = cases[c].sigma_mm, .blocks = 1};
		double *got = filtered(&call, &volume, &box, NULL);
		expect_values("log", got, rs_box_voxels(&box), cases[c].expected, 0);
		rs_free(got);
		rs_volume_finish(&volume);
	}
}

static void parts_are_parts_of_the_whole(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(37, 21, 9, RS_VOXEL_I16);
	for (double sigma = 0.5; sigma < 8; sigma *= 2) {
		struct filter_call call = {.run = run, .number = sigma, .blocks = 1};
		expect_same_parts(&call, &volume);
	}
	struct filter_call call = {.run = run, .number = 2, .blocks = 1};
	expect_told_memory(&call, &volume, 3);
	rs_volume_finish(&volume);
}

/* A Gaussian of width b, smoothed by one of width s, is one of width w, w^2 = b^2 + s^2; its Laplacian is
 * (r^2 / w^2 - 3) / w^2 times it. ITK is off by 0.0092 at the centre. */
static void a_blob_gives_what_the_formula_says(void **state)
{
	(void)state;
	const double b = 6, s = 4, w2 = b * b + s * s;
	struct rs_volume volume = volume_of(97, 59, 27, RS_VOXEL_F64);
	struct rs_box box = whole_of(&volume);
	double *want = rs_allocate_array(rs_box_voxels(&box), sizeof *want), peak = 0;
	assert_non_null(want);
	for (size_t i = 0; i < rs_box_voxels(&box); i++) {
		double x = 0.75 * ((double)(i % 97) - 48), y = 1.25 * ((double)(i / 97 % 59) - 29);
		double z = 3 * ((double)(i / 97 / 59) - 13), r2 = x * x + y * y + z * z;
		volume.voxels[i] = exp(-r2 / (2 * b * b));
		want[i] = s * s * (r2 / w2 - 3) / w2 * pow(b * b / w2, 1.5) * exp(-r2 / (2 * w2));
		peak = fmax(peak, fabs(want[i]));
	}
	struct filter_call call = {.run = run, .number = s, .blocks = 1};
	double *got = filtered(&call, &volume, &box, NULL);
	for (size_t i = 0; i < rs_box_voxels(&box); i++)
		assert_true(fabs(got[i] - want[i]) < 0.0095 * peak);
	rs_free(got);
	rs_free(want);
	rs_volume_finish(&volume);
}

static void what_is_not_defined_is_refused(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(13, 9, 4, RS_VOXEL_I16), flat = volume_of(13, 9, 3, RS_VOXEL_I16);
	struct rs_box one = {{3, 3, 1}, {1, 1, 1}}, outside = {{3, 3, 4}, {1, 1, 1}};
	const double wrong[] = {0, -1, NAN, INFINITY};
	for (size_t i = 0; i < RS_COUNT(wrong); i++) {
		struct filter_call call = {.run = run, .number = wrong[i]};
		expect_refused(&call, &volume, &one, RS_USAGE, "sigma");
	}
	struct filter_call call = {.run = run, .number = 9};
	expect_refused(&call, &volume, &outside, RS_USAGE, "along z");
	expect_refused(&call, &flat, &one, RS_REFUSED, "needs 4 voxels of 3 mm along z");
	struct filter_call wide = {.run = run, .number = 9.01};
	expect_refused(&wide, &volume, &one, RS_REFUSED, "along x");
	struct filter_call tiny = {.run = run, .number = 1e-300};
	expect_refused(&tiny, &volume, &one, RS_REFUSED, "too small");
	rs_volume_finish(&volume);
	rs_volume_finish(&flat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_itk),
		cmocka_unit_test(parts_are_parts_of_the_whole),
		cmocka_unit_test(a_blob_gives_what_the_formula_says),
		cmocka_unit_test(what_is_not_defined_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
