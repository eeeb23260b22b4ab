/* Penalised learners beside R's, and a lasso whose folds keep a subject's rows together. */
#include "elastic.h"
#include "recipe/recipe_linear.h"
#include "numeric/numeric_reference.h"
#include "recipe/recipe_step.h"

#define ROWS 60
#define COLUMNS 4
#define NOISE 40

/* The same made-up numbers as in R: x[c] = ((7 i + 13 c + i² (c + 3)) mod 31) / 31 - 0.5. */
struct made {
	double x[COLUMNS * ROWS], time[ROWS];
	uint8_t class[ROWS], event[ROWS];
};

static void make(struct made *out)
{
	for (size_t i = 0; i < ROWS; i++) {
		double x[COLUMNS];
		for (size_t c = 0; c < COLUMNS; c++)
			out->x[c * ROWS + i] = x[c] = (double)((i * 7 + c * 13 + i * i * (c + 3)) % 31) / 31 -
			                              0.5;
		out->class[i] = (uint8_t)((x[0] + x[1] * x[2] > -0.1) +
		                          (x[0] - x[3] + (double)((i * 5) % 11) / 11 > 0.6));
		out->event[i] = out->class[i] > 0;
		out->time[i] = (double)((i * 17) % 23);
	}
}

/* R 4.2.2. MASS 7.3.58.2, polr: coefficients, then thresholds; glmnet 4.1.6, Cox, alpha 0, lambda 2/60, not standardised. */
static const double polr[] = {10.87302873,  -0.4919961992, -2.731341132,
                              -3.897803989, -1.627950619,  2.582356627};
static const double ridge[] = {1.5389640334, -0.23710749508, -0.19085169616, 0.0246793758904};

static void hold(const struct rs_learner *learner, const struct rs_lesson *lesson, double penalty,
                 uint32_t ties, uint32_t strata, const double *wanted, size_t count, double tolerance)
{
	const struct { /* of rs_learner_cox; others know the penalty alone */
		double penalty;
		uint32_t ties, strata;
	} options = {penalty, ties, strata};
	struct rs_linear state RS_CLEANUP(rs_linear_finish) = {0};
	struct rs_error err = {0};
	if (learner->fit(lesson, &options, NULL, &state, &err) != RS_OK)
		fail_msg("%s: %s", learner->name, err.message);
	for (size_t k = 0; k < count; k++)
		near(learner->name, state.coefficients[k], wanted[k], tolerance);
}

static void penalties_are_those_of_r(void **state)
{
	(void)state;
	static struct made made;
	make(&made);
	struct rs_lesson lesson = {
		.shape = {RS_TARGET_ORDINAL, 3, COLUMNS}, .rows = ROWS, .x = made.x, .outcome = made.class};
	hold(&rs_learner_ordinal, &lesson, 0, 0, 0, polr, RS_COUNT(polr), 1e-6);
	lesson.shape = (struct rs_model_shape){RS_TARGET_SURVIVAL, 0, COLUMNS};
	lesson.outcome = made.event;
	lesson.time = made.time;
	hold(&rs_learner_cox, &lesson, 2, 0, 0, ridge, RS_COUNT(ridge), 1e-7);
}

/* survival 3.5.3: coxph(Surv(floor(t / 4) + 1, event) ~ x + strata(i %% 3), ties = …); glmnet 4.1.6 with stratifySurv(), as
 * above. */
static void centres_are_strata(void **state)
{
	(void)state;
	static const double efron[] = {3.63659988276, -1.18763652849, -0.237067571008, -0.226411657744},
			    breslow[] = {3.23187081226, -0.997198045711, -0.218690327482, -0.205761870544},
			    penalised[] = {1.4345925186, -0.239468538773, -0.217232135036, -0.0110769567129};
	static const char *const names[] = {"a", "b", "c"};
	static struct made made;
	const char *centre[ROWS];
	struct rs_error err;
	make(&made);
	for (size_t i = 0; i < ROWS; i++) {
		made.time[i] = floor(made.time[i] / 4) + 1;
		centre[i] = names[i % 3];
	}
	struct rs_lesson lesson = {.shape = {RS_TARGET_SURVIVAL, 0, COLUMNS},
	                           .rows = ROWS,
	                           .x = made.x,
	                           .outcome = made.event,
	                           .time = made.time,
	                           .centre = centre};
	hold(&rs_learner_cox, &lesson, 0, 0, 1, efron, COLUMNS, 1e-8);
	hold(&rs_learner_cox, &lesson, 0, 1, 1, breslow, COLUMNS, 1e-8);
	hold(&rs_learner_cox, &lesson, 2, 0, 1, penalised, COLUMNS, 1e-7);
	struct rs_linear none RS_CLEANUP(rs_linear_finish) = {0};
	lesson.centre = NULL;
	assert_int_equal(rs_learner_cox.fit(&lesson, &(struct {
		double p;
		uint32_t t, s;
	}){0, 0, 1},
	                                    NULL, &none, &err),
	                 RS_USAGE);
	assert_string_equal(err.message, "strata of centres need a study that names its centre");
}

/* Proportional odds: probabilities by hand from R's numbers. */
static void ranks_are_scored(void **state)
{
	(void)state;
	static struct made made;
	double scores[ROWS * 3], sum = 0, penalty = 0;
	struct rs_linear fitted RS_CLEANUP(rs_linear_finish) = {0};
	make(&made);
	const struct rs_matrix x = {ROWS, COLUMNS, made.x};
	const struct rs_lesson lesson = {
		.shape = {RS_TARGET_ORDINAL, 3, COLUMNS}, .rows = ROWS, .x = made.x, .outcome = made.class};
	assert_int_equal(rs_learner_ordinal.fit(&lesson, &penalty, NULL, &fitted, NULL), RS_OK);
	assert_int_equal(rs_learner_ordinal.score(&fitted, &x, scores, NULL), RS_OK);
	for (size_t c = 0; c < COLUMNS; c++)
		sum += polr[c] * made.x[c * ROWS + 7];
	double low = 1 / (1 + exp(sum - polr[4])), high = 1 / (1 + exp(sum - polr[5]));
	near("lowest", scores[21], low, 1e-6);
	near("middle", scores[22], high - low, 1e-6);
	near("highest", scores[23], 1 - high, 1e-6);
}

/* Every subject has two equal rows and an outcome of chance. */
static size_t kept_of_noise(bool apart, double shift)
{
	static double x[NOISE * ROWS];
	uint8_t outcome[ROWS];
	uint32_t subject[ROWS];
	bool keep[NOISE] = {false};
	size_t kept = 0;
	for (uint32_t i = 0; i < ROWS; i++) {
		uint32_t s = i / 2, chance = (s * 2654435761u + 40503u) >> 16;
		subject[i] = apart ? i : s;
		outcome[i] = chance % 2 == 0;
		for (uint32_t c = 0; c < NOISE; c++)
			x[c * ROWS + i] = (double)((((s + 1) * 2246822519u) ^ ((c + 7) * 3266489917u)) %
			                           1009) +
			                  (c == 11 ? shift * outcome[i] : 0);
	}
	struct rs_training training = {.target = RS_TARGET_BINARY,
	                               .classes = 2,
	                               .rows = ROWS,
	                               .outcome = outcome,
	                               .subject = subject};
	struct rs_fitting fitting = {&training, NOISE, NULL, x, 1};
	const struct elastic_options options = {1, 30, 50, ELASTIC_BEST};
	assert_int_equal(rs_step_lasso.choose(&fitting, &options, keep, NULL), RS_OK);
	for (size_t c = 0; c < NOISE; c++)
		kept += keep[c];
	assert_true(shift == 0 || keep[11]);
	return kept;
}

static void lasso_is_not_led_by_copies(void **state)
{
	(void)state;
	assert_true(kept_of_noise(true, 0) > 15); /* copies on both sides of a fold: all noise looks good */
	assert_true(kept_of_noise(false, 0) < 8);
	assert_true(kept_of_noise(false, 2000) < 8);
}

/* One subject of a class: no fold can do without it. */
static void lone_subjects_leave_nothing_to_choose(void **state)
{
	(void)state;
	static struct made made;
	make(&made);
	uint8_t outcome[ROWS] = {1};
	const struct elastic_options options = {1, 30, 50, ELASTIC_BEST};
	const struct rs_lesson lesson = {
		.shape = {RS_TARGET_BINARY, 2, COLUMNS}, .rows = ROWS, .x = made.x, .outcome = outcome};
	struct rs_linear fitted RS_CLEANUP(rs_linear_finish) = {0};
	assert_int_equal(rs_learner_elastic_net.fit(&lesson, &options, NULL, &fitted, NULL), RS_OK);
	const double *b = fitted.coefficients;
	for (size_t c = 0; c < COLUMNS; c++)
		near("b", b[c], 0, 0);
	near("intercept", b[COLUMNS], -log(59), 1e-9);
}

/* What the learner keeps says what the path said at the chosen lambda. */
static void classes_are_scored(void **state)
{
	(void)state;
	static struct made made;
	double scores[ROWS * 3], shares[3];
	struct rs_linear fitted RS_CLEANUP(rs_linear_finish) = {0};
	struct rs_elastic_net_path path RS_CLEANUP(rs_elastic_net_path_finish) = {0};
	const struct elastic_options options = {0.5, 5, 50, ELASTIC_BEST};
	size_t lambda;
	make(&made);
	const struct rs_matrix x = {ROWS, COLUMNS, made.x};
	const struct rs_lesson lesson = {
		.shape = {RS_TARGET_CLASSES, 3, COLUMNS}, .rows = ROWS, .x = made.x, .outcome = made.class};
	assert_int_equal(rs_learner_elastic_net.fit(&lesson, &options, NULL, &fitted, NULL), RS_OK);
	assert_int_equal(rs_learner_elastic_net.score(&fitted, &x, scores, NULL), RS_OK);
	assert_int_equal(elastic_fit(&lesson, &options, &path, &lambda, NULL), RS_OK);
	assert_true(lambda > 0 && path.outputs == 3);
	for (size_t i = 0; i < ROWS; i++) {
		rs_elastic_net_classes(&path, lambda, &made.x[i], ROWS, shares);
		for (size_t k = 0; k < 3; k++)
			near("share", scores[i * 3 + k], shares[k], 1e-12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(penalties_are_those_of_r),
		cmocka_unit_test(centres_are_strata),
		cmocka_unit_test(ranks_are_scored),
		cmocka_unit_test(classes_are_scored),
		cmocka_unit_test(lasso_is_not_led_by_copies),
		cmocka_unit_test(lone_subjects_leave_nothing_to_choose),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
