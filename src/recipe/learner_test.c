/* Learners held against other programs', and every learner's file read back to the same scores. */
#include <string.h>

#include "recipe/recipe_linear.h"
#include "numeric/numeric_reference.h"

#define ROWS 60
#define COLUMNS 4
#define CLASSES 3

/* The same made-up numbers as in R. */
struct made {
	double x[COLUMNS * ROWS], weight[ROWS], time[ROWS];
	uint8_t outcome[ROWS];
};

static void make(struct made *out)
{
	double count[CLASSES] = {0};
	for (size_t i = 0; i < ROWS; i++) {
		double x[COLUMNS];
		for (size_t c = 0; c < COLUMNS; c++)
			out->x[c * ROWS + i] = x[c] = (double)((i * 7 + c * 13 + i * i * (c + 3)) % 31) / 31 -
			                              0.5;
		out->outcome[i] = (uint8_t)((x[0] + x[1] * x[2] > -0.1) +
		                            (x[0] - x[3] + (double)((i * 5) % 11) / 11 > 0.6));
		out->time[i] = (double)((i * 17) % 23);
		count[out->outcome[i]]++;
	}
	for (size_t i = 0; i < ROWS; i++)
		out->weight[i] = ROWS / (CLASSES * count[out->outcome[i]]);
}

static void softmax_is_that_of_glmnet(void **state)
{
	(void)state;
	/* R 4.2.2, glmnet 4.1.6: multinomial, alpha 0, lambda 1/60, not standardised; then weighted. */
	static const double want[2][CLASSES * (COLUMNS + 1)] = {
		{-2.406439423319, 0.199741333146, 0.549336834540, 0.316544241641, 0.153432068229,
	         0.5844836156982, 0.0421277086573, 0.4364477450145, 0.4511008498789, 0.2837324459383,
	         1.821955807621, -0.241869041804, -0.985784579555, -0.767645091520, -0.437164514168},
		{-2.348064721297, 0.205705656572, 0.583034965351, 0.349518196822, -0.049323862056,
	         0.2650216146380, 0.0987112706521, 0.5170824541534, 0.5562792220522, 0.1537533115341,
	         2.083043106659, -0.304416927224, -1.100117419504, -0.905797418874, -0.104429449478},
	};
	static struct made made;
	make(&made);
	for (size_t w = 0; w < 2; w++) {
		const struct rs_lesson lesson = {.shape = {RS_TARGET_CLASSES, CLASSES, COLUMNS},
		                                 .rows = ROWS,
		                                 .x = made.x,
		                                 .outcome = made.outcome,
		                                 .weight = w ? made.weight : NULL};
		const double penalty = 1;
		struct rs_linear fitted RS_CLEANUP(rs_linear_finish) = {0};
		assert_int_equal(rs_learner_ridge.fit(&lesson, &penalty, NULL, &fitted, NULL), RS_OK);
		for (size_t k = 0; k < RS_COUNT(want[w]); k++)
			near("coefficient", fitted.coefficients[k], want[w][k], 1e-6);
	}
}

static void check_learner(const struct rs_learner *learner, enum rs_target target, struct made *made)
{
	static const uint32_t classes[] = {
		[RS_TARGET_BINARY] = 2, [RS_TARGET_CLASSES] = 3, [RS_TARGET_ORDINAL] = 3, [8] = 0};
	double times[] = {-1, 3, 10, 1e9}, curves[2][ROWS * 4];
	double scores[2][ROWS * CLASSES], importance[COLUMNS];
	struct rs_lesson lesson = {.shape = {target, classes[target], COLUMNS},
	                           .rows = ROWS,
	                           .x = made->x,
	                           .outcome = made->outcome,
	                           .time = made->time,
	                           .seed = 3,
	                           .thorough = true};
	uint8_t two[ROWS];
	uint32_t subjects[ROWS];
	for (uint32_t i = 0; i < ROWS; i++) {
		two[i] = made->outcome[i] > 0;
		subjects[i] = i;
	}
	lesson.subject = subjects;
	if (classes[target] < CLASSES)
		lesson.outcome = two;
	const struct rs_matrix x = {ROWS, COLUMNS, made->x};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_cbor_reader reader;
	struct rs_error err = {0};
	void *states[2] = {NULL, NULL};
	struct rs_options options;
	rs_options_init(learner->settings, learner->options_size, &options);
	if (rs_learner_fit(learner, &lesson, &options, NULL, &states[0], &err) != RS_OK)
		fail_msg("%s, target %d: %s", learner->name, (int)target, err.message);
	rs_buffer_init(&file, (size_t)1 << 28);
	learner->write(states[0], &file);
	assert_int_equal(rs_buffer_check(&file, "a model", NULL), RS_OK);
	assert_int_equal(rs_cbor_reader_init(&reader, rs_buffer_bytes(&file), &err), RS_OK);
	assert_int_equal(rs_learner_read(learner, &reader, &lesson.shape, &states[1], &err), RS_OK);
	assert_true(rs_cbor_at_end(&reader));
	size_t width = rs_model_shape_width(&lesson.shape);
	for (size_t s = 0; s < 2; s++) {
		assert_int_equal(learner->score(states[s], &x, scores[s], &err), RS_OK);
		if (target == RS_TARGET_SURVIVAL && learner->survival)
			assert_int_equal(learner->survival(states[s], &x, times, 4, curves[s], &err), RS_OK);
		if (learner->importance && learner->importance(states[s], importance))
			for (size_t c = 0; c < COLUMNS; c++)
				assert_true(importance[c] >= 0);
		rs_learner_destroy(learner, states[s]);
	}
	assert_memory_equal(scores[0], scores[1], ROWS * width * sizeof **scores);
	for (size_t i = 0; i < ROWS * width && target != RS_TARGET_SURVIVAL; i++)
		assert_true(scores[0][i] >= 0 && scores[0][i] <= 1);
	for (size_t i = 0; i < ROWS && width > 1; i++)
		near("sum of classes", scores[0][3 * i] + scores[0][3 * i + 1] + scores[0][3 * i + 2], 1,
		     1e-9);
	for (size_t k = 0; k < ROWS * 4 && target == RS_TARGET_SURVIVAL && learner->survival; k++)
		assert_true(curves[0][k] == curves[1][k] && curves[0][k] >= 0 &&
		            curves[0][k] <= (k % 4 ? curves[0][k - 1] : 1));
}

static void every_learner_reads_what_it_wrote(void **state)
{
	(void)state;
	static struct made made;
	make(&made);
	for (size_t l = 0; rs_learner_table[l]; l++)
		for (unsigned target = RS_TARGET_BINARY; target <= RS_TARGET_SURVIVAL; target *= 2)
			if (rs_learner_table[l]->targets & target)
				check_learner(rs_learner_table[l], (enum rs_target)target, &made);
}

/* Of outcomes that come once in ten: as rare as they are, or as common as the others. */
static void weights_make_classes_alike(void **state)
{
	static const struct rs_learner *const learners[] = {&rs_learner_forest, &rs_learner_network};
	(void)state;
	static struct made made;
	static double own[ROWS];
	double mean[2 * RS_COUNT(learners)];
	make(&made);
	for (size_t i = 0; i < ROWS; i++) {
		made.outcome[i] = i % 10 == 0;
		made.weight[i] = made.outcome[i] ? 5 : 5.0 / 9;
	}
	for (size_t l = 0; l < 2 * RS_COUNT(learners); l++) {
		const struct rs_learner *learner = learners[l / 2];
		const struct rs_lesson lesson = {.shape = {RS_TARGET_BINARY, 2, COLUMNS},
		                                 .rows = ROWS,
		                                 .x = made.x,
		                                 .outcome = made.outcome,
		                                 .weight = l % 2 ? made.weight : NULL};
		const struct rs_matrix x = {ROWS, COLUMNS, made.x};
		struct rs_options options;
		void *fitted = NULL;
		rs_options_init(learner->settings, learner->options_size, &options);
		mean[l] = 0;
		if (learner == &rs_learner_forest)
			rs_options_set(learner->settings, "minimum_leaf", 25, &options);
		assert_int_equal(rs_learner_fit(learner, &lesson, &options, learner->judges_own ? own : NULL,
		                                &fitted, NULL),
		                 RS_OK);
		if (!learner->judges_own)
			assert_int_equal(learner->score(fitted, &x, own, NULL), RS_OK);
		for (size_t i = 0; i < ROWS; i++)
			mean[l] += own[i] / ROWS;
		rs_learner_destroy(learner, fitted);
	}
	assert_true(fabs(mean[0] - 0.1) < 0.03 && fabs(mean[1] - 0.5) < 0.1);
	/* Judged on rows that it learned from. */
	assert_true(fabs(mean[2] - 0.1) < 0.05 && mean[3] > mean[2] + 0.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(softmax_is_that_of_glmnet),
		cmocka_unit_test(weights_make_classes_alike),
		cmocka_unit_test(every_learner_reads_what_it_wrote),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
