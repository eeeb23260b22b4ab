/* The inverse of a 3 x 3 matrix by its singular values: Householder's bidiagonal form and shifted QR steps (Golub &
 * Reinsch, 1970), with the order of operations of LINPACK's dsvdc. ITK inverts its index-to-point matrices so, and
 * where a voxel of an oblique image lands exactly on another, the last bit of this inverse decides what an image of
 * integers gets; a better inverse would be a different one. */
#include <math.h>

#include "filter/grid.h"

#define STEPS_MAX 1000 /* VXL's; about five are taken */

struct singular {
	double x[3][3], u[3][3], v[3][3];
	double s[3], e[3]; /* the diagonal, and what is above it */
};

/* Length, by the largest element so far; `first` … 2 of a column. */
static double length_of(const double values[3], size_t first)
{
	double scale = 0, squares = 1;
	if (first == 2)
		return fabs(values[2]);
	for (size_t i = first; i < 3; i++) {
		double size = fabs(values[i]);
		if (size == 0)
			continue;
		if (scale < size) {
			squares = 1 + squares * ((scale / size) * (scale / size));
			scale = size;
		} else {
			squares += (size / scale) * (size / scale);
		}
	}
	return scale * sqrt(squares);
}

/* Reflects column `to` by the vector in column `by`, from row `first` on; the vector's first element is that row's. */
static void reflect(double m[3][3], size_t by, size_t first, size_t to)
{
	double t = 0;
	for (size_t i = first; i < 3; i++)
		t += m[i][by] * m[i][to];
	t = -t / m[first][by];
	for (size_t i = first; i < 3; i++)
		m[i][to] += t * m[i][by];
}

/* Makes values[first …] a reflection's vector; what they become is -length, returned. */
static double vector_of(double values[3], size_t first)
{
	double size = length_of(values, first);
	if (size == 0)
		return -size;
	if (values[first] != 0)
		size = copysign(size, values[first]);
	const double factor = 1 / size;
	for (size_t i = first; i < 3; i++)
		values[i] *= factor;
	values[first] += 1;
	return -size;
}

static void eliminate_column(struct singular *a, size_t l)
{
	double column[3] = {a->x[0][l], a->x[1][l], a->x[2][l]};
	a->s[l] = vector_of(column, l);
	for (size_t i = l; i < 3; i++)
		a->x[i][l] = column[i];
	for (size_t j = l + 1; j < 3; j++) {
		if (a->s[l] != 0)
			reflect(a->x, l, l, j);
		a->e[j] = a->x[l][j];
	}
	for (size_t i = l; i < 3; i++)
		a->u[i][l] = a->x[i][l];
}

/* The first row beyond its second element. */
static void eliminate_row(struct singular *a)
{
	double work[3] = {0, 0, 0};
	a->e[0] = vector_of(a->e, 1);
	if (a->e[0] != 0) {
		for (size_t j = 1; j < 3; j++)
			for (size_t i = 1; i < 3; i++)
				work[i] += a->e[j] * a->x[i][j];
		for (size_t j = 1; j < 3; j++) {
			double factor = -a->e[j] / a->e[1];
			for (size_t i = 1; i < 3; i++)
				a->x[i][j] += factor * work[i];
		}
	}
	a->v[1][0] = a->e[1];
	a->v[2][0] = a->e[2];
}

static void unit_column(double m[3][3], size_t l)
{
	for (size_t i = 0; i < 3; i++)
		m[i][l] = i == l ? 1 : 0;
}

/* The reflections, multiplied out. */
static void gather_reflections(struct singular *a)
{
	unit_column(a->u, 2);
	for (size_t l = 2; l-- > 0;) {
		if (a->s[l] == 0) {
			unit_column(a->u, l);
			continue;
		}
		for (size_t j = l + 1; j < 3; j++)
			reflect(a->u, l, l, j);
		for (size_t i = 0; i < 3; i++)
			a->u[i][l] = i < l ? 0 : -a->u[i][l];
		a->u[l][l] += 1;
	}
	unit_column(a->v, 2);
	unit_column(a->v, 1);
	for (size_t j = 1; j < 3 && a->e[0] != 0; j++)
		reflect(a->v, 0, 1, j);
	unit_column(a->v, 0);
}

/* Turns (a, b) onto the first axis; returns its length with the sign of the larger. */
static double rotation_of(double a, double b, double *cosine, double *sine)
{
	double scale = fabs(a) + fabs(b);
	*cosine = 1;
	*sine = 0;
	if (scale == 0)
		return 0;
	double length = scale * sqrt((a / scale) * (a / scale) + (b / scale) * (b / scale));
	length = copysign(1, fabs(a) > fabs(b) ? a : b) * length;
	*cosine = a / length;
	*sine = b / length;
	return length;
}

static void rotate_columns(double m[3][3], size_t k, double cosine, double sine)
{
	for (size_t i = 0; i < 3; i++) {
		double first = cosine * m[i][k] + sine * m[i][k + 1];
		m[i][k + 1] = cosine * m[i][k + 1] - sine * m[i][k];
		m[i][k] = first;
	}
}

/* One QR step of the elements l … m, with Wilkinson's shift. */
static void qr_step(struct singular *a, size_t l, size_t m)
{
	double *s = a->s, *e = a->e, cosine, sine, shift = 0;
	double scale = fmax(fmax(fmax(fmax(fabs(s[m]), fabs(s[m - 1])), fabs(e[m - 1])), fabs(s[l])),
	                    fabs(e[l]));
	double last = s[m] / scale, before = s[m - 1] / scale, above = e[m - 1] / scale;
	double first = s[l] / scale, beside = e[l] / scale;
	double b = ((before + last) * (before - last) + above * above) / 2;
	double c = (last * above) * (last * above);
	if (b != 0 || c != 0) {
		shift = sqrt(b * b + c);
		shift = c / (b + (b < 0 ? -shift : shift));
	}
	double f = (first + last) * (first - last) + shift, g = first * beside;
	for (size_t k = l; k < m; k++) {
		f = rotation_of(f, g, &cosine, &sine);
		if (k != l)
			e[k - 1] = f;
		f = cosine * s[k] + sine * e[k];
		e[k] = cosine * e[k] - sine * s[k];
		g = sine * s[k + 1];
		s[k + 1] = cosine * s[k + 1];
		rotate_columns(a->v, k, cosine, sine);
		s[k] = rotation_of(f, g, &cosine, &sine);
		f = cosine * e[k] + sine * s[k + 1];
		s[k + 1] = -sine * e[k] + cosine * s[k + 1];
		g = sine * e[k + 1];
		e[k + 1] = cosine * e[k + 1];
		rotate_columns(a->u, k, cosine, sine);
	}
	e[m - 1] = f;
}

static void swap(double *a, double *b)
{
	double kept = *a;
	*a = *b;
	*b = kept;
}

/* A settled value is made positive and put into its place: the largest first. */
static void settle(struct singular *a, size_t l)
{
	if (a->s[l] < 0) {
		a->s[l] = -a->s[l];
		for (size_t i = 0; i < 3; i++)
			a->v[i][l] = -a->v[i][l];
	}
	for (; l < 2 && a->s[l] < a->s[l + 1]; l++) {
		swap(&a->s[l], &a->s[l + 1]);
		for (size_t i = 0; i < 3; i++) {
			swap(&a->u[i][l], &a->u[i][l + 1]);
			swap(&a->v[i][l], &a->v[i][l + 1]);
		}
	}
}

/* The row after the last element above the diagonal that is too small to count, which becomes 0. */
static size_t start_of_block(struct singular *a, size_t m)
{
	for (size_t l = m; l > 0; l--) {
		double beside = fabs(a->s[l - 1]) + fabs(a->s[l]);
		if (beside + fabs(a->e[l - 1]) == beside) {
			a->e[l - 1] = 0;
			return l;
		}
	}
	return 0;
}

/* Whether a value of the block is nothing beside its neighbours: the matrix cannot be inverted. */
static bool vanishes(const struct singular *a, size_t l, size_t m)
{
	for (size_t i = l; i <= m; i++) {
		double beside = (i < m ? fabs(a->e[i]) : 0) + (i > l ? fabs(a->e[i - 1]) : 0);
		if (beside + fabs(a->s[i]) == beside)
			return true;
	}
	return false;
}

static bool diagonalise(struct singular *a)
{
	size_t m = 2;
	for (unsigned step = 0; step < STEPS_MAX; step++) {
		size_t l = start_of_block(a, m);
		if (l < m && vanishes(a, l, m))
			return false;
		if (l < m) {
			qr_step(a, l, m);
			continue;
		}
		settle(a, m);
		if (m-- == 0)
			return true;
	}
	return false;
}

bool invert3(const double matrix[3][3], double out[3][3])
{
	struct singular a = {.s = {0, 0, 0}};
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++) {
			a.x[i][j] = matrix[i][j];
			if (!isfinite(matrix[i][j]))
				return false;
		}
	eliminate_column(&a, 0);
	eliminate_row(&a);
	eliminate_column(&a, 1);
	a.s[2] = a.x[2][2];
	a.e[1] = a.x[1][2];
	a.e[2] = 0;
	gather_reflections(&a);
	if (!diagonalise(&a) || a.s[2] == 0)
		return false;
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++) {
			out[i][j] = 0;
			for (size_t k = 0; k < 3; k++)
				out[i][j] += a.v[i][k] * (1 / a.s[k]) * a.u[j][k];
		}
	return true;
}
