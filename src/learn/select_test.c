/* Selections on wdbc against Python's mrmr_selection 0.2.8 and pymrmr 0.1.11, R's caret 6.0-93 and stats 4.2. */
#include "numeric/numeric_reference.h"

#include "learn/learn_select.h"
#include "numeric/numeric_distribution.h"

#define COLUMNS 30
#define ROWS 569

static double cells[COLUMNS * ROWS];
static uint8_t malignant[ROWS];
static const struct rs_matrix wdbc = {ROWS, COLUMNS, cells};

static void read_wdbc(void)
{
	struct rs_csv csv;
	table_open("wdbc/wdbc.csv", &csv);
	assert_int_equal(csv.rows, ROWS);
	for (size_t c = 0; c <= COLUMNS; c++) {
		double *all = column_of(&csv, rs_csv_name(&csv, c));
		for (size_t i = 0; i < ROWS; i++) {
			if (c == COLUMNS)
				malignant[i] = all[i] == 1;
			else
				cells[c * ROWS + i] = all[i];
		}
		rs_free(all);
	}
	rs_csv_finish(&csv);
}

/* F of two groups. */
static double relevance_of(const double *x)
{
	double sum[2] = {0, 0}, count[2] = {0, 0}, within = 0;
	for (size_t i = 0; i < ROWS; i++) {
		sum[malignant[i]] += x[i];
		count[malignant[i]]++;
	}
	double mean[2] = {sum[0] / count[0], sum[1] / count[1]};
	for (size_t i = 0; i < ROWS; i++)
		within += (x[i] - mean[malignant[i]]) * (x[i] - mean[malignant[i]]);
	double between = (mean[0] - mean[1]) * (mean[0] - mean[1]) * count[0] * count[1] / ROWS;
	return between / (within / (ROWS - 2));
}

static void order_is_that_of_python(void **state)
{
	(void)state;
	static const uint8_t expected[3][COLUMNS] = {
		{27, 22, 7,  20, 2,  23, 0,  6, 26, 3,  25, 5,  21, 10, 12,
	         24, 13, 28, 1,  17, 4,  29, 8, 15, 16, 14, 19, 9,  11, 18},
		{22, 24, 27, 13, 21, 7, 20, 26, 28, 6,  0,  10, 1,  23, 25,
	         17, 2,  4,  12, 3,  5, 18, 16, 8,  29, 11, 14, 19, 9,  15},
		{22, 24, 1, 27, 10, 26, 0,  7, 28, 13, 20, 6,  21, 23, 25,
	         17, 2,  4, 12, 3,  5,  16, 8, 29, 15, 19, 18, 11, 14, 9},
	};
	double relevance[COLUMNS];
	uint32_t labels[ROWS];
	size_t order[COLUMNS], count;
	read_wdbc();
	for (size_t i = 0; i < ROWS; i++)
		labels[i] = malignant[i];
	for (size_t c = 0; c < COLUMNS; c++)
		relevance[c] = relevance_of(cells + c * ROWS);
	for (int kind = 0; kind < 3; kind++) {
		enum rs_code code = kind == 0 ? rs_mrmr_correlation(&wdbc, relevance, COLUMNS, order, &count,
		                                                    NULL)
		                              : rs_mrmr_information(&wdbc, labels, 2, kind == 2, COLUMNS,
		                                                    order, &count, NULL);
		assert_int_equal(code, RS_OK);
		assert_int_equal(count, COLUMNS);
		for (size_t k = 0; k < count; k++)
			if (order[k] != expected[kind][k])
				fail_msg("kind %d, place %zu: column %zu, not %d", kind, k, order[k],
				         expected[kind][k]);
	}
	relevance[27] = relevance[22] = NAN;
	relevance[7] = 0;
	assert_int_equal(rs_mrmr_correlation(&wdbc, relevance, 2, order, &count, NULL), RS_OK);
	assert_true(count == 2 && order[0] == 20);
}

static void kept_pairs_are_carets(void **state)
{
	(void)state;
	static const struct {
		double most;
		uint32_t kept; /* bit by column */
	} rows[] = {
		{0.95, 0x3f2fcffa},
		{0.9, 0x3f2fcf38},
		{0.75, 0x312d4d08},
		{0.5, 0x110c480a},
	};
	bool keep[COLUMNS];
	read_wdbc();
	for (size_t k = 0; k < RS_COUNT(rows); k++) {
		uint32_t kept = 0;
		assert_int_equal(rs_uncorrelated(&wdbc, rows[k].most, keep, NULL), RS_OK);
		for (size_t c = 0; c < COLUMNS; c++)
			kept |= keep[c] ? 1u << c : 0;
		if (kept != rows[k].kept)
			fail_msg("%g: %08x, not %08x", rows[k].most, kept, rows[k].kept);
	}
}

/* R: wilcox.test of the outcome; kruskal.test of row % 3 + 2 outcome, and of a column of two values. */
static void tests_by_rank_are_rs(void **state)
{
	(void)state;
	static const struct {
		size_t column;
		double two, five;
	} rows[] = {
		{0, 2.69294277279662e-68, 5.83404897422863e-39},
		{11, 0.643692701025966, 0.686775146954639},
		{14, 0.213631633200463, 0.499785490935942},
		{19, 1.57216535099256e-06, 0.00128236764911676},
	};
	static struct rs_ranked work[ROWS];
	static uint8_t groups[ROWS];
	static double flags[ROWS];
	read_wdbc();
	for (size_t i = 0; i < ROWS; i++)
		groups[i] = (uint8_t)(i % 3 + 2u * malignant[i]);
	for (size_t k = 0; k < RS_COUNT(rows); k++) {
		const double *x = cells + rows[k].column * ROWS;
		near("two", log(rs_rank_test(x, malignant, 2, ROWS, work)), log(rows[k].two), 1e-11);
		near("five", log(rs_rank_test(x, groups, 5, ROWS, work)), log(rows[k].five), 1e-11);
	}
	for (size_t i = 0; i < ROWS; i++) {
		flags[i] = cells[11 * ROWS + i] > 1.2;
		groups[i] = (uint8_t)(i % 4 + (cells[19 * ROWS + i] > 0.003));
	}
	double p = rs_rank_test(flags, groups, 5, ROWS, work); /* chisq.test has 7.66034662465411 */
	near("flags", p, 0.105404058274832, 1e-12);
	near("chi square", p, rs_chi_square_upper(7.66034662465411 * (ROWS - 1) / ROWS, 4), 1e-12);
	for (size_t i = 0; i < ROWS; i++)
		flags[i] = 4;
	assert_true(rs_rank_test(flags, malignant, 2, ROWS, work) == 1);
}

static void discoveries_are_rs(void **state)
{
	(void)state;
	double p[] = {.9, .008, .041, .039, .042, .06, .074, .205, .212, .216, .001, .0001};
	static const double expected[] = {0.9,
	                                  0.032,
	                                  0.084,
	                                  0.084,
	                                  0.084,
	                                  0.102857142857143,
	                                  0.111,
	                                  0.235636363636364,
	                                  0.235636363636364,
	                                  0.235636363636364,
	                                  0.006,
	                                  0.0012};
	size_t order[2 * RS_COUNT(p)];
	rs_false_discovery(p, RS_COUNT(p), order);
	for (size_t i = 0; i < RS_COUNT(p); i++)
		near("p.adjust", p[i], expected[i], 1e-14);
}

int main(void)
{
	if (!data_is_here())
		return 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_that_of_python),
		cmocka_unit_test(kept_pairs_are_carets),
		cmocka_unit_test(tests_by_rank_are_rs),
		cmocka_unit_test(discoveries_are_rs),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
