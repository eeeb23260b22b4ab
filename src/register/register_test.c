/* Transforms that were applied to a generated body, seen by two sequences with noise and coils, are found again: the
 * target registration error is measured at points all over the body. */
#include <string.h>

#include "register/phantom.h"

/* Slices as a scanner makes them; the moving scan is oblique and has other voxels. */
static const struct rs_geometry fixed_grid = {.size = {100, 80, 36},
                                              .spacing_mm = {1.8, 1.8, 4},
                                              .origin_mm = {-89, -71, -70},
                                              .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
static const struct rs_geometry moving_grid = {.size = {110, 100, 50},
                                               .spacing_mm = {2, 2, 4},
                                               .origin_mm = {-130, -105, -60},
                                               .direction = {{0.96, 0, 0.28}, {0, 1, 0}, {-0.28, 0, 0.96}}};

/* The transforms: moving = matrix · fixed + offset, and a swelling of some mm. */
struct truth {
	double matrix[3][3], offset[3], swell_mm;
};
/* Turned by 8, -6 and 7 degrees about x, y, z. */
static const struct truth rigid_truth = {{{0.987108879971, -0.135122434470, -0.085778708231},
                                          {0.121201730391, 0.981113860311, -0.150750567682},
                                          {0.104528463268, 0.138410696151, 0.984843276648}},
                                         {9, -12, 7},
                                         0};
static const struct truth affine_truth = {
	{{1.07, 0.05, -0.03}, {-0.06, 0.93, 0.04}, {0.02, 0.06, 1.05}}, {-8, 6, 9}, 0};
static const struct truth swelling_truth = {
	{{0.9961947, -0.08715574, 0}, {0.08715574, 0.9961947, 0}, {0, 0, 1}}, {5, -4, 6}, 6};
static const struct truth *truth;

static void swell(const double p[3], double out[3])
{
	const double k = 2 * 3.14159265358979323846 / 150;
	out[0] = truth->swell_mm * sin(k * p[1] + 0.3) * cos(k * p[2]);
	out[1] = truth->swell_mm * sin(k * p[0] - 0.4) * cos(k * p[2] + 0.5);
	out[2] = truth->swell_mm * cos(k * p[0]) * sin(k * p[1]);
}

static void forward(const double p[3], double out[3])
{
	double u[3];
	swell(p, u);
	for (int r = 0; r < 3; r++)
		out[r] = truth->matrix[r][0] * p[0] + truth->matrix[r][1] * p[1] +
		         truth->matrix[r][2] * p[2] + truth->offset[r] + u[r];
}

/* The fixed point of which `p` is the place in the moving scan: Newton's steps with the matrix alone. */
static void backward(const double p[3], double out[3])
{
	double x[3] = {p[0], p[1], p[2]}, there[3];
	for (int i = 0; i < 12; i++) {
		forward(x, there);
		for (int r = 0; r < 3; r++)
			x[r] += 0.8 * (p[r] - there[r]);
	}
	memcpy(out, x, sizeof x);
}

/* Root mean square and greatest distance in voxels of the moving grid, over points in the body. */
static void errors_of(const struct rs_transform *t, double *out_rms, double *out_most)
{
	double squares = 0, most = 0;
	size_t n = 0;
	for (int z = -60; z <= 60; z += 10)
		for (int y = -50; y <= 50; y += 10)
			for (int x = -70; x <= 70; x += 10) {
				const double p[3] = {x, y, z};
				double got[3], want[3], square = 0;
				if (x * x / 4900.0 + y * y / 2500.0 + z * z / 3600.0 > 1)
					continue;
				rs_transform_point(t, p, got);
				forward(p, want);
				for (int a = 0; a < 3; a++)
					square += (got[a] - want[a]) * (got[a] - want[a]);
				squares += square;
				most = fmax(most, sqrt(square));
				n++;
			}
	*out_rms = sqrt(squares / (double)n) / moving_grid.spacing_mm[0];
	*out_most = most / moving_grid.spacing_mm[0];
}

static void recover(const struct truth *applied, enum rs_transform_kind kind, unsigned levels,
                    double rms_voxels, double most_voxels)
{
	struct rs_volume fixed, moving;
	struct rs_transform found;
	struct rs_register_report report;
	struct rs_register how = RS_REGISTER_DEFAULT;
	struct rs_error err = {0};
	double rms, most;
	truth = applied;
	how.kind = kind;
	how.levels = levels;
	how.samples = 15000;
	how.stiffness = 100; /* the body is rich in contrast, and little noisy */
	scan_make(&fixed, &fixed_grid, 0, NULL, 6, 11);
	scan_make(&moving, &moving_grid, 1, backward, 6, 12);
	if (rs_register(&fixed, &moving, &how, NULL, &found, &report, &err) != RS_OK)
		fail_msg("%s", err.message);
	errors_of(&found, &rms, &most);
	print_message(
		"# %s: error %.3f voxels, at most %.3f; information %.3f -> %.3f, correlation %.3f -> %.3f, "
		"overlap %.2f -> %.2f, %u steps, %u looks, %.1f mm, Jacobian %.2f\n",
		rs_transform_kind_name(kind), rms, most, report.mi_before, report.mi_after, report.ncc_before,
		report.ncc_after, report.overlap_before, report.overlap_after, report.steps, report.looks,
		report.greatest_mm, report.least_jacobian);
	assert_true(report.least_jacobian > 0.7); /* the swelling's is 0.93, by its formula */
	assert_true(rms < rms_voxels && most < most_voxels && report.mi_after > report.mi_before);
	rs_transform_finish(&found);
	rs_volume_finish(&fixed);
	rs_volume_finish(&moving);
}

/* The same bits from one thread and from two. */
static void threads(void **state)
{
	(void)state;
	struct rs_volume fixed, moving;
	struct rs_transform found[2];
	struct rs_register_report report;
	struct rs_register how = RS_REGISTER_DEFAULT;
	struct rs_pool *pool;
	struct rs_geometry small = fixed_grid;
	small.size[2] = 12;
	how.kind = RS_TRANSFORM_BSPLINE;
	how.samples = 5000;
	how.steps = 4;
	truth = &swelling_truth;
	scan_make(&fixed, &small, 0, NULL, 6, 11);
	scan_make(&moving, &small, 1, backward, 6, 12);
	assert_int_equal(rs_pool_create(2, &pool, NULL), RS_OK);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			rs_register(&fixed, &moving, &how, i ? pool : NULL, &found[i], &report, NULL), RS_OK);
	assert_memory_equal(&found[0].lattice, &found[1].lattice, sizeof found[0].lattice);
	assert_memory_equal(found[0].matrix, found[1].matrix, sizeof found[0].matrix);
	assert_memory_equal(found[0].control_mm, found[1].control_mm,
	                    3 * rs_geometry_voxels(&found[0].lattice) * sizeof(double));
	rs_pool_destroy(pool);
	rs_transform_finish(&found[0]);
	rs_transform_finish(&found[1]);
	rs_volume_finish(&fixed);
	rs_volume_finish(&moving);
}

/* Where nothing is to be gained, nothing is moved far, and it is no failure. */
static void in_place(void **state)
{
	(void)state;
	struct rs_volume fixed, moving;
	struct rs_transform found;
	struct rs_register_report report;
	struct rs_register how = RS_REGISTER_DEFAULT;
	struct rs_geometry small = fixed_grid;
	small.size[2] = 16;
	how.samples = 10000;
	scan_make(&fixed, &small, 0, NULL, 6, 11);
	scan_make(&moving, &small, 1, NULL, 6, 12);
	assert_int_equal(rs_register(&fixed, &moving, &how, NULL, &found, &report, NULL), RS_OK);
	print_message("# in place: %.4f -> %.4f, %.2f mm\n", report.mi_before, report.mi_after,
	              report.greatest_mm);
	assert_true(report.mi_after >= report.mi_before && report.greatest_mm < 2);
	assert_true(!report.stayed || report.greatest_mm == 0);
	rs_volume_finish(&fixed);
	rs_volume_finish(&moving);
}

static void rigid(void **state)
{
	(void)state;
	recover(&rigid_truth, RS_TRANSFORM_RIGID, 3, 0.5, 0.5);
}

static void affine(void **state)
{
	(void)state;
	recover(&affine_truth, RS_TRANSFORM_AFFINE, 3, 0.5, 0.5);
}

static void bspline(void **state)
{
	(void)state;
	recover(&swelling_truth, RS_TRANSFORM_BSPLINE, 3, 0.5, 1.5);
}

/* Blurred as much as with five levels, the coils' fields are most alike 18 voxels away: that is taken back. */
static void from_a_blur(void **state)
{
	(void)state;
	recover(&swelling_truth, RS_TRANSFORM_AFFINE, 5, 3, 6);
}

/* Where nothing holds a deformation of grey levels that have nothing in common, it folds, and that is no registration. */
static void folds(void **state)
{
	(void)state;
	struct rs_volume fixed, moving;
	struct rs_transform found;
	struct rs_register_report report;
	struct rs_error err = {0};
	struct rs_register how = RS_REGISTER_DEFAULT;
	struct rs_geometry small = fixed_grid;
	small.size[2] = 12;
	how.kind = RS_TRANSFORM_BSPLINE;
	how.samples = 3000, how.levels = 1, how.lattice_mm = 8, how.stiffness = 0;
	truth = &swelling_truth;
	scan_make(&fixed, &small, 0, NULL, 6, 11);
	scan_make(&moving, &small, 1, backward, 30, 12);
	assert_int_equal(rs_register(&fixed, &moving, &how, NULL, &found, &report, &err), RS_REFUSED);
	assert_non_null(strstr(err.message, "the deformation folds space over itself"));
	rs_volume_finish(&fixed);
	rs_volume_finish(&moving);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads), cmocka_unit_test(in_place), cmocka_unit_test(rigid),
		cmocka_unit_test(affine),  cmocka_unit_test(bspline),  cmocka_unit_test(from_a_blur),
		cmocka_unit_test(folds),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
