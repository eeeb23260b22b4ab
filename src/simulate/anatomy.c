/* Painting the map of a body: every shape in its box, in order. */
#include "anatomy.h"

#include "draw.h"
#include "tissue.h"

#define COARSE_MM 62.0
#define FINE_MM 19.0
#define COARSE_BEND_MM 3.5
#define FINE_BEND_MM 1.0
#define SQUARISH 0.55 /* of a column's outline: 0 an ellipse, 1 a rectangle (Fernandez-Guasti's squircle) */
#define WAVE_MOST 1.7 /* of the margin, smoothly: higher ones would leave islands */
#define TUMOUR_REACH 1.6  /* times the radius: no wave goes beyond, margins being 0.32 at most */
#define NECROSIS_RIM 0.22 /* of the radius stays alive */

double tumour_outside(const struct tumour *tumour, const double point[static 3])
{
	double d[3], sum = 0;
	for (int i = 0; i < 3; i++)
		d[i] = point[i] - tumour->centre[i];
	const double along[3] = {d[0] * tumour->turn[0] + d[1] * tumour->turn[1],
	                         d[1] * tumour->turn[0] - d[0] * tumour->turn[1], d[2]};
	for (int i = 0; i < 3; i++)
		sum += along[i] * along[i] / (tumour->radius[i] * tumour->radius[i]);
	double wave = 1 + tumour->margin * WAVE_MOST * tanh(waves_at(&tumour->outline, point) / WAVE_MOST);
	return (sqrt(sum) - wave) * (tumour->radius[0] + tumour->radius[1] + tumour->radius[2]) / 3;
}

static uint8_t tumour_label(const struct tumour *tumour, const double point[static 3], double outside)
{
	if (outside < -NECROSIS_RIM * tumour->radius[0] && waves_at(&tumour->death, point) > tumour->necrosis)
		return NECROSIS;
	double density = tumour->heterogeneity * waves_at(&tumour->density, point);
	return (uint8_t)tissue_tumour_label(density);
}

/* ---- shapes ---- */

static bool in_ellipse(const struct shape *s, const double p[3])
{
	double x = p[0] - s->centre[0], y = p[1] - s->centre[1];
	double u = (x * s->cosine + y * s->sine) / s->radius[0],
	       v = (y * s->cosine - x * s->sine) / s->radius[1];
	u *= u;
	v *= v;
	if (s->kind == COLUMN)
		return u <= 1 && v <= 1 && u + v - SQUARISH * u * v <= 1;
	double w = (p[2] - s->centre[2]) / s->radius[2];
	return u + v + w * w <= 1;
}

static bool in_capsule(const struct shape *s, const double p[3])
{
	double along = 0, length = 0, square = 0;
	for (int i = 0; i < 3; i++) {
		double axis = s->end[i] - s->centre[i];
		along += (p[i] - s->centre[i]) * axis;
		length += axis * axis;
	}
	double t = length > 0 ? draw_clamp(along / length, 0, 1) : 0;
	double radius = s->radius[0] + t * (s->radius[1] - s->radius[0]);
	for (int i = 0; i < 3; i++) {
		double d = p[i] - s->centre[i] - t * (s->end[i] - s->centre[i]);
		square += d * d;
	}
	return square <= radius * radius;
}

static bool is_in(const struct anatomy *a, const struct shape *s, const double p[3])
{
	return (s->kind == CAPSULE ? in_capsule(s, p) : in_ellipse(s, p)) &&
	       (!s->in_cavity || in_ellipse(&a->cavity, p));
}

static void shape_box(const struct shape *s, double low[3], double high[3])
{
	double turned = s->sine != 0 ? fmax(s->radius[0], s->radius[1]) : 0;
	for (int i = 0; i < 3; i++) {
		double r = s->kind == CAPSULE            ? fmax(s->radius[0], s->radius[1])
		           : s->kind == COLUMN && i == 2 ? HUGE_VAL
		                                         : fmax(s->radius[i], i < 2 ? turned : 0);
		double end = s->kind == CAPSULE ? s->end[i] : s->centre[i];
		low[i] = fmin(s->centre[i], end) - r;
		high[i] = fmax(s->centre[i], end) + r;
	}
}

/* ---- painting ---- */

/* The voxels of a box, cut at the map's border. */
struct span {
	size_t from[3], to[3];
};

static struct span box_span(const struct rs_geometry *g, const double low[3], const double high[3])
{
	struct span span;
	for (int i = 0; i < 3; i++) {
		double last = (double)g->size[i];
		span.from[i] = (size_t)draw_clamp(ceil((low[i] - g->origin_mm[i]) / g->spacing_mm[i]), 0,
		                                  last);
		span.to[i] = (size_t)draw_clamp(floor((high[i] - g->origin_mm[i]) / g->spacing_mm[i]) + 1, 0,
		                                last);
	}
	return span;
}

static void paint(struct anatomy *a, const struct shape *shape)
{
	const struct rs_geometry *g = &a->grid;
	double low[3], high[3];
	shape_box(shape, low, high);
	struct span span = box_span(g, low, high);
	for (size_t z = span.from[2]; z < span.to[2]; z++)
		for (size_t y = span.from[1]; y < span.to[1]; y++) {
			uint8_t *row = a->labels + (z * g->size[1] + y) * g->size[0];
			double p[3] = {0, g->origin_mm[1] + (double)y * g->spacing_mm[1],
			               g->origin_mm[2] + (double)z * g->spacing_mm[2]};
			for (size_t x = span.from[0]; x < span.to[0]; x++) {
				p[0] = g->origin_mm[0] + (double)x * g->spacing_mm[0];
				if (is_in(a, shape, p))
					row[x] = shape->label;
			}
		}
}

static void paint_tumour(struct anatomy *a)
{
	const struct rs_geometry *g = &a->grid;
	double low[3], high[3], reach = TUMOUR_REACH * a->tumour.radius[0];
	for (int i = 0; i < 3; i++) {
		low[i] = a->tumour.centre[i] - reach;
		high[i] = a->tumour.centre[i] + reach;
	}
	struct span span = box_span(g, low, high);
	for (size_t z = span.from[2]; z < span.to[2]; z++)
		for (size_t y = span.from[1]; y < span.to[1]; y++)
			for (size_t x = span.from[0]; x < span.to[0]; x++) {
				const size_t at[3] = {x, y, z};
				double p[3];
				for (int i = 0; i < 3; i++)
					p[i] = g->origin_mm[i] + (double)at[i] * g->spacing_mm[i];
				double outside = tumour_outside(&a->tumour, p);
				if (outside <= 0)
					a->labels[(z * g->size[1] + y) * g->size[0] + x] = tumour_label(
						&a->tumour, p, outside);
			}
}

static enum rs_code make_grid(struct anatomy *a, const double voxel_mm[3], const double half_mm[3],
                              struct rs_error *err)
{
	a->grid = (struct rs_geometry){.direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	for (int i = 0; i < 3; i++) {
		a->grid.size[i] = (size_t)ceil(2 * half_mm[i] / voxel_mm[i]) + 1;
		a->grid.spacing_mm[i] = voxel_mm[i];
		a->grid.origin_mm[i] = -half_mm[i];
	}
	a->labels = rs_allocate(rs_geometry_voxels(&a->grid)); /* AIR */
	return a->labels ? RS_OK : rs_error_memory(err, rs_geometry_voxels(&a->grid), "a body");
}

enum rs_code anatomy_init(struct anatomy *anatomy, const struct patient *patient, uint64_t seed,
                          const double voxel_mm[static 3], const double half_mm[static 3],
                          struct rs_error *err)
{
	struct rs_stream stream = draw_stream(seed, patient->number, DRAW_ANATOMY);
	stream = rs_stream_of(stream.state, 1); /* another one than that of the organs' places */
	*anatomy = (struct anatomy){.count = 0};
	organs_place(anatomy, patient, seed);
	enum rs_code code = field_init(&anatomy->coarse, half_mm, COARSE_MM, &stream, err);
	if (code == RS_OK)
		code = field_init(&anatomy->fine, half_mm, FINE_MM, &stream, err);
	if (code == RS_OK)
		code = make_grid(anatomy, voxel_mm, half_mm, err);
	if (code != RS_OK) {
		anatomy_finish(anatomy);
		return code;
	}
	for (size_t i = 0; i < anatomy->count; i++) {
		if (i == anatomy->before_tumour)
			paint_tumour(anatomy);
		paint(anatomy, &anatomy->shapes[i]);
	}
	return RS_OK;
}

void anatomy_finish(struct anatomy *anatomy)
{
	field_finish(&anatomy->coarse);
	field_finish(&anatomy->fine);
	rs_free(anatomy->labels);
	*anatomy = (struct anatomy){.count = 0};
}

void anatomy_bend(const struct anatomy *anatomy, const double point[static 3], double out[static 3])
{
	double coarse[3], fine[3];
	field_at(&anatomy->coarse, point, coarse);
	field_at(&anatomy->fine, point, fine);
	for (int i = 0; i < 3; i++)
		out[i] = point[i] + COARSE_BEND_MM * coarse[i] + FINE_BEND_MM * fine[i];
}
