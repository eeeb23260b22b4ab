/* Local binary patterns of slices against scikit-image 0.26 through PyRadiomics 3.0.1, bit for bit, and of shapes
 * whose pattern is known. */
#include "filter/as_stored.h"
#include "filter/filter_test.h"

/* number: the radius; choice: samples, method, axis */
static enum rs_code run(const struct filter_call *call, const struct rs_volume *volume,
                        const struct rs_box *box, struct rs_pool *pool, double *out, struct rs_error *err)
{
	return rs_filter_lbp_2d(volume, box, call->number, call->choice[0],
	                        (enum rs_lbp_method)call->choice[1], call->choice[2], pool, out, err);
}

static const struct {
	enum rs_voxel_type stored;
	enum rs_lbp_method method;
	double radius;
	unsigned samples, axis;
	double expected[EXPECTED];
} cases[] = {
	{RS_VOXEL_I16, RS_LBP_DEFAULT, 1.0, 8, 2, {255.0, 254.0, 254.0, 254.0, 158.0, 20.0}},
	{RS_VOXEL_I16, RS_LBP_ROR, 1.0, 8, 2, {255.0, 127.0, 127.0, 127.0, 61.0, 5.0}},
	{RS_VOXEL_I16, RS_LBP_UNIFORM, 1.0, 8, 2, {8.0, 7.0, 7.0, 7.0, 9.0, 9.0}},
	{RS_VOXEL_I16, RS_LBP_NRI_UNIFORM, 1.0, 8, 2, {57.0, 56.0, 56.0, 56.0, 58.0, 58.0}},
	{RS_VOXEL_I16, RS_LBP_VAR, 1.0, 8, 2, {12869.0, -12040.0, -12040.0, -12040.0, 957.0, 29018.0}},
	{RS_VOXEL_U8, RS_LBP_DEFAULT, 1.0, 12, 2, {255.0, 0.0, 255.0, 191.0, 63.0, 56.0}},
	{RS_VOXEL_F64, RS_LBP_DEFAULT, 2.5, 12, 2, {4095.0, 4095.0, 4055.0, 4063.0, 4055.0, 0.0}},
	{RS_VOXEL_F64,
         RS_LBP_VAR,
         2.5,
         12,
         0,
         {164.7332346851299, 436.77621601788616, 407.0379295447356, 436.33738914601867, 403.0842037201701,
          5.997529695566734}},
	{RS_VOXEL_F32, RS_LBP_UNIFORM, 1.0, 9, 1, {9.0, 8.0, 8.0, 8.0, 10.0, 10.0}},
	{RS_VOXEL_I16, RS_LBP_NRI_UNIFORM, 1.5, 9, 0, {73.0, 73.0, 59.0, 59.0, 74.0, 8.0}},
	{RS_VOXEL_F32,
         RS_LBP_ROR,
         3.0,
         24,
         1,
         {16777215.0, 8323071.0, 8323071.0, 8388607.0, 8388607.0, 27.0}},
	{RS_VOXEL_F64, RS_LBP_UNIFORM, 1.0, 8, 2, {8.0, 7.0, 7.0, 7.0, 9.0, 9.0}},
};

static void values_are_those_of_scikit_image(void **state)
{
	(void)state;
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		struct rs_volume volume = volume_of(13, 9, 7, cases[c].stored);
		struct rs_box box = whole_of(&volume);
		struct filter_call call = {
			run, cases[c].radius, {cases[c].samples, cases[c].method, cases[c].axis}, 1};
		double *got = filtered(&call, &volume, &box, NULL);
		expect_values("lbp_2d", got, rs_box_voxels(&box), cases[c].expected, 0);
		rs_free(got);
		rs_volume_finish(&volume);
	}
}

static void parts_are_parts_of_the_whole(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(23, 11, 6, RS_VOXEL_F32);
	for (unsigned method = RS_LBP_DEFAULT; method <= RS_LBP_VAR; method++) {
		struct filter_call call = {run, 1.5, {9, method, method % 3}, 1};
		expect_same_parts(&call, &volume);
	}
	struct filter_call call = {run, 1, {8, RS_LBP_UNIFORM, 2}, 1};
	expect_told_memory(&call, &volume, 3);
	rs_volume_finish(&volume);
}

/* Nothing on the circle is darker than a voxel of a plateau; beyond the slice there is 0. */
static void plateaus_and_edges_have_their_patterns(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(8, 7, 2, RS_VOXEL_I16);
	struct rs_box box = whole_of(&volume);
	struct filter_call call = {run, 1, {4, RS_LBP_UNIFORM, 2}, 1};
	for (size_t i = 0; i < 112; i++)
		volume.voxels[i] = i % 8 < 4 ? 10 : 20;
	double *got = filtered(&call, &volume, &box, NULL);
	for (size_t i = 0; i < 112; i++) {
		size_t x = i % 8, y = i / 8 % 7;
		int darker = (x == 0) + (x == 7) + (y == 0) + (y == 6) + (x == 4);
		bool is_even = got[i] > 4; /* more than two changes between neighbours on the circle */
		assert_true(is_even ? darker == 2 : fabs(got[i] - (4 - darker)) < 1e-12);
	}
	rs_free(got);
	rs_volume_finish(&volume);
}

static void wrong_calls_are_refused(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(5, 4, 3, RS_VOXEL_I16);
	struct rs_box one = {{1, 1, 1}, {1, 1, 1}}, outside = {{1, 1, 1}, {5, 1, 1}};
	const struct {
		struct filter_call call;
		const char *words;
	} wrong[] = {
		{{run, 0, {8, 0, 2}, 1}, "radius"},     {{run, 257, {8, 0, 2}, 1}, "radius"},
		{{run, NAN, {8, 0, 2}, 1}, "radius"},   {{run, 1, {0, 2, 2}, 1}, "1 to 127"},
		{{run, 1, {128, 2, 2}, 1}, "1 to 127"}, {{run, 1, {32, 0, 2}, 1}, "1 to 31"},
		{{run, 1, {8, 5, 2}, 1}, "method 5"},   {{run, 1, {8, 0, 3}, 1}, "axis 3"},
	};
	for (size_t i = 0; i < RS_COUNT(wrong); i++)
		expect_refused(&wrong[i].call, &volume, &one, RS_USAGE, wrong[i].words);
	struct filter_call call = {run, 256, {127, RS_LBP_VAR, 0}, 1};
	expect_refused(&call, &volume, &outside, RS_USAGE, "along x");
	struct rs_box box = whole_of(&volume);
	rs_free(filtered(&call, &volume, &box, NULL)); /* the widest is served */
	rs_volume_finish(&volume);
}

/* numpy 1.26 on x86-64: array([…]).astype, and scipy 1.13's map_coordinates of whole places */
static void numbers_are_stored_as_numpy_does(void **state)
{
	(void)state;
	static const struct {
		double value;
		enum rs_voxel_type type;
		double expected;
	} stored[] = {
		{1.9, RS_VOXEL_I16, 1},    {-1.9, RS_VOXEL_I16, -1},       {40000, RS_VOXEL_I16, -25536},
		{300.5, RS_VOXEL_U8, 44},  {NAN, RS_VOXEL_I16, 0},         {NAN, RS_VOXEL_I32, -2147483648.0},
		{-1, RS_VOXEL_U16, 65535}, {4e9, RS_VOXEL_U32, 4e9},       {0.1, RS_VOXEL_F32, 0.1F},
		{0.1, RS_VOXEL_F64, 0.1},  {1e300, RS_VOXEL_I64, -0x1p63}, {200, RS_VOXEL_I8, -56},
	};
	for (size_t i = 0; i < RS_COUNT(stored); i++) {
		double got = as_stored(stored[i].value, stored[i].type);
		assert_memory_equal(&got, &stored[i].expected, sizeof got);
	}
	double values[] = {0.5, -0.5, 1.49, 1e6, -1e6, 254.6, NAN};
	const double expected[] = {1, -1, 1, 127, -128, 127, -128}, positive[] = {1, 0, 1, 127, 0, 127, 0};
	as_stored_rounded(values, RS_COUNT(values), RS_VOXEL_I8);
	for (size_t i = 0; i < RS_COUNT(values); i++)
		assert_true(fabs(values[i] - expected[i]) < 1e-12);
	as_stored_rounded(values, RS_COUNT(values), RS_VOXEL_U64);
	for (size_t i = 0; i < RS_COUNT(values); i++)
		assert_true(fabs(values[i] - positive[i]) < 1e-12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_scikit_image),
		cmocka_unit_test(parts_are_parts_of_the_whole),
		cmocka_unit_test(plateaus_and_edges_have_their_patterns),
		cmocka_unit_test(wrong_calls_are_refused),
		cmocka_unit_test(numbers_are_stored_as_numpy_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
