#include "search.h"

#include <math.h>
#include <string.h>

#include "assess/assess.h"
#include "model/model_merit.h"

void search_finish(struct search *search)
{
	rs_free(search->rows);
	rs_free(search->fold);
	rs_free(search->score);
	rs_free(search->merit);
}

static size_t width_of(const struct search *search)
{
	return rs_model_shape_width(
		&(struct rs_model_shape){search->frame->target, search->frame->classes, 0});
}

/* Inner folds choose between candidates; and the threshold, unless the learner judges its own rows out of bag. */
static bool must_choose(const struct search *search)
{
	return search->keep_scores || search->candidates > 1 ||
	       (search->frame->target == RS_TARGET_BINARY && !search->plan->models[0].learner->judges_own);
}

enum rs_code search_begin(struct search *search, size_t inner_folds, struct rs_error *err)
{
	size_t room = 0;
	if (!rs_plan_count(search->plan, &search->candidates))
		return rs_error_set(err, RS_TOO_LARGE, "too many candidates");
	search->merit = rs_allocate_array(search->candidates, sizeof *search->merit);
	if (!search->merit)
		return rs_error_memory(err, search->candidates * sizeof *search->merit, "candidates");
	for (size_t c = 0; c < search->candidates; c++)
		search->merit[c] = NAN;
	search->threshold = NAN;
	if (!must_choose(search))
		return RS_OK;
	bool fits = rs_mul_size(search->candidates, search->count * width_of(search), &room);
	search->fold = rs_allocate_array(search->count, sizeof *search->fold);
	search->score = fits ? rs_allocate_array(room, sizeof *search->score) : NULL;
	if (!search->fold || !search->score)
		return rs_error_memory(err, room * sizeof *search->score, "candidates");
	return rs_folds_deal(search->frame, search->rows, search->count, inner_folds, search->seed,
	                     0x696e6e65, search->fold, &search->folds, err);
}

static enum rs_code judge_candidates(struct search *search, const struct rs_training *training,
                                     const size_t *rows, const size_t *places, size_t count,
                                     struct rs_error *err)
{
	struct rs_trial trial RS_CLEANUP(rs_trial_finish) = {0};
	struct rs_recipe recipe;
	size_t width = width_of(search);
	double *found RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, width * sizeof *found);
	if (!found)
		return rs_error_memory(err, count * width * sizeof *found, "candidates");
	RS_TRY(rs_trial_begin(training, &trial, err));
	for (size_t c = 0; c < search->candidates; c++) {
		rs_plan_recipe(search->plan, c, &recipe);
		recipe.seed = search->seed;
		recipe.weigh_classes = search->weigh_classes;
		RS_TRY(rs_trial_fit(&trial, &recipe, NULL, err));
		RS_TRY(rs_fitted_judge(&trial.fitted, search->frame, search->view, rows, count, found, err));
		for (size_t i = 0; i < count; i++)
			memcpy(search->score + (c * search->count + places[i]) * width, found + i * width,
			       width * sizeof *found);
	}
	return RS_OK;
}

enum rs_code search_fold(struct search *search, size_t fold, struct rs_error *err)
{
	struct rs_training training RS_CLEANUP(rs_training_finish) = {0};
	size_t n = search->count, seen = 0, judged = 0;
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, 3 * sizeof *rows);
	if (!rows)
		return rs_error_memory(err, n * 3 * sizeof *rows, "an inner fold");
	for (size_t i = 0; i < n; i++)
		if (search->fold[i] != fold) {
			rows[seen++] = search->rows[i];
		} else {
			rows[n + judged] = search->rows[i];
			rows[2 * n + judged++] = i;
		}
	if (judged == 0)
		return RS_OK;
	RS_TRY(rs_training_take(search->frame, search->view, rows, seen, &training, err));
	if (judge_candidates(search, &training, rows + n, rows + 2 * n, judged, err) != RS_OK)
		return rs_error_context(err, "inner fold %zu", fold + 1);
	return RS_OK;
}

/* ---- the choice ---- */

enum rs_code choose_threshold(const double *score, const uint8_t *outcome, size_t rows, double *out,
                              struct rs_error *err)
{
	struct rs_roc roc RS_CLEANUP(rs_roc_finish) = {0};
	double *known RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *known);
	uint8_t *of RS_CLEANUP(rs_free_pointer) = rs_allocate(rows);
	size_t count = 0, positives = 0;
	if (!known || !of)
		return rs_error_memory(err, rows * sizeof *known, "a threshold");
	for (size_t i = 0; i < rows; i++)
		if (!isnan(score[i])) {
			known[count] = score[i];
			positives += outcome[i];
			of[count++] = outcome[i];
		}
	*out = 0.5;
	if (positives == 0 || positives == count)
		return RS_OK;
	RS_TRY(rs_roc_of(known, of, count, &roc, err));
	*out = fmin(fmax(rs_roc_youden(&roc)->threshold, 0), 1);
	return RS_OK;
}

const double *search_scores(const struct search *search)
{
	return search->folds ? search->score + search->chosen * search->count * width_of(search) : NULL;
}

enum rs_code search_choose(struct search *search, struct rs_error *err)
{
	const struct rs_frame *frame = search->frame;
	size_t n = search->count, each = n * width_of(search);
	if (search->folds == 0)
		return RS_OK;
	double *time RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *time);
	uint8_t *outcome RS_CLEANUP(rs_free_pointer) = rs_allocate(n);
	if (!time || !outcome)
		return rs_error_memory(err, n * sizeof *time, "candidates");
	for (size_t i = 0; i < n; i++) {
		time[i] = frame->time[search->rows[i]];
		outcome[i] = frame->outcome[search->rows[i]];
	}
	for (size_t c = 0; c < search->candidates; c++) {
		const struct rs_judged judged = {frame->target, frame->classes, n,
		                                 outcome,       time,           search->score + c * each,
		                                 search->fold};
		RS_TRY(rs_judged_merit(&judged, &search->merit[c], err));
		if (search->merit[c] > search->merit[search->chosen])
			search->chosen = c;
	}
	return frame->target == RS_TARGET_BINARY ? choose_threshold(search->score + search->chosen * each,
	                                                            outcome, n, &search->threshold, err)
	                                         : RS_OK;
}

static enum rs_code work_fold(void *context, size_t index, struct rs_error *err)
{
	return search_fold(context, index, err);
}

enum rs_code search_run(struct search *search, size_t inner_folds, struct rs_pool *pool, struct rs_error *err)
{
	RS_TRY(search_begin(search, inner_folds, err));
	RS_TRY(rs_pool_for(pool, search->folds, work_fold, search, err));
	return search_choose(search, err);
}

enum rs_code search_fit(const struct search *search, struct rs_pool *pool, bool thorough,
                        struct rs_fitted *out, struct rs_error *err)
{
	struct rs_training training RS_CLEANUP(rs_training_finish) = {0};
	struct rs_recipe recipe;
	bool own_threshold = search->frame->target == RS_TARGET_BINARY && isnan(search->threshold);
	double *own RS_CLEANUP(rs_free_pointer) = rs_allocate_array(search->count, sizeof *own);
	if (!own)
		return rs_error_memory(err, search->count * sizeof *own, "scores");
	rs_plan_recipe(search->plan, search->chosen, &recipe);
	recipe.seed = search->seed;
	recipe.weigh_classes = search->weigh_classes;
	recipe.pool = pool;
	recipe.thorough = thorough;
	recipe.apparent = search->apparent;
	RS_TRY(rs_training_take(search->frame, search->view, search->rows, search->count, &training, err));
	RS_TRY(rs_fit(&training, &recipe, own_threshold ? own : NULL, out, err));
	if (!isnan(search->threshold))
		out->threshold = search->threshold;
	if (!own_threshold)
		return RS_OK;
	enum rs_code code = choose_threshold(own, training.outcome, search->count, &out->threshold, err);
	if (code != RS_OK)
		rs_fitted_finish(out);
	return code;
}
