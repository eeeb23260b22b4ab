/* Means in the order of numpy's sums, many at once: a value's neighbours in memory belong to other means. */
#ifndef RS_FILTER_PAIRWISE_H
#define RS_FILTER_PAIRWISE_H

#include <stdbool.h>
#include <stddef.h>

/* Every operation on float32 is one on doubles, rounded: for + - * / and the square root the bits are the same. */
static inline double rounded(double value, bool single) { return single ? (double)(float)value : value; }

/* Sums and means over r < count of rows[r * width + i]; count >= 1. Numbers are summed 8 side by side; complex ones,
 * of which the real parts are given, 4.
 * work    PAIRWISE_WORK(width) doubles
 * source  numpy 1.9 … 2, pairwise summation of contiguous arrays */
enum pairwise_kind { PAIRWISE_COMPLEX = 4, PAIRWISE_REAL = 8 };
#define PAIRWISE_DEPTH_MAX 16 /* halvings: more than 2^16 blocks of rows */
#define PAIRWISE_WORK(width) ((8 + PAIRWISE_DEPTH_MAX) * (width))
void pairwise_sum(const double *rows, size_t count, size_t width, enum pairwise_kind kind, bool single,
                  double *work, double *out);
void pairwise_mean(const double *rows, size_t count, size_t width, bool single, double *work, double *out);

#endif
