/* Gaps stay: trees of XGBoost learn for each split where rows without a value go. */
#include <string.h>

#include "step.h"

static enum rs_code choose(const struct fitting *fitting, const void *options, bool *keep,
                           struct rs_error *err)
{
	(void)options;
	(void)err;
	memset(keep, true, fitting->count * sizeof *keep);
	return RS_OK;
}

static const struct setting settings[] = {{.name = NULL}};
const struct step step_gaps = {
	.name = "gaps", .takes_gaps = true, .leaves_gaps = true, .settings = settings, .choose = choose};
