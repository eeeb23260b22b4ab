/* The distance transform, one axis after the other: along a line the squared distance is the lower envelope of parabolas. */
#include "segment/distance.h"

#include <math.h>

struct envelope {
	size_t length;
	double step;       /* spacing */
	double *values;    /* of the line */
	double *begins;    /* where each parabola of the envelope begins to be the lowest */
	size_t *parabolas; /* by their vertex */
};

static void envelope_finish(struct envelope *e)
{
	rs_free(e->values);
	rs_free(e->begins);
	rs_free(e->parabolas);
}

/* Where the parabola of `right` gets below that of `left`. */
static double crossing(const struct envelope *e, size_t left, size_t right)
{
	double a = (double)left * e->step, b = (double)right * e->step;
	return (e->values[right] + b * b - e->values[left] - a * a) / (2 * (b - a));
}

static void transform_line(struct envelope *e, double *line, size_t stride)
{
	size_t count = 0, at = 0;
	for (size_t i = 0; i < e->length; i++) {
		e->values[i] = line[i * stride];
		if (isinf(e->values[i]))
			continue;
		double begin = -INFINITY;
		while (count > 0 && (begin = crossing(e, e->parabolas[count - 1], i)) <= e->begins[count - 1])
			count--;
		e->begins[count] = count ? begin : -INFINITY;
		e->parabolas[count++] = i;
	}
	for (size_t i = 0; count && i < e->length; i++) {
		double x = (double)i * e->step;
		while (at + 1 < count && e->begins[at + 1] < x)
			at++;
		double away = x - (double)e->parabolas[at] * e->step;
		line[i * stride] = away * away + e->values[e->parabolas[at]];
	}
}

enum rs_code distance_squared(double *field, const size_t size[3], const double spacing_mm[3],
                              struct rs_error *err)
{
	const size_t stride[3] = {1, size[0], size[0] * size[1]};
	for (unsigned axis = 0; axis < 3; axis++) {
		const unsigned u = (axis + 1) % 3, v = (axis + 2) % 3;
		struct envelope e RS_CLEANUP(envelope_finish) = {.length = size[axis],
		                                                 .step = spacing_mm[axis]};
		e.values = rs_allocate_array(size[axis], sizeof *e.values);
		e.begins = rs_allocate_array(size[axis], sizeof *e.begins);
		e.parabolas = rs_allocate_array(size[axis], sizeof *e.parabolas);
		if (!e.values || !e.begins || !e.parabolas)
			return rs_error_memory(err, size[axis] * sizeof *e.values, "distances");
		for (size_t j = 0; j < size[v]; j++)
			for (size_t i = 0; i < size[u]; i++)
				transform_line(&e, field + i * stride[u] + j * stride[v], stride[axis]);
	}
	return RS_OK;
}
