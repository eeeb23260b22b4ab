/* Ends of intervals against R's boot 1.3-28 (boot.ci), which gets the same replicates; coverage; McNemar's test against
 * binom.test. */
#include "numeric/numeric_reference.h"

#include "assess/assess_bootstrap.h"
#include "base/base_random.h"

static const double sample[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 40};

static int ascending(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;
	return (first > second) - (first < second);
}

/* t = 14 + 6 sin(i²) + (i mod 7) / 3, i = 1 … 199; the value is the mean of the sample. */
static void ends_are_those_of_boot(void **state)
{
	(void)state;
	static const struct {
		double level;
		bool accelerated;
		double lower, upper;
	} expected[] = {
		{0.95, false, 8.27748408344317, 21.52660066065292},
		{0.90, false, 8.67141846202429, 21.09990665765493},
		{0.95, true, 8.26670620628858, 21.47165558609569},
		{0.90, true, 8.59126991619999, 20.89800225448443},
	};
	double t[199], left_out[RS_COUNT(sample)], sum = 0;
	for (size_t i = 0; i < RS_COUNT(t); i++)
		t[i] = 14 + 6 * sin((double)((i + 1) * (i + 1))) + (double)((i + 1) % 7) / 3;
	qsort(t, RS_COUNT(t), sizeof *t, ascending);
	for (size_t i = 0; i < RS_COUNT(sample); i++)
		sum += sample[i];
	for (size_t i = 0; i < RS_COUNT(sample); i++)
		left_out[i] = (sum - sample[i]) / 9;
	for (size_t i = 0; i < RS_COUNT(expected); i++) {
		struct rs_interval found = rs_bootstrap_interval(sum / 10, t, RS_COUNT(t),
		                                                 expected[i].accelerated ? left_out : NULL,
		                                                 RS_COUNT(left_out), expected[i].level);
		near("lower", found.lower, expected[i].lower, 1e-10);
		near("upper", found.upper, expected[i].upper, 1e-10);
	}
}

struct numbers {
	const double *values;
};

/* Mean and variance. */
static enum rs_code moments(void *context, const size_t *rows, size_t count, double *out,
                            struct rs_error *err)
{
	const double *values = ((const struct numbers *)context)->values;
	double sum = 0, squares = 0;
	(void)err;
	for (size_t i = 0; i < count; i++)
		sum += values[rows[i]] / (double)count;
	for (size_t i = 0; i < count; i++)
		squares += (values[rows[i]] - sum) * (values[rows[i]] - sum);
	out[0] = sum;
	out[1] = count > 1 ? squares / ((double)count - 1) : NAN;
	return RS_OK;
}

/* 40 subjects, each twice with the same number: drawing rows alone would find intervals too narrow by √2. */
static void coverage_holds_by_subject(void **state)
{
	(void)state;
	double kept[2] = {0, 0}, width[2] = {0, 0};
	for (uint64_t turn = 0; turn < 400; turn++) {
		struct rs_stream stream = rs_stream_of(5, turn);
		double values[80];
		uint32_t subject[80];
		for (uint32_t i = 0; i < 80; i++) {
			values[i] = i < 40 ? -log(1 - rs_stream_unit(&stream)) : values[i - 40];
			subject[i] = i % 40;
		}
		for (size_t by = 0; by < 2; by++) {
			struct numbers numbers = {values};
			struct rs_interval out[2];
			const struct rs_bootstrap_options options = {.resamples = 400,
			                                             .seed = turn,
			                                             .level = 0.9,
			                                             .accelerated = true,
			                                             .subject = by ? subject : NULL};
			assert_int_equal(rs_bootstrap_of(moments, &numbers, 2, 80, &options, out, NULL),
			                 RS_OK);
			kept[by] += out[0].lower <= 1 && out[0].upper >= 1;
			width[by] += out[0].upper - out[0].lower;
			assert_true(out[1].lower < out[1].value && out[1].value < out[1].upper);
		}
	}
	assert_true(kept[1] > 0.86 * 400 && kept[1] < 0.94 * 400 && kept[0] < 0.82 * 400);
	assert_true(fabs(width[1] / width[0] - sqrt(2)) < 0.05);
}

static void odd_calls_are_defined(void **state)
{
	(void)state;
	double value = 3;
	struct numbers numbers = {&value};
	struct rs_interval out[2];
	struct rs_error err;
	struct rs_bootstrap_options options = {.resamples = 100, .level = 0.9, .accelerated = true};
	uint32_t subject = 7;
	assert_int_equal(rs_bootstrap_of(moments, &numbers, 2, 1, &options, out, NULL), RS_OK);
	assert_true(out[0].lower == 3 && out[0].upper == 3);
	assert_true(isnan(out[1].value) && isnan(out[1].lower));
	options.subject = &subject;
	assert_int_equal(rs_bootstrap_of(moments, &numbers, 2, 1, &options, out, &err), RS_USAGE);
	options.subject = NULL;
	options.resamples = 5;
	assert_int_equal(rs_bootstrap_of(moments, &numbers, 2, 1, &options, out, &err), RS_USAGE);
}

static void threads_change_nothing(void **state)
{
	(void)state;
	struct numbers numbers = {sample};
	struct rs_interval out[2][2];
	struct rs_pool *pool = NULL;
	struct rs_bootstrap_options options = {
		.resamples = 300, .seed = 3, .level = 0.9, .accelerated = true};
	assert_int_equal(rs_bootstrap_of(moments, &numbers, 2, RS_COUNT(sample), &options, out[0], NULL),
	                 RS_OK);
	assert_int_equal(rs_pool_create(3, &pool, NULL), RS_OK);
	options.pool = pool;
	assert_int_equal(rs_bootstrap_of(moments, &numbers, 2, RS_COUNT(sample), &options, out[1], NULL),
	                 RS_OK);
	rs_pool_destroy(pool);
	assert_memory_equal(out[0], out[1], sizeof out[0]);
}

static void mcnemar_is_the_binomial_test(void **state)
{
	(void)state;
	near("5 of 17", rs_mcnemar(5, 12), 0.143463134765625, 1e-12);
	near("5 of 17, turned round", rs_mcnemar(12, 5), 0.143463134765625, 1e-12);
	near("0 of 6", rs_mcnemar(0, 6), 0.03125, 1e-12);
	assert_true(rs_mcnemar(0, 0) == 1 && rs_mcnemar(4, 4) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_those_of_boot),       cmocka_unit_test(coverage_holds_by_subject),
		cmocka_unit_test(odd_calls_are_defined),        cmocka_unit_test(threads_change_nothing),
		cmocka_unit_test(mcnemar_is_the_binomial_test),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
