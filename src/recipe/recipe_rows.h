/* Rows to learn from: a copy, and nothing of the others. Whatever is fitted is given this alone, so the outcomes of rows
 * that it will judge are out of its reach. */
#ifndef RS_RECIPE_ROWS_H
#define RS_RECIPE_ROWS_H

#include "crypto/crypto.h"
#include "recipe/recipe_learner.h"
#include "table/table_join.h"

struct rs_column {
	const char *name;
	struct rs_table_place place;
	bool categorical, marked /* gaps are an input, too */, clinical, volume, feature;
	uint32_t modality; /* RS_MODALITY_NONE: a volume that is no feature */
	bool indicator;    /* 1 where the row lacks the modality; of no table */
};
#define RS_MODALITY_NONE UINT32_MAX
struct rs_training {
	struct rs_arena arena;
	enum rs_target target;
	uint32_t classes;
	const char **levels; /* names of classes, when there are more than 2 */
	size_t rows, positives, column_count;
	const struct rs_column **columns;
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

#endif
