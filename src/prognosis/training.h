/* Rows to learn from: a copy, and nothing of the others. Whatever is fitted is given this alone, so the outcomes of rows
 * that it will judge are out of its reach. */
#ifndef RS_PROGNOSIS_TRAINING_H
#define RS_PROGNOSIS_TRAINING_H

#include "frame.h"

/* VIEW_MODALITY and what is above it: one modality, counted as in struct frame. */
enum view { VIEW_ALL, VIEW_CLINICAL, VIEW_VOLUME, VIEW_MODALITY };
bool view_holds(enum view view, const struct column *column);

struct training {
	struct rs_arena arena;
	enum target target;
	uint32_t classes;
	const char **levels; /* names of classes, when there are more than 2 */
	size_t rows, positives, column_count;
	const struct column **columns;
	double *numbers;     /* by column, then row; NaN: missing */
	const char **words;  /* the same, of categorical columns; "": missing */
	uint8_t *outcome;    /* class, or whether the event came */
	double *time;        /* of survival */
	uint32_t *subject;   /* by row */
	const char **centre; /* by row; "" when the study names no column */
	uint32_t *subjects;  /* ascending */
	/* Of subjects that are trained on, and of those that nobody is judged of: [column][subject][measurement]. */
	size_t repeated_subjects, measurements;
	double *repeated;
	bool *is_repeated;       /* by column */
	struct rs_digest digest; /* of the rows' digests in the order of the rows */
};
void training_finish(struct training *training);
/* rows: ascending. */
enum rs_code training_take(const struct frame *frame, enum view view, const size_t *rows, size_t count,
                           struct training *out, struct rs_error *err);

#endif
