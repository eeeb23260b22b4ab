/* Features of a matrix whose rows are grey levels and whose columns are sizes: runs, zones, distances of zones,
 * dependences. The same formulas under many names (IBSI reference manual, 3.7 to 3.9 and 3.11; PyRadiomics 3.1
 * documentation, "GLRLM", "GLSZM", "GLDM"). */
#include <math.h>

#include "radiomics/texture.h"

/* Sums of n times a power of level and size. */
static void emphases(const struct matrix *m, struct size_sums *out)
{
	for (size_t c = 0; c < m->count; c++) {
		double n = m->cells[c].n, i = m->cells[c].i, j = m->cells[c].j, ii = i * i, jj = j * j;
		out->small += n / jj;
		out->large += n * jj;
		out->low += n / ii;
		out->high += n * ii;
		out->small_low += n / (ii * jj);
		out->small_high += n * ii / jj;
		out->large_low += n * jj / ii;
		out->large_high += n * jj * ii;
	}
	double *const sums[] = {&out->small,     &out->large,      &out->low,       &out->high,
	                        &out->small_low, &out->small_high, &out->large_low, &out->large_high};
	for (size_t s = 0; s < RS_COUNT(sums); s++)
		*sums[s] /= m->total;
}

static void variances(const struct matrix *m, struct size_sums *out)
{
	double mean_i = 0, mean_j = 0;
	for (size_t c = 0; c < m->count; c++) {
		double p = m->cells[c].n / m->total;
		mean_i += p * m->cells[c].i;
		mean_j += p * m->cells[c].j;
		out->entropy -= p * log2_guarded(p);
		out->energy += p * p;
	}
	for (size_t c = 0; c < m->count; c++) {
		double p = m->cells[c].n / m->total, di = m->cells[c].i - mean_i, dj = m->cells[c].j - mean_j;
		out->level_variance += p * (di * di);
		out->size_variance += p * (dj * dj);
	}
}

/* Sums of squared sums of rows and of columns. (c + n)^2 = c^2 + n (2 c + n) saves a second pass over columns. */
static void nonuniformities(const struct matrix *m, double *columns, struct size_sums *out)
{
	double row = 0;
	for (size_t c = 0; c < m->count; c++) {
		const struct cell *cell = &m->cells[c];
		row = c > 0 && m->cells[c - 1].i == cell->i ? row : 0;
		out->level_nonuniformity += cell->n * (2 * row + cell->n);
		row += cell->n;
		out->size_nonuniformity += cell->n * (2 * columns[cell->j] + cell->n);
		columns[cell->j] += cell->n;
	}
	for (size_t c = 0; c < m->count; c++)
		columns[m->cells[c].j] = 0;
	out->level_nonuniformity_normalised = out->level_nonuniformity / (m->total * m->total);
	out->size_nonuniformity_normalised = out->size_nonuniformity / (m->total * m->total);
	out->level_nonuniformity /= m->total;
	out->size_nonuniformity /= m->total;
}

void sizes_measure_in(const struct matrix *matrix, double voxels, double *columns, struct size_sums *out)
{
	struct size_sums sums = {.empty = !(matrix->total > 0)};
	*out = sums;
	if (sums.empty)
		return;
	emphases(matrix, &sums);
	variances(matrix, &sums);
	nonuniformities(matrix, columns, &sums);
	double covered = voxels;
	for (size_t c = 0; c < matrix->count && !(voxels > 0); c++)
		covered += matrix->cells[c].n * matrix->cells[c].j;
	sums.percentage = matrix->total / covered;
	*out = sums;
}

enum rs_code sizes_measure(const struct matrix *matrix, double voxels, struct size_sums *out,
                           struct rs_error *err)
{
	size_t longest = 0;
	for (size_t c = 0; c < matrix->count; c++)
		longest = matrix->cells[c].j > longest ? matrix->cells[c].j : longest;
	double *columns RS_CLEANUP(rs_free_pointer) = rs_allocate_array(longest + 1, sizeof *columns);
	if (columns == NULL)
		return rs_error_memory(err, (longest + 1) * sizeof *columns, "sums of columns");
	sizes_measure_in(matrix, voxels, columns, out);
	return RS_OK;
}
