/* Shapley values: their definition over all subsets of columns, XGBoost's own contributions in Python, sums, odd trees. */
#include "numeric/numeric_reference.h"

#include "learn/learn_shap.h"

static const char *const LUNG[] = {"age", "sex", "ph.ecog", "ph.karno", "pat.karno", "meal.cal", "wt.loss"};
static const char *const VETERAN[] = {"trt", "karno", "diagtime", "age", "prior", "time"};
#define COLUMNS_MAX 30

enum table { TABLE_WDBC, TABLE_LUNG, TABLE_VETERAN };
struct task {
	struct rs_matrix x;
	double *values, *time;
	uint32_t *labels;
	uint8_t *event, *held;
};

static void task_finish(struct task *t)
{
	rs_free(t->values);
	rs_free(t->time);
	rs_free(t->labels);
	rs_free(t->event);
	rs_free(t->held);
}

static void task_open(enum table table, struct task *out)
{
	static const struct {
		const char *file, *label;
		const char *const *names;
		size_t columns;
	} tables[] = {{"wdbc/wdbc.csv", "malignant", NULL, 30},
	              {"r_survival/lung.csv", "status", LUNG, 7},
	              {"r_survival/veteran.csv", "celltype", VETERAN, 6}};
	struct rs_csv csv;
	table_open(tables[table].file, &csv);
	double *label = column_of(&csv, tables[table].label);
	*out = (struct task){.values = rs_allocate_array(csv.rows, tables[table].columns * sizeof(double)),
	                     .time = table == TABLE_WDBC ? NULL : column_of(&csv, "time"),
	                     .labels = rs_allocate_array(csv.rows, sizeof(uint32_t)),
	                     .event = rs_allocate(csv.rows),
	                     .held = rs_allocate(csv.rows)};
	for (size_t c = 0; c < tables[table].columns; c++) {
		const char *const *names = tables[table].names;
		double *column = column_of(&csv, names ? names[c] : rs_csv_name(&csv, c));
		memcpy(out->values + c * csv.rows, column, csv.rows * sizeof *column);
		rs_free(column);
	}
	for (size_t r = 0; r < csv.rows; r++) {
		out->labels[r] = (uint32_t)label[r];
		out->event[r] = label[r] == 2;
		out->held[r] = r % 5 == 0;
	}
	out->x = (struct rs_matrix){csv.rows, tables[table].columns, out->values};
	rs_free(label);
	rs_csv_finish(&csv);
}

static void row_of(const struct rs_matrix *x, size_t r, double *out)
{
	for (size_t c = 0; c < x->columns; c++)
		out[c] = x->values[c * x->rows + r];
}

/* ---- the definition ---- */

struct naive {
	const struct rs_booster *booster; /* or */
	const struct rs_forest *forest;
	uint32_t output;
	const double *x;
	uint32_t known; /* columns, by bit */
};

static double expect_booster(const struct naive *n, size_t at)
{
	const struct rs_boost_node *node = &n->booster->nodes[at], *low = &n->booster->nodes[node->next];
	if (node->column == RS_BOOST_LEAF)
		return (double)node->number;
	float value = (float)n->x[node->column];
	bool right = isnan(value) ? node->missing_right : !(value < node->number);
	if (n->known >> node->column & 1)
		return expect_booster(n, node->next + (size_t)right);
	double share = (double)low[0].cover / ((double)low[0].cover + (double)low[1].cover);
	return share * expect_booster(n, node->next) +
	       (1 - share) * expect_booster(n, node->next + (size_t)1);
}

static double expect_forest(const struct naive *n, size_t at)
{
	const struct rs_forest *f = n->forest;
	const struct rs_forest_node *node = &f->nodes[at];
	double sum = 0;
	if (node->column == RS_FOREST_LEAF) {
		for (uint32_t v = node->next; v < node->next + node->values; v++)
			if (f->classes)
				sum += f->values[v].at == n->output ? f->values[v].value : 0;
			else
				sum += f->values[v].value * (double)(f->time_count - f->values[v].at);
		return sum / f->trees;
	}
	if (n->known >> node->column & 1)
		return expect_forest(n, node->next + (size_t)(n->x[node->column] > node->threshold));
	double share = (double)f->nodes[node->next].weight / node->weight;
	return share * expect_forest(n, node->next) + (1 - share) * expect_forest(n, node->next + (size_t)1);
}

static double expect(struct naive *n, uint32_t known)
{
	double sum = n->booster ? n->booster->base : 0;
	n->known = known;
	for (uint32_t t = n->output; n->booster && t < n->booster->trees; t += n->booster->outputs)
		sum += expect_booster(n, n->booster->roots[t]);
	for (uint32_t t = 0; n->forest && t < n->forest->trees; t++)
		sum += expect_forest(n, n->forest->roots[t]);
	return sum;
}

static void shapley(struct naive *n, uint32_t columns, double *out)
{
	double game[128], factorial[8] = {1};
	assert_true(columns <= 7);
	for (uint32_t k = 1; k <= columns; k++)
		factorial[k] = factorial[k - 1] * k;
	for (uint32_t set = 0; set < 1u << columns; set++)
		game[set] = expect(n, set);
	for (uint32_t c = 0; c < columns; c++) {
		out[c] = 0;
		for (uint32_t set = 0; set < 1u << columns; set++) {
			uint32_t size = (uint32_t)__builtin_popcount(set);
			if (!(set >> c & 1))
				out[c] += factorial[size] * factorial[columns - size - 1] /
				          factorial[columns] * (game[set | 1u << c] - game[set]);
		}
	}
}

static void compare(const struct rs_shap *shap, const struct naive *model, const struct rs_matrix *x,
                    double scale)
{
	double row[COLUMNS_MAX], ours[COLUMNS_MAX], want[COLUMNS_MAX];
	struct naive copy = *model, *n = &copy;
	n->x = row;
	for (size_t r = 0; r < x->rows; r += 19) {
		row_of(x, r, row);
		assert_int_equal(rs_shap_explain(shap, row, 1, ours, NULL), RS_OK);
		shapley(n, (uint32_t)x->columns, want);
		double sum = rs_shap_base(shap);
		for (size_t c = 0; c < x->columns; c++) {
			assert_true(fabs(ours[c] - want[c]) < 1e-12 * scale);
			sum += ours[c];
		}
		assert_true(fabs(sum - expect(n, UINT32_MAX)) < 1e-12 * scale);
		assert_true(fabs(rs_shap_base(shap) - expect(n, 0)) < 1e-12 * scale);
	}
}

static void boosted_trees_follow_the_definition(void **state)
{
	(void)state;
	struct task task RS_CLEANUP(task_finish) = {0};
	struct rs_booster booster RS_CLEANUP(rs_booster_finish) = {0};
	struct rs_shap *shap RS_CLEANUP(rs_shap_destroy_pointer) = NULL;
	struct rs_boost_options options = rs_boost_defaults(RS_BOOST_COX);
	options.rounds = 6;
	options.leaf_weight = 0;
	options.depth = 12; /* columns come again and again on a path; some cells are missing */
	task_open(TABLE_LUNG, &task);
	const struct rs_boost_data data = {.x = &task.x, .time = task.time, .event = task.event};
	assert_int_equal(rs_boost_fit(&data, &options, NULL, &booster, NULL), RS_OK);
	assert_int_equal(rs_shap_of_booster(&booster, 0, &shap, NULL), RS_OK);
	compare(shap, &(struct naive){.booster = &booster}, &task.x, 10);
}

static void forests_follow_the_definition(void **state)
{
	(void)state;
	struct task task RS_CLEANUP(task_finish) = {0};
	struct rs_forest classes RS_CLEANUP(rs_forest_finish) = {0};
	struct rs_forest survival RS_CLEANUP(rs_forest_finish) = {0};
	task_open(TABLE_VETERAN, &task);
	assert_int_equal(rs_forest_fit_classes(&task.x, task.labels, 4,
	                                       &(struct rs_forest_options){.trees = 8}, NULL, &classes, NULL),
	                 RS_OK);
	for (uint32_t class = 0; class < 4; class ++) {
		struct rs_shap *shap RS_CLEANUP(rs_shap_destroy_pointer) = NULL;
		assert_int_equal(rs_shap_of_forest(&classes, class, &shap, NULL), RS_OK);
		compare(shap, &(struct naive){.forest = &classes, .output = class}, &task.x, 1);
	}
	struct rs_shap *shap RS_CLEANUP(rs_shap_destroy_pointer) = NULL;
	for (size_t r = 0; r < task.x.rows; r++)
		task.event[r] = r % 5 > 0;
	assert_int_equal(rs_forest_fit_survival(&task.x, task.time, task.event,
	                                        &(struct rs_forest_options){.trees = 8, .minimum_leaf = 2},
	                                        NULL, &survival, NULL),
	                 RS_OK);
	assert_int_equal(rs_shap_of_forest(&survival, 0, &shap, NULL), RS_OK);
	double row[6], reasons[6], sum = rs_shap_base(shap);
	row_of(&task.x, 3, row);
	assert_int_equal(rs_shap_explain(shap, row, 1, reasons, NULL), RS_OK);
	for (size_t c = 0; c < 6; c++)
		sum += reasons[c];
	near("risk", sum, rs_forest_risk(&survival, row), 1e-12);
	compare(shap, &(struct naive){.forest = &survival}, &task.x, 1000);
}

/* ---- Python ---- */

/* xgboost 1.7.4: predict(…, pred_contribs=True), the base last. */
static const struct {
	enum table table;
	struct rs_boost_options options;
	uint32_t output;
	size_t row;
	double want[8];
} PEERS[] = {
#define COMMON .rows_share = 1, .columns_share = 1, .nodes_share = 1, .ridge = 1
#define COX                                                                                           \
	{                                                                                             \
		.kind = RS_BOOST_COX, .rounds = 50, .depth = 3, .rate = 0.1, .leaf_weight = 1, COMMON \
	}
#define CLASSES                                                                                             \
	{                                                                                                   \
		.kind = RS_BOOST_CLASSES, .rounds = 20, .depth = 5, .rate = 0.2, .leaf_weight = 0.1, COMMON \
	}
	{TABLE_LUNG,
         COX,
         0,
         0, /* whose loss of weight is missing */
         {-0.04844814, 0.1557398, 0.03578395, -0.001516483, -0.0913913, 0.00638165, 0.969595, -0.7155406}},
	{TABLE_LUNG,
         COX,
         0,
         3,
         {0.0003552353, 0.236258, 0.0316398, 0.009976184, 0.475196, 0.02678775, 0.09493433, -0.7155406}},
	{TABLE_LUNG,
         COX,
         0,
         227,
         {0.0143521, -0.2919075, 0.03753149, 0.00404855, -0.1304565, -0.006940146, 9.504333e-05, -0.7155406}},
	{TABLE_VETERAN,
         CLASSES,
         2,
         0,
         {-0.4079899, -0.1162327, -0.3185525, -0.290793, -0.000354805, 0.06706506, 0.2771699}},
	{TABLE_VETERAN,
         CLASSES,
         2,
         60,
         {-0.1482033, 0.1158365, 0.2833852, -0.2554448, -0.000186405, -1.105972, 0.2771699}},
};

static void reasons_are_those_of_pythons_package(void **state)
{
	(void)state;
	for (size_t i = 0; i < RS_COUNT(PEERS); i++) {
		struct task task RS_CLEANUP(task_finish) = {0};
		struct rs_booster booster RS_CLEANUP(rs_booster_finish) = {0};
		struct rs_shap *shap RS_CLEANUP(rs_shap_destroy_pointer) = NULL;
		double row[COLUMNS_MAX], reasons[COLUMNS_MAX];
		task_open(PEERS[i].table, &task);
		bool cox = PEERS[i].options.kind == RS_BOOST_COX;
		const struct rs_boost_data data = {
			&task.x, task.labels, 4, cox ? task.time : NULL, cox ? task.event : NULL, NULL, NULL};
		assert_int_equal(rs_boost_fit(&data, &PEERS[i].options, NULL, &booster, NULL), RS_OK);
		assert_int_equal(rs_shap_of_booster(&booster, PEERS[i].output, &shap, NULL), RS_OK);
		row_of(&task.x, PEERS[i].row, row);
		assert_int_equal(rs_shap_explain(shap, row, 1, reasons, NULL), RS_OK);
		for (size_t c = 0; c < task.x.columns; c++)
			assert_true(fabs(reasons[c] - PEERS[i].want[c]) < 2e-6);
		assert_true(fabs(rs_shap_base(shap) - PEERS[i].want[task.x.columns]) < 2e-6);
	}
}

/* 100 trees over 30 columns; mean of absolute values over the test rows, and the first of them. */
static void importance_is_that_of_the_reference(void **state)
{
	(void)state;
	struct task task RS_CLEANUP(task_finish) = {0};
	struct rs_booster booster RS_CLEANUP(rs_booster_finish) = {0};
	struct rs_shap *shap RS_CLEANUP(rs_shap_destroy_pointer) = NULL;
	struct rs_boost_options options = rs_boost_defaults(RS_BOOST_BINARY);
	json_t *root = reference_open("wdbc.json");
	double row[30], reasons[30], mean[30] = {0}, margin;
	char path[64];
	options.depth = 3;
	options.rate = 0.1;
	task_open(TABLE_WDBC, &task);
	const struct rs_boost_data data = {.x = &task.x, .labels = task.labels, .held = task.held};
	assert_int_equal(rs_boost_fit(&data, &options, NULL, &booster, NULL), RS_OK);
	assert_int_equal(rs_shap_of_booster(&booster, 0, &shap, NULL), RS_OK);
	near("base", rs_shap_base(shap), reference_number(root, "xgb_exact_d3_100/shap_row0/30"), 1e-5);
	for (size_t r = 0; r < task.x.rows; r += 5) {
		row_of(&task.x, r, row);
		assert_int_equal(rs_shap_explain(shap, row, 1, reasons, NULL), RS_OK);
		rs_booster_margins(&booster, row, &margin);
		double sum = rs_shap_base(shap);
		for (size_t c = 0; c < 30; c++) {
			snprintf(path, sizeof path, "xgb_exact_d3_100/shap_row0/%zu", c);
			if (r == 0)
				assert_true(fabs(reasons[c] - reference_number(root, path)) < 2e-6);
			mean[c] += fabs(reasons[c]) / 114;
			sum += reasons[c];
		}
		near("sum", sum, margin, 1e-12);
	}
	for (size_t c = 0; c < 30; c++) {
		snprintf(path, sizeof path, "xgb_exact_d3_100/mean_abs_shap/%zu", c);
		assert_true(fabs(mean[c] - reference_number(root, path)) < 2e-6);
	}
	json_decref(root);
}

/* A single leaf; branches that grow together, as only a file can hold them. */
static void odd_trees_have_reasons_or_a_sentence(void **state)
{
	(void)state;
	uint32_t roots[] = {0};
	struct rs_forest_value values[] = {{1, 0.25}, {1, 1}};
	struct rs_forest_node nodes[] = {{.column = 0, .next = 1, .weight = 4},
	                                 {.column = 0, .next = 2, .weight = 2},
	                                 {.column = RS_FOREST_LEAF, .values = 1, .weight = 0},
	                                 {.column = RS_FOREST_LEAF, .next = 1, .values = 1}};
	struct rs_forest leaf = {1, 1, 2, roots, 1, 1, 0, &nodes[2], values, NULL};
	struct rs_forest knot = {1, 1, 2, roots, 4, 2, 0, nodes, values, NULL};
	struct rs_shap *shap = NULL;
	struct rs_error err = {0};
	double x = 1, reason;
	assert_int_equal(rs_shap_of_forest(&leaf, 1, &shap, &err), RS_OK);
	assert_int_equal(rs_shap_explain(shap, &x, 1, &reason, &err), RS_OK);
	assert_true(reason == 0 && rs_shap_base(shap) == 0.25);
	rs_shap_destroy(shap);
	assert_int_equal(rs_shap_of_forest(&knot, 1, &shap, &err), RS_MALFORMED);
	knot.roots[0] = 4;
	assert_int_equal(rs_shap_of_forest(&knot, 1, &shap, &err), RS_MALFORMED);
	roots[0] = 0;
	nodes[1] = (struct rs_forest_node){.column = RS_FOREST_LEAF, .values = 1}; /* nobody came here */
	knot.node_count = 3;
	assert_int_equal(rs_shap_of_forest(&knot, 1, &shap, &err), RS_OK);
	assert_int_equal(rs_shap_explain(shap, &x, 1, &reason, &err), RS_OK);
	assert_true(isfinite(reason));
	rs_shap_destroy(shap);
}

int main(void)
{
	if (!data_is_here())
		return 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boosted_trees_follow_the_definition),
		cmocka_unit_test(forests_follow_the_definition),
		cmocka_unit_test(reasons_are_those_of_pythons_package),
		cmocka_unit_test(importance_is_that_of_the_reference),
		cmocka_unit_test(odd_trees_have_reasons_or_a_sentence),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
