/* Scans for tests: a body with organs as two sequences see it, in patient coordinates, so that any grid can take it. */
#ifndef RS_REGISTER_PHANTOM_H
#define RS_REGISTER_PHANTOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/base_random.h"
#include "register/register.h"

static RS_UNUSED double normal_of(struct rs_stream *random)
{
	double u = 1 - rs_stream_unit(random), v = rs_stream_unit(random);
	return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

/* Organs: ellipsoids, the later ones over the earlier; centre and half axes in mm, grey levels of both sequences. */
struct organ {
	double centre[3], half[3], grey[2];
};
static const struct organ organs[] = {
	{{0, 0, 0}, {80, 62, 75}, {90, 210}},      {{0, 0, 0}, {74, 56, 70}, {130, 80}},
	{{-35, -5, 5}, {30, 32, 34}, {170, 140}},  {{38, 5, 8}, {20, 26, 30}, {60, 190}},
	{{2, 38, -4}, {12, 11, 70}, {220, 40}},    {{14, -20, -6}, {24, 9, 11}, {200, 120}},
	{{-8, 12, -22}, {14, 12, 16}, {110, 230}}, {{-42, -14, 14}, {8, 7, 9}, {90, 240}},
	{{30, 22, -24}, {13, 10, 14}, {180, 60}},  {{16, -40, 12}, {18, 8, 22}, {40, 150}},
};

/* Half a voxel of softness at the edges, as partial volume makes it. */
static RS_UNUSED double body_at(const double p[3], int sequence)
{
	double value = 0;
	for (size_t i = 0; i < RS_COUNT(organs); i++) {
		const struct organ *o = &organs[i];
		double square = 0, least = INFINITY;
		for (int a = 0; a < 3; a++) {
			const double d = (p[a] - o->centre[a]) / o->half[a];
			square += d * d;
			least = fmin(least, o->half[a]);
		}
		const double depth = (1 - sqrt(square)) * least, share = 1 / (1 + exp(-2.5 * depth));
		value += share * (o->grey[sequence] - value);
	}
	/* Lobules and vessels, darker in the other sequence. */
	const double grain = sin(0.31 * p[0] + 0.13 * p[1]) * sin(0.27 * p[1] - 0.11 * p[2] + 1) *
	                     sin(0.23 * p[2] + 0.09 * p[0] + 2);
	return value * (1 + (sequence ? -0.4 : 0.3) * grain);
}

/* What `place` says lies at a voxel (NULL: what the geometry says), with a coil's field and noise of `sigma`. */
typedef void body_place(const double point[3], double out[3]);
static RS_UNUSED void scan_make(struct rs_volume *out, const struct rs_geometry *geometry, int sequence,
                                body_place *place, double sigma, uint64_t seed)
{
	struct rs_stream random = {seed};
	assert_int_equal(rs_volume_init(out, geometry, NULL), RS_OK);
	double *to = out->voxels;
	for (size_t z = 0; z < geometry->size[2]; z++)
		for (size_t y = 0; y < geometry->size[1]; y++)
			for (size_t x = 0; x < geometry->size[0]; x++) {
				const double index[3] = {(double)x, (double)y, (double)z};
				double point[3], there[3];
				for (int r = 0; r < 3; r++) {
					point[r] = geometry->origin_mm[r];
					for (int c = 0; c < 3; c++)
						point[r] += geometry->direction[r][c] *
						            geometry->spacing_mm[c] * index[c];
					there[r] = point[r];
				}
				if (place)
					place(point, there);
				const double coil = exp((sequence ? -0.004 : 0.003) * point[0] +
				                        0.002 * point[1]);
				const double signal = body_at(there, sequence) * coil;
				*to++ = fabs(signal + sigma * normal_of(&random));
			}
}

#endif
