/* Analyses of small tables: what categories become, and what is refused. Against R: tests/system/survival.py. */
#include "numeric/numeric_reference.h"

#include "evaluate/evaluate_survival.h"

struct kept {
	size_t count;
	char of[64][64], name[64][64];
	double value[64];
};

static void keep(void *context, const struct rs_finding *finding)
{
	struct kept *kept = context;
	assert_true(kept->count < RS_COUNT(kept->value));
	snprintf(kept->name[kept->count], sizeof kept->name[0], "%s", finding->name);
	snprintf(kept->of[kept->count], sizeof kept->of[0], "%s", finding->of);
	kept->value[kept->count++] = finding->value;
}

static bool is_told(const struct kept *kept, const char *of, const char *name, double *out)
{
	for (size_t i = 0; i < kept->count; i++)
		if (strcmp(kept->of[i], of) == 0 && strcmp(kept->name[i], name) == 0) {
			*out = kept->value[i];
			return true;
		}
	return false;
}

static const char follow_up[] = "t,e,stage,arm,x\n1,1,10,a,3\n2,0,2,b,1\n3,1,10,b,4\n4,1,9,a,1\n5,1,2,b,5\n"
				"6,0,9,a,9\n7,1,10,b,2\n8,1,2,a,6\n9,NA,2,a,6\n";

static enum rs_code analyse(const char *text, const char *const *covariates, size_t count,
                            const char *const *factors, const char *person, struct kept *kept,
                            struct rs_error *err)
{
	struct rs_csv table;
	static const double times[] = {4};
	kept->count = 0;
	assert_int_equal(rs_csv_parse(rs_bytes_of_str(rs_str_from(text)), &table, NULL), RS_OK);
	const struct rs_survival_analysis asked = {
		.table = &table,
		.time = "t",
		.event = "e",
		.covariates = {covariates, factors, count, factors ? 1 : 0},
		.people = &person,
		.people_count = person ? 1 : 0,
		.times = times,
		.time_count = 1,
		.tau = NAN,
		.level = 0.95};
	enum rs_code code = rs_survival_analyse(&asked, keep, kept, err);
	rs_csv_finish(&table);
	return code;
}

static void categories_become_indicators(void **state)
{
	(void)state;
	static const char *const both[] = {"stage", "arm"}, *const stage[] = {"stage"};
	struct kept kept;
	double first, second;
	assert_int_equal(analyse(follow_up, both, 2, stage, "arm=b,stage=2", &kept, NULL), RS_OK);
	assert_true(is_told(&kept, "", "left_out", &first) && first == 1);
	/* numbers are ordered as numbers: 2 comes before 9 and 10 */
	assert_true(is_told(&kept, "stage = 9", "coefficient", &first) &&
	            is_told(&kept, "stage = 10", "coefficient", &second) && first != second);
	assert_false(is_told(&kept, "stage = 2", "coefficient", &first) ||
	             is_told(&kept, "arm = a", "coefficient", &first));
	assert_true(is_told(&kept, "stage", "wald", &first) && !is_told(&kept, "arm", "wald", &first));
	assert_true(is_told(&kept, "arm=b,stage=2", "predicted_survival_at_4", &first) && first > 0 &&
	            first < 1);
	assert_int_equal(analyse(follow_up, both, 2, NULL, NULL, &kept, NULL), RS_OK);
	assert_true(is_told(&kept, "stage", "coefficient", &first));
}

static void what_cannot_be_is_said(void **state)
{
	(void)state;
	static const char *const arm[] = {"arm"}, *const x[] = {"x"};
	static const char nobody[] = "t,e,x\n1,0,1\n2,0,2\n", comma[] = "t,e,x\n1,1,\"1,5\"\n2,1,2\n",
			  alike[] = "t,e,arm\n1,1,a\n2,1,a\n3,0,a\n";
	struct kept kept;
	struct rs_error err;
	double value;
	assert_int_equal(analyse(nobody, x, 1, NULL, NULL, &kept, &err), RS_NOT_FOUND);
	assert_string_equal(err.message, "nobody of 2 subjects had the event");
	assert_int_equal(analyse(nobody, NULL, 0, NULL, NULL, &kept, &err), RS_OK);
	assert_true(is_told(&kept, "", "median_survival", &value) && isnan(value));
	assert_int_equal(analyse(comma, x, 1, NULL, NULL, &kept, &err), RS_MALFORMED);
	assert_non_null(strstr(err.message, "line 2, column x: a decimal comma"));
	assert_int_equal(analyse(alike, arm, 1, NULL, NULL, &kept, &err),
	                 RS_OK); /* one value: nothing to tell */
	assert_true(is_told(&kept, "arm = a", "hazard_ratio", &value) && isnan(value));
	assert_int_equal(analyse(follow_up, arm, 1, NULL, "arm=c", &kept, &err), RS_USAGE);
	assert_int_equal(analyse(follow_up, x, 1, arm, NULL, &kept, &err), RS_USAGE);
	assert_string_equal(err.message, "the factor arm is no covariate");
}

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(categories_become_indicators),
		cmocka_unit_test(what_cannot_be_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
