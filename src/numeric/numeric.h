/* Small numerics that several sciences share: eigenvalues, selection. Deterministic: fixed order of
 * operations, no dependence on threads. */
#ifndef RS_NUMERIC_H
#define RS_NUMERIC_H

#include "base/base.h"

/* Eigenvalues of a symmetric 3x3 matrix, ascending (cyclic Jacobi). */
void rs_eigenvalues_symmetric3(const double matrix[3][3], double out[3]);
/* Eigenvalues of a dense n x n matrix whose eigenvalues are known to be real, in no order; `matrix` is
 * destroyed. A pair that rounding made complex gives its real part twice. RS_INTERNAL when the
 * iteration does not settle. Hessenberg form by elimination, then shifted QR by rotations
 * (Wilkinson & Reinsch, Handbook II/13-14). */
enum rs_code rs_eigenvalues_real(double *matrix, size_t n, double *out, struct rs_error *err);
/* Puts the k-th smallest (0-based) of values[low … high) at values[k], smaller ones before it and
 * larger ones after it. No NaN. low <= k < high. */
void rs_select(double *values, size_t low, size_t high, size_t k);

#endif
