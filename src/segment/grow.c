/* The door of growing: the image made ready, strokes painted, updates of all or of a part. */
#include <math.h>
#include <string.h>

#include "segment/blur.h"
#include "segment/growing.h"
#include "segment/several.h"
#include "segment/tidy.h"

#define AROUND 0.15     /* of a box's sides, that is looked at beside it */
#define MIDDLE 0.3      /* of a box: inside, when nobody says more */
#define PART_MAX 500000 /* voxels of a correction */
#define REACH_VOXELS 24 /* around a correction */

/* ---- birth ---- */

void rs_grow_close(struct rs_grow *grow)
{
	if (!grow)
		return;
	rs_free(grow->guide);
	rs_free(grow->probability);
	rs_free(grow->seeds);
	rs_free(grow->candidate);
	rs_free(grow->mask);
	rs_free(grow->fresh);
	growing_free_cells(grow);
	rs_free(grow);
}

static enum rs_code check_options(const struct rs_grow_options *o, struct rs_error *err)
{
	if (!(o->edge > 0 && o->threshold > 0 && o->threshold < 1 && isfinite(o->edge) &&
	      isfinite(o->band_mm) && isfinite(o->smooth_mm) && isfinite(o->round_mm)))
		return rs_error_set(err, RS_USAGE, "the edge is above 0, the threshold between 0 and 1");
	return RS_OK;
}

static void find_domain(struct rs_grow *grow, const struct rs_box *box)
{
	const size_t *size = grow->geometry.size;
	grow->domain = (struct rs_box){.size = {size[0], size[1], size[2]}};
	grow->has_box = box != NULL;
	for (int a = 0; box && a < 3; a++) {
		const size_t around = (size_t)ceil(AROUND * (double)box->size[a]) + 1;
		const size_t first = box->first[a] > around ? box->first[a] - around : 0;
		const size_t end = box->first[a] + box->size[a] + around;
		grow->domain.first[a] = first;
		grow->domain.size[a] = (end < size[a] ? end : size[a]) - first;
		grow->box.first[a] = box->first[a] - first;
		grow->box.size[a] = box->size[a];
	}
}

static enum rs_code copy_image(struct rs_grow *grow, const struct rs_volume *volume, struct rs_error *err)
{
	const struct rs_box *d = &grow->domain;
	const size_t *size = volume->geometry.size;
	float *to = grow->guide;
	for (size_t z = 0; z < d->size[2]; z++)
		for (size_t y = 0; y < d->size[1]; y++) {
			const double *from = volume->voxels +
			                     ((d->first[2] + z) * size[1] + d->first[1] + y) * size[0] +
			                     d->first[0];
			for (size_t x = 0; x < d->size[0]; x++, to++) {
				*to = (float)from[x];
				if (!isfinite(*to))
					return rs_error_set(
						err, RS_REFUSED,
						"voxel %zu, %zu, %zu has a value that is not finite",
						d->first[0] + x, d->first[1] + y, d->first[2] + z);
			}
		}
	return RS_OK;
}

static void hold_around_box(struct rs_grow *grow)
{
	size_t i = 0;
	for (size_t z = 0; z < grow->domain.size[2]; z++)
		for (size_t y = 0; y < grow->domain.size[1]; y++)
			for (size_t x = 0; x < grow->domain.size[0]; x++, i++) {
				const size_t at[3] = {x, y, z};
				for (int a = 0; a < 3; a++)
					if (at[a] - grow->box.first[a] >= grow->box.size[a])
						grow->seeds[i] = SEED_OUTSIDE;
			}
}

static void forget_new(struct rs_grow *grow)
{
	grow->has_new = false;
	for (int a = 0; a < 3; a++) {
		grow->low[a] = SIZE_MAX;
		grow->high[a] = 0;
	}
}

/* Of one image: smoothed, with cells of it and what noise does to it. */
static enum rs_code prepare_guide(struct rs_grow *grow, const struct rs_volume *volume, struct rs_error *err)
{
	const size_t count = rs_box_voxels(&grow->domain);
	const double smooth_mm = grow->options.smooth_mm < 0 ? grow->shortest_mm : grow->options.smooth_mm;
	RS_TRY(copy_image(grow, volume, err));
	RS_TRY(blur(grow->guide, grow->domain.size, volume->geometry.spacing_mm, smooth_mm, err));
	RS_TRY(likeness_init(&grow->likeness, grow->guide, count, err));
	RS_TRY(growing_make_cells(grow, err));
	RS_TRY(growing_difference(grow->guide, grow->domain.size, &grow->difference, err));
	grow->difference = fmax(grow->difference, (grow->likeness.high - grow->likeness.low) / 256);
	return RS_OK;
}

static enum rs_code prepare(struct rs_grow *grow, const struct rs_volume *const *volumes, size_t images,
                            struct rs_error *err)
{
	const size_t count = rs_box_voxels(&grow->domain);
	const double *spacing = grow->geometry.spacing_mm;
	grow->shortest_mm = fmin(spacing[0], fmin(spacing[1], spacing[2]));
	grow->guide = rs_allocate_array(count, sizeof *grow->guide);
	grow->probability = rs_allocate_array(count, sizeof *grow->probability);
	grow->seeds = rs_allocate(count);
	grow->candidate = rs_allocate(count);
	grow->mask = rs_allocate(count);
	if (!grow->guide || !grow->probability || !grow->seeds || !grow->candidate || !grow->mask)
		return rs_error_memory(err, count * 11, "a region to be grown");
	RS_TRY(grow->options.method == RS_GROW_LEARN ? several_open(grow, volumes, images, err)
	                                             : prepare_guide(grow, volumes[0], err));
	if (grow->has_box)
		hold_around_box(grow);
	forget_new(grow);
	return RS_OK;
}

static enum rs_code check_images(const struct rs_volume *const *volumes, size_t count,
                                 const struct rs_grow_options *options, struct rs_error *err)
{
	if (count == 0 || count > RS_GROW_IMAGES_MAX)
		return rs_error_set(err, RS_USAGE, "a region is grown in 1 to %d images", RS_GROW_IMAGES_MAX);
	if (count > 1 && options->method != RS_GROW_LEARN)
		return rs_error_set(err, RS_USAGE,
		                    "several images are learned from; paths and walks take one");
	for (size_t i = 1; i < count; i++)
		if (memcmp(volumes[i]->geometry.size, volumes[0]->geometry.size,
		           sizeof volumes[0]->geometry.size) != 0)
			return rs_error_set(err, RS_USAGE, "image %zu lies on another grid than the first",
			                    i + 1);
	return RS_OK;
}

enum rs_code rs_grow_open(const struct rs_volume *volume, const struct rs_box *box,
                          const struct rs_grow_options *options, struct rs_grow **out, struct rs_error *err)
{
	return rs_grow_open_several(&volume, 1, box, options, out, err);
}

enum rs_code rs_grow_open_several(const struct rs_volume *const *volumes, size_t count,
                                  const struct rs_box *box, const struct rs_grow_options *options,
                                  struct rs_grow **out, struct rs_error *err)
{
	RS_TRY(check_options(options, err));
	RS_TRY(check_images(volumes, count, options, err));
	if (box)
		RS_TRY(rs_box_check(box, &volumes[0]->geometry, err));
	struct rs_grow *grow = rs_allocate(sizeof *grow);
	if (!grow)
		return rs_error_memory(err, sizeof *grow, "a region to be grown");
	grow->geometry = volumes[0]->geometry;
	grow->options = *options;
	find_domain(grow, box);
	enum rs_code code = prepare(grow, volumes, count, err);
	if (code == RS_OK)
		*out = grow;
	else
		rs_grow_close(grow);
	return code;
}

/* ---- painting ---- */

static void paint(struct rs_grow *grow, const size_t at[3], bool inside)
{
	grow->seeds[growing_at(grow, at[0], at[1], at[2])] = inside ? SEED_INSIDE : SEED_OUTSIDE;
	if (grow->fresh)
		grow->fresh[growing_at(grow, at[0], at[1], at[2])] = inside ? SEED_INSIDE : SEED_OUTSIDE;
	for (int a = 0; a < 3; a++) {
		grow->low[a] = at[a] < grow->low[a] ? at[a] : grow->low[a];
		grow->high[a] = at[a] > grow->high[a] ? at[a] : grow->high[a];
	}
	grow->has_new = true;
	grow->has_inside |= inside;
	grow->has_outside |= !inside;
}

/* The brush at a place: voxels within the radius, and the nearest one. Returns whether any voxel was touched. */
static bool dab(struct rs_grow *grow, const double place[3], double radius_mm, bool inside)
{
	size_t low[3], high[3], at[3];
	bool any = false;
	for (int a = 0; a < 3; a++) {
		const double reach = radius_mm / grow->geometry.spacing_mm[a];
		const double from = ceil(fmin(place[a] - reach, round(place[a]))) -
		                    (double)grow->domain.first[a];
		const double to = floor(fmax(place[a] + reach, round(place[a]))) -
		                  (double)grow->domain.first[a];
		const double last = (double)grow->domain.size[a] - 1;
		if (to < 0 || from > last)
			return false;
		low[a] = (size_t)fmax(from, 0);
		high[a] = (size_t)fmin(to, last);
	}
	for (at[2] = low[2]; at[2] <= high[2]; at[2]++)
		for (at[1] = low[1]; at[1] <= high[1]; at[1]++)
			for (at[0] = low[0]; at[0] <= high[0]; at[0]++) {
				double sum = 0;
				bool nearest = true;
				for (int a = 0; a < 3; a++) {
					const double v = (double)(at[a] + grow->domain.first[a]);
					const double mm = (v - place[a]) * grow->geometry.spacing_mm[a];
					nearest = nearest && v == round(place[a]);
					sum += mm * mm;
				}
				if (nearest || sum <= radius_mm * radius_mm) {
					paint(grow, at, inside);
					any = true;
				}
			}
	return any;
}

enum rs_code rs_grow_paint(struct rs_grow *grow, const struct rs_stroke *stroke, struct rs_error *err)
{
	bool any = false;
	if (stroke->point_count == 0 || !(stroke->radius_mm >= 0) || stroke->radius_mm > 1000)
		return rs_error_set(err, RS_USAGE, "a stroke has points, and a radius from 0 to 1000 mm");
	for (size_t p = 0; p < stroke->point_count; p++) {
		const double *from = stroke->points[p ? p - 1 : 0], *to = stroke->points[p];
		double longest = 0;
		for (int a = 0; a < 3; a++) {
			if (!(fabs(to[a]) < 1e6))
				return rs_error_set(err, RS_USAGE, "a stroke's point lies nowhere: %g",
				                    to[a]);
			longest = fmax(longest, fabs(to[a] - from[a]));
		}
		const double steps = fmax(1, ceil(2 * longest));
		for (double s = p ? 1 : steps; s <= steps; s++) {
			const double t = s / steps;
			const double place[3] = {from[0] + t * (to[0] - from[0]),
			                         from[1] + t * (to[1] - from[1]),
			                         from[2] + t * (to[2] - from[2])};
			any |= dab(grow, place, stroke->radius_mm, stroke->inside);
		}
	}
	return any ? RS_OK
	           : rs_error_set(err, RS_USAGE, "a stroke at voxel %g, %g, %g does not touch the image%s",
	                          stroke->points[0][0], stroke->points[0][1], stroke->points[0][2],
	                          grow->has_box ? " near the box" : "");
}

enum rs_code rs_grow_paint_mask(struct rs_grow *grow, const struct rs_mask *strokes, uint32_t inside,
                                uint32_t outside, struct rs_error *err)
{
	const struct rs_box *d = &grow->domain;
	const size_t *size = strokes->geometry.size;
	size_t at[3], count = 0;
	if (memcmp(size, grow->geometry.size, sizeof grow->geometry.size) != 0)
		return rs_error_set(err, RS_USAGE, "strokes on a grid of other size than the image");
	for (at[2] = 0; at[2] < d->size[2]; at[2]++)
		for (at[1] = 0; at[1] < d->size[1]; at[1]++)
			for (at[0] = 0; at[0] < d->size[0]; at[0]++) {
				const uint32_t label = strokes->labels[((d->first[2] + at[2]) * size[1] +
				                                        d->first[1] + at[1]) *
				                                               size[0] +
				                                       d->first[0] + at[0]];
				if (label == 0 || (label != inside && label != outside))
					continue;
				paint(grow, at, label == inside);
				count++;
			}
	return count ? RS_OK
	             : rs_error_set(err, RS_NOT_FOUND, "no voxel has the label %u (inside) or %u (outside)",
	                            inside, outside);
}

/* A box's innermost ellipsoid. */
static void paint_middle(struct rs_grow *grow)
{
	size_t at[3];
	for (at[2] = 0; at[2] < grow->domain.size[2]; at[2]++)
		for (at[1] = 0; at[1] < grow->domain.size[1]; at[1]++)
			for (at[0] = 0; at[0] < grow->domain.size[0]; at[0]++) {
				double sum = 0;
				for (int a = 0; a < 3; a++) {
					const double half = (double)grow->box.size[a] / 2;
					const double t = ((double)at[a] + 0.5 - (double)grow->box.first[a] -
					                  half) /
					                 half;
					sum += t * t;
				}
				if (sum <= MIDDLE * MIDDLE &&
				    grow->seeds[growing_at(grow, at[0], at[1], at[2])] == SEED_NONE)
					paint(grow, at, true);
			}
}

/* ---- updates ---- */

static struct rs_box whole_domain(const struct rs_grow *grow)
{
	return (struct rs_box){.size = {grow->domain.size[0], grow->domain.size[1], grow->domain.size[2]}};
}

static struct rs_box around(const struct rs_grow *grow, const double half_mm[3])
{
	struct rs_box box;
	for (int a = 0; a < 3; a++) {
		const double middle = (double)(grow->low[a] + grow->high[a]) / 2;
		const double half = half_mm[a] / grow->geometry.spacing_mm[a];
		const double low = fmax(floor(middle - half), 0);
		const double high = fmin(ceil(middle + half), (double)grow->domain.size[a] - 1);
		box.first[a] = (size_t)low;
		box.size[a] = (size_t)(high - low) + 1;
	}
	return box;
}

/* The first time. A box holds the region; else it is taken to be about as deep as the strokes are wide, so that what looks alike
 * far away does not count. Of strokes that are inside only, it may reach as far again beyond them. */
static struct rs_box first_part(const struct rs_grow *grow)
{
	double half_mm[3], widest_mm = 0;
	if (grow->has_box)
		return whole_domain(grow);
	for (int a = 0; a < 3; a++) {
		half_mm[a] = (double)(grow->high[a] - grow->low[a] + 1) / 2 * grow->geometry.spacing_mm[a];
		widest_mm = fmax(widest_mm, half_mm[a]);
	}
	for (int a = 0; a < 3; a++)
		half_mm[a] = grow->has_outside ? fmax(half_mm[a], widest_mm) + 2 * grow->shortest_mm
		                               : half_mm[a] + fmax(2 * widest_mm, 10 * grow->shortest_mm);
	return around(grow, half_mm);
}

/* Then the new strokes and what they reach, but not more than can be answered at once. */
static struct rs_box part_to_solve(const struct rs_grow *grow)
{
	struct rs_box part = first_part(grow);
	double half_mm[3];
	if (!grow->is_solved)
		return part;
	for (double reach = REACH_VOXELS * grow->shortest_mm; reach > 0.1; reach *= 0.85) {
		for (int a = 0; a < 3; a++)
			half_mm[a] = (double)(grow->high[a] - grow->low[a]) / 2 *
			                     grow->geometry.spacing_mm[a] +
			             reach;
		part = around(grow, half_mm);
		if (rs_box_voxels(&part) <= PART_MAX)
			break;
	}
	return part;
}

/* All that was ever solved: beyond it nothing is a candidate. */
static void widen_extent(struct rs_grow *grow, const struct rs_box *part)
{
	struct rs_box *extent = &grow->extent;
	for (int a = 0; a < 3; a++) {
		const size_t end = part->first[a] + part->size[a], last = extent->first[a] + extent->size[a];
		const size_t first = extent->size[a] && extent->first[a] < part->first[a] ? extent->first[a]
		                                                                          : part->first[a];
		extent->size[a] = (end > last ? end : last) - first;
		extent->first[a] = first;
	}
}

static size_t row_in_extent(const struct rs_grow *grow, size_t row)
{
	const struct rs_box *e = &grow->extent;
	return growing_at(grow, e->first[0], e->first[1] + row % e->size[1], e->first[2] + row / e->size[1]);
}

/* Takes the row over, and widens low … high by what differs. */
static void take_row(struct rs_grow *grow, const uint8_t *from, size_t row, size_t low[3], size_t high[3])
{
	const struct rs_box *e = &grow->extent;
	uint8_t *to = grow->mask + row_in_extent(grow, row);
	if (memcmp(from, to, e->size[0]) == 0)
		return;
	for (size_t x = 0; x < e->size[0]; x++) {
		const size_t at[3] = {x, row % e->size[1], row / e->size[1]};
		for (int a = 0; from[x] != to[x] && a < 3; a++) {
			low[a] = at[a] < low[a] ? at[a] : low[a];
			high[a] = at[a] > high[a] ? at[a] : high[a];
		}
	}
	memcpy(to, from, e->size[0]);
}

static enum rs_code settle(struct rs_grow *grow, struct rs_box *out_changed, struct rs_error *err)
{
	const struct rs_box *e = &grow->extent;
	const size_t count = rs_box_voxels(e), width = e->size[0];
	size_t low[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, high[3] = {0, 0, 0};
	uint8_t *mask RS_CLEANUP(rs_free_pointer) = rs_allocate(count),
		      *seeds RS_CLEANUP(rs_free_pointer) = rs_allocate(count);
	if (!mask || !seeds)
		return rs_error_memory(err, 2 * count, "a mask");
	for (size_t row = 0; row < count / width; row++) {
		memcpy(mask + row * width, grow->candidate + row_in_extent(grow, row), width);
		memcpy(seeds + row * width, grow->seeds + row_in_extent(grow, row), width);
	}
	RS_TRY(tidy(mask, e->size, seeds, SEED_INSIDE, &grow->mask_voxels, err));
	for (size_t row = 0; row < count / width; row++)
		take_row(grow, mask + row * width, row, low, high);
	*out_changed = (struct rs_box){.size = {0}};
	for (int a = 0; low[0] <= high[0] && a < 3; a++) {
		out_changed->first[a] = low[a] + e->first[a] + grow->domain.first[a];
		out_changed->size[a] = high[a] - low[a] + 1;
	}
	return RS_OK;
}

enum rs_code rs_grow_update(struct rs_grow *grow, struct rs_box *out_changed, struct rs_error *err)
{
	struct rs_box changed = {.size = {0}}, part;
	if (!grow->has_inside && !grow->has_box)
		return rs_error_set(err, RS_USAGE, "paint a stroke inside, or give a box");
	if (!grow->has_inside) { /* what the middle looks like must tell more than where it is */
		paint_middle(grow);
		if (grow->options.method == RS_GROW_GEODESIC)
			grow->options.method = RS_GROW_WALK;
	}
	if (!grow->is_solved || grow->has_new) {
		part = part_to_solve(grow);
		if (grow->options.method == RS_GROW_LEARN) {
			RS_TRY(several_decide(grow, &part, err));
		} else {
			RS_TRY(growing_find_nearest(grow, &part, err));
			RS_TRY(growing_decide(grow, &part, err));
		}
		widen_extent(grow, &part);
		RS_TRY(settle(grow, &changed, err));
	}
	if (grow->mask_voxels == 0)
		return rs_error_set(err, RS_REFUSED,
		                    "nothing is left inside; paint a stroke inside the region");
	grow->is_solved = true;
	forget_new(grow);
	*out_changed = changed;
	return RS_OK;
}

uint64_t rs_grow_voxels(const struct rs_grow *grow) { return grow->mask_voxels; }

enum rs_code rs_grow_mask(const struct rs_grow *grow, struct rs_mask *out, struct rs_error *err)
{
	const struct rs_box *d = &grow->domain;
	const size_t *size = grow->geometry.size;
	struct rs_mask mask;
	RS_TRY(rs_mask_init(&mask, &grow->geometry, err));
	for (size_t z = 0; z < d->size[2]; z++)
		for (size_t y = 0; y < d->size[1]; y++)
			for (size_t x = 0; x < d->size[0]; x++)
				mask.labels[((d->first[2] + z) * size[1] + d->first[1] + y) * size[0] +
				            d->first[0] + x] = grow->mask[growing_at(grow, x, y, z)];
	*out = mask;
	return RS_OK;
}
