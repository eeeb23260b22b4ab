/* Tests by rank, and what several tests at once mean. */
#include <math.h>
#include <stdlib.h>

#include "learn/learn_select.h"
#include "numeric/numeric_distribution.h"

static int by_value(const void *a, const void *b)
{
	const struct rs_ranked *x = a, *y = b;
	return (x->value > y->value) - (x->value < y->value);
}

/* Sums of ranks, and how many, by group; rows of equal values share theirs. Returns the sum of m^3 - m over m equal rows. */
static double rank(const double *x, const uint8_t *groups, size_t rows, struct rs_ranked *work, double *ranks,
                   double *counts)
{
	double ties = 0;
	for (size_t i = 0; i < rows; i++)
		work[i] = (struct rs_ranked){x[i], groups[i]};
	qsort(work, rows, sizeof *work, by_value);
	for (size_t begin = 0, end; begin < rows; begin = end) {
		for (end = begin; end < rows && work[end].value == work[begin].value; end++)
			;
		double same = (double)(end - begin);
		ties += same * same * same - same;
		for (size_t i = begin; i < end; i++) {
			ranks[work[i].group] += ((double)begin + (double)end + 1) / 2;
			counts[work[i].group]++;
		}
	}
	return ties;
}

double rs_rank_test(const double *x, const uint8_t *groups, size_t group_count, size_t rows,
                    struct rs_ranked *work)
{
	double n = (double)rows, ranks[RS_RANK_GROUPS_MAX] = {0}, counts[RS_RANK_GROUPS_MAX] = {0};
	double ties = rank(x, groups, rows, work, ranks, counts);
	double untied = 1 - ties / (n * n * n - n);
	if (!(untied > 0))
		return 1;
	if (group_count == 2) {
		double product = counts[0] * counts[1];
		double u = fabs(ranks[1] - counts[1] * (counts[1] + 1) / 2 - product / 2);
		return fmin(1, rs_normal_two_sided(fmax(0, u - 0.5) / sqrt(product * (n + 1) / 12 * untied)));
	}
	double sum = 0;
	for (size_t g = 0; g < group_count; g++)
		sum += ranks[g] * ranks[g] / counts[g];
	return rs_chi_square_upper((12 / (n * (n + 1)) * sum - 3 * (n + 1)) / untied,
	                           (double)group_count - 1);
}

double rs_spearman(const double *x, const uint8_t *groups, size_t rows, struct rs_ranked *work, double *out_p)
{
	double n = (double)rows, ranks[RS_RANK_GROUPS_MAX] = {0}, counts[RS_RANK_GROUPS_MAX] = {0};
	double all = n * n * n - n, ties[2] = {rank(x, groups, rows, work, ranks, counts), 0};
	double together = 0, before = 0;
	for (size_t g = 0; g < RS_RANK_GROUPS_MAX; g++) {
		double own = before + (counts[g] + 1) / 2; /* the rank that the group's rows share */
		together += (own - (n + 1) / 2) * (ranks[g] - counts[g] * (n + 1) / 2);
		ties[1] += counts[g] * counts[g] * counts[g] - counts[g];
		before += counts[g];
	}
	double spread = sqrt((all - ties[0]) * (all - ties[1])) / 12;
	*out_p = 1;
	if (!(spread > 0) || rows < 3)
		return 0;
	double rho = fmin(1, fmax(-1, together / spread));
	*out_p = rs_f_upper(rho * rho * (n - 2) / (1 - rho * rho), 1, n - 2);
	return rho;
}

/* Merging, since what is sorted by lies elsewhere. spare: count items */
static void sort_by(const double *p, size_t *order, size_t *spare, size_t count)
{
	size_t half = count / 2, left = 0, right = half;
	if (count < 2)
		return;
	sort_by(p, order, spare, half);
	sort_by(p, order + half, spare, count - half);
	for (size_t i = 0; i < count; i++)
		spare[i] = right == count || (left < half && p[order[left]] <= p[order[right]])
		                   ? order[left++]
		                   : order[right++];
	for (size_t i = 0; i < count; i++)
		order[i] = spare[i];
}

void rs_false_discovery(double *p, size_t count, size_t *order)
{
	double least = 1;
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	sort_by(p, order, order + count, count);
	for (size_t i = count; i-- > 0;) {
		least = fmin(least, p[order[i]] * (double)count / (double)(i + 1));
		p[order[i]] = least;
	}
}
