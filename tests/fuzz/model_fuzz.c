/* Hostile models: refused by a sentence, or read and then good for predicting. */
#include <math.h>
#include <stdlib.h>

#include "model/model_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A row without any value, and one of zeros. */
static void predict(const struct rs_fitted *fitted, double value, double *scores)
{
	const double times[] = {-1, 0, 1e9};
	double *numbers = rs_allocate_array(fitted->column_count, sizeof *numbers);
	const char **words = rs_allocate_array(fitted->column_count, sizeof *words);
	double *values = rs_allocate_array(fitted->width, sizeof *values), survival[3];
	struct rs_error err;
	if (!numbers || !words || !values)
		abort();
	for (size_t c = 0; c < fitted->column_count; c++) {
		numbers[c] = value;
		words[c] = "";
	}
	rs_fitted_row(fitted, &(struct rs_probe){numbers, words, {""}}, values, NULL, NULL);
	const struct rs_matrix x = {1, fitted->shape.columns, values};
	if (fitted->learner->score(fitted->state, &x, scores, &err) == RS_OK &&
	    fitted->shape.target == RS_TARGET_SURVIVAL && fitted->learner->survival)
		(void)!fitted->learner->survival(fitted->state, &x, times, RS_COUNT(times), survival, &err);
	double *reasons = rs_allocate_array(fitted->shape.columns + 1, sizeof *reasons);
	if (!reasons)
		abort();
	if (fitted->learner->explain)
		(void)!fitted->learner->explain(fitted->state, &x, fitted->shape.classes ? 1 : 0, reasons,
		                                &err);
	rs_free(reasons);
	rs_free(numbers);
	rs_free(words);
	rs_free(values);
}

static void predict_all(const struct rs_model *model, double value)
{
	static double scores[RS_PARTS_MAX][RS_CLASSES_MAX];
	const double *rows[RS_PARTS_MAX];
	double out[RS_CLASSES_MAX];
	for (size_t p = 0; p < model->part_count; p++) {
		rows[p] = scores[p];
		predict(&model->parts[p], value, scores[p]);
	}
	if (model->fused)
		rs_stack_score(&model->stack, &model->shape, rows, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_model *model RS_CLEANUP(rs_model_destroy_pointer) = NULL;
	struct rs_error err = {0};
	if (rs_model_read(rs_bytes_of(data, size), &model, &err) != RS_OK) {
		if (model || err.message[0] == '\0')
			abort();
		return 0;
	}
	predict_all(model, NAN);
	predict_all(model, 0);
	return 0;
}
