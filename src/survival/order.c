#include "order.h"

#include <stdlib.h>

struct key {
	double value;
	uint32_t stratum;
	size_t index;
};

static int compare(const void *a, const void *b)
{
	const struct key *first = a, *second = b;
	if (first->stratum != second->stratum)
		return first->stratum < second->stratum ? -1 : 1;
	if (first->value != second->value)
		return first->value < second->value ? -1 : 1;
	return (first->index > second->index) - (first->index < second->index);
}

enum rs_code order_by(const uint32_t *stratum, const double *value, const size_t *rows, size_t count,
                      size_t **out, struct rs_error *err)
{
	struct key *keys RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *keys);
	size_t *order = rs_allocate_array(count, sizeof *order);
	if (!keys || !order) {
		rs_free(order);
		return rs_error_memory(err, count * sizeof *keys, "an order");
	}
	for (size_t i = 0; i < count; i++) {
		size_t row = rows ? rows[i] : i;
		keys[i] = (struct key){value[row], stratum ? stratum[row] : 0, row};
	}
	qsort(keys, count, sizeof *keys, compare);
	for (size_t i = 0; i < count; i++)
		order[i] = keys[i].index;
	*out = order;
	return RS_OK;
}
