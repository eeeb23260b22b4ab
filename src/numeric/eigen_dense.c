/* Eigenvalues of dense matrices: what tests compare faster ways with; the program does not link it. */
#include "numeric/numeric_dense.h"

#include <math.h>

static void swap_rows_and_columns(double *a, size_t n, size_t i, size_t j)
{
	for (size_t k = 0; k < n; k++) {
		double keep = a[i * n + k];
		a[i * n + k] = a[j * n + k];
		a[j * n + k] = keep;
	}
	for (size_t k = 0; k < n; k++) {
		double keep = a[k * n + i];
		a[k * n + i] = a[k * n + j];
		a[k * n + j] = keep;
	}
}

/* Similarity transforms by elimination with pivoting: zero below the first subdiagonal. */
static void to_hessenberg(double *a, size_t n)
{
	for (size_t m = 1; m + 1 < n; m++) {
		size_t pivot = m;
		for (size_t i = m + 1; i < n; i++)
			if (fabs(a[i * n + m - 1]) > fabs(a[pivot * n + m - 1]))
				pivot = i;
		if (a[pivot * n + m - 1] == 0)
			continue;
		if (pivot != m)
			swap_rows_and_columns(a, n, pivot, m);
		for (size_t i = m + 1; i < n; i++) {
			double y = a[i * n + m - 1] / a[m * n + m - 1];
			if (y == 0)
				continue;
			a[i * n + m - 1] = 0;
			for (size_t j = m; j < n; j++)
				a[i * n + j] -= y * a[m * n + j];
			for (size_t k = 0; k < n; k++)
				a[k * n + m] += y * a[k * n + i];
		}
	}
}

/* The eigenvalue of the trailing 2x2 block nearer to its last element. */
static double wilkinson_shift(const double *a, size_t n, size_t high)
{
	double p = a[(high - 1) * n + high - 1], s = a[high * n + high];
	double product = a[(high - 1) * n + high] * a[high * n + high - 1];
	double half = (p - s) / 2, disc = half * half + product;
	if (disc < 0)
		return s;
	double root = half + (half < 0 ? -sqrt(disc) : sqrt(disc));
	return root == 0 ? s : s - product / root;
}

/* One QR step on rows and columns low … high: A - shift = QR, A := RQ + shift. */
static void qr_step(double *a, size_t n, size_t low, size_t high, double shift, double *cosine, double *sine)
{
	for (size_t i = low; i <= high; i++)
		a[i * n + i] -= shift;
	for (size_t k = low; k < high; k++) {
		double x = a[k * n + k], y = a[(k + 1) * n + k], r = sqrt(x * x + y * y);
		double c = r == 0 ? 1 : x / r, s = r == 0 ? 0 : y / r;
		cosine[k] = c;
		sine[k] = s;
		double *upper = a + k * n, *lower = upper + n;
		for (size_t j = k; j <= high; j++) {
			double u = upper[j], v = lower[j];
			upper[j] = c * u + s * v;
			lower[j] = c * v - s * u;
		}
	}
	for (size_t i = low; i <= high; i++) {
		double *row = a + i * n;
		for (size_t k = i > low ? i - 1 : low; k < high; k++) {
			double u = row[k], v = row[k + 1];
			row[k] = cosine[k] * u + sine[k] * v;
			row[k + 1] = cosine[k] * v - sine[k] * u;
		}
	}
	for (size_t i = low; i <= high; i++)
		a[i * n + i] += shift;
}

static bool negligible(double *a, size_t n, size_t k)
{
	double scale = fabs(a[(k - 1) * n + k - 1]) + fabs(a[k * n + k]);
	if (fabs(a[k * n + k - 1]) > 0x1p-53 * scale + 0x1p-1000)
		return false;
	a[k * n + k - 1] = 0;
	return true;
}

static enum rs_code iterate(double *a, size_t n, double *work, struct rs_error *err)
{
	size_t high = n - 1;
	unsigned steps = 0;
	while (high > 0) {
		size_t low = high;
		while (low > 0 && !negligible(a, n, low))
			low--;
		double *corner = a + (high - 1) * n + high - 1;
		if (low == high) {
			high--;
			steps = 0;
			continue;
		}
		double half = (corner[0] - corner[n + 1]) / 2;
		if (low + 1 == high && half * half + corner[1] * corner[n] <= 0) {
			corner[0] = corner[n + 1] = (corner[0] + corner[n + 1]) / 2;
			corner[n] = 0;
			continue;
		}
		if (++steps > 200)
			return rs_error_set(err, RS_INTERNAL, "eigenvalues of a %zux%zu matrix do not settle",
			                    n, n);
		double shift = steps % 20 == 0 ? corner[n + 1] + fabs(corner[n])
		                               : wilkinson_shift(a, n, high);
		qr_step(a, n, low, high, shift, work, work + n);
	}
	return RS_OK;
}

enum rs_code rs_eigenvalues_real(double *matrix, size_t n, double *out, struct rs_error *err)
{
	if (n == 0)
		return RS_OK;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array(2 * n, sizeof *work);
	if (work == NULL)
		return rs_error_memory(err, 2 * n * sizeof *work, "eigenvalues");
	to_hessenberg(matrix, n);
	RS_TRY(iterate(matrix, n, work, err));
	for (size_t i = 0; i < n; i++)
		out[i] = matrix[i * n + i];
	return RS_OK;
}
