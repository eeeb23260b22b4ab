/* Local binary patterns on the sphere against PyRadiomics 3.0.1 with SciPy 1.13 and trimesh 5.2, and what geometry
 * says of the parts: points of a sphere, splines, sums. */
#include "filter/filter_test.h"
#include "filter/pairwise.h"
#include "filter/sphere.h"
#include "filter/spline.h"

/* number: the radius; choice: levels, subdivision, whether all voxels are inside */
static enum rs_code run(const struct filter_call *call, const struct rs_volume *volume,
                        const struct rs_box *box, struct rs_pool *pool, double *out, struct rs_error *err)
{
	static uint8_t inside[10000];
	double *outs[RS_LBP_LEVELS_MAX + 1];
	size_t count = rs_box_voxels(box);
	assert_true(count <= sizeof inside);
	for (size_t i = 0; i < count; i++) { /* as a place of the volume says, whatever the box */
		size_t x = box->first[0] + i % box->size[0],
		       y = box->first[1] + i / box->size[0] % box->size[1];
		inside[i] = call->choice[2] != 0 ||
		            (x + 2 * y + i / box->size[0] / box->size[1] + box->first[2]) % 3 > 0;
	}
	for (size_t b = 0; b <= RS_LBP_LEVELS_MAX; b++)
		outs[b] = b < call->blocks ? out + b * count : NULL;
	return rs_filter_lbp_3d(volume, box, inside, call->choice[0], call->number, call->choice[1], pool,
	                        outs, err);
}

static const struct {
	enum rs_voxel_type stored;
	unsigned levels;
	double radius;
	unsigned subdivision;
	double expected[4][EXPECTED];
} cases[] = {
	{RS_VOXEL_I16,
         2,
         1.0,
         1,
         {{21.660280258017085, 17.534512589823358, 19.081675465396014, 19.081675465396014, 12.377303004581199,
           3.094325751145299},
          {18.401806215963283, 15.359967729097699, 16.81242243349228, 16.81242243349228, 10.750481576288465,
           3.3768494810698746},
          {8.688282570264532, -1.0353133982637903, -0.9481918520385952, -0.8276996019473399,
           -0.7085781476697464, 7.243587762718814}}},
	{RS_VOXEL_F32,
         2,
         1.0,
         1,
         {{21.660280258017085, 17.534512589823358, 19.081675465396014, 19.081675465396014, 12.377303004581199,
           3.094325751145299},
          {18.401806215963283, 15.359967729097699, 16.81242243349228, 16.81242243349228, 10.750481576288465,
           3.3768494810698746},
          {8.699224472045898, -1.0359266996383667, -0.9474391937255859, -0.8281314373016357,
           -0.7079300880432129, 7.243106842041016}}},
	{RS_VOXEL_F64,
         3,
         1.5,
         2,
         {{164.08264861963283, 145.8512432174513, 138.7612522277139, 139.77410808339093, 123.56841439256283,
           7.089990989737216},
          {141.149291213015, 128.03712611128458, 117.68849451618608, 122.6338113294915, 103.68658195813647,
           6.739938414199789},
          {126.77470922597436, 115.48460362595759, 104.96522743142681, 109.60676262412724, 119.2860225377873,
           7.184696296736967},
          {10.056698500105792, 0.05408595843162489, 0.07458172440876121, -0.028238194897141966,
           -0.2831791001924526, 14.462097818620016}}},
	{RS_VOXEL_U8,
         2,
         2.0,
         0,
         {{3.3079733725307525, 0.551328895421792, 2.205315581687168, 1.102657790843584, 1.37832223855448,
           0.551328895421792},
          {2.6286958347036387, 0.8541150521006127, 1.3143479173518196, 0.8123116859660621, 1.851913261949864,
           0.7947775187339697},
          {0.22762825499232253, -1.3404779665564275, -1.4267636770081324, -0.8061521931367217,
           -1.3746238300193374, 1.6874063473695973}}},
};

static void values_are_those_of_pyradiomics(void **state)
{
	(void)state;
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		struct rs_volume volume = volume_of(13, 9, 7, cases[c].stored);
		struct rs_box box = whole_of(&volume);
		struct filter_call call = {run,
		                           cases[c].radius,
		                           {cases[c].levels, cases[c].subdivision, 1},
		                           cases[c].levels + 1};
		double *got = filtered(&call, &volume, &box, NULL);
		for (unsigned b = 0; b <= cases[c].levels; b++)
			expect_values("lbp_3d", got + b * rs_box_voxels(&box), rs_box_voxels(&box),
			              cases[c].expected[b], 1e-13);
		rs_free(got);
		rs_volume_finish(&volume);
	}
}

static void parts_are_parts_of_the_whole(void **state)
{
	(void)state;
	const enum rs_voxel_type types[] = {RS_VOXEL_I16, RS_VOXEL_F32, RS_VOXEL_F64, RS_VOXEL_I64};
	for (size_t t = 0; t < RS_COUNT(types); t++) {
		struct rs_volume volume = volume_of(19, 17, 6, types[t]);
		struct filter_call call = {run, 1.5, {2 + (unsigned)t, 1, 0}, 3 + t};
		expect_same_parts(&call, &volume);
		rs_volume_finish(&volume);
	}
	struct rs_volume volume = volume_of(5, 4, 3, RS_VOXEL_I16);
	struct filter_call call = {run, 1, {2, 1, 0}, 3};
	expect_told_memory(&call, &volume, 8);
	rs_volume_finish(&volume);
}

/* All samples alike: the pattern is the constant 1 and has no kurtosis. Outside the region there is 0. */
static void a_plateau_has_one_level(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(7, 7, 7, RS_VOXEL_I16);
	struct rs_box box = {{2, 2, 2}, {3, 3, 3}};
	struct filter_call call = {run, 1, {1, 1, 0}, 2};
	for (size_t i = 0; i < 343; i++)
		volume.voxels[i] = 40;
	double *got = filtered(&call, &volume, &box, NULL);
	size_t zeros = 0;
	for (size_t i = 0; i < 27; i++) {
		bool outside = (2 + i % 3 + 2 * (2 + i / 3 % 3) + 2 + i / 9) % 3 == 0;
		zeros += outside;
		assert_true(fabs(got[i] - (outside ? 0 : 42 / (4 * M_PI) * sqrt(42))) < 1e-12);
		assert_true(outside ? fabs(got[27 + i]) < 1e-12 : isnan(got[27 + i]));
	}
	assert_int_equal(zeros, 9);
	rs_free(got);
	rs_volume_finish(&volume);
}

static void spheres_are_round_and_even(void **state)
{
	(void)state;
	struct rs_error err;
	for (unsigned s = 0; s <= SPHERE_SUBDIVISION_MAX; s++) {
		struct sphere sphere;
		double sum[3] = {0};
		assert_int_equal(sphere_init(&sphere, s, 2.5, 3, &err), RS_OK);
		assert_int_equal(sphere.count, 10 * ((size_t)1 << 2 * s) + 2);
		for (size_t i = 0; i < sphere.count; i++) {
			const double *p = sphere.points[i];
			assert_true(fabs(sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]) - 2.5) < 1e-14);
			for (unsigned a = 0; a < 3; a++)
				sum[a] += p[a];
		}
		for (unsigned a = 0; a < 3; a++)
			assert_true(fabs(sum[a]) < 1e-9);
		sphere_finish(&sphere);
	}
	struct sphere sphere;
	assert_int_equal(sphere_init(&sphere, 2, 1, 3, &err), RS_OK);
	/* the addition theorem at one point does not care which angles were taken: Y(1,0)^2 + 2 |Y(1,1)|^2 = 3/4pi */
	for (size_t i = 0; i < sphere.count; i++) {
		const double *h = sphere.harmonics + i;
		double one = h[sphere.count], re = h[2 * sphere.count], im = h[3 * sphere.count];
		assert_true(fabs(one * one + 2 * (re * re + im * im) - 3 / (4 * M_PI)) < 1e-14);
		double two = h[4 * sphere.count] * h[4 * sphere.count];
		for (unsigned k = 5; k < 9; k++)
			two += 2 * h[k * sphere.count] * h[k * sphere.count];
		assert_true(fabs(two - 5 / (4 * M_PI)) < 1e-14);
	}
	sphere_finish(&sphere);
}

/* A spline runs through the voxels, and through what lies between those of a straight line. */
static void splines_pass_through_the_voxels(void **state)
{
	(void)state;
	for (size_t width = 1; width < 12; width += 5) {
		struct rs_volume volume = volume_of(width, 5, 2, RS_VOXEL_F64);
		struct rs_box box = whole_of(&volume);
		struct spline spline;
		struct rs_error err;
		double work[SPLINE_ROW_WORK(12)], got[12];
		assert_int_equal(spline_init(&spline, &volume, &box, 2, NULL, &err), RS_OK);
		for (size_t y = 0; y < 5; y++) {
			spline_row(&spline, (size_t[3]){0, y, 1}, (double[3]){0, 0, 0}, width, work, got);
			for (size_t x = 0; x < width; x++)
				assert_true(fabs(got[x] - volume.voxels[(5 + y) * width + x]) < 1e-12);
			spline_row(&spline, (size_t[3]){0, y, 0}, (double[3]){-1, 0, 1}, width, work, got);
			assert_true(!(got[0] < 0) && !(got[0] > 0)); /* beyond the volume */
			for (size_t x = 1; x < width; x++)
				assert_true(fabs(got[x] - volume.voxels[(5 + y) * width + x - 1]) < 1e-12);
		}
		spline_finish(&spline);
		rs_volume_finish(&volume);
	}
}

/* numpy 1.26: the mean of 16777216 and many ones, of which float32 loses some, but not all. */
static void means_are_those_of_numpy(void **state)
{
	(void)state;
	double rows[400], work[PAIRWISE_WORK(1)], mean;
	static const struct {
		size_t count;
		double single, twice;
	} expected[] = {
		{5, 3355443.25, 3355444}, {42, 399458.375, 399458.5}, {400, 41944.01171875, 41944.0375}};
	for (size_t i = 0; i < 400; i++)
		rows[i] = i == 0 ? 16777216 : 1;
	for (size_t k = 0; k < RS_COUNT(expected); k++) {
		pairwise_mean(rows, expected[k].count, 1, true, work, &mean);
		assert_true(fabs(mean - expected[k].single) < 1e-9);
		pairwise_mean(rows, expected[k].count, 1, false, work, &mean);
		assert_true(fabs(mean - expected[k].twice) < 1e-9);
	}
}

static void wrong_calls_are_refused(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(5, 4, 3, RS_VOXEL_I16);
	struct rs_box one = {{1, 1, 1}, {1, 1, 1}}, outside = {{1, 1, 1}, {1, 1, 3}};
	const struct {
		struct filter_call call;
		const char *words;
	} wrong[] = {
		{{run, 1, {0, 1, 1}, 1}, "levels"},   {{run, 1, {9, 1, 1}, 9}, "1 to 8"},
		{{run, 0, {2, 1, 1}, 3}, "radius"},   {{run, 65, {2, 1, 1}, 3}, "radius"},
		{{run, NAN, {2, 1, 1}, 3}, "radius"}, {{run, 1, {2, 6, 1}, 3}, "subdivisions"},
	};
	for (size_t i = 0; i < RS_COUNT(wrong); i++)
		expect_refused(&wrong[i].call, &volume, &one, RS_USAGE, wrong[i].words);
	struct filter_call call = {run, 64, {8, 5, 1}, 9};
	expect_refused(&call, &volume, &outside, RS_USAGE, "along z");
	rs_free(filtered(&call, &volume, &one, NULL)); /* the widest is served */
	rs_volume_finish(&volume);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_pyradiomics),
		cmocka_unit_test(parts_are_parts_of_the_whole),
		cmocka_unit_test(a_plateau_has_one_level),
		cmocka_unit_test(spheres_are_round_and_even),
		cmocka_unit_test(splines_pass_through_the_voxels),
		cmocka_unit_test(means_are_those_of_numpy),
		cmocka_unit_test(wrong_calls_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
