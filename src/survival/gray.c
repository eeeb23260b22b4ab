/* Gray's test (Annals of Statistics 16:1141, 1988): groups by the hazard of the subdistribution, its variance by the
 * contributions of each group's martingales. */
#include <math.h>
#include <string.h>

#include "interval.h"
#include "order.h"
#include "survival/survival_competing.h"

/* One group within one stratum: before the present time, and just after it. */
struct group {
	double at_risk, events, competing; /* events of the type; at the present time */
	double survival[2], incidence[2];
	double square; /* sum of variances of its increments */
};
struct gray {
	const struct rs_follow_up *data;
	const uint32_t *group;
	size_t count; /* groups */
	uint8_t type;
	double rho;
	const size_t *order;
	struct group *groups;
	double *now, *sum;    /* count x count: a(t), c(t) of the paper's section 3 */
	double *cross, *work; /* count x count; count */
	double *variance, *observed, *expected;
};

/* Adds one group's increment of variance `part` with the integrand now - share × sum (now: only for the type's events). */
static void add_increment(struct gray *g, size_t k, double now, double share, double part)
{
	size_t n = g->count;
	g->groups[k].square += share * share * part;
	for (size_t i = 0; i < n; i++)
		g->work[i] = now * g->now[i * n + k] - share * g->sum[i * n + k];
	for (size_t i = 0; i < n; i++) {
		g->cross[i * n + k] += g->work[i] * share * part;
		for (size_t j = 0; j < n; j++)
			g->variance[i * n + j] += g->work[i] * g->work[j] * part;
	}
}

/* a(t) and c(t); `total`: what is at risk of the subdistribution, in all. */
static void add_matrices(struct gray *g, double events, double total, double incidence)
{
	double weight = pow(1 - incidence, g->rho);
	for (size_t i = 0; i < g->count; i++)
		for (size_t j = 0; j < g->count; j++) {
			const struct group *a = &g->groups[i], *b = &g->groups[j];
			double *now = &g->now[i * g->count + j];
			*now = 0;
			if (!(a->at_risk > 0 && b->at_risk > 0))
				continue;
			double of_a = a->at_risk / a->survival[0], of_b = b->at_risk / b->survival[0];
			*now = weight * of_a * ((i == j ? 1 : 0) - of_b / total);
			g->sum[i * g->count + j] += *now * events / (total * (1 - incidence));
		}
}

/* One time with events; `incidence`: of all groups, before it; returns that after it. */
static double add_time(struct gray *g, double events, double incidence)
{
	double total = 0, free = 0, weight = pow(1 - incidence, g->rho);
	for (size_t k = 0; k < g->count; k++) {
		struct group *at = &g->groups[k];
		if (!(at->at_risk > 0))
			continue;
		at->survival[1] = at->survival[0] * (at->at_risk - at->events - at->competing) / at->at_risk;
		at->incidence[1] = at->incidence[0] + at->survival[0] * at->events / at->at_risk;
		total += at->at_risk / at->survival[0];
		free += at->at_risk * (1 - at->incidence[0]) / at->survival[0];
	}
	double after = incidence + events / total;
	add_matrices(g, events, total, incidence);
	for (size_t k = 0; k < g->count; k++) {
		struct group *at = &g->groups[k];
		if (!(at->at_risk > 0))
			continue;
		double scale = at->survival[0] / at->at_risk;
		double share = at->survival[1] > 0 ? (1 - after) / at->survival[1] : 0;
		g->observed[k] += weight * at->events;
		g->expected[k] += weight * events * (1 - at->incidence[0]) / (scale * free);
		if (events > 0) {
			double ties = events > 1 ? 1 - (events - 1) / (total * at->survival[0] - 1) : 1;
			add_increment(g, k, 1, at->survival[1] > 0 ? 1 - share : 1,
			              ties * scale * events / total);
		}
		if (at->competing > 0 && at->survival[1] > 0) {
			double ties = at->competing > 1 ? 1 - (at->competing - 1) / (at->at_risk - 1) : 1;
			add_increment(g, k, 0, -share, ties * scale * scale * at->competing);
		}
	}
	return after;
}

static void close_stratum(struct gray *g)
{
	size_t n = g->count;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			for (size_t k = 0; k < n; k++)
				g->variance[i * n + j] += g->sum[i * n + k] * g->sum[j * n + k] *
				                                  g->groups[k].square +
				                          g->sum[i * n + k] * g->cross[j * n + k] +
				                          g->sum[j * n + k] * g->cross[i * n + k];
}

/* Rows first … last - 1 of the order are one stratum. */
static void add_stratum(struct gray *g, size_t first, size_t last)
{
	double incidence = 0;
	memset(g->sum, 0, g->count * g->count * sizeof *g->sum);
	memset(g->cross, 0, g->count * g->count * sizeof *g->cross);
	for (size_t k = 0; k < g->count; k++)
		g->groups[k] = (struct group){.survival = {1, 1}};
	for (size_t i = first; i < last; i++)
		g->groups[g->group[g->order[i]]].at_risk++;
	for (size_t i = first, next; i < last; i = next) {
		double events = 0, competing = 0;
		for (size_t k = 0; k < g->count; k++)
			g->groups[k].events = g->groups[k].competing = 0;
		for (next = i; next < last && g->data->time[g->order[next]] == g->data->time[g->order[i]];
		     next++) {
			uint8_t event = g->data->event[g->order[next]];
			struct group *at = &g->groups[g->group[g->order[next]]];
			at->events += event == g->type;
			at->competing += event != 0 && event != g->type;
			events += event == g->type;
			competing += event != 0 && event != g->type;
		}
		if (events + competing > 0)
			incidence = add_time(g, events, incidence);
		for (size_t k = i; k < next; k++)
			g->groups[g->group[g->order[k]]].at_risk--;
		for (size_t k = 0; k < g->count; k++) {
			g->groups[k].survival[0] = g->groups[k].survival[1];
			g->groups[k].incidence[0] = g->groups[k].incidence[1];
		}
	}
	close_stratum(g);
}

/* Strata one after the other. */
static void add_all(struct gray *g, const uint32_t *stratum, struct rs_survival_comparison *out)
{
	size_t n = g->data->count;
	for (size_t i = 0; i < n; i++)
		out->subjects[g->group[i]]++;
	for (size_t first = 0, last; first < n; first = last) {
		for (last = first;
		     last < n && (!stratum || stratum[g->order[last]] == stratum[g->order[first]]);)
			last++;
		add_stratum(g, first, last);
	}
}

enum rs_code rs_incidence_compare(const struct rs_follow_up *data, uint8_t type, const uint32_t *group,
                                  uint32_t groups, const uint32_t *stratum, double rho,
                                  struct rs_survival_comparison *out, struct rs_error *err)
{
	size_t *order RS_CLEANUP(rs_free_pointer) = NULL, square = (size_t)groups * groups;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array((size_t)4 * groups + 1,
	                                                             (size_t)groups * sizeof *work);
	struct group *parts RS_CLEANUP(rs_free_pointer) = rs_allocate_array(groups, sizeof *parts);
	struct rs_survival_comparison made RS_CLEANUP(rs_survival_comparison_finish) = {
		.groups = groups,
		.subjects = rs_allocate_array(groups, sizeof(double)),
		.observed = rs_allocate_array(groups, sizeof(double)),
		.expected = rs_allocate_array(groups, sizeof(double)),
	};
	if (!work || !parts || !made.subjects || !made.observed || !made.expected)
		return rs_error_memory(err, square * sizeof(double), "a comparison");
	RS_TRY(rs_follow_up_check(data, err));
	if (data->start || data->weight)
		return rs_error_set(err, RS_USAGE, "Gray's test: late entry and weights are not handled");
	RS_TRY(order_by(stratum, data->time, NULL, data->count, &order, err));
	struct gray g = {
		.data = data,
		.group = group,
		.count = groups,
		.type = type,
		.rho = rho,
		.order = order,
		.groups = parts,
		.now = work,
		.sum = work + square,
		.cross = work + 2 * square,
		.variance = work + 3 * square,
		.work = work + 4 * square,
		.observed = made.observed,
		.expected = made.expected,
	};
	add_all(&g, stratum, &made);
	RS_TRY(comparison_test(g.variance, &made, err));
	*out = made;
	made = (struct rs_survival_comparison){0};
	return RS_OK;
}
