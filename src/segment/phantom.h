/* Made cases for tests and benches: a lesion of irregular shape in an organ, with a vessel and an organ of the lesion's own
 * grey beside it, soft edges, a coil's bias and Rician noise. And the strokes that somebody would draw. */
#ifndef RS_SEGMENT_PHANTOM_H
#define RS_SEGMENT_PHANTOM_H

#include <math.h>

#include "base/base_random.h"
#include "segment/segment_grow.h"

struct phantom {
	struct rs_volume image;
	struct rs_mask truth;
	double centre_mm[3], radius_mm;
	double bumps[6][4]; /* directions and heights */
	double bias[3];
	struct rs_stream stream;
};

static inline double phantom_normal(struct rs_stream *stream)
{
	double u = rs_stream_unit(stream), v = rs_stream_unit(stream);
	return sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v);
}

/* Distance to the lesion's surface, about, in mm; inside below 0. */
static inline double phantom_lesion(const struct phantom *p, const double at_mm[3])
{
	double d[3], length = 0, radius = p->radius_mm;
	for (int a = 0; a < 3; a++) {
		d[a] = at_mm[a] - p->centre_mm[a];
		length += d[a] * d[a];
	}
	length = sqrt(length);
	for (int k = 0; k < 6 && length > 0; k++) {
		double t = (d[0] * p->bumps[k][0] + d[1] * p->bumps[k][1] + d[2] * p->bumps[k][2]) / length;
		radius += p->radius_mm * p->bumps[k][3] * t * (k % 2 ? t : 1);
	}
	return length - radius;
}

static inline double phantom_ball(const struct phantom *p, const double at_mm[3], const double shift[3],
                                  double radius)
{
	double sum = 0;
	for (int a = 0; a < 3; a++) {
		double d = (at_mm[a] - p->centre_mm[a]) / p->radius_mm - shift[a];
		sum += d * d;
	}
	return (sqrt(sum) - radius) * p->radius_mm;
}

static inline double phantom_mix(double distance_mm, double inside, double outside)
{
	double t = 1 / (1 + exp(distance_mm / 0.4));
	return t * inside + (1 - t) * outside;
}

/* contrast: of the lesion to its organ, in grey values; noise: likewise. The lesion is in the middle, about. */
static inline void phantom_make(struct phantom *p, const size_t size[3], const double spacing_mm[3],
                                double contrast, double noise, uint64_t seed)
{
	const struct rs_geometry grid = {.size = {size[0], size[1], size[2]},
	                                 .spacing_mm = {spacing_mm[0], spacing_mm[1], spacing_mm[2]},
	                                 .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	double shortest = INFINITY, half[3], vessel[2];
	*p = (struct phantom){.stream = rs_stream_of(seed, 7)};
	if (rs_volume_init(&p->image, &grid, NULL) != RS_OK || rs_mask_init(&p->truth, &grid, NULL) != RS_OK)
		abort();
	for (int a = 0; a < 3; a++) {
		half[a] = (double)(size[a] - 1) * spacing_mm[a] / 2;
		shortest = fmin(shortest, half[a]);
	}
	p->radius_mm = shortest * (0.28 + 0.12 * rs_stream_unit(&p->stream));
	for (int a = 0; a < 3; a++) {
		p->centre_mm[a] = half[a] + 0.2 * p->radius_mm * phantom_normal(&p->stream);
		p->bias[a] = 0.12 * phantom_normal(&p->stream);
	}
	for (int k = 0; k < 6; k++) {
		double length = 0;
		for (int a = 0; a < 3; a++) {
			p->bumps[k][a] = phantom_normal(&p->stream);
			length += p->bumps[k][a] * p->bumps[k][a];
		}
		for (int a = 0; a < 3; a++)
			p->bumps[k][a] /= sqrt(length);
		p->bumps[k][3] = 0.15 * phantom_normal(&p->stream);
	}
	for (int a = 0; a < 2; a++)
		vessel[a] = p->centre_mm[a] + p->radius_mm * (1.5 + 0.3 * rs_stream_unit(&p->stream));
	for (size_t i = 0, n = rs_geometry_voxels(&grid); i < n; i++) {
		const size_t at[3] = {i % size[0], i / size[0] % size[1], i / size[0] / size[1]};
		double mm[3], bias = 0, body = 0, value = 20;
		for (int a = 0; a < 3; a++) {
			mm[a] = (double)at[a] * spacing_mm[a];
			bias += p->bias[a] * (mm[a] - half[a]) / half[a];
			body += a < 2 ? (mm[a] - half[a]) * (mm[a] - half[a]) / half[a] / half[a] : 0;
		}
		value = phantom_mix((sqrt(body) - 0.97) * shortest, 260, value); /* fat */
		value = phantom_mix((sqrt(body) - 0.9) * shortest, 120, value);
		value = phantom_mix(phantom_ball(p, mm, (double[]){0.4, 0.3, 0.1}, 2.1), 180, value);
		value = phantom_mix(phantom_ball(p, mm, (double[]){-1.9, -1.5, 0}, 1.1), 180 - contrast,
		                    value);
		value = phantom_mix(hypot(mm[0] - vessel[0], mm[1] - vessel[1]) - 0.2 * p->radius_mm, 300,
		                    value);
		const double distance = phantom_lesion(p, mm);
		value = phantom_mix(distance, 180 - contrast, value) * exp(bias);
		p->truth.labels[i] = distance <= 0;
		const double real = value + noise * phantom_normal(&p->stream),
			     imaginary = noise * phantom_normal(&p->stream);
		p->image.voxels[i] = hypot(real, imaginary);
	}
}

static inline void phantom_finish(struct phantom *p)
{
	rs_volume_finish(&p->image);
	rs_mask_finish(&p->truth);
}

/* Three strokes: lines inside along x and z, half as long as the lesion; and a ring around it in the middle slice. */
#define PHANTOM_RING 25
struct phantom_strokes {
	double points[2][2][3], ring[PHANTOM_RING][3];
	struct rs_stroke strokes[3];
};
static inline void phantom_strokes(const struct phantom *p, struct phantom_strokes *out)
{
	const double *spacing = p->image.geometry.spacing_mm;
	for (int s = 0; s < 2; s++)
		for (int end = 0; end < 2; end++)
			for (int a = 0; a < 3; a++) {
				double along = a == 2 * s ? (end ? 0.5 : -0.5) * p->radius_mm : 0;
				out->points[s][end][a] = (p->centre_mm[a] + along) / spacing[a];
			}
	for (int k = 0; k < PHANTOM_RING; k++) {
		const double angle = 6.283185307179586 * k / (PHANTOM_RING - 1);
		double way[3] = {cos(angle), sin(angle), 0}, mm[3], far = 0.5 * p->radius_mm;
		for (; far < 3 * p->radius_mm; far += 0.5) { /* as somebody who sees the border */
			for (int a = 0; a < 3; a++)
				mm[a] = p->centre_mm[a] + far * way[a];
			if (phantom_lesion(p, mm) > 0.2 * p->radius_mm + 1)
				break;
		}
		for (int a = 0; a < 3; a++)
			out->ring[k][a] = mm[a] / spacing[a];
	}
	for (int s = 0; s < 2; s++)
		out->strokes[s] = (struct rs_stroke){true, 1, 2, (const double(*)[3])out->points[s]};
	out->strokes[2] = (struct rs_stroke){false, 0.5, PHANTOM_RING, (const double(*)[3])out->ring};
}

#endif
