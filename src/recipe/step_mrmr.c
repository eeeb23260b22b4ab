/* Maximum relevance, minimum redundancy: inputs that say much of the outcome and little of each other. */
#include "learn/learn_select.h"
#include "recipe/recipe_step.h"

enum measure { BY_CORRELATION, BY_DIFFERENCE, BY_QUOTIENT };
struct options {
	uint64_t keep;
	uint32_t by;
};

static enum rs_code by_correlation(const struct rs_fitting *f, size_t most, size_t *order, size_t *count,
                                   struct rs_error *err)
{
	double *relevance RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->count, 2 * sizeof *relevance);
	if (!relevance)
		return rs_error_memory(err, f->count * 2 * sizeof *relevance, "mRMR");
	const struct rs_matrix x = {f->training->rows, f->count, f->x};
	RS_TRY(rs_statistics_of(f, relevance, relevance + f->count, err));
	return rs_mrmr_correlation(&x, relevance, most, order, count, err);
}

static enum rs_code by_information(const struct rs_fitting *f, bool quotient, size_t most, size_t *order,
                                   size_t *count, struct rs_error *err)
{
	const struct rs_training *t = f->training;
	uint32_t *labels RS_CLEANUP(rs_free_pointer) = rs_allocate_array(t->rows, sizeof *labels);
	if (!labels)
		return rs_error_memory(err, t->rows * sizeof *labels, "mRMR");
	if (t->target == RS_TARGET_SURVIVAL)
		return rs_error_set(
			err, RS_MALFORMED,
			"information with a time that was not seen to its end is not known; use by: correlation");
	for (size_t i = 0; i < t->rows; i++)
		labels[i] = t->outcome[i];
	const struct rs_matrix x = {t->rows, f->count, f->x};
	return rs_mrmr_information(&x, labels, t->classes, quotient, most, order, count, err);
}

static enum rs_code choose(const struct rs_fitting *f, const void *options, bool *keep, struct rs_error *err)
{
	const struct options *o = options;
	size_t *order RS_CLEANUP(rs_free_pointer) = rs_allocate_array(f->count, sizeof *order), count = 0;
	if (!order)
		return rs_error_memory(err, f->count * sizeof *order, "mRMR");
	if (o->by == BY_CORRELATION)
		RS_TRY(by_correlation(f, o->keep, order, &count, err));
	else
		RS_TRY(by_information(f, o->by == BY_QUOTIENT, o->keep, order, &count, err));
	for (size_t k = 0; k < count; k++)
		keep[order[k]] = true;
	return RS_OK;
}

static const char *const measures[] = {"correlation", "difference", "quotient", NULL};
static const struct rs_setting settings[] = {
	{"keep", RS_SETTING_COUNT, offsetof(struct options, keep), 1, 1000000, 20, NULL},
	{"by", RS_SETTING_WORD, offsetof(struct options, by), 0, 0, BY_CORRELATION, measures},
	{.name = NULL},
};
const struct rs_step rs_step_mrmr = {
	.name = "mrmr", .settings = settings, .options_size = sizeof(struct options), .choose = choose};
