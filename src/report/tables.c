/* Findings as tables, and how they are gathered while a computation tells them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "parts.h"

#define GATHERED_MAX ((size_t)64 << 20)

void rs_gathered_init(struct rs_gathered *gathered, rs_finding_visit *visit,
                      void (*warning)(void *context, const char *sentence), void *context)
{
	*gathered = (struct rs_gathered){.visit = visit, .warning = warning, .context = context};
	rs_arena_init(&gathered->arena, GATHERED_MAX);
}

void rs_gathered_finish(struct rs_gathered *gathered)
{
	rs_free(gathered->findings);
	rs_free(gathered->warnings);
	rs_arena_finish(&gathered->arena);
}

static const char *keep(struct rs_gathered *gathered, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = rs_arena_allocate(&gathered->arena, size);
	if (!copy) {
		gathered->failed = true;
		return "";
	}
	memcpy(copy, text, size);
	return copy;
}

static bool make_room(struct rs_gathered *gathered, void **items, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room ? 2 * *room : 256, bytes;
	void *more;
	if (count < *room)
		return true;
	if (!rs_mul_size(wanted, size, &bytes) || !(more = rs_reallocate(*items, bytes))) {
		gathered->failed = true;
		return false;
	}
	*items = more;
	*room = wanted;
	return true;
}

void rs_gather_finding(void *context, const struct rs_finding *finding)
{
	struct rs_gathered *gathered = context;
	void *items = gathered->findings;
	if (make_room(gathered, &items, gathered->finding_count, &gathered->finding_room, sizeof *finding)) {
		gathered->findings = items;
		struct rs_finding *kept = &gathered->findings[gathered->finding_count++];
		*kept = *finding;
		kept->of = keep(gathered, finding->of);
		kept->name = keep(gathered, finding->name);
	}
	gathered->visit(gathered->context, finding);
}

void rs_gather_warning(void *context, const char *sentence)
{
	struct rs_gathered *gathered = context;
	void *items = gathered->warnings;
	if (make_room(gathered, &items, gathered->warning_count, &gathered->warning_room, sizeof(char *))) {
		gathered->warnings = items;
		gathered->warnings[gathered->warning_count++] = keep(gathered, sentence);
	}
	gathered->warning(gathered->context, sentence);
}

const struct rs_finding *rs_finding_find(const struct rs_finding *findings, size_t count, const char *of,
                                         const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(findings[i].of, of) == 0 && strcmp(findings[i].name, name) == 0)
			return &findings[i];
	return NULL;
}

/* ---- tables ---- */

static bool of_a_fold(const struct rs_finding *finding, unsigned long *out_repeat, unsigned long *out_fold)
{
	const char *at = strstr(finding->name, "_repeat_");
	int end = 0;
	return at && sscanf(at, "_repeat_%3lu_fold_%4lu%n", out_repeat, out_fold, &end) == 2 &&
	       at[end] == '\0';
}

/* "calibration_slope" as "Calibration slope". */
static void write_name(struct rs_buffer *out, const char *name)
{
	static const struct {
		const char *name, *shown;
	} names[] = {{"auc", "AUC"},
	             {"mcc", "MCC"},
	             {"f1", "F1"},
	             {"ici", "ICI"},
	             {"e90", "E90"},
	             {"e_max", "E max"},
	             {"harrell_c", "Harrell's C"},
	             {"uno_c", "Uno's C"},
	             {"auc_difference", "Difference of AUC"},
	             {"log_rank", "Log-rank"},
	             {"hand_till", "Hand & Till's AUC"},
	             {"ordinal_c", "Concordance of levels"},
	             {"macro_f1", "Macro F1"},
	             {"brier", "Brier score"},
	             {"ibs", "Integrated Brier score"}};
	char shown[96];
	for (size_t i = 0; i < RS_COUNT(names); i++)
		if (strcmp(name, names[i].name) == 0) {
			rs_plot_escape(out, names[i].shown);
			return;
		}
	snprintf(shown, sizeof shown, "%s", name);
	for (char *c = shown; *c; c++)
		*c = *c == '_' ? ' ' : *c;
	if (shown[0] >= 'a' && shown[0] <= 'z')
		shown[0] = (char)(shown[0] - 'a' + 'A');
	rs_plot_escape(out, rs_utf8_valid(rs_str_from(shown)) ? shown : name);
}

static void write_value(struct rs_buffer *out, double value)
{
	if (isfinite(value) && value == floor(value) && fabs(value) < 1e9)
		rs_buffer_printf(out, "%.0f", value);
	else if (isfinite(value) && fabs(value) >= 1000)
		rs_buffer_printf(out, "%.1f", value);
	else
		rs_plot_write(out, "%F", value);
}

static void write_row(struct rs_buffer *out, const struct rs_finding *finding, const char *of)
{
	rs_plot_write(out, "<tr><td>%E</td><td>", of);
	write_name(out, finding->name);
	rs_plot_write(out, "</td><td class=\"number\">");
	write_value(out, finding->value);
	rs_plot_write(out, "</td><td class=\"number\">");
	if (!isnan(finding->lower)) {
		write_value(out, finding->lower);
		rs_plot_write(out, " to ");
		write_value(out, finding->upper);
	}
	rs_plot_write(out, "</td><td class=\"number\">");
	if (!isnan(finding->p))
		rs_plot_write(out, "%P", finding->p);
	rs_plot_write(out, "</td></tr>\n");
}

void table_of_findings(const struct rs_report *report, struct rs_buffer *out)
{
	unsigned long repeat, fold;
	const char *of = "";
	rs_plot_write(out, "<div class=\"scroll\"><table><thead><tr><th>Of</th><th>Figure</th><th "
	                   "class=\"number\">Value</th><th class=\"number\">95 %% interval</th><th "
	                   "class=\"number\"></th></tr></thead><tbody>\n");
	for (size_t i = 0; i < report->finding_count; i++) {
		const struct rs_finding *finding = &report->findings[i];
		if (of_a_fold(finding, &repeat, &fold) || strcmp(finding->name, "importance") == 0)
			continue;
		const char *own = *finding->of ? finding->of : "all";
		write_row(out, finding, strcmp(own, of) == 0 ? "" : own);
		of = own;
	}
	rs_plot_write(out, "</tbody></table></div>\n");
}

void table_of_folds(const struct rs_report *report, struct rs_buffer *out)
{
	unsigned long last = 0;
	for (size_t i = 0; i < report->finding_count; i++) {
		unsigned long repeat, fold;
		const struct rs_finding *finding = &report->findings[i];
		if (!of_a_fold(finding, &repeat, &fold) || strncmp(finding->name, "inner_", 6) == 0)
			continue;
		if (last == 0)
			rs_plot_write(out, "<h3>By fold</h3>\n<div class=\"scroll\"><table><tbody>");
		if (repeat != last) {
			rs_plot_write(out, "<tr><th scope=\"row\">Repeat %Z</th>", (size_t)repeat);
			last = repeat;
		}
		rs_plot_write(out, "<td class=\"number\">%F</td>", finding->value);
		unsigned long next = 0;
		if (i + 1 == report->finding_count || !of_a_fold(&report->findings[i + 1], &next, &fold) ||
		    next != repeat)
			rs_plot_write(out, "</tr>\n");
	}
	if (last)
		rs_plot_write(out, "</tbody></table></div>\n");
}

void table_of_inputs(const struct rs_report *report, struct rs_buffer *out)
{
	if (report->input_count == 0)
		return;
	rs_plot_write(
		out,
		"<details><summary>The model's %Z inputs</summary>\n<table><thead><tr><th>Input</th><th "
		"class=\"number\">Importance</th></tr></thead><tbody>\n",
		report->input_count);
	for (size_t i = 0; i < report->input_count; i++) {
		rs_plot_write(out, "<tr><td>%E</td><td class=\"number\">", report->inputs[i].name);
		if (isfinite(report->inputs[i].importance))
			rs_buffer_printf(out, "%.4g", report->inputs[i].importance);
		rs_plot_write(out, "</td></tr>\n");
	}
	rs_plot_write(out, "</tbody></table></details>\n");
}
