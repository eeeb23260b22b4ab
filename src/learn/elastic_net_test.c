/* Elastic nets: what R's glmnet, survival and MASS give for the same data; conditions of the optimum; small worlds. */
#include "numeric/numeric_reference.h"

#include "learn/learn_elastic_net.h"

/* R 4.2.2: glmnet 4.1.6 with thresh 1e-24 (for strata glmnet.control(mxitnr = 3000, epsnr = 1e-16)), survival 3.5.3 where
 * lambda is 0, MASS 7.3.58.2. */
static const double wdbc_at[] = {8.9392481575, 19.0434045148, 26.5392771418};
static const double wdbc_coefficients[] = {0.0142623109346,
                                           0.187321066212,
                                           0.00310690771994,
                                           0,
                                           0,
                                           0,
                                           0,
                                           11.2710426298,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0.0707297790915,
                                           0,
                                           0.00923189886594,
                                           8.20014017075e-05,
                                           0.0240889382941,
                                           0,
                                           0.289456090551,
                                           9.39591587874,
                                           0.645813770326,
                                           0,
                                           0.0692627100379,
                                           0.237410743758,
                                           0.00813011974037,
                                           0.000214000469127,
                                           0,
                                           0,
                                           0,
                                           15.6117202372,
                                           0,
                                           0,
                                           1.088907538,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           -6.83937212826,
                                           0.16171047336,
                                           0,
                                           0.0186239756063,
                                           0.000706604395303,
                                           17.7456699101,
                                           0,
                                           1.00593125355,
                                           11.4872071701,
                                           5.2518951487,
                                           0,
                                           0.0695178423685,
                                           0.212223475334,
                                           0.00615133283781,
                                           0.000608605933727,
                                           0,
                                           0,
                                           5.22725320901,
                                           23.1937866502,
                                           0,
                                           -31.0635969087,
                                           4.28818223436,
                                           0,
                                           0.110925011914,
                                           0.00804744956081,
                                           0,
                                           -24.9283801017,
                                           0,
                                           0,
                                           -16.2517426317,
                                           -120.834856722,
                                           0.242278366417,
                                           0.0777855732328,
                                           0.024123201321,
                                           0.00152461972777,
                                           32.6526162308,
                                           0,
                                           3.36322091271,
                                           13.0914155429,
                                           9.94774403484,
                                           0};
static const double veteran_coefficients[] = {-0.017871752129,
                                              0,
                                              0,
                                              0,
                                              -0.0324048117687,
                                              0,
                                              -0.000370166584857,
                                              0,
                                              -0.0344167904092,
                                              0.00106909477253,
                                              -0.00314918260068,
                                              0.00317839982498};
static const double veteran_path[] = {46, 0.446026837049, 0, 0.00819216026887, 0.0454821851342};
static const double wdbc_path[] = {50, 0.383683244478, 3.83683244478e-05, 0.15676670528};
static const double veteran_validation[] = {
	8.34723716322, 8.09446968154, 8.16870100225, 0.180284716726, 0.200703367626, 0.182350556709, 4, 1};
static const double wdbc_validation[] = {1.32373579185,
                                         0.365640101859,
                                         0.165476953119,
                                         0.0201742140064,
                                         0.0104894716131,
                                         0.0183320395962,
                                         11,
                                         10};
static const size_t plgg_columns[] = {2, 38, 119, 122, 138, 142, 150, 183, 235, 268, 290, 327, 366};
static const double plgg_coefficients[] = {0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0,
                                           0.0210719924201,
                                           -0.00728649092494,
                                           0.0984026134489,
                                           0.00373826725906,
                                           0.0393397222442,
                                           0.0397056888501,
                                           0.0418808246638,
                                           -0.044691704812,
                                           0.0472957752099,
                                           0.0547380749552,
                                           0.141318258622,
                                           -0.0126684779671,
                                           0.0427793513039};
static const double lung_ordinal[] = {0.038252511821, 0.104005721153, -0.0805404305734, -5.22474498359,
                                      -2.31596934109, 2.53255051279,  398.224378821};

/* Data as the tests above and R had them; weights 1, 1.5, 2 in turn. */
struct world {
	struct rs_csv csv;
	struct rs_matrix x;
	double *values, *weight, *time;
	uint32_t *labels, *stratum, *fold;
	uint8_t *event;
};

static void world_open(struct world *w, const char *file, const char *const *names, size_t columns)
{
	table_open(file, &w->csv);
	size_t rows = w->csv.rows;
	w->values = rs_allocate_array(rows, columns * sizeof(double));
	for (size_t c = 0; c < columns; c++) {
		double *column = column_of(&w->csv, names ? names[c] : rs_csv_name(&w->csv, c));
		memcpy(&w->values[c * rows], column, rows * sizeof *column);
		rs_free(column);
	}
	w->x = (struct rs_matrix){rows, columns, w->values};
	w->weight = rs_allocate_array(rows, sizeof(double));
	w->labels = rs_allocate_array(rows, sizeof(uint32_t));
	w->stratum = rs_allocate_array(rows, sizeof(uint32_t));
	w->fold = rs_allocate_array(rows, sizeof(uint32_t));
	w->event = rs_allocate_array(rows, 1);
	for (uint32_t r = 0; r < rows; r++) {
		w->weight[r] = 1 + r % 3 / 2.0;
		w->fold[r] = r % 5;
	}
}

static void world_close(struct world *w)
{
	rs_csv_finish(&w->csv);
	rs_free(w->values);
	rs_free(w->weight);
	rs_free(w->time);
	rs_free(w->labels);
	rs_free(w->stratum);
	rs_free(w->fold);
	rs_free(w->event);
}

static void open_wdbc(struct world *w)
{
	*w = (struct world){.time = NULL};
	world_open(w, "wdbc/wdbc.csv", NULL, 30);
	double *malignant = column_of(&w->csv, "malignant");
	for (size_t r = 0; r < w->x.rows; r++)
		w->labels[r] = malignant[r] != 0;
	rs_free(malignant);
}

static void open_veteran(struct world *w)
{
	static const char *const names[] = {"karno", "diagtime", "age", "prior"};
	*w = (struct world){.time = NULL};
	world_open(w, "r_survival/veteran.csv", names, 4);
	double *status = column_of(&w->csv, "status"), *treatment = column_of(&w->csv, "trt");
	w->time = column_of(&w->csv, "time");
	for (size_t r = 0; r < w->x.rows; r++) {
		w->event[r] = status[r] != 0;
		w->stratum[r] = (uint32_t)treatment[r];
	}
	rs_free(status);
	rs_free(treatment);
}

static void fit_path(const struct rs_elastic_net_data *data, const struct rs_elastic_net_options *options,
                     struct rs_elastic_net_path *out)
{
	struct rs_error err = {0};
	if (rs_elastic_net_fit(data, options, out, &err) != RS_OK)
		fail_msg("%s", err.message);
	assert_true(out->settled);
}

static void hold(const char *what, const double *values, const double *wanted, size_t count, double tolerance)
{
	for (size_t i = 0; i < count; i++)
		near(what, values[i], wanted[i], tolerance);
}

static void logistic_is_that_of_glmnet(void **state)
{
	(void)state;
	static const double lambdas[] = {0.1, 0.02, 0.004};
	struct world w;
	struct rs_elastic_net_path path;
	double factors[30];
	open_wdbc(&w);
	for (size_t c = 0; c < 30; c++)
		factors[c] = c == 1 ? 0 : c == 4 ? 2 : 1;
	const struct rs_elastic_net_data weighted = {&w.x, w.weight, w.labels, 2, false, NULL, NULL, NULL};
	fit_path(&weighted,
	         &(struct rs_elastic_net_options){.mixing = 0.7,
	                                          .penalty = factors,
	                                          .lambdas = lambdas,
	                                          .lambda_count = 3,
	                                          .threshold = 1e-22},
	         &path);
	hold("threshold", path.at, wdbc_at, 3, 1e-8);
	hold("coefficient", path.coefficients, wdbc_coefficients, RS_COUNT(wdbc_coefficients), 1e-7);
	rs_elastic_net_path_finish(&path);
	const struct rs_elastic_net_data data = {&w.x, NULL, w.labels, 2, false, NULL, NULL, NULL};
	fit_path(&data, &(struct rs_elastic_net_options){.mixing = 1, .lambda_count = 50, .threshold = 1e-16},
	         &path);
	assert_int_equal(path.count, 50);
	near("largest lambda", path.lambdas[0], wdbc_path[1], 1e-11);
	near("smallest lambda", path.lambdas[49], wdbc_path[2], 1e-11);
	near("explained", path.explained[1], wdbc_path[3], 1e-6);
	rs_elastic_net_path_finish(&path);
	world_close(&w);
}

static void cox_is_that_of_glmnet(void **state)
{
	(void)state;
	static const double lambdas[] = {0.2, 0.02, 0};
	struct world w;
	struct rs_elastic_net_path path;
	open_veteran(&w);
	const struct rs_elastic_net_data stratified = {&w.x,  w.weight, NULL,    0,
	                                               false, w.time,   w.event, w.stratum};
	fit_path(&stratified,
	         &(struct rs_elastic_net_options){
			 .mixing = 1, .lambdas = lambdas, .lambda_count = 3, .threshold = 1e-22},
	         &path);
	hold("coefficient", path.coefficients, veteran_coefficients, RS_COUNT(veteran_coefficients), 1e-7);
	rs_elastic_net_path_finish(&path);
	const struct rs_elastic_net_data data = {&w.x, NULL, NULL, 0, false, w.time, w.event, NULL};
	fit_path(&data, &(struct rs_elastic_net_options){.mixing = 1, .threshold = 1e-20}, &path);
	assert_int_equal(path.count, (int)veteran_path[0]);
	near("largest lambda", path.lambdas[0], veteran_path[1], 1e-11);
	near("explained", path.explained[1], veteran_path[3], 1e-7);
	near("explained", path.explained[path.count - 1], veteran_path[4], 1e-7);
	rs_elastic_net_path_finish(&path);
	world_close(&w);
}

/* 438 columns of 201 subjects. Rows of the two tables are matched by SubjectID. */
static void many_columns_agree_with_glmnet(void **state)
{
	(void)state;
	static const double lambdas[] = {0.15, 0.08};
	struct world w = {.time = NULL};
	struct rs_csv y;
	struct rs_elastic_net_path path;
	const char *names[438];
	table_open("plgg/X_radiomic.csv", &y);
	for (size_t c = 0, n = 0; c < y.columns && n < 438; c++)
		if (strcmp(rs_csv_name(&y, c), "SubjectID") != 0 && strcmp(rs_csv_name(&y, c), "Cohort") != 0)
			names[n++] = rs_csv_name(&y, c);
	world_open(&w, "plgg/X_radiomic.csv", names, 438);
	rs_csv_finish(&y);
	table_open("plgg/y.csv", &y);
	double *time = column_of(&y, "Progression Free Survival");
	size_t event = rs_csv_column(&y, "Censorship"), id = rs_csv_column(&y, "SubjectID"),
	       own = rs_csv_column(&w.csv, "SubjectID");
	w.time = rs_allocate_array(w.x.rows, sizeof *w.time);
	for (size_t r = 0; r < w.x.rows; r++)
		for (size_t s = 0; s < y.rows; s++)
			if (strcmp(rs_csv_cell(&w.csv, r, own), rs_csv_cell(&y, s, id)) == 0) {
				w.time[r] = time[s];
				w.event[r] = strcmp(rs_csv_cell(&y, s, event), "True") == 0;
			}
	rs_free(time);
	rs_csv_finish(&y);
	const struct rs_elastic_net_data data = {&w.x, NULL, NULL, 0, false, w.time, w.event, NULL};
	fit_path(&data,
	         &(struct rs_elastic_net_options){
			 .mixing = 0.9, .lambdas = lambdas, .lambda_count = 2, .threshold = 1e-24},
	         &path);
	for (size_t l = 0, in = 0; l < 2; l++)
		for (size_t c = 0, k = 0; c < 438; c++) {
			bool listed = k < RS_COUNT(plgg_columns) && plgg_columns[k] == c;
			k += listed;
			near("coefficient", path.coefficients[l * 438 + c],
			     listed ? plgg_coefficients[in++] : 0, 1e-7);
		}
	rs_elastic_net_path_finish(&path);
	world_close(&w);
}

static void check_validation(const struct world *w, bool survival, const double *wanted)
{
	struct rs_elastic_net_path path;
	struct rs_elastic_net_validation validation, again;
	struct rs_pool *pool;
	struct rs_error err = {0};
	double lambdas[12];
	for (int i = 0; i < 12; i++)
		lambdas[i] = exp(log(0.4) + i * (log(0.004) - log(0.4)) / 11);
	const struct rs_elastic_net_options options = {
		.mixing = 1, .lambdas = lambdas, .lambda_count = 12, .threshold = 1e-18};
	const struct rs_elastic_net_data data = {.x = &w->x,
	                                         .labels = survival ? NULL : w->labels,
	                                         .classes = 2,
	                                         .time = w->time,
	                                         .event = w->event};
	assert_int_equal(rs_elastic_net_validate(&data, &options, w->fold, 5, NULL, &path, &validation, &err),
	                 RS_OK);
	for (size_t k = 0; k < 3; k++) {
		static const size_t at[] = {0, 5, 11};
		near("deviance", validation.deviance[at[k]], wanted[k], 1e-7);
		near("error", validation.error[at[k]], wanted[3 + k], 1e-6);
	}
	assert_int_equal(validation.best, (int)wanted[6]);
	assert_int_equal(validation.sparsest, (int)wanted[7]);
	rs_elastic_net_path_finish(&path);
	assert_int_equal(rs_pool_create(3, &pool, &err), RS_OK);
	assert_int_equal(rs_elastic_net_validate(&data, &options, w->fold, 5, pool, &path, &again, &err),
	                 RS_OK);
	assert_memory_equal(again.deviance, validation.deviance, 12 * sizeof(double));
	rs_pool_destroy(pool);
	rs_elastic_net_path_finish(&path);
	rs_elastic_net_validation_finish(&validation);
	rs_elastic_net_validation_finish(&again);
}

static void validation_is_that_of_glmnet(void **state)
{
	(void)state;
	struct world w;
	open_wdbc(&w);
	check_validation(&w, false, wdbc_validation);
	world_close(&w);
	open_veteran(&w);
	check_validation(&w, true, veteran_validation);
	world_close(&w);
}

/* 224 subjects of lung by their ECOG status, 0 … 3 (one subject). */
static void open_lung(struct world *w)
{
	static const char *const names[] = {"age", "sex", "pat.karno", "ph.ecog"};
	*w = (struct world){.time = NULL};
	world_open(w, "r_survival/lung.csv", names, 4);
	size_t rows = w->x.rows, taken = 0;
	for (size_t r = 0; r < rows; r++) {
		bool whole = true;
		for (size_t c = 0; c < 4; c++)
			whole = whole && !isnan(w->values[c * rows + r]);
		if (!whole)
			continue;
		for (size_t c = 0; c < 4; c++)
			w->values[c * rows + taken] = w->values[c * rows + r];
		w->labels[taken++] = (uint32_t)w->values[3 * rows + r];
	}
	for (size_t c = 1; c < 3; c++)
		memmove(&w->values[c * taken], &w->values[c * rows], taken * sizeof(double));
	w->x = (struct rs_matrix){taken, 3, w->values};
}

static double ordinal_loss(const struct world *w, const double *at, const double *b)
{
	double loss = 0, n = (double)w->x.rows;
	for (size_t r = 0; r < w->x.rows; r++) {
		double sum = 0;
		for (size_t c = 0; c < 3; c++)
			sum += b[c] * w->values[c * w->x.rows + r];
		double above = w->labels[r] < 3 ? 1 / (1 + exp(sum - at[w->labels[r]])) : 1;
		double below = w->labels[r] > 0 ? 1 / (1 + exp(sum - at[w->labels[r] - 1])) : 0;
		loss -= log(above - below) / n;
	}
	return loss;
}

static double deviation_of(const double *x, size_t n)
{
	double sum = 0, squares = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		squares += (x[i] - sum) * (x[i] - sum) / (double)n;
	return sqrt(squares);
}

/* Without a penalty as MASS has it; with one no small move in any direction makes what is to be small smaller. */
static void ranked_classes_are_those_of_polr(void **state)
{
	(void)state;
	static const double lambdas[] = {0.03, 0};
	struct world w;
	struct rs_elastic_net_path path;
	open_lung(&w);
	const struct rs_elastic_net_data data = {&w.x, NULL, w.labels, 4, false, NULL, NULL, NULL};
	fit_path(&data,
	         &(struct rs_elastic_net_options){
			 .mixing = 0.5, .lambdas = lambdas, .lambda_count = 2, .threshold = 1e-20},
	         &path);
	hold("coefficient", &path.coefficients[3], lung_ordinal, 3, 1e-5);
	hold("threshold", &path.at[3], &lung_ordinal[3], 3, 1e-5);
	double loss = ordinal_loss(&w, &path.at[3], &path.coefficients[3]), least = 0;
	near("deviance", 2 * loss * (double)w.x.rows, lung_ordinal[6], 1e-9);
	for (int turn = -1; turn < 12; turn++) {
		double b[3], at[3], sum = 0;
		memcpy(b, path.coefficients, sizeof b);
		memcpy(at, path.at, sizeof at);
		if (turn >= 0 && turn < 6)
			b[turn / 2] += turn % 2 ? 1e-4 : -1e-4;
		else if (turn >= 6)
			at[turn / 2 - 3] += turn % 2 ? 1e-3 : -1e-3;
		for (size_t c = 0; c < 3; c++) {
			double own = b[c] * deviation_of(&w.values[c * w.x.rows], w.x.rows);
			sum += 0.03 * (0.5 * fabs(own) + 0.25 * own * own);
		}
		sum += ordinal_loss(&w, at, b);
		assert_true(turn < 0 || sum > least);
		least = turn < 0 ? sum : least;
	}
	assert_true(path.coefficients[1] == 0 && path.coefficients[2] != 0);
	rs_elastic_net_path_finish(&path);
	world_close(&w);
}

struct small {
	double x[3 * 12], time[12];
	uint32_t labels[12];
	uint8_t event[12];
};

/* Columns: one that separates the classes, a copy of it, a constant. */
static void make_small(struct small *s)
{
	for (size_t r = 0; r < 12; r++) {
		s->x[r] = s->x[12 + r] = (double)r;
		s->x[24 + r] = 0.1;
		s->labels[r] = r >= 6;
		s->time[r] = 3;
		s->event[r] = r % 2 == 0;
	}
}

static enum rs_code fit_small(struct small *s, uint32_t classes, bool survival, double mixing,
                              struct rs_elastic_net_path *out, struct rs_error *err)
{
	const struct rs_matrix x = {12, 3, s->x};
	const struct rs_elastic_net_data data = {
		&x, NULL, survival ? NULL : s->labels, classes, false, s->time, s->event, NULL};
	return rs_elastic_net_fit(&data, &(struct rs_elastic_net_options){.mixing = mixing}, out, err);
}

static void small_worlds_are_defined(void **state)
{
	(void)state;
	struct small s;
	struct rs_elastic_net_path path;
	struct rs_error err;
	make_small(&s);
	assert_int_equal(fit_small(&s, 2, false, 1, &path, &err), RS_OK);
	const double *last = &path.coefficients[(path.count - 1) * 3];
	assert_true(path.explained[path.count - 1] > 0.99 && last[0] + last[1] > 0 && last[2] == 0);
	rs_elastic_net_path_finish(&path);
	assert_int_equal(fit_small(&s, 2, false, 0.5, &path, &err), RS_OK);
	last = &path.coefficients[(path.count - 1) * 3];
	assert_true(fabs(last[0] - last[1]) < 1e-2 * last[0]);
	rs_elastic_net_path_finish(&path);
	s.labels[0] = s.labels[11] = 3; /* of four classes, 2 has no rows */
	double shares[4], nothing[3] = {0};
	assert_int_equal(fit_small(&s, 4, false, 1, &path, &err), RS_OK);
	rs_elastic_net_classes(&path, 0, nothing, 1, shares);
	assert_true(fabs(shares[0] - 5 / 12.0) < 1e-9 && shares[2] == 0 && fabs(shares[3] - 2 / 12.0) < 1e-9);
	rs_elastic_net_path_finish(&path);
	assert_int_equal(fit_small(&s, 0, true, 1, &path, &err), RS_OK); /* all at once */
	rs_elastic_net_path_finish(&path);
	memset(s.labels, 0, sizeof s.labels);
	memset(s.event, 0, sizeof s.event);
	assert_int_equal(fit_small(&s, 2, false, 1, &path, &err), RS_NOT_FOUND);
	assert_int_equal(fit_small(&s, 0, true, 1, &path, &err), RS_NOT_FOUND);
	assert_int_equal(fit_small(&s, 2, false, 1.5, &path, &err), RS_USAGE);
	memset(s.x, 0, sizeof s.x);
	s.labels[3] = 1;
	assert_int_equal(fit_small(&s, 2, false, 1, &path, &err), RS_OK); /* nothing varies */
	assert_true(path.count == 1 && path.coefficients[0] == 0 && fabs(path.at[0] - log(11)) < 1e-9);
	rs_elastic_net_path_finish(&path);
	s.x[13] = NAN;
	assert_int_equal(fit_small(&s, 2, false, 1, &path, &err), RS_MALFORMED);
	assert_string_equal(err.message, "row 2, column 2: not a number");
}

int main(void)
{
	const struct CMUnitTest small[] = {cmocka_unit_test(small_worlds_are_defined)};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_worlds_are_defined),
		cmocka_unit_test(logistic_is_that_of_glmnet),
		cmocka_unit_test(cox_is_that_of_glmnet),
		cmocka_unit_test(many_columns_agree_with_glmnet),
		cmocka_unit_test(validation_is_that_of_glmnet),
		cmocka_unit_test(ranked_classes_are_those_of_polr),
	};
	const char *data = getenv("RADSEAL_DATA");
	return data && data[0] ? cmocka_run_group_tests(tests, NULL, NULL)
	                       : cmocka_run_group_tests(small, NULL, NULL);
}
