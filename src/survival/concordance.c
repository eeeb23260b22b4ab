/* Pairs are counted by walking through time with a tree of the risks at hand: backwards for what each event meets, forwards
 * for what each subject was met by. */
#include "survival/survival_concordance.h"

#include <math.h>
#include <string.h>

#include "order.h"

/* For one subject: the weight of its pairs, by outcome. */
struct pairs {
	double concordant, discordant, tied_risk;
};
struct counting {
	const struct rs_follow_up *data;
	const struct rs_concordance_options *options;
	size_t *leaving, *entering;
	uint32_t *rank; /* of the risk, from 1 */
	uint32_t ranks;
	double *tree;        /* Fenwick's: sums of weights by rank */
	double *time_weight; /* by place in `leaving`; of events */
	struct pairs *pairs;
	struct rs_concordance *out;
};

static double weight_of(const struct counting *c, size_t row)
{
	return c->data->weight ? c->data->weight[row] : 1;
}

static void tree_add(struct counting *c, uint32_t rank, double weight)
{
	for (uint32_t i = rank; i <= c->ranks; i += i & -i)
		c->tree[i] += weight;
}

static double tree_sum(const struct counting *c, uint32_t rank)
{
	double sum = 0;
	for (uint32_t i = rank; i > 0; i -= i & -i)
		sum += c->tree[i];
	return sum;
}

static void clear_tree(struct counting *c) { memset(c->tree, 0, ((size_t)c->ranks + 1) * sizeof *c->tree); }

/* What is in the tree below, at and above a rank. */
static void split(const struct counting *c, uint32_t rank, double *below, double *at, double *above)
{
	double up_to = tree_sum(c, rank);
	*below = tree_sum(c, rank - 1);
	*at = up_to - *below;
	*above = tree_sum(c, c->ranks) - up_to;
}

static bool has_event(const struct counting *c, size_t place)
{
	return c->data->event[c->leaving[place]] != 0;
}

static double time_at(const struct counting *c, size_t place) { return c->data->time[c->leaving[place]]; }

/* Places first … of one time. */
static size_t end_of_time(const struct counting *c, size_t first, size_t last)
{
	size_t end = first;
	while (end < last && time_at(c, end) == time_at(c, first))
		end++;
	return end;
}

static double time_weight(enum rs_concordance_weight kind, double all, double at_risk, double s, double g)
{
	switch (kind) {
	case RS_CONCORDANCE_UNO: return 1 / (g * g);
	case RS_CONCORDANCE_PETO: return all * s / at_risk;
	case RS_CONCORDANCE_SCHEMPER: return all * s / (g * at_risk);
	case RS_CONCORDANCE_INVERSE_AT_RISK: return 1 / at_risk;
	default: return 1;
	}
}

/* Weights of the times of one stratum, from its survival and censoring curves. */
static void weigh_times(struct counting *c, size_t first, size_t last)
{
	double all = 0, present = 0, s = 1, g = 1;
	size_t entered = first;
	for (size_t i = first; i < last; i++)
		all += weight_of(c, c->leaving[i]);
	present = c->entering ? 0 : all;
	for (size_t i = first, end; i < last; i = end) {
		double events = 0, censored = 0;
		end = end_of_time(c, i, last);
		for (; c->entering && entered < last && c->data->start[c->entering[entered]] < time_at(c, i);
		     entered++)
			present += weight_of(c, c->entering[entered]);
		for (size_t k = i; k < end; k++) {
			c->time_weight[k] = time_weight(c->options->weight, all, present, s, g);
			if (c->options->tau > 0 && time_at(c, i) > c->options->tau)
				c->time_weight[k] = 0;
			*(has_event(c, k) ? &events : &censored) += weight_of(c, c->leaving[k]);
		}
		s *= (present - events) / present;
		if (censored > 0)
			g *= (present - events - censored) / (present - events);
		present -= events + censored;
	}
}

static void meet(struct counting *c, size_t place)
{
	size_t row = c->leaving[place];
	double below, at, above, weight = c->time_weight[place];
	split(c, c->rank[row], &below, &at, &above);
	c->pairs[row].concordant += weight * below;
	c->pairs[row].discordant += weight * above;
	c->pairs[row].tied_risk += weight * at;
	weight *= weight_of(c, row);
	c->out->concordant += weight * below;
	c->out->discordant += weight * above;
	c->out->tied_risk += weight * at;
}

/* Events at one time: no pairs, but counted. */
static void count_ties(struct counting *c, size_t first, size_t end)
{
	double sum = 0, squares = 0, both = 0;
	for (size_t k = first; k < end; k++)
		if (has_event(c, k)) {
			double weight = weight_of(c, c->leaving[k]), below, at, above;
			split(c, c->rank[c->leaving[k]], &below, &at, &above);
			both += weight * at;
			tree_add(c, c->rank[c->leaving[k]], weight);
			sum += weight;
			squares += weight * weight;
		}
	c->out->tied_both += c->time_weight[first] * both;
	c->out->tied_event += c->time_weight[first] * ((sum * sum - squares) / 2 - both);
}

/* Backwards: events meet those who are seen longer; at one time the censored are seen longer than those with the event. */
static void run_backwards(struct counting *c, size_t first, size_t last)
{
	size_t entered = last;
	clear_tree(c);
	for (size_t end = last, begin; end > first; end = begin) {
		double time = time_at(c, end - 1);
		for (begin = end; begin > first && time_at(c, begin - 1) == time;)
			begin--;
		for (; c->entering && entered > first && c->data->start[c->entering[entered - 1]] >= time;
		     entered--)
			tree_add(c, c->rank[c->entering[entered - 1]],
			         -weight_of(c, c->entering[entered - 1]));
		for (size_t k = begin; k < end; k++)
			if (!has_event(c, k))
				tree_add(c, c->rank[c->leaving[k]], weight_of(c, c->leaving[k]));
		for (size_t k = begin; k < end; k++)
			if (has_event(c, k))
				meet(c, k);
		for (size_t k = begin; k < end; k++)
			if (has_event(c, k))
				tree_add(c, c->rank[c->leaving[k]], weight_of(c, c->leaving[k]));
	}
}

/* sign: 1 for all events so far, -1 to take back those before a late entry. */
static void was_met(struct counting *c, size_t row, double sign)
{
	double below, at, above;
	split(c, c->rank[row], &below, &at, &above);
	c->pairs[row].concordant += sign * above;
	c->pairs[row].discordant += sign * below;
	c->pairs[row].tied_risk += sign * at;
}

static void run_forwards(struct counting *c, size_t first, size_t last)
{
	size_t entered = first;
	clear_tree(c);
	for (size_t i = first, end; i < last; i = end) {
		end = end_of_time(c, i, last);
		for (; c->entering && entered < last && c->data->start[c->entering[entered]] < time_at(c, i);
		     entered++)
			was_met(c, c->entering[entered], -1);
		for (size_t k = i; k < end; k++)
			if (has_event(c, k))
				was_met(c, c->leaving[k], 1);
		for (size_t k = i; k < end; k++)
			if (has_event(c, k))
				tree_add(c, c->rank[c->leaving[k]],
				         c->time_weight[k] * weight_of(c, c->leaving[k]));
		for (size_t k = i; k < end; k++)
			if (!has_event(c, k))
				was_met(c, c->leaving[k], 1);
	}
}

static void run_ties(struct counting *c, size_t first, size_t last)
{
	for (size_t i = first, end; i < last; i = end) {
		end = end_of_time(c, i, last);
		count_ties(c, i, end);
		for (size_t k = i; k < end; k++)
			if (has_event(c, k))
				tree_add(c, c->rank[c->leaving[k]], -weight_of(c, c->leaving[k]));
	}
}

static enum rs_code rank_risks(struct counting *c, const double *risk, struct rs_error *err)
{
	size_t n = c->data->count;
	size_t *order RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(order_by(NULL, risk, NULL, n, &order, err));
	for (size_t i = 0; i < n; i++) {
		c->ranks += i == 0 || risk[order[i]] != risk[order[i - 1]];
		c->rank[order[i]] = c->ranks;
	}
	return RS_OK;
}

static enum rs_code standard_error(struct counting *c, struct rs_error *err)
{
	struct rs_concordance *out = c->out;
	const uint32_t *cluster = c->options->cluster;
	size_t n = c->data->count, clusters = n;
	for (size_t i = 0; cluster && i < n; i++)
		if (cluster[i] >= clusters)
			clusters = (size_t)cluster[i] + 1;
	double *sums RS_CLEANUP(rs_free_pointer) = rs_allocate_array(clusters, sizeof *sums);
	if (!sums)
		return rs_error_memory(err, clusters * sizeof *sums, "a standard error");
	double all = out->concordant + out->discordant + out->tied_risk;
	double somers = (out->concordant - out->discordant) / all, variance = 0;
	for (size_t i = 0; i < n; i++) {
		const struct pairs *p = &c->pairs[i];
		sums[cluster ? cluster[i] : i] += weight_of(c, i) / all *
		                                  (p->concordant - p->discordant -
		                                   somers * (p->concordant + p->discordant + p->tied_risk));
	}
	for (size_t i = 0; i < clusters; i++)
		variance += sums[i] * sums[i];
	out->c = (somers + 1) / 2;
	out->error = sqrt(variance) / 2;
	return RS_OK;
}

static void run_stratum(struct counting *c, size_t first, size_t last)
{
	weigh_times(c, first, last);
	run_backwards(c, first, last);
	run_forwards(c, first, last);
	clear_tree(c);
	run_ties(c, first, last);
}

static enum rs_code count(struct counting *c, struct rs_error *err)
{
	const uint32_t *stratum = c->options->stratum;
	size_t n = c->data->count;
	RS_TRY(order_by(stratum, c->data->time, NULL, n, &c->leaving, err));
	if (c->data->start)
		RS_TRY(order_by(stratum, c->data->start, NULL, n, &c->entering, err));
	c->tree = rs_allocate_array((size_t)c->ranks + 1, sizeof *c->tree);
	if (!c->tree)
		return rs_error_memory(err, c->ranks * sizeof *c->tree, "concordance");
	for (size_t first = 0, last; first < n; first = last) {
		for (last = first;
		     last < n && (!stratum || stratum[c->leaving[last]] == stratum[c->leaving[first]]);)
			last++;
		run_stratum(c, first, last);
	}
	return standard_error(c, err);
}

static void counting_finish(struct counting *c)
{
	rs_free(c->leaving);
	rs_free(c->entering);
	rs_free(c->rank);
	rs_free(c->tree);
	rs_free(c->time_weight);
	rs_free(c->pairs);
}

enum rs_code rs_concordance_of(const struct rs_follow_up *data, const double *risk,
                               const struct rs_concordance_options *options, struct rs_concordance *out,
                               struct rs_error *err)
{
	struct rs_concordance made = {0};
	RS_TRY(rs_follow_up_check(data, err));
	if (data->start &&
	    (options->weight == RS_CONCORDANCE_UNO || options->weight == RS_CONCORDANCE_SCHEMPER))
		return rs_error_set(err, RS_USAGE,
		                    "no censoring curve is known for subjects that enter late");
	for (size_t i = 0; i < data->count; i++)
		if (isnan(risk[i]))
			return rs_error_set(err, RS_MALFORMED, "row %zu: the risk is not a number", i + 1);
	struct counting c RS_CLEANUP(counting_finish) = {
		.data = data,
		.options = options,
		.rank = rs_allocate_array(data->count, sizeof *c.rank),
		.time_weight = rs_allocate_array(data->count, sizeof *c.time_weight),
		.pairs = rs_allocate_array(data->count, sizeof *c.pairs),
		.out = &made,
	};
	if (!c.rank || !c.time_weight || !c.pairs)
		return rs_error_memory(err, data->count * sizeof *c.pairs, "concordance");
	RS_TRY(rank_risks(&c, risk, err));
	RS_TRY(count(&c, err));
	*out = made;
	return RS_OK;
}
