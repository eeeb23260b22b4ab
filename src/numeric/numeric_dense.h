/* Dense matrices, for tests. */
#ifndef RS_NUMERIC_DENSE_H
#define RS_NUMERIC_DENSE_H

#include "base/base.h"

/* Eigenvalues of a dense n x n matrix whose eigenvalues are known to be real, in no order; `matrix` is
 * destroyed. A pair that rounding made complex gives its real part twice. RS_INTERNAL when the
 * iteration does not settle. Hessenberg form by elimination, then shifted QR by rotations
 * (Wilkinson & Reinsch, Handbook II/13-14). */
enum rs_code rs_eigenvalues_real(double *matrix, size_t n, double *out, struct rs_error *err);

#endif
