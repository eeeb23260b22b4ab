/* What a report is written from, whoever found it; and its parts. */
#ifndef RS_PROGNOSIS_REPORT_H
#define RS_PROGNOSIS_REPORT_H

#include "assess/assess.h"
#include "plot/plot.h"
#include "prognosis/prognosis.h"
#include "survival/survival_prediction.h"

#define REPORT_SIZE_MAX ((size_t)64 << 20)
#define REPORT_LEVEL 0.95

/* One way to predict, judged on rows that it was not fitted to. */
struct way {
	const char *name;
	enum way_kind { WAY_MODEL, WAY_BASELINE, WAY_CONTROL, WAY_PART } kind;
	bool probabilities;
	const double *score; /* by row */
	const uint8_t *outcome;
	struct rs_interval merit; /* AUC or concordance */
};
/* Predicted risks at a time against what came. */
struct report_risk {
	const char *name;
	double time;
	size_t count;
	const double *x, *line; /* by ascending risk */
	struct rs_risk_calibration found;
};
struct report_input {
	const char *name;
	double importance; /* NaN: none */
	const double *effect,
		*shade; /* by row: what it added to the prediction, and its value's rank from 0 to 1; NULL */
};
struct report_group {
	const char *name;
	uint32_t number;
};
/* Name and value, as in a table. */
struct fact {
	const char *name, *value;
};
struct facts {
	size_t count;
	const struct fact *items;
};
struct report {
	const char *title, *about, *verdict; /* verdict: NULL, none */
	const char *merit;                   /* what ways are compared by */
	bool survival, synthetic;
	size_t rows;
	const double *time, *start; /* of survival, by row; start NULL: there is no late entry */
	const uint8_t *event;
	const uint32_t *stratum;            /* groups are compared within; NULL: one */
	enum rs_survival_interval interval; /* of curves */
	double coverage;                    /* of these, 0.95 for 95 % */
	const char *const *event_names;     /* by type, of events that compete; NULL: there is one type */
	size_t event_types;
	const struct way *ways;
	size_t way_count;
	const uint8_t *called; /* by row: whether the model called it positive; NULL: it has no threshold */
	const char *called_about;
	/* More classes than two: names, class of each row, and [row][class] probabilities; level_count 0: not so. */
	const char *const *levels;
	const uint8_t *level;
	const double *several;
	size_t level_count;
	double sensitivity, specificity; /* where it does; NaN */
	/* Curves of survival are drawn of these groups; group NULL: of all. */
	const uint32_t *group;
	const char *const *group_names;
	size_t group_count;
	const char *group_about;
	const struct report_risk *risks;
	size_t risk_count;
	const struct report_input *inputs; /* most important first */
	size_t input_count, shown_rows;    /* shown_rows: of effects */
	const struct rs_finding *findings;
	size_t finding_count;
	const char *const *warnings;
	size_t warning_count;
	struct facts study, subjects, provenance;
	struct facts card, evidence; /* by key; see report_checklists.c. No evidence: no checklists */
};

enum rs_code report_write(const struct report *report, struct rs_buffer *out, struct rs_error *err);

/* Findings as they are told, kept for a report and passed on. */
struct gathered {
	struct rs_arena arena;
	rs_finding_visit *visit;
	void *context;
	void (*warning)(void *context, const char *sentence);
	struct rs_finding *findings;
	const char **warnings;
	size_t finding_count, finding_room, warning_count, warning_room;
	bool failed; /* no memory */
};
void gathered_init(struct gathered *gathered, rs_finding_visit *visit,
                   void (*warning)(void *context, const char *sentence), void *context);
void gathered_finish(struct gathered *gathered);
void gather_finding(void *context, const struct rs_finding *finding);
void gather_warning(void *context, const char *sentence);
/* NULL: nothing of this name. */
const struct rs_finding *finding_find(const struct rs_finding *findings, size_t count, const char *of,
                                      const char *name);

/* ---- figures ---- */

void figure_begin(struct rs_buffer *out, const char *class, const char *title);
void figure_end(struct rs_buffer *out, const char *caption);
enum rs_code figures_of_classes(const struct report *report, struct rs_buffer *out, struct rs_error *err);
enum rs_code figures_of_several(const struct report *report, struct rs_buffer *out, struct rs_error *err);
enum rs_code figures_of_survival(const struct report *report, struct rs_buffer *out, struct rs_error *err);
void figures_of_risks(const struct report *report, struct rs_buffer *out);
/* Curves of survival (the first, where several events compete) as an image of its own. */
enum rs_code curves_write(const struct report *report, struct rs_buffer *out, struct rs_error *err);
void figure_of_merits(const struct report *report, struct rs_buffer *out);
void figure_of_ratios(const struct report *report, struct rs_buffer *out);
void figure_of_importance(const struct report *report, struct rs_buffer *out);
void figure_of_effects(const struct report *report, struct rs_buffer *out);

/* ---- tables ---- */

void table_of_findings(const struct report *report, struct rs_buffer *out);
void table_of_inputs(const struct report *report, struct rs_buffer *out);
void table_of_folds(const struct report *report, struct rs_buffer *out);
/* Whether a study's card may speak of it. */
bool card_key_known(const char *key);
void checklists_write(const struct report *report, struct rs_buffer *out);

#endif
