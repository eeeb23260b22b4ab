/* Shared by the tests of segment: masks and volumes made by rule. */
#ifndef RS_SEGMENT_TEST_H
#define RS_SEGMENT_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/base_random.h"
#include "image/image.h"

#define UNIT_AXES                                 \
	{                                         \
		{1, 0, 0}, {0, 1, 0}, { 0, 0, 1 } \
	}

static inline struct rs_geometry test_grid(size_t x, size_t y, size_t z, double dx, double dy, double dz)
{
	return (struct rs_geometry){.size = {x, y, z}, .spacing_mm = {dx, dy, dz}, .direction = UNIT_AXES};
}

static inline struct rs_mask test_mask(struct rs_geometry grid)
{
	struct rs_mask mask;
	assert_int_equal(rs_mask_init(&mask, &grid, NULL), RS_OK);
	return mask;
}

/* Voxel by voxel whether it lies in the ellipsoid, in mm. */
static inline struct rs_mask test_ellipsoid(struct rs_geometry grid, const double centre[3],
                                            const double radius[3])
{
	struct rs_mask mask = test_mask(grid);
	for (size_t i = 0, n = rs_geometry_voxels(&grid); i < n; i++) {
		const size_t at[3] = {i % grid.size[0], i / grid.size[0] % grid.size[1],
		                      i / grid.size[0] / grid.size[1]};
		double sum = 0;
		for (int a = 0; a < 3; a++) {
			double t = ((double)at[a] * grid.spacing_mm[a] - centre[a]) / radius[a];
			sum += t * t;
		}
		mask.labels[i] = sum <= 1;
	}
	return mask;
}

#endif
