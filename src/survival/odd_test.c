/* Degenerate data: every function gives a sentence, or numbers within their range or NaN. */
#include "numeric/numeric_reference.h"

#include "survival/survival_competing.h"
#include "survival/survival_concordance.h"
#include "survival/survival_parametric.h"
#include "survival/survival_prediction.h"

#define ROWS_MAX 6

static const struct odd {
	const char *name;
	size_t count;
	double time[ROWS_MAX], risk[ROWS_MAX];
	uint8_t event[ROWS_MAX];
} odds[] = {
	{"nobody", 0, {0}, {0}, {0}},
	{"one, censored", 1, {5}, {0.5}, {0}},
	{"one event", 1, {5}, {0.5}, {1}},
	{"one, other event", 1, {5}, {0.5}, {2}},
	{"all censored", 4, {1, 2, 3, 4}, {0.1, 0.2, 0.3, 0.4}, {0}},
	{"all events at once", 4, {3, 3, 3, 3}, {0.1, 0.2, 0.3, 0.4}, {1, 1, 1, 1}},
	{"all events", 4, {1, 2, 3, 4}, {0.4, 0.3, 0.2, 0.1}, {1, 1, 1, 1}},
	{"only the other type", 4, {1, 2, 3, 4}, {0.1, 0.2, 0.3, 0.4}, {2, 2, 2, 0}},
	{"ties everywhere", 6, {2, 2, 2, 4, 4, 4}, {0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, {1, 2, 0, 1, 2, 0}},
	{"same risk", 4, {1, 2, 3, 4}, {0.5, 0.5, 0.5, 0.5}, {1, 0, 1, 1}},
	{"risks 0 and 1", 4, {1, 2, 3, 4}, {1, 1, 0, 0}, {1, 1, 0, 0}},
	{"separated", 6, {1, 2, 3, 4, 5, 6}, {0.9, 0.8, 0.7, 0.1, 0.1, 0.1}, {1, 1, 1, 0, 0, 0}},
	{"censored, then events", 4, {1, 1, 5, 6}, {0.1, 0.9, 0.2, 0.8}, {0, 0, 1, 1}},
	{"last is an event of both", 4, {1, 4, 4, 4}, {0.1, 0.9, 0.2, 0.8}, {0, 1, 2, 0}},
	{"negative and zero times", 4, {-3, 0, 0, 2}, {0.1, 0.9, 0.2, 0.8}, {1, 0, 1, 1}},
	{"far apart", 4, {1e-300, 1, 1e150, 1e300}, {0.1, 0.9, 0.2, 0.8}, {1, 1, 0, 1}},
	{"two", 2, {1, 2}, {0.9, 0.1}, {1, 0}},
	{"not a number", 2, {1, NAN}, {0.9, 0.1}, {1, 0}},
	{"infinite", 2, {1, INFINITY}, {0.9, 0.1}, {1, 0}},
};
static const double at[] = {-1, 0, 2, 3, 4, 5, 1e301};

static struct rs_follow_up seen_of(const struct odd *odd)
{
	return (struct rs_follow_up){.count = odd->count, .time = odd->time, .event = odd->event};
}

static void share(const struct odd *odd, const char *what, double value)
{
	if (value < 0 || value > 1)
		fail_msg("%s: %s is %g", odd->name, what, value);
}

static void not_negative(const struct odd *odd, const char *what, double value)
{
	if (value < 0)
		fail_msg("%s: %s is %g", odd->name, what, value);
}

/* A code other than RS_OK comes with a sentence, and only of these kinds. */
static bool fine(const struct odd *odd, const char *what, enum rs_code code, const struct rs_error *err)
{
	bool told = (code == RS_USAGE || code == RS_MALFORMED || code == RS_NOT_FOUND) && err->message[0];
	if (code != RS_OK && !told)
		fail_msg("%s: %s ends with %s", odd->name, what, rs_code_name(code));
	return code == RS_OK;
}

static void curves(const struct odd *odd, const struct rs_follow_up *seen)
{
	struct rs_error err = {0};
	for (int kind = RS_INTERVAL_LOG; kind <= RS_INTERVAL_ARCSIN; kind++)
		for (uint8_t type = 1; type <= 2; type++) {
			struct rs_incidence found = {0};
			if (!fine(odd, "incidence",
			          rs_incidence_fit(seen, NULL, seen->count, type,
			                           (enum rs_survival_interval)kind, 0.95, &found, &err),
			          &err))
				return;
			for (size_t i = 0; i < found.count; i++) {
				const struct rs_incidence_point *point = &found.points[i];
				share(odd, "incidence", point->incidence);
				share(odd, "its lower end", point->lower);
				share(odd, "its upper end", point->upper);
				not_negative(odd, "its error", point->error);
				not_negative(odd, "its other error", point->delta_error);
				assert_false(point->lower > point->incidence ||
				             point->upper < point->incidence);
				assert_true(point->incidence >= 0 && point->error >= 0);
			}
			rs_incidence_finish(&found);
		}
}

static void comparisons(const struct odd *odd, const struct rs_follow_up *seen)
{
	static const uint32_t group[] = {0, 1, 0, 1, 2, 2}, stratum[] = {0, 0, 1, 1, 0, 1};
	for (int which = 0; which < 8 && seen->count > 0; which++) {
		struct rs_error err = {0};
		struct rs_survival_comparison found = {0};
		const uint32_t *within = which & 1 ? stratum : NULL;
		double rho = which & 2 ? 1 : 0;
		enum rs_code code = which & 4
		                            ? rs_incidence_compare(seen, 1, group, 3, within, rho, &found,
		                                                   &err)
		                            : rs_survival_compare(seen, group, 3, within, rho, &found, &err);
		if (!fine(odd, "a comparison", code, &err))
			continue;
		share(odd, "p of a comparison", found.p);
		assert_true(found.p >= 0);
		not_negative(odd, "chi-square", found.chi_square + 1e-9);
		rs_survival_comparison_finish(&found);
	}
}

static void regressions(const struct odd *odd, const struct rs_follow_up *seen)
{
	const struct rs_cox_data data = {.follow_up = *seen, .columns = 1, .x = odd->risk};
	for (int which = 0; which < 4; which++) {
		struct rs_error err = {0};
		struct rs_cox_model model = {0};
		const struct rs_cox_options options = {RS_COX_EFRON, which == 1};
		enum rs_code code = which < 2 ? rs_cox_fit(&data, &options, &model, &err)
		                              : rs_fine_gray_fit(&data, 1,
		                                                 which == 2 ? RS_FINE_GRAY_CMPRSK
		                                                            : RS_FINE_GRAY_SURVIVAL,
		                                                 &model, &err);
		if (!fine(odd, "a regression", code, &err))
			continue;
		assert_true(isfinite(model.coefficients[0]) && isfinite(model.log_likelihood[1]));
		not_negative(odd, "a variance", model.variance[0]);
		for (size_t i = 0; i < RS_COUNT(at) && model.converged; i++) {
			double value, lower, upper;
			rs_cox_survival(&model, 0, odd->risk, at[i], 0.95, &value, &lower, &upper);
			share(odd, "survival", value);
			share(odd, "its lower end", lower);
			share(odd, "its upper end", upper);
		}
		rs_cox_model_finish(&model);
	}
	const struct rs_parametric_data exact = {odd->count, 1, odd->time, odd->time, odd->risk, NULL};
	struct rs_parametric_model model = {0};
	struct rs_error err = {0};
	if (fine(odd, "a parametric model", rs_parametric_fit(&exact, RS_PARAMETRIC_NORMAL, &model, &err),
	         &err))
		share(odd, "survival", rs_parametric_survival(&model, odd->risk, 3));
	rs_parametric_model_finish(&model);
}

static void concordances(const struct odd *odd, const struct rs_follow_up *seen)
{
	for (int kind = RS_CONCORDANCE_HARRELL; kind <= RS_CONCORDANCE_INVERSE_AT_RISK; kind++) {
		struct rs_error err = {0};
		struct rs_concordance found;
		const struct rs_concordance_options options = {.weight = (enum rs_concordance_weight)kind};
		if (!fine(odd, "concordance", rs_concordance_of(seen, odd->risk, &options, &found, &err),
		          &err))
			continue;
		share(odd, "C", found.c);
		not_negative(odd, "its error", found.error);
	}
}

static void predictions(const struct odd *odd, const struct rs_follow_up *seen)
{
	for (size_t i = 0; i < RS_COUNT(at); i++) {
		struct rs_error err = {0};
		struct rs_estimate found;
		double values[ROWS_MAX];
		struct rs_risk_calibration calibration;
		if (fine(odd, "area", rs_auc_at(seen, 1, at[i], odd->risk, &found, values, &err), &err)) {
			share(odd, "area", found.value);
			not_negative(odd, "its error", found.error);
		}
		if (fine(odd, "Brier", rs_brier_at(seen, 1, at[i], odd->risk, &found, values, &err), &err)) {
			not_negative(odd, "Brier score", found.value);
			not_negative(odd, "its error", found.error);
		}
		if (fine(odd, "pseudo-values", rs_pseudo_values(seen, 1, at[i], values, &err), &err))
			for (size_t k = 0; k < seen->count; k++)
				assert_true(isfinite(values[k]));
		struct rs_spread spread;
		if (fine(odd, "spread", rs_risk_spread_of(seen, odd->risk, &spread, &err), &err))
			share(odd, "p of the spread", spread.p);
		if (!fine(odd, "calibration",
		          rs_risk_calibration_of(seen, 1, at[i], odd->risk, 0.95, &calibration, NULL, NULL,
		                                 &err),
		          &err))
			continue;
		share(odd, "observed", calibration.observed);
		share(odd, "lower", calibration.lower);
		share(odd, "upper", calibration.upper);
		share(odd, "ICI", calibration.ici);
		share(odd, "p", calibration.p);
	}
}

static void odd_data_are_defined(void **state)
{
	(void)state;
	for (size_t i = 0; i < RS_COUNT(odds); i++) {
		const struct rs_follow_up seen = seen_of(&odds[i]);
		curves(&odds[i], &seen);
		comparisons(&odds[i], &seen);
		regressions(&odds[i], &seen);
		concordances(&odds[i], &seen);
		predictions(&odds[i], &seen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(odd_data_are_defined)};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
