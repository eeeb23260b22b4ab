/* Risks and groups held against when the event came. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "columns.h"
#include "evaluate.h"
#include "numeric/numeric_distribution.h"
#include "survival/survival_concordance.h"
#include "survival/survival_cox.h"

/* On the logit scale, so that it stays within [0, 1]. */
static struct rs_interval concordance_interval(const struct rs_concordance *c, double level)
{
	if (!(c->c > 0 && c->c < 1))
		return (struct rs_interval){c->c, 0, 1};
	double logit = log(c->c / (1 - c->c));
	double width = rs_normal_quantile(0.5 + 0.5 * level) * c->error / (c->c * (1 - c->c));
	return (struct rs_interval){c->c, 1 / (1 + exp(width - logit)), 1 / (1 + exp(-width - logit))};
}

static enum rs_code tell_concordance(const struct told *told, const struct rs_follow_up *seen, size_t s,
                                     struct rs_error *err)
{
	static const struct {
		const char *name;
		enum rs_concordance_weight weight;
	} kinds[] = {{"harrell_c", RS_CONCORDANCE_HARRELL}, {"uno_c", RS_CONCORDANCE_UNO}};
	for (size_t k = 0; k < RS_COUNT(kinds); k++) {
		struct rs_concordance found;
		const struct rs_concordance_options options = {.weight = kinds[k].weight};
		RS_TRY(rs_concordance_of(seen, told->score[s], &options, &found, err));
		struct rs_interval interval = concordance_interval(&found, told->asked->level);
		double z = found.error > 0 ? (found.c - 0.5) / found.error : NAN;
		finding_tell(told, told->asked->scores[s], kinds[k].name, interval.value, interval.lower,
		             interval.upper, rs_normal_two_sided(z));
	}
	return RS_OK;
}

static double deviation(const double *values, size_t count)
{
	double mean = 0, sum = 0;
	for (size_t i = 0; i < count; i++)
		mean += values[i] / (double)count;
	for (size_t i = 0; i < count; i++)
		sum += (values[i] - mean) * (values[i] - mean);
	return count > 1 ? sqrt(sum / (double)(count - 1)) : 0;
}

/* Cox's model of the score alone. */
static enum rs_code tell_hazard(const struct told *told, const struct rs_follow_up *seen, size_t s,
                                struct rs_error *err)
{
	const char *of = told->asked->scores[s];
	const struct rs_cox_data data = {.follow_up = *seen, .columns = 1, .x = told->score[s]};
	struct rs_cox_model model RS_CLEANUP(rs_cox_model_finish) = {0};
	double chi_square[2], p[2];
	RS_TRY(rs_cox_fit(&data, &(struct rs_cox_options){0}, &model, err));
	double unit = deviation(told->score[s], told->count), beta = model.coefficients[0];
	double error = sqrt(model.variance[0]), z = rs_normal_quantile(0.5 + 0.5 * told->asked->level);
	if (!model.converged || model.aliased[0]) {
		finding_tell_value(told, of, "hazard_ratio_per_deviation", NAN);
		return RS_OK;
	}
	finding_tell(told, of, "hazard_ratio_per_deviation", exp(unit * beta), exp(unit * (beta - z * error)),
	             exp(unit * (beta + z * error)), rs_normal_two_sided(beta / error));
	RS_TRY(rs_cox_proportionality(&model, &data, RS_COX_EFRON, chi_square, p, err));
	finding_tell(told, of, "proportionality", chi_square[0], NAN, NAN, p[0]);
	return RS_OK;
}

static enum rs_code tell_curve(const struct told *told, const struct rs_follow_up *seen, const char *of,
                               const size_t *rows, size_t count, struct rs_error *err)
{
	struct rs_survival_curve curve RS_CLEANUP(rs_survival_curve_finish) = {0};
	double events = 0;
	RS_TRY(rs_survival_curve_fit(seen, rows, count, RS_INTERVAL_LOG_LOG, told->asked->level, &curve,
	                             err));
	for (size_t i = 0; i < curve.count; i++)
		events += curve.points[i].events;
	struct rs_survival_quantile median = rs_survival_quantile_of(&curve, 0.5);
	if (*of)
		finding_tell_value(told, of, "rows", (double)count);
	finding_tell_value(told, of, "events", events);
	finding_tell(told, of, "median_survival", median.time, median.lower, median.upper, NAN);
	if (isnan(told->asked->horizon))
		return RS_OK;
	const struct rs_survival_point *at = rs_survival_curve_at(&curve, told->asked->horizon);
	bool seen_so_long = told->asked->horizon <= curve.points[curve.count - 1].time;
	if (!at || !seen_so_long)
		finding_tell_value(told, of, "survival_at_horizon", at ? NAN : 1);
	else
		finding_tell(told, of, "survival_at_horizon", at->survival, at->lower, at->upper, NAN);
	return RS_OK;
}

/* Groups by name, in the order they first occur. */
static enum rs_code compare_groups(const struct told *told, const struct rs_follow_up *seen,
                                   struct rs_error *err)
{
	const struct rs_csv *table = told->asked->table;
	size_t column = rs_csv_column(table, told->asked->group);
	uint32_t *group RS_CLEANUP(rs_free_pointer) = rs_allocate_array(told->count, sizeof *group),
			groups = 0;
	size_t *first RS_CLEANUP(rs_free_pointer) = rs_allocate_array(told->count, sizeof *first);
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(told->count, sizeof *rows);
	if (!group || !first || !rows)
		return rs_error_memory(err, told->count * sizeof *rows, "groups");
	for (size_t i = 0; i < told->count; i++) {
		const char *name = rs_csv_cell(table, told->rows[i], column);
		while (group[i] < groups &&
		       strcmp(rs_csv_cell(table, told->rows[first[group[i]]], column), name) != 0)
			group[i]++;
		if (group[i] == groups)
			first[groups++] = i;
		if (groups > 64)
			return rs_error_set(err, RS_USAGE,
			                    "column %s has more than 64 groups; is it a measurement?",
			                    told->asked->group);
	}
	for (uint32_t g = 0; g < groups; g++) {
		size_t count = 0;
		for (size_t i = 0; i < told->count; i++)
			if (group[i] == g)
				rows[count++] = i;
		char name[256];
		snprintf(name, sizeof name, "%s = %s", told->asked->group,
		         rs_csv_cell(table, told->rows[first[g]], column));
		RS_TRY(tell_curve(told, seen, name, rows, count, err));
	}
	struct rs_survival_comparison found RS_CLEANUP(rs_survival_comparison_finish) = {0};
	RS_TRY(rs_survival_compare(seen, group, groups, NULL, 0, &found, err));
	finding_tell(told, told->asked->group, "log_rank", found.chi_square, NAN, NAN, found.p);
	return RS_OK;
}

enum rs_code evaluate_survival(struct told *told, struct rs_error *err)
{
	const struct rs_follow_up seen = {told->count, NULL, told->time, told->outcome, NULL};
	if (told->positives == 0)
		return rs_error_set(err, RS_NOT_FOUND, "nobody of %zu subjects had the event", told->count);
	RS_TRY(tell_curve(told, &seen, "", NULL, told->count, err));
	for (size_t s = 0; s < told->asked->score_count; s++) {
		RS_TRY(tell_concordance(told, &seen, s, err));
		RS_TRY(tell_hazard(told, &seen, s, err));
	}
	return told->asked->group ? compare_groups(told, &seen, err) : RS_OK;
}
