/* Cross-validation: every fold of every contender, and every inner fold of it, is a piece of work of its own. */
#include "validate/validate.h"
#include "search.h"

#include <string.h>

#include "fuse.h"
#include "validate/validate_risks.h"

void rs_contender_finish(struct rs_contender *contender)
{
	rs_free(contender->fold);
	rs_free(contender->score);
	rs_free(contender->threshold);
	rs_free(contender->mean);
	rs_free(contender->chosen);
	rs_free(contender->inner);
}

struct search contender_search(const struct rs_contender *contender, const struct rs_study *study)
{
	return (struct search){.frame = contender->frame,
	                       .plan = contender->plan,
	                       .view = contender->view,
	                       .weigh_classes = !contender->baseline &&
	                                        strcmp(study->weights, "balanced") == 0,
	                       .keep_scores = contender->source != NULL,
	                       .seed = study->seed};
}

/* Parts are in the folds of the whole. */
static enum rs_code assign(const struct rs_contender *of, const struct rs_study *study, uint64_t repeat,
                           uint32_t *out, struct rs_error *err)
{
	if (!of->source)
		return rs_folds_assign(of->frame, study, repeat, out, err);
	uint32_t *fold RS_CLEANUP(rs_free_pointer) = rs_allocate_array(of->whole->rows, sizeof *fold);
	if (!fold)
		return rs_error_memory(err, of->whole->rows * sizeof *fold, "folds");
	RS_TRY(rs_folds_assign(of->whole, study, repeat, fold, err));
	for (size_t i = 0; i < of->frame->rows; i++)
		out[i] = fold[of->source[i]];
	return RS_OK;
}

static enum rs_code prepare(struct rs_contender *of, const struct rs_study *study, struct rs_error *err)
{
	size_t n = of->frame->rows, folds = rs_folds_count(of->frame, study), all, inner;
	bool fits = true;
	of->candidates = 1;
	if (of->plan)
		fits = rs_plan_count(of->plan, &of->candidates);
	of->width = rs_model_shape_width(&(struct rs_model_shape){of->frame->target, of->frame->classes, 0});
	if (!fits || !rs_mul_size(n * of->width, (size_t)study->repeats, &all) ||
	    !rs_mul_size(folds * study->repeats, of->candidates, &inner))
		return rs_error_memory(err, SIZE_MAX, "predictions");
	of->fold = rs_allocate_array(all, sizeof *of->fold);
	of->score = rs_allocate_array(all, sizeof *of->score);
	of->threshold = rs_allocate_array(all, sizeof *of->threshold);
	of->mean = rs_allocate_array(n, of->width * sizeof *of->mean);
	of->chosen = rs_allocate_array(inner, sizeof *of->chosen);
	of->inner = rs_allocate_array(inner, sizeof *of->inner);
	if (!of->fold || !of->score || !of->threshold || !of->mean || !of->chosen || !of->inner)
		return rs_error_memory(err, all * sizeof *of->score, "predictions");
	for (uint64_t r = 0; r < study->repeats; r++)
		RS_TRY(assign(of, study, r, of->fold + r * n, err));
	return RS_OK;
}

/* ---- one repeat ---- */

struct job {
	struct rs_contender *of;
	size_t fold, inner; /* inner: number of its first inner fold among those of all jobs */
	struct search search;
};
struct round {
	size_t repeat, folds, job_count;
	struct job *jobs;
};

static void round_finish(struct round *round)
{
	for (size_t j = 0; j < round->job_count; j++)
		search_finish(&round->jobs[j].search);
	rs_free(round->jobs);
}

static enum rs_code name_job(const struct round *round, const struct job *job, struct rs_error *err)
{
	return rs_error_context(err, "%s, repeat %zu, fold %zu", job->of->name, round->repeat + 1,
	                        job->fold + 1);
}

static enum rs_code job_begin(const struct round *round, struct job *job, const struct rs_study *study,
                              struct rs_error *err)
{
	const struct rs_frame *frame = job->of->frame;
	const uint32_t *fold = job->of->fold + round->repeat * frame->rows;
	if (job->of->parts)
		return RS_OK;
	job->search = contender_search(job->of, study);
	job->search.seed += round->repeat * round->folds + job->fold + 1;
	job->search.rows = rs_allocate_array(frame->rows, sizeof *job->search.rows);
	if (!job->search.rows)
		return rs_error_memory(err, frame->rows * sizeof *job->search.rows, "a fold");
	for (size_t i = 0; i < frame->rows; i++)
		if (fold[i] != job->fold)
			job->search.rows[job->search.count++] = i;
	if (search_begin(&job->search, (size_t)study->inner_folds, err) != RS_OK)
		return name_job(round, job, err);
	return RS_OK;
}

static enum rs_code work_inner(void *context, size_t index, struct rs_error *err)
{
	const struct round *round = context;
	size_t j = round->job_count - 1;
	while (round->jobs[j].inner > index || round->jobs[j].search.folds == 0)
		j--;
	struct job *job = &round->jobs[j];
	if (search_fold(&job->search, index - job->inner, err) != RS_OK)
		return name_job(round, job, err);
	return RS_OK;
}

static enum rs_code judge_fold(const struct round *round, const struct job *job, struct rs_error *err)
{
	struct rs_contender *of = job->of;
	struct rs_fitted fitted RS_CLEANUP(rs_fitted_finish) = {0};
	size_t n = of->frame->rows, first = round->repeat * n, count = 0;
	size_t *rows RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, sizeof *rows);
	double *score RS_CLEANUP(rs_free_pointer) = rs_allocate_array(n, of->width * sizeof *score);
	if (!rows || !score)
		return rs_error_memory(err, n * sizeof *rows, "a fold");
	for (size_t i = 0; i < n; i++)
		if (of->fold[first + i] == job->fold)
			rows[count++] = i;
	if (count == 0) /* nobody with an outcome is in the fold */
		return RS_OK;
	RS_TRY(search_fit(&job->search, NULL, false, &fitted, err));
	RS_TRY(rs_fitted_judge(&fitted, of->frame, of->view, rows, count, score, err));
	if (of->risks && round->repeat == 0)
		RS_TRY(rs_risks_judge(of->risks, &fitted, of->frame, of->view, rows, count, err));
	for (size_t i = 0; i < count; i++) {
		memcpy(of->score + (first + rows[i]) * of->width, score + i * of->width,
		       of->width * sizeof *score);
		of->threshold[first + rows[i]] = fitted.threshold;
	}
	return RS_OK;
}

static enum rs_code work_outer(void *context, size_t index, struct rs_error *err)
{
	const struct round *round = context;
	struct job *job = &round->jobs[index];
	size_t at = round->repeat * round->folds + job->fold;
	if (job->of->parts)
		return RS_OK;
	enum rs_code code = search_choose(&job->search, err);
	if (code == RS_OK)
		code = judge_fold(round, job, err);
	if (code != RS_OK)
		return name_job(round, job, err);
	job->of->chosen[at] = job->search.chosen;
	memcpy(job->of->inner + at * job->of->candidates, job->search.merit,
	       job->of->candidates * sizeof *job->of->inner);
	return RS_OK;
}

static enum rs_code work_fuse(void *context, size_t index, struct rs_error *err)
{
	const struct round *round = context;
	const struct job *job = &round->jobs[index];
	const struct search *searches[RS_PARTS_MAX];
	if (!job->of->parts)
		return RS_OK;
	for (size_t p = 0; p < job->of->part_count; p++) /* each contender has a job for every fold */
		searches[p] = &job[(size_t)(&job->of->parts[p] - job->of) * round->folds].search;
	return fuse_fold(job->of, searches, round->repeat, job->fold, err) == RS_OK
	               ? RS_OK
	               : name_job(round, job, err);
}

static enum rs_code run_repeat(struct rs_contender *contenders, size_t count, const struct rs_study *study,
                               size_t repeat, struct rs_pool *pool, struct rs_error *err)
{
	struct round round RS_CLEANUP(round_finish) = {repeat, rs_folds_count(contenders[0].frame, study), 0,
	                                               NULL};
	size_t inner = 0;
	round.jobs = rs_allocate_array(count * round.folds, sizeof *round.jobs);
	if (!round.jobs)
		return rs_error_memory(err, count * round.folds * sizeof *round.jobs, "folds");
	for (size_t j = 0; j < count * round.folds; j++) {
		struct job *job = &round.jobs[round.job_count++];
		*job = (struct job){
			.of = &contenders[j / round.folds], .fold = j % round.folds, .inner = inner};
		RS_TRY(job_begin(&round, job, study, err));
		inner += job->search.folds;
	}
	RS_TRY(rs_pool_for(pool, inner, work_inner, &round, err));
	RS_TRY(rs_pool_for(pool, round.job_count, work_outer, &round, err));
	return rs_pool_for(pool, round.job_count, work_fuse, &round, err);
}

enum rs_code rs_contenders_run(struct rs_contender *contenders, size_t count, const struct rs_study *study,
                               const struct rs_training_report *report, struct rs_pool *pool,
                               struct rs_error *err)
{
	for (size_t c = 0; c < count; c++)
		RS_TRY(prepare(&contenders[c], study, err));
	for (size_t r = 0; r < study->repeats; r++) {
		RS_TRY(run_repeat(contenders, count, study, r, pool, err));
		/* The last step is what is made of them. */
		if (report && report->progress)
			report->progress(report->context, r + 1, study->repeats + 1);
	}
	for (size_t c = 0; c < count; c++) {
		struct rs_contender *of = &contenders[c];
		size_t each = of->frame->rows * of->width;
		for (size_t i = 0; i < each; i++) {
			double sum = 0;
			for (size_t r = 0; r < study->repeats; r++)
				sum += of->score[r * each + i];
			of->mean[i] = sum / (double)study->repeats;
		}
	}
	return RS_OK;
}
