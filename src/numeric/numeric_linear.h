/* Symmetric systems of the size that models have. */
#ifndef RS_NUMERIC_LINEAR_H
#define RS_NUMERIC_LINEAR_H

#include "base/base.h"

/* a (n x n, row-major, symmetric, not negative definite; its lower triangle is read) becomes L below and D on the diagonal
 * of a = L D Lᵀ. A row whose pivot is below `tolerance` times the largest diagonal is a combination of those before: its
 * pivot becomes 0, and solutions have 0 there. Returns how many are not. NaN and infinities count as such. */
size_t rs_ldl(double *a, size_t n, double tolerance);
void rs_ldl_solve(const double *ldl, size_t n, double *x); /* in place */
/* out (n x n) becomes the inverse; rows and columns of zero pivots are 0. */
void rs_ldl_inverse(const double *ldl, size_t n, double *out);

#endif
