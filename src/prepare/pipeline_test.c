/* Pipelines as files: what they mean, what is refused, and one digest for one meaning. */
#include "prepare/prepare_test.h"

#include "prepare/prepare_pipeline.h"

static enum rs_code digest_of(const char *text, struct rs_digest *out, struct rs_error *err)
{
	struct rs_pipeline pipeline RS_CLEANUP(rs_pipeline_finish) = {.step_count = 0};
	RS_TRY(rs_pipeline_parse(text ? rs_bytes_of_str(rs_str_from(text)) : (struct rs_bytes){NULL, 0},
	                         &pipeline, err));
	return rs_pipeline_digest(&pipeline, out, err);
}

static void what_means_the_same_has_one_digest(void **state)
{
	static const char *const pairs[][2] = {
		{"steps: [denoise]", "# noise\nsteps:\n  - denoise: {method: nlm, strength: 1.0}\n"},
		{"steps: [{resample: {spacing_mm: 2}}]",
	         "steps: [{resample: {spacing_mm: [2, 2, 2], order: 3}}]"},
		{"{steps: [{bias: {on: [T1, T2]}}], reference: T2}",
	         "{reference: T2, steps: [{bias: {on: [T2, T1]}}]}"},
		{"steps: [denoise, bias, {register: {within: yes, samples: 20000, on: DCE}}, adc, dce, "
	         "register, resample, normalise]",
	         NULL},
	};
	struct rs_error err = {0};
	struct rs_digest a, b, other;
	(void)state;
	assert_int_equal(digest_of("steps: [{denoise: {strength: 2}}]", &other, &err), RS_OK);
	for (size_t i = 0; i < RS_COUNT(pairs); i++) {
		if (digest_of(pairs[i][0], &a, &err) != RS_OK || digest_of(pairs[i][1], &b, &err) != RS_OK)
			fail_msg("%zu: %s", i, err.message);
		assert_memory_equal(a.bytes, b.bytes, sizeof a.bytes);
		assert_memory_not_equal(a.bytes, other.bytes, sizeof a.bytes);
	}
}

static void what_is_no_pipeline_is_refused_by_its_line(void **state)
{
	static const char *const cases[][2] = {
		{"steps: [blur]", "line 1: 'blur' is unknown; there are denoise, bias, adc"},
		{"steps:\n- denoise: {method: magic}",
	         "line 2: 'magic' is unknown; there are nlm, diffusion, median"},
		{"steps:\n- denoise: {strength: 99}", "line 2: strength is a number from"},
		{"steps:\n- denoise: {search: 1.5}", "whole number"},
		{"steps:\n- bias: {on: [CT]}", "'CT' is no sequence"},
		{"steps:\n- bias: {file: x}", "'file' is unknown"},
		{"steps: [resample, adc]", "step 2: adc comes before resample"},
		{"steps: [resample, resample]", "comes before resample, and once"},
		{"steps: [{resample: {order: 2}}]", "order is 0, 1 or 3"},
		{"steps: [{resample: {spacing_mm: [1, 2]}}]", "one number, or three"},
		{"steps: [{normalise: {method: landmarks}}]", "go together"},
		{"reference: T2", "there are no steps"},
		{"steps: []\nsteps: []", "twice"},
		{"colour: red", "'colour' is unknown; there are reference, sequences, steps"},
		{"steps: [", "line"},
		{"", "empty"},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_error err = {0};
		struct rs_digest digest;
		enum rs_code code = digest_of(cases[i][0], &digest, &err);
		if (code == RS_OK || !strstr(err.message, cases[i][1]))
			fail_msg("%s: %s", cases[i][0], err.message);
	}
}

static void a_step_alone_is_a_pipeline(void **state)
{
	static const char *const steps[] = {"adc", "adc: {model: ivim}"};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_pipeline pipeline RS_CLEANUP(rs_pipeline_finish) = {.step_count = 0};
		struct rs_error err = {0};
		rs_buffer_init(&text, 4096);
		rs_pipeline_of_step(steps[i], &text);
		assert_int_equal(rs_pipeline_parse(rs_buffer_bytes(&text), &pipeline, &err), RS_OK);
		assert_true(pipeline.step_count == 1 && pipeline.steps[0].kind == RS_STEP_ADC);
		assert_true(pipeline.steps[0].values[0] == (double)i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_means_the_same_has_one_digest),
		cmocka_unit_test(what_is_no_pipeline_is_refused_by_its_line),
		cmocka_unit_test(a_step_alone_is_a_pipeline),
	};
	return cmocka_run_group_tests(tests, test_setup, test_teardown);
}
