/* A scan for tests: tissues in a body, the coils' field, Rician noise. */
#ifndef RS_INTENSITY_PHANTOM_H
#define RS_INTENSITY_PHANTOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/base_random.h"
#include "intensity/intensity.h"

#define PHANTOM_X 96
#define PHANTOM_Y 80
#define PHANTOM_Z 20

static RS_UNUSED double normal_of(struct rs_stream *random)
{
	double u = 1 - rs_stream_unit(random), v = rs_stream_unit(random);
	return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

/* An ellipse of 100 with organs of 160, 220 and 60; 0 outside. */
static RS_UNUSED double tissue_at(size_t x, size_t y, size_t z)
{
	double u = ((double)x - 47.5) / 44, v = ((double)y - 39.5) / 36, w = ((double)z - 9.5) / 14;
	if (u * u + v * v > 1)
		return 0;
	if ((u + 0.4) * (u + 0.4) + v * v + w * w < 0.12)
		return 160;
	if ((u - 0.45) * (u - 0.45) + (v - 0.2) * (v - 0.2) < 0.06)
		return 220;
	if (u * u + (v + 0.6) * (v + 0.6) < 0.03)
		return 60;
	return 100;
}

static RS_UNUSED double coil_at(size_t x, size_t y, size_t z)
{
	double u = (double)x / (PHANTOM_X - 1) - 0.5, v = (double)y / (PHANTOM_Y - 1) - 0.5,
	       w = (double)z / (PHANTOM_Z - 1) - 0.5;
	return exp(0.5 * u - 0.6 * v * v + 0.3 * u * v + 0.2 * w);
}

static RS_UNUSED void phantom_make(struct rs_volume *out, bool coil, double sigma, uint64_t seed)
{
	const struct rs_geometry geometry = {.size = {PHANTOM_X, PHANTOM_Y, PHANTOM_Z},
	                                     .spacing_mm = {1.5, 1.5, 4},
	                                     .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	struct rs_stream random = {seed};
	assert_int_equal(rs_volume_init(out, &geometry, NULL), RS_OK);
	double *to = out->voxels;
	for (size_t z = 0; z < PHANTOM_Z; z++)
		for (size_t y = 0; y < PHANTOM_Y; y++)
			for (size_t x = 0; x < PHANTOM_X; x++) {
				double signal = tissue_at(x, y, z) * (coil ? coil_at(x, y, z) : 1);
				double re = signal + sigma * normal_of(&random),
				       im = sigma * normal_of(&random);
				*to++ = sqrt(re * re + im * im);
			}
}

#endif
