/* What a model tells of itself. */
#include <math.h>

#include "model/model_parts.h"

bool rs_model_gives_reasons(const struct rs_model *model)
{
	return !model->fused && model->parts[0].learner->explain != NULL;
}

double rs_conformal_quantile(const double *residuals, size_t count, double coverage)
{
	double k = ceil((double)(count + 1) * coverage - 1e-9);
	return k < 1 ? -INFINITY : k > (double)count ? INFINITY : residuals[(size_t)k - 1];
}

size_t rs_model_inputs(const struct rs_model *model)
{
	size_t count = 0;
	for (size_t p = 0; p < model->part_count; p++)
		count += model->parts[p].shape.columns;
	return count;
}
