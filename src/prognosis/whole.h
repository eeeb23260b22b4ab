/* The model that is kept: fitted to all rows, with what cross-validation leaves to it. */
#ifndef RS_PROGNOSIS_WHOLE_H
#define RS_PROGNOSIS_WHOLE_H

#include "fuse.h"
#include "model.h"

struct whole {
	const struct study *study;
	const struct contender *own;
	const struct rs_training_report *report;
	struct rs_pool *pool;
};
enum rs_code whole_fit(const struct whole *whole, struct rs_model *out, struct rs_error *err);
/* After cross-validation: residuals, and survival where the learner gives risks alone. */
enum rs_code whole_keep_predictions(const struct whole *whole, struct rs_model *model, struct rs_error *err);
/* Of all parts. */
size_t model_inputs(const struct rs_model *model);

#endif
