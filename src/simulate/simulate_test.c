/* What goes into images comes out of fits: the table's diffusion, T1 and perfusion from noiseless signals, published ADCs,
 * Rician noise where there is nothing; and cohorts whose shares are those that were meant. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "draw.h"
#include "render.h"
#include "scan.h"

#define PLASMA 0.58
#define PI 3.14159265358979323846

/* Between patients: no trait strays. */
static const struct patient plain = {
	.number = 1, .t1_factor = 1, .t2_factor = 1, .diffusion = 1.12e-3, .ktrans = 0.1, .ve = 0.36};

/* The label in the middle of a tumour's densities strays by 0.05 units. */
static const unsigned labels[] = {PANCREAS, TUMOUR + TUMOUR_LEVELS / 2, MUSCLE, NECROSIS};

static void published_adcs(void **state RS_UNUSED)
{
	static const double adcs[] = {1.79e-3, 1.22e-3}, b[] = {0, 800};
	for (size_t i = 0; i < RS_COUNT(adcs); i++) {
		struct tissue_values t = tissue_values(&plain, labels[i], true);
		double values[] = {rs_ivim_signal(&t.diffusion, b[0]), rs_ivim_signal(&t.diffusion, b[1])};
		struct rs_adc fit;
		assert_true(rs_adc_fit(b, values, 2, 0, &fit));
		assert_true(fabs(fit.adc / adcs[i] - 1) < 0.02);
	}
}

static void diffusion_comes_back(void **state RS_UNUSED)
{
	for (size_t i = 0; i < RS_COUNT(labels); i++) {
		double b[9], values[9], looks[LABELS];
		struct tissue_values t = tissue_values(&plain, labels[i], true);
		struct rs_ivim fit;
		for (size_t k = 0; k < 9; k++) {
			const struct image image = {
				.kind = IMAGE_DWI, .tr_ms = 5000, .te_ms = 60, .b = 100.0 * (double)k};
			scan_looks(&plain, &image, 15, looks);
			b[k] = image.b;
			values[k] = looks[labels[i]];
		}
		assert_true(rs_ivim_fit(b, values, 9, &fit));
		assert_true(fabs(fit.d / t.diffusion.d - 1) < 0.01 && fabs(fit.f - t.diffusion.f) < 0.01);
	}
}

static void t1_comes_back(void **state RS_UNUSED)
{
	struct image images[IMAGES_MAX];
	size_t count = scan_plan(&plain, RS_SIMULATE_SMALL, images), used = 0;
	double flips[3], values[3][LABELS], tr_ms = 0;
	for (size_t i = 0; i < count; i++)
		if (images[i].kind == IMAGE_FLIPS) {
			scan_looks(&plain, &images[i], 15, values[used]);
			tr_ms = images[i].tr_ms;
			flips[used++] = images[i].flip * PI / 180;
		}
	assert_int_equal(used, 3);
	for (size_t i = 0; i < RS_COUNT(labels); i++) {
		const double of_label[3] = {values[0][labels[i]], values[1][labels[i]], values[2][labels[i]]};
		struct rs_t1 fit;
		assert_true(rs_t1_fit(flips, of_label, 3, tr_ms, &fit));
		assert_true(fabs(fit.t1_ms / tissue_values(&plain, labels[i], true).t1_ms - 1) < 1e-6);
	}
}

/* From the ten phases of the plan, noiseless: Ktrans, ve and vp are those of the table, where plasma is known at every
 * second, relaxivity and the moment of arrival are right, and plasma within the tissue is not forgotten. */
static void perfusion_comes_back(void **state RS_UNUSED)
{
	enum { MOMENTS = 421 };
	const double arrival_s = 15, flip = 12 * PI / 180;
	static double looks[PHASES][LABELS], shapes[(RS_TOFTS_RATES + 1) * PHASES];
	struct image images[IMAGES_MAX];
	double times[MOMENTS], cp[MOMENTS], agent[PHASES];
	size_t at[PHASES], phases = 0, which;
	for (size_t i = 0; i < scan_plan(&plain, RS_SIMULATE_SMALL, images); i++)
		if (images[i].kind == IMAGE_DCE) {
			scan_looks(&plain, &images[i], arrival_s, looks[phases]);
			at[phases++] = (size_t)(2 * images[i].phase_s);
		}
	assert_int_equal(phases, PHASES);
	for (size_t i = 0; i < 2; i++) {
		struct tissue_values t = tissue_values(&plain, labels[i], true);
		const struct rs_tofts_input input = {times, cp, MOMENTS, at, PHASES, shapes};
		struct rs_tofts fit;
		for (size_t k = 0; k < MOMENTS; k++) {
			times[k] = 0.5 * (double)k;
			cp[k] = rs_parker_blood(times[k] - arrival_s - t.delay_s) / PLASMA;
		}
		for (size_t k = 0; k < PHASES; k++)
			agent[k] = rs_contrast_concentration(looks[0][labels[i]], looks[k][labels[i]],
			                                     t.t1_ms, 4.6, flip,
			                                     scanner_of(&plain)->relaxivity);
		rs_tofts_shapes(&input);
		assert_true(rs_tofts_fit(&input, 1, agent, true, &fit, &which));
		assert_true(fabs(fit.ktrans / t.perfusion.ktrans - 1) < 0.001);
		assert_true(fabs(fit.ve / t.perfusion.ve - 1) < 0.001);
		assert_true(fabs(fit.vp - t.perfusion.vp) < 0.0001);
	}
}

/* Where there is no signal, magnitudes follow Rayleigh: their mean is sqrt(pi / 2) times the noise. */
static void noise_is_rician(void **state RS_UNUSED)
{
	static const double voxel[3] = {8, 8, 8}, half[3] = {60, 60, 40};
	static const struct movement still;
	static const double nothing[LABELS];
	struct anatomy *anatomy = rs_allocate(sizeof *anatomy);
	struct field grain;
	struct rs_volume volume;
	struct rs_error err;
	struct rs_geometry geometry = {
		.size = {60, 60, 20}, .spacing_mm = {2, 2, 4}, .origin_mm = {-59, -59, -38}};
	struct rs_stream stream = {9};
	double sum = 0;
	assert_non_null(anatomy);
	assert_int_equal(anatomy_init(anatomy, &plain, 1, voxel, half, &err), RS_OK);
	assert_int_equal(field_init(&grain, half, 20, &stream, &err), RS_OK);
	assert_int_equal(rs_volume_init(&volume, &geometry, &err), RS_OK);
	render(anatomy, &grain, &still, nothing, nothing, &(struct receiver){.gain = 1, .noise = 40}, &stream,
	       &volume);
	for (size_t i = 0; i < rs_geometry_voxels(&geometry); i++)
		sum += volume.voxels[i];
	assert_true(fabs(sum / (double)rs_geometry_voxels(&geometry) / (40 * sqrt(PI / 2)) - 1) < 0.01);
	rs_volume_finish(&volume);
	field_finish(&grain);
	anatomy_finish(anatomy);
	rs_free(anatomy);
}

static void shares_are_meant(void **state RS_UNUSED)
{
	enum { PATIENTS = 4000 };
	double advanced = 0, responds = 0, died = 0, heads = 0, kept = 0;
	for (size_t i = 1; i <= PATIENTS; i++) {
		struct patient p;
		patient_draw(11, i, &p);
		advanced += p.advanced;
		responds += p.responds;
		died += p.died;
		heads += p.location == HEAD;
		kept += p.aggression;
		assert_true((p.m == 1) == (patient_stage(&p)[0] == 'I' && patient_stage(&p)[1] == 'V'));
	}
	assert_true(fabs(advanced / PATIENTS - 0.5) < 0.05 && fabs(responds / PATIENTS - 0.5) < 0.06);
	assert_true(fabs(died / PATIENTS - 0.7) < 0.1 && fabs(heads / PATIENTS - 0.62) < 0.03);
	assert_true(fabs(kept / PATIENTS) < 0.05);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_adcs),  cmocka_unit_test(diffusion_comes_back),
		cmocka_unit_test(t1_comes_back),   cmocka_unit_test(perfusion_comes_back),
		cmocka_unit_test(noise_is_rician), cmocka_unit_test(shares_are_meant),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
