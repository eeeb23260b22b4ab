/* Every tiny image against the definitions of the matrices, and the formulas against their definitions over dense
 * matrices. Nothing here is how the library does it: all pairs of voxels, all cells, dense eigenvalues. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "numeric/numeric.h"
#include "numeric/numeric_dense.h"
#include "radiomics/texture.h"

#define VOXELS_MAX 12
#define LEVELS 4
#define SIZES (VOXELS_MAX + 2)

struct world {
	size_t size[3], count;
	uint32_t level[VOXELS_MAX]; /* 0: outside */
	struct grid grid;
	struct offset *offsets;
	size_t offset_count;
};

static unsigned long world_number;

static void world_begin(struct world *w, unsigned long number, unsigned values)
{
	struct rs_error err;
	uint8_t inside[VOXELS_MAX] = {0};
	uint32_t listed[VOXELS_MAX];
	struct region region = {.inside = inside};
	struct levels levels = {.of_voxel = listed, .level_count = values - 1};
	static const unsigned one[] = {1};
	world_number = number;
	for (size_t i = 0; i < w->count; i++, number /= values) {
		w->level[i] = (uint32_t)(number % values);
		inside[i] = w->level[i] > 0;
		if (inside[i])
			listed[region.count++] = w->level[i];
	}
	memcpy(region.size, w->size, sizeof region.size);
	assert_int_equal(grid_build(&region, &levels, 1, NULL, &w->grid, &err), RS_OK);
	assert_int_equal(offsets_list(one, 1, w->size, 3, &w->offsets, &w->offset_count, &err), RS_OK);
}

static void world_end(struct world *w)
{
	grid_finish(&w->grid);
	rs_free(w->offsets);
}

/* The voxel at `steps` times d from voxel v, or -1 outside of the box. */
static int voxel_from(const struct world *w, int v, struct offset d, int steps)
{
	int at[3] = {v % (int)w->size[0], v / (int)w->size[0] % (int)w->size[1],
	             v / (int)w->size[0] / (int)w->size[1]};
	for (int a = 0; a < 3; a++) {
		at[a] += steps * d.at[a];
		if (at[a] < 0 || at[a] >= (int)w->size[a])
			return -1;
	}
	return (at[2] * (int)w->size[1] + at[1]) * (int)w->size[0] + at[0];
}

static uint32_t level_from(const struct world *w, int v, struct offset d, int steps)
{
	int other = voxel_from(w, v, d, steps);
	return other < 0 ? 0 : w->level[other];
}

static bool neighbours(const struct world *w, int a, int b)
{
	for (size_t k = 0; k < w->offset_count && a != b; k++)
		if (voxel_from(w, a, w->offsets[k], 1) == b || voxel_from(w, a, w->offsets[k], -1) == b)
			return true;
	return false;
}

static void same_matrix(const char *what, struct tally *tally, double want[LEVELS][SIZES])
{
	struct matrix matrix = {0};
	struct rs_error err;
	size_t cells = 0;
	assert_int_equal(tally_take(tally, &matrix, &err), RS_OK);
	for (size_t i = 0; i < LEVELS; i++)
		for (size_t j = 0; j < SIZES; j++)
			cells += want[i][j] > 0;
	if (cells != matrix.count)
		fail_msg("world %lu: %s has %zu cells, by definition %zu", world_number, what, matrix.count,
		         cells);
	for (size_t c = 0; c < matrix.count; c++) {
		const struct cell *cell = &matrix.cells[c];
		if (fabs(cell->n - want[cell->i][cell->j]) > 0)
			fail_msg("world %lu: %s(%u, %u) is %g, by definition %g", world_number, what, cell->i,
			         cell->j, cell->n, want[cell->i][cell->j]);
		assert_true(c == 0 || cell->i > cell[-1].i ||
		            (cell->i == cell[-1].i && cell->j > cell[-1].j));
	}
	matrix_finish(&matrix);
}

/* Tables and lists of keys must count alike. */
static void tally_make(struct tally *tally, bool keys)
{
	struct rs_error err;
	assert_int_equal(tally_init(tally, LEVELS, SIZES, 1, &err), RS_OK);
	if (keys)
		tally->columns = 0;
}

static void check_pairs(struct world *w, bool keys)
{
	struct tally tally;
	struct rs_error err;
	assert_int_equal(tally_init(&tally, LEVELS, LEVELS, 1, &err), RS_OK);
	if (keys)
		tally.columns = 0;
	for (size_t k = 0; k < w->offset_count; k++)
		for (int mirror = 0; mirror < 2; mirror++) {
			double want[LEVELS][SIZES] = {{0}};
			for (int v = 0; v < (int)w->count; v++) {
				uint32_t a = w->level[v], b = level_from(w, v, w->offsets[k], 1);
				want[a][b] += a > 0 && b > 0;
				want[b][a] += mirror && a > 0 && b > 0;
			}
			glcm_count(&w->grid, grid_whole(&w->grid), w->offsets[k], &tally);
			if (mirror)
				assert_int_equal(tally_mirror(&tally, &err), RS_OK);
			same_matrix("GLCM", &tally, want);
		}
	tally_finish(&tally);
}

static void check_runs(struct world *w, bool keys)
{
	struct tally tally;
	struct rs_error err;
	tally_make(&tally, keys);
	for (size_t k = 0; k < w->offset_count; k++) {
		struct offset d = w->offsets[k];
		double want[LEVELS][SIZES] = {{0}};
		bool lines = false;
		for (int v = 0; v < (int)w->count; v++) {
			int length = 1;
			for (int step = 1; step < VOXELS_MAX; step++)
				lines = lines || (w->level[v] > 0 && level_from(w, v, d, step) > 0);
			if (w->level[v] == 0 || level_from(w, v, d, -1) == w->level[v])
				continue;
			while (level_from(w, v, d, length) == w->level[v])
				length++;
			want[w->level[v]][length]++;
		}
		assert_int_equal(glrlm_count(&w->grid, grid_whole(&w->grid), d, &tally, &err), RS_OK);
		same_matrix("GLRLM", &tally, want);
		assert_int_equal(glrlm_has_lines(&w->grid, grid_whole(&w->grid), d), lines);
	}
	tally_finish(&tally);
}

static void check_zones(struct world *w)
{
	double want[LEVELS][SIZES] = {{0}};
	int zone[VOXELS_MAX];
	bool changed = true;
	struct zones zones = {0};
	struct matrix matrix = {0};
	struct rs_error err;
	for (int v = 0; v < (int)w->count; v++)
		zone[v] = v;
	while (changed) { /* voxels that touch take the lower number until nothing changes */
		changed = false;
		for (int a = 0; a < (int)w->count; a++)
			for (int b = 0; b < (int)w->count; b++)
				if (w->level[a] == w->level[b] && zone[b] < zone[a] && neighbours(w, a, b)) {
					zone[a] = zone[b];
					changed = true;
				}
	}
	for (int v = 0; v < (int)w->count; v++) {
		size_t size = 0;
		for (int b = 0; b < (int)w->count; b++)
			size += zone[b] == v;
		if (w->level[v] > 0 && size > 0)
			want[w->level[v]][size]++;
	}
	assert_int_equal(
		zones_find(&w->grid, grid_whole(&w->grid), w->offsets, w->offset_count, NULL, &zones, &err),
		RS_OK);
	assert_int_equal(zones_matrix(&zones, false, &matrix, &err), RS_OK);
	size_t cells = 0;
	for (size_t c = 0; c < matrix.count; c++)
		if (fabs(matrix.cells[c].n - want[matrix.cells[c].i][matrix.cells[c].j]) > 0)
			fail_msg("world %lu: GLSZM(%u, %u) is %g", world_number, matrix.cells[c].i,
			         matrix.cells[c].j, matrix.cells[c].n);
	for (size_t i = 0; i < LEVELS; i++)
		for (size_t j = 0; j < SIZES; j++)
			cells += want[i][j] > 0;
	assert_int_equal(cells, matrix.count);
	zones_finish(&zones);
	matrix_finish(&matrix);
}

static void check_dependence(struct world *w, bool keys)
{
	struct tally tally;
	struct rs_error err;
	assert_int_equal(tally_init(&tally, LEVELS, 28, 1, &err), RS_OK);
	if (keys)
		tally.columns = 0;
	for (uint32_t alpha = 0; alpha < 2; alpha++) {
		double want[LEVELS][SIZES] = {{0}};
		for (int v = 0; v < (int)w->count; v++) {
			size_t size = 1;
			for (int b = 0; b < (int)w->count; b++) {
				uint32_t low = w->level[v] < w->level[b] ? w->level[v] : w->level[b];
				uint32_t high = w->level[v] < w->level[b] ? w->level[b] : w->level[v];
				size += low > 0 && high - low <= alpha && neighbours(w, v, b);
			}
			want[w->level[v]][size] += w->level[v] > 0;
		}
		assert_int_equal(gldm_count(&w->grid, grid_whole(&w->grid), w->offsets, w->offset_count,
		                            alpha + 0.5, &tally, &err),
		                 RS_OK);
		same_matrix("GLDM", &tally, want);
	}
	tally_finish(&tally);
}

static void check_tones(struct world *w)
{
	for (int isolated = 0; isolated < 2; isolated++) {
		struct ngtdm_row rows[LEVELS] = {{0, 0}}, want[LEVELS] = {{0, 0}};
		struct rs_error err;
		for (int v = 0; v < (int)w->count; v++) {
			double sum = 0, n = 0;
			for (int b = 0; b < (int)w->count; b++)
				if (w->level[b] > 0 && neighbours(w, v, b)) {
					sum += w->level[b];
					n++;
				}
			if (w->level[v] == 0 || (!(n > 0) && !isolated))
				continue;
			want[w->level[v]].n++;
			want[w->level[v]].s += n > 0 ? fabs(w->level[v] - sum / n) : 0;
		}
		assert_int_equal(ngtdm_count(&w->grid, grid_whole(&w->grid), w->offsets, w->offset_count,
		                             isolated, rows, &err),
		                 RS_OK);
		for (size_t i = 1; i < LEVELS; i++)
			if (rows[i].n != want[i].n || fabs(rows[i].s - want[i].s) > 1e-13)
				fail_msg("world %lu: NGTDM(%zu) is %g, by definition %g", world_number, i,
				         rows[i].s, want[i].s);
	}
}

/* All images of a size with so many values, 0 among them. */
static void worlds(size_t x, size_t y, size_t z, unsigned values)
{
	struct world w = {.size = {x, y, z}, .count = x * y * z};
	unsigned long count = 1;
	for (size_t i = 0; i < w.count; i++)
		count *= values;
	for (unsigned long number = 1; number < count; number++) {
		bool keys = number % 2 == 0;
		world_begin(&w, number, values);
		check_pairs(&w, keys);
		check_runs(&w, keys);
		check_zones(&w);
		check_dependence(&w, keys);
		check_tones(&w);
		world_end(&w);
	}
}

static void every_small_world_obeys_the_definitions(void **state)
{
	(void)state;
	worlds(2, 2, 2, 3);
	worlds(5, 1, 1, 4);
	worlds(3, 3, 1, 3);
	worlds(3, 1, 3, 2);
	worlds(2, 5, 1, 2);
	worlds(3, 2, 2, 2);
	worlds(1, 4, 2, 3);
}

/* A random matrix of counts, as cells and dense. */
#define SIDE 9
static double dense[SIDE][SIDE];

static void matrix_make(unsigned seed, bool symmetrical, struct matrix *out)
{
	static struct cell cells[SIDE * SIDE];
	uint32_t noise = seed;
	*out = (struct matrix){.cells = cells};
	memset(dense, 0, sizeof dense);
	for (size_t i = 1; i < SIDE; i++)
		for (size_t j = symmetrical ? i : 1; j < SIDE; j++) {
			noise = noise * 1664525U + 1013904223U;
			double n = noise >> 31 != 0 ? noise >> 27 & 7 : 0;
			if (i != 3 && !(symmetrical && j == 3)) { /* a level that does not occur */
				dense[i][j] += n;
				if (symmetrical)
					dense[j][i] += n;
			}
		}
	dense[1][2] += symmetrical ? 1 : 2;
	dense[2][1] += symmetrical ? 1 : 0;
	for (uint32_t i = 1; i < SIDE; i++)
		for (uint32_t j = 1; j < SIDE; j++)
			if (dense[i][j] > 0) {
				cells[out->count++] = (struct cell){i, j, dense[i][j]};
				out->total += dense[i][j];
			}
}

static void near(const char *what, double got, double want)
{
	if (!(fabs(got - want) <= 1e-11 * fabs(want) + 1e-13))
		fail_msg("matrix %lu: %s is %.17g, by definition %.17g", world_number, what, got, want);
}

static double power_sum(double total, int level_power, int size_power)
{
	double sum = 0;
	for (int i = 1; i < SIDE; i++)
		for (int j = 1; j < SIDE; j++)
			sum += dense[i][j] * pow(i, level_power) * pow(j, size_power);
	return sum / total;
}

static void sizes_obey_the_definitions(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 200; seed++) {
		struct matrix m;
		struct size_sums s;
		struct rs_error err;
		double rows = 0, columns = 0, entropy = 0, energy = 0;
		matrix_make(seed, false, &m);
		world_number = seed;
		for (int i = 1; i < SIDE; i++) {
			double row = 0, column = 0;
			for (int j = 1; j < SIDE; j++) {
				double p = dense[i][j] / m.total;
				row += dense[i][j];
				column += dense[j][i];
				entropy -= p > 0 ? p * log2(p) : 0;
				energy += p * p;
			}
			rows += row * row;
			columns += column * column;
		}
		double mean_i = power_sum(m.total, 1, 0), mean_j = power_sum(m.total, 0, 1);
		assert_int_equal(sizes_measure(&m, 0, &s, &err), RS_OK);
		near("small", s.small, power_sum(m.total, 0, -2));
		near("large", s.large, power_sum(m.total, 0, 2));
		near("low", s.low, power_sum(m.total, -2, 0));
		near("high", s.high, power_sum(m.total, 2, 0));
		near("small low", s.small_low, power_sum(m.total, -2, -2));
		near("small high", s.small_high, power_sum(m.total, 2, -2));
		near("large low", s.large_low, power_sum(m.total, -2, 2));
		near("large high", s.large_high, power_sum(m.total, 2, 2));
		near("level nonuniformity", s.level_nonuniformity, rows / m.total);
		near("size nonuniformity", s.size_nonuniformity, columns / m.total);
		near("level nonuniformity normalised", s.level_nonuniformity_normalised,
		     rows / (m.total * m.total));
		near("size nonuniformity normalised", s.size_nonuniformity_normalised,
		     columns / (m.total * m.total));
		near("level variance", s.level_variance, power_sum(m.total, 2, 0) - mean_i * mean_i);
		near("size variance", s.size_variance, power_sum(m.total, 0, 2) - mean_j * mean_j);
		near("entropy", s.entropy, entropy);
		near("energy", s.energy, energy);
		near("percentage", s.percentage, 1 / mean_j);
	}
}

/* By the definition PyRadiomics gives: the eigenvalues of Q, all of them. */
static double mcc_by_definition(double total)
{
	double q[(SIDE - 1) * (SIDE - 1)], value[SIDE - 1], x[SIDE] = {0}, y[SIDE] = {0};
	struct rs_error err;
	for (size_t i = 1; i < SIDE; i++)
		for (size_t j = 1; j < SIDE; j++) {
			x[i] += dense[i][j] / total;
			y[j] += dense[i][j] / total;
		}
	for (size_t i = 1; i < SIDE; i++)
		for (size_t j = 1; j < SIDE; j++) {
			double sum = 0;
			for (size_t k = 1; k < SIDE; k++)
				sum += dense[i][k] * dense[j][k] / (total * total) / (x[i] * y[k] + EPSILON);
			q[(i - 1) * (SIDE - 1) + j - 1] = sum;
		}
	assert_int_equal(rs_eigenvalues_real(q, SIDE - 1, value, &err), RS_OK);
	rs_select(value, 0, SIDE - 1, SIDE - 3);
	return sqrt(value[SIDE - 3]);
}

static void maximal_correlation_obeys_its_definition(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 500; seed++) {
		struct matrix m;
		struct glcm_sums s;
		struct rs_error err;
		world_number = seed;
		matrix_make(seed, seed % 2 == 0, &m);
		assert_int_equal(glcm_measure(&m, SIDE - 1, true, &s, &err), RS_OK);
		double want = mcc_by_definition(m.total);
		if (!(fabs(s.mcc - want) <= 1e-9 * want))
			fail_msg("matrix %u: MCC is %.17g, by definition %.17g", seed, s.mcc, want);
	}
}

/* Levels in parts that never meet: each part has an eigenvalue 1, of which eps takes the more the rarer its levels. */
static void parts_have_their_own_eigenvalue(void **state)
{
	(void)state;
	static const struct {
		uint32_t i, j;
		double n;
	} worlds[][5] = {{{1, 2, 3}, {2, 1, 3}, {4, 4, 1}, {6, 7, 9}, {7, 6, 9}},
	                 {{1, 1, 4000000}, {2, 2, 1}, {5, 6, 2}, {6, 5, 2}, {8, 8, 1}},
	                 {{1, 5, 7}, {2, 6, 1}, {3, 7, 90000}, {4, 8, 2}, {5, 4, 1}},
	                 {{2, 1, 1}, {2, 3, 5}, {3, 3, 4}, {4, 4, 100000}, {5, 4, 3}}};
	for (size_t w = 0; w < RS_COUNT(worlds); w++) {
		struct cell cells[5];
		struct matrix m = {.cells = cells, .count = 5};
		struct glcm_sums s;
		struct rs_error err;
		memset(dense, 0, sizeof dense);
		for (size_t c = 0; c < 5; c++) {
			cells[c] = (struct cell){worlds[w][c].i, worlds[w][c].j, worlds[w][c].n};
			dense[cells[c].i][cells[c].j] = cells[c].n;
			m.total += cells[c].n;
		}
		assert_int_equal(glcm_measure(&m, SIDE - 1, true, &s, &err), RS_OK);
		world_number = w;
		near("MCC", s.mcc, mcc_by_definition(m.total));
	}
}

/* What is used where levels are too many to take each product. */
static void many_products_are_their_sums(void **state)
{
	(void)state;
	enum { N = 700 };
	static struct cell cells[3 * N];
	struct matrix m = {.cells = cells};
	struct glcm_sums s;
	struct rs_error err;
	double x[N + 1] = {0}, y[N + 1] = {0}, hxy = 0, hxy1 = 0, hxy2 = 0, hx = 0, hy = 0;
	for (uint32_t i = 1; i <= N; i++)
		for (uint32_t j = i > 1 ? i - 1 : 1; j <= i + 1 && j <= N; j++)
			cells[m.count++] = (struct cell){i, j, 1 + (i * 7 + j * 3) % 5};
	for (size_t c = 0; c < m.count; c++)
		m.total += cells[c].n;
	for (size_t c = 0; c < m.count; c++) {
		x[cells[c].i] += cells[c].n / m.total;
		y[cells[c].j] += cells[c].n / m.total;
	}
	for (size_t c = 0; c < m.count; c++) {
		double p = cells[c].n / m.total;
		hxy -= p * log2(p + EPSILON);
		hxy1 -= p * log2(x[cells[c].i] * y[cells[c].j] + EPSILON);
	}
	for (size_t i = 1; i <= N; i++) {
		hx -= x[i] * log2(x[i] + EPSILON);
		hy -= y[i] * log2(y[i] + EPSILON);
		for (size_t j = 1; j <= N; j++)
			hxy2 -= x[i] * y[j] * log2(x[i] * y[j] + EPSILON);
	}
	assert_int_equal(glcm_measure(&m, N, false, &s, &err), RS_OK);
	near("Imc1", s.imc1, (hxy - hxy1) / fmax(hx, hy));
	near("Imc2", s.imc2, sqrt(1 - exp(-2 * (hxy2 - hxy))));
}

/* A few levels, and more than are looked at in pairs. */
static void tones_obey_the_definition(int levels)
{
	struct ngtdm_row rows[701] = {{0, 0}};
	struct ngtdm_sums s;
	struct rs_error err;
	double n = 0, coarse = 0, total = 0, contrast = 0, busy = 0, complexity = 0, strength = 0,
	       present = 0;
	for (int i = 1; i <= levels; i++) {
		rows[i] = (struct ngtdm_row){(uint64_t)(i * i % 7),
		                             i * i % 7 > 0 ? i % 11 + 0.25 * (i % 3) : 0};
		n += (double)rows[i].n;
		present += rows[i].n > 0;
	}
	for (int i = 1; i <= levels; i++) {
		double p = (double)rows[i].n / n;
		coarse += p * rows[i].s;
		total += rows[i].s;
		for (int j = 1; j <= levels; j++) {
			double q = (double)rows[j].n / n, d = i - j;
			if (rows[i].n == 0 || rows[j].n == 0)
				continue;
			contrast += p * q * d * d;
			busy += fabs(i * p - j * q);
			complexity += fabs(d) * (p * rows[i].s + q * rows[j].s) / (p + q);
			strength += (p + q) * d * d;
		}
	}
	assert_int_equal(ngtdm_measure(rows, (uint32_t)levels, &s, &err), RS_OK);
	near("coarseness", s.coarseness, 1 / coarse);
	near("contrast", s.contrast, contrast / (present * (present - 1)) * total / n);
	near("busyness", s.busyness, coarse / busy);
	near("complexity", s.complexity, complexity / n);
	near("strength", s.strength, strength / total);
}

static void tones_obey_the_definitions(void **state)
{
	(void)state;
	tones_obey_the_definition(5);
	tones_obey_the_definition(70);
	tones_obey_the_definition(700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_small_world_obeys_the_definitions),
		cmocka_unit_test(sizes_obey_the_definitions),
		cmocka_unit_test(maximal_correlation_obeys_its_definition),
		cmocka_unit_test(parts_have_their_own_eigenvalue),
		cmocka_unit_test(many_products_are_their_sums),
		cmocka_unit_test(tones_obey_the_definitions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
