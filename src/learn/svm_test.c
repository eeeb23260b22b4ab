/* Support vector machines: what libsvm's own tools, its library and scikit-learn say of the same data; hostile files. */
#include "numeric/numeric_reference.h"

#include "base/base_random.h"
#include "vectors.h"

static const char *const VETERAN[] = {"trt", "karno", "diagtime", "age", "prior", "time"};

/* Standardised by the rows whose number is not divided by five (wdbc) or by all of them. */
struct task {
	struct rs_matrix train, all;
	double *values, *train_values;
	uint32_t *labels, *train_labels;
};

static void task_finish(struct task *t)
{
	rs_free(t->values);
	rs_free(t->train_values);
	rs_free(t->labels);
	rs_free(t->train_labels);
}

static bool trains(bool wdbc, size_t r) { return !wdbc || r % 5 != 0; }

static void standardise(bool wdbc, double *x, size_t rows)
{
	double sum = 0, squares = 0, count = 0;
	for (size_t r = 0; r < rows; r++)
		if (trains(wdbc, r)) {
			sum += x[r];
			count++;
		}
	for (size_t r = 0; r < rows; r++)
		squares += trains(wdbc, r) ? (x[r] - sum / count) * (x[r] - sum / count) : 0;
	for (size_t r = 0; r < rows; r++)
		x[r] = (x[r] - sum / count) / sqrt(squares / count);
}

static void task_open(bool wdbc, struct task *out)
{
	struct rs_csv csv;
	table_open(wdbc ? "wdbc/wdbc.csv" : "r_survival/veteran.csv", &csv);
	size_t columns = wdbc ? 30 : RS_COUNT(VETERAN), rows = csv.rows, count = 0;
	double *label = column_of(&csv, wdbc ? "malignant" : "celltype");
	*out = (struct task){.values = rs_allocate_array(rows, columns * sizeof(double)),
	                     .train_values = rs_allocate_array(rows, columns * sizeof(double)),
	                     .labels = rs_allocate_array(rows, sizeof(uint32_t)),
	                     .train_labels = rs_allocate_array(rows, sizeof(uint32_t))};
	for (size_t r = 0; r < rows; r++) {
		out->labels[r] = (uint32_t)label[r];
		if (trains(wdbc, r))
			out->train_labels[count++] = (uint32_t)label[r];
	}
	for (size_t c = 0, at = 0; c < columns; c++) {
		double *column = column_of(&csv, wdbc ? rs_csv_name(&csv, c) : VETERAN[c]);
		standardise(wdbc, column, rows);
		memcpy(out->values + c * rows, column, rows * sizeof *column);
		for (size_t r = 0; r < rows; r++)
			if (trains(wdbc, r))
				out->train_values[at++] = column[r];
		rs_free(column);
	}
	out->all = (struct rs_matrix){rows, columns, out->values};
	out->train = (struct rs_matrix){count, columns, out->train_values};
	rs_free(label);
	rs_csv_finish(&csv);
}

static void row_of(const struct rs_matrix *x, size_t r, double *out)
{
	for (size_t c = 0; c < x->columns; c++)
		out[c] = x->values[c * x->rows + r];
}

static const double WEIGHTS[] = {2, 1, 0.5, 1};

/* svm-train 3.24: the numbers of support vectors, thresholds, the sums of absolute coefficients. The files of wdbc begin with
 * class 1, which turns signs. */
static const struct peer {
	const char *name;
	bool wdbc;
	struct rs_svm_options options;
	uint32_t counts[4];
	double thresholds[6], sums[3], tolerance;
} PEERS[] = {
	{"radial",
         false,
         {.cost = 2, .gamma = 0.25},
         {35, 44, 27, 27},
         {-0.081683429943253727, -0.53416035655150462, -0.69832473904214298, -0.66475516106354138,
          -0.56346610930689445, 0.0060077795781913017},
         {188.28286838666136, 178.35091914313318, 155.815072623106},
         1e-9},
	{"linear",
         false,
         {.linear = true, .cost = 0.5, .class_weights = WEIGHTS},
         {30, 44, 27, 27},
         {-0.29436947766064447, -1.0006297666792323, -0.99996759632757493, -0.99999192858217856,
          -0.34755186084544021, 0.63274984297020498},
         {62.73692402236766, 31.723763645748104, 38.09342756682207},
         1e-9},
	{"wdbc, radial", true, {.cost = 1}, {50, 52}, {0.27027018485543813}, {75.97074849700013}, 1e-9},
	{"wdbc, linear",
         true,
         {.linear = true},
         {17, 17},
         {-0.057080783162842673},
         {21.90562091908245},
         1e-2},
};

static void machines_are_those_of_svm_train(void **state)
{
	(void)state;
	for (size_t i = 0; i < RS_COUNT(PEERS); i++) {
		const struct peer *peer = &PEERS[i];
		struct task task RS_CLEANUP(task_finish) = {0};
		struct rs_svm svm RS_CLEANUP(rs_svm_finish) = {0};
		struct rs_error err = {0};
		task_open(peer->wdbc, &task);
		uint32_t classes = peer->wdbc ? 2 : 4;
		if (rs_svm_fit(&task.train, task.train_labels, classes, &peer->options, &svm, &err) != RS_OK)
			fail_msg("%s: %s", peer->name, err.message);
		for (uint32_t c = 0; c < classes; c++)
			assert_int_equal(svm.counts[c], peer->counts[c]);
		for (size_t p = 0; p < rs_svm_pairs(classes); p++)
			near(peer->name, svm.thresholds[p], peer->thresholds[p], peer->tolerance);
		for (size_t k = 0; k + 1 < classes; k++) {
			double sum = 0;
			for (size_t v = 0; v < svm.vector_count; v++)
				sum += fabs(svm.coefficients[k * svm.vector_count + v]);
			near(peer->name, sum, peer->sums[k], peer->tolerance);
		}
	}
}

/* Ours as libsvm's library holds it. */
struct theirs {
	struct svm_model model;
	struct svm_node *nodes;
	int labels[4], counts[4];
	double *coefficients[3];
};

static void theirs_make(const struct rs_svm *svm, struct theirs *out)
{
	size_t stride = svm->columns + (size_t)1;
	*out = (struct theirs){.nodes = rs_allocate_array(svm->vector_count, stride * sizeof *out->nodes)};
	out->model = (struct svm_model){
		.param = {.svm_type = C_SVC, .kernel_type = svm->linear ? LINEAR : RBF, .gamma = svm->gamma},
		.nr_class = (int)svm->classes,
		.l = (int)svm->vector_count,
		.SV = rs_allocate_array(svm->vector_count, sizeof(struct svm_node *)),
		.sv_coef = out->coefficients,
		.rho = svm->thresholds,
		.probA = svm->slopes,
		.probB = svm->offsets,
		.label = out->labels,
		.nSV = out->counts};
	for (size_t v = 0; v < svm->vector_count; v++) {
		out->model.SV[v] = &out->nodes[v * stride];
		for (size_t c = 0; c < svm->columns; c++)
			out->model.SV[v][c] = (struct svm_node){(int)c + 1,
			                                        svm->vectors[v * svm->columns + c]};
		out->model.SV[v][svm->columns].index = -1;
	}
	for (uint32_t c = 0; c < svm->classes; c++) {
		out->labels[c] = (int)c;
		out->counts[c] = (int)svm->counts[c];
		if (c > 0)
			out->coefficients[c - 1] = svm->coefficients + (c - 1) * svm->vector_count;
	}
}

static void rows_are_judged_as_libsvm_judges_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < RS_COUNT(PEERS); i++) {
		struct task task RS_CLEANUP(task_finish) = {0};
		struct rs_svm svm RS_CLEANUP(rs_svm_finish) = {0};
		struct theirs theirs;
		uint32_t classes = PEERS[i].wdbc ? 2 : 4;
		task_open(PEERS[i].wdbc, &task);
		assert_int_equal(
			rs_svm_fit(&task.train, task.train_labels, classes, &PEERS[i].options, &svm, NULL),
			RS_OK);
		theirs_make(&svm, &theirs);
		for (size_t r = 0; r < task.all.rows; r++) {
			struct svm_node row[31];
			double x[30], ours[6], want[6], shares[4], want_shares[4], sum = 0;
			row_of(&task.all, r, x);
			for (size_t c = 0; c <= task.all.columns; c++)
				row[c] = (struct svm_node){c < task.all.columns ? (int)c + 1 : -1,
				                           c < task.all.columns ? x[c] : 0};
			rs_svm_decisions(&svm, x, ours);
			rs_svm_probabilities(&svm, x, shares);
			svm_predict_values(&theirs.model, row, want);
			svm_predict_probability(&theirs.model, row, want_shares);
			for (size_t p = 0; p < rs_svm_pairs(classes); p++)
				near(PEERS[i].name, ours[p], want[p], 1e-12);
			for (uint32_t c = 0; c < classes; c++) {
				sum += shares[c];
				/* Of two classes ours is exact, theirs ends at 0.005 / 2. */
				assert_true(fabs(shares[c] - want_shares[c]) < (classes > 2 ? 1e-12 : 3e-3));
			}
			assert_true(fabs(sum - 1) < 1e-12);
		}
		rs_free((void *)theirs.model.SV);
		rs_free(theirs.nodes);
	}
}

static void be_quiet(const char *text RS_UNUSED) {}

/* Few rows are given to libsvm as products, many as they are: it ends as if it had seen the rows. */
static void many_rows_end_as_few_do(void **state)
{
	(void)state;
	struct task task RS_CLEANUP(task_finish) = {0};
	task_open(true, &task);
	size_t once = task.all.rows, columns = task.all.columns;
	double *values = rs_allocate_array(columns, 2 * once * sizeof *values);
	uint32_t *labels = rs_allocate_array(2 * once, sizeof *labels);
	double *y = rs_allocate_array(2 * once, sizeof *y);
	struct svm_node *nodes = rs_allocate_array(2 * once, (columns + 1) * sizeof *nodes);
	struct svm_node **rows = rs_allocate_array(2 * once, sizeof(struct svm_node *));
	svm_set_print_string_function(be_quiet);
	for (size_t n = once; n <= 2 * once; n += once) {
		struct rs_svm svm RS_CLEANUP(rs_svm_finish) = {0};
		const struct rs_matrix x = {n, columns, values};
		for (size_t r = 0; r < n; r++) {
			rows[r] = nodes + r * (columns + 1);
			y[r] = labels[r] = task.labels[r % once];
			rows[r][columns].index = -1;
			for (size_t c = 0; c < columns; c++) {
				values[c * n + r] = task.values[c * once + r % once];
				rows[r][c] = (struct svm_node){(int)c + 1, values[c * n + r]};
			}
		}
		const struct svm_parameter parameter = {.kernel_type = RBF,
		                                        .gamma = 1.0 / 30,
		                                        .cache_size = 100,
		                                        .eps = 1e-3,
		                                        .C = 1,
		                                        .shrinking = 1};
		struct svm_model *theirs = svm_train(&(struct svm_problem){(int)n, y, rows}, &parameter);
		assert_int_equal(rs_svm_fit(&x, labels, 2, &(struct rs_svm_options){0}, &svm, NULL), RS_OK);
		assert_int_equal(svm.vector_count, theirs->l);
		near("threshold", svm.thresholds[0], theirs->label[0] == 0 ? theirs->rho[0] : -theirs->rho[0],
		     1e-12);
		svm_free_and_destroy_model(&theirs);
	}
	rs_free(values);
	rs_free(labels);
	rs_free(y);
	rs_free(nodes);
	rs_free((void *)rows);
}

/* scikit-learn 1.2.1's SVC (tolerance 1e-8), and the line that its _sigmoid_calibration draws through those decisions. */
static void decisions_and_lines_are_those_of_sklearn(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		double slope, offset;
	} lines[] = {{"svm_rbf/decision", -2.7515906651578574, -0.6594485565997616},
	             {"svm_linear/decision", -0.8322770540364391, 0.036168315681324524}};
	struct task task RS_CLEANUP(task_finish) = {0};
	json_t *root = reference_open("wdbc.json");
	task_open(true, &task);
	for (size_t i = 0; i < RS_COUNT(lines); i++) {
		struct rs_svm svm RS_CLEANUP(rs_svm_finish) = {0};
		const struct rs_svm_options options = {.linear = i == 1, .tolerance = 1e-8};
		double decisions[114], row[30], ours, slope, offset;
		bool first[114];
		assert_int_equal(rs_svm_fit(&task.train, task.train_labels, 2, &options, &svm, NULL), RS_OK);
		for (size_t t = 0; t < 114; t++) {
			decisions[t] = json_number_value(
				json_array_get(reference_at(root, lines[i].path), t));
			first[t] = task.labels[5 * t] == 1;
			row_of(&task.all, 5 * t, row);
			rs_svm_decisions(&svm, row, &ours);
			assert_true(fabs(ours + decisions[t]) < 2e-5);
		}
		platt_line(decisions, first, 114, &slope, &offset);
		near("slope", slope, lines[i].slope, 1e-5);
		near("offset", offset, lines[i].offset, 1e-4);
	}
	json_decref(root);
}

static enum rs_code read_back(const struct rs_buffer *file, struct rs_svm *out, struct rs_error *err)
{
	struct rs_cbor_reader reader;
	RS_TRY(rs_cbor_reader_init(&reader, rs_buffer_bytes(file), err));
	return rs_svm_read(&reader, 6, out, err);
}

static void threads_change_nothing_and_hostile_files_are_refused(void **state)
{
	(void)state;
	struct task task RS_CLEANUP(task_finish) = {0};
	struct rs_buffer files[2] = {{0}, {0}};
	struct rs_error err = {0};
	struct rs_pool *pool;
	struct rs_svm_options options = {.seed = 3};
	task_open(false, &task);
	assert_int_equal(rs_pool_create(3, &pool, NULL), RS_OK);
	for (int i = 0; i < 2; i++, options.pool = pool) {
		struct rs_svm svm RS_CLEANUP(rs_svm_finish) = {0}, read RS_CLEANUP(rs_svm_finish) = {0};
		rs_buffer_init(&files[i], 1 << 20);
		assert_int_equal(rs_svm_fit(&task.all, task.labels, 4, &options, &svm, NULL), RS_OK);
		rs_svm_write(&svm, &files[i]);
		assert_int_equal(read_back(&files[i], &read, &err), RS_OK);
		rs_buffer_clear(&files[i]);
		rs_svm_write(&read, &files[i]);
	}
	assert_int_equal(files[0].size, files[1].size);
	assert_memory_equal(files[0].data, files[1].data, files[0].size);
	for (size_t at = 0; at < files[0].size; at += at < 200 ? 1 : 37)
		for (unsigned bit = 1; bit < 256; bit *= 2) {
			struct rs_svm odd RS_CLEANUP(rs_svm_finish) = {0};
			double row[6] = {0}, shares[RS_SVM_CLASSES_MAX];
			files[0].data[at] ^= (uint8_t)bit;
			enum rs_code code = read_back(&files[0], &odd, &err);
			files[0].data[at] ^= (uint8_t)bit;
			assert_true(code == RS_OK || code == RS_MALFORMED);
			if (code == RS_OK)
				rs_svm_probabilities(&odd, row, shares);
		}
	rs_pool_destroy(pool);
	rs_buffer_finish(&files[0]);
	rs_buffer_finish(&files[1]);
}

/* Labels that know nothing of the columns: libsvm's own lines rise for some seeds and turn the order round. */
static void noise_does_not_turn_the_order_round(void **state)
{
	(void)state;
	double values[120];
	uint32_t labels[40];
	struct rs_matrix x = {40, 3, values};
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct rs_svm svm RS_CLEANUP(rs_svm_finish) = {0};
		struct rs_stream stream = rs_stream_of(seed, 0);
		for (size_t i = 0; i < 120; i++)
			values[i] = rs_stream_unit(&stream);
		for (size_t i = 0; i < 40; i++)
			labels[i] = i % 2;
		assert_int_equal(
			rs_svm_fit(&x, labels, 2, &(struct rs_svm_options){.seed = seed}, &svm, NULL), RS_OK);
		assert_true(svm.slopes[0] < 0);
	}
}

static void odd_data_have_a_machine_or_a_sentence(void **state)
{
	(void)state;
	double values[] = {1, 1, 1, 1, 5, 6, 7, 8}, row[] = {1, 5}, shares[2];
	const uint32_t labels[] = {0, 1, 1, 1}, same[] = {1, 1, 1, 1};
	struct rs_matrix x = {4, 2, values};
	struct rs_svm svm;
	struct rs_error err = {0};
	struct rs_svm_options options = {.cost = 10};
	assert_int_equal(rs_svm_fit(&x, labels, 2, &options, &svm, &err), RS_OK);
	rs_svm_probabilities(&svm, row, shares);
	assert_true(isfinite(shares[0]) && fabs(shares[0] + shares[1] - 1) < 1e-15);
	rs_svm_finish(&svm);
	assert_int_equal(rs_svm_fit(&x, same, 2, &options, &svm, &err), RS_NOT_FOUND);
	assert_string_equal(err.message, "no row is of class 0");
	values[6] = NAN;
	assert_int_equal(rs_svm_fit(&x, labels, 2, &options, &svm, &err), RS_MALFORMED);
	assert_string_equal(err.message, "row 3, column 2: not a number");
	options.cost = -1;
	assert_int_equal(rs_svm_fit(&x, labels, 2, &options, &svm, &err), RS_USAGE);
}

int main(void)
{
	if (!data_is_here())
		return 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines_are_those_of_svm_train),
		cmocka_unit_test(rows_are_judged_as_libsvm_judges_them),
		cmocka_unit_test(many_rows_end_as_few_do),
		cmocka_unit_test(decisions_and_lines_are_those_of_sklearn),
		cmocka_unit_test(threads_change_nothing_and_hostile_files_are_refused),
		cmocka_unit_test(noise_does_not_turn_the_order_round),
		cmocka_unit_test(odd_data_have_a_machine_or_a_sentence),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
