/* Areas, Brier scores and pseudo-values against R's riskRegression 2022.11.28 and prodlim 2019.11.13; standard errors against
 * what dropping a hair of a subject does, by definition. */
#include "numeric/numeric_reference.h"

#include "numeric/numeric_distribution.h"
#include "survival/survival_prediction.h"

#define TOLERANCE 1e-10

struct study {
	struct rs_csv csv;
	size_t count;
	double *time, *risk;
	uint8_t *event;
	struct rs_follow_up seen;
};

static void study_take(struct study *out, size_t count)
{
	out->time = rs_allocate_array(count, sizeof(double));
	out->risk = rs_allocate_array(count, sizeof(double));
	out->event = rs_allocate(count);
}

/* Rows with an ECOG state; event 1. */
static void lung_open(struct study *out)
{
	table_open("r_survival/lung.csv", &out->csv);
	study_take(out, out->csv.rows);
	double *time = column_of(&out->csv, "time"), *status = column_of(&out->csv, "status");
	double *ecog = column_of(&out->csv, "ph.ecog");
	for (size_t i = 0; i < out->csv.rows; i++) {
		if (isnan(ecog[i]))
			continue;
		out->time[out->count] = time[i];
		out->event[out->count++] = status[i] == 2;
	}
	rs_free(time);
	rs_free(status);
	rs_free(ecog);
	out->seen = (struct rs_follow_up){.count = out->count, .time = out->time, .event = out->event};
}

/* 1 - exp(-t / 450 × exp(0.02 (age - 60) - 0.5 (sex - 1.5) + 0.45 (ecog - 1))) */
static void lung_risk(struct study *study, double at)
{
	double *age = column_of(&study->csv, "age"), *sex = column_of(&study->csv, "sex");
	double *ecog = column_of(&study->csv, "ph.ecog");
	for (size_t i = 0, k = 0; i < study->csv.rows; i++)
		if (!isnan(ecog[i]))
			study->risk[k++] = 1 - exp(-at / 450 *
			                           exp(0.02 * (age[i] - 60) - 0.5 * (sex[i] - 1.5) +
			                               0.45 * (ecog[i] - 1)));
	rs_free(age);
	rs_free(sex);
	rs_free(ecog);
}

/* Rows with a haemoglobin; 1: malignancy, 2: death. Risk: 1 - exp(-t / 1500 × exp(-0.02 (age - 70))). */
static void mgus2_open(struct study *out, double at)
{
	table_open("r_survival/mgus2.csv", &out->csv);
	study_take(out, out->csv.rows);
	double *progressed = column_of(&out->csv, "pstat"), *died = column_of(&out->csv, "death");
	double *until = column_of(&out->csv, "futime"), *first = column_of(&out->csv, "ptime");
	double *hgb = column_of(&out->csv, "hgb"), *age = column_of(&out->csv, "age");
	for (size_t i = 0; i < out->csv.rows; i++) {
		if (isnan(hgb[i]))
			continue;
		out->time[out->count] = progressed[i] == 1 ? first[i] : until[i];
		out->risk[out->count] = 1 - exp(-at / 1500 * exp(-0.02 * (age[i] - 70)));
		out->event[out->count++] = progressed[i] == 1 ? 1 : died[i] == 1 ? 2 : 0;
	}
	rs_free(progressed);
	rs_free(died);
	rs_free(until);
	rs_free(first);
	rs_free(hgb);
	rs_free(age);
	out->seen = (struct rs_follow_up){.count = out->count, .time = out->time, .event = out->event};
}

static void study_finish(struct study *study)
{
	rs_free(study->time);
	rs_free(study->risk);
	rs_free(study->event);
	rs_csv_finish(&study->csv);
}

struct expected {
	double time, auc, auc_error, brier, brier_error;
};

/* riskRegression's errors differ from these in the terms of order 1/n (0.3 %). */
static void agree(const struct study *study, const struct expected *expected)
{
	struct rs_estimate auc, brier;
	assert_int_equal(rs_auc_at(&study->seen, 1, expected->time, study->risk, &auc, NULL, NULL), RS_OK);
	assert_int_equal(rs_brier_at(&study->seen, 1, expected->time, study->risk, &brier, NULL, NULL),
	                 RS_OK);
	near("AUC", auc.value, expected->auc, TOLERANCE);
	near("Brier", brier.value, expected->brier, TOLERANCE);
	near("error of the AUC", auc.error, expected->auc_error, 5e-3);
	near("error of the Brier score", brier.error, expected->brier_error, 5e-3);
}

static void one_event_agrees_with_riskRegression(void **state)
{
	struct study *study = *state;
	static const struct expected expected[] = {
		{200, 0.676275741973421, 0.0380981178211812, 0.203100006389797, 0.00949085408953714},
		{365, 0.644638752887044, 0.0419019271393475, 0.227509627032545, 0.01205746780076799},
		{600, 0.659207360879976, 0.0593731445980254, 0.162473056384552, 0.01790312877139448},
	};
	for (size_t i = 0; i < RS_COUNT(expected); i++) {
		lung_risk(study, expected[i].time);
		agree(study, &expected[i]);
	}
}

static void competing_events_agree_with_riskRegression(void **state)
{
	(void)state;
	static const struct expected expected[] = {
		{60, 0.441998662301782, 0.0345628592066487, 0.0335505566308905, 0.00456490301813564},
		{120, 0.509756477012860, 0.0280269755808704, 0.0603032174008641, 0.00576362531472354},
	};
	for (size_t i = 0; i < RS_COUNT(expected); i++) {
		struct study study = {0};
		mgus2_open(&study, expected[i].time);
		agree(&study, &expected[i]);
		study_finish(&study);
	}
}

static double sum_of_squares(const double *values, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += values[i] * values[i];
	return sum;
}

static void pseudo_values_agree_with_prodlim(void **state)
{
	struct study *study = *state, mgus2 = {0};
	double *values = rs_allocate_array(study->count, sizeof *values);
	assert_int_equal(rs_pseudo_values(&study->seen, 1, 365, values, NULL), RS_OK);
	near("the first", values[0], 1.244744581719019, 1e-9);
	near("the second", values[1], -0.125423200660691, 1e-9);
	near("all", sum_of_squares(values, study->count), 145.508103645786, 1e-9);
	rs_free(values);
	mgus2_open(&mgus2, 120);
	values = rs_allocate_array(mgus2.count, sizeof *values);
	assert_int_equal(rs_pseudo_values(&mgus2.seen, 1, 120, values, NULL), RS_OK);
	near("the first", values[0], -1.55487393939779e-04, 1e-9);
	near("the seventh", values[6], -7.66890619884464e-03, 1e-9);
	near("all", sum_of_squares(values, mgus2.count), 92.7939377475881, 1e-9);
	rs_free(values);
	study_finish(&mgus2);
}

/* Pseudo-values are by definition n × all - (n - 1) × all without one. */
static void influences_are_those_of_copies(void **state)
{
	struct study *study = *state;
	size_t n = study->count, many = 400;
	double *time = rs_allocate_array(n * many + 1, sizeof *time),
	       *influence = rs_allocate_array(n, sizeof *time);
	double *risk = rs_allocate_array(n * many + 1, sizeof *risk);
	uint8_t *event = rs_allocate(n * many + 1);
	lung_risk(study, 365);
	for (size_t i = 0; i < n * many; i++) {
		time[i] = study->time[i % n];
		risk[i] = study->risk[i % n];
		event[i] = study->event[i % n];
	}
	for (int which = 0; which < 2; which++) {
		enum rs_code (*of)(const struct rs_follow_up *, uint8_t, double, const double *,
		                   struct rs_estimate *, double *, struct rs_error *) = which ? rs_brier_at
		                                                                              : rs_auc_at;
		struct rs_estimate all, with;
		assert_int_equal(of(&study->seen, 1, 365, study->risk, &all, influence, NULL), RS_OK);
		near("error", sqrt(sum_of_squares(influence, n)), all.error, TOLERANCE);
		for (size_t i = 0; i < n; i += 23) { /* one more copy of subject i, of `many` */
			struct rs_follow_up more = {.count = n * many + 1, .time = time, .event = event};
			time[n * many] = study->time[i];
			risk[n * many] = study->risk[i];
			event[n * many] = study->event[i];
			assert_int_equal(of(&more, 1, 365, risk, &with, NULL, NULL), RS_OK);
			assert_true(fabs((with.value - all.value) * (double)many - influence[i]) <
			            1e-2 * all.error);
		}
	}
	rs_free(time);
	rs_free(risk);
	rs_free(influence);
	rs_free(event);
}

static void calibration_is_measured(void **state)
{
	struct study *study = *state;
	struct rs_risk_calibration found;
	lung_risk(study, 365);
	size_t n = study->seen.count;
	double *line = rs_allocate_array(n, 2 * sizeof *line), away = 0, expected = 0;
	assert_int_equal(
		rs_risk_calibration_of(&study->seen, 1, 365, study->risk, 0.95, &found, line, line + n, NULL),
		RS_OK);
	for (size_t i = 0; i < n; i++)
		away += fabs(line[i] - line[n + i]) / (double)n;
	near("of the line", away, 0.0285710244183698, 1e-8);
	assert_int_equal(found.groups, 10);
	for (size_t g = 0; g < 10; g++) {
		assert_true(found.group[g].lower <= found.group[g].observed &&
		            found.group[g].observed <= found.group[g].upper &&
		            found.group[g].expected > expected);
		expected = found.group[g].expected;
	}
	rs_free(line);

	const struct {
		const char *name;
		double value, expected; /* by prodlim's jackknife, lowess(iter = 0) and survfit in groups */
	} members[] = {
		{"expected", found.expected, 0.5880709273859072},
		{"observed", found.observed, 0.5889555490004641},
		{"lower", found.lower, 0.515004522429844},
		{"upper", found.upper, 0.65549829742433},
		{"ICI", found.ici, 0.0285710244183698},
		{"E50", found.e50, 0.0175117822723144},
		{"E90", found.e90, 0.0751368934574818},
		{"largest", found.e_max, 0.1260707033610068},
		{"chi-square", found.chi_square, 8.871693109176693},
		{"df", found.df, 9},
		{"p", found.p, 0.449201477268086},
	};
	for (size_t i = 0; i < RS_COUNT(members); i++)
		near(members[i].name, members[i].value, members[i].expected, 1e-8);
}

/* Haider et al. (2020), by hand: 0.45 left when censored is spread over 0.4 to 0.45 and the four tenths below. */
static void spread_is_counted(void **state)
{
	(void)state;
	const double time[] = {1, 2, 3, 4}, gone[] = {0.95, 0.55, 0, 1};
	const uint8_t event[] = {1, 0, 0, 1};
	const struct rs_follow_up seen = {4, NULL, time, event, NULL};
	struct rs_spread found;
	double evenly = 0.1 / 4, part = 0.1 / 0.45 / 4, chi_square = 0;
	assert_int_equal(rs_risk_spread_of(&seen, gone, &found, NULL), RS_OK);
	const double wanted[10] = {0.5 + part + evenly,
	                           part + evenly,
	                           part + evenly,
	                           part + evenly,
	                           0.05 / 0.45 / 4 + evenly,
	                           evenly,
	                           evenly,
	                           evenly,
	                           evenly,
	                           evenly};
	for (size_t k = 0; k < 10; k++) {
		near("share", found.share[k], wanted[k], 1e-12);
		chi_square += 4 * 10 * (wanted[k] - 0.1) * (wanted[k] - 0.1);
	}
	near("chi-square", found.chi_square, chi_square, 1e-12);
	near("p", found.p, rs_chi_square_upper(chi_square, 9), 1e-12);
	assert_int_equal(rs_risk_spread_of(&seen, (const double[]){0, 2, 0, 0}, &found, NULL), RS_MALFORMED);
}

static void integrals_are_trapezoidal(void **state)
{
	(void)state;
	assert_true(rs_integrated_over((const double[]){1, 2, 4}, (const double[]){0, 1, 2}, 3) == 3.5 / 3);
	assert_true(rs_integrated_over((const double[]){5}, (const double[]){0.25}, 1) == 0.25);
}

int main(void)
{
	static struct study study;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(one_event_agrees_with_riskRegression, &study),
		cmocka_unit_test(competing_events_agree_with_riskRegression),
		cmocka_unit_test_prestate(pseudo_values_agree_with_prodlim, &study),
		cmocka_unit_test_prestate(influences_are_those_of_copies, &study),
		cmocka_unit_test_prestate(calibration_is_measured, &study),
		cmocka_unit_test(spread_is_counted),
		cmocka_unit_test(integrals_are_trapezoidal),
	};
	if (!data_is_here())
		return 0;
	lung_open(&study);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	int failures = cmocka_run_group_tests(tests, NULL, NULL);
	study_finish(&study);
	return failures;
}
