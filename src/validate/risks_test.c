/* Survival by models that did not see the rows: each horizon's and each row's own time in its place, from a learner that knows
 * survival and from risks of other folds. */
#include "numeric/numeric_reference.h"

#include "validate/validate_risks.h"

#define ROWS 60

struct world {
	struct rs_frame frame;
	double time[ROWS], score[ROWS];
	uint8_t outcome[ROWS];
	uint32_t subject[ROWS], fold[ROWS];
	size_t rows[ROWS];
};

static void make(struct world *w)
{
	for (size_t i = 0; i < ROWS; i++) {
		w->score[i] = (double)(i * 7 % 13) / 13;
		w->time[i] = 1 + (double)(i * 17 % 41) * (1.1 - w->score[i]);
		w->outcome[i] = i % 4 != 0;
		w->subject[i] = (uint32_t)i;
		w->fold[i] = (uint32_t)(i % 3);
		w->rows[i] = i;
	}
	w->frame = (struct rs_frame){.target = RS_TARGET_SURVIVAL,
	                             .rows = ROWS,
	                             .time = w->time,
	                             .outcome = w->outcome,
	                             .subject = w->subject};
}

/* One in `rate` dies in a unit of time. */
static const double rate = 30;
static enum rs_code fading(const void *state, const struct rs_matrix *x, const double *times, size_t count,
                           double *out, struct rs_error *err)
{
	(void)state;
	(void)err;
	assert_int_equal(x->rows, 1);
	for (size_t t = 0; t < count; t++) {
		assert_true(t == 0 || times[t] >= times[t - 1]);
		out[t] = exp(-times[t] / rate);
	}
	return RS_OK;
}

static void own_time_comes_last(void **state)
{
	(void)state;
	static struct world w;
	struct rs_risks risks RS_CLEANUP(rs_risks_finish) = {.survival = NULL};
	const struct rs_learner knows = {.name = "fading", .survival = fading};
	const struct rs_fitted fitted = {.learner = &knows};
	make(&w);
	assert_int_equal(rs_risks_init(&risks, &w.frame, NULL), RS_OK);
	size_t n = risks.horizons.count;
	assert_true(n > 10 && n <= RS_HORIZONS_MAX);
	assert_int_equal(rs_risks_judge(&risks, &fitted, &w.frame, RS_VIEW_ALL, w.rows, ROWS, NULL), RS_OK);
	for (size_t i = 0; i < ROWS; i++) {
		const double *row = &risks.survival[i * (n + 1)];
		for (size_t h = 0; h < n; h++)
			near("at a horizon", row[h], exp(-risks.horizons.times[h] / rate), 1e-15);
		near("at its own time", row[n], exp(-w.time[i] / rate), 1e-15);
	}
}

struct kept {
	size_t count;
	double brier, spread;
};
static void keep(void *context, const struct rs_finding *finding)
{
	struct kept *kept = context;
	kept->count++;
	assert_true(isnan(finding->lower) || (finding->lower >= 0 && finding->upper <= 1));
	if (strcmp(finding->name, "scaled_integrated_brier") == 0)
		kept->brier = finding->value;
	if (strcmp(finding->name, "d_calibration") == 0)
		kept->spread = finding->p;
}

/* Risks order the times nearly, so that other folds' curve gains much on none; it is the right one. */
static void risks_become_survival(void **state)
{
	(void)state;
	static struct world w;
	struct rs_risks risks RS_CLEANUP(rs_risks_finish) = {.survival = NULL};
	struct kept kept = {0};
	struct rs_report_risk shown;
	double line[2 * ROWS];
	bool any;
	make(&w);
	const struct rs_training_report report = {.finding = keep, .context = &kept};
	assert_int_equal(rs_risks_init(&risks, &w.frame, NULL), RS_OK);
	const struct rs_contender of = {
		.name = "model", .frame = &w.frame, .fold = w.fold, .score = w.score, .risks = &risks};
	assert_int_equal(rs_risks_report(&of, &report, NULL), RS_OK);
	assert_int_equal(kept.count, 3 * 6 + 3);
	assert_true(kept.brier > 0.1 && kept.brier < 0.9 && kept.spread > 0.01);
	for (size_t i = 0; i < ROWS; i++)
		for (size_t h = 1; h < risks.horizons.count; h++) {
			const double *row = &risks.survival[i * (risks.horizons.count + 1)];
			assert_true(row[h] <= row[h - 1]);
		}
	assert_int_equal(rs_risks_show(&of, line, &shown, &any, NULL), RS_OK);
	assert_true(any && shown.count == ROWS && shown.found.groups > 1 && line[0] <= line[ROWS - 1]);
	memset(w.outcome, 0, sizeof w.outcome); /* nobody has the event: nothing is told */
	struct rs_risks none RS_CLEANUP(rs_risks_finish) = {.survival = NULL};
	const struct rs_contender idle = {
		.name = "model", .frame = &w.frame, .fold = w.fold, .score = w.score, .risks = &none};
	assert_int_equal(rs_risks_init(&none, &w.frame, NULL), RS_OK);
	kept.count = 0;
	assert_int_equal(rs_risks_report(&idle, &report, NULL), RS_OK);
	assert_int_equal(kept.count, 0);
}

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_time_comes_last),
		cmocka_unit_test(risks_become_survival),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
