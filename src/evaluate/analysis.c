/* Curves, tests and regressions of a table of follow-up, in this order. */
#include "analysis.h"

#include <math.h>
#include <string.h>

#include "table/table.h"
#include "report/report.h"

static void analysis_finish(struct analysis *a)
{
	told_finish(&a->told);
	coded_finish(&a->groups);
	coded_finish(&a->strata);
	coded_finish(&a->clusters);
	rs_free(a->only);
	design_finish(&a->design);
}

struct rs_follow_up analysis_seen(const struct analysis *a, bool of_event)
{
	struct rs_follow_up seen = told_seen(&a->told);
	if (of_event)
		seen.event = a->only;
	return seen;
}

static enum rs_code check_asked(const struct rs_survival_analysis *asked, struct rs_error *err)
{
	if (!asked->time || !asked->event)
		return rs_error_set(err, RS_USAGE, "give a time and an event");
	if (asked->stratum && !asked->group && asked->covariates.count == 0)
		return rs_error_set(err, RS_USAGE, "strata need groups or covariates");
	if (asked->covariates.count > RS_COVARIATES_MAX)
		return rs_error_set(err, RS_USAGE, "give at most %d covariates", RS_COVARIATES_MAX);
	if (asked->covariates.count == 0 &&
	    (asked->cluster || asked->residuals || asked->covariates.factor_count > 0))
		return rs_error_set(err, RS_USAGE, "clusters, factors and residuals need covariates");
	if (asked->people_count > 0 && (asked->covariates.count == 0 || asked->time_count == 0))
		return rs_error_set(err, RS_USAGE, "predictions need covariates and times");
	if (asked->start && asked->distribution)
		return rs_error_set(err, RS_USAGE, "a parametric regression has no late entry");
	if (!isnan(asked->tau) && !(asked->tau > 0))
		return rs_error_set(err, RS_USAGE, "a restricted mean needs a time above 0");
	for (size_t i = 0; i < asked->time_count; i++)
		if (!(asked->times[i] > (i ? asked->times[i - 1] : 0)))
			return rs_error_set(err, RS_USAGE, "times must be positive and ascend");
	return RS_OK;
}

static enum rs_code read_start(struct analysis *a, struct rs_error *err)
{
	struct told *told = &a->told;
	const struct rs_csv *table = a->asked->table;
	size_t column = rs_csv_column(table, a->asked->start);
	told->start = rs_allocate_array(told->count, sizeof *told->start);
	if (!told->start)
		return rs_error_memory(err, told->count * sizeof *told->start, "a table");
	for (size_t i = 0; i < told->count; i++) {
		RS_TRY(rs_cell_number(table, told->rows[i], column, &told->start[i], err));
		if (!(told->start[i] < told->time[i]))
			return rs_error_set(err, RS_MALFORMED,
			                    "line %zu: the start %.10g is not before the time %.10g",
			                    table->lines[told->rows[i]], told->start[i], told->time[i]);
	}
	return RS_OK;
}

static enum rs_code read(struct analysis *a, struct rs_error *err)
{
	const struct rs_survival_analysis *asked = a->asked;
	struct told *told = &a->told;
	const char *more[RS_COVARIATES_MAX + 2] = {asked->start, asked->cluster};
	for (size_t c = 0; c < asked->covariates.count; c++)
		more[2 + c] = asked->covariates.names[c];
	RS_TRY(told_read(told, more, 2 + asked->covariates.count, err));
	if (asked->start)
		RS_TRY(read_start(a, err));
	a->only = rs_allocate(told->count);
	if (!a->only)
		return rs_error_memory(err, told->count, "events");
	for (size_t i = 0; i < told->count; i++)
		a->only[i] = told->outcome[i] == 1;
	if (asked->group)
		RS_TRY(coded_of(told, asked->group, CODED_GROUPS_MAX, &a->groups, err));
	if (asked->stratum)
		RS_TRY(coded_of(told, asked->stratum, told->count, &a->strata, err));
	if (asked->cluster)
		RS_TRY(coded_of(told, asked->cluster, told->count, &a->clusters, err));
	return design_read(told, &asked->covariates, &a->design, err);
}

static enum rs_code analyse(struct analysis *a, struct rs_error *err)
{
	const struct rs_survival_analysis *asked = a->asked;
	RS_TRY(read(a, err));
	RS_TRY(tell_curves(&a->told, "", NULL, a->told.count, err));
	if (asked->group)
		RS_TRY(compare_groups(&a->told, err));
	RS_TRY(analyse_means(a, err));
	if (asked->covariates.count > 0)
		RS_TRY(analyse_cox(a, err));
	if (asked->distribution)
		RS_TRY(analyse_parametric(a, err));
	return asked->curves ? write_curves(a, asked->curves, err) : RS_OK;
}

enum rs_code rs_survival_analyse(const struct rs_survival_analysis *asked, rs_finding_visit *visit,
                                 void *context, struct rs_error *err)
{
	struct analysis a RS_CLEANUP(analysis_finish) = {
		.asked = asked,
		.as_evaluation = {.table = asked->table,
	                          .time = asked->time,
	                          .event = asked->event,
	                          .event_value = asked->event_value,
	                          .censored = asked->censored,
	                          .group = asked->group,
	                          .stratum = asked->group ? asked->stratum : NULL,
	                          .threshold = NAN,
	                          .times = asked->times,
	                          .time_count = asked->time_count,
	                          .level = asked->level,
	                          .page = asked->page},
	};
	struct rs_gathered gathered RS_CLEANUP(rs_gathered_finish) = {.visit = NULL};
	RS_TRY(check_asked(asked, err));
	rs_gathered_init(&gathered, visit, NULL, context);
	a.told = (struct told){.asked = &a.as_evaluation,
	                       .visit = rs_gather_finding,
	                       .context = &gathered,
	                       .interval = asked->interval,
	                       .whole_curves = true,
	                       .title = "Survival",
	                       .figure = asked->figure};
	RS_TRY(analyse(&a, err));
	return asked->page || asked->figure ? evaluate_page(&a.told, &gathered, err) : RS_OK;
}
