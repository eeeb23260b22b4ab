/* Figures of predicted classes: discrimination, calibration, usefulness. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_random.h"
#include "numeric/numeric_smooth.h"
#include "parts.h"

#define GRID 101
#define RESAMPLES 400
#define CALIBRATION_GROUPS 10
#define BINS 20
#define WAYS_DRAWN 4
#define LAYERS_MAX 12
#define BAND_SEED 20240117u

static const double diagonal[] = {0, 1};

static size_t positives_of(const struct rs_way *way, size_t rows)
{
	size_t count = 0;
	for (size_t i = 0; i < rows; i++)
		count += way->outcome[i];
	return count;
}

/* ---- the ROC curve ---- */

struct ranked {
	double score;
	uint8_t outcome;
};
static int falling(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	return (x->score < y->score) - (x->score > y->score);
}

/* Sensitivity at each share of false positives, of rows drawn `times` often: the highest that costs no more. */
static void sensitivities(const struct ranked *rows, size_t count, const uint32_t *times, double *out,
                          size_t stride)
{
	double positives = 0, negatives = 0, found = 0, wrong = 0, reached = 0;
	size_t at = 0;
	for (size_t i = 0; i < count; i++)
		*(rows[i].outcome ? &positives : &negatives) += times[i];
	for (size_t i = 0; i < count;) {
		double score = rows[i].score;
		for (; i < count && rows[i].score == score; i++)
			*(rows[i].outcome ? &found : &wrong) += times[i];
		for (; at < GRID && (double)at / (GRID - 1) < wrong / negatives - 1e-12; at++)
			out[at * stride] = reached;
		reached = found / positives;
	}
	for (; at < GRID; at++)
		out[at * stride] = reached;
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Pointwise percentiles of resampled curves; as many of each class are drawn as there are. */
static enum rs_code band_of(const struct rs_way *way, size_t rows, double *lower, double *upper,
                            struct rs_error *err)
{
	struct ranked *ranked RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *ranked);
	size_t *of[2] = {rs_allocate_array(rows, sizeof(size_t)), rs_allocate_array(rows, sizeof(size_t))};
	uint32_t *times RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *times);
	double *found RS_CLEANUP(rs_free_pointer) = rs_allocate_array(GRID * RESAMPLES, sizeof *found);
	size_t counts[2] = {0, 0};
	bool all = ranked && of[0] && of[1] && times && found;
	for (size_t i = 0; all && i < rows; i++)
		ranked[i] = (struct ranked){way->score[i], way->outcome[i]};
	if (all)
		qsort(ranked, rows, sizeof *ranked, falling);
	for (size_t i = 0; all && i < rows; i++)
		of[ranked[i].outcome][counts[ranked[i].outcome]++] = i;
	for (size_t r = 0; all && r < RESAMPLES; r++) {
		struct rs_stream stream = rs_stream_of(BAND_SEED, r);
		for (size_t i = 0; i < rows; i++)
			times[i] = 0;
		for (int class = 0; class < 2; class ++)
			for (size_t i = 0; i < counts[class]; i++)
				times[of[class][rs_stream_below(&stream, counts[class])]]++;
		sensitivities(ranked, rows, times, found + r, RESAMPLES);
	}
	for (size_t g = 0; all && g < GRID; g++) {
		qsort(found + g * RESAMPLES, RESAMPLES, sizeof *found, rising);
		lower[g] = found[g * RESAMPLES + (size_t)(RESAMPLES * (1 - RS_REPORT_LEVEL) / 2)];
		upper[g] = found[g * RESAMPLES + RESAMPLES - 1 -
		                 (size_t)(RESAMPLES * (1 - RS_REPORT_LEVEL) / 2)];
	}
	rs_free(of[0]);
	rs_free(of[1]);
	return all ? RS_OK : rs_error_memory(err, GRID * RESAMPLES * sizeof *found, "a band");
}

/* Curves of the ways, and where their points live. */
struct curves {
	struct rs_arena arena;
	struct rs_chart_layer layers[LAYERS_MAX];
	size_t count;
};
static void curves_finish(struct curves *curves) { rs_arena_finish(&curves->arena); }

static enum rs_code curve_new(struct curves *curves, size_t points, double **out_x, double **out_y,
                              struct rs_error *err)
{
	*out_x = rs_arena_allocate_array(&curves->arena, points, sizeof **out_x);
	*out_y = rs_arena_allocate_array(&curves->arena, points, sizeof **out_y);
	return *out_x && *out_y ? RS_OK : rs_error_memory(err, points * sizeof **out_x, "a curve");
}

static char *line_name(struct curves *curves, const struct rs_way *way, const struct rs_interval *merit)
{
	size_t size = strlen(way->name) + 64;
	char *name = rs_arena_allocate(&curves->arena, size);
	if (name && merit && isfinite(merit->lower))
		snprintf(name, size, "%s: %.2f (%.2f to %.2f)", way->name, merit->value, merit->lower,
		         merit->upper);
	else if (name)
		snprintf(name, size, "%s", way->name);
	return name;
}

static void curve_add(struct curves *curves, const struct rs_way *way, size_t number, const char *name,
                      size_t count, const double *x, const double *y)
{
	curves->layers[curves->count++] = (struct rs_chart_layer){.mark = RS_MARK_LINE,
	                                                          .colour = (unsigned)number,
	                                                          .dashed = way->kind != RS_WAY_MODEL,
	                                                          .name = name,
	                                                          .count = count,
	                                                          .x = x,
	                                                          .y = y};
}

/* Which one it is of those that are drawn, from 1: the model and baselines, as many as can be told apart; 0: it is not. */
static size_t way_drawn(const struct rs_report *report, size_t way)
{
	size_t number = 0;
	for (size_t w = 0; w <= way; w++)
		number += report->ways[w].kind == RS_WAY_MODEL || report->ways[w].kind == RS_WAY_BASELINE;
	bool drawn = report->ways[way].kind == RS_WAY_MODEL || report->ways[way].kind == RS_WAY_BASELINE;
	return drawn && number <= WAYS_DRAWN ? number : 0;
}

/* As a ROC curve, or (precision) precision by recall. */
static enum rs_code add_curve(struct curves *curves, const struct rs_report *report, size_t number,
                              bool precision, struct rs_error *err)
{
	const struct rs_way *way = &report->ways[number];
	struct rs_roc roc RS_CLEANUP(rs_roc_finish) = {0};
	double *x, *y, positives = (double)positives_of(way, report->rows), all = (double)report->rows;
	size_t count = 0;
	RS_TRY(rs_roc_of(way->score, way->outcome, report->rows, &roc, err));
	RS_TRY(curve_new(curves, roc.count, &x, &y, err));
	for (size_t i = roc.count; i-- > 0;) {
		double found = roc.points[i].sensitivity * positives;
		double wrong = (1 - roc.points[i].specificity) * (all - positives);
		if (precision && found + wrong < 0.5)
			continue;
		x[count] = precision ? roc.points[i].sensitivity : 1 - roc.points[i].specificity;
		y[count++] = precision ? found / (found + wrong) : roc.points[i].sensitivity;
	}
	char *name = line_name(curves, way, precision ? NULL : &way->merit);
	if (!name)
		return rs_error_memory(err, 64, "a name");
	curve_add(curves, way, way_drawn(report, number), name, count, x, y);
	return RS_OK;
}

static enum rs_code figure_roc(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err)
{
	struct curves curves RS_CLEANUP(curves_finish) = {.count = 0};
	double grid[GRID], lower[GRID], upper[GRID], x = 1 - report->specificity, y = report->sensitivity;
	rs_arena_init(&curves.arena, SIZE_MAX / 2);
	for (size_t g = 0; g < GRID; g++)
		grid[g] = (double)g / (GRID - 1);
	RS_TRY(band_of(&report->ways[0], report->rows, lower, upper, err));
	curves.layers[curves.count++] = (struct rs_chart_layer){
		.mark = RS_MARK_LINE, .dashed = true, .count = 2, .x = diagonal, .y = diagonal};
	curves.layers[curves.count++] = (struct rs_chart_layer){
		.mark = RS_MARK_BAND, .colour = 1, .count = GRID, .x = grid, .lower = lower, .upper = upper};
	for (size_t w = report->way_count; w-- > 0;)
		if (way_drawn(report, w))
			RS_TRY(add_curve(&curves, report, w, false, err));
	if (isfinite(x) && isfinite(y))
		curves.layers[curves.count++] = (struct rs_chart_layer){.mark = RS_MARK_POINTS,
		                                                        .colour = 1,
		                                                        .name = "where it decides",
		                                                        .count = 1,
		                                                        .x = &x,
		                                                        .y = &y};
	figure_begin(out, "square", "Receiver operating characteristic");
	rs_chart_draw(out,
	              &(struct rs_chart){
			      .id = "roc",
			      .title = "Receiver operating characteristic",
			      .description = "Sensitivity by 1 - specificity, with a band of the model's.",
			      .x = {"1 \xe2\x88\x92 specificity", 0, 1},
			      .y = {"Sensitivity", 0, 1},
			      .layers = curves.layers,
			      .layer_count = curves.count,
			      .names = RS_NAMES_BOTTOM_RIGHT});
	figure_end(
		out,
		"Area under the curve with 95 % interval; the band holds 95 % of 400 resampled curves, point by "
		"point. Controls stand in the table.");
	return RS_OK;
}

static enum rs_code figure_precision(const struct rs_report *report, struct rs_buffer *out,
                                     struct rs_error *err)
{
	struct curves curves RS_CLEANUP(curves_finish) = {.count = 0};
	double share = (double)positives_of(&report->ways[0], report->rows) / (double)report->rows;
	const double chance[] = {share, share};
	rs_arena_init(&curves.arena, SIZE_MAX / 2);
	curves.layers[curves.count++] = (struct rs_chart_layer){.mark = RS_MARK_LINE,
	                                                        .dashed = true,
	                                                        .name = "chance",
	                                                        .count = 2,
	                                                        .x = diagonal,
	                                                        .y = chance};
	for (size_t w = report->way_count; w-- > 0;)
		if (way_drawn(report, w))
			RS_TRY(add_curve(&curves, report, w, true, err));
	figure_begin(out, "square", "Precision and recall");
	rs_chart_draw(out,
	              &(struct rs_chart){.id = "precision",
	                                 .title = "Precision and recall",
	                                 .description = "Positive predictive value by sensitivity.",
	                                 .x = {"Recall (sensitivity)", 0, 1},
	                                 .y = {"Precision (positive predictive value)", 0, 1},
	                                 .layers = curves.layers,
	                                 .layer_count = curves.count,
	                                 .names = share < 0.5 ? RS_NAMES_TOP_RIGHT : RS_NAMES_BOTTOM_LEFT});
	figure_end(out, "Of those called positive, the share that is; by the share of positives found.");
	return RS_OK;
}

/* ---- calibration ---- */

struct sorted {
	double p, y;
};
static int by_p(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	return x->p != y->p ? (x->p > y->p) - (x->p < y->p) : (x->y > y->y) - (x->y < y->y);
}

struct calibration {
	double p[CALIBRATION_GROUPS], seen[CALIBRATION_GROUPS], lower[CALIBRATION_GROUPS],
		upper[CALIBRATION_GROUPS];
	size_t groups;
	double *x, *smooth, *y; /* by row, ascending */
	double edges[BINS], ends[BINS], share[2][BINS];
};

static void group_by_p(const struct sorted *rows, size_t count, struct calibration *out)
{
	size_t first = 0;
	for (size_t g = 0; g < CALIBRATION_GROUPS; g++) {
		size_t end = count * (g + 1) / CALIBRATION_GROUPS;
		double sum = 0;
		uint64_t found = 0;
		while (end > first && end < count &&
		       rows[end].p == rows[end - 1].p) /* equal ones stay together */
			end++;
		for (size_t i = first; i < end; i++) {
			sum += rows[i].p;
			found += rows[i].y > 0.5;
		}
		if (end <= first)
			continue;
		struct rs_interval seen = rs_proportion_interval(found, end - first, RS_REPORT_LEVEL);
		out->p[out->groups] = sum / (double)(end - first);
		out->seen[out->groups] = seen.value;
		out->lower[out->groups] = seen.lower;
		out->upper[out->groups++] = seen.upper;
		first = end;
	}
}

static enum rs_code calibrate(const struct rs_report *report, struct rs_arena *arena, struct calibration *out,
                              struct rs_error *err)
{
	const struct rs_way *way = &report->ways[0];
	size_t n = report->rows;
	struct sorted *rows = rs_arena_allocate_array(arena, n, sizeof *rows);
	out->x = rs_arena_allocate_array(arena, n, sizeof *out->x);
	out->y = rs_arena_allocate_array(arena, n, sizeof *out->y);
	out->smooth = rs_arena_allocate_array(arena, n, sizeof *out->smooth);
	if (!rows || !out->x || !out->y || !out->smooth)
		return rs_error_memory(err, n * sizeof *rows, "a calibration");
	double positives = (double)positives_of(way, n);
	for (size_t i = 0; i < n; i++) {
		size_t bin = (size_t)fmin(way->score[i] * BINS, BINS - 1);
		rows[i] = (struct sorted){way->score[i], way->outcome[i]};
		out->share[way->outcome[i]][bin] += 1 / (way->outcome[i] ? positives : (double)n - positives);
	}
	qsort(rows, n, sizeof *rows, by_p);
	for (size_t i = 0; i < n; i++) {
		out->x[i] = rows[i].p;
		out->y[i] = rows[i].y;
	}
	for (size_t b = 0; b < BINS; b++) {
		out->edges[b] = (double)b / BINS;
		out->ends[b] = (double)(b + 1) / BINS;
	}
	group_by_p(rows, n, out);
	return rs_lowess(out->x, out->y, n, out->smooth, err);
}

static void figure_calibration(struct rs_buffer *out, const struct calibration *found, size_t rows,
                               double positives)
{
	double all[BINS], highest = 0, of = positives / (double)rows;
	for (size_t b = 0; b < BINS; b++) {
		all[b] = found->share[1][b] * of + found->share[0][b] * (1 - of);
		highest = fmax(highest, all[b]);
	}
	for (size_t b = 0; b < BINS; b++)
		all[b] *= 0.12 / highest;
	const struct rs_chart_layer layers[] = {
		{RS_MARK_BARS, RS_COLOUR_MUTED, false, NULL, BINS, NULL, all, found->edges, found->ends},
		{RS_MARK_LINE, RS_COLOUR_MUTED, true, "ideal", 2, diagonal, diagonal, NULL, NULL},
		{RS_MARK_LINE, 1, false, "smoothed (lowess)", rows, found->x, found->smooth, NULL, NULL},
		{RS_MARK_POINTS, 2, false, "tenths, 95 % interval", found->groups, found->p, found->seen,
	         found->lower, found->upper},
	};
	figure_begin(out, "square", "Calibration");
	rs_chart_draw(out, &(struct rs_chart){.id = "calibration",
	                                      .title = "Calibration",
	                                      .description = "Share of positives by predicted probability.",
	                                      .x = {"Predicted probability", 0, 1},
	                                      .y = {"Observed share", 0, 1},
	                                      .layers = layers,
	                                      .layer_count = RS_COUNT(layers),
	                                      .names = RS_NAMES_TOP_LEFT});
	figure_end(out,
	           "Tenths of the rows by predicted probability; grey bars show how predictions are spread.");
}

static void figure_spread(struct rs_buffer *out, const struct calibration *found)
{
	const struct rs_chart_layer layers[] = {
		{RS_MARK_BARS, 1, false, "negative", BINS, NULL, found->share[0], found->edges, found->ends},
		{RS_MARK_BARS, 2, false, "positive", BINS, NULL, found->share[1], found->edges, found->ends},
	};
	figure_begin(out, "square", "Predictions by outcome");
	rs_chart_draw(
		out, &(struct rs_chart){.id = "spread",
	                                .title = "Predictions by outcome",
	                                .description = "Histograms of predicted probabilities of each class.",
	                                .x = {"Predicted probability", 0, 1},
	                                .y = {"Share of the class", 0, NAN},
	                                .layers = layers,
	                                .layer_count = RS_COUNT(layers),
	                                .names = RS_NAMES_TOP_RIGHT});
	figure_end(out, "How far predictions part the classes.");
}

/* ---- usefulness ---- */

static enum rs_code figure_benefit(const struct rs_report *report, struct rs_buffer *out,
                                   struct rs_error *err)
{
	struct curves curves RS_CLEANUP(curves_finish) = {.count = 0};
	double t[GRID - 2], all[GRID - 2], highest = 0;
	static const double nobody[] = {0, 0};
	rs_arena_init(&curves.arena, SIZE_MAX / 2);
	for (size_t g = 0; g < RS_COUNT(t); g++)
		t[g] = (double)(g + 1) / (GRID - 1);
	for (size_t w = report->way_count; w-- > 0;) {
		const struct rs_way *way = &report->ways[w];
		double *x, *y;
		if (!way_drawn(report, w) || !way->probabilities)
			continue;
		RS_TRY(curve_new(&curves, RS_COUNT(t), &x, &y, err));
		for (size_t g = 0; g < RS_COUNT(t); g++) {
			struct rs_net_benefit found;
			rs_net_benefit_of(way->score, way->outcome, report->rows, t[g], &found);
			x[g] = t[g];
			y[g] = found.model;
			all[g] = found.all;
			highest = fmax(highest, found.model);
		}
		curve_add(&curves, way, way_drawn(report, w), way->name, RS_COUNT(t), x, y);
	}
	curves.layers[curves.count++] = (struct rs_chart_layer){
		.mark = RS_MARK_LINE, .name = "treat all", .count = RS_COUNT(t), .x = t, .y = all};
	curves.layers[curves.count++] = (struct rs_chart_layer){.mark = RS_MARK_LINE,
	                                                        .dashed = true,
	                                                        .name = "treat nobody",
	                                                        .count = 2,
	                                                        .x = diagonal,
	                                                        .y = nobody};
	figure_begin(out, "square", "Decision curve");
	rs_chart_draw(out, &(struct rs_chart){.id = "benefit",
	                                      .title = "Decision curve",
	                                      .description = "Net benefit by threshold probability.",
	                                      .x = {"Threshold probability", 0, 1},
	                                      .y = {"Net benefit", -0.25 * highest, NAN},
	                                      .layers = curves.layers,
	                                      .layer_count = curves.count,
	                                      .names = RS_NAMES_TOP_RIGHT});
	figure_end(out, "Net benefit per subject of acting on predictions (Vickers and Elkin).");
	return RS_OK;
}

static void figure_confusion(const struct rs_report *report, struct rs_buffer *out)
{
	static const char *const names[] = {"negative", "positive"};
	uint64_t counts[4] = {0};
	for (size_t i = 0; i < report->rows; i++)
		counts[2 * report->ways[0].outcome[i] + report->called[i]]++;
	figure_begin(out, "square", "Confusion matrix");
	rs_counts_draw(out,
	               &(struct rs_counts_chart){.id = "confusion",
	                                         .title = "Confusion matrix",
	                                         .description = "Counts of true classes by predicted ones.",
	                                         .row_label = "Was",
	                                         .column_label = "Was called",
	                                         .size = 2,
	                                         .names = names,
	                                         .counts = counts});
	figure_end(out, report->called_about);
}

enum rs_code figures_of_classes(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err)
{
	struct rs_arena arena RS_CLEANUP(rs_arena_finish) = {0};
	struct calibration found = {.groups = 0};
	rs_arena_init(&arena, SIZE_MAX / 2);
	RS_TRY(figure_roc(report, out, err));
	RS_TRY(figure_precision(report, out, err));
	if (report->ways[0].probabilities) {
		RS_TRY(calibrate(report, &arena, &found, err));
		figure_calibration(out, &found, report->rows,
		                   (double)positives_of(&report->ways[0], report->rows));
		RS_TRY(figure_benefit(report, out, err));
		figure_spread(out, &found);
	}
	if (report->called)
		figure_confusion(report, out);
	return RS_OK;
}
