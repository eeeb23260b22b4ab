/* Conformal bounds: the rank of split conformal prediction without censoring; coverage on simulated data with it, for models
 * that are right, wrong and useless. */
#include "numeric/numeric_reference.h"

#include "base/base_random.h"
#include "survival/survival_conformal.h"

#define ROWS 300
#define TURNS 300

/* What the model believes the hazard to be; it is exp(x). */
static double right(double x) { return exp(x); }
static double too_high(double x) { return 3 * exp(x); }
static double useless(double x) { return 0.5 + 0 * x; }
static double turned_round(double x) { return exp(-x); }

static double normal(struct rs_stream *stream)
{
	double u = 1 - rs_stream_unit(stream), v = rs_stream_unit(stream);
	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* Share of new subjects that keep their bounds; censoring: rate of exponential censoring times. */
static double coverage_of(double (*believed)(double), double censoring, double wanted, bool heeds)
{
	double kept = 0, time[ROWS], u[ROWS];
	uint8_t event[ROWS];
	for (uint64_t turn = 0; turn < TURNS; turn++) {
		struct rs_stream stream = rs_stream_of(11, turn);
		struct rs_conformal bounds;
		for (size_t i = 0; i < ROWS; i++) {
			double x = normal(&stream), until = -log(1 - rs_stream_unit(&stream)) / exp(x);
			double seen = -log(1 - rs_stream_unit(&stream)) / censoring;
			time[i] = fmin(until, seen);
			event[i] = until <= seen || !heeds;
			u[i] = 1 - exp(-believed(x) * time[i]);
		}
		const struct rs_follow_up data = {.count = ROWS, .time = time, .event = event};
		assert_int_equal(rs_conformal_fit(&data, u, &bounds, NULL), RS_OK);
		double level = rs_conformal_level(&bounds, wanted);
		rs_conformal_finish(&bounds);
		for (size_t i = 0; i < 100; i++) {
			double x = normal(&stream), until = -log(1 - rs_stream_unit(&stream)) / exp(x);
			kept += 1 - exp(-believed(x) * until) >= level;
		}
	}
	return kept / (100.0 * TURNS);
}

static void coverage_holds(void **state)
{
	(void)state;
	double (*const models[])(double) = {right, too_high, useless, turned_round};
	for (size_t m = 0; m < RS_COUNT(models); m++)
		for (size_t c = 0; c < 2; c++)
			for (size_t w = 0; w < 2; w++) {
				double wanted = w ? 0.9 : 0.8;
				double found = coverage_of(models[m], c ? 0.7 : 0.05, wanted, true);
				if (!(found > wanted - 0.01 && found < wanted + 0.02))
					fail_msg("model %zu, censoring %zu: %g of %g", m, c, found, wanted);
			}
	assert_true(coverage_of(right, 0.7, 0.8, false) > 0.85); /* taking censoring for events is far off */
}

static void level_is_the_rank(void **state)
{
	(void)state;
	static const double time[] = {1, 2, 3, 4, 5, 6, 7, 8, 9},
			    u[] = {0.5, 0.4, 0.3, 0.2, 0.1, 0.6, 0.7, 0.8, 0.9};
	static const uint8_t all[] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, none[9] = {0};
	struct rs_follow_up data = {.count = 9, .time = time, .event = all};
	struct rs_conformal bounds;
	struct rs_error err;
	assert_int_equal(rs_conformal_fit(&data, u, &bounds, NULL), RS_OK);
	assert_true(rs_conformal_level(&bounds, 0.7) == 0.3); /* the 3rd of 10 */
	assert_true(rs_conformal_level(&bounds, 0.9) == 0.1); /* the 1st */
	assert_true(rs_conformal_level(&bounds, 0.95) == 0);  /* 9 rows cannot tell */
	assert_true(rs_conformal_level(&bounds, 0.001) == 0.9);
	rs_conformal_finish(&bounds);
	data.event = none;
	assert_int_equal(rs_conformal_fit(&data, u, &bounds, NULL), RS_OK);
	assert_true(rs_conformal_level(&bounds, 0.5) == 0);
	rs_conformal_finish(&bounds);
	assert_int_equal(rs_conformal_fit(&data, time, &bounds, &err), RS_MALFORMED);
	assert_string_equal(err.message, "row 2: 2 is no probability");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(level_is_the_rank),
		cmocka_unit_test(coverage_holds),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
