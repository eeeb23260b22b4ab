/* The smallest box around a convex hull. Exact for each direction tried, see box_body.c: normals of faces, and of the
 * planes between pairs of opposite edges. The best of these, and some boxes at fixed angles, are then turned freely
 * downhill (Nelder & Mead), and again exactly about each axis in turn. */
#include <math.h>
#include <string.h>

#include "numeric/box_body.h"

#define SEEDS_MAX 12  /* best boxes of each kind that are turned on; 48 found none smaller on 850 bodies */
#define ROUNDS_MAX 40 /* of turning; each must shrink the box */
#define DESCENT_STEPS 400 /* 100 to 200 are usual */
#define COARSE 1e-5       /* differences of volume that end a descent by large steps */
#define HOPELESS 1.02     /* times the best volume */
#define GAIN 1e-10        /* a box that shrinks by less does not */

/* The best boxes found, smallest first. */
struct seeds {
	struct candidate best[SEEDS_MAX];
	size_t count;
};

/* Keeps a box if it is among the best; of those found twice one. */
static void keep(struct seeds *seeds, const struct candidate *found)
{
	size_t at = seeds->count;
	while (at > 0 && found->volume < seeds->best[at - 1].volume)
		at--;
	if (at == SEEDS_MAX || (at > 0 && found->volume - seeds->best[at - 1].volume < GAIN * found->volume))
		return;
	seeds->count += seeds->count < SEEDS_MAX;
	memmove(&seeds->best[at + 1], &seeds->best[at], (seeds->count - at - 1) * sizeof *seeds->best);
	seeds->best[at] = *found;
}

static double keeping_volume(const struct seeds *seeds)
{
	return seeds->count < SEEDS_MAX ? INFINITY : seeds->best[SEEDS_MAX - 1].volume;
}

static void try_direction(struct body *body, struct seeds *seeds, const double normal[3], uint32_t top,
                          uint32_t bottom)
{
	struct candidate found;
	double width = dot(body->points[top], normal) - dot(body->points[bottom], normal);
	if (body_box_across(body, normal, width, bottom, keeping_volume(seeds), &found))
		keep(seeds, &found);
}

/* Every flat face once: of its triangles the one of the lowest number stands for it. Remembers for each
 * triangle the vertex opposite to it. */
static void try_faces(struct body *body, struct seeds *seeds, uint32_t *bottom_of)
{
	uint32_t bottom = 0;
	for (uint32_t t = 0; t < body->hull->triangle_count; t++) {
		const struct rs_hull_triangle *triangle = &body->hull->triangles[t];
		const double *n = body->normals[t];
		bool first = true;
		bottom = body_climb(body, (const double[3]){-n[0], -n[1], -n[2]}, bottom);
		bottom_of[t] = bottom;
		for (unsigned i = 0; i < 3; i++)
			first &= triangle->neighbour[i] > t ||
			         !body_in_one_plane(body->hull, triangle,
			                            &body->hull->triangles[triangle->neighbour[i]]);
		if (first)
			try_direction(body, seeds, n, triangle->vertex[0], bottom);
	}
}

/* While the normal turns about an edge from the left face's to the right one's, the opposite vertex moves
 * along edges: whenever it goes over one, two parallel planes hold an edge each. */
static void try_edge(struct body *body, struct seeds *seeds, const struct edge *edge, uint32_t bottom)
{
	const double *a = body->normals[edge->left], *b = body->normals[edge->right];
	double now = 0;
	for (size_t step = 0; step < body->hull->vertex_count; step++) {
		double soonest = INFINITY;
		uint32_t to = bottom;
		for (uint32_t i = body->first[bottom]; i < body->first[bottom + 1]; i++) {
			double d[3];
			for (int k = 0; k < 3; k++)
				d[k] = body->points[body->neighbours[i]][k] - body->points[bottom][k];
			double at_a = dot(a, d), at_b = dot(b, d), when = at_a / (at_a - at_b);
			if (at_b < at_a && when < soonest) {
				soonest = when;
				to = body->neighbours[i];
			}
		}
		if (!(soonest < 1))
			return;
		now = soonest > now ? soonest : now;
		double normal[3];
		for (int k = 0; k < 3; k++)
			normal[k] = a[k] + now * (b[k] - a[k]);
		if (normalise(normal) && now > 1e-9)
			try_direction(body, seeds, normal, edge->from, bottom);
		bottom = to;
	}
}

/* Turns a box about each of its axes in turn, to the best rectangle across it, while it shrinks. */
static void turn_about_axes(struct body *body, struct candidate *box)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		bool shrunk = false;
		for (int a = 0; a < 3; a++) {
			struct candidate found;
			if (!body_box_across(body, box->box.axis[a], box->box.side[a], 0,
			                     box->volume * (1 - GAIN), &found))
				continue;
			*box = found;
			shrunk = true;
		}
		if (!shrunk)
			return;
	}
}

/* A box that can be turned: by a vector, along the axis and as long as the tangent of half the angle. */
struct pose {
	const struct body *body;
	double axis[3][3];
	uint32_t summit[3][2]; /* where the last box touched the body: near to where the next one will */
};

static void turned(const double axis[3], const double by[3], double out[3])
{
	double once[3], twice[3], scale = 2 / (1 + dot(by, by));
	cross(by, axis, once);
	cross(by, once, twice);
	for (int k = 0; k < 3; k++)
		out[k] = axis[k] + scale * (once[k] + twice[k]);
}

static double volume_turned(struct pose *pose, const double by[3])
{
	double volume = 1;
	for (int a = 0; a < 3; a++) {
		double up[3];
		turned(pose->axis[a], by, up);
		const double down[3] = {-up[0], -up[1], -up[2]};
		pose->summit[a][0] = body_climb(pose->body, up, pose->summit[a][0]);
		pose->summit[a][1] = body_climb(pose->body, down, pose->summit[a][1]);
		volume *= dot(pose->body->points[pose->summit[a][0]], up) +
		          dot(pose->body->points[pose->summit[a][1]], down);
	}
	return volume;
}

struct corner {
	double by[3], volume;
};

static void settle(struct corner simplex[4])
{
	for (int i = 1; i < 4; i++)
		for (int j = i; j > 0 && simplex[j].volume < simplex[j - 1].volume; j--) {
			struct corner keep_corner = simplex[j];
			simplex[j] = simplex[j - 1];
			simplex[j - 1] = keep_corner;
		}
}

/* The point on the line from the worst corner through the middle of the others; 1 is the mirror image. */
static struct corner along(struct pose *pose, const struct corner simplex[4], double share)
{
	struct corner out;
	for (int k = 0; k < 3; k++) {
		double middle = (simplex[0].by[k] + simplex[1].by[k] + simplex[2].by[k]) / 3;
		out.by[k] = middle + share * (middle - simplex[3].by[k]);
	}
	out.volume = volume_turned(pose, out.by);
	return out;
}

/* Nelder & Mead, "A simplex method for function minimization" (1965), with their coefficients. */
static void step(struct pose *pose, struct corner simplex[4])
{
	struct corner mirrored = along(pose, simplex, 1), other;
	if (mirrored.volume < simplex[0].volume) {
		other = along(pose, simplex, 2);
		simplex[3] = other.volume < mirrored.volume ? other : mirrored;
	} else if (mirrored.volume < simplex[2].volume) {
		simplex[3] = mirrored;
	} else {
		other = along(pose, simplex, mirrored.volume < simplex[3].volume ? 0.5 : -0.5);
		if (other.volume < fmin(mirrored.volume, simplex[3].volume)) {
			simplex[3] = other;
		} else {
			for (int i = 1; i < 4; i++) {
				for (int k = 0; k < 3; k++)
					simplex[i].by[k] = (simplex[i].by[k] + simplex[0].by[k]) / 2;
				simplex[i].volume = volume_turned(pose, simplex[i].by);
			}
		}
	}
	settle(simplex);
}

/* From the pose downhill; afterwards it is where that led. Returns the volume. */
static double descend(struct pose *pose, double size, double tolerance)
{
	struct corner simplex[4] = {{{0}, 0}};
	double axis[3][3];
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			simplex[i].by[i - 1] = size;
		simplex[i].volume = volume_turned(pose, simplex[i].by);
	}
	settle(simplex);
	for (int i = 0; i < DESCENT_STEPS; i++) {
		step(pose, simplex);
		if (!(simplex[3].volume - simplex[0].volume > tolerance * simplex[0].volume))
			break;
	}
	for (int a = 0; a < 3; a++)
		turned(pose->axis[a], simplex[0].by, axis[a]);
	memcpy(pose->axis, axis, sizeof axis);
	return simplex[0].volume;
}

/* Freely downhill, again and again with smaller steps, then about the axes. A box that is still much larger than the
 * best one after the first descent is left: that valley ends elsewhere. */
static void turn_on(struct body *body, struct candidate *box, double best)
{
	struct pose pose = {.body = body};
	turn_about_axes(body, box);
	memcpy(pose.axis, box->box.axis, sizeof pose.axis);
	double before = box->volume;
	for (double size = 0.2; size > 1e-4;) {
		double volume = descend(&pose, size, size > 0.001 ? COARSE : GAIN / 10);
		if (volume > best * HOPELESS)
			return;
		size /= volume < before * (1 - GAIN) ? 2 : 16;
		before = volume < before ? volume : before;
	}
	normalise(pose.axis[0]); /* at right angles again, to the last bit */
	cross(pose.axis[0], pose.axis[1], pose.axis[2]);
	normalise(pose.axis[2]);
	cross(pose.axis[2], pose.axis[0], pose.axis[1]);
	struct candidate turned_on = body_measure(body, (const double(*)[3])pose.axis);
	turn_about_axes(body, &turned_on);
	if (turned_on.volume < box->volume)
		*box = turned_on;
}

/* Boxes at angles that stand for all: turned further, by half a right angle about an axis or by the diagonals'
 * third of a turn, they are among these again. */
static void try_angles(struct body *body, struct seeds *seeds)
{
	static const double grid[] = {-0.36, -0.18, 0, 0.18, 0.36}; /* tan 22.5 degrees is 0.41 */
	struct pose pose = {.body = body, .axis = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	for (size_t i = 0; i < 125; i++) {
		const double by[3] = {grid[i % 5], grid[i / 5 % 5], grid[i / 25]};
		struct candidate found = {.volume = volume_turned(&pose, by)};
		for (int a = 0; a < 3; a++)
			turned(pose.axis[a], by, found.box.axis[a]);
		keep(seeds, &found);
	}
	for (size_t i = 0; i < seeds->count; i++)
		seeds->best[i] = body_measure(body, (const double(*)[3])seeds->best[i].box.axis);
}

static void turn_all(struct body *body, struct seeds *seeds, struct candidate *best)
{
	for (size_t i = 0; i < seeds->count; i++) {
		turn_on(body, &seeds->best[i], best->volume);
		if (seeds->best[i].volume < best->volume)
			*best = seeds->best[i];
	}
}

static void longest_first(struct rs_oriented_box *box)
{
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2 - i; j++)
			if (box->side[j] < box->side[j + 1]) {
				struct rs_oriented_box keep = *box;
				box->side[j] = keep.side[j + 1];
				box->side[j + 1] = keep.side[j];
				memcpy(box->axis[j], keep.axis[j + 1], sizeof keep.axis[0]);
				memcpy(box->axis[j + 1], keep.axis[j], sizeof keep.axis[0]);
			}
}

enum rs_code rs_hull_box(const struct rs_hull *hull, const double unit[3], struct rs_oriented_box *out,
                         struct rs_error *err)
{
	struct body body RS_CLEANUP(body_finish) = {0};
	uint32_t *bottom_of RS_CLEANUP(rs_free_pointer) = rs_allocate_array(hull->triangle_count,
	                                                                    sizeof *bottom_of);
	if (bottom_of == NULL)
		return rs_error_memory(err, hull->triangle_count * sizeof *bottom_of, "the smallest box");
	RS_TRY(body_init(&body, hull, unit, err));
	struct seeds flush = {.count = 0}, any = {.count = 0};
	struct candidate best = body_measure(&body, (const double[3][3]){{1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
	keep(&flush, &best);
	try_faces(&body, &flush, bottom_of);
	for (size_t e = 0; e < body.edge_count; e++)
		try_edge(&body, &flush, &body.edges[e], bottom_of[body.edges[e].left]);
	try_angles(&body, &any);
	best = flush.best[0];
	turn_all(&body, &flush, &best);
	turn_all(&body, &any, &best);
	longest_first(&best.box);
	*out = best.box;
	return RS_OK;
}
