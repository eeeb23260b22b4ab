/* The model that is kept: fitted to all rows, with what cross-validation leaves to it. */
#ifndef RS_VALIDATE_WHOLE_H
#define RS_VALIDATE_WHOLE_H

#include "validate/validate_parts.h"
#include "validate/validate.h"
#include "model/model_parts.h"

struct rs_whole {
	const struct rs_study *study;
	const struct rs_contender *own;
	const struct rs_training_report *report;
	struct rs_pool *pool;
};
enum rs_code rs_whole_fit(const struct rs_whole *whole, struct rs_model *out, struct rs_error *err);
/* After cross-validation: residuals, and survival where the learner gives risks alone. */
enum rs_code rs_whole_keep_predictions(const struct rs_whole *whole, struct rs_model *model,
                                       struct rs_error *err);

#endif
