/* Evaluations of tables: numbers of R where its tables are at hand, and what is said of tables that cannot be read. */
#include "numeric/numeric_reference.h"

#include "evaluate/evaluate.h"

struct kept {
	struct rs_finding items[128];
	char of[128][64], name[128][64];
	size_t count;
};

static void keep(void *context, const struct rs_finding *finding)
{
	struct kept *kept = context;
	assert_true(kept->count < RS_COUNT(kept->items));
	kept->items[kept->count] = *finding;
	snprintf(kept->name[kept->count], sizeof kept->name[0], "%s", finding->name);
	snprintf(kept->of[kept->count++], sizeof kept->of[0], "%s", finding->of);
}

static const struct rs_finding *find(const struct kept *kept, const char *of, const char *name)
{
	for (size_t i = 0; i < kept->count; i++)
		if (strcmp(kept->of[i], of) == 0 && strcmp(kept->name[i], name) == 0)
			return &kept->items[i];
	fail_msg("nothing was told of %s: %s", of, name);
	return NULL;
}

static const char follow_up[] =
	"risk,days,died,arm\n"
	"3,5,yes,a\n2,8,no,b\n5,2,yes,a\n1,12,yes,b\n4,NA,yes,a\n2.5,9,yes,b\n0.5,15,no,b\n";

static void parse(const char *text, struct rs_csv *out)
{
	assert_int_equal(rs_csv_parse(rs_bytes_of_str(rs_str_from(text)), out, NULL), RS_OK);
}

static const double at_eight[] = {8};

static struct rs_evaluation survival_of(const struct rs_csv *table, const char *const *scores)
{
	return (struct rs_evaluation){.table = table,
	                              .time = "days",
	                              .event = "died",
	                              .event_value = "yes",
	                              .group = "arm",
	                              .scores = scores,
	                              .score_count = 1,
	                              .threshold = NAN,
	                              .times = at_eight,
	                              .time_count = 1,
	                              .level = 0.95};
}

static void survival_is_told(void **state)
{
	(void)state;
	struct rs_csv table;
	struct kept kept = {.count = 0};
	parse(follow_up, &table);
	const struct rs_evaluation asked = survival_of(&table, (const char *const[]){"risk"});
	assert_int_equal(rs_evaluate(&asked, keep, &kept, NULL), RS_OK);
	assert_true(find(&kept, "", "rows")->value == 6 && find(&kept, "", "left_out")->value == 1);
	assert_true(find(&kept, "", "events")->value == 4);
	/* pairs: (5,2) with five, (3,5) with four, (2.5,9) with two, (1,12) with one: all in order */
	assert_true(find(&kept, "risk", "harrell_c")->value == 1);
	assert_true(fabs(find(&kept, "", "survival_at_8")->value - 2.0 / 3) < 1e-12);
	assert_true(find(&kept, "arm = a", "events")->value == 2 &&
	            find(&kept, "arm = b", "rows")->value == 4);
	assert_true(find(&kept, "arm", "log_rank")->p < 0.05);
	rs_csv_finish(&table);
}

static void classes_are_told(void **state)
{
	(void)state;
	struct rs_csv table;
	struct kept kept = {.count = 0};
	parse("p,q,y\n0.1,1,0\n0.4,2,0\n0.35,3,1\n0.8,4,1\n", &table);
	const struct rs_evaluation asked = {.table = &table,
	                                    .outcome = "y",
	                                    .scores = (const char *const[]){"p", "q"},
	                                    .score_count = 2,
	                                    .threshold = NAN,
	                                    .level = 0.95};
	assert_int_equal(rs_evaluate(&asked, keep, &kept, NULL), RS_OK);
	assert_true(find(&kept, "p", "auc")->value == 0.75 && find(&kept, "q", "auc")->value == 1);
	assert_true(fabs(find(&kept, "p", "brier")->value - (0.01 + 0.16 + 0.4225 + 0.04) / 4) < 1e-12);
	assert_true(find(&kept, "p", "sensitivity")->value == 0.5);
	assert_true(find(&kept, "p - q", "auc_difference")->value == -0.25);
	for (size_t i = 0; i < kept.count; i++) /* no threshold is made up for what is no probability */
		assert_false(strcmp(kept.of[i], "q") == 0 && strcmp(kept.items[i].name, "f1") == 0);
	rs_csv_finish(&table);
}

static void refused(const char *text, const struct rs_evaluation *asked, enum rs_code code,
                    const char *sentence)
{
	struct rs_csv table;
	struct kept kept = {.count = 0};
	struct rs_evaluation own = *asked;
	struct rs_error err;
	parse(text, &table);
	own.table = &table;
	assert_int_equal(rs_evaluate(&own, keep, &kept, &err), code);
	assert_string_equal(err.message, sentence);
	rs_csv_finish(&table);
}

static void what_cannot_be_told_is_said(void **state)
{
	(void)state;
	const struct rs_evaluation asked = survival_of(NULL, (const char *const[]){"risk"});
	struct rs_evaluation other = asked;
	refused("risk,days,died,arm\n3,5,yes,a\n\"2,5\",8,no,b\n", &asked, RS_MALFORMED,
	        "line 3, column risk: a decimal comma; write decimals with a point");
	refused("risk,days,died,arm\n3,long,yes,a\n", &asked, RS_MALFORMED,
	        "line 2, column days: not a number");
	refused("risk,days,died\n3,5,yes\n", &asked, RS_USAGE,
	        "the table has no column arm; it has risk, days, died");
	refused("risk,days,died,arm\n3,5,no,a\n", &asked, RS_NOT_FOUND, "nobody of 1 subjects had the event");
	refused("risk,days,died,arm\n3,,no,a\n", &asked, RS_NOT_FOUND,
	        "no row of the table has all columns filled");
	other.outcome = "died";
	refused("risk,days,died,arm\n3,5,no,a\n", &other, RS_USAGE,
	        "give either an outcome or a time and an event");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survival_is_told),
		cmocka_unit_test(classes_are_told),
		cmocka_unit_test(what_cannot_be_told_is_said),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
