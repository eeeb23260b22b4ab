/* Small numerics that several sciences share: eigenvalues, selection. Deterministic: fixed order of
 * operations, no dependence on threads. */
#ifndef RS_NUMERIC_H
#define RS_NUMERIC_H

#include "base/base.h"

/* Eigenvalues of a symmetric 3x3 matrix, ascending (cyclic Jacobi). */
void rs_eigenvalues_symmetric3(const double matrix[3][3], double out[3]);
/* Puts the k-th smallest (0-based) of values[low … high) at values[k], smaller ones before it and
 * larger ones after it. No NaN. low <= k < high. */
void rs_select(double *values, size_t low, size_t high, size_t k);

#endif
