/* The report of predictions that were held against what came of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table/table.h"
#include "told.h"
#include "report/report.h"

struct making {
	struct rs_arena arena;
	struct rs_way ways[RS_SCORES_MAX];
	uint8_t *called;
	uint32_t *group, *stratum;
	const char **group_names;
	struct rs_report_risk *risks;
	struct rs_fact subjects[4], provenance[3];
	char numbers[4][32], about[256];
};
static void making_finish(struct making *making)
{
	rs_arena_finish(&making->arena);
	rs_free(making->stratum);
}

static void add_ways(const struct told *told, const struct rs_gathered *gathered, struct making *making,
                     struct rs_report *report)
{
	const char *merit = report->survival ? "harrell_c" : "auc";
	for (size_t s = 0; s < told->asked->score_count; s++) {
		struct rs_way *way = &making->ways[s];
		*way = (struct rs_way){.name = told->asked->scores[s],
		                       .kind = s == 0 ? RS_WAY_MODEL : RS_WAY_BASELINE,
		                       .probabilities = !report->survival,
		                       .score = told->score[s],
		                       .outcome = told->outcome,
		                       .merit = {NAN, NAN, NAN}};
		for (size_t i = 0; i < told->count && way->probabilities; i++)
			way->probabilities = told->score[s][i] >= 0 && told->score[s][i] <= 1;
		const struct rs_finding *found = rs_finding_find(gathered->findings, gathered->finding_count,
		                                                 way->name, merit);
		if (found)
			way->merit = (struct rs_interval){found->value, found->lower, found->upper};
	}
	report->ways = making->ways;
	report->way_count = told->asked->score_count;
}

static enum rs_code add_calls(const struct told *told, const struct rs_gathered *gathered,
                              struct making *making, struct rs_report *report, struct rs_error *err)
{
	const char *of = told->asked->scores[0];
	const struct rs_finding *threshold = rs_finding_find(gathered->findings, gathered->finding_count, of,
	                                                     "threshold");
	if (!threshold)
		return RS_OK;
	making->called = rs_arena_allocate(&making->arena, told->count);
	if (!making->called)
		return rs_error_memory(err, told->count, "a report");
	for (size_t i = 0; i < told->count; i++)
		making->called[i] = told->score[0][i] >= threshold->value;
	report->called = making->called;
	snprintf(making->about, sizeof making->about, "Called positive from %.4g on; shares are of what was.",
	         threshold->value);
	report->called_about = making->about;
	report->sensitivity =
		rs_finding_find(gathered->findings, gathered->finding_count, of, "sensitivity")->value;
	report->specificity =
		rs_finding_find(gathered->findings, gathered->finding_count, of, "specificity")->value;
	return RS_OK;
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The first score in two halves. */
static enum rs_code halve(const struct told *told, struct making *making, struct rs_error *err)
{
	double *sorted = rs_arena_allocate_array(&making->arena, told->count, sizeof *sorted);
	making->group_names = rs_arena_allocate_array(&making->arena, 2, sizeof *making->group_names);
	if (!sorted || !making->group_names)
		return rs_error_memory(err, told->count * sizeof *sorted, "a report");
	memcpy(sorted, told->score[0], told->count * sizeof *sorted);
	qsort(sorted, told->count, sizeof *sorted, rising);
	double median = sorted[(told->count - 1) / 2];
	for (size_t i = 0; i < told->count; i++)
		making->group[i] = told->score[0][i] > median;
	making->group_names[0] = "low";
	making->group_names[1] = "high";
	return RS_OK;
}

static enum rs_code name_groups(const struct told *told, const struct coded *coded, struct making *making,
                                struct rs_error *err)
{
	size_t column = rs_csv_column(told->asked->table, told->asked->group);
	making->group_names = rs_arena_allocate_array(&making->arena, coded->count,
	                                              sizeof *making->group_names);
	if (!making->group_names)
		return rs_error_memory(err, coded->count * sizeof *making->group_names, "a report");
	for (uint32_t g = 0; g < coded->count; g++) {
		const char *cell = rs_csv_cell(told->asked->table, told->rows[coded->first[g]], column);
		size_t size = strlen(told->asked->group) + strlen(cell) + 4;
		char *name = rs_arena_allocate(&making->arena, size);
		double number;
		if (!name)
			return rs_error_memory(err, size, "a report");
		if (rs_parse_f64(rs_str_from(cell), &number)) /* a code means nothing alone */
			snprintf(name, size, "%s = %s", told->asked->group, cell);
		making->group_names[g] = *name ? name : cell;
	}
	return RS_OK;
}

static enum rs_code add_groups(const struct told *told, struct making *making, struct rs_report *report,
                               struct rs_error *err)
{
	struct coded coded RS_CLEANUP(coded_finish) = {0}, strata RS_CLEANUP(coded_finish) = {0};
	report->group_about = "All subjects.";
	if (!told->asked->group && told->asked->score_count == 0)
		return RS_OK;
	making->group = rs_arena_allocate_array(&making->arena, told->count, sizeof *making->group);
	if (!making->group)
		return rs_error_memory(err, told->count * sizeof *making->group, "a report");
	report->group_count = 2;
	if (told->asked->group) {
		RS_TRY(coded_of(told, told->asked->group, CODED_GROUPS_MAX, &coded, err));
		memcpy(making->group, coded.code, told->count * sizeof *making->group);
		RS_TRY(name_groups(told, &coded, making, err));
		report->group_count = coded.count;
		if (told->asked->stratum) {
			RS_TRY(coded_of(told, told->asked->stratum, told->count, &strata, err));
			making->stratum = strata.code;
			strata.code = NULL;
			report->stratum = making->stratum;
		}
		snprintf(making->about, sizeof making->about, "Groups: %.200s.", told->asked->group);
	} else {
		RS_TRY(halve(told, making, err));
		snprintf(making->about, sizeof making->about,
		         "Groups: the rows above the median of %.200s, and the others.",
		         told->asked->scores[0]);
	}
	report->group_about = making->about;
	report->group = making->group;
	report->group_names = making->group_names;
	return RS_OK;
}

/* Every time's predicted risks; computed again, for the line. */
static enum rs_code add_risks(const struct told *told, struct making *making, struct rs_report *report,
                              struct rs_error *err)
{
	const struct rs_evaluation *asked = told->asked;
	const struct rs_follow_up seen = told_seen(told);
	if (asked->survival_count == 0)
		return RS_OK;
	making->risks = rs_arena_allocate_array(&making->arena, asked->survival_count, sizeof *making->risks);
	if (!making->risks)
		return rs_error_memory(err, asked->survival_count * sizeof *making->risks, "a report");
	for (size_t t = 0; t < asked->survival_count; t++) {
		struct rs_report_risk *risk = &making->risks[t];
		double *x = rs_arena_allocate_array(&making->arena, told->count, sizeof *x);
		double *line = rs_arena_allocate_array(&making->arena, told->count, sizeof *line);
		if (!x || !line)
			return rs_error_memory(err, told->count * sizeof *x, "a report");
		*risk = (struct rs_report_risk){asked->survival[t], asked->times[t], told->count, x, line,
		                                {.groups = 0}};
		RS_TRY(rs_risk_calibration_of(&seen, 1, asked->times[t], told->risk[t], asked->level,
		                              &risk->found, x, line, err));
	}
	report->risks = making->risks;
	report->risk_count = asked->survival_count;
	return RS_OK;
}

static void add_facts(const struct told *told, struct making *making, struct rs_report *report)
{
	const size_t counts[] = {told->asked->table->rows, told->asked->table->rows - told->count,
	                         told->count, told->positives};
	static const char *const names[] = {"Rows of the table", "Left out for missing cells", "Rows used",
	                                    NULL};
	const struct rs_page *page = told->asked->page;
	for (size_t i = 0; i < RS_COUNT(counts); i++) {
		snprintf(making->numbers[i], sizeof making->numbers[i], "%zu", counts[i]);
		making->subjects[i] = (struct rs_fact){names[i], making->numbers[i]};
	}
	making->subjects[3].name = report->survival ? "Of these with the event" : "Of these positive";
	report->subjects = (struct rs_facts){RS_COUNT(making->subjects), making->subjects};
	making->provenance[0] = (struct rs_fact){"Program", page->version};
	making->provenance[1] = (struct rs_fact){"Table", page->source};
	making->provenance[2] = (struct rs_fact){"SHA-256 of the table", page->digest};
	report->provenance = (struct rs_facts){page->digest ? 3 : 2, making->provenance};
}

enum rs_code evaluate_page(const struct told *told, const struct rs_gathered *gathered, struct rs_error *err)
{
	struct making making RS_CLEANUP(making_finish) = {.called = NULL};
	bool survival = told->asked->time != NULL;
	struct rs_report report = {.title = told->title,
	                           .about = told->asked->page ? told->asked->page->source : "",
	                           .merit = survival ? "Concordance" : "Area under the ROC curve",
	                           .survival = survival,
	                           .rows = told->count,
	                           .time = told->time,
	                           .start = told->start,
	                           .interval = told->interval,
	                           .coverage = told->asked->level,
	                           .event = told->outcome,
	                           .event_names = told->types > 1 ? told->type_name : NULL,
	                           .event_types = told->types,
	                           .sensitivity = NAN,
	                           .specificity = NAN,
	                           .findings = gathered->findings,
	                           .finding_count = gathered->finding_count};
	rs_arena_init(&making.arena, SIZE_MAX / 2);
	if (gathered->failed)
		return rs_error_memory(err, gathered->finding_count, "a report");
	add_ways(told, gathered, &making, &report);
	if (survival)
		RS_TRY(add_groups(told, &making, &report, err));
	else
		RS_TRY(add_calls(told, gathered, &making, &report, err));
	RS_TRY(add_risks(told, &making, &report, err));
	if (told->figure)
		RS_TRY(rs_curves_write(&report, told->figure, err));
	if (!told->asked->page)
		return RS_OK;
	add_facts(told, &making, &report);
	return rs_report_write(&report, told->asked->page->out, err);
}
