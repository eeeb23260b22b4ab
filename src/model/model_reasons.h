/* Reasons of predictions: what the columns of a row add to what a model says of it. */
#ifndef RS_MODEL_REASONS_H
#define RS_MODEL_REASONS_H

#include "model/model_fit.h"
#include "report/report.h"

struct rs_column_reason {
	uint32_t column;
	double adds;
};
/* Room for the rows of a block, from an arena. */
struct rs_reasons {
	size_t rows,
		wanted;   /* wanted: of each row, at most the columns; 0: none, or the learner cannot tell */
	uint32_t *origin; /* by input: its column */
	double *effects;  /* by row: inputs and what all have in common */
	double *sums;     /* by column */
	struct rs_column_reason *found;
};
enum rs_code rs_reasons_init(const struct rs_fitted *fitted, size_t rows, size_t wanted,
                             struct rs_arena *arena, struct rs_reasons *out, struct rs_error *err);
/* of: by row the class that is explained; NULL: the positive one, or the risk. The rows' reasons come one after the other,
 * the weightiest first; inputs of a column count together. */
enum rs_code rs_reasons_find(const struct rs_reasons *reasons, const struct rs_fitted *fitted,
                             const struct rs_matrix *x, const uint32_t *of, struct rs_error *err);

/* The most important columns of a model, told as findings "importance"; none, where its learner knows none. */
enum rs_code rs_importance_tell(const struct rs_fitted *fitted, const struct rs_training_report *report,
                                struct rs_error *err);

#endif
