/* New subjects, judged by a model. */
#include <math.h>
#include <string.h>

#include "assess/assess.h"
#include "table/table.h"
#include "model/model_parts.h"
#include "prognosis/prognosis.h"
#include "model/model_reasons.h"

/* Rows are read and judged a block at a time. */
#define BLOCK 256

/* One model, or one of those that are fused. */
struct part {
	const struct rs_fitted *fitted;
	struct rs_table_place *places; /* by column */
	double *numbers, *values, *x, *score;
	const char **words;
	bool here[BLOCK]; /* by row: any of its columns has a value */
};
struct predicting {
	const struct rs_model *model;
	const struct rs_prediction_options *options;
	struct rs_arena arena;
	struct rs_join join;
	struct rs_table_place centre;
	struct part parts[RS_PARTS_MAX];
	double *score, *survival, *horizons;
	double *limits; /* of survival: lower, then upper ones */
	size_t *order;  /* by ascending horizon: its place among those asked for */
	bool *sets;     /* by row, then class */
	struct rs_reasons reasons;
	struct rs_reason *told;
	uint32_t likeliest[BLOCK];
	double quantile, level; /* of classes; of survival */
	struct rs_prediction rows[BLOCK];
};

static void predicting_finish(struct predicting *p)
{
	rs_join_finish(&p->join);
	rs_arena_finish(&p->arena);
}

static enum rs_code take(struct predicting *p, size_t count, size_t size, void *out, struct rs_error *err)
{
	void *block = rs_arena_allocate_array(&p->arena, count ? count : 1, size);
	if (!block)
		return rs_error_memory(err, count * size, "predictions");
	memcpy(out, &block, sizeof block);
	return RS_OK;
}

static void sort_horizons(struct predicting *p)
{
	for (size_t h = 0; h < p->options->horizon_count; h++) {
		size_t at = h;
		for (; at > 0 && p->horizons[at - 1] > p->options->horizons[h]; at--) {
			p->horizons[at] = p->horizons[at - 1];
			p->order[at] = p->order[at - 1];
		}
		p->horizons[at] = p->options->horizons[h];
		p->order[at] = h;
	}
}

static enum rs_code prepare_part(struct predicting *p, const struct rs_fitted *fitted, struct part *part,
                                 struct rs_error *err)
{
	size_t columns = fitted->column_count;
	part->fitted = fitted;
	RS_TRY(take(p, columns, sizeof *part->places, &part->places, err));
	RS_TRY(take(p, columns, sizeof *part->numbers, &part->numbers, err));
	RS_TRY(take(p, columns, sizeof *part->words, &part->words, err));
	RS_TRY(take(p, fitted->width, sizeof *part->values, &part->values, err));
	RS_TRY(take(p, fitted->shape.columns, BLOCK * sizeof *part->x, &part->x, err));
	RS_TRY(take(p, rs_model_shape_width(&fitted->shape), BLOCK * sizeof *part->score, &part->score, err));
	for (size_t c = 0; c < columns; c++)
		if (!fitted->columns[c].indicator)
			RS_TRY(rs_join_find(&p->join, fitted->columns[c].name, &part->places[c], err));
	return RS_OK;
}

static enum rs_code prepare(struct predicting *p, struct rs_error *err)
{
	const struct rs_model *model = p->model;
	size_t horizons = p->options->horizon_count, width = rs_model_shape_width(&model->shape);
	rs_arena_init(&p->arena, RS_MODEL_SIZE_MAX);
	for (size_t k = 0; k < model->part_count; k++)
		RS_TRY(prepare_part(p, &model->parts[k], &p->parts[k], err));
	RS_TRY(take(p, width, BLOCK * sizeof *p->score, &p->score, err));
	RS_TRY(take(p, width, BLOCK * sizeof *p->sets, &p->sets, err));
	RS_TRY(take(p, horizons, 2 * BLOCK * sizeof *p->survival, &p->survival, err));
	RS_TRY(take(p, horizons, 2 * BLOCK * sizeof *p->limits, &p->limits, err));
	RS_TRY(take(p, horizons, sizeof *p->horizons, &p->horizons, err));
	RS_TRY(take(p, horizons, sizeof *p->order, &p->order, err));
	if (!model->fused)
		RS_TRY(rs_reasons_init(&model->parts[0], BLOCK, p->options->reasons, &p->arena, &p->reasons,
		                       err));
	RS_TRY(take(p, p->reasons.wanted, BLOCK * sizeof *p->told, &p->told, err));
	if (model->centre)
		RS_TRY(rs_join_find(&p->join, model->centre, &p->centre, err));
	sort_horizons(p);
	p->quantile = rs_conformal_quantile(model->residuals, model->residual_count, p->options->coverage);
	p->level = rs_conformal_level(&model->bounds, p->options->coverage);
	return RS_OK;
}

/* ---- rows ---- */

static void fill_indicator(const struct part *part, size_t c)
{
	const struct rs_fitted *fitted = part->fitted;
	bool lacks = true;
	for (size_t k = 0; k < fitted->column_count; k++)
		if (fitted->columns[k].modality == fitted->columns[c].modality &&
		    !fitted->columns[k].indicator && part->words[k][0])
			lacks = false;
	part->numbers[c] = lacks;
}

static enum rs_code read_row(struct predicting *p, struct part *part, size_t row, bool *out_here,
                             struct rs_error *err)
{
	const struct rs_fitted *fitted = part->fitted;
	*out_here = false;
	for (size_t c = 0; c < fitted->column_count; c++) {
		part->words[c] = "";
		part->numbers[c] = NAN;
		if (fitted->columns[c].indicator)
			continue;
		const char *cell = rs_join_cell(&p->join, row, part->places[c]);
		part->words[c] = rs_cell_is_missing(cell) ? "" : cell;
		*out_here = *out_here || part->words[c][0];
		if (!fitted->columns[c].categorical)
			RS_TRY(rs_join_number(&p->join, row, part->places[c], &part->numbers[c], err));
	}
	for (size_t c = 0; c < fitted->column_count; c++)
		if (fitted->columns[c].indicator)
			fill_indicator(part, c);
	return RS_OK;
}

static enum rs_code score_part(struct predicting *p, struct part *part, size_t first, size_t count,
                               struct rs_error *err)
{
	const struct rs_fitted *fitted = part->fitted;
	const struct rs_matrix x = {count, fitted->shape.columns, part->x};
	for (size_t i = 0; i < count; i++) {
		size_t missing = 0, unknown = 0;
		RS_TRY(read_row(p, part, first + i, &part->here[i], err));
		const char *centre = p->model->centre ? rs_join_cell(&p->join, first + i, p->centre) : "";
		const struct rs_probe probe = {part->numbers, part->words, {centre}};
		rs_fitted_row(fitted, &probe, part->values, &missing, &unknown);
		p->rows[i].missing += missing;
		p->rows[i].unknown += unknown;
		for (size_t c = 0; c < fitted->shape.columns; c++)
			part->x[c * count + i] = part->values[c];
	}
	return fitted->learner->score(fitted->state, &x, part->score, err);
}

static void fuse_row(struct predicting *p, size_t i)
{
	static const double nothing[RS_CLASSES_MAX] = {NAN};
	const struct rs_model *model = p->model;
	const double *scores[RS_PARTS_MAX];
	size_t width = rs_model_shape_width(&model->shape);
	for (size_t k = 0; k < model->part_count; k++)
		scores[k] = p->parts[k].here[i] ? p->parts[k].score + i * width : nothing;
	rs_stack_score(&model->stack, &model->shape, scores, p->score + i * width);
}

/* Of all rows of a block; survival comes in the order of the horizons asked for. */
static enum rs_code fill_survival(struct predicting *p, size_t count, struct rs_error *err)
{
	const struct part *part = &p->parts[0];
	const struct rs_matrix x = {count, part->fitted->shape.columns, part->x};
	size_t horizons = p->options->horizon_count;
	double *sorted = p->survival + BLOCK * horizons;
	bool knows = rs_model_knows_survival(p->model);
	if (knows)
		RS_TRY(part->fitted->learner->survival(part->fitted->state, &x, p->horizons, horizons, sorted,
		                                       err));
	for (size_t i = 0; i < count; i++) {
		if (!knows)
			rs_curve_survival(&p->model->curve, p->score[i], p->horizons, horizons,
			                  sorted + i * horizons);
		for (size_t h = 0; h < horizons; h++) {
			size_t at = i * horizons + p->order[h];
			p->survival[at] = sorted[i * horizons + h];
			rs_curve_interval(&p->model->curve, p->score[i], p->horizons[h], p->survival[at],
			                  &p->limits[at], &p->limits[BLOCK * horizons + at]);
		}
	}
	return RS_OK;
}

static double share_below(const struct rs_model *model, double risk)
{
	size_t below = 0;
	while (below < model->residual_count && model->residuals[below] < risk)
		below++;
	return model->residual_count ? (double)below / (double)model->residual_count : NAN;
}

static void fill_row(const struct predicting *p, size_t i, struct rs_prediction *out)
{
	const struct rs_model *model = p->model;
	size_t width = rs_model_shape_width(&model->shape);
	double score = p->score[i];
	if (width > 1) {
		out->probabilities = p->score + i * width;
		out->likeliest = rs_class_of(out->probabilities, (uint32_t)width);
		out->set = p->sets + i * width;
		for (size_t k = 0; k < width; k++)
			p->sets[i * width + k] = 1 - out->probabilities[k] <= p->quantile;
	} else if (model->shape.target == RS_TARGET_SURVIVAL) {
		out->risk = score;
		out->risk_rank = share_below(p->model, score);
		out->time_at_least = rs_curve_reaches(&model->curve, score, p->level);
		out->survival = p->survival + i * p->options->horizon_count;
		out->survival_lower = p->limits + i * p->options->horizon_count;
		out->survival_upper = out->survival_lower + BLOCK * p->options->horizon_count;
	} else {
		out->probability = score;
		out->positive = score >= model->threshold;
		out->set_positive = 1 - score <= p->quantile;
		out->set_negative = score <= p->quantile;
	}
}

/* Of a model that is not fused. */
static enum rs_code fill_reasons(struct predicting *p, size_t first, size_t count, struct rs_error *err)
{
	const struct part *part = &p->parts[0];
	const struct rs_fitted *fitted = part->fitted;
	const struct rs_matrix x = {count, fitted->shape.columns, part->x};
	size_t wanted = p->reasons.wanted;
	for (size_t i = 0; i < count; i++)
		p->likeliest[i] = p->rows[i].likeliest;
	RS_TRY(rs_reasons_find(&p->reasons, fitted, &x,
	                       rs_model_shape_width(&fitted->shape) > 1 ? p->likeliest : NULL, err));
	for (size_t i = 0; i < count; i++) {
		struct rs_prediction *row = &p->rows[i];
		const struct rs_column_reason *found = p->reasons.found + i * wanted;
		row->reasons = p->told + i * wanted;
		for (size_t r = 0; r < wanted && found[r].adds != 0; r++)
			p->told[i * wanted + row->reason_count++] = (struct rs_reason){
				fitted->columns[found[r].column].name,
				fitted->columns[found[r].column].indicator
					? ""
					: rs_join_cell(&p->join, first + i, part->places[found[r].column]),
				found[r].adds};
	}
	return RS_OK;
}

static enum rs_code predict_block(struct predicting *p, size_t first, size_t count, struct rs_error *err)
{
	const struct rs_model *model = p->model;
	for (size_t i = 0; i < count; i++)
		p->rows[i] = (struct rs_prediction){.id = rs_join_id(&p->join, first + i)};
	for (size_t k = 0; k < model->part_count; k++)
		RS_TRY(score_part(p, &p->parts[k], first, count, err));
	if (!model->fused)
		memcpy(p->score, p->parts[0].score,
		       count * rs_model_shape_width(&model->shape) * sizeof *p->score);
	for (size_t i = 0; i < count && model->fused; i++)
		fuse_row(p, i);
	if (model->shape.target == RS_TARGET_SURVIVAL)
		RS_TRY(fill_survival(p, count, err));
	for (size_t i = 0; i < count; i++)
		fill_row(p, i, &p->rows[i]);
	return p->reasons.wanted ? fill_reasons(p, first, count, err) : RS_OK;
}

enum rs_code rs_predict(const struct rs_model *model, const struct rs_world *world, const char *const *tables,
                        size_t table_count, const struct rs_prediction_options *options,
                        rs_prediction_visit *visit, void *context, struct rs_error *err)
{
	struct predicting predicting RS_CLEANUP(predicting_finish) = {.model = model, .options = options};
	RS_TRY(rs_join_read(world, NULL, tables, table_count, model->id, &predicting.join, err));
	RS_TRY(prepare(&predicting, err));
	for (size_t t = 0; options->tables && t < table_count; t++)
		options->tables[t] = predicting.join.tables[t].digest;
	RS_TRY(rs_join_permit(&predicting.join, options->permit, context, err));
	for (size_t first = 0; first < predicting.join.rows; first += BLOCK) {
		size_t left = predicting.join.rows - first, count = left < BLOCK ? left : BLOCK;
		RS_TRY(predict_block(&predicting, first, count, err));
		for (size_t i = 0; i < count; i++)
			visit(context, &predicting.rows[i]);
	}
	return RS_OK;
}
