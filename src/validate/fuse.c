/* Late fusion in cross-validation: what weighs the parts is learnt from scores out of the inner folds. */
#include "fuse.h"

#include <math.h>
#include <string.h>

struct fusing {
	const struct rs_contender *of;
	size_t repeat, width;
	double *scores[RS_PARTS_MAX];   /* [row of the whole][width]; NaN: the row lacks the part */
	double *training[RS_PARTS_MAX]; /* of training rows, side by side */
	double *time, *own;
	uint8_t *outcome;
	size_t rows;
};

static void fusing_finish(struct fusing *f)
{
	for (size_t p = 0; p < RS_PARTS_MAX; p++) {
		rs_free(f->scores[p]);
		rs_free(f->training[p]);
	}
	rs_free(f->time);
	rs_free(f->own);
	rs_free(f->outcome);
}

static enum rs_code fusing_init(struct fusing *f, struct rs_error *err)
{
	size_t n = f->of->frame->rows;
	size_t width = f->width = rs_model_shape_width(
		&(struct rs_model_shape){f->of->frame->target, f->of->frame->classes, 0});
	f->time = rs_allocate_array(n, sizeof *f->time);
	f->own = rs_allocate_array(n, width * sizeof *f->own);
	f->outcome = rs_allocate(n);
	bool whole = f->time && f->own && f->outcome;
	for (size_t p = 0; p < f->of->part_count; p++) {
		f->scores[p] = rs_allocate_array(n, width * sizeof **f->scores);
		f->training[p] = rs_allocate_array(n, width * sizeof **f->training);
		whole = whole && f->scores[p] && f->training[p];
		for (size_t k = 0; whole && k < n * width; k++)
			f->scores[p][k] = NAN;
	}
	return whole ? RS_OK : rs_error_memory(err, n * width * sizeof *f->own, "fusion");
}

/* Of training rows out of the inner folds; of the fold's own by the part's model, when there is one. */
static void gather(struct fusing *f, size_t p, const struct search *search, size_t fold)
{
	const struct rs_contender *part = &f->of->parts[p];
	size_t width = f->width, first = f->repeat * part->frame->rows;
	const double *inner = search_scores(search);
	for (size_t i = 0; inner && i < search->count; i++)
		memcpy(f->scores[p] + part->source[search->rows[i]] * width, inner + i * width,
		       width * sizeof *inner);
	for (size_t i = 0; fold != FUSE_ALL && i < part->frame->rows; i++)
		if (part->fold[first + i] == fold)
			memcpy(f->scores[p] + part->source[i] * width, part->score + (first + i) * width,
			       width * sizeof *inner);
}

static void take_training_row(struct fusing *f, size_t row)
{
	size_t width = f->width;
	for (size_t p = 0; p < f->of->part_count; p++)
		memcpy(f->training[p] + f->rows * width, f->scores[p] + row * width,
		       width * sizeof **f->training);
	f->time[f->rows] = f->of->frame->time[row];
	f->outcome[f->rows++] = f->of->frame->outcome[row];
}

static void score_row(const struct fusing *f, const struct rs_stack *stack, double *const *scores, size_t row,
                      double *out)
{
	const double *parts[RS_PARTS_MAX];
	for (size_t p = 0; p < f->of->part_count; p++)
		parts[p] = scores[p] + row * f->width;
	rs_stack_score(stack, &(struct rs_model_shape){f->of->frame->target, f->of->frame->classes, 0}, parts,
	               out);
}

static enum rs_code learn(struct fusing *f, struct rs_stack *out, double *out_threshold, struct rs_error *err)
{
	const struct rs_model_shape shape = {f->of->frame->target, f->of->frame->classes, 0};
	RS_TRY(rs_stack_fit(&shape, f->training, f->of->part_count, f->rows, f->outcome, f->time, out, err));
	*out_threshold = 0.5;
	if (shape.target != RS_TARGET_BINARY)
		return RS_OK;
	for (size_t i = 0; i < f->rows; i++)
		score_row(f, out, f->training, i, f->own + i);
	return choose_threshold(f->own, f->outcome, f->rows, out_threshold, err);
}

enum rs_code fuse_fold(struct rs_contender *of, const struct search *const *searches, size_t repeat,
                       size_t fold, struct rs_error *err)
{
	struct fusing f RS_CLEANUP(fusing_finish) = {.of = of, .repeat = repeat};
	struct rs_stack stack;
	size_t n = of->frame->rows, first = repeat * n;
	double threshold;
	RS_TRY(fusing_init(&f, err));
	for (size_t p = 0; p < of->part_count; p++)
		gather(&f, p, searches[p], fold);
	for (size_t i = 0; i < n; i++)
		if (of->fold[first + i] != fold)
			take_training_row(&f, i);
	RS_TRY(learn(&f, &stack, &threshold, err));
	for (size_t i = 0; i < n; i++)
		if (of->fold[first + i] == fold) {
			score_row(&f, &stack, f.scores, i, of->score + (first + i) * f.width);
			of->threshold[first + i] = threshold;
		}
	return RS_OK;
}

enum rs_code fuse_all(const struct rs_contender *of, const struct search *const *searches,
                      struct rs_stack *out, double *out_threshold, struct rs_error *err)
{
	struct fusing f RS_CLEANUP(fusing_finish) = {.of = of};
	RS_TRY(fusing_init(&f, err));
	for (size_t p = 0; p < of->part_count; p++)
		gather(&f, p, searches[p], FUSE_ALL);
	for (size_t i = 0; i < of->frame->rows; i++)
		take_training_row(&f, i);
	return learn(&f, out, out_threshold, err);
}

/* ---- parts ---- */

void rs_parts_finish(struct rs_fused_parts *parts)
{
	for (size_t p = 0; p < parts->count; p++) {
		rs_frame_finish(&parts->frames[p]);
		rs_free(parts->source[p]);
	}
}

enum rs_code rs_parts_find(const struct rs_frame *whole, struct rs_fused_parts *out, struct rs_error *err)
{
	for (uint32_t m = 0; m < whole->modality_count; m++) {
		size_t count = 0;
		size_t *source = rs_allocate_array(whole->rows, sizeof *source);
		if (!source)
			return rs_error_memory(err, whole->rows * sizeof *source, "a modality");
		for (size_t i = 0; i < whole->rows; i++)
			if (rs_frame_has(whole, i, m))
				source[count++] = i;
		out->source[out->count] = source;
		out->modality[out->count] = m;
		RS_TRY(rs_frame_subset(whole, source, count, &out->frames[out->count++], err));
		if (count == 0)
			return rs_error_set(err, RS_NOT_FOUND, "nobody has a value of modality %s",
			                    whole->modalities[m]);
	}
	return RS_OK;
}
