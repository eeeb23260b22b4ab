/* Features that repeated measurements agree on: those whose intraclass correlation, or the lower end of its interval, is
 * high enough. Columns that were not measured repeatedly stay. Of subjects that are not trained on nothing is known. */
#include <math.h>

#include "assess/assess.h"
#include "recipe/recipe_step.h"

struct options {
	double least, level;
	uint32_t icc, value;
};

/* Subjects with all their measurements; returns how many. */
static size_t complete(const struct rs_training *t, size_t column, double *out)
{
	size_t kept = 0, m = t->measurements;
	for (size_t s = 0; s < t->repeated_subjects; s++) {
		const double *from = t->repeated + (column * t->repeated_subjects + s) * m;
		bool whole = true;
		for (size_t k = 0; k < m; k++) {
			out[kept * m + k] = from[k];
			whole &= !isnan(from[k]);
		}
		kept += whole;
	}
	return kept;
}

static enum rs_code choose(const struct rs_fitting *f, const void *options, bool *keep, struct rs_error *err)
{
	static const enum rs_icc_kind kinds[] = {RS_ICC_2, RS_ICC_3, RS_ICC_1};
	const struct options *o = options;
	const struct rs_training *t = f->training;
	struct rs_icc icc[RS_ICC_KINDS];
	double *ratings RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->repeated_subjects,
	                                                                t->measurements * sizeof *ratings);
	if (!ratings)
		return rs_error_memory(err, t->repeated_subjects * t->measurements * sizeof *ratings,
		                       "agreement");
	if (t->repeated_subjects < 2)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "of %zu training subjects measurements are repeated; two are needed",
		                    t->repeated_subjects);
	for (size_t c = 0; c < f->count; c++) {
		size_t column = f->inputs[c].column, subjects;
		keep[c] = !t->is_repeated[column];
		if (keep[c] || (subjects = complete(t, column, ratings)) < 2)
			continue;
		RS_TRY(rs_icc_of(ratings, subjects, t->measurements, o->level, icc, err));
		const struct rs_interval *found = &icc[kinds[o->icc]].icc;
		keep[c] = (o->value ? found->value : found->lower) >= o->least;
	}
	return RS_OK;
}

static const char *const iccs[] = {"agreement", "consistency", "oneway", NULL};
static const char *const ends[] = {"lower", "value", NULL};
static const struct rs_setting settings[] = {
	{"least", RS_SETTING_NUMBER, offsetof(struct options, least), 0, 1, 0.75, NULL},
	{"icc", RS_SETTING_WORD, offsetof(struct options, icc), 0, 0, 0, iccs},
	{"by", RS_SETTING_WORD, offsetof(struct options, value), 0, 0, 0, ends},
	{"level", RS_SETTING_NUMBER, offsetof(struct options, level), 0.5, 0.9999, 0.95, NULL},
	{.name = NULL},
};
const struct rs_step rs_step_stable = {.name = "stable",
                                       .takes_gaps = true,
                                       .asks_repeats = true,
                                       .settings = settings,
                                       .options_size = sizeof(struct options),
                                       .choose = choose};
