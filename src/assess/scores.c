#include "scores.h"

#include <math.h>
#include <stdlib.h>

void scores_finish(struct scores *scores)
{
	rs_free(scores->items);
	*scores = (struct scores){0};
}

static int compare(const void *a, const void *b)
{
	const struct scored *first = a, *second = b;
	if (first->score != second->score)
		return first->score < second->score ? -1 : 1;
	return (first->row > second->row) - (first->row < second->row);
}

enum rs_code scores_sort(const double *score, const uint8_t *outcome, size_t count, struct scores *out,
                         struct rs_error *err)
{
	struct scores made RS_CLEANUP(scores_finish) = {
		.count = count, .items = rs_allocate_array(count, sizeof *made.items)};
	if (!made.items)
		return rs_error_memory(err, count * sizeof *made.items, "scores");
	for (size_t i = 0; i < count; i++) {
		if (isnan(score[i]))
			return rs_error_set(err, RS_MALFORMED, "row %zu: the score is not a number", i + 1);
		made.items[i] = (struct scored){score[i], outcome[i] != 0, i};
		*(outcome[i] ? &made.positives : &made.negatives) += 1;
	}
	if (made.positives == 0 || made.negatives == 0)
		return rs_error_set(err, RS_NOT_FOUND, "all %zu subjects have the outcome %d", count,
		                    made.positives > 0);
	qsort(made.items, count, sizeof *made.items, compare);
	*out = made;
	made.items = NULL;
	return RS_OK;
}
