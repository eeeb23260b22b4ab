/* Inverses of index-to-point matrices, against those SimpleITK 2.5.7 shows (TransformPhysicalPointToContinuousIndex of
 * unit vectors): equal to the last bit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "filter/grid.h"

static const struct {
	double matrix[3][3], inverse[3][3];
} cases[] = {
	{{{0.95533648912560598, -0.44328030999200929, 0},
          {0.23641616532907164, 1.1464037869507273, -1.5},
          {0.17731212399680371, 0.85980284021304532, 2}},
         {{0.95533648912560554, 0.23641616532907153, 0.17731212399680366},
          {-0.19701347110755957, 0.50951279420032303, 0.38213459565024233},
          {-1.1102230246251566e-17, -0.23999999999999996, 0.32000000000000006}}},
	{{{0, 0, -3.2999999999999998}, {0.97699999999999998, 0, 0}, {0, -0.10000000000000001, 0}},
         {{0, 1.0235414534288636, 0}, {0, 0, -10}, {-0.30303030303030304, 6.7286243916676168e-17, 0}}},
	{{{0.4873046875, 0.0244140625, 0.13200000000000001},
          {-0.024560546874999999, 0.48764648437500002, 0.0069299999999999995},
          {-0.019458007812499997, -0.0020019531250000003, 3.2973599999999998}},
         {{2.0436723440705071, -0.10265161036792325, -0.081596602663178114},
          {0.10275825753514611, 2.0454867282817726, -0.008412582496795204},
          {0.012122276503598692, 0.00063613700394406388, 0.30278630512655214}}},
};

static void inverses_are_those_of_itk(void **state)
{
	(void)state;
	for (size_t c = 0; c < RS_COUNT(cases); c++) {
		double got[3][3];
		assert_true(invert3(cases[c].matrix, got));
		for (int i = 0; i < 3; i++)
			for (int j = 0; j < 3; j++)
				if (got[i][j] != cases[c].inverse[i][j])
					fail_msg("case %zu, %d %d: %.17g, expected %.17g", c, i, j, got[i][j],
					         cases[c].inverse[i][j]);
	}
}

/* Axes along those of space, however they run: plain reciprocals. */
static void diagonals_are_divided(void **state)
{
	(void)state;
	for (unsigned signs = 0; signs < 8; signs++) {
		const double spacing_mm[3] = {signs & 1 ? -0.977 : 0.977, signs & 2 ? -0.3 : 0.3,
		                              signs & 4 ? -3.3 : 3.3};
		const double matrix[3][3] = {
			{spacing_mm[0], 0, 0}, {0, spacing_mm[1], 0}, {0, 0, spacing_mm[2]}};
		double got[3][3];
		assert_true(invert3(matrix, got));
		for (int i = 0; i < 3; i++)
			for (int j = 0; j < 3; j++)
				assert_true(got[i][j] == (i == j ? 1 / spacing_mm[i] : 0));
	}
}

static void flat_matrices_have_none(void **state)
{
	(void)state;
	static const double flat[][3][3] = {{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}},
	                                    {{1, 0, 0}, {0, 1, 0}, {0, 0, 0}},
	                                    {{1, 2, 1}, {0, 1, 0}, {2, 0, 2}},
	                                    {{1, 0, NAN}, {0, 1, 0}, {0, 0, 1}},
	                                    {{INFINITY, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	for (size_t c = 0; c < RS_COUNT(flat); c++) {
		double got[3][3];
		assert_false(invert3(flat[c], got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inverses_are_those_of_itk),
		cmocka_unit_test(diagonals_are_divided),
		cmocka_unit_test(flat_matrices_have_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
