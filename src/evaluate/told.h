/* What the two kinds of evaluation share. */
#ifndef RS_EVALUATE_TOLD_H
#define RS_EVALUATE_TOLD_H

#include "assess/assess.h"
#include "evaluate/evaluate.h"
#include "survival/survival.h"

struct told {
	const struct rs_evaluation *asked;
	rs_finding_visit *visit;
	void *context;
	size_t count, positives;            /* rows used; of these with the outcome or event */
	size_t *rows;                       /* of the table */
	uint8_t *outcome;                   /* 1: positive, or the event; competing events from 2 */
	double *time;                       /* of survival */
	double *start;                      /* late entry; NULL: none */
	enum rs_survival_interval interval; /* of curves */
	const char *title;                  /* of the page */
	struct rs_buffer *figure;           /* SVG of the curves; NULL: none */
	bool whole_curves;                  /* also how many are at risk, and Nelson and Aalen's hazard */
	size_t types;                       /* of events */
	const char *type_name[RS_EVENT_TYPES_MAX]; /* the cell */
	double *score[RS_SCORES_MAX];
	double *risk[RS_TIMES_MAX]; /* 1 - predicted survival */
};
void told_finish(struct told *told);
#define TOLD_MORE_MAX 80
/* Rows where none of the columns is missing, those named in `more` (NULLs are passed over) included, and what is asked of
 * them. */
enum rs_code told_read(struct told *told, const char *const *more, size_t more_count, struct rs_error *err);
struct rs_follow_up told_seen(const struct told *told);
void finding_tell(const struct told *told, const char *of, const char *name, double value, double lower,
                  double upper, double p);
void finding_tell_value(const struct told *told, const char *of, const char *name, double value);
void finding_tell_interval(const struct told *told, const char *of, const char *name,
                           const struct rs_interval *interval);

/* "name_at_365" */
void finding_tell_at(const struct told *told, const char *of, const char *name, double time,
                     const struct rs_interval *interval, double p);

/* Cells of a column as codes, in the order they first occur. */
struct coded {
	uint32_t *code; /* by row used */
	uint32_t count;
	size_t *first; /* by code: the first row that has it */
};
#define CODED_GROUPS_MAX 64 /* more than these are no groups */
void coded_finish(struct coded *coded);
/* RS_USAGE for more than `most` different cells */
enum rs_code coded_of(const struct told *told, const char *column, size_t most, struct coded *out,
                      struct rs_error *err);

/* Curves of some of the rows (NULL: the first `count`), and comparisons of groups. */
enum rs_code tell_curves(const struct told *told, const char *of, const size_t *rows, size_t count,
                         struct rs_error *err);
enum rs_code compare_groups(const struct told *told, struct rs_error *err);
/* BCa intervals of what each score is worth, where they are asked for; told of as "auc_bootstrap" and the like. thresholds:
 * by score, NaN: no classes are told. NULL: of survival */
enum rs_code tell_bootstrap(const struct told *told, const double *thresholds, struct rs_error *err);
/* Discrimination, error and calibration at the times. */
enum rs_code tell_times(const struct told *told, struct rs_error *err);
/* The logistic regression of the outcome on the covariates asked for. */
enum rs_code tell_odds(const struct told *told, struct rs_error *err);
enum rs_code evaluate_survival(struct told *told, struct rs_error *err);
struct rs_gathered;
/* Writes asked->page and figure, those that are not NULL. */
enum rs_code evaluate_page(const struct told *told, const struct rs_gathered *gathered, struct rs_error *err);

#endif
