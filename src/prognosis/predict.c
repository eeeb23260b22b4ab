/* New subjects, judged by a model. */
#include <math.h>
#include <string.h>

#include "columns.h"
#include "model.h"

double conformal_quantile(const double *residuals, size_t count, double coverage)
{
	double k = ceil((double)(count + 1) * coverage - 1e-9);
	return k < 1 ? -INFINITY : k > (double)count ? INFINITY : residuals[(size_t)k - 1];
}

struct predicting {
	const struct rs_model *model;
	const struct rs_prediction_options *options;
	struct rs_arena arena;
	struct join join;
	struct place *places; /* by column */
	double *numbers, *inputs, *hazard, *survival;
	const char **words;
	double quantile;
};

static void predicting_finish(struct predicting *p)
{
	join_finish(&p->join);
	rs_arena_finish(&p->arena);
}

static enum rs_code prepare(struct predicting *p, struct rs_error *err)
{
	const struct fitted *fitted = &p->model->fitted;
	size_t columns = fitted->column_count;
	rs_arena_init(&p->arena, RS_MODEL_SIZE_MAX);
	p->places = rs_arena_allocate_array(&p->arena, columns, sizeof *p->places);
	p->numbers = rs_arena_allocate_array(&p->arena, columns, sizeof *p->numbers);
	p->words = rs_arena_allocate_array(&p->arena, columns, sizeof *p->words);
	p->inputs = rs_arena_allocate_array(&p->arena, fitted->input_count, sizeof *p->inputs);
	p->hazard = rs_arena_allocate_array(&p->arena, fitted->forest.time_count + 1, sizeof *p->hazard);
	p->survival = rs_arena_allocate_array(&p->arena, p->options->horizon_count + 1, sizeof *p->survival);
	if (!p->places || !p->numbers || !p->words || !p->inputs || !p->hazard || !p->survival)
		return rs_error_memory(err, columns * sizeof *p->places, "predictions");
	for (size_t c = 0; c < columns; c++)
		RS_TRY(join_find(&p->join, fitted->columns[c].name, &p->places[c], err));
	p->quantile = conformal_quantile(p->model->residuals, p->model->residual_count, p->options->coverage);
	return RS_OK;
}

static enum rs_code read_row(struct predicting *p, size_t row, struct rs_error *err)
{
	const struct fitted *fitted = &p->model->fitted;
	for (size_t c = 0; c < fitted->column_count; c++) {
		const char *cell = join_cell(&p->join, row, p->places[c]);
		p->words[c] = cell_is_missing(cell) ? "" : cell;
		p->numbers[c] = NAN;
		if (!fitted->columns[c].categorical)
			RS_TRY(join_number(&p->join, row, p->places[c], &p->numbers[c], err));
	}
	return RS_OK;
}

/* Below the first time of an event survival is 1; beyond the last one nothing more is known than there. */
static void fill_survival(struct predicting *p)
{
	const struct rs_forest *forest = &p->model->fitted.forest;
	rs_forest_hazard(forest, p->inputs, p->hazard);
	for (size_t h = 0; h < p->options->horizon_count; h++) {
		size_t known = 0;
		while (known < forest->time_count && forest->times[known] <= p->options->horizons[h])
			known++;
		p->survival[h] = known ? exp(-p->hazard[known - 1]) : 1;
	}
}

static double share_below(const struct rs_model *model, double risk)
{
	size_t below = 0;
	while (below < model->residual_count && model->residuals[below] < risk)
		below++;
	return model->residual_count ? (double)below / (double)model->residual_count : NAN;
}

static enum rs_code predict_row(struct predicting *p, size_t row, struct rs_prediction *out,
                                struct rs_error *err)
{
	const struct fitted *fitted = &p->model->fitted;
	const struct probe probe = {p->numbers, p->words};
	*out = (struct rs_prediction){.id = join_id(&p->join, row)};
	RS_TRY(read_row(p, row, err));
	fitted_inputs(fitted, &probe, p->inputs, &out->missing, &out->unknown);
	double score = fitted_score(fitted, p->inputs);
	if (fitted->survival) {
		fill_survival(p);
		out->risk = score;
		out->risk_rank = share_below(p->model, score);
		out->survival = p->survival;
	} else {
		out->probability = score;
		out->positive = score >= fitted->threshold;
		out->set_positive = 1 - score <= p->quantile;
		out->set_negative = score <= p->quantile;
	}
	return RS_OK;
}

enum rs_code rs_predict(const struct rs_model *model, const struct rs_world *world, const char *const *tables,
                        size_t table_count, const struct rs_prediction_options *options,
                        rs_prediction_visit *visit, void *context, struct rs_error *err)
{
	struct predicting predicting RS_CLEANUP(predicting_finish) = {.model = model, .options = options};
	RS_TRY(join_read(world, NULL, tables, table_count, model->id, &predicting.join, err));
	RS_TRY(prepare(&predicting, err));
	for (size_t row = 0; row < predicting.join.rows; row++) {
		struct rs_prediction prediction;
		RS_TRY(predict_row(&predicting, row, &prediction, err));
		visit(context, &prediction);
	}
	return RS_OK;
}
