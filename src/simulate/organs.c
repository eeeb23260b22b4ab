/* Where organs are: shapes in the order in which they are painted, later ones over earlier ones. The measures are those of a
 * grown-up's upper abdomen in round figures, and move from patient to patient. */
#include "anatomy.h"

#include "draw.h"
#include "tissue.h"

struct placing {
	struct anatomy *anatomy;
	struct rs_stream stream;
	const struct patient *patient;
	double shift[3], scale; /* of what is placed next */
};

static struct shape *add(struct placing *p, enum kind kind, enum tissue label)
{
	struct anatomy *a = p->anatomy;
	size_t at = a->count < SHAPES_MAX - 1 ? a->count++ : SHAPES_MAX - 1;
	a->shapes[at] = (struct shape){.kind = kind, .label = (uint8_t)label, .cosine = 1};
	return &a->shapes[at];
}

static struct shape *place(struct placing *p, enum kind kind, enum tissue label, double x, double y, double z,
                           double rx, double ry, double rz)
{
	struct shape *s = add(p, kind, label);
	const double centre[3] = {x, y, z}, radius[3] = {rx, ry, rz};
	for (int i = 0; i < 3; i++) {
		s->centre[i] = centre[i] + p->shift[i];
		s->radius[i] = radius[i] * p->scale;
	}
	return s;
}

/* A point of a tube: place and radius. */
struct knot {
	double at[3], radius;
};

static void tube(struct placing *p, enum tissue label, const struct knot *knots, size_t count, bool in_cavity)
{
	for (size_t i = 0; i + 1 < count; i++) {
		struct shape *s = add(p, CAPSULE, label);
		s->in_cavity = in_cavity;
		for (int k = 0; k < 3; k++) {
			s->centre[k] = knots[i].at[k] + p->shift[k];
			s->end[k] = knots[i + 1].at[k] + p->shift[k];
		}
		s->radius[0] = knots[i].radius;
		s->radius[1] = knots[i + 1].radius;
	}
}

static void move(struct placing *p, double x, double y, double z, double scale)
{
	const double reach[3] = {x, y, z};
	for (int i = 0; i < 3; i++)
		p->shift[i] = reach[i] * draw_clamp(draw_normal(&p->stream), -2, 2);
	p->scale = 1 + scale * draw_clamp(draw_normal(&p->stream), -2, 2);
}

static void stay(struct placing *p)
{
	p->shift[0] = p->shift[1] = p->shift[2] = 0;
	p->scale = 1;
}

/* ---- walls and spine ---- */

static void place_walls(struct placing *p)
{
	double stout = draw_clamp((p->patient->weight_kg - 72) / 20, -1.2, 2);
	double a = 162 + 9 * stout, b = 108 + 9 * stout, fat = 17 + 8 * stout;
	double muscle = 11;
	stay(p);
	place(p, COLUMN, SKIN_FAT, 0, 0, 0, a, b, 1);
	place(p, COLUMN, MUSCLE, 0, 1, 0, a - fat, b - fat * 0.85, 1);
	struct shape *cavity = place(p, COLUMN, VISCERAL_FAT, 0, -5, 0, a - fat - muscle,
	                             b - fat * 0.85 - muscle - 3, 1);
	p->anatomy->cavity = *cavity;
	for (int side = -1; side <= 1; side += 2) {
		place(p, COLUMN, MUSCLE, side * 36, 74, 0, 31, 21, 1);       /* erector spinae */
		place(p, ELLIPSOID, MUSCLE, side * 36, 48, -62, 16, 17, 75); /* psoas */
		place(p, ELLIPSOID, MUSCLE, side * 15, 30, 30, 9, 10, 70);   /* crura */
	}
}

static void place_spine(struct placing *p)
{
	double phase = draw_between(&p->stream, 0, 34);
	place(p, COLUMN, MARROW, 0, 46, 0, 22, 17, 1);
	for (int i = -4; i <= 4; i++)
		place(p, ELLIPSOID, DISC, 0, 46, 34 * i + phase, 23, 18, 5);
	for (int i = -4; i <= 4; i++) { /* spinous and transverse processes */
		place(p, ELLIPSOID, MARROW, 0, 90, 34 * i + phase - 17, 4, 12, 11);
		place(p, ELLIPSOID, MARROW, 0, 74, 34 * i + phase - 17, 34, 4, 6);
	}
	place(p, COLUMN, MARROW, 0, 70, 0, 14, 11, 1);
	place(p, COLUMN, CSF, 0, 70, 0, 10, 8, 1);
	place(p, ELLIPSOID, CORD, 0, 71, 60, 5, 4, 65);
}

/* ---- organs ---- */

static void place_kidney(struct placing *p, double x, double y, double z, double medial)
{
	place(p, ELLIPSOID, CORTEX, x, y, z, 26, 29, 50);
	for (int i = 0; i < 9; i++) { /* pyramids around the sinus */
		double turn = 0.9 + 0.62 * (i % 5), height = (i / 5 ? 15.0 : -15.0) + 3.0 * (i % 3);
		double dx = -medial * cos(turn - 2.2) * 14, dy = sin(turn - 2.2) * 16;
		place(p, ELLIPSOID, MEDULLA, x + dx, y + dy, z + height, 6, 6, 8);
	}
	place(p, ELLIPSOID, VISCERAL_FAT, x + 12 * medial, y - 4, z, 13, 9, 24);
	place(p, ELLIPSOID, FLUID, x + 9 * medial, y - 4, z, 6, 4, 12);
}

static void place_liver(struct placing *p)
{
	static const struct knot hepatic[3][3] = {
		{{{-20, 20, 62}, 7}, {{-62, 8, 48}, 5}, {{-112, -8, 22}, 2}},
		{{{-20, 20, 62}, 7}, {{-46, -18, 52}, 4.5}, {{-66, -52, 22}, 2}},
		{{{-20, 20, 62}, 6}, {{-2, -26, 58}, 4}, {{24, -56, 44}, 1.6}},
	};
	static const struct knot portal[3][3] = {
		{{{-38, -2, 20}, 6}, {{-68, -4, 20}, 5}, {{-104, -30, 4}, 2}},
		{{{-68, -4, 20}, 5}, {{-92, 20, 14}, 3.5}, {{-110, 44, -8}, 1.6}},
		{{{-38, -2, 20}, 5.5}, {{-28, -36, 34}, 4}, {{4, -58, 40}, 1.6}},
	};
	move(p, 4, 3, 7, 0.05);
	place(p, ELLIPSOID, LIVER, -84, 0, 26, 72, 82, 82)->in_cavity = true;
	place(p, ELLIPSOID, LIVER, -18, -54, 48, 72, 30, 40)->in_cavity = true;
	place(p, ELLIPSOID, LIVER, -30, 12, 46, 22, 16, 26)->in_cavity = true; /* caudate */
	for (size_t i = 0; i < 3; i++) {
		tube(p, VEIN, hepatic[i], 3, true);
		tube(p, VEIN, portal[i], 3, true);
	}
	place(p, ELLIPSOID, BILE, -56, -46, -8, 12, 17, 22)->in_cavity = true;
}

static void place_upper(struct placing *p)
{
	place_liver(p);
	move(p, 3, 4, 6, 0.06);
	struct shape *s = place(p, ELLIPSOID, SPLEEN, 104, 28, 36, 25, 44, 46);
	s->in_cavity = true;
	s->cosine = 0.94;
	s->sine = -0.34;
	move(p, 3, 3, 6, 0.05);
	place_kidney(p, -64, 42, -22, 1);
	move(p, 3, 3, 6, 0.05);
	place_kidney(p, 64, 40, -6, -1);
	move(p, 6, 3, 6, 0.08);
	place(p, ELLIPSOID, BOWEL_WALL, 52, -46, 34, 44, 31, 42)->in_cavity = true;
	place(p, ELLIPSOID, FLUID, 52, -46, 34, 40, 27, 38)->in_cavity = true;
	s = place(p, ELLIPSOID, GAS, 54, -62, 36, 26, 9, 24);
	s->in_cavity = true;
	for (int i = 0; i < 3; i++)
		p->anatomy->gas[i] = s->centre[i];
}

static void place_loop(struct placing *p, const struct knot *knots, size_t count, enum tissue content)
{
	struct knot inner[4];
	tube(p, BOWEL_WALL, knots, count, true);
	for (size_t i = 0; i < count && i < 4; i++) {
		inner[i] = knots[i];
		inner[i].radius -= 2.2;
	}
	tube(p, content, inner, count, true);
}

static void place_bowel(struct placing *p)
{
	static const enum tissue contents[] = {FLUID, CONTENT, CONTENT, GAS};
	stay(p);
	for (int i = 0; i < 22; i++) {
		double x = draw_between(&p->stream, -90, 105), y = draw_between(&p->stream, -66, 8);
		double z = draw_between(&p->stream, -75, x > 20 ? 2 : -22),
		       turn = draw_between(&p->stream, 0, 6.28);
		double length = draw_between(&p->stream, 12, 34), radius = draw_between(&p->stream, 9, 14);
		double dx = cos(turn) * length / 2, dy = sin(turn) * length / 4;
		double dz = draw_between(&p->stream, -9, 9);
		const struct knot loop[3] = {{{x - dx, y - dy, z - dz}, radius},
		                             {{x, y - 4, z}, radius * 1.05},
		                             {{x + dx, y + dy, z + dz}, radius * 0.9}};
		place_loop(p, loop, 3, contents[rs_stream_below(&p->stream, 3)]);
	}
	static const struct knot transverse[4] = {{{-96, -40, -28}, 19},
	                                          {{-45, -68, -40}, 17},
	                                          {{30, -70, -34}, 17},
	                                          {{98, -34, 0}, 18}},
				 ascending[2] = {{{-98, 14, -90}, 22}, {{-96, -4, -30}, 21}},
				 descending[2] = {{{104, 26, -90}, 15}, {{104, 6, -8}, 16}},
				 duodenum[4] = {{{-38, -30, 8}, 12},
	                                        {{-57, -6, -6}, 12},
	                                        {{-54, 4, -42}, 12},
	                                        {{20, 12, -52}, 11}};
	move(p, 4, 3, 5, 0);
	place_loop(p, transverse, 4, contents[1 + rs_stream_below(&p->stream, 3)]);
	place_loop(p, ascending, 2, CONTENT);
	place_loop(p, descending, 2, contents[1 + rs_stream_below(&p->stream, 3)]);
	stay(p);
	place_loop(p, duodenum, 4, FLUID);
}

static void place_vessels(struct placing *p)
{
	static const struct knot aorta[3] = {{{8, 22, 90}, 10}, {{9, 22, 0}, 9.5}, {{6, 20, -90}, 9}},
				 cava[3] = {{{-18, 20, 90}, 12}, {{-21, 19, 10}, 11}, {{-19, 20, -90}, 11}},
				 mesenteric_vein[4] = {{{-8, -4, -80}, 5.5},
	                                               {{-11, -3, -6}, 6.5},
	                                               {{-24, -2, 8}, 7},
	                                               {{-38, -2, 20}, 6.5}},
				 splenic_vein[4] = {{{-11, -3, -4}, 5},
	                                            {{30, 0, 6}, 4.5},
	                                            {{66, 14, 18}, 4},
	                                            {{92, 24, 30}, 3.5}},
				 mesenteric_artery[3] = {{{9, 14, 2}, 4},
	                                                 {{6, 4, -14}, 4},
	                                                 {{3, -2, -80}, 3.6}},
				 celiac[3] = {{{9, 14, 14}, 4}, {{8, 2, 18}, 3.6}, {{-24, -10, 20}, 3}},
				 splenic_artery[3] = {
					 {{8, 2, 18}, 3}, {{48, 0, 20}, 2.6}, {{92, 20, 34}, 2.4}};
	stay(p);
	tube(p, VEIN, cava, 3, false);
	tube(p, ARTERY, aorta, 3, false);
	tube(p, VEIN, mesenteric_vein, 4, false);
	tube(p, VEIN, splenic_vein, 4, false);
	tube(p, ARTERY, mesenteric_artery, 3, false);
	tube(p, ARTERY, celiac, 3, false);
	tube(p, ARTERY, splenic_artery, 3, false);
}

/* ---- the pancreas and what grows in it ---- */

#define AXIS_KNOTS 6
#define AXIS_STEPS 30

/* The axis from the head (0) to the tail (1): Catmull and Rom's spline. */
static struct knot axis_at(const struct knot *knots, double t)
{
	double at = draw_clamp(t, 0, 1) * (AXIS_KNOTS - 1);
	size_t i = at >= AXIS_KNOTS - 1 ? AXIS_KNOTS - 2 : (size_t)at;
	double u = at - (double)i;
	const struct knot *k0 = &knots[i ? i - 1 : 0], *k1 = &knots[i], *k2 = &knots[i + 1],
			  *k3 = &knots[i + 2 < AXIS_KNOTS ? i + 2 : i + 1];
	struct knot out = {.radius = k1->radius + u * (k2->radius - k1->radius)};
	for (int k = 0; k < 3; k++)
		out.at[k] = k1->at[k] +
		            0.5 * u *
		                    (k2->at[k] - k0->at[k] +
		                     u * (2 * k0->at[k] - 5 * k1->at[k] + 4 * k2->at[k] - k3->at[k] +
		                          u * (3 * (k1->at[k] - k2->at[k]) + k3->at[k] - k0->at[k])));
	return out;
}

static void place_axis(struct placing *p, const struct knot *knots, double from, double to, enum tissue label,
                       double scale, double radius)
{
	struct knot pieces[AXIS_STEPS + 1];
	for (int i = 0; i <= AXIS_STEPS; i++) {
		pieces[i] = axis_at(knots, from + (to - from) * i / AXIS_STEPS);
		pieces[i].radius = radius > 0 ? radius : pieces[i].radius * scale;
	}
	tube(p, label, pieces, AXIS_STEPS + 1, false);
}

static void place_tumour(struct placing *p, const struct knot *knots, double t)
{
	const struct patient *patient = p->patient;
	struct tumour *tumour = &p->anatomy->tumour;
	struct knot at = axis_at(knots, t);
	double turn = draw_between(&p->stream, -0.6, 0.6), r = patient->size_mm / 2;
	double stretch = draw_between(&p->stream, 0.78, 0.95);
	*tumour = (struct tumour){.radius = {r, r * stretch, r * draw_between(&p->stream, 0.78, 0.95)},
	                          .turn = {cos(turn), sin(turn)},
	                          .margin = patient->margin,
	                          .heterogeneity = patient->heterogeneity,
	                          .necrosis = patient->necrosis};
	for (int k = 0; k < 3; k++)
		tumour->centre[k] = at.at[k] + draw_between(&p->stream, -3, 3);
	waves_init(&tumour->outline, 0.45 * r, 1.6 * r, &p->stream);
	waves_init(&tumour->density, 0.7 * patient->texture_mm, 1.5 * patient->texture_mm, &p->stream);
	waves_init(&tumour->death, 0.6 * r, 1.2 * r, &p->stream);
}

/* The gland upstream of a tumour shrinks, its duct widens. */
static void place_pancreas(struct placing *p)
{
	static const double ranges[3][2] = {{0.10, 0.28}, {0.45, 0.65}, {0.78, 0.95}};
	struct knot knots[AXIS_KNOTS] = {{{-30, -4, -30}, 11}, {{-36, -8, -12}, 15}, {{-16, -18, -1}, 10},
	                                 {{16, -20, 4}, 10},   {{48, -6, 14}, 10},   {{82, 14, 24}, 8}};
	const enum location where = p->patient->location;
	double t = draw_between(&p->stream, ranges[where][0], ranges[where][1]);
	double plump = draw_between(&p->stream, 0.88, 1.15);
	stay(p);
	for (size_t i = 0; i < AXIS_KNOTS; i++)
		for (int k = 0; k < 3; k++)
			knots[i].at[k] += 3 * draw_clamp(draw_normal(&p->stream), -2, 2);
	place_axis(p, knots, 0, t, PANCREAS, plump, 0);
	place_axis(p, knots, t, 1, where == TAIL ? PANCREAS : UPSTREAM, where == TAIL ? plump : 0.8 * plump,
	           0);
	place_axis(p, knots, 0.12, t, DUCT, 0, 1.1);
	place_axis(p, knots, t, 0.95, DUCT, 0, where == TAIL ? 1.1 : draw_between(&p->stream, 1.8, 3.4));
	double bile_duct = where == HEAD ? draw_between(&p->stream, 3.5, 6.5) : 2.6;
	const struct knot common[3] = {
		{{-44, 0, 24}, bile_duct}, {{-42, 2, 0}, bile_duct}, {{-42, 0, -26}, 2}};
	tube(p, BILE, common, 3, false);
	place_tumour(p, knots, t);
}

static void place_metastases(struct placing *p)
{
	if (p->patient->extent != METASTATIC)
		return;
	int count = 2 + (int)rs_stream_below(&p->stream, 6);
	stay(p);
	for (int i = 0; i < count; i++) {
		double x = draw_between(&p->stream, -125, -50), y = draw_between(&p->stream, -40, 45);
		double z = draw_between(&p->stream, -25, 50), r = draw_between(&p->stream, 4, 11);
		place(p, ELLIPSOID, METASTASIS, x, y, z, r, r * 0.9, r)->in_cavity = true;
	}
}

void organs_place(struct anatomy *anatomy, const struct patient *patient, uint64_t seed)
{
	struct placing p = {.anatomy = anatomy,
	                    .patient = patient,
	                    .stream = draw_stream(seed, patient->number, DRAW_ANATOMY)};
	place_walls(&p);
	place_spine(&p);
	place_bowel(&p);
	place_upper(&p);
	place_metastases(&p);
	p.stream = draw_stream(seed, patient->number, DRAW_TUMOUR);
	place_pancreas(&p);
	anatomy->before_tumour = anatomy->count;
	place_vessels(&p);
}
