/* Scales and filled gaps against scikit-learn 1.9.1 on wdbc with holes: fitted to four fifths, applied to the rest. */
#include "numeric/numeric_reference.h"

#include "learn/learn_scale.h"

#define COLUMNS 30
#define ROWS_MAX 569

struct table {
	size_t rows;
	double x[COLUMNS * ROWS_MAX]; /* by column, then row */
};

/* Rows 0, 5, 10 … are for testing; every eleventh cell is a gap. */
static void read_tables(struct table *train, struct table *test)
{
	struct rs_csv csv;
	table_open("wdbc/wdbc.csv", &csv);
	train->rows = csv.rows - (csv.rows + 4) / 5;
	test->rows = (csv.rows + 4) / 5;
	for (size_t c = 0; c < COLUMNS; c++) {
		double *all = column_of(&csv, rs_csv_name(&csv, c));
		size_t at[2] = {0, 0};
		for (size_t i = 0; i < csv.rows; i++) {
			bool other = i % 5 == 0;
			struct table *to = other ? test : train;
			size_t row = at[other]++;
			to->x[c * to->rows + row] = (row * 7 + c * 13) % 11 == 0 ? NAN : all[i];
		}
		rs_free(all);
	}
	rs_csv_finish(&csv);
}

static struct table train, test;

static void scales_are_scikit_learns(void **state)
{
	(void)state;
	static const struct {
		enum rs_scaling scaling;
		double values[5], tolerance;
	} rows[] = {
		{RS_SCALE_DEVIATION,
	         {-0.48986324346399, -0.715835472680662, -0.182601034117132, 0.102536674121829,
	          2734.72018612737},
	         1e-12},
		{RS_SCALE_QUARTILES,
	         {-0.241545893719807, -0.401540359666505, 0.263951250801796, 0.31751737359214,
	          2292.14330192254},
	         1e-12},
		{RS_SCALE_RANGE,
	         {0.25883856311231, 0.145113796699589, 0.0480913264524709, 0.199724517906336,
	          272.084852944943},
	         1e-12},
		{RS_SCALE_POWER,
	         {-0.390556766087495, -0.722222056396062, 0.237311818481606, 0.386458336933577,
	          2880.6703153458},
	         1e-6}, /* its search ends at 1e-8 of the power */
	};
	static const size_t places[][2] = {{1, 0}, {2, 5}, {3, 13}, {100, 29}};
	static const double powers[][2] = {{0, 0.439813951474196},
	                                   {3, 0.0488701259433591},
	                                   {13, -1.0624384254961},
	                                   {19, -0.232119057043003}};
	static double work[ROWS_MAX];
	read_tables(&train, &test);
	for (size_t k = 0; k < RS_COUNT(rows); k++) {
		double found[5] = {0};
		for (size_t c = 0, power = 0; c < COLUMNS; c++) {
			struct rs_scale scale;
			rs_scale_fit(rows[k].scaling, train.x + c * train.rows, train.rows, work, &scale);
			for (size_t i = 0; i < test.rows; i++) {
				double value = rs_scale_apply(rows[k].scaling, &scale,
				                              test.x[c * test.rows + i]);
				found[4] += isnan(value) ? 0 : value * value;
				for (size_t v = 0; v < RS_COUNT(places); v++)
					found[v] = i == places[v][0] && c == places[v][1] ? value : found[v];
			}
			if (rows[k].scaling != RS_SCALE_POWER || power == RS_COUNT(powers) ||
			    powers[power][0] != (double)c)
				continue;
			near("power", scale.power, powers[power++][1], 1e-6);
		}
		for (size_t v = 0; v < 5; v++)
			near("scaled", found[v], rows[k].values[v], rows[k].tolerance);
	}
}

/* Cells of the tables as listed, and all filled ones in deviations. */
static void gaps_are_filled_as_by_scikit_learn(void **state)
{
	(void)state;
	static const double expected[2][5] = {
		{19.056, 13.704, 0.1974, 0.4956, 3577.03341462477},
		{19.522, 12.042, 0.1578, 0.3795, 899.481066516267},
	};
	static const size_t places[][2] = {{0, 0}, {11, 0}, {1, 6}, {2, 10}};
	static struct rs_near work[ROWS_MAX];
	struct rs_neighbours neighbours RS_CLEANUP(rs_neighbours_finish) = {0};
	read_tables(&train, &test);
	const struct rs_matrix x = {train.rows, COLUMNS, train.x};
	assert_int_equal(rs_neighbours_fit(&x, 5, &neighbours, NULL), RS_OK);
	for (int other = 0; other < 2; other++) {
		const struct table *table = other ? &test : &train;
		double found[5] = {0};
		for (size_t i = 0; i < table->rows; i++) {
			double row[COLUMNS];
			for (size_t c = 0; c < COLUMNS; c++)
				row[c] = table->x[c * table->rows + i];
			rs_neighbours_fill(&neighbours, row, work);
			for (size_t c = 0; c < COLUMNS; c++) {
				if (isnan(table->x[c * table->rows + i]))
					found[4] += row[c] * neighbours.weight[c];
				for (size_t v = 0; v < RS_COUNT(places); v++)
					found[v] = i == places[v][0] && c == places[v][1] ? row[c] : found[v];
			}
		}
		for (size_t v = 0; v < 5; v++)
			near("filled", found[v], expected[other][v], 1e-12);
	}
}

static void poor_columns_are_defined(void **state)
{
	(void)state;
	static const double columns[][4] = {{NAN, NAN, NAN, NAN},
	                                    {5, 5, NAN, 5},
	                                    {1e300, -1e300, 1e300, 0},
	                                    {0, 0, 0, 1e-300},
	                                    {7, NAN, NAN, NAN}};
	double work[4];
	for (size_t c = 0; c < RS_COUNT(columns); c++)
		for (int scaling = RS_SCALE_DEVIATION; scaling <= RS_SCALE_POWER; scaling++) {
			struct rs_scale scale;
			rs_scale_fit((enum rs_scaling)scaling, columns[c], 4, work, &scale);
			for (size_t i = 0; i < 4; i++)
				assert_true(isfinite(
					rs_scale_apply((enum rs_scaling)scaling, &scale, (double)i)));
			assert_true(isnan(rs_scale_apply((enum rs_scaling)scaling, &scale, NAN)));
		}
	/* No row shares a cell with the one to be filled, or none has it at all. */
	static const double x[] = {1, 2, 3, NAN, NAN, NAN, 4, 6, NAN};
	const struct rs_matrix matrix = {3, 3, x};
	struct rs_neighbours neighbours RS_CLEANUP(rs_neighbours_finish) = {0};
	struct rs_near near[3];
	double row[] = {NAN, 5, NAN};
	assert_int_equal(rs_neighbours_fit(&matrix, 2, &neighbours, NULL), RS_OK);
	rs_neighbours_fill(&neighbours, row, near);
	assert_true(row[0] == 2 && row[1] == 5 && row[2] == 5);
	double nothing[] = {1, NAN, 4};
	rs_neighbours_fill(&neighbours, nothing, near);
	assert_true(nothing[1] == 0);
}

int main(void)
{
	if (!data_is_here())
		return 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scales_are_scikit_learns),
		cmocka_unit_test(gaps_are_filled_as_by_scikit_learn),
		cmocka_unit_test(poor_columns_are_defined),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
