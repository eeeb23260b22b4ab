#include "model/model_reasons.h"

#include <math.h>
#include <string.h>

static enum rs_code take(struct rs_arena *arena, size_t count, size_t size, void *out, struct rs_error *err)
{
	void *block = rs_arena_allocate_array(arena, count ? count : 1, size);
	if (!block)
		return rs_error_memory(err, count * size, "reasons");
	memcpy(out, &block, sizeof block);
	return RS_OK;
}

enum rs_code rs_reasons_init(const struct rs_fitted *fitted, size_t rows, size_t wanted,
                             struct rs_arena *arena, struct rs_reasons *out, struct rs_error *err)
{
	size_t inputs = fitted->shape.columns, room;
	*out = (struct rs_reasons){.rows = rows,
	                           .wanted = wanted < fitted->column_count ? wanted : fitted->column_count};
	if (!fitted->learner->explain)
		out->wanted = 0;
	if (out->wanted == 0)
		return RS_OK;
	if (!rs_mul_size(inputs + 1, rows, &room))
		return rs_error_memory(err, SIZE_MAX, "reasons");
	RS_TRY(take(arena, fitted->width, sizeof *out->origin, &out->origin, err));
	RS_TRY(take(arena, room, sizeof *out->effects, &out->effects, err));
	RS_TRY(take(arena, fitted->column_count, sizeof *out->sums, &out->sums, err));
	RS_TRY(take(arena, rows, out->wanted * sizeof *out->found, &out->found, err));
	rs_fitted_inputs(fitted, out->origin);
	for (size_t i = 0; i < inputs; i++)
		out->origin[i] = rs_fitted_input(fitted, out->origin[i]).column;
	return RS_OK;
}

/* The weightiest columns; of alike ones the first. */
static void rank(const struct rs_reasons *reasons, const struct rs_fitted *fitted, const double *effects,
                 struct rs_column_reason *out)
{
	double *sums = reasons->sums;
	memset(sums, 0, fitted->column_count * sizeof *sums);
	for (size_t i = 0; i < fitted->shape.columns; i++)
		sums[reasons->origin[i]] += effects[i];
	for (size_t r = 0; r < reasons->wanted; r++) {
		size_t best = 0;
		for (size_t c = 1; c < fitted->column_count; c++)
			if (fabs(sums[c]) > fabs(sums[best]) || isnan(sums[best]))
				best = c;
		out[r] = (struct rs_column_reason){(uint32_t)best, sums[best]};
		sums[best] = NAN;
	}
}

enum rs_code rs_reasons_find(const struct rs_reasons *reasons, const struct rs_fitted *fitted,
                             const struct rs_matrix *x, const uint32_t *of, struct rs_error *err)
{
	size_t each = fitted->shape.columns + 1;
	uint32_t classes = of ? fitted->shape.classes : 1;
	for (uint32_t class = 0; class < classes && reasons->wanted > 0; class ++) {
		bool any = !of;
		for (size_t i = 0; i < x->rows && !any; i++)
			any = of[i] == class;
		if (!any)
			continue;
		RS_TRY(fitted->learner->explain(fitted->state, x, of ? class : 1, reasons->effects, err));
		for (size_t i = 0; i < x->rows; i++)
			if (!of || of[i] == class)
				rank(reasons, fitted, reasons->effects + i * each,
				     reasons->found + i * reasons->wanted);
	}
	return RS_OK;
}

#define IMPORTANT 20

static enum rs_code weigh_columns(const struct rs_fitted *fitted, const double *of_inputs, double *out,
                                  struct rs_error *err)
{
	uint32_t *origin RS_CLEANUP(rs_free_pointer) = rs_allocate_array(fitted->width, sizeof *origin);
	if (!origin)
		return rs_error_memory(err, fitted->width * sizeof *origin, "importance");
	rs_fitted_inputs(fitted, origin);
	for (size_t i = 0; i < fitted->shape.columns; i++)
		out[rs_fitted_input(fitted, origin[i]).column] += of_inputs[i];
	return RS_OK;
}

enum rs_code rs_importance_tell(const struct rs_fitted *fitted, const struct rs_training_report *report,
                                struct rs_error *err)
{
	size_t room = fitted->shape.columns + fitted->column_count;
	double *inputs RS_CLEANUP(rs_free_pointer) = rs_allocate_array(room, sizeof *inputs);
	if (!inputs)
		return rs_error_memory(err, room * sizeof *inputs, "importance");
	double *columns = inputs + fitted->shape.columns;
	if (!fitted->learner->importance || !fitted->learner->importance(fitted->state, inputs))
		return RS_OK;
	RS_TRY(weigh_columns(fitted, inputs, columns, err));
	for (size_t told = 0; told < IMPORTANT; told++) {
		size_t best = 0;
		for (size_t c = 1; c < fitted->column_count; c++)
			if (columns[c] > columns[best])
				best = c;
		if (!(columns[best] > 0))
			break;
		report->finding(report->context,
		                &(struct rs_finding){fitted->columns[best].name, "importance", columns[best],
		                                     NAN, NAN, NAN});
		columns[best] = 0;
	}
	return RS_OK;
}
