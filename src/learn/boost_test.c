/* Boosted trees: what Python's package xgboost 1.7.4 says after the same training, a hand-made hostile file, odd data. */
#include "numeric/numeric_reference.h"

#include "learn/learn_boost.h"

static const char *const LUNG[] = {"age", "sex", "ph.ecog", "ph.karno", "pat.karno", "meal.cal", "wt.loss"};
static const char *const VETERAN[] = {"trt", "karno", "diagtime", "age", "prior", "time"};

struct task {
	struct rs_matrix x;
	double *values, *time, *weights;
	uint32_t *labels;
	uint8_t *event, *held;
};

static void task_finish(struct task *t)
{
	rs_free(t->values);
	rs_free(t->time);
	rs_free(t->weights);
	rs_free(t->labels);
	rs_free(t->event);
	rs_free(t->held);
}

/* Row i is held out when i % every == rest. */
static void task_open(enum rs_boost_kind kind, size_t every, size_t rest, struct task *out)
{
	struct rs_csv csv;
	bool wdbc = kind == RS_BOOST_BINARY, veteran = kind == RS_BOOST_CLASSES;
	table_open(wdbc ? "wdbc/wdbc.csv" : veteran ? "r_survival/veteran.csv" : "r_survival/lung.csv", &csv);
	size_t columns = wdbc ? 30 : veteran ? RS_COUNT(VETERAN) : RS_COUNT(LUNG);
	double *label = column_of(&csv, wdbc ? "malignant" : veteran ? "celltype" : "status");
	*out = (struct task){.values = rs_allocate_array(csv.rows, columns * sizeof(double)),
	                     .time = wdbc ? NULL : column_of(&csv, "time"),
	                     .weights = rs_allocate_array(csv.rows, sizeof(double)),
	                     .labels = rs_allocate_array(csv.rows, sizeof(uint32_t)),
	                     .event = rs_allocate(csv.rows),
	                     .held = rs_allocate(csv.rows)};
	for (size_t c = 0; c < columns; c++) {
		double *column = column_of(&csv, wdbc      ? rs_csv_name(&csv, c)
		                                 : veteran ? VETERAN[c]
		                                           : LUNG[c]);
		memcpy(out->values + c * csv.rows, column, csv.rows * sizeof *column);
		rs_free(column);
	}
	for (size_t r = 0; r < csv.rows; r++) {
		out->labels[r] = (uint32_t)label[r];
		out->event[r] = label[r] == 2;
		out->weights[r] = 1 + (double)(r % 3);
		out->held[r] = every && r % every == rest;
	}
	out->x = (struct rs_matrix){csv.rows, columns, out->values};
	rs_free(label);
	rs_csv_finish(&csv);
}

static struct rs_boost_data data_of(const struct task *task, enum rs_boost_kind kind, bool weighted)
{
	bool survival = kind == RS_BOOST_COX || kind == RS_BOOST_AFT;
	return (struct rs_boost_data){.x = &task->x,
	                              .labels = task->labels,
	                              .classes = 4,
	                              .time = survival ? task->time : NULL,
	                              .event = survival ? task->event : NULL,
	                              .weights = weighted ? task->weights : NULL,
	                              .held = task->held};
}

static void row_of(const struct rs_matrix *x, size_t r, double *out)
{
	for (size_t c = 0; c < x->columns; c++)
		out[c] = x->values[c * x->rows + r];
}

static const int8_t FIRST_RISES[30] = {1};

/* What Python says: the first margins, the sum of the absolute ones, rounds made and kept, first and last metric. */
static const struct peer {
	const char *name;
	struct rs_boost_options options;
	bool weighted;
	size_t every, rest;
	double first[3], sum;
	uint32_t made, kept;
	double metric_first, metric_last;
} PEERS[] = {
#define COMMON .leaf_weight = 1, .ridge = 1
#define WHOLE .rows_share = 1, .columns_share = 1, .nodes_share = 1, COMMON
	{"binary",
         {.rounds = 100, .depth = 3, .rate = 0.1, WHOLE},
         false,
         0,
         0,
         {3.997312, 5.336644, 6.9109},
         3289.045720,
         100,
         100,
         NAN,
         NAN},
	{"shares",
         {.rounds = 40,
          .depth = 4,
          .rate = 0.3,
          .rows_share = 0.7,
          .columns_share = 0.5,
          .nodes_share = 0.5,
          .gain = 0.5,
          .leaf_weight = 2,
          .ridge = 2,
          .lasso = 0.25,
          .seed = 7},
         true,
         0,
         0,
         {2.745435, 5.391045, 6.875351},
         3218.940832,
         40,
         40,
         NAN,
         NAN},
	{"histograms",
         {.rounds = 40, .depth = 4, .rate = 0.3, .histogram = true, WHOLE},
         false,
         0,
         0,
         {4.769321, 4.736567, 6.974965},
         3520.596526,
         40,
         40,
         NAN,
         NAN},
	{"stopped early",
         {.rounds = 200, .depth = 3, .rate = 0.3, .seed = 1, .patience = 10, WHOLE},
         false,
         5,
         0,
         {3.253094, 5.235806, 7.350559},
         3316.276303,
         45,
         35,
         0.514951,
         0.136119},
	{"monotone",
         {.rounds = 30, .depth = 4, .rate = 0.3, .monotone = FIRST_RISES, WHOLE},
         false,
         0,
         0,
         {4.083443, 5.34675, 6.602143},
         3250.226698,
         30,
         30,
         NAN,
         NAN},
	{"classes",
         {.kind = RS_BOOST_CLASSES, .rounds = 200, .depth = 3, .rate = 0.2, .patience = 5, WHOLE},
         false,
         4,
         1,
         {1.313168, 0.8438401, 0.699105},
         262.310278,
         11,
         6,
         1.332785,
         1.266242},
	{"Cox",
         {.kind = RS_BOOST_COX, .rounds = 50, .depth = 3, .rate = 0.1, WHOLE},
         false,
         0,
         0,
         {0.3106038, -0.7333255, -1.334801},
         188.367176,
         50,
         50,
         NAN,
         NAN},
	{"Cox, stopped",
         {.kind = RS_BOOST_COX,
          .rounds = 100,
          .depth = 2,
          .rate = 0.1,
          .seed = 3,
          .patience = 15,
          .rows_share = 0.8,
          .columns_share = 1,
          .nodes_share = 1,
          COMMON},
         false,
         5,
         2,
         {-0.3188792, -0.6762143, -0.6762143},
         140.019014,
         23,
         8,
         2.996354,
         2.999247},
	{"AFT, normal",
         {.kind = RS_BOOST_AFT, .rounds = 60, .depth = 3, .rate = 0.1, WHOLE, .noise_scale = 1.2},
         false,
         5,
         2,
         {5.561841, 5.724623, 5.718338},
         1311.494739,
         60,
         60,
         5.425808,
         5.465467},
	{"AFT, logistic",
         {.kind = RS_BOOST_AFT,
          .rounds = 60,
          .depth = 3,
          .rate = 0.1,
          .noise = RS_BOOST_LOGISTIC,
          WHOLE,
          .noise_scale = 0.7},
         false,
         5,
         2,
         {5.675797, 5.814762, 5.738682},
         1305.018071,
         60,
         60,
         5.406832,
         5.425376},
	{"AFT, extreme",
         {.kind = RS_BOOST_AFT,
          .rounds = 60,
          .depth = 3,
          .rate = 0.1,
          .noise = RS_BOOST_EXTREME,
          WHOLE,
          .noise_scale = 1},
         false,
         5,
         2,
         {5.600081, 5.892117, 5.920135},
         1350.830766,
         60,
         60,
         5.533297,
         5.394490},
};

static void compare(const struct peer *peer, const struct task *task, const struct rs_booster *booster,
                    const double *metrics)
{
	double sum = 0, row[32], margins[4];
	size_t told = 0;
	uint32_t made = 0;
	assert_true(task->x.columns <= 32 && booster->outputs <= 4);
	for (size_t r = 0; r < task->x.rows; r++) {
		row_of(&task->x, r, row);
		rs_booster_margins(booster, row, margins);
		for (uint32_t o = 0; o < booster->outputs; o++) {
			if (told < 3)
				near(peer->name, margins[o], peer->first[told], 2e-6);
			told++;
			sum += fabs(margins[o]);
		}
	}
	near(peer->name, sum, peer->sum, 2e-6);
	assert_int_equal(booster->trees, peer->kept * booster->outputs);
	if (isnan(peer->metric_first))
		return;
	while (made < peer->options.rounds && !isnan(metrics[made]))
		made++;
	assert_int_equal(made, peer->made);
	near(peer->name, metrics[0], peer->metric_first, 4e-6);
	near(peer->name, metrics[made - 1], peer->metric_last, 4e-6);
}

static void margins_are_those_of_pythons_package(void **state)
{
	(void)state;
	for (size_t i = 0; i < RS_COUNT(PEERS); i++) {
		const struct peer *peer = &PEERS[i];
		struct task task RS_CLEANUP(task_finish) = {0};
		struct rs_booster booster RS_CLEANUP(rs_booster_finish) = {0};
		struct rs_error err = {0};
		double metrics[200];
		task_open(peer->options.kind, peer->every, peer->rest, &task);
		const struct rs_boost_data data = data_of(&task, peer->options.kind, peer->weighted);
		if (rs_boost_fit(&data, &peer->options, metrics, &booster, &err) != RS_OK)
			fail_msg("%s: %s", peer->name, err.message);
		compare(peer, &task, &booster, metrics);
	}
}

/* scikit-learn's interface of the same version; the test rows of wdbc.json. */
static void probabilities_are_those_of_the_reference(void **state)
{
	(void)state;
	struct task task RS_CLEANUP(task_finish) = {0};
	struct rs_booster booster RS_CLEANUP(rs_booster_finish) = {0};
	struct rs_boost_options options = rs_boost_defaults(RS_BOOST_BINARY);
	json_t *root = reference_open("wdbc.json");
	char path[64];
	size_t told = 0;
	options.depth = 3;
	options.rate = 0.1;
	task_open(RS_BOOST_BINARY, 5, 0, &task);
	const struct rs_boost_data data = data_of(&task, RS_BOOST_BINARY, false);
	assert_int_equal(rs_boost_fit(&data, &options, NULL, &booster, NULL), RS_OK);
	for (size_t r = 0; r < task.x.rows; r += 5) {
		double row[30], p;
		row_of(&task.x, r, row);
		rs_booster_scores(&booster, row, &p);
		snprintf(path, sizeof path, "xgb_exact_d3_100/p/%zu", told++);
		agrees(root, path, p, 5e-6); /* theirs is a float */
	}
	json_decref(root);
}

struct side {
	const struct rs_boost_data *data;
	struct rs_booster boosters[4];
};

static enum rs_code fit_one(void *context, size_t index, struct rs_error *err)
{
	struct side *side = context;
	struct rs_boost_options options = rs_boost_defaults(RS_BOOST_BINARY);
	options.rounds = 20;
	options.rows_share = options.columns_share = 0.6;
	options.seed = 9 + index % 2;
	options.histogram = index >= 2;
	return rs_boost_fit(side->data, &options, NULL, &side->boosters[index], err);
}

/* Side by side with others in a pool, or alone: the same bits. */
static void threads_change_nothing(void **state)
{
	(void)state;
	struct task task RS_CLEANUP(task_finish) = {0};
	struct rs_pool *pool;
	task_open(RS_BOOST_BINARY, 0, 0, &task);
	const struct rs_boost_data data = data_of(&task, RS_BOOST_BINARY, false);
	struct side alone = {&data, {{0}}}, together = {&data, {{0}}};
	assert_int_equal(rs_pool_create(3, &pool, NULL), RS_OK);
	assert_int_equal(rs_pool_for(NULL, 4, fit_one, &alone, NULL), RS_OK);
	assert_int_equal(rs_pool_for(pool, 4, fit_one, &together, NULL), RS_OK);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(alone.boosters[i].node_count, together.boosters[i].node_count);
		for (size_t n = 0; n < alone.boosters[i].node_count; n++)
			assert_true(alone.boosters[i].nodes[n].number ==
			            together.boosters[i].nodes[n].number);
		rs_booster_finish(&alone.boosters[i]);
		rs_booster_finish(&together.boosters[i]);
	}
	rs_pool_destroy(pool);
}

static enum rs_code read_back(const struct rs_buffer *file, struct rs_booster *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	RS_TRY(rs_cbor_reader_init(&reader, rs_buffer_bytes(file), err));
	return rs_booster_read(&reader, 6, out, err);
}

static void files_hold_the_trees_and_hostile_ones_are_refused(void **state)
{
	(void)state;
	struct task task RS_CLEANUP(task_finish) = {0};
	struct rs_booster booster RS_CLEANUP(rs_booster_finish) = {0};
	struct rs_booster read RS_CLEANUP(rs_booster_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0}, again RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	struct rs_boost_options options = rs_boost_defaults(RS_BOOST_CLASSES);
	options.rounds = 2;
	options.depth = 2;
	rs_buffer_init(&file, 1 << 20);
	rs_buffer_init(&again, 1 << 20);
	task_open(RS_BOOST_CLASSES, 0, 0, &task);
	const struct rs_boost_data data = data_of(&task, RS_BOOST_CLASSES, false);
	assert_int_equal(rs_boost_fit(&data, &options, NULL, &booster, &err), RS_OK);
	rs_booster_write(&booster, &file);
	assert_int_equal(read_back(&file, &read, &err), RS_OK);
	rs_booster_write(&read, &again);
	assert_int_equal(again.size, file.size);
	assert_memory_equal(again.data, file.data, file.size);
	for (size_t at = 0; at < file.size; at++)
		for (unsigned bit = 1; bit < 256; bit *= 2) {
			struct rs_booster odd RS_CLEANUP(rs_booster_finish) = {0};
			double row[6] = {0}, margins[4];
			file.data[at] ^= (uint8_t)bit;
			enum rs_code code = read_back(&file, &odd, &err);
			file.data[at] ^= (uint8_t)bit;
			assert_true(code == RS_OK || code == RS_MALFORMED);
			if (code == RS_OK && odd.outputs <= 4)
				rs_booster_margins(&odd, row, margins); /* ends */
		}
}

static void odd_data_have_trees_or_a_sentence(void **state)
{
	(void)state;
	double values[] = {1, 1, 1, 1, 5, NAN, 7, 8}, time[] = {0, 2, 2, 3};
	const uint32_t labels[] = {0, 0, 1, 1}, same[] = {1, 1, 1, 1}, odd[] = {0, 1, 2, 1};
	const uint8_t none[4] = {0}, all[] = {1, 1, 1, 1};
	struct rs_matrix x = {4, 2, values};
	struct rs_boost_options options = rs_boost_defaults(RS_BOOST_BINARY);
	struct rs_booster booster;
	struct rs_error err = {0};
	const struct {
		enum rs_boost_kind kind;
		const uint32_t *labels;
		const uint8_t *event, *held;
		enum rs_code code;
		const char *sentence;
	} cases[] = {
		{RS_BOOST_BINARY, labels, NULL, NULL, RS_OK, NULL},
		{RS_BOOST_BINARY, same, NULL, none, RS_OK, NULL},
		{RS_BOOST_BINARY, odd, NULL, NULL, RS_USAGE, "row 3: there is no class 2"},
		{RS_BOOST_BINARY, labels, NULL, all, RS_USAGE, "all 4 rows are held out from boosting"},
		{RS_BOOST_COX, NULL, all, NULL, RS_OK, NULL},
		{RS_BOOST_COX, NULL, none, NULL, RS_NOT_FOUND, "nobody of 4 subjects had the event"},
		{RS_BOOST_AFT, NULL, all, NULL, RS_MALFORMED, "row 1: the time is not a number above 0"},
	};
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		const struct rs_boost_data data = {&x,   cases[i].labels, 0, time, cases[i].event,
		                                   NULL, cases[i].held};
		options.kind = cases[i].kind;
		assert_int_equal(rs_boost_fit(&data, &options, NULL, &booster, &err), cases[i].code);
		if (cases[i].code == RS_OK)
			rs_booster_finish(&booster);
		else
			assert_string_equal(err.message, cases[i].sentence);
	}
	values[6] = 1e300;
	const struct rs_boost_data large = {&x, labels, 0, NULL, NULL, NULL, NULL};
	options.kind = RS_BOOST_BINARY;
	assert_int_equal(rs_boost_fit(&large, &options, NULL, &booster, &err), RS_MALFORMED);
	assert_string_equal(err.message, "row 3, column 2: too large a number");
	options.rate = 2;
	assert_int_equal(rs_boost_fit(&large, &options, NULL, &booster, &err), RS_USAGE);
}

int main(void)
{
	if (!data_is_here())
		return 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(margins_are_those_of_pythons_package),
		cmocka_unit_test(probabilities_are_those_of_the_reference),
		cmocka_unit_test(threads_change_nothing),
		cmocka_unit_test(files_hold_the_trees_and_hostile_ones_are_refused),
		cmocka_unit_test(odd_data_have_trees_or_a_sentence),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
