/* Figures of survival, and those that all reports share: merits, importance, effects. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "survival/survival_competing.h"

#define GROUPS_MAX 12
#define INPUTS_SHOWN 20
#define EFFECTS_SHOWN 15
#define WAYS_SHOWN 32
#define RATIOS_SHOWN 40

struct drawn {
	struct rs_arena arena;
	struct rs_chart_layer layers[3 * GROUPS_MAX];
	struct rs_risk_row risk[GROUPS_MAX];
	size_t layer_count, group_count;
};
static void drawn_finish(struct drawn *drawn) { rs_arena_finish(&drawn->arena); }

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* A curve as points: it begins at `start` at time 0; marks: who was seen no longer. */
struct traced {
	double *x, *y, *lower, *upper, *mark_x, *mark_y;
	size_t count, marks;
};

static enum rs_code trace_begin(struct drawn *drawn, size_t points, double first, double start,
                                struct traced *out, struct rs_error *err)
{
	double **const columns[] = {&out->x, &out->y, &out->lower, &out->upper, &out->mark_x, &out->mark_y};
	for (size_t c = 0; c < RS_COUNT(columns); c++)
		if (!(*columns[c] = rs_arena_allocate_array(&drawn->arena, points + 1, sizeof(double))))
			return rs_error_memory(err, points * sizeof(double), "a curve");
	out->x[0] = fmin(0, first);
	out->y[0] = out->lower[0] = out->upper[0] = start;
	out->count = 1;
	return RS_OK;
}

static void trace_point(struct traced *traced, double time, double y, double lower, double upper, bool marked)
{
	double start = traced->y[0];
	traced->x[traced->count] = time;
	traced->y[traced->count] = y;
	traced->lower[traced->count] = isfinite(lower) ? lower : y == start ? start : NAN;
	traced->upper[traced->count++] = isfinite(upper) ? upper : y == start ? start : NAN;
	if (marked) {
		traced->mark_x[traced->marks] = time;
		traced->mark_y[traced->marks++] = y;
	}
}

static void trace_draw(struct drawn *drawn, const struct traced *traced, const char *name)
{
	unsigned colour = (unsigned)++drawn->group_count;
	drawn->layers[drawn->layer_count++] = (struct rs_chart_layer){.mark = RS_MARK_STEP_BAND,
	                                                              .colour = colour,
	                                                              .count = traced->count,
	                                                              .x = traced->x,
	                                                              .lower = traced->lower,
	                                                              .upper = traced->upper};
	drawn->layers[drawn->layer_count++] = (struct rs_chart_layer){.mark = RS_MARK_STEP,
	                                                              .colour = colour,
	                                                              .name = name,
	                                                              .count = traced->count,
	                                                              .x = traced->x,
	                                                              .y = traced->y};
	drawn->layers[drawn->layer_count++] = (struct rs_chart_layer){.mark = RS_MARK_TICKS,
	                                                              .colour = colour,
	                                                              .count = traced->marks,
	                                                              .x = traced->mark_x,
	                                                              .y = traced->mark_y};
}

static enum rs_code add_survival(const struct rs_report *report, struct drawn *drawn,
                                 const struct rs_follow_up *seen, const size_t *rows, size_t count,
                                 const char *name, struct rs_error *err)
{
	struct rs_survival_curve curve RS_CLEANUP(rs_survival_curve_finish) = {0};
	struct traced traced = {.count = 0};
	RS_TRY(rs_survival_curve_fit(seen, rows, count, report->interval, report->coverage, &curve, err));
	RS_TRY(trace_begin(drawn, curve.count, curve.points[0].time, 1, &traced, err));
	for (size_t i = 0; i < curve.count; i++) {
		const struct rs_survival_point *p = &curve.points[i];
		trace_point(&traced, p->time, p->survival, p->lower, p->upper, p->censored > 0);
	}
	trace_draw(drawn, &traced, name);
	return RS_OK;
}

static enum rs_code add_incidence(const struct rs_report *report, struct drawn *drawn,
                                  const struct rs_follow_up *seen, const size_t *rows, size_t count,
                                  uint8_t type, const char *name, struct rs_error *err)
{
	struct rs_incidence curve RS_CLEANUP(rs_incidence_finish) = {0};
	struct traced traced = {.count = 0};
	RS_TRY(rs_incidence_fit(seen, rows, count, type, report->interval, report->coverage, &curve, err));
	RS_TRY(trace_begin(drawn, curve.count, curve.points[0].time, 0, &traced, err));
	for (size_t i = 0; i < curve.count; i++) {
		const struct rs_incidence_point *p = &curve.points[i];
		trace_point(&traced, p->time, p->incidence, p->lower, p->upper, p->censored > 0);
	}
	trace_draw(drawn, &traced, name);
	return RS_OK;
}

/* type 0: survival, else incidence of events of this type. */
static enum rs_code add_group(const struct rs_report *report, const struct rs_follow_up *seen, uint8_t type,
                              uint32_t group, struct drawn *drawn, struct rs_error *err)
{
	size_t *rows = rs_arena_allocate_array(&drawn->arena, seen->count, sizeof *rows), count = 0;
	double *times = rs_arena_allocate_array(&drawn->arena, seen->count, sizeof *times);
	double *starts = rs_arena_allocate_array(&drawn->arena, seen->count, sizeof *starts);
	const char *name = report->group ? report->group_names[group] : "all";
	if (!rows || !times || !starts)
		return rs_error_memory(err, seen->count * sizeof *rows, "a group");
	for (size_t i = 0; i < seen->count; i++)
		if (!report->group || report->group[i] == group) {
			starts[count] = seen->start ? seen->start[i] : -INFINITY;
			times[count] = seen->time[i];
			rows[count++] = i;
		}
	if (count == 0)
		return RS_OK;
	RS_TRY(type ? add_incidence(report, drawn, seen, rows, count, type, name, err)
	            : add_survival(report, drawn, seen, rows, count, name, err));
	qsort(times, count, sizeof *times, rising);
	qsort(starts, count, sizeof *starts, rising);
	drawn->risk[drawn->group_count - 1] = (struct rs_risk_row){name, (unsigned)drawn->group_count, count,
	                                                           times, starts};
	return RS_OK;
}

static enum rs_code compare(const struct rs_report *report, const struct rs_follow_up *seen, uint8_t type,
                            char *out, size_t size, struct rs_error *err)
{
	struct rs_survival_comparison found RS_CLEANUP(rs_survival_comparison_finish) = {0};
	uint32_t groups = (uint32_t)report->group_count;
	RS_TRY(type ? rs_incidence_compare(seen, type, report->group, groups, report->stratum, 0, &found, err)
	            : rs_survival_compare(seen, report->group, groups, report->stratum, 0, &found, err));
	if (found.p < 0.001)
		snprintf(out, size, "%s p < 0.001", type ? "Gray's test" : "log-rank");
	else
		snprintf(out, size, "%s p = %.3f", type ? "Gray's test" : "log-rank", found.p);
	return RS_OK;
}

static enum rs_code draw_curves(const struct rs_report *report, uint8_t type, bool alone,
                                struct rs_buffer *out, struct rs_error *err)
{
	const struct rs_follow_up seen = {report->rows, report->start, report->time, report->event, NULL};
	struct drawn drawn RS_CLEANUP(drawn_finish) = {.group_count = 0};
	char note[64] = "", id[32] = "survival", title[256] = "Kaplan\xe2\x80\x93Meier curves";
	rs_arena_init(&drawn.arena, SIZE_MAX / 2);
	for (uint32_t g = 0; g < (report->group ? report->group_count : 1) && g < GROUPS_MAX; g++)
		RS_TRY(add_group(report, &seen, type, g, &drawn, err));
	if (report->group && report->group_count > 1)
		RS_TRY(compare(report, &seen, type, note, sizeof note, err));
	if (type) {
		snprintf(id, sizeof id, "incidence-%d", type);
		snprintf(title, sizeof title, "Cumulative incidence: %.200s", report->event_names[type - 1]);
	}
	if (!alone)
		figure_begin(out, "wide", title);
	rs_chart_draw(out,
	              &(struct rs_chart){.id = id,
	                                 .title = title,
	                                 .description = "Curves by time, with intervals and numbers at risk.",
	                                 .x = {"Time", 0, NAN},
	                                 .y = {type ? "Cumulative incidence" : "Survival", 0, 1},
	                                 .layers = drawn.layers,
	                                 .layer_count = drawn.layer_count,
	                                 .wide = true,
	                                 .names = report->group ? RS_NAMES_AT_END : RS_NAMES_NONE,
	                                 .note = note[0] ? note : NULL,
	                                 .risk = drawn.risk,
	                                 .risk_count = drawn.group_count});
	if (!alone)
		figure_end(out, report->group_about);
	return RS_OK;
}

/* With the style that a page would bring. */
enum rs_code rs_curves_write(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_buffer bare RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&bare, RS_REPORT_SIZE_MAX);
	RS_TRY(draw_curves(report, report->event_names ? 1 : 0, true, &bare, err));
	RS_TRY(rs_buffer_check(&bare, "a figure", err));
	const char *text = (const char *)bare.data, *head = memchr(text, '>', bare.size);
	size_t size = head ? (size_t)(head - text) + 1 : 0;
	rs_buffer_append(out, text, size);
	rs_plot_write(out, "<style>%E</style>", rs_plot_style());
	rs_buffer_append(out, text + size, bare.size - size);
	return rs_buffer_check(out, "a figure", err);
}

/* Of events that compete, Aalen and Johansen's curve of each; else Kaplan and Meier's. */
enum rs_code figures_of_survival(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err)
{
	if (!report->event_names)
		return draw_curves(report, 0, false, out, err);
	for (size_t type = 1; type <= report->event_types; type++)
		RS_TRY(draw_curves(report, (uint8_t)type, false, out, err));
	return RS_OK;
}

void figure_of_merits(const struct rs_report *report, struct rs_buffer *out)
{
	static const enum rs_row_mark marks[] = {RS_ROW_SQUARE, RS_ROW_DIAMOND, RS_ROW_RING, RS_ROW_SQUARE};
	static const unsigned colours[] = {1, 2, RS_COLOUR_MUTED, 3};
	struct rs_row rows[WAYS_SHOWN];
	char texts[WAYS_SHOWN][64];
	size_t count = report->way_count < WAYS_SHOWN ? report->way_count : WAYS_SHOWN;
	double lowest = 0.4;
	for (size_t w = 0; w < count; w++) {
		const struct rs_way *way = &report->ways[w];
		const struct rs_interval *m = &way->merit;
		if (isfinite(m->lower))
			snprintf(texts[w], sizeof texts[w], "%.3f (%.3f to %.3f)", m->value, m->lower,
			         m->upper);
		else
			snprintf(texts[w], sizeof texts[w], "%.3f", m->value);
		rows[w] = (struct rs_row){.name = way->name,
		                          .text = texts[w],
		                          .mark = marks[way->kind],
		                          .colour = colours[way->kind],
		                          .value = m->value,
		                          .lower = m->lower,
		                          .upper = m->upper};
		lowest = fmin(lowest, isfinite(m->lower) ? m->lower : 1);
	}
	const char *title = report->evidence.count ? "The model beside simple ones"
	                                           : "Scores beside each other";
	figure_begin(out, "rows", title);
	rs_rows_draw(out, &(struct rs_rows_chart){
				  .id = "merits",
				  .title = title,
				  .description = "Merit of model, baselines and controls with intervals.",
				  .x = {report->merit, fmax(0, floor(lowest * 10) / 10), 1},
				  .reference = 0.5,
				  .rows = rows,
				  .row_count = count});
	figure_end(
		out,
		report->evidence.count
			? "Square: the model. Diamonds: simple baselines. Rings: controls. With permuted outcomes chance, "
			  "0.5, is what there is to find; with shuffled features what clinical columns tell. 95 % "
			  "intervals."
			: "95 % intervals; chance lies at 0.5.");
}

static bool is_ratio(const struct rs_finding *finding)
{
	return strcmp(finding->name, "hazard_ratio") == 0 ||
	       strcmp(finding->name, "cause_specific_hazard_ratio") == 0 ||
	       strcmp(finding->name, "subdistribution_hazard_ratio") == 0;
}

void figure_of_ratios(const struct rs_report *report, struct rs_buffer *out)
{
	struct rs_row rows[RATIOS_SHOWN];
	char texts[RATIOS_SHOWN][64];
	size_t count = 0;
	for (size_t f = 0; f < report->finding_count && count < RATIOS_SHOWN; f++) {
		const struct rs_finding *found = &report->findings[f];
		if (!is_ratio(found) || !isfinite(found->value) || !(found->lower > 0) ||
		    !isfinite(found->upper))
			continue;
		bool sub = found->name[0] == 's';
		snprintf(texts[count], sizeof texts[0], "%.2f (%.2f to %.2f)", found->value, found->lower,
		         found->upper);
		rows[count] = (struct rs_row){.name = found->of,
		                              .text = texts[count],
		                              .mark = sub ? RS_ROW_DIAMOND : RS_ROW_SQUARE,
		                              .colour = sub ? 2 : 1,
		                              .value = log(found->value),
		                              .lower = log(found->lower),
		                              .upper = log(found->upper)};
		count++;
	}
	if (count == 0)
		return;
	figure_begin(out, "rows", "Hazard ratios");
	rs_rows_draw(out, &(struct rs_rows_chart){
				  .id = "ratios",
				  .title = "Hazard ratios",
				  .description = "Hazard ratio of each covariate with its interval.",
				  .x = {"Logarithm of the hazard ratio", NAN, NAN},
				  .reference = 0,
				  .rows = rows,
				  .row_count = count});
	figure_end(
		out,
		"Per unit of a number, or against the first value of a category; at the right of the line the "
		"event comes earlier. Diamonds: of the subdistribution (Fine and Gray).");
}

void figure_of_importance(const struct rs_report *report, struct rs_buffer *out)
{
	struct rs_row rows[INPUTS_SHOWN];
	size_t count = 0;
	for (size_t i = 0; i < report->input_count && count < INPUTS_SHOWN; i++)
		if (isfinite(report->inputs[i].importance))
			rows[count++] = (struct rs_row){.name = report->inputs[i].name,
			                                .mark = RS_ROW_BAR,
			                                .colour = 1,
			                                .value = report->inputs[i].importance,
			                                .lower = NAN,
			                                .upper = NAN};
	if (count == 0)
		return;
	figure_begin(out, "rows", "What the model goes by");
	rs_rows_draw(out,
	             &(struct rs_rows_chart){.id = "importance",
	                                     .title = "Importance of inputs",
	                                     .description = "How much each input contributes to the model.",
	                                     .x = {"Importance", NAN, NAN},
	                                     .reference = NAN,
	                                     .rows = rows,
	                                     .row_count = count});
	figure_end(out, "Importance of the inputs of the model that is kept; association, not cause.");
}

void figure_of_effects(const struct rs_report *report, struct rs_buffer *out)
{
	struct rs_row rows[EFFECTS_SHOWN];
	size_t count = 0;
	for (size_t i = 0; i < report->input_count && count < EFFECTS_SHOWN; i++)
		if (report->inputs[i].effect)
			rows[count++] = (struct rs_row){.name = report->inputs[i].name,
			                                .mark = RS_ROW_SWARM,
			                                .value = NAN,
			                                .lower = NAN,
			                                .upper = NAN,
			                                .count = report->shown_rows,
			                                .x = report->inputs[i].effect,
			                                .shade = report->inputs[i].shade};
	if (count == 0)
		return;
	figure_begin(out, "rows", "What each input adds");
	rs_rows_draw(out, &(struct rs_rows_chart){
				  .id = "effects",
				  .title = "Effects of inputs on predictions",
				  .description = "What each input adds to the prediction of each subject.",
				  .x = {report->survival ? "Added to the risk" : "Added to the prediction",
	                                NAN, NAN},
				  .reference = 0,
				  .low = "low value",
				  .high = "high value",
				  .rows = rows,
				  .row_count = count});
	figure_end(
		out,
		"A point is a subject, its colour the rank of the input's value. Of trees exact Shapley values (forests: of "
		"the probability, boosting: of the log-odds), of linear models coefficient times value.");
}
