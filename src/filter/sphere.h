/* Points spread over a sphere, and spherical harmonics at them.
 * source  the icosphere of trimesh 3 … 5 (creation.icosphere), point by point; PyRadiomics 3.1 gives the two angles
 *         to SciPy's sph_harm the wrong way round, and what it measures is kept */
#ifndef RS_FILTER_SPHERE_H
#define RS_FILTER_SPHERE_H

#include "base/base.h"

#define SPHERE_SUBDIVISION_MAX 5

struct sphere {
	size_t count;
	double (*points)[3];
	unsigned levels;
	/* Level n has 2n + 1 rows of `count` values from row n^2 on: the harmonic of m = 0, then the real and the
	 * imaginary part of those of m = 1 … n. Those of -m follow from them. */
	double *harmonics;
};
/* subdivision 0 … SPHERE_SUBDIVISION_MAX: 10 * 4^subdivision + 2 points */
enum rs_code sphere_init(struct sphere *out, unsigned subdivision, double radius, unsigned levels,
                         struct rs_error *err);
void sphere_finish(struct sphere *sphere); /* accepts zeroed memory */

#endif
