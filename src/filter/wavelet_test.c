/* Wavelet bands against PyRadiomics 3.0.1 with PyWavelets 1.8 (bit for bit), filters against what defines them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "filter/filter.h"

static struct rs_volume volume_of(size_t x, size_t y, size_t z, enum rs_voxel_type stored)
{
	struct rs_geometry geometry = {{x, y, z}, {1, 1, 1}, {0, 0, 0}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	struct rs_volume volume;
	struct rs_error err;
	assert_int_equal(rs_volume_init(&volume, &geometry, &err), RS_OK);
	volume.stored = stored;
	for (size_t i = 0; i < x * y * z; i++)
		volume.voxels[i] = (double)(i * 7919 % 1013) - 500;
	return volume;
}

static struct rs_wavelet wavelet_of(const char *name)
{
	struct rs_wavelet wavelet;
	struct rs_error err;
	assert_int_equal(rs_wavelet_find(name, &wavelet, &err), RS_OK);
	return wavelet;
}

static void bands_of(const struct rs_volume *volume, const struct rs_box *box, const char *name,
                     unsigned level, unsigned axes, struct rs_pool *pool, double *outs[8])
{
	struct rs_wavelet wavelet = wavelet_of(name);
	struct rs_error err;
	for (size_t i = 0; i < 8; i++)
		assert_non_null(outs[i] = rs_allocate_array(rs_box_voxels(box), sizeof(double)));
	assert_int_equal(rs_filter_wavelet(volume, box, &wavelet, level, axes, pool, outs, &err), RS_OK);
}

static void bands_free(double *outs[8])
{
	for (size_t i = 0; i < 8; i++)
		rs_free(outs[i]);
}

/* radiomics.imageoperations._swt3 of the volume above: the first, the middle and the last voxel of each band. */
static const struct {
	const char *name;
	enum rs_voxel_type stored;
	size_t size[3];
	unsigned level, axes;
	double expected[8][3];
} cases[] = {
	{"coif1",
         RS_VOXEL_I16,
         {5, 4, 3},
         1,
         7,
         {
		 {-957.79298388304278, 265.00735367307288, 84.786611333775326},
		 {-298.73775307443816, -45.308141251128859, -187.21913965521958},
		 {-32.344791043746547, -271.23201884848658, -337.39364058960052},
		 {195.05745754354558, 15.461474555680851, -294.95584265028748},
		 {93.782028595322657, -901.13494301590561, 129.25604945369136},
		 {-502.69778769147553, -151.71887832864445, -214.62821442831452},
		 {-17.004965549500714, 161.3620538105144, -296.64931086808434},
		 {-38.516991473966101, -273.40267919032379, -115.04533229645234},
	 }},
	{"db2",
         RS_VOXEL_F32,
         {5, 4, 3},
         1,
         7,
         {
		 {-1167.09314, 45.1019287, -28.3773193},
		 {84.4569626, 212.765198, 193.162476},
		 {-45.7473755, 325.814789, 397.030334},
		 {169.274399, -52.9619141, -173.076935},
		 {-192.049225, 964.272156, 27.3852501},
		 {-376.731476, -208.045258, -116.312485},
		 {14.1910973, 102.121399, -173.076935},
		 {52.961956, 381.122162, 46.375824},
	 }},
	{"bior1.3",
         RS_VOXEL_I16,
         {5, 4, 3},
         2,
         7,
         {
		 {-264.7578125, 666.41992187500023, -1928.8750000000005},
		 {-119.65625000000021, 181.078125, 166.12500000000023},
		 {-98.750000000000114, 314.40820312500011, 363.87109375},
		 {-221.59375000000006, 110.79687500000007, 94.968750000000043},
		 {67.972656250000142, -279.32226562500011, 1360.5156250000005},
		 {-569.81250000000034, 395.70312500000011, -253.25000000000023},
		 {59.355468750000014, -156.30273437500014, -3.9570312500000284},
		 {2.8421709430404007e-14, 110.79687500000007, -31.656250000000096},
	 }},
	{"rbio3.1",
         RS_VOXEL_I16,
         {6, 3, 4},
         1,
         3,
         {
		 {189, -341.875, -263.59374999999994},
		 {506.49999999999989, -253.24999999999997, 715.31249999999989},
		 {770.5, 10.749999999999943, -230.31249999999997},
		 {-2025.9999999999998, 506.49999999999994, -1139.6249999999998},
	 }},
	{"sym20",
         RS_VOXEL_I16,
         {4, 5, 3},
         1,
         7,
         {
		 {-816.78901083702965, 5.6748151909436721, 21.974492978619065},
		 {-54.143085705522701, -169.92867832778583, 9.8940384409371944},
		 {-311.22401980100403, 429.06133664218208, 124.77622179135467},
		 {-567.6414892209898, -40.446460514290287, -59.584009367873392},
		 {14.055415338983648, 188.97675328767534, -91.823540640282786},
		 {-630.56437294587431, 221.7707645907312, -216.97156496861152},
		 {-240.80901503388634, -325.78480157804171, -24.997940671719366},
		 {226.60350799267252, 549.93092500516582, 68.685694933569025},
	 }},
	{"coif2",
         RS_VOXEL_F32,
         {5, 4, 3},
         2,
         7,
         {
		 {-332.946991, -1287.35925, 1715.33862},
		 {-86.278923, -453.717743, 684.507263},
		 {299.527588, -528.633057, 40.5246544},
		 {54.3902512, -254.584824, -18.2266769},
		 {-702.402771, -387.745453, -793.212463},
		 {-232.695358, -94.9077988, -203.144089},
		 {218.630127, -10.4753408, -248.754333},
		 {132.262238, -67.9324112, -0.316068113},
	 }},
	{"dmey",
         RS_VOXEL_I16,
         {5, 4, 3},
         1,
         5,
         {
		 {-705.2662224181604, 36.397285358937182, 5.7226631125949385},
		 {-272.48803914471921, -117.5656517579288, -151.76210981300042},
		 {250.82553865371958, -639.80910174596204, -67.296895014288523},
		 {-527.8416545034022, -323.81977337186441, -49.470343190488002},
	 }},
};

static void bands_are_those_of_pywavelets(void **state)
{
	(void)state;
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		const size_t *size = cases[c].size;
		struct rs_volume volume = volume_of(size[0], size[1], size[2], cases[c].stored);
		struct rs_box box = {{0, 0, 0}, {size[0], size[1], size[2]}};
		size_t count = rs_box_voxels(&box);
		double *outs[8];
		bands_of(&volume, &box, cases[c].name, cases[c].level, cases[c].axes, NULL, outs);
		for (size_t band = 0; band < (size_t)1 << __builtin_popcount(cases[c].axes); band++) {
			const double got[] = {outs[band][0], outs[band][count / 2], outs[band][count - 1]};
			for (int k = 0; k < 3; k++) {
				double want = cases[c].expected[band][k];
				if (cases[c].stored == RS_VOXEL_F32)
					want = (double)(float)want;
				if (got[k] != want)
					fail_msg("%s, band %zu, voxel %d: %.17g, expected %.17g",
					         cases[c].name, band, k, got[k], want);
			}
		}
		bands_free(outs);
		rs_volume_finish(&volume);
	}
}

/* Boxes, pools and bands that are left out change no bit. */
static void boxes_and_pools_change_nothing(void **state)
{
	(void)state;
	static const char *const names[] = {"coif1", "db7", "coif17", "bior2.2"};
	struct rs_box whole = {{0, 0, 0}, {21, 37, 9}}, part = {{18, 16, 3}, {3, 20, 5}};
	struct rs_pool *pool = NULL;
	struct rs_error err;
	assert_int_equal(rs_pool_create(3, &pool, &err), RS_OK);
	for (size_t n = 0; n < RS_COUNT(names); n++)
		for (unsigned level = 1; level <= 3; level++) {
			struct rs_volume volume = volume_of(21, 37, 9, n % 2 ? RS_VOXEL_F32 : RS_VOXEL_I16);
			struct rs_wavelet wavelet = wavelet_of(names[n]);
			double *all[8], *some[8];
			bands_of(&volume, &whole, names[n], level, 7, NULL, all);
			bands_of(&volume, &part, names[n], level, 7, pool, some);
			rs_free(some[2]);
			some[2] = NULL;
			memset(some[5], 0, rs_box_voxels(&part) * sizeof(double));
			assert_int_equal(
				rs_filter_wavelet(&volume, &part, &wavelet, level, 7, pool, some, &err),
				RS_OK);
			for (size_t band = 0; band < 8; band++)
				for (size_t i = 0; band != 2 && i < rs_box_voxels(&part); i++) {
					size_t x = 18 + i % 3, y = 16 + i / 3 % 20, z = 3 + i / 60;
					assert_true(some[band][i] == all[band][(z * 37 + y) * 21 + x]);
				}
			bands_free(all);
			bands_free(some);
			rs_volume_finish(&volume);
		}
	rs_pool_destroy(pool);
}

static void haar_takes_sums_and_differences(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(6, 4, 2, RS_VOXEL_I16);
	struct rs_box box = {{0, 0, 0}, {6, 4, 2}};
	double *outs[8];
	bands_of(&volume, &box, "haar", 1, 1, NULL, outs);
	for (size_t i = 0; i < 48; i++) {
		double here = volume.voxels[i], next = volume.voxels[i % 6 < 5 ? i + 1 : i - 5];
		assert_true(fabs(outs[0][i] - (here + next) / sqrt(2)) < 1e-12 * 1013);
		assert_true(fabs(outs[1][i] - (here - next) / sqrt(2)) < 1e-12 * 1013);
	}
	bands_free(outs);
	rs_volume_finish(&volume);
}

static double product(const double *a, const double *b, size_t taps, size_t shift)
{
	double sum = 0;
	for (size_t t = shift; t < taps; t++)
		sum += a[t] * b[t - shift];
	return sum;
}

/* Low-pass taps sum to the root of 2 and high-pass taps to 0; even shifts are orthogonal (the bi-orthogonal families
 * to their twin). */
static void check_filters(const char *name)
{
	struct rs_wavelet wavelet = wavelet_of(name), twin = wavelet;
	double low = 0, high = 0;
	double tolerance = strcmp(name, "dmey") == 0 ? 3e-3 : 1e-10; /* dmey is cut off */
	assert_string_equal(wavelet.name, name);
	for (size_t t = 0; t < wavelet.taps; t++)
		low += wavelet.low[t], high += wavelet.high[t];
	assert_true(fabs(low - sqrt(2)) < tolerance);
	assert_true(fabs(high) < tolerance);
	if (strncmp(name, "bior", 4) == 0 || strncmp(name, "rbio", 4) == 0) {
		char other[8];
		memcpy(other, name, 8);
		memcpy(other, name[0] == 'b' ? "rbio" : "bior", 4);
		twin = wavelet_of(other);
	}
	for (size_t shift = 0; shift < wavelet.taps; shift += 2) {
		double want = shift == 0 ? 1 : 0;
		assert_true(fabs(product(wavelet.low, twin.low, wavelet.taps, shift) - want) < tolerance);
		assert_true(fabs(product(wavelet.high, twin.high, wavelet.taps, shift) - want) < tolerance);
		assert_true(fabs(product(wavelet.low, twin.high, wavelet.taps, shift)) < tolerance);
	}
}

static void filters_are_wavelets(void **state)
{
	(void)state;
	static const char *const pairs[] = {"1.1", "1.3", "1.5", "2.2", "2.4", "2.6", "2.8", "3.1",
	                                    "3.3", "3.5", "3.7", "3.9", "4.4", "5.5", "6.8"};
	static const struct {
		const char *family;
		int first, last;
	} families[] = {{"db", 1, 38}, {"sym", 2, 20}, {"coif", 1, 17}};
	char name[8] = "";
	check_filters("haar");
	check_filters("dmey");
	for (size_t f = 0; f < RS_COUNT(families); f++)
		for (int n = families[f].first; n <= families[f].last; n++) {
			memset(name, 0, sizeof name);
			snprintf(name, sizeof name, "%.4s%d", families[f].family, n % 100);
			check_filters(name);
		}
	for (size_t i = 0; i < 2 * RS_COUNT(pairs); i++) {
		snprintf(name, sizeof name, "%s%.3s", i % 2 ? "rbio" : "bior", pairs[i / 2]);
		check_filters(name);
	}
}

static void wrong_calls_are_refused(void **state)
{
	(void)state;
	static const char *const names[] = {"",        "db0",  "db39", "coif18",      "sym1",
	                                    "bior9.9", "rbio", "bior", "rbiorbio1.1", "haarhaarhaarhaar",
	                                    "mexh"};
	struct rs_wavelet wavelet = wavelet_of("coif1"), kept = wavelet;
	struct rs_error err;
	for (size_t i = 0; i < RS_COUNT(names); i++) {
		assert_int_equal(rs_wavelet_find(names[i], &wavelet, &err), RS_NOT_FOUND);
		assert_non_null(strstr(err.message, "coif1 to coif17"));
	}
	assert_memory_equal(&wavelet, &kept, sizeof kept);
	struct rs_volume volume = volume_of(4, 4, 4, RS_VOXEL_I16);
	struct rs_box box = {{0, 0, 0}, {4, 4, 4}}, outside = {{1, 0, 0}, {4, 4, 4}};
	double *none[8] = {NULL};
	assert_int_equal(rs_filter_wavelet(&volume, &box, &wavelet, 0, 7, NULL, none, &err), RS_USAGE);
	assert_int_equal(rs_filter_wavelet(&volume, &box, &wavelet, 9, 7, NULL, none, &err), RS_USAGE);
	assert_int_equal(rs_filter_wavelet(&volume, &box, &wavelet, 1, 0, NULL, none, &err), RS_USAGE);
	assert_int_equal(rs_filter_wavelet(&volume, &box, &wavelet, 1, 8, NULL, none, &err), RS_USAGE);
	assert_int_equal(rs_filter_wavelet(&volume, &outside, &wavelet, 1, 7, NULL, none, &err), RS_USAGE);
	wavelet.taps = RS_WAVELET_TAPS_MAX + 2;
	assert_int_equal(rs_filter_wavelet(&volume, &box, &wavelet, 1, 7, NULL, none, &err), RS_USAGE);
	rs_volume_finish(&volume);
}

static void lack_of_memory_is_told(void **state)
{
	(void)state;
	struct rs_volume volume = volume_of(5, 4, 3, RS_VOXEL_I16);
	struct rs_box box = {{0, 0, 0}, {5, 4, 3}};
	struct rs_wavelet wavelet = wavelet_of("coif1");
	double *outs[8];
	struct rs_error err;
	bands_of(&volume, &box, "coif1", 2, 7, NULL, outs);
	enum rs_code code = RS_NO_MEMORY;
	unsigned k = 0;
	while (code == RS_NO_MEMORY) {
		rs_memory_fail_at(++k);
		code = rs_filter_wavelet(&volume, &box, &wavelet, 2, 7, NULL, outs, &err);
	}
	rs_memory_fail_at(0);
	assert_int_equal(code, RS_OK);
	assert_true(k > 3);
	bands_free(outs);
	rs_volume_finish(&volume);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bands_are_those_of_pywavelets),
		cmocka_unit_test(boxes_and_pools_change_nothing),
		cmocka_unit_test(haar_takes_sums_and_differences),
		cmocka_unit_test(filters_are_wavelets),
		cmocka_unit_test(wrong_calls_are_refused),
		cmocka_unit_test(lack_of_memory_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
