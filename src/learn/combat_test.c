/* ComBat against what neuroCombat (R) and sva made of the same 200 columns of 2 x 5 rows, with gaps and other
 * batches too. */
#include "numeric/numeric_reference.h"

#include "learn/learn_combat.h"

#define COLUMNS 200
#define ROWS 10

struct cells {
	double x[COLUMNS * ROWS]; /* by column, then row */
};

/* The files have our rows as columns; some of them no header. */
static void table_read(const char *name, size_t rows, double *out)
{
	char path[128];
	struct rs_csv csv;
	struct rs_buffer file;
	struct rs_error err;
	snprintf(path, sizeof path, "prognosis/%s", name);
	char *full = rs_text_printf("%s/%s", getenv("RADSEAL_DATA"), path);
	if (rs_file_read_all(rs_world_system(), full, 1 << 24, &file, &err) != RS_OK ||
	    rs_csv_parse(rs_buffer_bytes(&file), &csv, &err) != RS_OK)
		fail_msg("%s: %s", path, err.message);
	size_t before = COLUMNS - csv.rows; /* 1 where the first line is no header */
	assert_true(before <= 1 && csv.columns >= rows);
	for (size_t c = 0; c < COLUMNS; c++)
		for (size_t i = 0; i < rows; i++) {
			const char *cell = c < before ? rs_csv_name(&csv, i)
			                              : rs_csv_cell(&csv, c - before, i);
			assert_true(rs_parse_f64(rs_str_from(cell), &out[c * rows + i]));
		}
	rs_csv_finish(&csv);
	rs_buffer_finish(&file);
	rs_free(full);
}

struct world {
	const uint32_t *batch;
	uint32_t batches;
	const double *covariates;
	size_t covariate_count;
	struct rs_combat_options options;
};

/* Fits to all rows and applies to all. */
static void harmonise(const struct cells *in, const struct world *w, struct cells *out)
{
	struct rs_combat combat RS_CLEANUP(rs_combat_finish) = {0};
	struct rs_error err;
	const struct rs_combat_data data = {.x = {ROWS, COLUMNS, in->x},
	                                    .batch = w->batch,
	                                    .batches = w->batches,
	                                    .covariates = {ROWS, w->covariate_count, w->covariates}};
	if (rs_combat_fit(&data, &w->options, &combat, &err) != RS_OK)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < ROWS; i++) {
		double row[COLUMNS], covariates[4];
		for (size_t c = 0; c < COLUMNS; c++)
			row[c] = in->x[c * ROWS + i];
		for (size_t k = 0; k < w->covariate_count; k++)
			covariates[k] = w->covariates[k * ROWS + i];
		rs_combat_apply(&combat, w->batch[i], covariates, row, NULL, 1);
		for (size_t c = 0; c < COLUMNS; c++)
			out->x[c * ROWS + i] = row[c];
	}
}

static void same_cells(const char *name, const double *found, const double *expected, size_t count,
                       double tolerance)
{
	for (size_t k = 0; k < count; k++)
		if (!(fabs(found[k] - expected[k]) <= tolerance * fmax(1, fabs(expected[k]))))
			fail_msg("%s, cell %zu: %.15g, the reference has %.15g", name, k, found[k],
			         expected[k]);
}

static const uint32_t halves[ROWS] = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
static const double phenotype[ROWS] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 0};

/* All 32 combinations of prior, covariate, shrinking, means only, reference. */
static void tables_are_neurocombats(void **state)
{
	(void)state;
	static struct cells in, out, expected;
	table_read("combat/input/testdata.csv", ROWS, in.x);
	for (unsigned set = 0; set < 34; set++) {
		bool normal = set & 1, adjusted = set & 2, none = set & 4, mean = set & 8,
		     reference = set & 16;
		char name[160];
		struct world world = {halves, 2, phenotype, adjusted ? 1 : 0, {0}};
		world.options.prior = none     ? RS_COMBAT_NONE
		                      : normal ? RS_COMBAT_PARAMETRIC
		                               : RS_COMBAT_NON_PARAMETRIC;
		world.options.mean_only = mean;
		world.options.reference = reference ? 0 : RS_COMBAT_NO_REFERENCE;
		snprintf(name, sizeof name,
		         "combat/output/testdata_combat_%sparametric_%sadjusted%s%s%s_r.csv",
		         normal ? "" : "non", adjusted ? "" : "un", none ? "_noeb" : "",
		         mean ? "_meanonly" : "", reference ? "_batchref" : "");
		if (set >= 32) { /* sva's own, parametric */
			snprintf(name, sizeof name, "reference/combat_sva_%sadj.csv", set == 32 ? "" : "un");
			world = (struct world){halves, 2, phenotype, set == 32, {0}};
			world.options.reference = RS_COMBAT_NO_REFERENCE;
		}
		table_read(name, ROWS, expected.x);
		harmonise(&in, &world, &out);
		same_cells(name, out.x, expected.x, COLUMNS * ROWS, 1e-11);
	}
}

/* sva's tables, and neuroCombatFromTraining, which takes the mean for covariates that test rows do not have. */
static void rows_without_covariates_count_as_average(void **state)
{
	(void)state;
	static struct cells in, expected;
	static const size_t rows[] = {0, 1, 5, 6};
	struct rs_combat combat RS_CLEANUP(rs_combat_finish) = {0};
	const struct rs_combat_options options = {.reference = RS_COMBAT_NO_REFERENCE};
	table_read("combat/input/testdata.csv", ROWS, in.x);
	const struct rs_combat_data data = {{ROWS, COLUMNS, in.x}, halves, 2, {ROWS, 1, phenotype}};
	assert_int_equal(rs_combat_fit(&data, &options, &combat, NULL), RS_OK);
	table_read("combat/output/training_test_scenario2_r.csv", RS_COUNT(rows), expected.x);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		double row[COLUMNS], want[COLUMNS];
		for (size_t c = 0; c < COLUMNS; c++) {
			row[c] = in.x[c * ROWS + rows[i]];
			want[c] = expected.x[c * RS_COUNT(rows) + i];
		}
		rs_combat_apply(&combat, rows[i] >= 5, NULL, row, NULL, 1);
		same_cells("scenario 2", row, want, COLUMNS, 1e-11);
	}
}

static void make_gaps(struct cells *cells)
{
	for (size_t c = 0; c < COLUMNS; c++)
		for (size_t i = 0; i < ROWS; i++)
			if ((c * 7 + i * 3) % 17 == 0)
				cells->x[c * ROWS + i] = NAN;
}

/* R's sva 3.46 on the same cells: gaps, three batches, covariates, a batch of one row. Four cells and the squares. */
static void values_are_svas(void **state)
{
	(void)state;
	static const uint32_t thirds[ROWS] = {0, 1, 0, 1, 0, 1, 2, 2, 2, 0};
	static const uint32_t single[ROWS] = {0, 0, 0, 0, 0, 1, 1, 1, 1, 2};
	static const double people[2 * ROWS] = {40, 61, 55, 38, 70, 66, 52, 47, 59, 63,
	                                        0,  1,  1,  0,  1,  0,  0,  1,  0,  1};
	static const struct {
		bool gaps;
		struct world world;
		double values[5];
	} rows[] = {
		{true,
	         {halves, 2, phenotype, 1, {RS_COMBAT_PARAMETRIC, false, RS_COMBAT_NO_REFERENCE}},
	         {6.27372072166463, 3.93088043742986, 3.22342157857691, 5.58497782237385, 67403.5274482114}},
		{true,
	         {halves, 2, NULL, 0, {RS_COMBAT_NON_PARAMETRIC, false, RS_COMBAT_NO_REFERENCE}},
	         {6.275947458568, 2.84751519125288, 3.84345175470174, 6.49809760399227, 67170.8345341818}},
		{true,
	         {halves, 2, phenotype, 1, {RS_COMBAT_PARAMETRIC, false, 1}},
	         {9.62227468833747, 9.85299117181087, 7.43658533145663, 9.33265049548614, 187698.317932948}},
		{false,
	         {thirds, 3, people, 2, {RS_COMBAT_PARAMETRIC, false, RS_COMBAT_NO_REFERENCE}},
	         {3.75456602002131, 3.43684669294875, 1.99472664777499, 8.86404269345327, 77374.9379932634}},
		{false,
	         {thirds, 3, people, 1, {RS_COMBAT_NON_PARAMETRIC, false, 2}},
	         {8.00938815019181, 9.50369144420582, 7.43658533145663, 13.8302757061291, 253816.275924365}},
		{false,
	         {single, 3, NULL, 0, {RS_COMBAT_PARAMETRIC, false, RS_COMBAT_NO_REFERENCE}},
	         {6.28843720345834, 2.81513149739132, 2.65084424433357, 7.01181963876934, 72215.6279932103}},
	};
	static const size_t places[][2] = {{1, 0}, {7, 3}, {119, 7}, {199, 9}};
	static struct cells in, out;
	for (size_t k = 0; k < RS_COUNT(rows); k++) {
		double found[5] = {0};
		table_read("combat/input/testdata.csv", ROWS, in.x);
		if (rows[k].gaps)
			make_gaps(&in);
		harmonise(&in, &rows[k].world, &out);
		for (size_t v = 0; v < 4; v++)
			found[v] = out.x[places[v][0] * ROWS + places[v][1]];
		for (size_t c = 0; c < COLUMNS * ROWS; c++) {
			assert_int_equal(isnan(out.x[c]), isnan(in.x[c]));
			found[4] += isnan(out.x[c]) ? 0 : out.x[c] * out.x[c];
		}
		char name[32];
		snprintf(name, sizeof name, "sva %zu", k);
		same_cells(name, found, rows[k].values, 5, 1e-12);
	}
}

/* Columns of which nothing can be said stay; what cannot be fitted at all is refused. */
static void poor_data_is_defined(void **state)
{
	(void)state;
	static struct cells in, out;
	struct world world = {halves, 2, NULL, 0, {.reference = RS_COMBAT_NO_REFERENCE}};
	struct rs_combat combat;
	struct rs_error err;
	table_read("combat/input/testdata.csv", ROWS, in.x);
	for (size_t i = 0; i < ROWS; i++) {
		in.x[4 * ROWS + i] = i < 5 ? 3 : in.x[4 * ROWS + i];   /* constant in a batch */
		in.x[5 * ROWS + i] = i < 5 ? NAN : in.x[5 * ROWS + i]; /* absent from a batch */
		in.x[6 * ROWS + i] = 1;
	}
	harmonise(&in, &world, &out);
	for (size_t k = 4 * ROWS; k < 7 * ROWS; k++)
		assert_true(out.x[k] == in.x[k] || (isnan(out.x[k]) && isnan(in.x[k])));
	assert_true(out.x[0] != in.x[0]);
	double told[ROWS];
	for (size_t i = 0; i < ROWS; i++)
		told[i] = halves[i];
	struct rs_combat_data data = {{ROWS, COLUMNS, in.x}, halves, 2, {ROWS, 1, told}};
	assert_int_equal(rs_combat_fit(&data, &world.options, &combat, &err), RS_REFUSED);
	data.covariates.columns = 0;
	data.batches = 3;
	assert_int_equal(rs_combat_fit(&data, &world.options, &combat, &err), RS_USAGE);
	assert_string_equal(err.message, "batch 2 has no row");
	data.x.columns = 1; /* nothing to learn from: as without a prior */
	data.batches = 2;
	double shift[2];
	for (int prior = RS_COMBAT_PARAMETRIC; prior <= RS_COMBAT_NONE; prior += 2) {
		world.options.prior = (enum rs_combat_prior)prior;
		assert_int_equal(rs_combat_fit(&data, &world.options, &combat, &err), RS_OK);
		shift[prior / 2] = combat.shift[0];
		rs_combat_finish(&combat);
	}
	assert_true(shift[0] == shift[1] && isfinite(shift[0]));
}

int main(void)
{
	if (!data_is_here())
		return 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_neurocombats),
		cmocka_unit_test(rows_without_covariates_count_as_average),
		cmocka_unit_test(values_are_svas),
		cmocka_unit_test(poor_data_is_defined),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
