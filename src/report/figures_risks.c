/* Figures of predicted risks at a time: held against what came, and how they are spread. */
#include <math.h>
#include <stdio.h>

#include "parts.h"

#define BINS 20

/* How many rows have a risk of each twentieth, the highest 0.12 high. */
static void spread(const struct rs_report_risk *risk, double *edges, double *ends, double *shares)
{
	double highest = 0;
	for (size_t b = 0; b < BINS; b++) {
		edges[b] = (double)b / BINS;
		ends[b] = (double)(b + 1) / BINS;
		shares[b] = 0;
	}
	for (size_t i = 0; i < risk->count; i++)
		highest = fmax(highest, ++shares[(size_t)fmin(risk->x[i] * BINS, BINS - 1)]);
	for (size_t b = 0; b < BINS; b++)
		shares[b] *= 0.12 / highest;
}

static void figure_of_risk(const struct rs_report_risk *risk, size_t index, double coverage,
                           struct rs_buffer *out)
{
	static const double diagonal[] = {0, 1};
	const struct rs_risk_calibration *found = &risk->found;
	double edges[BINS], ends[BINS], shares[BINS], x[RS_RISK_GROUPS_MAX], y[RS_RISK_GROUPS_MAX],
		lower[RS_RISK_GROUPS_MAX], upper[RS_RISK_GROUPS_MAX];
	char id[32], title[256], names[64];
	spread(risk, edges, ends, shares);
	for (size_t g = 0; g < found->groups; g++) {
		x[g] = found->group[g].expected;
		y[g] = found->group[g].observed;
		lower[g] = found->group[g].lower;
		upper[g] = found->group[g].upper;
	}
	snprintf(id, sizeof id, "calibration-%zu", index);
	snprintf(title, sizeof title, "Calibration at %.10g: %.200s", risk->time, risk->name);
	snprintf(names, sizeof names, "tenths, %.10g %% interval", 100 * coverage);
	const struct rs_chart_layer layers[] = {
		{RS_MARK_BARS, RS_COLOUR_MUTED, false, NULL, BINS, NULL, shares, edges, ends},
		{RS_MARK_LINE, RS_COLOUR_MUTED, true, "ideal", 2, diagonal, diagonal, NULL, NULL},
		{RS_MARK_LINE, 1, false, "smoothed (lowess)", risk->count, risk->x, risk->line, NULL, NULL},
		{RS_MARK_POINTS, 2, false, names, found->groups, x, y, lower, upper},
	};
	figure_begin(out, "square", title);
	rs_chart_draw(out, &(struct rs_chart){.id = id,
	                                      .title = title,
	                                      .description = "Observed incidence by predicted risk.",
	                                      .x = {"Predicted risk", 0, 1},
	                                      .y = {"Observed incidence", 0, 1},
	                                      .layers = layers,
	                                      .layer_count = RS_COUNT(layers),
	                                      .names = RS_NAMES_TOP_LEFT});
	figure_end(
		out,
		"Points: incidence (Kaplan-Meier, or Aalen-Johansen) of tenths of the rows by predicted risk. "
		"Line: of pseudo-values, which stand for those censored. Grey bars show how predictions are "
		"spread.");
}

void figures_of_risks(const struct rs_report *report, struct rs_buffer *out)
{
	for (size_t i = 0; i < report->risk_count; i++)
		if (report->risks[i].count > 0 && isfinite(report->risks[i].found.observed))
			figure_of_risk(&report->risks[i], i, report->coverage, out);
}
