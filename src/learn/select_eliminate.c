/* Recursive elimination, whatever tells how much a column matters. */
#include <math.h>
#include <stdlib.h>

#include "learn/learn_select.h"

struct standing {
	double importance;
	size_t column;
};
static int by_importance(const void *a, const void *b)
{
	const struct standing *x = a, *y = b;
	if (x->importance != y->importance)
		return x->importance > y->importance ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}
static int by_column(const void *a, const void *b)
{
	const struct standing *x = a, *y = b;
	return x->column < y->column ? -1 : x->column > y->column;
}

enum rs_code rs_eliminate(size_t columns, size_t least, double share, rs_importance_of *importance,
                          void *context, size_t *out, struct rs_error *err)
{
	struct standing *standings RS_CLEANUP(rs_free_pointer) = rs_allocate_array(columns,
	                                                                           sizeof *standings);
	double *matter RS_CLEANUP(rs_free_pointer) = rs_allocate_array(columns, sizeof *matter);
	if (!standings || !matter)
		return rs_error_memory(err, columns * sizeof *standings, "elimination");
	for (size_t c = 0; c < columns; c++)
		out[c] = c;
	for (size_t left = columns; left > least;) {
		RS_TRY(importance(context, out, left, matter, err));
		for (size_t k = 0; k < left; k++)
			standings[k] = (struct standing){isnan(matter[k]) ? -INFINITY : matter[k], out[k]};
		qsort(standings, left, sizeof *standings, by_importance);
		size_t stay = left - (size_t)fmax(1, floor(share * (double)left));
		stay = stay < least ? least : stay;
		qsort(standings, stay, sizeof *standings, by_column);
		for (size_t k = 0; k < left; k++)
			out[k] = standings[k].column;
		left = stay;
	}
	return RS_OK;
}
