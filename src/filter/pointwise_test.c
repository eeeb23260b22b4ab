/* Filters of single voxels against PyRadiomics 3.0.1 on numpy 1.26. */
#include "filter/filter_test.h"

static enum rs_code run(const struct filter_call *call, const struct rs_volume *volume,
                        const struct rs_box *box, struct rs_pool *pool, double *out, struct rs_error *err)
{
	return rs_filter_pointwise(volume, box, (enum rs_pointwise)call->choice[0], pool, out, err);
}

static const struct {
	enum rs_voxel_type stored;
	enum rs_pointwise kind;
	double expected[EXPECTED];
} cases[] = {
	{RS_VOXEL_I16,
         RS_SQUARE,
         {488.2812499999999, 137.15820312499997, 90.28320312499997, 53.17382812499999, 25.830078124999993,
          28.124999999999993}},
	{RS_VOXEL_I16,
         RS_SQUARE_ROOT,
         {-505.9644256269407, -368.3476618630828, -331.7830616532435, -290.6544339933592, -242.65201420964962,
          247.8709341572747}},
	{RS_VOXEL_I16,
         RS_LOGARITHM,
         {-510.05795300197155, -458.11277915039, -441.0289886246171, -419.4266107104957, -390.02092827834844,
          393.4833684068235}},
	{RS_VOXEL_I16,
         RS_EXPONENTIAL,
         {0.0022606251438159197, 0.0396041898284702, 0.07283133624954401, 0.1339354134718589,
          0.24630462525655103, 4.3150431910284786}},
	{RS_VOXEL_F32,
         RS_SQUARE,
         {69.75446542492136, 19.59402870605119, 12.89759918334318, 7.596260645514144, 3.6900111181603306,
          4.0178567077964775}},
	{RS_VOXEL_F32,
         RS_SQUARE_ROOT,
         {-72.28063495093305, -52.62109610678463, -47.397580664872535, -41.52206268715065, -34.66457452080204,
          35.410133679688464}},
	{RS_VOXEL_F32,
         RS_LOGARITHM,
         {-72.74550193094935, -62.16798686712032, -58.717651331246394, -54.383040671870205,
          -48.54870169289001, 49.23097296267254}},
	{RS_VOXEL_F32,
         RS_EXPONENTIAL,
         {0.015118879836020888, 0.10842898981581878, 0.16488968156695047, 0.25075032138655945,
          0.3813199411749322, 2.7347351019817854}},
};

static void values_are_those_of_pyradiomics(void **state)
{
	(void)state;
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		struct rs_volume volume = volume_of(13, 9, 7, cases[c].stored);
		struct rs_box box = whole_of(&volume);
		struct filter_call call = {.run = run, .choice = {cases[c].kind}, .blocks = 1};
		double *got = filtered(&call, &volume, &box, NULL);
		expect_values("pointwise", got, rs_box_voxels(&box), cases[c].expected, 1e-14);
		rs_free(got);
		rs_volume_finish(&volume);
	}
}

static void parts_are_parts_of_the_whole(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(53, 51, 49, RS_VOXEL_I16); /* more than one chunk of the search */
	for (unsigned kind = RS_SQUARE; kind <= RS_EXPONENTIAL; kind++) {
		struct filter_call call = {.run = run, .choice = {kind}, .blocks = 1};
		expect_same_parts(&call, &volume);
	}
	struct filter_call call = {.run = run, .choice = {RS_LOGARITHM}, .blocks = 1};
	expect_told_memory(&call, &volume, 1);
	rs_volume_finish(&volume);
}

/* The largest magnitude stays what it is, wherever it lies. */
static void the_range_is_kept(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(53, 51, 49, RS_VOXEL_F64);
	struct rs_box box = whole_of(&volume);
	volume.voxels[59] = 812.5;
	for (unsigned kind = RS_SQUARE; kind <= RS_EXPONENTIAL; kind++) {
		struct filter_call call = {.run = run, .choice = {kind}, .blocks = 1};
		double *got = filtered(&call, &volume, &box, NULL);
		assert_true(fabs(got[59] - 812.5) < 1e-9);
		rs_free(got);
	}
	rs_volume_finish(&volume);
}

static void what_is_not_defined_is_refused(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(5, 4, 3, RS_VOXEL_F64);
	struct rs_box one = {{1, 1, 1}, {1, 1, 1}}, empty = {{1, 1, 1}, {1, 0, 1}};
	struct filter_call call = {.run = run, .choice = {RS_SQUARE}}, none = {.run = run, .choice = {4}};
	expect_refused(&none, &volume, &one, RS_USAGE, "no pointwise filter 4");
	expect_refused(&call, &volume, &empty, RS_USAGE, "along y");
	volume.voxels[7] = NAN;
	expect_refused(&call, &volume, &one, RS_REFUSED, "not a number");
	volume.voxels[7] = INFINITY;
	expect_refused(&call, &volume, &one, RS_REFUSED, "infinite");
	memset(volume.voxels, 0, 60 * sizeof(double));
	for (unsigned kind = RS_LOGARITHM; kind <= RS_EXPONENTIAL; kind++) {
		call.choice[0] = kind;
		expect_refused(&call, &volume, &one, RS_REFUSED, "has no scale");
	}
	rs_volume_finish(&volume);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_pyradiomics),
		cmocka_unit_test(parts_are_parts_of_the_whole),
		cmocka_unit_test(the_range_is_kept),
		cmocka_unit_test(what_is_not_defined_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
