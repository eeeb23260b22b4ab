/* How far two samples of a measurement are apart. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "assess/assess.h"

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* P(sqrt(n) D > z) of many rows (Kolmogorov 1933); of the two series that which is short. */
static double kolmogorov_upper(double z)
{
	double sum = 0;
	if (z < 1) {
		for (int k = 1; k < 40; k += 2)
			sum += exp(-k * k * M_PI * M_PI / (8 * z * z));
		return z > 0 ? 1 - sqrt(2 * M_PI) / z * sum : 1;
	}
	for (int k = 1; k < 40; k++)
		sum += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * z * z);
	return fmin(fmax(sum, 0), 1);
}

struct rs_shift rs_shift_of(double *a, size_t a_count, double *b, size_t b_count)
{
	struct rs_shift found = {NAN, NAN, NAN};
	double n = (double)a_count, m = (double)b_count, before = 0;
	if (a_count == 0 || b_count == 0)
		return found;
	qsort(a, a_count, sizeof *a, ascending);
	qsort(b, b_count, sizeof *b, ascending);
	found.ks = found.wasserstein = 0;
	for (size_t i = 0, j = 0; i < a_count || j < b_count;) {
		double at = i == a_count ? b[j] : j == b_count ? a[i] : fmin(a[i], b[j]);
		double apart = fabs((double)i / n - (double)j / m);
		if (i + j > 0)
			found.wasserstein += apart * (at - before);
		while (i < a_count && a[i] == at)
			i++;
		while (j < b_count && b[j] == at)
			j++;
		found.ks = fmax(found.ks, fabs((double)i / n - (double)j / m));
		before = at;
	}
	found.p = kolmogorov_upper(sqrt(n * m / (n + m)) * found.ks);
	return found;
}
