/* Kaplan-Meier and Nelson-Aalen against R's survfit, all interval types. */
#include "numeric/numeric_reference.h"

#include "survival/survival.h"

#define TOLERANCE 1e-10

static const char *const type_names[] = {"log", "log-log", "plain", "logit", "arcsin"};

struct lung {
	struct rs_csv csv;
	struct rs_follow_up seen;
	double *time, *group;
	uint8_t *event;
};

static void study_open(const char *file, double event_value, const char *group, struct lung *out)
{
	table_open(file, &out->csv);
	out->time = column_of(&out->csv, "time");
	out->group = column_of(&out->csv, group);
	double *status = column_of(&out->csv, "status");
	out->event = rs_allocate(out->csv.rows);
	for (size_t i = 0; i < out->csv.rows; i++)
		out->event[i] = status[i] == event_value;
	rs_free(status);
	out->seen = (struct rs_follow_up){.count = out->csv.rows, .time = out->time, .event = out->event};
}

static void study_finish(struct lung *study)
{
	rs_free(study->time);
	rs_free(study->group);
	rs_free(study->event);
	rs_csv_finish(&study->csv);
}

static size_t rows_of(const struct lung *study, double group, size_t *rows)
{
	size_t count = 0;
	for (size_t i = 0; i < study->csv.rows; i++)
		if (isnan(group) || study->group[i] == group)
			rows[count++] = i;
	return count;
}

static void point_agrees(json_t *model, size_t at, const struct rs_survival_point *point)
{
	const struct {
		const char *name;
		double value;
	} members[] = {
		{"time", point->time},
		{"n_risk", point->at_risk},
		{"n_event", point->events},
		{"n_censor", point->censored},
		{"surv", point->survival},
		{"lower", point->lower},
		{"upper", point->upper},
		{"cumhaz_na", point->hazard},
		{"std_chaz", point->hazard_error},
	};
	char path[64];
	for (size_t m = 0; m < RS_COUNT(members); m++) {
		snprintf(path, sizeof path, "%s/%zu", members[m].name, at);
		agrees(model, path, members[m].value, TOLERANCE);
	}
	snprintf(path, sizeof path, "std_err_cumhaz_scale/%zu", at);
	if (point->survival > 0)
		agrees(model, path, point->log_error, TOLERANCE);
}

static void quantiles_agree(json_t *model, size_t group, const struct rs_survival_curve *curve)
{
	bool several = json_is_array(json_array_get(reference_at(model, "quantiles/est"), 0));
	for (size_t q = 0; q < 3; q++) {
		char path[64];
		struct rs_survival_quantile found = rs_survival_quantile_of(
			curve, reference_number(reference_at(model, "quantiles/p"), q == 0   ? "0"
		                                                                    : q == 1 ? "1"
		                                                                             : "2"));
		const double values[] = {found.time, found.lower, found.upper};
		const char *const names[] = {"est", "lower", "upper"};
		for (size_t v = 0; v < 3; v++) {
			if (several)
				snprintf(path, sizeof path, "quantiles/%s/%zu/%zu", names[v], group, q);
			else
				snprintf(path, sizeof path, "quantiles/%s/%zu", names[v], q);
			agrees(model, path, values[v], TOLERANCE);
		}
	}
}

static void model_agrees(json_t *root, const char *name, const struct lung *study, const double *groups,
                         size_t group_count, enum rs_survival_interval interval)
{
	char path[64];
	size_t *rows = rs_allocate_array(study->csv.rows, sizeof *rows), at = 0;
	snprintf(path, sizeof path, "%s_%s", name, type_names[interval]);
	json_t *model = reference_at(root, path);
	for (size_t g = 0; g < group_count; g++) {
		struct rs_survival_curve curve;
		size_t count = rows_of(study, groups[g], rows);
		assert_int_equal(
			rs_survival_curve_fit(&study->seen, rows, count, interval, 0.95, &curve, NULL),
			RS_OK);
		for (size_t i = 0; i < curve.count; i++)
			point_agrees(model, at++, &curve.points[i]);
		quantiles_agree(model, g, &curve);
		rs_survival_curve_finish(&curve);
	}
	assert_int_equal(at, json_array_size(reference_at(model, "time")));
	rs_free(rows);
}

static void curves_are_those_of_survfit(void **state)
{
	(void)state;
	json_t *root = reference_open("km.json");
	struct lung lung, aml;
	study_open("r_survival/lung.csv", 2, "sex", &lung);
	study_open("r_survival/aml.csv", 1, "x", &aml);
	for (enum rs_survival_interval type = RS_INTERVAL_LOG; type <= RS_INTERVAL_ARCSIN; type++) {
		model_agrees(root, "lung_all", &lung, (const double[]){NAN}, 1, type);
		model_agrees(root, "lung_sex", &lung, (const double[]){1, 2}, 2, type);
		model_agrees(root, "aml", &aml, (const double[]){0, 1}, 2, type);
	}
	study_finish(&lung);
	study_finish(&aml);
	json_decref(root);
}

static void restricted_means_are_those_of_survfit(void **state)
{
	(void)state;
	json_t *root = reference_open("km.json");
	struct lung lung;
	study_open("r_survival/lung.csv", 2, "sex", &lung);
	size_t *rows = rs_allocate_array(lung.csv.rows, sizeof *rows);
	for (size_t g = 0; g < 2; g++)
		for (size_t t = 0; t < 2; t++) {
			struct rs_survival_curve curve;
			double mean, error;
			char path[64];
			size_t count = rows_of(&lung, (double)g + 1, rows);
			assert_int_equal(rs_survival_curve_fit(&lung.seen, rows, count, RS_INTERVAL_LOG, 0.95,
			                                       &curve, NULL),
			                 RS_OK);
			rs_survival_restricted_mean(&curve, t ? 500 : 365, &mean, &error);
			snprintf(path, sizeof path, "lung_rmst_%s/rmean/%zu", t ? "500" : "365", g);
			agrees(root, path, mean, TOLERANCE);
			snprintf(path, sizeof path, "lung_rmst_%s/se(rmean)/%zu", t ? "500" : "365", g);
			agrees(root, path, error, TOLERANCE);
			rs_survival_curve_finish(&curve);
		}
	rs_free(rows);
	study_finish(&lung);
	json_decref(root);
}

/* Every interval within [0, 1] and around the curve, on small random studies with ties and late entries. */
static void intervals_stay_where_they_belong(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (size_t round = 0; round < 2000; round++) {
		double time[12], start[12];
		uint8_t event[12];
		size_t n = 1 + round % 12;
		for (size_t i = 0; i < n; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			time[i] = (double)(1 + (seed >> 40) % 6);
			start[i] = (double)((seed >> 50) % 3) - 2;
			event[i] = (seed >> 60) & 1;
		}
		struct rs_follow_up seen = {n, round & 1 ? start : NULL, time, event, NULL};
		struct rs_survival_curve curve;
		assert_int_equal(rs_follow_up_check(&seen, NULL), RS_OK);
		assert_int_equal(rs_survival_curve_fit(&seen, NULL, n, (enum rs_survival_interval)(round % 5),
		                                       0.95, &curve, NULL),
		                 RS_OK);
		for (size_t i = 0; i < curve.count; i++) {
			const struct rs_survival_point *p = &curve.points[i];
			assert_true(p->survival >= 0 && p->survival <= 1 && p->at_risk > 0);
			if (!isnan(p->lower))
				assert_true(p->lower >= 0 && p->lower <= p->survival + 1e-12 &&
				            p->upper >= p->survival - 1e-12 && p->upper <= 1);
		}
		rs_survival_curve_finish(&curve);
	}
}

int main(void)
{
	if (!data_is_here())
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(curves_are_those_of_survfit),
		cmocka_unit_test(restricted_means_are_those_of_survfit),
		cmocka_unit_test(intervals_stay_where_they_belong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
