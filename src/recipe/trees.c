#include "trees.h"

#include <math.h>
#include <string.h>

#include "recipe/recipe_packed.h"

#define BLOCK 64 /* rows at a time */

static enum rs_code explain_block(const struct rs_shap *shap, const struct rs_matrix *x, size_t first,
                                  size_t count, double *room, double *out, struct rs_error *err)
{
	double *rows = room, *reasons = room + BLOCK * x->columns;
	for (size_t i = 0; i < count; i++)
		for (size_t c = 0; c < x->columns; c++)
			rows[i * x->columns + c] = x->values[c * x->rows + first + i];
	RS_TRY(rs_shap_explain(shap, rows, count, reasons, err));
	for (size_t i = 0; i < count; i++) {
		double *to = out + (first + i) * (x->columns + 1);
		memcpy(to, reasons + i * x->columns, x->columns * sizeof *to);
		to[x->columns] = rs_shap_base(shap);
	}
	return RS_OK;
}

enum rs_code trees_explain(const struct rs_shap *shap, const struct rs_matrix *x, double *out,
                           struct rs_error *err)
{
	double *room RS_CLEANUP(rs_free_pointer) = rs_allocate_array(x->columns, 2 * BLOCK * sizeof *room);
	if (!room)
		return rs_error_memory(err, x->columns * 2 * BLOCK * sizeof *room, "reasons");
	for (size_t first = 0; first < x->rows; first += BLOCK) {
		size_t left = x->rows - first;
		RS_TRY(explain_block(shap, x, first, left < BLOCK ? left : BLOCK, room, out, err));
	}
	return RS_OK;
}

enum rs_code trees_importance(const void *state, uint32_t outputs, trees_reasons *explain,
                              const struct rs_matrix *x, double **out, struct rs_error *err)
{
	size_t each = x->columns + 1, room = 0;
	bool fits = rs_mul_size(x->rows, each, &room);
	double *reasons RS_CLEANUP(rs_free_pointer) = fits ? rs_allocate_array(room, sizeof *reasons) : NULL;
	double *sums RS_CLEANUP(rs_free_pointer) = rs_allocate_array(x->columns, sizeof *sums);
	if (!reasons || !sums)
		return rs_error_memory(err, room * sizeof *reasons, "importance");
	for (uint32_t of = 0; of < outputs; of++) {
		RS_TRY(explain(state, x, of, reasons, err));
		for (size_t i = 0; i < x->rows; i++)
			for (size_t c = 0; c < x->columns; c++)
				sums[c] += fabs(reasons[i * each + c]) / (double)x->rows;
	}
	*out = sums;
	sums = NULL;
	return RS_OK;
}

enum rs_code trees_read_importance(struct rs_cbor_reader *reader, size_t columns, double **out,
                                   struct rs_error *err)
{
	double *read RS_CLEANUP(rs_free_pointer) = NULL;
	size_t count;
	RS_TRY(rs_packed_read_f64s(reader, "importance", &read, &count, err));
	if (count != 0 && count != columns)
		return rs_packed_wrong("importance", err);
	for (size_t c = 0; c < count; c++)
		if (read[c] < 0)
			return rs_packed_wrong("importance", err);
	*out = count ? read : NULL;
	if (count)
		read = NULL;
	return RS_OK;
}
