/* Families of intensities against their definitions written out: local peaks by all voxels of the image, volume
 * histograms by walking every step, histograms and re-segmentation by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "radiomics/radiomics.h"

#define PI 3.14159265358979323846
#define X 9
#define Y 8
#define Z 6
#define COUNT ((size_t)X * Y * Z)

static double voxels[COUNT];
static uint32_t labels[COUNT];
static uint32_t noise = 7;

static uint32_t draw(uint32_t below)
{
	noise = noise * 1664525U + 1013904223U;
	return (noise >> 16) % below;
}

static struct rs_volume volume_of(double x_mm, double y_mm, double z_mm)
{
	return (struct rs_volume){
		.geometry = {{X, Y, Z}, {x_mm, y_mm, z_mm}, {0, 0, 0}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
		.stored = RS_VOXEL_F64,
		.voxels = voxels};
}

static void extract(const struct rs_volume *volume, const struct rs_radiomics_settings *settings,
                    struct rs_radiomics_result *out)
{
	struct rs_mask mask = {.geometry = volume->geometry, .labels = labels};
	struct rs_error err = {0};
	if (rs_radiomics_extract(volume, &mask, settings, NULL, out, &err) != RS_OK)
		fail_msg("%s", err.message);
}

static void settings_make(struct rs_radiomics_settings *out, const char *families)
{
	struct rs_error err = {0};
	assert_int_equal(rs_radiomics_settings_named("ibsi-digital", out, &err), RS_OK);
	assert_int_equal(rs_radiomics_settings_set(out, "ibsi.families", families, &err), RS_OK);
}

static void set(struct rs_radiomics_settings *settings, const char *name, const char *value)
{
	struct rs_error err = {0};
	assert_int_equal(rs_radiomics_settings_set(settings, name, value, &err), RS_OK);
}

static void expect(const struct rs_radiomics_result *result, const char *name, double want)
{
	const struct rs_radiomics_value *value = rs_radiomics_result_find(result, name);
	assert_non_null(value);
	if (isnan(want) ? !isnan(value->value) : !(fabs(value->value - want) <= 1e-10 * fmax(1, fabs(want))))
		fail_msg("%s is %.17g, by its definition %.17g", name, value->value, want);
}

/* ---- local intensity ---- */

static double peak_about(const struct rs_volume *volume, size_t centre)
{
	const double *mm = volume->geometry.spacing_mm;
	double radius = 10 * pow(3 / (4 * PI), 1.0 / 3), sum = 0, n = 0;
	for (size_t i = 0; i < COUNT; i++) {
		double x = ((double)(i % X) - (double)(centre % X)) * mm[0];
		double y = ((double)(i / X % Y) - (double)(centre / X % Y)) * mm[1];
		double z = ((double)(i / X / Y) - (double)(centre / X / Y)) * mm[2];
		if (x * x + y * y + z * z > radius * radius || isnan(voxels[i]))
			continue;
		sum += voxels[i];
		n++;
	}
	return sum / n;
}

static void peaks_are_means_over_spheres(void **state)
{
	static const double spacings[][3] = {{1, 1, 1}, {2, 2, 2}, {0.7, 1.9, 3}, {8, 8, 8}, {0.01, 5, 4}};
	(void)state;
	for (size_t s = 0; s < RS_COUNT(spacings); s++) {
		struct rs_volume volume = volume_of(spacings[s][0], spacings[s][1], spacings[s][2]);
		struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
		struct rs_radiomics_settings settings;
		double most = -INFINITY, local = -INFINITY, global = -INFINITY;
		for (size_t i = 0; i < COUNT; i++) {
			voxels[i] = draw(8);
			labels[i] = draw(3) > 0;
			if (labels[i] == 0 && draw(10) == 0)
				voxels[i] = NAN;
		}
		for (size_t i = 0; i < COUNT; i++)
			if (labels[i] == 1) {
				double mean = peak_about(&volume, i);
				local = voxels[i] > most   ? mean
				        : voxels[i] < most ? local
				                           : fmax(local, mean);
				most = fmax(most, voxels[i]);
				global = fmax(global, mean);
			}
		settings_make(&settings, "loc");
		extract(&volume, &settings, &result);
		expect(&result, "loc_peak_loc", local);
		expect(&result, "loc_peak_glob", global);
	}
}

/* ---- intensity-volume histogram ---- */

/* intensity[k], k <= last: the range in its steps; of_voxel: discretised intensities */
struct histogram {
	double low, step;
	size_t last;
	double of_voxel[COUNT];
	size_t count;
};

static double fraction(const struct histogram *h, size_t k)
{
	double below = 0;
	for (size_t i = 0; i < h->count; i++)
		below += h->of_voxel[i] < h->low + (double)k * h->step - 1e-9;
	return 1 - below / (double)h->count;
}

static double volume_at(const struct histogram *h, double x)
{
	for (size_t k = 0; k <= h->last; k++)
		if ((double)k / (double)h->last >= x - 1e-12)
			return fraction(h, k);
	return NAN;
}

static double intensity_at(const struct histogram *h, double x)
{
	size_t k = 0;
	while (fraction(h, k) > x + 1e-12)
		k++;
	return h->low + (double)k * h->step;
}

static double area(const struct histogram *h)
{
	double sum = 0;
	for (size_t k = 0; k < h->last; k++)
		sum += (fraction(h, k) + fraction(h, k + 1)) / 2 / (double)h->last;
	return sum;
}

static void check_histogram(const struct rs_radiomics_result *result, const struct histogram *h)
{
	expect(result, "ivh_v10", volume_at(h, 0.1));
	expect(result, "ivh_v90", volume_at(h, 0.9));
	expect(result, "ivh_i10", intensity_at(h, 0.1));
	expect(result, "ivh_i90", intensity_at(h, 0.9));
	expect(result, "ivh_diff_v10_v90", volume_at(h, 0.1) - volume_at(h, 0.9));
	expect(result, "ivh_diff_i10_i90", intensity_at(h, 0.1) - intensity_at(h, 0.9));
	expect(result, "ivh_auc", area(h));
}

static double own(const struct histogram *h, bool highest)
{
	double best = h->of_voxel[0];
	for (size_t i = 0; i < h->count; i++)
		best = highest ? fmax(best, h->of_voxel[i]) : fmin(best, h->of_voxel[i]);
	return best;
}

/* kind 0: as they are; 1: bins of 2.5; 2: 40 bins. few: voxels of the region, all different; 0: many.
 * range: NULL, or as a setting, with its numbers */
static void volume_histogram(int kind, size_t few, const char *range, double low, double high)
{
	struct rs_volume volume = volume_of(2, 2, 2);
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_radiomics_settings settings;
	struct histogram h = {0};
	settings_make(&settings, "ivh");
	if (range != NULL)
		set(&settings, "ibsi.range", range);
	for (size_t i = 0; i < COUNT; i++) {
		voxels[i] = few ? (double)i : draw(40) + draw(60); /* few: every tenth of them counts */
		labels[i] = few ? i % 4 == 0 && i < 4 * few : draw(4) > 0;
		if (labels[i] && (range == NULL || (voxels[i] >= low && voxels[i] <= high)))
			h.of_voxel[h.count++] = voxels[i];
	}
	double least = own(&h, false), most = own(&h, true);
	h.low = range != NULL ? low : least;
	double top = range != NULL && isfinite(high) ? high : most, start = h.low;
	h.step = 1;
	if (kind == 1) {
		set(&settings, "ibsi.ivhBinWidth", "2.5");
		h.step = 2.5;
		h.low = start + 1.25;
		for (size_t i = 0; i < h.count; i++)
			h.of_voxel[i] = start + (floor((h.of_voxel[i] - start) / 2.5) + 0.5) * 2.5;
		h.last = (size_t)lround((top - start) / 2.5) - 1;
	} else if (kind == 2) {
		set(&settings, "ibsi.ivhBinCount", "40");
		h.low = 1;
		h.last = 39;
		for (size_t i = 0; i < h.count; i++)
			h.of_voxel[i] = fmin(40, floor(40 * (h.of_voxel[i] - least) / (most - least)) + 1);
	} else {
		h.last = (size_t)lround(top - start);
	}
	extract(&volume, &settings, &result);
	check_histogram(&result, &h);
}

static void volume_histograms_walk_their_steps(void **state)
{
	(void)state;
	for (int n = 0; n < 20; n++) {
		volume_histogram(0, 0, NULL, 0, 0);
		volume_histogram(0, 0, "5,80", 5, 80);
		volume_histogram(0, 0, "-20,120", -20, 120);
		volume_histogram(0, 0, "20,inf", 20, INFINITY);
		volume_histogram(1, 0, "0,100", 0, 100);
		volume_histogram(1, 0, "-10,60", -10, 60);
		volume_histogram(2, 0, NULL, 0, 0);
		volume_histogram(2, 0, "10,70", 10, 70);
	}
	for (size_t few = 2; few < 25; few++) {
		volume_histogram(0, few, NULL, 0, 0);
		volume_histogram(2, few, NULL, 0, 0);
	}
}

/* ---- histogram, re-segmentation, rounding ---- */

/* counts[i]: voxels of intensity i; the rest of the volume is outside */
static void fill(const size_t *counts, size_t n)
{
	size_t to = 0;
	memset(labels, 0, sizeof labels);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < counts[i]; k++, to++) {
			voxels[to] = (double)i;
			labels[to] = 1;
		}
}

static void check_shape(const size_t *counts, size_t n, double mode, const double gradients[4])
{
	struct rs_volume volume = volume_of(1, 1, 1);
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_radiomics_settings settings;
	settings_make(&settings, "ih");
	fill(counts, n);
	extract(&volume, &settings, &result);
	expect(&result, "ih_mode", mode);
	expect(&result, "ih_max_grad", gradients[0]);
	expect(&result, "ih_max_grad_g", gradients[1]);
	expect(&result, "ih_min_grad", gradients[2]);
	expect(&result, "ih_min_grad_g", gradients[3]);
}

static void the_mode_is_the_highest_count_next_to_the_mean(void **state)
{
	(void)state;
	/* mean 2.8: level 2 lies closer than 1 or 5 */
	check_shape((const size_t[]){5, 5, 1, 1, 5}, 5, 2, (const double[]){4, 5, -2, 2});
	/* mean 2 between 1 and 3: the lower one; an empty level counts */
	check_shape((const size_t[]){4, 0, 4}, 3, 1, (const double[]){4, 3, -4, 1});
	check_shape((const size_t[]){1, 4, 2}, 3, 2, (const double[]){3, 1, -2, 3});
}

/* Both methods look at the region as it was: what the range takes away is in the mean all the same. */
static void check_resegmentation(double sigma)
{
	struct rs_volume volume = volume_of(1, 1, 1);
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_radiomics_settings settings;
	double sum = 0, squares = 0, n = 0, kept = 0, kept_sum = 0, most = -INFINITY;
	char text[RS_F64_TEXT_SIZE];
	for (size_t i = 0; i < COUNT; i++) {
		voxels[i] = draw(10) == 0 ? draw(1000) : draw(100);
		labels[i] = draw(3) > 0;
		n += labels[i];
		sum += labels[i] ? voxels[i] : 0;
	}
	for (size_t i = 0; i < COUNT; i++)
		squares += labels[i] ? (voxels[i] - sum / n) * (voxels[i] - sum / n) : 0;
	double reach = sigma * sqrt(squares / n), low = sum / n - reach, high = sum / n + reach;
	for (size_t i = 0; i < COUNT; i++)
		if (labels[i] && voxels[i] >= fmax(low, 20) && voxels[i] <= fmin(high, 500)) {
			kept++;
			kept_sum += voxels[i];
			most = fmax(most, voxels[i]);
		}
	settings_make(&settings, "stat");
	rs_format_f64(sigma, text);
	set(&settings, "ibsi.range", "20,500");
	set(&settings, "ibsi.outlierSigma", text);
	extract(&volume, &settings, &result);
	expect(&result, "stat_mean", kept_sum / kept);
	expect(&result, "stat_max", most);
	for (size_t i = 0; i < result.diagnostic_count; i++)
		if (strcmp(result.diagnostics[i].name, "int_mask_vox_count_reseg_roi") == 0) {
			double count = 0;
			assert_true(rs_parse_f64(rs_str_from(result.diagnostics[i].text), &count));
			assert_int_equal((int)count, (int)kept);
		}
}

static void range_and_outliers_are_applied_together(void **state)
{
	(void)state;
	for (int k = 1; k <= 40; k++)
		check_resegmentation(0.1 * k);
}

static void bins_start_at_the_range_or_at_the_minimum(void **state)
{
	struct rs_volume volume = volume_of(1, 1, 1);
	struct rs_radiomics_settings settings;
	(void)state;
	for (int ranged = 0; ranged <= 1; ranged++) {
		struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
		settings_make(&settings, "ih");
		set(&settings, "ibsi.binWidth", "5");
		if (ranged)
			set(&settings, "ibsi.range", "-20,100");
		fill((const size_t[]){0, 0, 0, 1, 0, 0, 0, 1, 1}, 9); /* 3, 7, 8 */
		extract(&volume, &settings, &result);
		expect(&result, "ih_min", ranged ? 5 : 1);
		expect(&result, "ih_max", ranged ? 6 : 2);
		expect(&result, "ih_mean", ranged ? 17 / 3.0 : 4 / 3.0);
	}
}

static void rounding_goes_to_the_nearest_whole_number(void **state)
{
	struct rs_volume volume = volume_of(1, 1, 1);
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_radiomics_settings settings;
	(void)state;
	memset(labels, 0, sizeof labels);
	static const double values[] = {1.4, 1.6, -1.4, -1.6, 2.5, -2.5};
	for (size_t i = 0; i < RS_COUNT(values); i++) {
		voxels[i] = values[i];
		labels[i] = 1;
	}
	settings_make(&settings, "stat");
	set(&settings, "ibsi.round", "true");
	extract(&volume, &settings, &result);
	expect(&result, "stat_mean", (1 + 2 - 1 - 2 + 3 - 2) / 6.0);
	assert_true(voxels[0] > 1.3); /* the caller's volume is untouched */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peaks_are_means_over_spheres),
		cmocka_unit_test(volume_histograms_walk_their_steps),
		cmocka_unit_test(the_mode_is_the_highest_count_next_to_the_mean),
		cmocka_unit_test(range_and_outliers_are_applied_together),
		cmocka_unit_test(bins_start_at_the_range_or_at_the_minimum),
		cmocka_unit_test(rounding_goes_to_the_nearest_whole_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
