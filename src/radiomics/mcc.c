/* The second singular value of a matrix of probabilities, which is its maximal correlation coefficient.
 *
 * PyRadiomics takes the root of the second largest eigenvalue of Q(i,j) = sum over k of p(i,k) p(j,k) / (x(i) y(k)).
 * Q is similar to S S' with S(i,k) = p(i,k) / sqrt(x(i) y(k)), whose largest eigenvalue is 1, of the known vector
 * sqrt(x). Lanczos on S S' without that vector finds the next one from the cells that are not zero. */
#include <math.h>
#include <string.h>

#include "radiomics/texture.h"

#define STEPS_MAX 200 /* far more than were ever needed; Lanczos ends after as many as there are rows */
#define SETTLED 4e-12 /* the residual bounds the error of an eigenvalue, and 1 is the largest */
#define NOTHING 1e-14 /* a vector so short is rounding */
#define LOOK_EVERY 4  /* steps between looks at the residual */

struct lanczos {
	const struct mcc_entry *entries;
	size_t entry_count, rows, columns;
	const double *top; /* [rows] sqrt(x) */
	double *middle;    /* [columns] */
	double *basis;     /* [steps][rows] */
	double alpha[STEPS_MAX + 1], beta[STEPS_MAX + 1];
};

size_t mcc_room(size_t rows, size_t columns)
{
	size_t steps = rows < STEPS_MAX ? rows : STEPS_MAX;
	return (steps + 1) * rows + columns;
}

static double dot(const double *a, const double *b, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static void subtract(double *a, const double *b, double factor, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a[i] -= factor * b[i];
}

/* out = S S' in */
static void apply(struct lanczos *l, const double *in, double *out)
{
	memset(l->middle, 0, l->columns * sizeof *l->middle);
	memset(out, 0, l->rows * sizeof *out);
	for (size_t e = 0; e < l->entry_count; e++)
		l->middle[l->entries[e].column] += l->entries[e].value * in[l->entries[e].row];
	for (size_t e = 0; e < l->entry_count; e++)
		out[l->entries[e].row] += l->entries[e].value * l->middle[l->entries[e].column];
}

/* Makes v stand at right angles to the top vector and the basis so far, twice because once leaves rounding. */
static void straighten(const struct lanczos *l, double *v, size_t steps)
{
	for (int twice = 0; twice < 2; twice++) {
		subtract(v, l->top, dot(v, l->top, l->rows), l->rows);
		for (size_t k = 0; k < steps; k++)
			subtract(v, l->basis + k * l->rows, dot(v, l->basis + k * l->rows, l->rows), l->rows);
	}
}

/* The largest eigenvalue of the tridiagonal matrix of n steps by Laguerre's iteration, which comes down from above
 * on it and triples the digits each time. pivot[k] / pivot'[k] are those of the matrix less x, and their logarithmic
 * derivatives sum to that of the characteristic polynomial. */
static double largest(const struct lanczos *l, size_t n)
{
	double x = 0, many = (double)n;
	for (size_t k = 0; k < n; k++) {
		double reach = l->alpha[k] + (k > 0 ? l->beta[k - 1] : 0) + (k + 1 < n ? l->beta[k] : 0);
		x = reach > x ? reach : x;
	}
	for (int turn = 0; turn < 64; turn++) {
		double pivot = 1, first = 0, second = 0, g = 0, h = 0;
		for (size_t k = 0; k < n; k++) {
			double square = k > 0 ? l->beta[k - 1] * l->beta[k - 1] : 0, back = square / pivot;
			double one = first / pivot, two = second / pivot;
			pivot = x - l->alpha[k] - back;
			if (!(pivot > 0)) /* at the eigenvalue, as near as numbers go */
				return x;
			first = 1 + back * one;
			second = back * (two - 2 * one * one);
			g += first / pivot;
			h += first / pivot * (first / pivot) - second / pivot;
		}
		double under = (many - 1) * (many * h - g * g);
		double step = many / (g + sqrt(under > 0 ? under : 0));
		if (!(x - step < x))
			return x;
		x -= step;
	}
	return x;
}

/* Size of the last component of the unit eigenvector of `value`: from below, each component is the next one times
 * a ratio of pivots, and for the largest eigenvalue no pivot vanishes. */
static double last_component(const struct lanczos *l, size_t n, double value)
{
	double pivot = 1, squares = 1, component = 1;
	for (size_t k = n; k-- > 1;) {
		pivot = value - l->alpha[k] - (k + 1 < n ? l->beta[k] * l->beta[k] / pivot : 0);
		component *= pivot / l->beta[k - 1];
		squares += component * component;
		if (!(squares < 1e300))
			return 0;
	}
	return 1 / sqrt(squares);
}

double mcc_of(const struct mcc_entry *entries, size_t entry_count, size_t rows, size_t columns,
              const double *top, double *room)
{
	struct lanczos l = {.entries = entries,
	                    .entry_count = entry_count,
	                    .rows = rows,
	                    .columns = columns,
	                    .top = top,
	                    .middle = room,
	                    .basis = room + columns};
	size_t limit = rows < STEPS_MAX ? rows : STEPS_MAX, n = 0;
	uint32_t noise = 1;
	double *v = l.basis, value = 0;
	for (size_t i = 0; i < rows; i++) { /* any start will do that has a bit of every vector */
		noise = noise * 1664525U + 1013904223U;
		v[i] = 0.5 + (double)(noise >> 8) * 0x1p-24;
	}
	straighten(&l, v, 0);
	for (double length = sqrt(dot(v, v, rows)); n < limit && length > NOTHING;) {
		double *next = l.basis + (n + 1) * rows;
		for (size_t i = 0; i < rows; i++)
			v[i] /= length;
		apply(&l, v, next);
		l.alpha[n++] = dot(v, next, rows);
		straighten(&l, next, n);
		length = sqrt(dot(next, next, rows));
		l.beta[n - 1] = length;
		v = next;
		bool done = n == limit || !(length > NOTHING);
		if (!done && n % LOOK_EVERY != 0)
			continue;
		value = largest(&l, n);
		if (done || length * last_component(&l, n, value) < SETTLED)
			break;
	}
	return value > 0 ? sqrt(value) : 0;
}
