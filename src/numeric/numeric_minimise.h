/* The least value of a smooth function of many variables. */
#ifndef RS_NUMERIC_MINIMISE_H
#define RS_NUMERIC_MINIMISE_H

#include "base/base.h"

/* The function's value at x, INFINITY where it has none, and its slopes. */
typedef enum rs_code rs_minimise_function(void *context, const double *x, double *out_value, double *slopes,
                                          struct rs_error *err);

struct rs_minimise {
	rs_minimise_function *function;
	void *context;
	size_t count;                /* of variables; >= 1 */
	double first, longest;       /* the farthest that any variable goes in the first step, and in any */
	double least_x, least_value; /* a step that moves nothing farther, or gains no more, is the last */
	unsigned steps;              /* at most */
};
struct rs_minimised {
	double before, after;
	unsigned steps, looks; /* how often the function was asked */
};
/* From x on, which holds the best place found; `out` is set on success.
 * errors  those of the function; RS_USAGE when it has no value at the start; RS_NO_MEMORY
 * source  Liu & Nocedal, Math Program 45 (1989) 503 (L-BFGS); Nocedal & Wright, Numerical Optimization (2006), 3.5 and
 *         3.6 (steps that hold Wolfe's strong conditions) */
enum rs_code rs_minimise_run(const struct rs_minimise *what, double *x, struct rs_minimised *out,
                             struct rs_error *err);

#endif
