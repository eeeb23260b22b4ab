/* Cholesky's decomposition without square roots, for matrices that may lack rank. */
#include "numeric/numeric_linear.h"

#include <math.h>

static double largest_diagonal(const double *a, size_t n)
{
	double largest = 0;
	for (size_t i = 0; i < n; i++)
		if (a[i * n + i] > largest)
			largest = a[i * n + i];
	return largest;
}

size_t rs_ldl(double *a, size_t n, double tolerance)
{
	size_t rank = 0;
	double smallest = tolerance * largest_diagonal(a, n);
	for (size_t j = 0; j < n; j++) {
		double pivot = a[j * n + j];
		for (size_t k = 0; k < j; k++)
			pivot -= a[j * n + k] * a[j * n + k] * a[k * n + k];
		bool usable = isfinite(pivot) && pivot > smallest;
		a[j * n + j] = usable ? pivot : 0;
		rank += usable;
		for (size_t i = j + 1; i < n; i++) {
			double sum = a[i * n + j];
			for (size_t k = 0; k < j; k++)
				sum -= a[i * n + k] * a[j * n + k] * a[k * n + k];
			a[i * n + j] = usable ? sum / pivot : 0;
		}
	}
	return rank;
}

void rs_ldl_solve(const double *ldl, size_t n, double *x)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			x[i] -= ldl[i * n + k] * x[k];
	for (size_t i = n; i-- > 0;) {
		double pivot = ldl[i * n + i];
		x[i] = pivot > 0 ? x[i] / pivot : 0;
		for (size_t k = i + 1; k < n && pivot > 0; k++)
			x[i] -= ldl[k * n + i] * x[k];
	}
}

void rs_ldl_inverse(const double *ldl, size_t n, double *out)
{
	for (size_t column = 0; column < n; column++) {
		double *x = out + column * n; /* symmetric: rows serve as columns */
		for (size_t i = 0; i < n; i++)
			x[i] = i == column && ldl[column * n + column] > 0 ? 1 : 0;
		rs_ldl_solve(ldl, n, x);
	}
}
