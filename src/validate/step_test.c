/* Every step: what it learns does not change with the rows it is not given, it does the same to training rows and to
 * others, it comes back out of a file as it went in; and with all of them noise predicts nothing. */
#include "model/model_parts.h"
#include "validate_test.h"

#define TRAINED 120

/* Steps with the options that lead elsewhere, and a model that hides nothing. */
static const char *const plans[] = {
	"steps: [impute: mean, scale: zscore], model: ridge",
	"steps: [scale: robust, impute: {method: nearest, count: 3}], model: ridge",
	"steps: [impute, scale: range], model: ridge",
	"steps: [impute, scale: power], model: ridge",
	"steps: [combat, impute], model: ridge",
	"steps: [combat: {prior: nonparametric, reference: b, preserve: 'age, sex'}], model: ridge",
	"steps: [combat: {prior: none, mean_only: yes, preserve: age}], model: ridge",
	"steps: [stable: {least: 0.6, by: value}], model: ridge",
	"steps: [near_zero, correlation: {limit: 0.15, drop: average}], model: ridge",
	"steps: [univariate: {p: 0.5, test: ranks}, scale], model: ridge",
	"steps: [univariate: {p: 0.9, adjust: discoveries}], model: ridge",
	"steps: [mrmr: 6], model: ridge",
	"steps: [mrmr: {keep: 6, by: difference}], model: ridge",
	"steps: [mrmr: {keep: 6, by: quotient}], model: ridge",
	"steps: [rfe: 6], model: ridge",
	"steps: [rfe: {keep: 6, by: forest, trees: 20, drop: 0.5}], model: ridge",
	"steps: [rfe: {keep: 6, penalty: 10}], model: cox",
	"steps: [mrmr: 6, univariate: {p: 0.9, test: ranks}], model: cox",
	"steps: [rfe: {keep: 6, by: forest, trees: 20}], model: cox",
};

/* Of every fifth subject three measurements: the odd columns' agree, but for a gap. Two others are strangers. */
#define REPEATED 52
static void repeats_make(struct noise *noise)
{
	static uint32_t subject[REPEATED];
	static bool measured[NOISE_COLUMNS];
	static double numbers[NOISE_COLUMNS * REPEATED * 3];
	static struct rs_digest digests[REPEATED];
	for (size_t s = 0; s < REPEATED; s++)
		subject[s] = s < 50 ? (uint32_t)s * 5 : RS_REPEATS_STRANGER;
	for (size_t c = 2; c < noise->frame.column_count; c++)
		measured[c] = c % 4 != 0;
	for (size_t k = 0; k < noise->frame.column_count * REPEATED * 3; k++) {
		size_t c = k / 3 / REPEATED, s = k / 3 % REPEATED;
		numbers[k] = c % 2 ? noise->numbers[c * NOISE_ROWS + s] + 0.1 * noise->numbers[k]
		                   : noise->numbers[k];
	}
	noise->frame.repeats = (struct rs_repeats){.subjects = REPEATED,
	                                           .measurements = 3,
	                                           .subject = subject,
	                                           .digests = digests,
	                                           .measured = measured,
	                                           .numbers = numbers};
}

/* Noise with gaps, of three centres of which the second measures more, and two clinical columns of which one has words. */
static void world_make(struct noise *noise, const char *plan, size_t columns)
{
	static const char *const centres[] = {"a", "b", "c"}, *const words[] = {"f", "m"};
	static uint32_t centre[NOISE_ROWS];
	noise_make(noise, 5);
	noise->frame.column_count = columns;
	noise->frame.centres = (const char **)(uintptr_t)centres;
	noise->frame.centre_count = 3;
	noise->frame.centre = centre;
	noise->columns[0] = (struct rs_column){.name = "age", .clinical = true};
	noise->columns[1] = (struct rs_column){.name = "sex", .clinical = true, .categorical = true};
	for (size_t i = 0; i < NOISE_ROWS; i++) {
		noise->frame.centre[i] = (uint32_t)(i * 7 % 11 % 3);
		noise->words[NOISE_ROWS + i] = words[i * 5 % 7 % 2];
		for (size_t c = 2; c < columns; c++) {
			double *cell = &noise->numbers[c * NOISE_ROWS + i];
			*cell = (i * 13 + c * 5) % 17 == 0 ? NAN : *cell * 2 + (noise->frame.centre[i] == 1);
		}
	}
	noise->columns[columns - 1].marked = true;
	repeats_make(noise);
	if (strstr(plan, "cox")) {
		noise->frame.target = RS_TARGET_SURVIVAL;
		noise->frame.classes = 0;
	}
}

/* Everything of the rows that are not trained on. */
static void change_others(struct noise *noise)
{
	for (size_t i = TRAINED; i < NOISE_ROWS; i++) {
		noise->outcome[i] ^= 1;
		noise->time[i] += 100;
		noise->frame.centre[i] = (noise->frame.centre[i] + 1) % 3;
		for (size_t c = 0; c < noise->frame.column_count; c++)
			noise->numbers[c * NOISE_ROWS + i] = 1e6 * (double)i;
	}
	for (size_t k = 0; k < noise->frame.column_count * REPEATED * 3; k++)
		if (noise->frame.repeats.subject[k / 3 % REPEATED] >= TRAINED &&
		    noise->frame.repeats.subject[k / 3 % REPEATED] != RS_REPEATS_STRANGER)
			noise->frame.repeats.numbers[k] = (double)k;
}

static void train(const struct noise *noise, const char *plan, struct rs_training *training,
                  struct rs_trial *trial)
{
	size_t rows[TRAINED];
	struct rs_study study RS_CLEANUP(rs_study_finish) = {0};
	struct rs_recipe recipe;
	struct rs_error err;
	plan_read(plan, &study);
	rs_plan_recipe(&study.plan, 0, &recipe);
	for (size_t i = 0; i < TRAINED; i++)
		rows[i] = i;
	assert_int_equal(rs_training_take(&noise->frame, RS_VIEW_ALL, rows, TRAINED, training, NULL), RS_OK);
	assert_int_equal(rs_trial_begin(training, trial, NULL), RS_OK);
	if (rs_trial_fit(trial, &recipe, NULL, &err) != RS_OK)
		fail_msg("%s: %s", plan, err.message);
}

static void file_of(const struct rs_fitted *fitted, struct rs_buffer *out)
{
	static double hazard = 0, time = 1;
	struct rs_model model = {.shape = {fitted->shape.target, fitted->shape.classes, 0},
	                         .rows = fitted->rows,
	                         .part_count = 1,
	                         .parts = {*fitted},
	                         .part_names = {""},
	                         .id = "x",
	                         .centre = "centre"};
	if (fitted->shape.target == RS_TARGET_SURVIVAL)
		model.curve = (struct rs_risk_curve){.slope = 1,
		                                     .count = 1,
		                                     .times = &time,
		                                     .hazard = &hazard,
		                                     .spread = &hazard,
		                                     .centre = &time};
	rs_buffer_init(out, 1 << 24);
	assert_int_equal(rs_model_write(&model, out, NULL), RS_OK);
}

static void probe_row(const struct noise *noise, size_t row, const struct rs_fitted *fitted, double *values)
{
	double numbers[NOISE_COLUMNS];
	const char *words[NOISE_COLUMNS];
	for (size_t c = 0; c < noise->frame.column_count; c++) {
		numbers[c] = noise->columns[c].categorical ? NAN : noise->numbers[c * NOISE_ROWS + row];
		words[c] = noise->words[c * NOISE_ROWS + row];
	}
	const struct rs_probe probe = {numbers, words, {rs_frame_centre(&noise->frame, row)}};
	rs_fitted_row(fitted, &probe, values, NULL, NULL);
}

static void steps_see_training_rows_alone(void **state)
{
	(void)state;
	static struct noise noise;
	for (size_t k = 0; k < RS_COUNT(plans); k++) {
		struct rs_buffer files[2];
		world_make(&noise, plans[k], 24);
		for (int turn = 0; turn < 2; turn++) {
			struct rs_training training RS_CLEANUP(rs_training_finish) = {0};
			struct rs_trial trial RS_CLEANUP(rs_trial_finish) = {0};
			train(&noise, plans[k], &training, &trial);
			file_of(&trial.fitted, &files[turn]);
			change_others(&noise);
		}
		if (!rs_bytes_equal(rs_buffer_bytes(&files[0]), rs_buffer_bytes(&files[1])))
			fail_msg("%s: other rows change what is fitted", plans[k]);
		rs_buffer_finish(&files[0]);
		rs_buffer_finish(&files[1]);
	}
}

static void rows_become_what_they_were_trained_as(void **state)
{
	(void)state;
	static struct noise noise;
	static double values[NOISE_COLUMNS + 8], again[NOISE_COLUMNS + 8];
	for (size_t k = 0; k < RS_COUNT(plans); k++) {
		struct rs_training training RS_CLEANUP(rs_training_finish) = {0};
		struct rs_trial trial RS_CLEANUP(rs_trial_finish) = {0};
		struct rs_model *model RS_CLEANUP(rs_model_destroy_pointer) = NULL;
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_error err;
		world_make(&noise, plans[k], 24);
		train(&noise, plans[k], &training, &trial);
		file_of(&trial.fitted, &file);
		if (rs_model_read(rs_buffer_bytes(&file), &model, &err) != RS_OK)
			fail_msg("%s: %s", plans[k], err.message);
		const struct rs_trial_level *level = &trial.levels[trial.fitted.step_count];
		for (size_t i = 0; i < NOISE_ROWS; i++) {
			probe_row(&noise, i, &trial.fitted, values);
			probe_row(&noise, i, &model->parts[0], again);
			for (size_t c = 0; c < level->count; c++) {
				double was = i < TRAINED ? level->x[c * TRAINED + i] : values[c];
				if (was != values[c] || values[c] != again[c])
					fail_msg(
						"%s: row %zu, input %zu: %g as trained, %g, %g from its file",
						plans[k], i, c, was, values[c], again[c]);
			}
		}
	}
}

/* The second centre's addition goes; a centre that was not trained on stays as it is; what is to be preserved has to be. */
static void combat_takes_away_what_a_centre_adds(void **state)
{
	(void)state;
	static struct noise noise;
	double before[3] = {0}, after[3] = {0}, count[3] = {0};
	struct rs_training training RS_CLEANUP(rs_training_finish) = {0};
	struct rs_trial trial RS_CLEANUP(rs_trial_finish) = {0};
	struct rs_error err;
	world_make(&noise, "ridge", 24);
	train(&noise, "steps: [impute, combat], model: {forest: {trees: 1}}", &training, &trial);
	for (size_t i = 0; i < TRAINED; i++)
		for (size_t c = 3; c < 25; c++) { /* inputs: age, two of sex, features */
			uint32_t centre = noise.frame.centre[i];
			before[centre] += trial.levels[1].x[c * TRAINED + i];
			after[centre] += trial.levels[2].x[c * TRAINED + i];
			count[centre]++;
		}
	assert_int_equal(trial.fitted.width,
	                 26); /* age, two of sex, 22 features, and whether the last is missing */
	for (size_t i = 0; i < TRAINED; i++)
		assert_true(trial.levels[0].x[25 * TRAINED + i] ==
		            (isnan(trial.levels[0].x[24 * TRAINED + i]) ? 1 : 0));
	assert_true(rs_fitted_input(&trial.fitted, 24).level == RS_INPUT_NUMBER &&
	            rs_fitted_input(&trial.fitted, 25).level == 0);
	assert_true(before[1] / count[1] - before[0] / count[0] > 0.8);
	assert_true(fabs(after[1] / count[1] - after[0] / count[0]) < 0.05);
	const struct rs_step *combat = rs_step_find("combat");
	double known[NOISE_COLUMNS], unknown[NOISE_COLUMNS];
	probe_row(&noise, 0, &trial.fitted, known);
	noise.frame.centres = (const char *[]){"x", "y", "z"};
	probe_row(&noise, 0, &trial.fitted, unknown);
	assert_true(unknown[4] == trial.levels[1].x[4 * TRAINED] && known[4] != unknown[4]);
	assert_true(known[0] == unknown[0]);
	assert_true(combat->knows(trial.fitted.steps[1].state, &(struct rs_step_row){"b"}));
	assert_false(combat->knows(trial.fitted.steps[1].state, &(struct rs_step_row){"x"}));

	struct {
		uint32_t prior, mean_only;
		const char *reference, *preserve;
	} options = {.preserve = "age, height"};
	void *fitted = NULL;
	struct rs_fitting fitting = {&training, trial.levels[0].count, trial.levels[0].inputs,
	                             trial.levels[0].x, 0};
	assert_int_equal(combat->fit(&fitting, &options, &fitted, &err), RS_MALFORMED);
	assert_string_equal(err.message, "preserve: the model is not given a column 'height'");
}

/* Shrout & Fleiss's table, of which consistency is 0.71 (0.34 … 0.95) and agreement 0.29; perfect agreement; nothing
 * repeated; a column that is always the same. */
static void stable_keeps_what_readers_agree_on(void **state)
{
	(void)state;
	static const double judges[24] = {9, 2, 5, 8, 6,  1, 3, 2, 8, 4, 6, 8,
	                                  7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7};
	static const struct {
		double least, level;
		uint32_t icc, value, kept; /* kept: bit by column */
	} rows[] = {
		{0.7, 0.95, 1, 1, 7},  {0.72, 0.95, 1, 1, 6}, {0.34, 0.95, 1, 0, 7}, {0.35, 0.95, 1, 0, 6},
		{0.28, 0.95, 0, 1, 7}, {0.3, 0.95, 0, 1, 6},  {0.16, 0.95, 2, 1, 7}, {0.17, 0.95, 2, 1, 6},
	};
	double repeated[4 * 24];
	bool is_repeated[] = {true, true, false, true};
	for (size_t k = 0; k < 24; k++) {
		repeated[k] = judges[k];
		repeated[24 + k] = (double)(k / 4);
		repeated[48 + k] = NAN;
		repeated[72 + k] = 3;
	}
	const struct rs_training training = {.column_count = 4,
	                                     .repeated_subjects = 6,
	                                     .measurements = 4,
	                                     .repeated = repeated,
	                                     .is_repeated = is_repeated};
	const struct rs_input inputs[] = {
		{0, RS_INPUT_NUMBER}, {1, RS_INPUT_NUMBER}, {2, RS_INPUT_NUMBER}, {3, RS_INPUT_NUMBER}};
	const struct rs_fitting fitting = {&training, 4, (struct rs_input *)(uintptr_t)inputs, NULL, 0};
	for (size_t k = 0; k < RS_COUNT(rows); k++) {
		bool keep[4] = {false};
		uint32_t kept = 0;
		assert_int_equal(rs_step_stable.choose(&fitting, &rows[k], keep, NULL), RS_OK);
		for (size_t c = 0; c < 4; c++)
			kept |= keep[c] ? 1u << c : 0;
		assert_int_equal(kept, rows[k].kept);
	}
}

static void noise_predicts_nothing_with_all_steps(void **state)
{
	(void)state;
	static struct noise noise;
	static const char *const all[] = {
		("steps: [stable: {least: 0.5, by: value}, impute: nearest, "
	         "combat, scale: power, near_zero, correlation: {limit: 0.9, drop: average}, "
	         "univariate: {p: 0.2, test: ranks}, mrmr: 40, rfe: 10], model: ridge, inner_folds: 2"),
		"steps: [rfe: 10], model: ridge, inner_folds: 2",
		"steps: [mrmr: {keep: 60, by: quotient}, rfe: {by: forest, trees: 30}], model: ridge, inner_folds: 2",
		"steps: [rfe: {keep: 10, drop: 0.5}], model: cox",
	};
	for (size_t k = 0; k < RS_COUNT(all); k++) {
		world_make(&noise, all[k], k == 1 ? NOISE_COLUMNS : 200); /* elimination at full size */
		double merit = noise_merit(&noise, all[k]);
		if (fabs(merit - 0.5) > 0.1)
			fail_msg("%s: noise predicts noise: %g", all[k], merit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_see_training_rows_alone),
		cmocka_unit_test(rows_become_what_they_were_trained_as),
		cmocka_unit_test(combat_takes_away_what_a_centre_adds),
		cmocka_unit_test(stable_keeps_what_readers_agree_on),
		cmocka_unit_test(noise_predicts_nothing_with_all_steps),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
