/* The slopes of the cost against differences of the cost, for every kind of motion. */
#include "register/match.h"
#include "register/phantom.h"

#define STEP_MM 1e-4

static const struct rs_geometry fixed_grid = {.size = {30, 28, 12},
                                              .spacing_mm = {5, 5, 10},
                                              .origin_mm = {-72, -68, -55},
                                              .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
/* Turned, so that axes of voxels and of the patient differ. */
static const struct rs_geometry moving_grid = {.size = {26, 24, 20},
                                               .spacing_mm = {6, 6, 7},
                                               .origin_mm = {-60, -90, -66},
                                               .direction = {{0.8, -0.6, 0}, {0.6, 0.8, 0}, {0, 0, 1}}};

/* Slopes of `kind` at parameters other than 0, all or some of them. */
static void compare(enum rs_transform_kind kind, const struct rs_geometry *lattice, size_t every)
{
	struct rs_volume fixed, moving;
	struct view fixed_view = {0}, moving_view = {0};
	struct points points = {0};
	struct motion motion = {0};
	struct match match = {0};
	struct rs_transform base;
	double cost, low, high, kept, worst = 0;
	rs_transform_identity(&base);
	base.matrix[0][1] = 0.02, base.offset_mm[2] = 2;
	scan_make(&fixed, &fixed_grid, 0, NULL, 1, 1);
	scan_make(&moving, &moving_grid, 1, NULL, 1, 2);
	assert_int_equal(view_init(&fixed_view, &fixed, NULL, 0, NULL, NULL), RS_OK);
	assert_int_equal(view_init(&moving_view, &moving, NULL, 0, NULL, NULL), RS_OK);
	assert_int_equal(points_draw(&points, &fixed, NULL, 3000, 5, NULL), RS_OK);
	assert_int_equal(motion_init(&motion, kind, &base, lattice, 20, &points, &moving_view, NULL), RS_OK);
	points_look(&points, &fixed_view, 16);
	assert_int_equal(match_init(&match, &points, &moving_view, &motion, 16, NULL, NULL), RS_OK);
	double *at = rs_allocate_array(motion.count, sizeof *at),
	       *slopes = rs_allocate_array(motion.count, sizeof *at),
	       *rest = rs_allocate_array(motion.count, sizeof *at);
	assert_true(at && slopes && rest);
	for (size_t i = 0; i < motion.count; i++)
		at[i] = 1.5 * sin((double)i + 1);
	assert_int_equal(match_cost(&match, at, &cost, slopes, NULL), RS_OK);
	const size_t held = match.held;
	for (size_t i = 0; i < motion.count; i += every) {
		kept = at[i];
		at[i] = kept + STEP_MM;
		assert_int_equal(match_cost(&match, at, &high, rest, NULL), RS_OK);
		assert_int_equal(match.held, held); /* else the cost jumps */
		at[i] = kept - STEP_MM;
		assert_int_equal(match_cost(&match, at, &low, rest, NULL), RS_OK);
		assert_int_equal(match.held, held);
		at[i] = kept;
		const double slope = (high - low) / (2 * STEP_MM);
		worst = fmax(worst, fabs(slope - slopes[i]));
		if (!(fabs(slope - slopes[i]) <= 1e-6 + 1e-4 * fabs(slope)))
			fail_msg("parameter %zu: %.9g, by differences %.9g", i, slopes[i], slope);
	}
	assert_true(worst > 0);
	rs_free(at);
	rs_free(slopes);
	rs_free(rest);
	match_finish(&match);
	motion_finish(&motion);
	points_finish(&points);
	view_finish(&fixed_view);
	view_finish(&moving_view);
	rs_volume_finish(&fixed);
	rs_volume_finish(&moving);
}

static void rigid(void **state)
{
	(void)state;
	compare(RS_TRANSFORM_RIGID, NULL, 1);
}

static void affine(void **state)
{
	(void)state;
	compare(RS_TRANSFORM_AFFINE, NULL, 1);
}

static void bspline(void **state)
{
	(void)state;
	const struct rs_geometry lattice = {.size = {6, 6, 5},
	                                    .spacing_mm = {50, 47, 60},
	                                    .origin_mm = {-124.5, -117.5, -120},
	                                    .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	compare(RS_TRANSFORM_BSPLINE, &lattice, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rigid),
		cmocka_unit_test(affine),
		cmocka_unit_test(bspline),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
