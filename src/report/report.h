/* What a report is written from, whoever found it; and its parts. */
#ifndef RS_REPORT_H
#define RS_REPORT_H

#include "assess/assess.h"
#include "plot/plot.h"
#include "table/table_join.h"
#include "survival/survival_prediction.h"

/* A page for people: HTML that fetches nothing and runs nothing. */
struct rs_page {
	struct rs_buffer *out;
	const char *version; /* of the program */
	const char *source;  /* what was read, as its name is shown */
	const char *digest;  /* its SHA-256, in hexadecimal; NULL: not told */
};

/* Up to <main>, and from </main> on. pictures: such as stand in the page itself, as data: URIs. */
enum rs_code rs_page_begin(struct rs_buffer *out, const char *title, bool pictures, struct rs_error *err);
void rs_page_end(struct rs_buffer *out);

/* One number; NaN where there is none. `of`: a score's or group's column or name, "" for the table. Names of what is told of
 * a time end in "_at_" and the time. */
struct rs_finding {
	const char *of, *name;
	double value, lower, upper, p;
};
/* The finding's texts live as long as the call. */
typedef void rs_finding_visit(void *context, const struct rs_finding *finding);

/* What a training tells while it goes on. Texts live during the call. */
struct rs_training_report {
	rs_finding_visit *finding;
	void (*warning)(void *context, const char *sentence);
	void *context;
	const struct rs_page *page; /* NULL: none is wanted */
	rs_rows_permit *permit;     /* NULL: rows need no leave */
	/* How many of the steps whose number is known are done; NULL: nobody asks. */
	void (*progress)(void *context, uint64_t done, uint64_t total);
};

#define RS_REPORT_SIZE_MAX ((size_t)64 << 20)
#define RS_REPORT_LEVEL 0.95

/* One way to predict, judged on rows that it was not fitted to. */
struct rs_way {
	const char *name;
	enum rs_way_kind { RS_WAY_MODEL, RS_WAY_BASELINE, RS_WAY_CONTROL, RS_WAY_PART } kind;
	bool probabilities;
	const double *score; /* by row */
	const uint8_t *outcome;
	struct rs_interval merit; /* AUC or concordance */
};
/* Predicted risks at a time against what came. */
struct rs_report_risk {
	const char *name;
	double time;
	size_t count;
	const double *x, *line; /* by ascending risk */
	struct rs_risk_calibration found;
};
struct rs_report_input {
	const char *name;
	double importance; /* NaN: none */
	const double *effect,
		*shade; /* by row: what it added to the prediction, and its value's rank from 0 to 1; NULL */
};
struct rs_report_group {
	const char *name;
	uint32_t number;
};
/* Name and value, as in a table. */
struct rs_fact {
	const char *name, *value;
};
struct rs_facts {
	size_t count;
	const struct rs_fact *items;
};
struct rs_report {
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
	const struct rs_way *ways;
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
	const struct rs_report_risk *risks;
	size_t risk_count;
	const struct rs_report_input *inputs; /* most important first */
	size_t input_count, shown_rows;       /* shown_rows: of effects */
	const struct rs_finding *findings;
	size_t finding_count;
	const char *const *warnings;
	size_t warning_count;
	struct rs_facts study, subjects, provenance;
	struct rs_facts card, evidence; /* by key; see checklists.c. No evidence: no checklists */
};

enum rs_code rs_report_write(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err);

/* Findings as they are told, kept for a report and passed on. */
struct rs_gathered {
	struct rs_arena arena;
	rs_finding_visit *visit;
	void *context;
	void (*warning)(void *context, const char *sentence);
	struct rs_finding *findings;
	const char **warnings;
	size_t finding_count, finding_room, warning_count, warning_room;
	bool failed; /* no memory */
};
void rs_gathered_init(struct rs_gathered *gathered, rs_finding_visit *visit,
                      void (*warning)(void *context, const char *sentence), void *context);
void rs_gathered_finish(struct rs_gathered *gathered);
void rs_gather_finding(void *context, const struct rs_finding *finding);
void rs_gather_warning(void *context, const char *sentence);
/* NULL: nothing of this name. */
const struct rs_finding *rs_finding_find(const struct rs_finding *findings, size_t count, const char *of,
                                         const char *name);

/* Curves of survival (the first, where several events compete) as an image of its own. */
enum rs_code rs_curves_write(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err);
/* Whether a study's card may speak of it. */
bool rs_card_key_known(const char *key);

#endif
