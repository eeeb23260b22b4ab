/* Curves of all and of groups, for one event or several that compete, and tests that groups are alike. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/table.h"
#include "told.h"
#include "numeric/numeric_distribution.h"
#include "survival/survival_competing.h"

void coded_finish(struct coded *coded)
{
	rs_free(coded->code);
	rs_free(coded->first);
}

struct cell {
	const char *text;
	size_t row;
};

static int by_text(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	int order = strcmp(x->text, y->text);
	return order ? order : (x->row > y->row) - (x->row < y->row);
}

enum rs_code coded_of(const struct told *told, const char *column, size_t most, struct coded *out,
                      struct rs_error *err)
{
	const struct rs_csv *table = told->asked->table;
	size_t at = rs_csv_column(table, column), count = 0;
	struct cell *cells RS_CLEANUP(rs_free_pointer) = rs_allocate_array(told->count, sizeof *cells);
	out->code = rs_allocate_array(told->count, sizeof *out->code);
	out->first = rs_allocate_array(told->count, sizeof *out->first);
	if (!cells || !out->code || !out->first)
		return rs_error_memory(err, told->count * sizeof *cells, "groups");
	for (size_t i = 0; i < told->count; i++)
		cells[i] = (struct cell){rs_csv_cell(table, told->rows[i], at), i};
	qsort(cells, told->count, sizeof *cells, by_text);
	for (size_t i = 0, first = 0; i < told->count; i++) { /* code: for now the first row alike */
		if (i == 0 || strcmp(cells[i].text, cells[first].text) != 0) {
			first = i;
			count++;
		}
		out->code[cells[i].row] = (uint32_t)cells[first].row;
	}
	if (count > most)
		return rs_error_set(err, RS_USAGE, "column %s has more than %zu groups; is it a measurement?",
		                    column, most);
	for (size_t i = 0; i < told->count; i++) {
		size_t first = out->code[i];
		if (first == i)
			out->first[out->count] = i;
		out->code[i] = first == i ? out->count++ : out->code[first];
	}
	return RS_OK;
}

/* How many are seen until a time at least, and Nelson and Aalen's hazard with an interval on the log scale. */
static void tell_point(const struct told *told, const char *of, const struct rs_survival_curve *curve,
                       double time)
{
	const struct rs_survival_point *at = rs_survival_curve_at(curve, time);
	size_t next = at ? (size_t)(at - curve->points) + (at->time < time) : 0;
	bool seen = next < curve->count;
	double z = rs_normal_quantile(0.5 + 0.5 * told->asked->level);
	struct rs_interval found = {seen ? curve->points[next].at_risk : 0, NAN, NAN};
	finding_tell_at(told, of, "at_risk", time, &found, NAN);
	found = (struct rs_interval){seen && !at ? 0 : NAN, NAN, NAN};
	if (seen && at) {
		double ratio = exp(z * at->hazard_error / at->hazard);
		found = (struct rs_interval){at->hazard, at->hazard / ratio, at->hazard * ratio};
	}
	finding_tell_at(told, of, "cumulative_hazard", time, &found, NAN);
}

/* Kaplan & Meier's. */
static enum rs_code tell_survival(const struct told *told, const char *of, const size_t *rows, size_t count,
                                  struct rs_error *err)
{
	const struct rs_follow_up seen = told_seen(told);
	struct rs_survival_curve curve RS_CLEANUP(rs_survival_curve_finish) = {0};
	double events = 0;
	RS_TRY(rs_survival_curve_fit(&seen, rows, count, told->interval, told->asked->level, &curve, err));
	for (size_t i = 0; i < curve.count; i++)
		events += curve.points[i].events;
	struct rs_survival_quantile median = rs_survival_quantile_of(&curve, 0.5);
	finding_tell_value(told, of, "events", events);
	finding_tell(told, of, "median_survival", median.time, median.lower, median.upper, NAN);
	for (size_t t = 0; t < told->asked->time_count; t++) {
		double time = told->asked->times[t];
		const struct rs_survival_point *at = rs_survival_curve_at(&curve, time);
		struct rs_interval found = {NAN, NAN, NAN};
		if (!at)
			found.value = 1;
		else if (time <= curve.points[curve.count - 1].time)
			found = (struct rs_interval){at->survival, at->lower, at->upper};
		finding_tell_at(told, of, "survival", time, &found, NAN);
		if (told->whole_curves)
			tell_point(told, of, &curve, time);
	}
	return RS_OK;
}

/* Aalen & Johansen's, of one type of event. */
static enum rs_code tell_incidence(const struct told *told, const char *of, uint8_t type, const size_t *rows,
                                   size_t count, struct rs_error *err)
{
	const struct rs_follow_up seen = told_seen(told);
	struct rs_incidence curve RS_CLEANUP(rs_incidence_finish) = {0};
	char name[256];
	double events = 0;
	RS_TRY(rs_incidence_fit(&seen, rows, count, type, told->interval, told->asked->level, &curve, err));
	for (size_t i = 0; i < curve.count; i++)
		events += curve.points[i].events;
	snprintf(name, sizeof name, "%s%s%s = %s", of, *of ? ", " : "", told->asked->event,
	         told->type_name[type - 1]);
	finding_tell_value(told, name, "events", events);
	for (size_t t = 0; t < told->asked->time_count; t++) {
		double time = told->asked->times[t];
		const struct rs_incidence_point *at = rs_incidence_at(&curve, time);
		struct rs_interval found = {NAN, NAN, NAN};
		if (!at)
			found.value = 0;
		else if (time <= curve.points[curve.count - 1].time)
			found = (struct rs_interval){at->incidence, at->lower, at->upper};
		finding_tell_at(told, name, "incidence", time, &found, NAN);
	}
	return RS_OK;
}

enum rs_code tell_curves(const struct told *told, const char *of, const size_t *rows, size_t count,
                         struct rs_error *err)
{
	if (told->types == 1)
		return tell_survival(told, of, rows, count, err);
	for (size_t type = 1; type <= told->types; type++)
		RS_TRY(tell_incidence(told, of, (uint8_t)type, rows, count, err));
	return RS_OK;
}

static enum rs_code tell_groups(const struct told *told, const struct coded *groups, struct rs_error *err)
{
	const struct rs_csv *table = told->asked->table;
	size_t column = rs_csv_column(table, told->asked->group);
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(told->count, sizeof *rows);
	if (!rows)
		return rs_error_memory(err, told->count * sizeof *rows, "groups");
	for (uint32_t g = 0; g < groups->count; g++) {
		size_t count = 0;
		char name[256];
		for (size_t i = 0; i < told->count; i++)
			if (groups->code[i] == g)
				rows[count++] = i;
		snprintf(name, sizeof name, "%s = %s", told->asked->group,
		         rs_csv_cell(table, told->rows[groups->first[g]], column));
		finding_tell_value(told, name, "rows", (double)count);
		RS_TRY(tell_curves(told, name, rows, count, err));
	}
	return RS_OK;
}

enum rs_code compare_groups(const struct told *told, struct rs_error *err)
{
	const struct rs_follow_up seen = told_seen(told);
	struct coded groups RS_CLEANUP(coded_finish) = {0}, strata RS_CLEANUP(coded_finish) = {0};
	struct rs_survival_comparison found RS_CLEANUP(rs_survival_comparison_finish) = {0};
	RS_TRY(coded_of(told, told->asked->group, CODED_GROUPS_MAX, &groups, err));
	if (told->asked->stratum)
		RS_TRY(coded_of(told, told->asked->stratum, told->count, &strata, err));
	RS_TRY(tell_groups(told, &groups, err));
	if (told->types == 1) {
		RS_TRY(rs_survival_compare(&seen, groups.code, groups.count, strata.code, 0, &found, err));
		finding_tell(told, told->asked->group, "log_rank", found.chi_square, NAN, NAN, found.p);
		rs_survival_comparison_finish(&found);
		RS_TRY(rs_survival_compare(&seen, groups.code, groups.count, strata.code, 1, &found, err));
		finding_tell(told, told->asked->group, "peto", found.chi_square, NAN, NAN, found.p);
	}
	for (size_t type = 1; told->types > 1 && type <= told->types; type++) {
		char name[256];
		struct rs_survival_comparison gray RS_CLEANUP(rs_survival_comparison_finish) = {0};
		RS_TRY(rs_incidence_compare(&seen, (uint8_t)type, groups.code, groups.count, strata.code, 0,
		                            &gray, err));
		snprintf(name, sizeof name, "%s, %s = %s", told->asked->group, told->asked->event,
		         told->type_name[type - 1]);
		finding_tell(told, name, "gray", gray.chi_square, NAN, NAN, gray.p);
	}
	return RS_OK;
}
