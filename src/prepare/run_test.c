/* Pipelines on small studies of a simulated disk: what comes out is what equations put in, what is missing is said, and the
 * rest is done. */
#include "prepare/prepare_test.h"

#include "prepare/prepare_pipeline.h"
#include "signal/signal.h"

#define SLICES 4

static struct rs_prepared prepared;
static const char *test_artery;

static int each_teardown(void **state)
{
	rs_prepared_finish(&prepared);
	return test_teardown(state);
}

static void put_t2(const char *frame, double z)
{
	const struct attribute own[] = {{0x00180020, "CS", "SE"},
	                                {0x00180080, "DS", "4000"},
	                                {0x00180081, "DS", "90"},
	                                {0, NULL, NULL}};
	test_frame = frame;
	test_offset = z;
	put_volume("1.2.3.1", SLICES, 1, 100, own);
	test_frame = "1.2.3.9";
	test_offset = 0;
}

/* 1000 exp(-b adc) */
static void put_dwi(const double *b, size_t count, double adc)
{
	for (size_t i = 0; i < count; i++) {
		char text[32];
		const struct attribute own[] = {
			{0x00180020, "CS", "EP"}, {0x00189087, "FD", text}, {0, NULL, NULL}};
		(void)snprintf(text, sizeof text, "%g", b[i]);
		put_volume("1.2.3.2", SLICES, (unsigned)(1 + SLICES * i),
		           (uint16_t)lround(10000 * exp(-b[i] * adc)), own);
	}
}

static const double tr = 5, degrees[] = {3, 9, 15};
#define DEGREE (3.14159265358979323846 / 180)

static void put_flips(double t1_ms)
{
	for (size_t i = 0; i < 3; i++) {
		char text[32];
		const struct attribute own[] = {{0x00180020, "CS", "GR"},
		                                {0x00180080, "DS", "5"},
		                                {0x00180081, "DS", "1.9"},
		                                {0x00181314, "DS", text},
		                                {0, NULL, NULL}};
		(void)snprintf(text, sizeof text, "%g", degrees[i]);
		put_volume("1.2.3.3", SLICES, (unsigned)(1 + SLICES * i),
		           (uint16_t)lround(rs_spoiled_signal(400000, t1_ms, tr, degrees[i] * DEGREE)), own);
	}
}

#define TIMES 24
static size_t test_gap; /* times that are missing after the second one */
#define GADOVIST 5.2    /* l/(mmol s) at 1.5 T: Rohrer 2005 */
static void put_dce(const struct rs_tofts *tofts, double t1_ms, size_t times)
{
	double seconds[10 * TIMES], plasma[10 * TIMES], agent[10 * TIMES];
	for (size_t t = 0; t < 10 * TIMES; t++) {
		seconds[t] = (double)t;
		plasma[t] = t < 20 ? 0 : rs_parker_blood(seconds[t] - 20) / (1 - 0.42);
	}
	rs_tofts_curve(tofts, seconds, plasma, 10 * TIMES, agent);
	for (size_t t = 0; t < times; t++) {
		char at[32];
		const struct attribute own[] = {
			{0x00080032, "TM", at},  {0x00180010, "LO", "Gadovist"}, {0x00180020, "CS", "GR"},
			{0x00180080, "DS", "5"}, {0x00180081, "DS", "1.9"},      {0x00181314, "DS", "15"},
			{0, NULL, NULL}};
		size_t second = 10 * (t + (t > 1 ? test_gap : 0));
		double before = rs_spoiled_signal(400000, t1_ms, tr, 15 * DEGREE);
		(void)snprintf(at, sizeof at, "10%02zu%02zu", second / 60, second % 60);
		put_volume("1.2.3.4", SLICES, (unsigned)(1 + SLICES * t),
		           (uint16_t)lround(before * rs_contrast_enhancement(agent[second], t1_ms, tr,
		                                                             15 * DEGREE, GADOVIST)),
		           own);
	}
}

static enum rs_code run(const char *pipeline, const char *mask, struct rs_error *err)
{
	struct rs_pipeline steps RS_CLEANUP(rs_pipeline_finish) = {.step_count = 0};
	struct rs_scans scans RS_CLEANUP(rs_scans_finish) = {.count = 0};
	struct rs_buffer complaints RS_CLEANUP(rs_buffer_finish) = {0};
	rs_prepared_finish(&prepared);
	rs_buffer_init(&complaints, 1 << 16);
	RS_TRY(rs_pipeline_parse(rs_bytes_of_str(rs_str_from(pipeline)), &steps, err));
	RS_TRY(rs_scans_find(test_world, "/s", NULL, 0, &complaints, &scans, err));
	const struct rs_prepare how = {.world = test_world,
	                               .pipeline = &steps,
	                               .scans = &scans,
	                               .version = "test",
	                               .directory = "/out",
	                               .mask = mask,
	                               .mask_on = RS_SCAN_OTHER,
	                               .artery = test_artery,
	                               .complaints = ""};
	RS_TRY(rs_prepare_study(&how, &prepared, err));
	rs_buffer_append(&prepared.said, "", 1);
	rs_buffer_append(&prepared.report, "", 1);
	return RS_OK;
}

static void must_run(const char *pipeline)
{
	struct rs_error err = {0};
	if (run(pipeline, NULL, &err) != RS_OK)
		fail_msg("%s", err.message);
}

/* The voxel in the middle of a volume that was written. */
static double value_of(const char *name)
{
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err = {0};
	char path[64];
	(void)snprintf(path, sizeof path, "/out/%s.nii.gz", name);
	if (rs_volume_read(test_world, path, &volume, &err) != RS_OK)
		fail_msg("%s", err.message);
	const size_t *n = volume.geometry.size;
	return volume.voxels[(n[2] / 2 * n[1] + n[1] / 2) * n[0] + n[0] / 2];
}

static void was_said(const char *words)
{
	if (!strstr((const char *)prepared.said.data, words))
		fail_msg("'%s' is not said; but: %s", words, (const char *)prepared.said.data);
}

static bool is_written(const char *name)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/out/%s.nii.gz", name);
	return rs_path_exists(test_world, path);
}

static void maps_are_what_the_equations_had(void **state)
{
	static const double b[] = {0, 50, 400, 800};
	const struct rs_tofts tofts = {.ktrans = 0.25, .ve = 0.3};
	(void)state;
	put_t2("1.2.3.9", 0);
	put_dwi(b, 4, 0.0012);
	put_flips(1100);
	put_dce(&tofts, 1100, TIMES);
	must_run("steps: [adc, {dce: {before: 3}}]");
	assert_int_equal(prepared.left_out, 0);
	assert_true(fabs(value_of("ADC") - 1200) < 3);
	assert_true(value_of("ADC_fit") > 0.9999);
	assert_true(fabs(value_of("T1_map") - 1100) < 15);
	if (fabs(value_of("Ktrans") - 0.25) > 0.01 || fabs(value_of("ve") - 0.3) > 0.01 ||
	    !(value_of("vp") < 0.01))
		fail_msg("Ktrans %g, ve %g, vp %g", value_of("Ktrans"), value_of("ve"), value_of("vp"));
	assert_true(value_of("Tofts_fit") > 0.99);
	assert_true(value_of("DCE_time_to_peak") > 0 && value_of("DCE_wash_in") > 0);
	must_run("reference: DWI\nsteps: [{adc: {b_least: 50, b_greatest: 400, model: mono}}]");
	assert_true(fabs(value_of("ADC") - 1200) < 3);
	assert_non_null(strstr((const char *)prepared.report.data, "\"weightings\": 2"));
}

/* Where the artery is the tissue itself, plasma is all there is: vp is the share of plasma in blood, nothing leaves. */
static void plasma_is_measured_where_it_is_said(void **state)
{
	const struct rs_tofts tofts = {.ktrans = 0.25, .ve = 0.3};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_error err = {0};
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	(void)state;
	put_dce(&tofts, 1100, TIMES);
	must_run("steps: [dce]");
	assert_true(is_written("DCE_peak") && !is_written("vp"));
	assert_int_equal(rs_volume_read(test_world, "/out/DCE_peak.nii.gz", &volume, &err), RS_OK);
	assert_int_equal(rs_mask_init(&mask, &volume.geometry, &err), RS_OK);
	assert_int_equal(rs_mask_write(test_world, "/a.nii.gz", &mask, &err), RS_OK);
	test_artery = "/a.nii.gz";
	static const char extended[] =
		"steps: [{dce: {model: extended, t1_ms: 1100, t1_blood_ms: 1100, before: 3}}]";
	must_run(extended);
	was_said("Ktrans, ve: /a.nii.gz: the region is empty");
	mask.labels[5] = 1;
	assert_int_equal(rs_mask_write(test_world, "/a.nii.gz", &mask, &err), RS_OK);
	must_run(extended);
	test_artery = NULL;
	assert_int_equal(prepared.left_out, 0);
	assert_true(fabs(value_of("vp") - 0.58) < 0.01 && value_of("Ktrans") < 0.01);
}

/* Every sentence, and what is written nevertheless. */
static void what_is_missing_is_said_and_the_rest_is_done(void **state)
{
	static const double one[] = {800}, four[] = {0, 20, 300, 800};
	const struct rs_tofts tofts = {.ktrans = 0.25, .ve = 0.3};
	(void)state;
	put_t2("1.2.3.9", 0);
	put_dwi(one, 1, 0.001);
	put_dce(&tofts, 1100, 2);
	must_run("steps: [adc, {dce: {model: tofts}}]");
	was_said("ADC: there is one b-value; two different ones tell a coefficient\n");
	assert_true(is_written("T2") && is_written("DWI_b0800") && !is_written("ADC"));
	put_dwi(four, 4, 0.001);
	put_dce(&tofts, 1100, 6);
	must_run("reference: ADC\nsteps: [{adc: {model: ivim, b_least: 10}}, {dce: {model: tofts}}]");
	was_said("IVIM: there are 3 b-values, 1 of them below 200; IVIM needs four");
	was_said("Ktrans, ve: no series with several flip angles tells T1, and no t1_ms is given\n");
	was_said("ADC: is wanted as reference, but is not there: another one was taken\n");
	assert_true(is_written("DCE_wash_in") && !is_written("Ktrans"));
	assert_int_equal(prepared.left_out, 3);
	test_gap = 5;
	put_dce(&tofts, 1100, 12);
	test_gap = 0;
	must_run("steps: [{dce: {model: tofts, t1_ms: 1100}}]");
	was_said("Ktrans, ve: nothing was measured between 10 s and 70 s, while the agent came");
	assert_true(is_written("DCE_wash_in") && !is_written("Ktrans"));
}

static void a_slice_that_is_missing_costs_one_volume(void **state)
{
	static const double b[] = {0, 400, 800};
	struct rs_error err = {0};
	(void)state;
	put_t2("1.2.3.9", 0);
	put_dwi(b, 3, 0.001);
	/* The third of the four slices of b 400: its file is the 7th of the series. */
	assert_int_equal(test_world->files->remove(test_world->files, "/s/433-1.2.3.2-7.dcm", &err), RS_OK);
	must_run("steps: [adc]");
	was_said("DWI_b0400: between");
	was_said("a slice is missing");
	assert_true(fabs(value_of("ADC") - 1000) < 3);
	assert_int_equal(prepared.left_out, 1);
}

static void places_that_do_not_fit_are_left_out(void **state)
{
	static const double b[] = {0, 800};
	struct rs_error err = {0};
	(void)state;
	put_dwi(b, 2, 0.001);
	put_t2("1.2.3.99", 0);
	must_run("steps: [adc]");
	was_said(
		"DWI: it has another frame of reference than T2: where it lies is not known without the step register\n");
	put_t2("1.2.3.9", 500);
	must_run("steps: [resample]");
	was_said("DWI: its field of view does not overlap that of T2\n");
	assert_true(is_written("T2"));
	put_t2("1.2.3.99", 0);
	must_run("steps: [{register: {samples: 1000}}]");
	was_said(
		"nothing in them can be registered; it has another frame of reference, so it cannot be laid on the "
		"reference\n");
	assert_true(is_written("T2") && prepared.left_out == 1);
	put_t2("1.2.3.9", 500);
	/* Nothing is left when the only volume is flat. */
	assert_int_equal(run("steps: [normalise]", NULL, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "T2: normalise"));
}

static void a_grid_has_the_spacing_that_is_wanted(void **state)
{
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_error err = {0};
	(void)state;
	put_t2("1.2.3.9", 0);
	must_run("steps: [{resample: {spacing_mm: [1, 2, 2.5]}}]");
	assert_int_equal(rs_volume_read(test_world, "/out/T2.nii.gz", &volume, &err), RS_OK);
	const struct rs_geometry *g = &volume.geometry;
	assert_true(g->size[0] == 2 * SIDE && g->size[1] == SIDE && g->size[2] == 2 * SLICES);
	/* IBSI: centres aligned, so the first voxel lies half of the difference outside. */
	assert_true(fabs(g->origin_mm[0] + 0.5) < 1e-6 && fabs(g->origin_mm[2] + 1.25) < 1e-6);
	assert_true(fabs(volume.voxels[5] - 100) < 1e-4);
	/* One voxel of 2 x 2 x 5 mm becomes four: half covered counts. */
	struct rs_geometry own = *g;
	own.size[0] = SIDE;
	own.size[2] = SLICES;
	own.spacing_mm[0] = 2;
	own.spacing_mm[2] = 5;
	own.origin_mm[0] = own.origin_mm[2] = 0;
	assert_int_equal(rs_mask_init(&mask, &own, &err), RS_OK);
	mask.labels[(1 * SIDE + 1) * SIDE + 1] = 3;
	assert_int_equal(rs_mask_write(test_world, "/m.nii.gz", &mask, &err), RS_OK);
	rs_mask_finish(&mask);
	if (run("steps: [{resample: {spacing_mm: [1, 2, 2.5], margin_mm: 2}}]", "/m.nii.gz", &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(rs_mask_read(test_world, "/out/mask.nii.gz", &mask, &err), RS_OK);
	size_t inside = 0;
	for (size_t i = 0; i < rs_geometry_voxels(&mask.geometry); i++)
		inside += mask.labels[i] == 3;
	assert_int_equal(inside, 4);
	assert_true(mask.geometry.size[0] < 2 * SIDE && mask.geometry.size[2] < 2 * SLICES);
}

static void an_empty_region_costs_what_needs_it(void **state)
{
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	struct rs_error err = {0};
	(void)state;
	put_t2("1.2.3.9", 0);
	must_run("steps: [{resample: {spacing_mm: 2.5}}]");
	assert_int_equal(rs_volume_read(test_world, "/out/T2.nii.gz", &volume, &err), RS_OK);
	struct rs_geometry own = volume.geometry;
	own.size[0] = own.size[1] = SIDE;
	own.spacing_mm[0] = own.spacing_mm[1] = 2;
	own.spacing_mm[2] = 5;
	own.size[2] = SLICES;
	own.origin_mm[0] = own.origin_mm[1] = own.origin_mm[2] = 0;
	assert_int_equal(rs_mask_init(&mask, &own, &err), RS_OK);
	assert_int_equal(rs_mask_write(test_world, "/m.nii.gz", &mask, &err), RS_OK);
	if (run("steps: [{resample: {spacing_mm: 2.5, margin_mm: 2}}]", "/m.nii.gz", &err) != RS_OK)
		fail_msg("%s", err.message);
	was_said("margin_mm: the mask is empty, or lies outside of the reference, of which all is kept\n");
	was_said("mask: the region is empty on the reference's grid\n");
	assert_true(is_written("T2") && prepared.left_out == 2);
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, test_setup, each_teardown)
	const struct CMUnitTest tests[] = {
		EACH(maps_are_what_the_equations_had),
		EACH(plasma_is_measured_where_it_is_said),
		EACH(what_is_missing_is_said_and_the_rest_is_done),
		EACH(a_slice_that_is_missing_costs_one_volume),
		EACH(places_that_do_not_fit_are_left_out),
		EACH(a_grid_has_the_spacing_that_is_wanted),
		EACH(an_empty_region_costs_what_needs_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
