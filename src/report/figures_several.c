/* Figures of more classes than two: each against the others, and which was taken for which. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "parts.h"

/* The curve of one class against the others: x and y are appended to the arena. */
static enum rs_code against_others(const struct rs_report *report, size_t level, struct rs_arena *arena,
                                   struct rs_chart_layer *out, struct rs_error *err)
{
	struct rs_roc roc RS_CLEANUP(rs_roc_finish) = {0};
	size_t n = report->rows;
	double *score RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *score);
	uint8_t *outcome RS_CLEANUP(rs_free_pointer) = rs_allocate(n);
	char finding[160];
	if (!score || !outcome)
		return rs_error_memory(err, n * sizeof *score, "a curve");
	for (size_t i = 0; i < n; i++) {
		score[i] = report->several[i * report->level_count + level];
		outcome[i] = report->level[i] == level;
	}
	RS_TRY(rs_roc_of(score, outcome, n, &roc, err));
	double *x = rs_arena_allocate_array(arena, roc.count, sizeof *x);
	double *y = rs_arena_allocate_array(arena, roc.count, sizeof *y);
	size_t size = strlen(report->levels[level]) + 64;
	char *name = rs_arena_allocate(arena, size);
	if (!x || !y || !name)
		return rs_error_memory(err, roc.count * sizeof *x, "a curve");
	for (size_t i = 0; i < roc.count; i++) {
		x[i] = 1 - roc.points[roc.count - 1 - i].specificity;
		y[i] = roc.points[roc.count - 1 - i].sensitivity;
	}
	snprintf(finding, sizeof finding, "auc_of_%s", report->levels[level]);
	const struct rs_finding *area = rs_finding_find(report->findings, report->finding_count, "model",
	                                                finding);
	if (area)
		snprintf(name, size, "%s: %.2f (%.2f to %.2f)", report->levels[level], area->value,
		         area->lower, area->upper);
	else
		snprintf(name, size, "%s", report->levels[level]);
	*out = (struct rs_chart_layer){.mark = RS_MARK_LINE,
	                               .colour = (unsigned)level + 1,
	                               .name = name,
	                               .count = roc.count,
	                               .x = x,
	                               .y = y};
	return RS_OK;
}

static enum rs_code figure_curves(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err)
{
	static const double diagonal[] = {0, 1};
	struct rs_arena arena RS_CLEANUP(rs_arena_finish) = {0};
	struct rs_chart_layer layers[RS_COLOURS + 1] = {
		{.mark = RS_MARK_LINE, .dashed = true, .count = 2, .x = diagonal, .y = diagonal}};
	size_t count = 1;
	rs_arena_init(&arena, SIZE_MAX / 2);
	for (size_t k = 0; k < report->level_count && count <= RS_COLOURS; k++)
		RS_TRY(against_others(report, k, &arena, &layers[count++], err));
	figure_begin(out, "square", "Receiver operating characteristics");
	rs_chart_draw(
		out,
		&(struct rs_chart){
			.id = "roc",
			.title = "Receiver operating characteristics",
			.description = "Sensitivity by 1 - specificity of each class against the others.",
			.x = {"1 \xe2\x88\x92 specificity", 0, 1},
			.y = {"Sensitivity", 0, 1},
			.layers = layers,
			.layer_count = count,
			.names = RS_NAMES_BOTTOM_RIGHT});
	figure_end(out, "Each class against all others; area under the curve with 95 % interval.");
	return RS_OK;
}

static void figure_confusion(const struct rs_report *report, struct rs_buffer *out)
{
	size_t n = report->level_count;
	uint64_t counts[RS_COUNTS_MAX * RS_COUNTS_MAX] = {0};
	for (size_t i = 0; i < report->rows; i++) {
		const double *score = report->several + i * n;
		size_t likeliest = 0;
		for (size_t k = 1; k < n; k++)
			if (score[k] > score[likeliest])
				likeliest = k;
		counts[report->level[i] * n + likeliest]++;
	}
	figure_begin(out, "square", "Confusion matrix");
	rs_counts_draw(out,
	               &(struct rs_counts_chart){.id = "confusion",
	                                         .title = "Confusion matrix",
	                                         .description = "Counts of true classes by predicted ones.",
	                                         .row_label = "Was",
	                                         .column_label = "Was called",
	                                         .size = n,
	                                         .names = report->levels,
	                                         .counts = counts});
	figure_end(
		out,
		"Called what is likeliest, by models that did not see the subject; shares are of what was.");
}

enum rs_code figures_of_several(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err)
{
	RS_TRY(figure_curves(report, out, err));
	if (report->level_count <= RS_COUNTS_MAX)
		figure_confusion(report, out);
	return RS_OK;
}
