/* The second singular value of a matrix of probabilities, which is its maximal correlation coefficient.
 *
 * PyRadiomics takes the root of the second largest eigenvalue of Q(i,j) = sum over k of p(i,k) p(j,k) / (x(i) y(k)).
 * Q is similar to S S' with S(i,k) = p(i,k) / sqrt(x(i) y(k)), whose largest eigenvalue is 1, of the known vector
 * sqrt(x). Lanczos on S S' without that vector finds the next one from the cells that are not zero. Where levels fall
 * into parts that never meet, each part has an eigenvalue 1 of its own, and nothing need be iterated. */
#include <math.h>
#include <string.h>

#include "radiomics/texture.h"

#define STEPS_MAX 1000 /* some tens are usual */
#define SETTLED 4e-12  /* the residual bounds the error of an eigenvalue, and 1 is the largest */
#define NOTHING 1e-14  /* a vector so short is rounding */

struct lanczos {
	const struct mcc_entry *entries;
	size_t entry_count, rows, columns;
	const double *top; /* [rows] sqrt(x) */
	double *middle;    /* [columns] */
	double *previous, *current,
		*next;  /* [rows] vectors of the basis; older ones are not needed for the largest */
	uint32_t *part; /* [rows + columns] */
	double alpha[STEPS_MAX], beta[STEPS_MAX];
};

size_t mcc_room(size_t rows, size_t columns)
{
	return 3 * rows + columns + (rows + columns + 1) / 2; /* two numbers of 32 bits in a real */
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

static uint32_t part_of(uint32_t *part, uint32_t v)
{
	while (part[v] != v) {
		part[v] = part[part[v]];
		v = part[v];
	}
	return v;
}

/* The second largest eigenvalue when rows and columns fall into several parts, else 0: that of a part is the Rayleigh
 * quotient of its piece of the top vector, which PyRadiomics' eps makes a little less than 1. */
static double second_part(struct lanczos *l)
{
	double first = 0, second = 0, *quotient = l->next, *square = l->current;
	for (uint32_t v = 0; v < l->rows + l->columns; v++)
		l->part[v] = v;
	for (size_t e = 0; e < l->entry_count;
	     e++) { /* roots are rows: a column joins below a row, the later row below the earlier */
		uint32_t a = part_of(l->part, l->entries[e].row);
		uint32_t b = part_of(l->part, (uint32_t)l->rows + l->entries[e].column);
		l->part[a < b ? b : a] = a < b ? a : b;
	}
	memset(quotient, 0, l->rows * sizeof *quotient);
	memset(square, 0, l->rows * sizeof *square);
	memset(l->middle, 0, l->columns * sizeof *l->middle);
	for (size_t e = 0; e < l->entry_count; e++)
		l->middle[l->entries[e].column] += l->entries[e].value * l->top[l->entries[e].row];
	for (uint32_t k = 0; k < l->columns; k++)
		quotient[part_of(l->part, (uint32_t)l->rows + k)] += l->middle[k] * l->middle[k];
	for (uint32_t i = 0; i < l->rows; i++)
		square[part_of(l->part, i)] += l->top[i] * l->top[i];
	for (size_t i = 0; i < l->rows; i++) {
		double value = square[i] > 0 ? quotient[i] / square[i] : 0;
		second = value > first ? first : value > second ? value : second;
		first = value > first ? value : first;
	}
	return second;
}

/* Any start will do that has a bit of every vector. */
static void start(struct lanczos *l)
{
	uint32_t noise = 1;
	for (size_t i = 0; i < l->rows; i++) {
		noise = noise * 1664525U + 1013904223U;
		l->current[i] = 0.5 + (double)(noise >> 8) * 0x1p-24;
		l->previous[i] = 0;
	}
	subtract(l->current, l->top, dot(l->current, l->top, l->rows), l->rows);
}

/* One more vector; `length` is that of the current one, not yet divided by it. Returns that of the next. */
static double step(struct lanczos *l, size_t n, double length)
{
	for (size_t i = 0; i < l->rows; i++)
		l->current[i] /= length;
	apply(l, l->current, l->next);
	if (n > 0)
		subtract(l->next, l->previous, length, l->rows);
	l->alpha[n] = dot(l->current, l->next, l->rows);
	subtract(l->next, l->current, l->alpha[n], l->rows);
	subtract(l->next, l->top, dot(l->next, l->top, l->rows), l->rows);
	double *kept = l->previous;
	l->previous = l->current;
	l->current = l->next;
	l->next = kept;
	return sqrt(dot(l->current, l->current, l->rows));
}

double mcc_of(const struct mcc_entry *entries, size_t entry_count, size_t rows, size_t columns,
              const double *top, double *room)
{
	struct lanczos l;
	l.entries = entries;
	l.entry_count = entry_count;
	l.rows = rows;
	l.columns = columns;
	l.top = top;
	l.middle = room;
	l.previous = l.middle + columns;
	l.current = l.previous + rows;
	l.next = l.current + rows;
	l.part = (uint32_t *)(void *)(l.next + rows);
	double value = second_part(&l);
	if (value > 0 || rows < 2 || columns < 2)
		return sqrt(value);
	start(&l);
	double length = sqrt(dot(l.current, l.current, rows));
	for (size_t n = 0, look = 2; n < STEPS_MAX && length > NOTHING;) {
		length = step(&l, n, length);
		l.beta[n++] = length;
		if (n < look && n < STEPS_MAX && length > NOTHING)
			continue;
		look = n + 2 + n / 8;
		value = largest(&l, n);
		if (length * last_component(&l, n, value) < SETTLED)
			break;
	}
	return value > 0 ? sqrt(value) : 0;
}
