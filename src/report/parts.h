/* The parts of a report. */
#ifndef RS_REPORT_PARTS_H
#define RS_REPORT_PARTS_H

#include "report/report.h"

/* ---- figures ---- */

void figure_begin(struct rs_buffer *out, const char *class, const char *title);
void figure_end(struct rs_buffer *out, const char *caption);
enum rs_code figures_of_classes(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err);
enum rs_code figures_of_several(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err);
enum rs_code figures_of_survival(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err);
void figures_of_risks(const struct rs_report *report, struct rs_buffer *out);
void figure_of_merits(const struct rs_report *report, struct rs_buffer *out);
void figure_of_ratios(const struct rs_report *report, struct rs_buffer *out);
void figure_of_importance(const struct rs_report *report, struct rs_buffer *out);
void figure_of_effects(const struct rs_report *report, struct rs_buffer *out);

/* ---- tables ---- */

void table_of_findings(const struct rs_report *report, struct rs_buffer *out);
void table_of_inputs(const struct rs_report *report, struct rs_buffer *out);
void table_of_folds(const struct rs_report *report, struct rs_buffer *out);
void checklists_write(const struct rs_report *report, struct rs_buffer *out);

#endif
