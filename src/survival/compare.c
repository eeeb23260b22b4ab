/* Comparison of groups: observed events, and those expected if all groups were alike. */
#include <math.h>

#include "interval.h"
#include "order.h"
#include "survival/survival.h"

struct comparing {
	const struct rs_follow_up *data;
	const uint32_t *group, *stratum;
	size_t groups;
	const size_t *leaving, *entering;
	double rho;
	double *at_risk, *dying; /* by group */
	double *observed, *expected, *variance;
};

void rs_survival_comparison_finish(struct rs_survival_comparison *comparison)
{
	rs_free(comparison->subjects);
	rs_free(comparison->observed);
	rs_free(comparison->expected);
	*comparison = (struct rs_survival_comparison){0};
}

/* One time at which somebody dies: hypergeometric mean and covariance, weighted by survival^rho. */
static void add_time(struct comparing *c, double at_risk, double dying, double weight)
{
	double spread = at_risk > 1 ? dying * (at_risk - dying) / (at_risk * at_risk * (at_risk - 1)) : 0;
	for (size_t g = 0; g < c->groups; g++) {
		c->observed[g] += weight * c->dying[g];
		c->expected[g] += weight * dying * c->at_risk[g] / at_risk;
		double *row = &c->variance[g * c->groups];
		for (size_t h = 0; h < c->groups; h++)
			row[h] += weight * weight * spread * c->at_risk[g] *
			          ((g == h ? at_risk : 0) - c->at_risk[h]);
	}
}

static bool same_stratum(const struct comparing *c, size_t row, size_t other)
{
	return !c->stratum || c->stratum[row] == c->stratum[other];
}

/* Subjects first … last - 1 of the order are one stratum. */
static void add_stratum(struct comparing *c, size_t first, size_t last)
{
	double survival = 1, total = 0;
	size_t entered = first;
	for (size_t g = 0; g < c->groups; g++)
		c->at_risk[g] = 0;
	for (size_t i = first; i < last && !c->entering; i++, total++)
		c->at_risk[c->group[c->leaving[i]]]++;
	for (size_t i = first, next; i < last; i = next) {
		double time = c->data->time[c->leaving[i]], dying = 0;
		for (; c->entering && entered < last && c->data->start[c->entering[entered]] < time;
		     entered++, total++)
			c->at_risk[c->group[c->entering[entered]]]++;
		for (size_t g = 0; g < c->groups; g++)
			c->dying[g] = 0;
		for (next = i; next < last && c->data->time[c->leaving[next]] == time; next++) {
			if (!c->data->event[c->leaving[next]])
				continue;
			c->dying[c->group[c->leaving[next]]]++;
			dying++;
		}
		if (dying > 0)
			add_time(c, total, dying, c->rho == 0 ? 1 : pow(survival, c->rho));
		survival *= (total - dying) / total;
		for (size_t k = i; k < next; k++, total--)
			c->at_risk[c->group[c->leaving[k]]]--;
	}
}

static void add_all(struct comparing *c, struct rs_survival_comparison *out)
{
	for (size_t i = 0; i < c->data->count; i++)
		out->subjects[c->group[i]]++;
	for (size_t first = 0, last; first < c->data->count; first = last) {
		for (last = first;
		     last < c->data->count && same_stratum(c, c->leaving[first], c->leaving[last]);)
			last++;
		add_stratum(c, first, last);
	}
}

enum rs_code rs_survival_compare(const struct rs_follow_up *data, const uint32_t *group, uint32_t groups,
                                 const uint32_t *stratum, double rho, struct rs_survival_comparison *out,
                                 struct rs_error *err)
{
	size_t *leaving RS_CLEANUP(rs_free_pointer) = NULL;
	size_t *entering RS_CLEANUP(rs_free_pointer) = NULL;
	double *work RS_CLEANUP(rs_free_pointer) = rs_allocate_array((size_t)groups + 2,
	                                                             (size_t)groups * sizeof *work);
	struct rs_survival_comparison made RS_CLEANUP(rs_survival_comparison_finish) = {
		.groups = groups,
		.subjects = rs_allocate_array(groups, sizeof(double)),
		.observed = rs_allocate_array(groups, sizeof(double)),
		.expected = rs_allocate_array(groups, sizeof(double)),
	};
	if (!work || !made.subjects || !made.observed || !made.expected)
		return rs_error_memory(err, groups * groups * sizeof(double), "a comparison");
	RS_TRY(rs_follow_up_check(data, err));
	RS_TRY(order_by(stratum, data->time, NULL, data->count, &leaving, err));
	if (data->start)
		RS_TRY(order_by(stratum, data->start, NULL, data->count, &entering, err));
	struct comparing c = {
		.data = data,
		.group = group,
		.stratum = stratum,
		.groups = groups,
		.leaving = leaving,
		.entering = entering,
		.rho = rho,
		.at_risk = work,
		.dying = work + groups,
		.variance = work + (size_t)2 * groups,
		.observed = made.observed,
		.expected = made.expected,
	};
	add_all(&c, &made);
	RS_TRY(comparison_test(c.variance, &made, err));
	*out = made;
	made = (struct rs_survival_comparison){0};
	return RS_OK;
}
