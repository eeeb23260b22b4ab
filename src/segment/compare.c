/* Two regions side by side: what they share, and how far their surfaces are apart. */
#include "segment/segment_compare.h"

#include <math.h>
#include <stdlib.h>

#include "segment/distance.h"
#include "segment/surface.h"

/* Corners of the cubes around both regions: one more along each axis than there are voxels. */
struct field {
	size_t first[3], size[3];
};

struct element {
	double distance_mm, area_mm2;
};
struct elements {
	size_t count;
	struct element *items; /* by distance */
	double area_mm2;
};

struct comparing {
	const struct rs_mask *masks[2];
	uint32_t label;
	struct field field;
	uint8_t *codes[2];
	double *distances;
	struct elements elements[2]; /* of the first to the second, and back */
};

static void comparing_finish(struct comparing *c)
{
	for (int i = 0; i < 2; i++) {
		rs_free(c->codes[i]);
		rs_free(c->elements[i].items);
	}
	rs_free(c->distances);
}

static void take_voxel(size_t low[3], size_t high[3], const size_t at[3])
{
	for (int a = 0; a < 3; a++) {
		low[a] = at[a] < low[a] ? at[a] : low[a];
		high[a] = at[a] > high[a] ? at[a] : high[a];
	}
}

/* Counts, and the box around both. */
static void count_voxels(struct comparing *c, struct rs_comparison *out)
{
	const size_t *size = c->masks[0]->geometry.size;
	size_t low[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX}, high[3] = {0, 0, 0}, i = 0;
	for (size_t z = 0; z < size[2]; z++)
		for (size_t y = 0; y < size[1]; y++)
			for (size_t x = 0; x < size[0]; x++, i++) {
				const bool a = c->masks[0]->labels[i] == c->label,
					   b = c->masks[1]->labels[i] == c->label;
				if (!a && !b)
					continue;
				out->voxels_a += a;
				out->voxels_b += b;
				out->voxels_both += a && b;
				take_voxel(low, high, (const size_t[3]){x, y, z});
			}
	for (int a = 0; a < 3; a++) {
		c->field.first[a] = low[a];
		c->field.size[a] = high[a] - low[a] + 2;
	}
}

static bool is_inside(const struct comparing *c, int which, const size_t at[3])
{
	const size_t *size = c->masks[which]->geometry.size;
	for (int a = 0; a < 3; a++)
		if (at[a] >= size[a]) /* before the first wraps around */
			return false;
	return c->masks[which]->labels[(at[2] * size[1] + at[1]) * size[0] + at[0]] == c->label;
}

static enum rs_code encode(struct comparing *c, int which, struct rs_error *err)
{
	const struct field *f = &c->field;
	const size_t count = f->size[0] * f->size[1] * f->size[2];
	uint8_t *code = c->codes[which] = rs_allocate(count);
	if (!code)
		return rs_error_memory(err, count, "surfaces");
	for (size_t z = 0; z < f->size[2]; z++)
		for (size_t y = 0; y < f->size[1]; y++)
			for (size_t x = 0; x < f->size[0]; x++, code++)
				for (unsigned k = 0; k < 8; k++) {
					const size_t at[3] = {f->first[0] + x - 1 + (k & 1),
					                      f->first[1] + y - 1 + (k >> 1 & 1),
					                      f->first[2] + z - 1 + (k >> 2)};
					*code |= (uint8_t)(is_inside(c, which, at) << k);
				}
	return RS_OK;
}

static bool is_surface(uint8_t code) { return code != 0 && code != SURFACE_CODES - 1; }

static int by_distance(const void *a, const void *b)
{
	const struct element *x = a, *y = b;
	if (x->distance_mm != y->distance_mm)
		return x->distance_mm < y->distance_mm ? -1 : 1;
	return (x->area_mm2 > y->area_mm2) - (x->area_mm2 < y->area_mm2); /* so that sums have one order */
}

static enum rs_code measure_elements(struct comparing *c, int which, const double areas[SURFACE_CODES],
                                     struct rs_error *err)
{
	const size_t count = c->field.size[0] * c->field.size[1] * c->field.size[2];
	const uint8_t *own = c->codes[which], *other = c->codes[1 - which];
	struct elements *elements = &c->elements[which];
	for (size_t i = 0; i < count; i++) {
		c->distances[i] = is_surface(other[i]) ? 0 : INFINITY;
		elements->count += is_surface(own[i]);
	}
	RS_TRY(distance_squared(c->distances, c->field.size, c->masks[0]->geometry.spacing_mm, err));
	elements->items = rs_allocate_array(elements->count, sizeof *elements->items);
	if (!elements->items)
		return rs_error_memory(err, elements->count * sizeof *elements->items, "surfaces");
	for (size_t i = 0, n = 0; i < count; i++)
		if (is_surface(own[i]))
			elements->items[n++] = (struct element){sqrt(c->distances[i]), areas[own[i]]};
	qsort(elements->items, elements->count, sizeof *elements->items, by_distance);
	for (size_t i = 0; i < elements->count; i++)
		elements->area_mm2 += elements->items[i].area_mm2;
	return RS_OK;
}

static double mean_distance(const struct elements *e)
{
	double sum = 0;
	for (size_t i = 0; i < e->count; i++)
		sum += e->items[i].distance_mm * e->items[i].area_mm2;
	return sum / e->area_mm2;
}

/* The distance within which this share of the surface lies. */
static double distance_at(const struct elements *e, double share)
{
	double sum = 0;
	for (size_t i = 0; i < e->count; i++)
		if ((sum += e->items[i].area_mm2) >= share * e->area_mm2)
			return e->items[i].distance_mm;
	return e->items[e->count - 1].distance_mm;
}

static double area_within(const struct elements *e, double tolerance_mm)
{
	double sum = 0;
	for (size_t i = 0; i < e->count && e->items[i].distance_mm <= tolerance_mm; i++)
		sum += e->items[i].area_mm2;
	return sum;
}

static void tell_distances(const struct elements e[2], double tolerance_mm, struct rs_comparison *out)
{
	out->surface_dice = (area_within(&e[0], tolerance_mm) + area_within(&e[1], tolerance_mm)) /
	                    (e[0].area_mm2 + e[1].area_mm2);
	out->hausdorff_mm = fmax(e[0].items[e[0].count - 1].distance_mm,
	                         e[1].items[e[1].count - 1].distance_mm);
	out->hausdorff_95_mm = fmax(distance_at(&e[0], 0.95), distance_at(&e[1], 0.95));
	out->distance_a_to_b_mm = mean_distance(&e[0]);
	out->distance_b_to_a_mm = mean_distance(&e[1]);
	out->average_surface_distance_mm = (out->distance_a_to_b_mm + out->distance_b_to_a_mm) / 2;
}

static enum rs_code measure_surfaces(struct comparing *c, double tolerance_mm, struct rs_comparison *out,
                                     struct rs_error *err)
{
	double areas[SURFACE_CODES];
	const size_t count = c->field.size[0] * c->field.size[1] * c->field.size[2];
	c->distances = rs_allocate_array(count, sizeof *c->distances);
	if (!c->distances)
		return rs_error_memory(err, count * sizeof *c->distances, "distances");
	surface_areas(c->masks[0]->geometry.spacing_mm, areas);
	for (int i = 0; i < 2; i++)
		RS_TRY(encode(c, i, err));
	for (int i = 0; i < 2; i++)
		RS_TRY(measure_elements(c, i, areas, err));
	tell_distances(c->elements, tolerance_mm, out);
	return RS_OK;
}

enum rs_code rs_masks_compare(const struct rs_mask *a, const struct rs_mask *b, uint32_t label,
                              double tolerance_mm, struct rs_comparison *out, struct rs_error *err)
{
	struct comparing c RS_CLEANUP(comparing_finish) = {.masks = {a, b}, .label = label};
	struct rs_comparison made = {.surface_dice = NAN,
	                             .hausdorff_mm = NAN,
	                             .hausdorff_95_mm = NAN,
	                             .distance_a_to_b_mm = NAN,
	                             .distance_b_to_a_mm = NAN,
	                             .average_surface_distance_mm = NAN};
	const double *spacing = a->geometry.spacing_mm;
	for (int k = 0; k < 3; k++)
		if (a->geometry.size[k] != b->geometry.size[k])
			return rs_error_set(err, RS_USAGE,
			                    "masks of different size along axis %d: %zu and %zu", k,
			                    a->geometry.size[k], b->geometry.size[k]);
	count_voxels(&c, &made);
	if (made.voxels_a + made.voxels_b == 0)
		return rs_error_set(err, RS_NOT_FOUND, "no voxel has label %u", label);
	const double voxel_mm3 = spacing[0] * spacing[1] * spacing[2];
	made.volume_a_mm3 = (double)made.voxels_a * voxel_mm3;
	made.volume_b_mm3 = (double)made.voxels_b * voxel_mm3;
	made.dice = 2 * (double)made.voxels_both / (double)(made.voxels_a + made.voxels_b);
	made.jaccard = (double)made.voxels_both / (double)(made.voxels_a + made.voxels_b - made.voxels_both);
	if (made.voxels_a && made.voxels_b)
		RS_TRY(measure_surfaces(&c, tolerance_mm, &made, err));
	*out = made;
	return RS_OK;
}
