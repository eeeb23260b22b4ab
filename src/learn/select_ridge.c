/* Ridge regression by iterated weighted least squares, over columns where these are fewer, else over rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/learn_select.h"

#define ROUNDS_MAX 100
#define SETTLED 1e-7 /* of the loss: what matters most shows long before */
#define WEIGHT_LEAST 1e-10

struct rs_ridge {
	const struct rs_matrix *x;
	const uint8_t *outcome;
	const double *time;
	double penalty;
	size_t rows;
	size_t *by_time; /* rows by falling time; of survival */
	bool *in;        /* by column: it is part of the products */
	bool products;   /* they are there */
	double *product; /* rows x rows, the lower triangle */
	double *matrix;  /* as large as the smaller side */
	size_t side;
	double *eta, *found, *gradient, *weight, *z, *u, *v, *risk; /* by row, or side */
	double intercept;
	const size_t *columns; /* of this call */
	size_t count;
};

void rs_ridge_destroy(struct rs_ridge *ridge)
{
	if (ridge) {
		rs_free(ridge->by_time);
		rs_free(ridge->in);
		rs_free(ridge->product);
		rs_free(ridge->matrix);
		rs_free(ridge->eta);
	}
	rs_free(ridge);
}

static double dot(const double *a, const double *b, size_t count)
{
	double sum[4] = {0, 0, 0, 0};
	size_t i = 0;
	for (; i + 4 <= count; i += 4)
		for (size_t k = 0; k < 4; k++)
			sum[k] += a[i + k] * b[i + k];
	for (; i < count; i++)
		sum[0] += a[i] * b[i];
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Cholesky, in the lower triangle; rows lie side by side, which is what makes it fast. */
static void factorise(double *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++) {
			double rest = a[i * n + j] - dot(a + i * n, a + j * n, j);
			a[i * n + j] = i == j ? sqrt(fmax(rest, 1e-300)) : rest / a[j * n + j];
		}
}
static void solve(const double *a, size_t n, double *x)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (x[i] - dot(a + i * n, x, i)) / a[i * n + i];
	for (size_t i = n; i-- > 0;) {
		x[i] /= a[i * n + i];
		for (size_t k = 0; k < i; k++)
			x[k] -= a[i * n + k] * x[i];
	}
}

/* ---- the loss and its derivatives by each row's score ---- */

static double derive_classes(struct rs_ridge *r, const double *eta)
{
	double loss = 0;
	for (size_t i = 0; i < r->rows; i++) {
		double p = 1 / (1 + exp(-eta[i]));
		loss += log1p(exp(-fabs(eta[i]))) + (r->outcome[i] ? fmax(-eta[i], 0) : fmax(eta[i], 0));
		r->gradient[i] = r->outcome[i] - p;
		r->weight[i] = fmax(p * (1 - p), WEIGHT_LEAST);
	}
	return loss;
}

/* Rows of one time are at risk together. hazard, squares: Σ d / S and Σ d / S² over the times of events up to a row's. */
static double derive_survival(struct rs_ridge *r, const double *eta)
{
	double largest = -INFINITY, loss = 0, hazard = 0, squares = 0, at_risk = 0;
	double *sums = r->u; /* by place: risk at that time */
	for (size_t i = 0; i < r->rows; i++)
		largest = fmax(largest, eta[i]);
	for (size_t begin = 0, end; begin < r->rows; begin = end) {
		for (end = begin; end < r->rows && r->time[r->by_time[end]] == r->time[r->by_time[begin]];
		     end++)
			at_risk += r->risk[r->by_time[end]] = exp(eta[r->by_time[end]] - largest);
		for (size_t k = begin; k < end; k++)
			sums[k] = at_risk;
	}
	for (size_t end = r->rows, begin; end > 0; end = begin) {
		for (begin = end; begin > 0 && r->time[r->by_time[begin - 1]] == r->time[r->by_time[end - 1]];
		     begin--) {
			size_t i = r->by_time[begin - 1];
			if (!r->outcome[i])
				continue;
			loss += log(sums[begin - 1]) + largest - eta[i];
			hazard += 1 / sums[begin - 1];
			squares += 1 / (sums[begin - 1] * sums[begin - 1]);
		}
		for (size_t k = begin; k < end; k++) {
			size_t i = r->by_time[k];
			r->gradient[i] = r->outcome[i] - r->risk[i] * hazard;
			r->weight[i] = fmax(r->risk[i] * hazard - r->risk[i] * r->risk[i] * squares,
			                    WEIGHT_LEAST);
		}
	}
	return loss;
}

static double derive(struct rs_ridge *r, const double *eta)
{
	return r->time ? derive_survival(r, eta) : derive_classes(r, eta);
}

/* ---- rounds over rows: scores are products × alpha + intercept ---- */

static void update_products(struct rs_ridge *r)
{
	size_t n = r->rows, going = 0, wanted = 0;
	bool *now = r->in + r->x->columns;
	memset(now, 0, r->x->columns * sizeof *now);
	for (size_t k = 0; k < r->count; k++)
		now[r->columns[k]] = true;
	for (size_t c = 0; c < r->x->columns; c++) {
		wanted += now[c];
		going += r->in[c] != now[c];
	}
	if (!r->products ||
	    going > wanted) { /* rather from the beginning: fewer, and no rounding left behind */
		memset(r->product, 0, n * n * sizeof *r->product);
		memset(r->in, 0, r->x->columns * sizeof *r->in);
		r->products = true;
	}
	for (size_t c = 0; c < r->x->columns; c++) {
		const double *x = r->x->values + c * n;
		double sign = now[c] ? 1 : -1;
		if (r->in[c] == now[c])
			continue;
		r->in[c] = now[c];
		for (size_t i = 0; i < n; i++) {
			double own = sign * x[i], *row = r->product + i * n;
			for (size_t j = 0; j <= i; j++)
				row[j] += own * x[j];
		}
	}
}

static double product_at(const struct rs_ridge *r, size_t i, size_t j)
{
	return r->product[j <= i ? i * r->rows + j : j * r->rows + i];
}

/* (products + penalty / weights) alpha = z - intercept, with roots of the weights on both sides. */
static void step_rows(struct rs_ridge *r, double *alpha, double *intercept)
{
	size_t n = r->rows;
	double of_u = 0, of_v = 0;
	for (size_t i = 0; i < n; i++) {
		double root = sqrt(r->weight[i]);
		for (size_t j = 0; j <= i; j++)
			r->matrix[i * n + j] = root * sqrt(r->weight[j]) * r->product[i * n + j];
		r->matrix[i * n + i] += r->penalty;
		r->u[i] = root * r->eta[i] + r->gradient[i] / root;
		r->v[i] = root;
	}
	factorise(r->matrix, n);
	solve(r->matrix, n, r->u);
	solve(r->matrix, n, r->v);
	for (size_t i = 0; i < n; i++) {
		double root = sqrt(r->weight[i]);
		of_u += r->u[i] *= root;
		of_v += r->v[i] *= root;
	}
	*intercept = r->time ? 0 : of_u / of_v;
	for (size_t i = 0; i < n; i++)
		alpha[i] = r->u[i] - *intercept * r->v[i];
}

/* Scores of alpha, and the penalty's part of the loss. */
static double scores_rows(const struct rs_ridge *r, const double *alpha, double intercept, double *eta)
{
	double norm = 0;
	for (size_t i = 0; i < r->rows; i++) {
		double sum = 0;
		for (size_t j = 0; j < r->rows; j++)
			sum += product_at(r, i, j) * alpha[j];
		eta[i] = sum + intercept;
		norm += sum * alpha[i];
	}
	return r->penalty / 2 * norm;
}

/* ---- rounds over columns ---- */

static const double *column(const struct rs_ridge *r, size_t k)
{
	return r->x->values + r->columns[k] * r->rows;
}

static void step_columns(struct rs_ridge *r, double *beta, double *intercept)
{
	size_t n = r->count;
	double all = 0, of_z = 0, with_u = 0, with_v = 0;
	for (size_t i = 0; i < r->rows; i++) {
		r->z[i] = r->weight[i] * r->eta[i] + r->gradient[i];
		all += r->weight[i];
		of_z += r->z[i];
	}
	for (size_t a = 0; a < n; a++) {
		for (size_t i = 0; i < r->rows; i++)
			r->found[i] = r->weight[i] * column(r, a)[i];
		for (size_t b = 0; b <= a; b++)
			r->matrix[a * n + b] = dot(r->found, column(r, b), r->rows);
		r->matrix[a * n + a] += r->penalty;
		r->u[a] = dot(r->z, column(r, a), r->rows);
		r->v[a] = dot(r->weight, column(r, a), r->rows);
		beta[a] = r->v[a];
	}
	factorise(r->matrix, n);
	solve(r->matrix, n, r->u);
	solve(r->matrix, n, r->v);
	for (size_t a = 0; a < n; a++) {
		with_u += beta[a] * r->u[a];
		with_v += beta[a] * r->v[a];
	}
	*intercept = r->time ? 0 : (of_z - with_u) / (all - with_v);
	for (size_t a = 0; a < n; a++)
		beta[a] = r->u[a] - *intercept * r->v[a];
}

static double scores_columns(const struct rs_ridge *r, const double *beta, double intercept, double *eta)
{
	for (size_t i = 0; i < r->rows; i++)
		eta[i] = intercept;
	for (size_t k = 0; k < r->count; k++)
		for (size_t i = 0; i < r->rows; i++)
			eta[i] += beta[k] * column(r, k)[i];
	return r->penalty / 2 * dot(beta, beta, r->count);
}

/* ---- both ---- */

/* at: alpha or beta; `next` and `trial` as large. A step is halved until the loss falls. */
static void settle(struct rs_ridge *r, bool by_rows, double *at, double *next, double *trial)
{
	size_t n = by_rows ? r->rows : r->count;
	double loss, intercept;
	memset(at, 0, n * sizeof *at);
	memset(r->eta, 0, r->rows * sizeof *r->eta);
	r->intercept = 0;
	loss = derive(r, r->eta);
	for (int round = 0; round < ROUNDS_MAX; round++) {
		double before = loss, share = 1;
		if (by_rows)
			step_rows(r, next, &intercept);
		else
			step_columns(r, next, &intercept);
		for (; share > 1e-4; share /= 2) {
			double b = r->intercept + share * (intercept - r->intercept);
			for (size_t k = 0; k < n; k++)
				trial[k] = at[k] + share * (next[k] - at[k]);
			loss = by_rows ? scores_rows(r, trial, b, r->found)
			               : scores_columns(r, trial, b, r->found);
			loss += derive(r, r->found);
			if (loss <= before)
				break;
		}
		if (!(loss <= before))
			break;
		r->intercept += share * (intercept - r->intercept);
		memcpy(at, trial, n * sizeof *at);
		memcpy(r->eta, r->found, r->rows * sizeof *r->eta);
		if (before - loss <= SETTLED * fabs(loss))
			break;
	}
}

enum rs_code rs_ridge_importance(void *context, const size_t *columns, size_t count, double *out,
                                 struct rs_error *err)
{
	struct rs_ridge *r = context;
	bool by_rows = count > r->rows;
	size_t side = by_rows ? r->rows : count;
	double *room RS_CLEANUP(rs_free_pointer) = rs_allocate_array(side, 3 * sizeof *room);
	if (!room)
		return rs_error_memory(err, side * 3 * sizeof *room, "elimination");
	r->columns = columns;
	r->count = count;
	if (by_rows)
		update_products(r);
	settle(r, by_rows, room, room + side, room + 2 * side);
	for (size_t k = 0; k < count; k++) {
		double coefficient = by_rows ? dot(column(r, k), room, r->rows) : room[k];
		out[k] = coefficient * coefficient;
	}
	return RS_OK;
}

struct timed {
	double time;
	size_t row;
};
static int by_falling_time(const void *a, const void *b)
{
	const struct timed *x = a, *y = b;
	if (x->time != y->time)
		return x->time > y->time ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static enum rs_code order_times(struct rs_ridge *r, struct rs_error *err)
{
	struct timed *timed RS_CLEANUP(rs_free_pointer) = rs_allocate_array(r->rows, sizeof *timed);
	r->by_time = rs_allocate_array(r->rows, sizeof *r->by_time);
	if (!timed || !r->by_time)
		return rs_error_memory(err, r->rows * sizeof *timed, "elimination");
	for (size_t i = 0; i < r->rows; i++)
		timed[i] = (struct timed){r->time[i], i};
	qsort(timed, r->rows, sizeof *timed, by_falling_time);
	for (size_t i = 0; i < r->rows; i++)
		r->by_time[i] = timed[i].row;
	return RS_OK;
}

static enum rs_code prepare(struct rs_ridge *r, struct rs_error *err)
{
	size_t n = r->rows, columns = r->x->columns, square, products = 0;
	r->side = columns < n ? columns : n;
	if (!rs_mul_size(r->side, r->side, &square) || (columns > n && !rs_mul_size(n, n, &products)))
		return rs_error_memory(err, SIZE_MAX, "elimination");
	size_t longer = n > r->side ? n : r->side;
	r->in = rs_allocate_array(columns, 2 * sizeof *r->in);
	r->matrix = rs_allocate_array(square, sizeof *r->matrix);
	r->product = rs_allocate_array(products, sizeof *r->product);
	r->eta = rs_allocate_array(longer, 8 * sizeof *r->eta);
	if (!r->in || !r->matrix || !r->product || !r->eta)
		return rs_error_memory(err, square * sizeof *r->matrix, "elimination");
	double **const parts[] = {&r->found, &r->gradient, &r->weight, &r->z, &r->u, &r->v, &r->risk};
	for (size_t k = 0; k < RS_COUNT(parts); k++)
		*parts[k] = r->eta + (k + 1) * longer;
	return r->time ? order_times(r, err) : RS_OK;
}

enum rs_code rs_ridge_create(const struct rs_matrix *x, const uint8_t *outcome, const double *time,
                             double penalty, struct rs_ridge **out, struct rs_error *err)
{
	struct rs_ridge *ridge = rs_allocate(sizeof *ridge);
	if (!ridge)
		return rs_error_memory(err, sizeof *ridge, "elimination");
	*ridge = (struct rs_ridge){
		.x = x, .outcome = outcome, .time = time, .penalty = penalty, .rows = x->rows};
	enum rs_code code = prepare(ridge, err);
	if (code != RS_OK)
		rs_ridge_destroy(ridge);
	else
		*out = ridge;
	return code;
}
