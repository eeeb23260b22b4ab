/* Restricted means of groups, their differences and ratios; curves as tables. */
#include <math.h>
#include <stdio.h>

#include "analysis.h"
#include "numeric/numeric_distribution.h"
#include "survival/survival_competing.h"

/* "sex = 1", "all" without groups. */
static void group_name(const struct analysis *a, uint32_t group, char out[static 256])
{
	const struct rs_survival_analysis *asked = a->asked;
	if (!asked->group) {
		snprintf(out, 256, "all");
		return;
	}
	size_t column = rs_csv_column(asked->table, asked->group);
	snprintf(out, 256, "%s = %s", asked->group,
	         rs_csv_cell(asked->table, a->told.rows[a->groups.first[group]], column));
}

static size_t group_rows(const struct analysis *a, uint32_t group, size_t *out)
{
	size_t count = 0;
	for (size_t i = 0; i < a->told.count; i++)
		if (!a->asked->group || a->groups.code[i] == group)
			out[count++] = i;
	return count;
}

static uint32_t group_count(const struct analysis *a) { return a->asked->group ? a->groups.count : 1; }

/* ---- restricted means ---- */

struct mean {
	double value, error, last; /* last: its last time; infinite where nobody is left */
};

static enum rs_code find_means(const struct analysis *a, double tau, struct mean *out, struct rs_error *err)
{
	const struct rs_follow_up seen = told_seen(&a->told);
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(a->told.count, sizeof *rows);
	if (!rows)
		return rs_error_memory(err, a->told.count * sizeof *rows, "groups");
	for (uint32_t g = 0; g < group_count(a); g++) {
		struct rs_survival_curve curve RS_CLEANUP(rs_survival_curve_finish) = {0};
		size_t count = group_rows(a, g, rows);
		RS_TRY(rs_survival_curve_fit(&seen, rows, count, a->asked->interval, a->asked->level, &curve,
		                             err));
		const struct rs_survival_point *end = &curve.points[curve.count - 1];
		rs_survival_restricted_mean(&curve, tau, &out[g].value, &out[g].error);
		out[g].last = end->survival > 0 ? end->time : INFINITY;
	}
	return RS_OK;
}

/* Until the last time of the group that was seen least long, unless it is said. */
static enum rs_code choose_tau(const struct analysis *a, struct mean *means, double *out,
                               struct rs_error *err)
{
	double longest = 0, shortest = INFINITY;
	uint32_t least = 0;
	RS_TRY(find_means(a, 1, means, err));
	for (uint32_t g = 0; g < group_count(a); g++)
		if (means[g].last < shortest) {
			shortest = means[g].last;
			least = g;
		}
	for (size_t i = 0; i < a->told.count; i++)
		longest = fmax(longest, a->told.time[i]);
	*out = isnan(a->asked->tau) ? fmin(shortest, longest) : a->asked->tau;
	if (*out > shortest) {
		char name[256];
		group_name(a, least, name);
		return rs_error_set(err, RS_USAGE,
		                    "a restricted mean until %.10g: of %s nobody was seen after %.10g", *out,
		                    name, shortest);
	}
	return RS_OK;
}

static double within(double value, double upper) { return fmin(fmax(value, 0), upper); }

static void tell_means(const struct analysis *a, double tau, const struct mean *means)
{
	const struct told *told = &a->told;
	double z = rs_normal_quantile(0.5 + 0.5 * a->asked->level);
	char name[2][256], of[600];
	finding_tell_value(told, "", "restricted_to", tau);
	for (uint32_t g = 0; g < group_count(a); g++) {
		const struct mean *m = &means[g], *first = means;
		group_name(a, g, name[g > 0]);
		finding_tell(told, a->asked->group ? name[g > 0] : "", "restricted_mean", m->value,
		             within(m->value - z * m->error, tau), within(m->value + z * m->error, tau), NAN);
		if (g == 0)
			continue;
		double difference = m->value - first->value, error = hypot(m->error, first->error);
		snprintf(of, sizeof of, "%s - %s", name[1], name[0]);
		finding_tell(told, of, "restricted_mean_difference", difference,
		             fmax(difference - z * error, -tau), fmin(difference + z * error, tau),
		             rs_normal_two_sided(difference / error));
		double ratio = m->value / first->value;
		error = hypot(m->error / m->value, first->error / first->value);
		snprintf(of, sizeof of, "%s / %s", name[1], name[0]);
		finding_tell(told, of, "restricted_mean_ratio", ratio, ratio * exp(-z * error),
		             ratio * exp(z * error), rs_normal_two_sided(log(ratio) / error));
	}
}

enum rs_code analyse_means(const struct analysis *a, struct rs_error *err)
{
	struct mean means[CODED_GROUPS_MAX];
	double tau, first = INFINITY;
	for (size_t i = 0; i < a->told.count; i++)
		first = fmin(first, a->told.start ? a->told.start[i] : a->told.time[i]);
	if (a->told.types > 1 || first < 0) /* means are of one event, and from 0 on */
		return isnan(a->asked->tau)
		               ? RS_OK
		               : rs_error_set(err, RS_USAGE,
		                              "restricted means are of one event, from time 0 on");
	RS_TRY(choose_tau(a, means, &tau, err));
	if (!(tau > 0))
		return RS_OK;
	RS_TRY(find_means(a, tau, means, err));
	tell_means(a, tau, means);
	return RS_OK;
}

/* ---- tables ---- */

static void append(struct rs_buffer *out, const double *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		rs_buffer_append_text(out, ",");
		if (isfinite(values[i]))
			rs_buffer_append_f64_text(out, values[i]);
	}
	rs_buffer_append_text(out, "\n");
}

static enum rs_code write_survival(const struct analysis *a, const char *name, const size_t *rows,
                                   size_t count, struct rs_buffer *out, struct rs_error *err)
{
	const struct rs_follow_up seen = told_seen(&a->told);
	struct rs_survival_curve curve RS_CLEANUP(rs_survival_curve_finish) = {0};
	RS_TRY(rs_survival_curve_fit(&seen, rows, count, a->asked->interval, a->asked->level, &curve, err));
	for (size_t i = 0; i < curve.count; i++) {
		const struct rs_survival_point *p = &curve.points[i];
		rs_csv_append(out, name);
		append(out,
		       (const double[]){p->time, p->at_risk, p->events, p->censored, p->survival, p->lower,
		                        p->upper, p->hazard, p->hazard_error},
		       9);
	}
	return RS_OK;
}

static enum rs_code write_incidence(const struct analysis *a, const char *name, const size_t *rows,
                                    size_t count, struct rs_buffer *out, struct rs_error *err)
{
	const struct rs_follow_up seen = told_seen(&a->told);
	for (size_t type = 1; type <= a->told.types; type++) {
		struct rs_incidence curve RS_CLEANUP(rs_incidence_finish) = {0};
		RS_TRY(rs_incidence_fit(&seen, rows, count, (uint8_t)type, a->asked->interval,
		                        a->asked->level, &curve, err));
		for (size_t i = 0; i < curve.count; i++) {
			const struct rs_incidence_point *p = &curve.points[i];
			rs_csv_append(out, name);
			rs_buffer_append_text(out, ",");
			rs_csv_append(out, a->told.type_name[type - 1]);
			append(out,
			       (const double[]){p->time, p->at_risk, p->events, p->competing, p->censored,
			                        p->incidence, p->lower, p->upper, p->error},
			       9);
		}
	}
	return RS_OK;
}

enum rs_code write_curves(const struct analysis *a, struct rs_buffer *out, struct rs_error *err)
{
	bool several = a->told.types > 1;
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(a->told.count, sizeof *rows);
	if (!rows)
		return rs_error_memory(err, a->told.count * sizeof *rows, "groups");
	rs_buffer_append_text(out,
	                      several ? "group,event,time,at_risk,events,competing,censored,incidence,lower,"
	                                "upper,error\n"
	                              : "group,time,at_risk,events,censored,survival,lower,upper,"
	                                "cumulative_hazard,cumulative_hazard_error\n");
	for (uint32_t g = 0; g < group_count(a); g++) {
		char name[256];
		size_t count = group_rows(a, g, rows);
		group_name(a, g, name);
		RS_TRY(several ? write_incidence(a, name, rows, count, out, err)
		               : write_survival(a, name, rows, count, out, err));
	}
	return rs_buffer_check(out, "the curves", err);
}
