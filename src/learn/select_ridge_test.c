/* Recursive elimination against scikit-learn's RFE (wdbc.json); the coefficients it goes by against scikit-learn's
 * LogisticRegression and R's coxph with ridge(), over columns and over rows. */
#include "numeric/numeric_reference.h"

#include "learn/learn_select.h"

#define COLUMNS 30
#define ROWS 455

struct table {
	size_t rows, columns;
	double x[COLUMNS * ROWS]; /* mean 0, deviation 1 */
	uint8_t outcome[ROWS];
	double time[ROWS];
};

static void standardise(struct table *t)
{
	for (size_t c = 0; c < t->columns; c++) {
		double sum = 0, squares = 0, n = (double)t->rows, *x = t->x + c * t->rows;
		for (size_t i = 0; i < t->rows; i++)
			sum += x[i];
		for (size_t i = 0; i < t->rows; i++)
			squares += (x[i] - sum / n) * (x[i] - sum / n);
		for (size_t i = 0; i < t->rows; i++)
			x[i] = (x[i] - sum / n) / sqrt(squares / n);
	}
}

/* Four fifths of wdbc. */
static void read_wdbc(struct table *t)
{
	struct rs_csv csv;
	table_open("wdbc/wdbc.csv", &csv);
	t->rows = ROWS;
	t->columns = COLUMNS;
	for (size_t c = 0; c <= COLUMNS; c++) {
		double *all = column_of(&csv, rs_csv_name(&csv, c));
		for (size_t i = 0, row = 0; i < csv.rows; i++) {
			if (i % 5 == 0)
				continue;
			if (c == COLUMNS)
				t->outcome[row++] = all[i] == 1;
			else
				t->x[c * ROWS + row++] = all[i];
		}
		rs_free(all);
	}
	rs_csv_finish(&csv);
	standardise(t);
}

/* Four columns of lung, rows without gaps. */
static void read_lung(struct table *t)
{
	static const char *const names[] = {"age", "sex", "ph.ecog", "wt.loss", "time", "status"};
	double *all[RS_COUNT(names)];
	struct rs_csv csv;
	table_open("r_survival/lung.csv", &csv);
	*t = (struct table){.columns = 4};
	for (size_t k = 0; k < RS_COUNT(names); k++)
		all[k] = column_of(&csv, names[k]);
	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0, row = 0; i < csv.rows; i++) {
			if (isnan(all[0][i] + all[1][i] + all[2][i] + all[3][i]))
				continue;
			for (size_t c = 0; c < 4 && turn == 1; c++)
				t->x[c * t->rows + row] = all[c][i];
			t->time[row] = all[4][i];
			t->outcome[row++] = all[5][i] == 2;
			t->rows = turn == 0 ? row : t->rows;
		}
	for (size_t k = 0; k < RS_COUNT(names); k++)
		rs_free(all[k]);
	rs_csv_finish(&csv);
	standardise(t);
}

/* Each column `copies` times, scaled so that the copies together are worth one: with many of them there are more columns
 * than rows, and what they matter sums up to the same. */
static void importance(const struct table *t, double penalty, size_t copies, double *out)
{
	size_t columns = t->columns * copies;
	double *x = rs_allocate_array(t->rows, columns * sizeof *x),
	       *each = rs_allocate_array(columns, sizeof *each);
	size_t *all = rs_allocate_array(columns, sizeof *all);
	for (size_t c = 0; c < columns; c++) {
		all[c] = c;
		for (size_t i = 0; i < t->rows; i++)
			x[c * t->rows + i] = t->x[c / copies * t->rows + i] / sqrt((double)copies);
	}
	const struct rs_matrix matrix = {t->rows, columns, x};
	struct rs_ridge *ridge = NULL;
	assert_int_equal(
		rs_ridge_create(&matrix, t->outcome, t->time[0] > 0 ? t->time : NULL, penalty, &ridge, NULL),
		RS_OK);
	assert_int_equal(rs_ridge_importance(ridge, all, columns, each, NULL), RS_OK);
	for (size_t c = 0; c < columns; c++)
		out[c / copies] = (c % copies ? out[c / copies] : 0) + each[c];
	rs_ridge_destroy(ridge);
	rs_free(all);
	rs_free(each);
	rs_free(x);
}

static void coefficients_are_those_of_others(void **state)
{
	(void)state;
	static const double all[] = {0.1312698335,  0.366633866996, 0.139046801138,
	                             0.22654632985, 0.146340951162, 0.183219282697};
	static const double few[] = {0.0675706931936, 0.210797963286,    0.0696400301561,
	                             0.0622440535415, 9.48313322238e-07, 0.0509603099557};
	static const double cox[2][4] = {
		{0.0148868325859, 0.0823989765074, 0.132895824859, 0.0132579442898},
		{0.0103683468745, 0.0420327704534, 0.0655085258892, 0.00333753265446},
	};
	static struct table t, head;
	double found[COLUMNS];
	read_wdbc(&t);
	for (size_t copies = 1; copies <= 20; copies += 19) {
		importance(&t, 1, copies, found);
		for (size_t c = 0; c < RS_COUNT(all); c++)
			near("wdbc", found[c], all[c], 1e-5);
	}
	head = (struct table){.rows = 25, .columns = COLUMNS};
	for (size_t k = 0; k < 25 * COLUMNS; k++)
		head.x[k] = t.x[k / 25 * ROWS + k % 25];
	for (size_t i = 0; i < 25; i++)
		head.outcome[i] = t.outcome[i];
	importance(&head, 1, 1, found);
	for (size_t c = 0; c < RS_COUNT(few); c++)
		near("25 rows", found[c], few[c], 1e-5);
	read_lung(&t);
	assert_int_equal(t.rows, 213);
	for (size_t k = 0; k < 4; k++) {
		importance(&t, k % 2 ? 50 : 1, k / 2 ? 60 : 1, found);
		for (size_t c = 0; c < 4; c++)
			near("lung", found[c], cox[k % 2][c], 1e-4);
	}
}

static void ranks_are_scikit_learns(void **state)
{
	(void)state;
	static struct table t;
	size_t order[COLUMNS];
	struct rs_ridge *ridge = NULL;
	char path[32];
	read_wdbc(&t);
	json_t *root = reference_open("wdbc.json");
	const struct rs_matrix x = {ROWS, COLUMNS, t.x};
	assert_int_equal(rs_ridge_create(&x, t.outcome, NULL, 1, &ridge, NULL), RS_OK);
	assert_int_equal(rs_eliminate(COLUMNS, 1, 0, rs_ridge_importance, ridge, order, NULL), RS_OK);
	for (size_t k = 0; k < COLUMNS; k++) {
		snprintf(path, sizeof path, "rfe_lr_ranking_1best/%zu", order[k]);
		agrees(root, path, (double)k + 1, 0);
	}
	rs_ridge_destroy(ridge);
	json_decref(root);
}

/* Products kept while columns go are those of what is left; halves go at once. */
static void what_is_kept_does_not_drift(void **state)
{
	(void)state;
	static struct table t;
	size_t order[COLUMNS], all[COLUMNS];
	double kept[COLUMNS], fresh[COLUMNS];
	struct rs_ridge *ridge = NULL, *other = NULL;
	read_wdbc(&t);
	const struct rs_matrix x = {20, COLUMNS, t.x}; /* other columns, but numbers all the same */
	for (size_t i = 0; i < 20; i++)
		t.outcome[i] = i % 2;
	assert_int_equal(rs_ridge_create(&x, t.outcome, NULL, 1, &ridge, NULL), RS_OK);
	assert_int_equal(rs_ridge_create(&x, t.outcome, NULL, 1, &other, NULL), RS_OK);
	for (size_t c = 0; c < COLUMNS; c++)
		all[c] = c;
	assert_int_equal(rs_ridge_importance(ridge, all, COLUMNS, kept, NULL), RS_OK);
	assert_int_equal(rs_ridge_importance(ridge, all + 3, 24, kept, NULL), RS_OK);
	assert_int_equal(rs_ridge_importance(other, all + 3, 24, fresh, NULL), RS_OK);
	for (size_t c = 0; c < 24; c++)
		near("kept", kept[c], fresh[c], 1e-9);
	assert_int_equal(rs_eliminate(COLUMNS, 5, 0.5, rs_ridge_importance, ridge, order, NULL), RS_OK);
	bool seen[COLUMNS] = {false};
	for (size_t k = 0; k < COLUMNS; k++)
		seen[order[k]] = true;
	for (size_t c = 0; c < COLUMNS; c++)
		assert_true(seen[c]);
	assert_true(order[0] < order[1] && order[3] < order[4]);
	rs_ridge_destroy(ridge);
	rs_ridge_destroy(other);
}

int main(void)
{
	if (!data_is_here())
		return 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coefficients_are_those_of_others),
		cmocka_unit_test(ranks_are_scikit_learns),
		cmocka_unit_test(what_is_kept_does_not_drift),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
