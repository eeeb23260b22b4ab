#include "validate/validate_whole.h"
#include "fuse.h"
#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The last of the model's parts; search: still without rows. */
static enum rs_code fit_part(const struct rs_whole *w, const struct rs_contender *of, struct search *search,
                             struct rs_model *out, struct rs_error *err)
{
	struct rs_fitted *part = &out->parts[out->part_count];
	char label[RS_LABEL_SIZE];
	*search = contender_search(of, w->study);
	search->rows = rs_allocate_array(of->frame->rows, sizeof *search->rows);
	if (!search->rows)
		return rs_error_memory(err, of->frame->rows * sizeof *search->rows, "rows");
	for (; search->count < of->frame->rows; search->count++)
		search->rows[search->count] = search->count;
	RS_TRY(search_run(search, (size_t)w->study->inner_folds, w->pool, err));
	RS_TRY(search_fit(search, w->pool, true, part, err));
	out->part_count++;
	rs_plan_label(search->plan, search->chosen, label);
	if (search->candidates > 1)
		w->report->finding(
			w->report->context,
			&(struct rs_finding){label, "kept", search->merit[search->chosen], NAN, NAN, NAN});
	for (size_t s = 0; s < part->step_count; s++)
		if (part->steps[s].step->asks_centre)
			out->centre = w->study->centre;
	return RS_OK;
}

struct searches {
	size_t count;
	struct search items[RS_PARTS_MAX];
};
static void searches_finish(struct searches *searches)
{
	for (size_t s = 0; s < searches->count; s++)
		search_finish(&searches->items[s]);
}

static enum rs_code fit_parts(const struct rs_whole *w, struct rs_model *out, struct rs_error *err)
{
	const struct rs_contender *own = w->own;
	struct searches searches RS_CLEANUP(searches_finish) = {0};
	const struct search *pointers[RS_PARTS_MAX];
	struct rs_sha256 hash;
	rs_sha256_init(&hash);
	for (size_t p = 0; p < own->part_count; p++) {
		pointers[p] = &searches.items[searches.count++];
		if (fit_part(w, &own->parts[p], &searches.items[p], out, err) != RS_OK)
			return rs_error_context(err, "%s", own->parts[p].name);
		rs_sha256_update(&hash, out->parts[p].training.bytes, RS_SHA256_SIZE);
		out->part_names[p] = strchr(own->parts[p].name, ':') + 1;
	}
	rs_sha256_final(&hash, &out->training);
	out->fused = true;
	RS_TRY(fuse_all(own, pointers, &out->stack, &out->threshold, err));
	for (size_t p = 0; p < own->part_count; p++)
		w->report->finding(w->report->context,
		                   &(struct rs_finding){own->parts[p].name, "weight", out->stack.weight[p],
		                                        NAN, NAN, NAN});
	return RS_OK;
}

enum rs_code rs_whole_fit(const struct rs_whole *w, struct rs_model *out, struct rs_error *err)
{
	const struct rs_frame *frame = w->own->frame;
	out->shape = (struct rs_model_shape){frame->target, frame->classes, 0};
	out->rows = frame->rows;
	for (size_t i = 0; i < frame->rows; i++)
		out->positives += frame->outcome[i] > 0;
	if (w->own->parts)
		return fit_parts(w, out, err);
	struct search search RS_CLEANUP(search_finish) = {0};
	RS_TRY(fit_part(w, w->own, &search, out, err));
	out->part_names[0] = "";
	out->training = out->parts[0].training;
	out->threshold = out->parts[0].threshold;
	return RS_OK;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Of the first repeat. */
enum rs_code rs_whole_keep_predictions(const struct rs_whole *w, struct rs_model *model, struct rs_error *err)
{
	const struct rs_contender *own = w->own;
	const struct rs_frame *frame = own->frame;
	bool survival = frame->target == RS_TARGET_SURVIVAL;
	model->residual_count = frame->rows;
	model->residuals = rs_allocate_array(model->residual_count, sizeof *model->residuals);
	if (!model->residuals)
		return rs_error_memory(err, model->residual_count * sizeof *model->residuals, "a model");
	for (size_t i = 0; i < model->residual_count; i++) {
		const double *score = own->score + i * own->width;
		model->residuals[i] = survival            ? *score
		                      : own->width > 1    ? 1 - score[frame->outcome[i]]
		                      : frame->outcome[i] ? 1 - *score
		                                          : *score;
	}
	qsort(model->residuals, model->residual_count, sizeof *model->residuals, ascending);
	if (!survival)
		return RS_OK;
	RS_TRY(rs_risk_curve_fit(frame, own->score, &model->curve, err));
	return rs_curve_bounds(&model->curve, frame, own->score, &model->bounds, err);
}
