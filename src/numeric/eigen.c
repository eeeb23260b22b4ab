/* Eigenvalues of symmetric 3x3 matrices, by Jacobi rotations. */
#include <math.h>

#include "numeric/numeric.h"

static void rotate3(double a[3][3], int p, int q)
{
	if (a[p][q] == 0)
		return;
	double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
	double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
	double c = 1 / sqrt(t * t + 1), s = t * c;
	int r = 3 - p - q;
	double apr = a[p][r], aqr = a[q][r], apq = a[p][q];
	a[p][p] -= t * apq;
	a[q][q] += t * apq;
	a[p][q] = a[q][p] = 0;
	a[p][r] = a[r][p] = c * apr - s * aqr;
	a[q][r] = a[r][q] = s * apr + c * aqr;
}

static void order(double *a, double *b)
{
	if (*a > *b) {
		double keep = *a;
		*a = *b;
		*b = keep;
	}
}

void rs_eigenvalues_symmetric3(const double matrix[3][3], double out[3])
{
	double a[3][3];
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			a[i][j] = matrix[i][j];
	for (int sweep = 0; sweep < 32; sweep++) {
		rotate3(a, 0, 1);
		rotate3(a, 0, 2);
		rotate3(a, 1, 2);
	}
	for (int i = 0; i < 3; i++)
		out[i] = a[i][i];
	order(&out[0], &out[1]);
	order(&out[1], &out[2]);
	order(&out[0], &out[1]);
}
