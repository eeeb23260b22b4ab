/* From one lambda to the next: Newton's method, whose quadratic is made small column by column, on the columns that move; its
 * curvature serves for several steps while they converge fast.
 * Which those are is guessed by the strong rule (Tibshirani et al. 2012) and held against the conditions of the optimum. */
#include <math.h>
#include <string.h>

#include "elastic_net.h"
#include "numeric/numeric_linear.h"

#define STEPS_MAX 200u
#define SWEEPS_MAX 20000u
#define HALVINGS_MAX 40u
#define ROUNDING 1e-12
#define SLOW 0.1 /* the curvature is found anew when a step's effect is above this share of the one before */
#define SWEEPS_ALONE 32u /* before the columns that are in are solved for at once */

typedef double lanes __attribute__((vector_size(LANES * sizeof(double))));

void net_finish(struct net *net)
{
	rs_free(net->beta);
	rs_free(net->predictor);
	rs_free(net->gradient);
	rs_free(net->strong);
	rs_free(net->active);
	rs_free(net->tall);
	rs_free(net->heavy);
	rs_free(net->diagonal);
	rs_free(net->products);
	rs_free(net->factor);
	rs_free(net->inside);
	rs_free(net->jump);
	rs_free(net->step);
	rs_free(net->slope);
	rs_free(net->work);
	*net = (struct net){0};
}

enum rs_code net_init(struct net *net, const struct standard *standard, struct target *target,
                      const struct rs_elastic_net_options *options, struct rs_error *err)
{
	size_t columns = standard->columns;
	*net = (struct net){
		.standard = standard,
		.target = target,
		.mixing = options->mixing,
		.length = padded(standard->rows + target->extras),
		.settled = true,
	};
	net->beta = rs_allocate_array(columns, sizeof(double));
	net->predictor = rs_allocate_array(standard->stride, sizeof(double));
	net->gradient = rs_allocate_array(columns, sizeof(double));
	net->strong = rs_allocate_array(columns, sizeof(bool));
	net->active = rs_allocate_array(columns, sizeof(size_t));
	net->diagonal = rs_allocate_array(columns, sizeof(double));
	net->inside = rs_allocate_array(columns, sizeof(size_t));
	net->jump = rs_allocate_array(columns, sizeof(double));
	net->step = rs_allocate_array(columns, sizeof(double));
	net->slope = rs_allocate_array(padded(columns), sizeof(double));
	net->work = rs_allocate_array(2, net->length * sizeof(double));
	if (!net->beta || !net->predictor || !net->gradient || !net->strong || !net->active ||
	    !net->diagonal || !net->inside || !net->jump || !net->step || !net->slope || !net->work)
		return rs_error_memory(err, columns * sizeof(double), "a linear model");
	net->loss = target->evaluate(target, net->predictor);
	net->tolerance = (options->threshold > 0 ? options->threshold : 1e-7) *
	                 fmax(net->loss - target->saturated, 1e-300);
	return RS_OK;
}

/* What the loss must fall by for a coefficient to leave 0. INFINITY stands for no lambda at all. */
static double bar(const struct net *net, size_t column, double lambda)
{
	double factor = net->standard->factor[column];
	if (factor == 0)
		return 0;
	return isinf(lambda) ? INFINITY : lambda * factor * net->mixing;
}

static double pull(const struct net *net, size_t column)
{
	double factor = net->standard->factor[column];
	return factor == 0 || isinf(net->lambda) ? 0 : net->lambda * factor * (1 - net->mixing);
}

double net_largest_lambda(const struct net *net)
{
	double largest = 0, mixing = fmax(net->mixing, 1e-3);
	for (size_t c = 0; c < net->standard->columns; c++)
		if (net->standard->factor[c] > 0)
			largest = fmax(largest, fabs(net->gradient[c]) / (mixing * net->standard->factor[c]));
	return largest;
}

static double penalty(const struct net *net)
{
	double sum = 0;
	for (size_t c = 0; c < net->standard->columns; c++) {
		double b = net->beta[c];
		if (b != 0)
			sum += bar(net, c, net->lambda) * fabs(b) + pull(net, c) * b * b / 2;
	}
	return sum;
}

static void find_gradient(struct net *net, bool all)
{
	const struct standard *s = net->standard;
	for (size_t c = 0; c < s->columns; c++)
		if (s->deviation[c] > 0 && (all || net->strong[c]))
			net->gradient[c] = inner_product(&s->x[c * s->stride], net->target->residual,
			                                 s->stride);
}

/* Whether a coefficient of 0 is not where the loss wants it. A copy of a column that is in stays out, rounding or not. */
static bool wants_in(const struct net *net, size_t column)
{
	return fabs(net->gradient[column]) > bar(net, column, net->lambda) * (1 + ROUNDING);
}

static bool moves(const struct net *net, size_t column)
{
	const struct standard *s = net->standard;
	return s->deviation[column] > 0 && net->strong[column] &&
	       (net->beta[column] != 0 || s->factor[column] == 0 || wants_in(net, column));
}

static void choose_active(struct net *net)
{
	net->active_count = 0;
	for (size_t c = 0; c < net->standard->columns; c++)
		if (moves(net, c))
			net->active[net->active_count++] = c;
}

/* Whether all columns that move are active already. */
static bool is_covered(const struct net *net)
{
	for (size_t c = 0, k = 0; c < net->standard->columns; c++) {
		bool active = k < net->active_count && net->active[k] == c;
		if (!active && moves(net, c))
			return false;
		k += active;
	}
	return true;
}

/* Products of all active columns are kept unless there are more of them than numbers in a column. */
static bool keeps_products(const struct net *net) { return net->active_count <= net->length; }

static enum rs_code make_room(struct net *net, struct rs_error *err)
{
	size_t need = net->active_count, cells = 0, squares = 0;
	if (need <= net->active_room)
		return RS_OK;
	need = need < net->standard->columns / 2 ? need + need / 2 + 8 : net->standard->columns;
	size_t side = need < net->length ? need : net->length;
	rs_free(net->tall);
	rs_free(net->heavy);
	rs_free(net->products);
	rs_free(net->factor);
	net->tall = net->heavy = net->products = net->factor = NULL;
	net->active_room = 0;
	if (rs_mul_size(need, net->length, &cells) && rs_mul_size(side, padded(side), &squares)) {
		net->tall = rs_allocate_array(cells, sizeof(double));
		net->heavy = rs_allocate_array(cells, sizeof(double));
		net->products = rs_allocate_array(squares, sizeof(double));
		net->factor = rs_allocate_array(squares, sizeof(double));
	}
	if (!net->tall || !net->heavy || !net->products || !net->factor)
		return rs_error_memory(err, cells * sizeof(double), "a linear model's columns");
	net->active_room = need;
	return RS_OK;
}

/* Two columns against two at once: each number loaded serves twice. */
static void multiply_pairs(const double *a, const double *b, size_t length, double out[4])
{
	lanes sum[4] = {{0}, {0}, {0}, {0}};
	for (size_t i = 0; i < length; i += LANES) {
		lanes a0, a1, b0, b1;
		memcpy(&a0, &a[i], sizeof a0);
		memcpy(&a1, &a[length + i], sizeof a1);
		memcpy(&b0, &b[i], sizeof b0);
		memcpy(&b1, &b[length + i], sizeof b1);
		sum[0] += a0 * b0;
		sum[1] += a0 * b1;
		sum[2] += a1 * b0;
		sum[3] += a1 * b1;
	}
	for (size_t k = 0; k < 4; k++)
		out[k] = (sum[k][0] + sum[k][1]) + (sum[k][2] + sum[k][3]);
}

static void store_product(struct net *net, size_t a, size_t b, double value)
{
	size_t side = padded(net->active_count);
	net->products[a * side + b] = value;
	net->products[b * side + a] = value;
}

static void find_products(struct net *net)
{
	size_t count = net->active_count, even = count / 2 * 2;
	double four[4];
	if (count > 0)
		memset(net->products, 0, count * padded(count) * sizeof(double));
	for (size_t a = 0; a < even; a += 2)
		for (size_t b = 0; b <= a; b += 2) {
			multiply_pairs(&net->heavy[a * net->length], &net->tall[b * net->length], net->length,
			               four);
			for (size_t k = 0; k < 4; k++)
				store_product(net, a + k / 2, b + k % 2, four[k]);
		}
	for (size_t b = 0; b < count && even < count; b++)
		store_product(net, even, b,
		              inner_product(&net->heavy[even * net->length], &net->tall[b * net->length],
		                            net->length));
}

/* The quadratic's slope at the present coefficients. */
static void aim(struct net *net)
{
	for (size_t k = 0; k < net->active_count; k++) {
		net->slope[k] = net->gradient[net->active[k]];
		net->step[k] = 0;
	}
	memset(net->work, 0, net->length * sizeof *net->work);
}

/* Its curvature. */
static void build(struct net *net)
{
	const struct standard *s = net->standard;
	const struct target *target = net->target;
	for (size_t k = 0; k < net->active_count; k++) {
		const double *x = &s->x[net->active[k] * s->stride];
		double *tall = &net->tall[k * net->length], *heavy = &net->heavy[k * net->length];
		memset(tall, 0, net->length * sizeof *tall);
		memset(heavy, 0, net->length * sizeof *heavy);
		memcpy(tall, x, s->rows * sizeof *tall);
		target->extend(target, x, &tall[s->rows]);
		for (size_t r = 0; r < s->rows; r++)
			heavy[r] = target->curvature[r] * tall[r];
		for (size_t e = 0; e < target->extras; e++)
			heavy[s->rows + e] = -target->extra_weight[e] * tall[s->rows + e];
		net->diagonal[k] = inner_product(tall, heavy, net->length);
	}
	if (keeps_products(net))
		find_products(net);
}

static void add_to(double *to, const double *from, double times, size_t padded_count)
{
	for (size_t i = 0; i < padded_count; i += LANES) {
		lanes sum, more;
		memcpy(&sum, &to[i], sizeof sum);
		memcpy(&more, &from[i], sizeof more);
		sum += more * times;
		memcpy(&to[i], &sum, sizeof sum);
	}
}

/* Puts one coefficient where the quadratic is least. Returns what that may change of the loss. */
static double adjust(struct net *net, size_t k)
{
	size_t column = net->active[k], side = padded(net->active_count);
	double curve = net->diagonal[k], at = net->beta[column] + net->step[k];
	bool kept = keeps_products(net);
	double slope = kept ? net->slope[k]
	                    : net->slope[k] -
	                               inner_product(&net->heavy[k * net->length], net->work, net->length);
	double wanted = slope + curve * at, least = bar(net, column, net->lambda);
	double to = 0;
	if (!(curve > 0))
		return 0;
	if (fabs(wanted) > least)
		to = (wanted - copysign(least, wanted)) / (curve + pull(net, column));
	double change = to - at;
	if (change == 0)
		return 0;
	net->step[k] = to == 0 ? -net->beta[column] : net->step[k] + change;
	if (kept)
		add_to(net->slope, &net->products[k * side], -change, side);
	else
		add_to(net->work, &net->tall[k * net->length], change, net->length);
	return curve * change * change;
}

/* Solves for all coefficients that are not 0, their signs as they are, and goes there, or as far as none changes its sign:
 * where columns say nearly the same, going column by column hardly moves. */
static void leap(struct net *net)
{
	size_t count = 0, side = padded(net->active_count);
	double share = 1;
	for (size_t k = 0; k < net->active_count; k++)
		if (net->beta[net->active[k]] + net->step[k] != 0 && net->diagonal[k] > 0)
			net->inside[count++] = k;
	for (size_t i = 0; i < count; i++) {
		size_t k = net->inside[i], column = net->active[k];
		double at = net->beta[column] + net->step[k];
		for (size_t j = 0; j <= i; j++)
			net->factor[i * count + j] = net->products[k * side + net->inside[j]];
		net->factor[i * count + i] += pull(net, column);
		net->jump[i] = net->slope[k] - copysign(bar(net, column, net->lambda), at) -
		               pull(net, column) * at;
	}
	rs_ldl(net->factor, count, 1e-13);
	rs_ldl_solve(net->factor, count, net->jump);
	for (size_t i = 0; i < count; i++) {
		size_t column = net->active[net->inside[i]];
		double at = net->beta[column] + net->step[net->inside[i]], to = at + net->jump[i];
		if (net->standard->factor[column] > 0 && to * at < 0)
			share = fmin(share, -at / net->jump[i]);
	}
	for (size_t i = 0; i < count; i++) {
		size_t k = net->inside[i];
		net->step[k] += share * net->jump[i];
		add_to(net->slope, &net->products[k * side], -share * net->jump[i], side);
	}
}

/* False: not there yet. */
static bool descend(struct net *net)
{
	for (unsigned sweep = 0; sweep < SWEEPS_MAX; sweep++) {
		double largest = 0;
		for (size_t k = 0; k < net->active_count; k++)
			largest = fmax(largest, adjust(net, k));
		if (largest < net->tolerance)
			return true;
		if (sweep % SWEEPS_ALONE == SWEEPS_ALONE - 1 && keeps_products(net))
			leap(net);
	}
	return false;
}

/* Takes a share of the step: the whole, then halves of it until the penalised loss does not rise. False: never. */
static bool take_step(struct net *net, double before)
{
	const struct standard *s = net->standard;
	double share = 1, taken = 0;
	for (unsigned halving = 0; halving <= HALVINGS_MAX; halving++) {
		double move = share - taken;
		for (size_t k = 0; k < net->active_count; k++) {
			size_t column = net->active[k];
			if (net->step[k] == 0)
				continue;
			net->beta[column] = share == 1 && net->step[k] == -net->beta[column]
			                            ? 0
			                            : net->beta[column] + move * net->step[k];
			add_to(net->predictor, &s->x[column * s->stride], move * net->step[k], s->stride);
		}
		net->loss = net->target->evaluate(net->target, net->predictor);
		if (net->loss + penalty(net) <= before + ROUNDING * fabs(before))
			return share > 0;
		taken = share;
		share = halving == HALVINGS_MAX - 1 ? 0 : share / 2;
	}
	return false;
}

static double effect(const struct net *net)
{
	double largest = 0;
	for (size_t k = 0; k < net->active_count; k++)
		largest = fmax(largest, net->diagonal[k] * net->step[k] * net->step[k]);
	return largest;
}

/* Columns left aside that want in after all become strong. */
static bool find_overlooked(struct net *net)
{
	bool any = false;
	for (size_t c = 0; c < net->standard->columns; c++)
		if (!net->strong[c] && net->standard->deviation[c] > 0 && wants_in(net, c))
			any = net->strong[c] = true;
	return any;
}

enum rs_code net_move(struct net *net, double lambda_before, double lambda, struct rs_error *err)
{
	net->lambda = lambda;
	find_gradient(net, true);
	for (size_t c = 0; c < net->standard->columns; c++)
		net->strong[c] = net->beta[c] != 0 || net->standard->factor[c] == 0 ||
		                 (!isinf(lambda) &&
		                  fabs(net->gradient[c]) >=
		                          2 * bar(net, c, lambda) - bar(net, c, lambda_before));
	bool stale = true;
	double last = INFINITY;
	for (unsigned step = 0; step < STEPS_MAX; step++) {
		bool reused = !stale && is_covered(net);
		if (!reused) {
			choose_active(net);
			RS_TRY(make_room(net, err));
			build(net);
		}
		aim(net);
		bool least = descend(net);
		double before = net->loss + penalty(net), change = effect(net);
		bool better = take_step(net, before);
		stale = reused && (!better || change > SLOW * last);
		last = change;
		if ((better || reused) && (!least || change >= net->tolerance)) {
			find_gradient(net, false);
			continue;
		}
		find_gradient(net, true);
		if (!find_overlooked(net)) {
			net->settled = net->settled && better;
			return RS_OK;
		}
	}
	net->settled = false;
	return RS_OK;
}
