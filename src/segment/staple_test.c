/* Figures of SimpleITK 2.5.7's STAPLEImageFilter for the same four readers of a ball, each with errors of their own. */
#include "segment_test.h"

#include "segment/segment_staple.h"

enum { X = 20, Y = 18, Z = 10, READERS = 4 };

static void make_readers(struct rs_mask masks[READERS])
{
	static const struct {
		int centre, square;
		uint64_t wrong;
	} made[READERS] = {{9, 30, 60000000}, {10, 36, 200000000}, {11, 25, 20000000}, {9, 49, 400000000}};
	for (int r = 0; r < READERS; r++) {
		struct rs_stream stream = {(uint64_t)(40 + r)};
		masks[r] = test_mask(test_grid(X, Y, Z, 1, 1, 2));
		for (int i = 0; i < X * Y * Z; i++) {
			const int x = i % X - made[r].centre, y = i / X % Y - 9, z = i / X / Y - 5;
			const bool inside = x * x + y * y + 4 * z * z <= made[r].square;
			masks[r].labels[i] = inside != (rs_stream_next(&stream) >> 32 < made[r].wrong);
		}
	}
}

static void assert_near(double found, double expected)
{
	if (!(fabs(found - expected) < 1e-9))
		fail_msg("%.12f instead of %.12f", found, expected);
}

static void staple_is_that_of_itk(void **state)
{
	static const double sensitivity[READERS] = {0.780334706994, 0.909402990751, 0.600728415173,
	                                            0.903529435301},
			    specificity[READERS] = {0.984389356636, 0.954377800897, 0.995444635621,
	                                            0.833612394308};
	static const struct {
		int x;
		double p;
	} places[] = {
		{3, 0.00829529120841}, {5, 0.893448685582}, {14, 0.999992269788}, {17, 0.0360815758803}};
	struct rs_mask masks[READERS];
	struct rs_consensus found;
	double probability[X * Y * Z], sum = 0;
	(void)state;
	make_readers(masks);
	const struct rs_mask *const readers[READERS] = {&masks[0], &masks[1], &masks[2], &masks[3]};
	assert_int_equal(rs_masks_staple(readers, READERS, probability, &found, NULL), RS_OK);
	for (int r = 0; r < READERS; r++) {
		assert_near(found.sensitivity[r], sensitivity[r]);
		assert_near(found.specificity[r], specificity[r]);
	}
	for (size_t k = 0; k < RS_COUNT(places); k++)
		assert_near(probability[(5 * Y + 9) * X + places[k].x], places[k].p);
	for (int i = 0; i < X * Y * Z; i++)
		sum += probability[i];
	assert_true(fabs(sum - 463.96037374373) < 1e-6);
	/* A vote: shares, and what half of the readers or more is worth. */
	assert_int_equal(rs_masks_vote(readers, 3, probability, &found, NULL), RS_OK);
	uint64_t inside = 0, first = 0;
	for (int i = 0; i < X * Y * Z; i++) {
		const int votes = (int)(masks[0].labels[i] + masks[1].labels[i] + masks[2].labels[i]);
		assert_near(probability[i], votes / 3.0);
		inside += votes >= 2;
		first += votes >= 2 && masks[0].labels[i];
	}
	assert_near(found.sensitivity[0], (double)first / (double)inside);
	for (int r = 0; r < READERS; r++)
		rs_mask_finish(&masks[r]);
}

static void refusals_say_why(void **state)
{
	struct rs_mask a = test_mask(test_grid(3, 3, 3, 1, 1, 1)), b = test_mask(test_grid(3, 3, 4, 1, 1, 1));
	const struct rs_mask *const same[] = {&a, &a}, *const other[] = {&a, &b};
	double probability[36];
	struct rs_consensus found;
	struct rs_error err;
	(void)state;
	assert_int_equal(rs_masks_staple(same, 2, probability, &found, &err), RS_NOT_FOUND);
	assert_int_equal(rs_masks_staple(same, 1, probability, &found, &err), RS_USAGE);
	assert_int_equal(rs_masks_staple(other, 2, probability, &found, &err), RS_USAGE);
	assert_non_null(strstr(err.message, "mask 2"));
	rs_mask_finish(&a);
	rs_mask_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(staple_is_that_of_itk),
	                                   cmocka_unit_test(refusals_say_why)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
