/* Cross-validation: every fold of every repeat of every contender is a piece of work of its own. */
#include "validate.h"

#include <string.h>

struct pieces {
	struct contender *contenders;
	const struct study *study;
	size_t folds;
};

void contender_finish(struct contender *contender)
{
	rs_free(contender->fold);
	rs_free(contender->score);
	rs_free(contender->threshold);
	rs_free(contender->mean);
}

struct recipe recipe_of(const struct study *study, const struct contender *contender)
{
	if (contender->linear)
		return (struct recipe){.linear = true, .near_zero = 1e300, .correlation = 1, .univariate = 1};
	return (struct recipe){.near_zero = study->near_zero,
	                       .correlation = study->correlation,
	                       .univariate = study->univariate,
	                       .keep = (size_t)study->keep,
	                       .trees = (uint32_t)study->trees,
	                       .minimum_leaf = (uint32_t)study->minimum_leaf,
	                       .seed = study->seed};
}

static enum rs_code judge_fold(struct contender *of, const struct recipe *recipe, size_t first, uint32_t fold,
                               size_t *rows, struct rs_error *err)
{
	struct training training RS_CLEANUP(training_finish) = {0};
	struct fitted fitted RS_CLEANUP(fitted_finish) = {0};
	size_t count = 0, n = of->frame->rows;
	for (size_t i = 0; i < n; i++)
		if (of->fold[first + i] != fold)
			rows[count++] = i;
	if (count == n) /* nobody with an outcome is in the fold */
		return RS_OK;
	RS_TRY(training_take(of->frame, of->view, rows, count, &training, err));
	RS_TRY(fit(&training, recipe, &fitted, err));
	for (size_t i = 0; i < n; i++)
		if (of->fold[first + i] == fold) {
			RS_TRY(fitted_judge(&fitted, of->frame, of->view, i, &of->score[first + i], err));
			of->threshold[first + i] = fitted.threshold;
		}
	return RS_OK;
}

static enum rs_code work_piece(void *context, size_t index, struct rs_error *err)
{
	const struct pieces *pieces = context;
	size_t each = pieces->folds * pieces->study->repeats;
	struct contender *of = &pieces->contenders[index / each];
	size_t repeat = index % each / pieces->folds, fold = index % pieces->folds;
	struct recipe recipe = recipe_of(pieces->study, of);
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(of->frame->rows, sizeof *rows);
	if (!rows)
		return rs_error_memory(err, of->frame->rows * sizeof *rows, "a fold");
	recipe.seed += index % each + 1;
	if (judge_fold(of, &recipe, repeat * of->frame->rows, (uint32_t)fold, rows, err) != RS_OK)
		return rs_error_context(err, "%s, repeat %zu, fold %zu", of->name, repeat + 1, fold + 1);
	return RS_OK;
}

static enum rs_code prepare(struct contender *of, const struct study *study, struct rs_error *err)
{
	size_t n = of->frame->rows, all;
	if (!rs_mul_size(n, (size_t)study->repeats, &all))
		return rs_error_memory(err, SIZE_MAX, "predictions");
	of->fold = rs_allocate_array(all, sizeof *of->fold);
	of->score = rs_allocate_array(all, sizeof *of->score);
	of->threshold = rs_allocate_array(all, sizeof *of->threshold);
	of->mean = rs_allocate_array(n, sizeof *of->mean);
	if (!of->fold || !of->score || !of->threshold || !of->mean)
		return rs_error_memory(err, all * sizeof *of->score, "predictions");
	for (uint64_t r = 0; r < study->repeats; r++)
		RS_TRY(folds_assign(of->frame, study, r, of->fold + r * n, err));
	return RS_OK;
}

enum rs_code contenders_run(struct contender *contenders, size_t count, const struct study *study,
                            struct rs_pool *pool, struct rs_error *err)
{
	struct pieces pieces = {contenders, study, 0};
	for (size_t c = 0; c < count; c++)
		RS_TRY(prepare(&contenders[c], study, err));
	pieces.folds = folds_count(contenders[0].frame, study);
	RS_TRY(rs_pool_for(pool, count * pieces.folds * study->repeats, work_piece, &pieces, err));
	for (size_t c = 0; c < count; c++) {
		struct contender *of = &contenders[c];
		size_t n = of->frame->rows;
		for (size_t i = 0; i < n; i++) {
			double sum = 0;
			for (size_t r = 0; r < study->repeats; r++)
				sum += of->score[r * n + i];
			of->mean[i] = sum / (double)study->repeats;
		}
	}
	return RS_OK;
}
