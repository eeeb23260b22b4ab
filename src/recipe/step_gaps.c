/* Gaps stay: trees of XGBoost learn for each split where rows without a value go. */
#include <string.h>

#include "recipe/recipe_step.h"

static enum rs_code choose(const struct rs_fitting *fitting, const void *options, bool *keep,
                           struct rs_error *err)
{
	(void)options;
	(void)err;
	memset(keep, true, fitting->count * sizeof *keep);
	return RS_OK;
}

static const struct rs_setting settings[] = {{.name = NULL}};
const struct rs_step rs_step_gaps = {
	.name = "gaps", .takes_gaps = true, .leaves_gaps = true, .settings = settings, .choose = choose};
