/* Reasons of predictions: what the columns of a row add to what a model says of it. */
#ifndef RS_PROGNOSIS_REASONS_H
#define RS_PROGNOSIS_REASONS_H

#include "fit.h"
#include "prognosis/prognosis_train.h"

struct reason {
	uint32_t column;
	double adds;
};
/* Room for the rows of a block, from an arena. */
struct reasons {
	size_t rows,
		wanted;   /* wanted: of each row, at most the columns; 0: none, or the learner cannot tell */
	uint32_t *origin; /* by input: its column */
	double *effects;  /* by row: inputs and what all have in common */
	double *sums;     /* by column */
	struct reason *found;
};
enum rs_code reasons_init(const struct fitted *fitted, size_t rows, size_t wanted, struct rs_arena *arena,
                          struct reasons *out, struct rs_error *err);
/* of: by row the class that is explained; NULL: the positive one, or the risk. The rows' reasons come one after the other,
 * the weightiest first; inputs of a column count together. */
enum rs_code reasons_find(const struct reasons *reasons, const struct fitted *fitted,
                          const struct rs_matrix *x, const uint32_t *of, struct rs_error *err);

/* The most important columns of a model, told as findings "importance"; none, where its learner knows none. */
enum rs_code importance_tell(const struct fitted *fitted, const struct rs_training_report *report,
                             struct rs_error *err);

#endif
