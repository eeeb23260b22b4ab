/* From cells to voxels: within a band around the border of what is nearest to inside strokes, paths on voxels or a random walker
 * decide; then the probability is rounded and cut. */
#include "segment/growing.h"

#include <math.h>
#include <string.h>

#include "segment/blur.h"
#include "segment/distance.h"
#include "segment/geodesic.h"
#include "segment/random_walk.h"

#define HELD 1000.0F  /* stiffness of what is given, against edges of at most 1 */
#define WEAKEST 1e-5F /* edge: no voxel is cut off */
#define TOLERANCE 2e-3
#define ITERATIONS_MAX 60
#define NOISE_OF_DIFFERENCE 1.5 /* a smoothed image's noise, in differences of its neighbours */
/* Found by measuring Dice on made cases (bench/segment_bench.c), and not sharp. */
#define BAND_VOXELS 4.0
#define ROUND_VOXELS 0.6
#define EDGE 0.6         /* differences that part, in those that noise makes */
#define SOFT_VOXELS 0.35 /* from the border, within which place says little */
#define REACH 14.0       /* voxels, beyond which likeness counts more than edges */

struct part { /* of the domain, row by row */
	struct rs_grow *grow;
	struct rs_box box;  /* what is decided */
	struct rs_box near; /* what of it the walker sees */
	double band_mm;
	double *distance; /* of near: squared, to the border */
};

static void part_finish(struct part *part) { rs_free(part->distance); }

static size_t row_of(const struct rs_grow *grow, const struct rs_box *box, size_t y, size_t z)
{
	return growing_at(grow, box->first[0], box->first[1] + y, box->first[2] + z);
}

struct rs_box growing_widened(const struct rs_grow *grow, const struct rs_box *box, double mm)
{
	struct rs_box wide;
	for (int a = 0; a < 3; a++) {
		const size_t by = (size_t)ceil(mm / grow->geometry.spacing_mm[a]);
		const size_t end = box->first[a] + box->size[a] + by;
		wide.first[a] = box->first[a] > by ? box->first[a] - by : 0;
		wide.size[a] = (end < grow->domain.size[a] ? end : grow->domain.size[a]) - wide.first[a];
	}
	return wide;
}

/* Whether a voxel of the domain lies on a face of the box with known voxels beyond. */
static bool is_held(const struct part *part, const size_t at[3])
{
	for (int a = 0; a < 3; a++) {
		const size_t end = part->box.first[a] + part->box.size[a];
		if ((at[a] == part->box.first[a] && at[a] > 0) ||
		    (at[a] + 1 == end && end < part->grow->domain.size[a]))
			return true;
	}
	return false;
}

/* ---- from cells ---- */

static void take_cells(const struct part *part)
{
	const struct rs_grow *grow = part->grow;
	const struct cells *c = &grow->cells;
	for (size_t z = part->box.first[2]; z < part->box.first[2] + part->box.size[2]; z++)
		for (size_t y = part->box.first[1]; y < part->box.first[1] + part->box.size[1]; y++)
			for (size_t x = part->box.first[0]; x < part->box.first[0] + part->box.size[0]; x++) {
				const size_t i = growing_at(grow, x, y, z);
				const uint8_t near = grow->seeds[i] != SEED_NONE
				                             ? grow->seeds[i]
				                             : c->nearest[(z / c->factor[2] * c->size[1] +
				                                           y / c->factor[1]) *
				                                                  c->size[0] +
				                                          x / c->factor[0]];
				if (!is_held(part, (const size_t[3]){x, y, z}))
					grow->probability[i] = near == SEED_INSIDE;
			}
}

static bool is_in(const struct rs_grow *grow, size_t i) { return grow->probability[i] > 0.5F; }

/* The box of what is inside. */
static bool find_near(struct part *part)
{
	const struct rs_grow *grow = part->grow;
	size_t low[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, high[3] = {0};
	for (size_t z = 0; z < part->box.size[2]; z++)
		for (size_t y = 0; y < part->box.size[1]; y++) {
			const size_t row = row_of(grow, &part->box, y, z);
			for (size_t x = 0; x < part->box.size[0]; x++) {
				const size_t at[3] = {x, y, z};
				for (int a = 0; is_in(grow, row + x) && a < 3; a++) {
					low[a] = at[a] < low[a] ? at[a] : low[a];
					high[a] = at[a] > high[a] ? at[a] : high[a];
				}
			}
		}
	if (low[0] > high[0])
		return false;
	struct rs_box inside;
	for (int a = 0; a < 3; a++) {
		inside.first[a] = part->box.first[a] + low[a];
		inside.size[a] = high[a] - low[a] + 1;
	}
	part->near = growing_widened(grow, &inside, part->band_mm + part->grow->geometry.spacing_mm[2]);
	for (int a = 0; a < 3; a++) { /* not beyond the box */
		const size_t end = part->near.first[a] + part->near.size[a],
			     last = part->box.first[a] + part->box.size[a];
		if (part->near.first[a] < part->box.first[a])
			part->near.first[a] = part->box.first[a];
		part->near.size[a] = (end < last ? end : last) - part->near.first[a];
	}
	return true;
}

static enum rs_code measure_distance(struct part *part, struct rs_error *err)
{
	const struct rs_grow *grow = part->grow;
	const size_t count = rs_box_voxels(&part->near);
	const size_t stride[3] = {1, grow->domain.size[0], grow->domain.size[0] * grow->domain.size[1]};
	double *to = part->distance = rs_allocate_array(count, sizeof *to);
	if (!to)
		return rs_error_memory(err, count * sizeof *to, "distances to a border");
	for (size_t k = 0; k < count; k++)
		to[k] = INFINITY;
	for (size_t z = 0; z < part->near.size[2]; z++)
		for (size_t y = 0; y < part->near.size[1]; y++)
			for (size_t x = 0; x < part->near.size[0]; x++, to++) {
				const size_t i = row_of(grow, &part->near, y, z) + x, at[3] = {x, y, z};
				const size_t along[3] = {1, part->near.size[0],
				                         part->near.size[0] * part->near.size[1]};
				for (int a = 0; a < 3; a++)
					if (at[a] + 1 < part->near.size[a] &&
					    is_in(grow, i) != is_in(grow, i + stride[a]))
						to[0] = to[along[a]] = 0;
			}
	return distance_squared(part->distance, part->near.size, grow->geometry.spacing_mm, err);
}

/* ---- the walker ---- */

/* What both sides look like hereabouts. */
static void learn(const struct part *part)
{
	struct rs_grow *grow = part->grow;
	double inside[LIKENESS_BINS] = {0}, outside[LIKENESS_BINS] = {0};
	for (size_t z = 0; z < part->near.size[2]; z++)
		for (size_t y = 0; y < part->near.size[1]; y++) {
			const size_t row = row_of(grow, &part->near, y, z);
			for (size_t x = 0; x < part->near.size[0]; x++) {
				const size_t bin = likeness_bin(&grow->likeness, grow->guide[row + x]);
				(is_in(grow, row + x) ? inside : outside)[bin] += 1;
			}
		}
	likeness_learn(&grow->likeness, inside, outside, NOISE_OF_DIFFERENCE * grow->difference);
}

/* exp(-t) in steps: a table takes a tenth of the time. */
#define DECAY_MAX 16
#define DECAY_STEPS 64
struct decay {
	float values[DECAY_MAX * DECAY_STEPS + 1];
};
static void decay_init(struct decay *decay)
{
	for (int i = 0; i <= DECAY_MAX * DECAY_STEPS; i++)
		decay->values[i] = (float)exp(-(double)i / DECAY_STEPS);
}
static float decay_of(const struct decay *decay, float t)
{
	return t < DECAY_MAX ? decay->values[(size_t)(t * DECAY_STEPS)] : 0;
}

static void lay_edges(const struct part *part, struct walk_level *level)
{
	const struct rs_grow *grow = part->grow;
	const size_t *size = part->near.size;
	const size_t stride[3] = {1, grow->domain.size[0], grow->domain.size[0] * grow->domain.size[1]};
	const double scale = EDGE * grow->difference;
	const float sharp = (float)(0.5 / (scale * scale));
	struct decay decay;
	size_t i = 0;
	decay_init(&decay);
	for (size_t z = 0; z < size[2]; z++)
		for (size_t y = 0; y < size[1]; y++) {
			const float *guide = grow->guide + row_of(grow, &part->near, y, z);
			for (size_t x = 0; x < size[0]; x++, i++)
				for (int a = 0; a < 3; a++) {
					const size_t at = a == 0 ? x : a == 1 ? y : z;
					const double mm = grow->geometry.spacing_mm[a];
					const float wide = (float)(grow->shortest_mm / mm);
					if (at + 1 == size[a])
						continue;
					const float up = guide[x + stride[a]] - guide[x];
					level->weight[a][i] = wide * wide *
					                      (decay_of(&decay, sharp * up * up) + WEAKEST);
				}
		}
}

/* What grey value and place say together: at the border the one decides, away from it the other. */
static float expected(const struct part *part, size_t voxel, double distance_mm)
{
	const struct rs_grow *grow = part->grow;
	const double like = (double)grow->likeness.inside[likeness_bin(&grow->likeness, grow->guide[voxel])];
	const double away = distance_mm / (SOFT_VOXELS * grow->shortest_mm);
	const double odds = like / (1 - like) * exp(is_in(grow, voxel) ? away : -away);
	return (float)(odds / (1 + odds));
}

static void lay_springs(const struct part *part, struct random_walk *walk)
{
	const struct rs_grow *grow = part->grow;
	struct walk_level *level = &walk->levels[0];
	const float prior = (float)(1 / (REACH * REACH));
	const double band = part->band_mm * part->band_mm;
	size_t i = 0;
	for (size_t z = 0; z < part->near.size[2]; z++)
		for (size_t y = 0; y < part->near.size[1]; y++) {
			const size_t row = row_of(grow, &part->near, y, z);
			for (size_t x = 0; x < part->near.size[0]; x++, i++) {
				const size_t at[3] = {part->near.first[0] + x, part->near.first[1] + y,
				                      part->near.first[2] + z};
				const bool given = grow->seeds[row + x] != SEED_NONE ||
				                   part->distance[i] > band || is_held(part, at);
				const float to = given ? grow->probability[row + x]
				                       : expected(part, row + x, sqrt(part->distance[i]));
				level->r[i] = given ? HELD : prior;
				level->b[i] = level->r[i] * to;
				walk->solution[i] = grow->probability[row + x];
			}
		}
}

static enum rs_code walk_near(const struct part *part, struct rs_error *err)
{
	struct random_walk walk RS_CLEANUP(random_walk_finish) = {.count = 0};
	size_t i = 0;
	RS_TRY(random_walk_init(&walk, part->near.size, part->grow->geometry.spacing_mm, err));
	learn(part);
	lay_edges(part, &walk.levels[0]);
	lay_springs(part, &walk);
	random_walk_solve(&walk, TOLERANCE, ITERATIONS_MAX);
	for (size_t z = 0; z < part->near.size[2]; z++)
		for (size_t y = 0; y < part->near.size[1]; y++, i += part->near.size[0])
			memcpy(part->grow->probability + row_of(part->grow, &part->near, y, z),
			       walk.solution + i, part->near.size[0] * sizeof *walk.solution);
	return RS_OK;
}

/* ---- paths on voxels ---- */

/* What cells found is certain beyond the band. */
static enum rs_code find_paths_near(const struct part *part, struct rs_error *err)
{
	const struct rs_grow *grow = part->grow;
	const size_t count = rs_box_voxels(&part->near), width = part->near.size[0];
	const double band = part->band_mm * part->band_mm;
	float *guide RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *guide);
	uint8_t *labels RS_CLEANUP(rs_free_pointer) = rs_allocate(count);
	size_t i = 0;
	if (!guide || !labels)
		return rs_error_memory(err, count * 5, "paths");
	for (size_t z = 0; z < part->near.size[2]; z++)
		for (size_t y = 0; y < part->near.size[1]; y++) {
			const size_t row = row_of(grow, &part->near, y, z);
			for (size_t x = 0; x < width; x++, i++) {
				const size_t at[3] = {part->near.first[0] + x, part->near.first[1] + y,
				                      part->near.first[2] + z};
				guide[i] = grow->guide[row + x];
				if (grow->seeds[row + x] != SEED_NONE)
					labels[i] = grow->seeds[row + x];
				else if (part->distance[i] > band || is_held(part, at))
					labels[i] = is_in(grow, row + x) ? SEED_INSIDE : SEED_OUTSIDE;
			}
		}
	RS_TRY(geodesic_nearest(guide, NULL, part->near.size, grow->geometry.spacing_mm,
	                        grow->options.edge * grow->shortest_mm / grow->difference, labels, err));
	for (size_t k = 0; k < count; k++) {
		const size_t at = row_of(grow, &part->near, k / width % part->near.size[1],
		                         k / width / part->near.size[1]) +
		                  k % width;
		grow->probability[at] = labels[k] == SEED_INSIDE;
	}
	return RS_OK;
}

static enum rs_code look_near(struct part *part, struct rs_error *err)
{
	const size_t *factor = part->grow->cells.factor;
	const bool walks = part->grow->options.method == RS_GROW_WALK;
	if ((!walks && factor[0] * factor[1] * factor[2] == 1) || !find_near(part))
		return RS_OK;
	RS_TRY(measure_distance(part, err));
	return walks ? walk_near(part, err) : find_paths_near(part, err);
}

/* ---- the threshold ---- */

/* Rounded by what lies around the box, too. */
static enum rs_code cut(const struct part *part, struct rs_error *err)
{
	const struct rs_grow *grow = part->grow;
	const double round_mm = grow->options.round_mm < 0 ? ROUND_VOXELS * grow->shortest_mm
	                                                   : grow->options.round_mm;
	const struct rs_box *box = &part->box, wide = growing_widened(grow, box, 3 * round_mm);
	float *rounded RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rs_box_voxels(&wide), sizeof *rounded);
	if (!rounded)
		return rs_error_memory(err, rs_box_voxels(&wide) * sizeof *rounded, "a probability");
	for (size_t z = 0; z < wide.size[2]; z++)
		for (size_t y = 0; y < wide.size[1]; y++)
			memcpy(rounded + (z * wide.size[1] + y) * wide.size[0],
			       grow->probability + row_of(grow, &wide, y, z), wide.size[0] * sizeof *rounded);
	RS_TRY(blur(rounded, wide.size, grow->geometry.spacing_mm, round_mm, err));
	for (size_t z = 0; z < box->size[2]; z++)
		for (size_t y = 0; y < box->size[1]; y++) {
			const size_t to = row_of(grow, box, y, z);
			const float *from = rounded +
			                    ((z + box->first[2] - wide.first[2]) * wide.size[1] + y +
			                     box->first[1] - wide.first[1]) *
			                            wide.size[0] +
			                    box->first[0] - wide.first[0];
			for (size_t x = 0; x < box->size[0]; x++)
				grow->candidate[to + x] = grow->seeds[to + x] == SEED_INSIDE ||
				                          (grow->seeds[to + x] == SEED_NONE &&
				                           (double)from[x] >= grow->options.threshold);
		}
	return RS_OK;
}

enum rs_code growing_decide(struct rs_grow *grow, const struct rs_box *box, struct rs_error *err)
{
	struct part part RS_CLEANUP(part_finish) = {.grow = grow, .box = *box};
	const struct cells *c = &grow->cells;
	part.band_mm = grow->options.band_mm;
	if (part.band_mm < 0) {
		part.band_mm = BAND_VOXELS * grow->shortest_mm;
		for (int a = 0; a < 3; a++) /* the border may lie a cell off */
			if (c->factor[a] > 1)
				part.band_mm = fmax(part.band_mm, 2 * c->spacing_mm[a]);
	}
	take_cells(&part);
	RS_TRY(look_near(&part, err));
	return cut(&part, err);
}
