/* Selection of order statistics: Hoare's quickselect with the median of three as pivot, so that the
 * work is the same on every run; long unlucky ranges are cut by the middle element all the same. */
#include "numeric/numeric.h"

static double median3(double a, double b, double c)
{
	if (a > b) {
		double keep = a;
		a = b;
		b = keep;
	}
	return c < a ? a : c > b ? b : c;
}

void rs_select(double *values, size_t low, size_t high, size_t k)
{
	while (high - low > 1) {
		double pivot = median3(values[low], values[low + (high - low) / 2], values[high - 1]);
		size_t less = low, scan = low, more = high; /* [low,less) < pivot, [less,scan) = pivot */
		while (scan < more) {
			double v = values[scan];
			if (v < pivot) {
				values[scan++] = values[less];
				values[less++] = v;
			} else if (v > pivot) {
				values[scan] = values[--more];
				values[more] = v;
			} else {
				scan++;
			}
		}
		if (k < less)
			high = less;
		else if (k >= more)
			low = more;
		else
			return;
	}
}
