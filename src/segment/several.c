/* Log odds of looks and of place, smoothed by what neighbours say (mean field); what came of it teaches the looks anew. */
#include "segment/several.h"

#include <math.h>
#include <string.h>

#include "segment/blur.h"
#include "segment/distance.h"
#include "segment/tidy.h"

/* Found by Dice on made patients of other seeds than those that bench/segment tells of, and not sharp. */
#define NOISY 0.5 /* neighbours' differences, in spreads of an image */
#define CALM_VOXELS 0.7
#define ROUNDS 3       /* of learning anew */
#define MOST_LOOKS 4.0 /* log odds that looks may have */
#define PLACE 4.0      /* log odds beside a stroke, falling to 0 half-way to one of the other side */
#define TOGETHER 3.0   /* log odds if all neighbours are of one side */
#define NEIGHBOUR_VOXELS 1.0
#define FIELD_STEPS 5
#define NEAR_MM 8.0      /* around the region: what it is told from */
#define FAR_COUNTS 0.05F /* of a sample further off */
#define STROKE_COUNTS 3.0F
#define FIRST_TOTAL 100.0 /* what all samples count together, from strokes alone and then */
#define TOTAL 2000.0
#define SAMPLES_MAX 20000
#define HALF_VOXELS 1.5 /* around the region, where voxels may be inside by half */
#define HALF_ODDS 2.0
#define CORRECTION 6.0        /* log odds where one was painted, */
#define CORRECTION_VOXELS 3.0 /* falling as a Gaussian */

struct region {
	struct rs_grow *grow;
	struct rs_box box;   /* of the domain */
	struct rs_box inner; /* what of it is decided; the rest stays */
	size_t count;
	float *values; /* of each voxel, scaled */
	float *place, *odds, *inside, *counts;
	double *distance;
	uint8_t *seeds, *mask;
};

static void region_finish(struct region *r)
{
	rs_free(r->values);
	rs_free(r->place);
	rs_free(r->odds);
	rs_free(r->inside);
	rs_free(r->counts);
	rs_free(r->distance);
	rs_free(r->seeds);
	rs_free(r->mask);
}

static enum rs_code region_init(struct region *r, size_t images, struct rs_error *err)
{
	const size_t count = r->count = rs_box_voxels(&r->box);
	size_t values;
	if (!rs_mul_size(count, images, &values))
		return rs_error_memory(err, SIZE_MAX, "a region of several images");
	r->values = rs_allocate_array(values, sizeof *r->values);
	r->place = rs_allocate_array(count, sizeof *r->place);
	r->odds = rs_allocate_array(count, sizeof *r->odds);
	r->inside = rs_allocate_array(count, sizeof *r->inside);
	r->counts = rs_allocate_array(count, sizeof *r->counts);
	r->distance = rs_allocate_array(count, sizeof *r->distance);
	r->seeds = rs_allocate(count);
	r->mask = rs_allocate(count);
	if (!r->values || !r->place || !r->odds || !r->inside || !r->counts || !r->distance || !r->seeds ||
	    !r->mask)
		return rs_error_memory(err, values * sizeof *r->values, "a region of several images");
	return RS_OK;
}

static size_t voxel_of(const struct rs_grow *grow, const struct rs_box *box, size_t k)
{
	const size_t x = k % box->size[0], y = k / box->size[0] % box->size[1],
		     z = k / box->size[0] / box->size[1];
	return growing_at(grow, box->first[0] + x, box->first[1] + y, box->first[2] + z);
}

static double value_of(const struct rs_grow *grow, size_t image, size_t voxel)
{
	const struct rs_box *d = &grow->domain;
	const size_t *size = grow->geometry.size;
	const size_t x = voxel % d->size[0], y = voxel / d->size[0] % d->size[1],
		     z = voxel / d->size[0] / d->size[1];
	return grow->several.volumes[image]
	        ->voxels[((d->first[2] + z) * size[1] + d->first[1] + y) * size[0] + d->first[0] + x];
}

/* ---- birth ---- */

enum rs_code several_open(struct rs_grow *grow, const struct rs_volume *const *volumes, size_t count,
                          struct rs_error *err)
{
	const size_t voxels = rs_box_voxels(&grow->domain);
	grow->fresh = rs_allocate(voxels);
	if (!grow->fresh)
		return rs_error_memory(err, voxels, "a region to be grown");
	grow->several.count = grow->several.looks.images = count;
	for (size_t i = 0; i < count; i++)
		grow->several.volumes[i] = volumes[i];
	for (size_t i = 0; i < voxels; i++)
		grow->guide[i] = NAN; /* nobody looked there yet */
	return RS_OK;
}

/* ---- values ---- */

/* Where noise makes neighbours differ by much of what values differ at all, it is smoothed away. */
static enum rs_code calm(struct region *r, float *image, double spread, struct rs_error *err)
{
	const struct rs_grow *grow = r->grow;
	double smooth_mm = grow->options.smooth_mm, difference;
	RS_TRY(growing_difference(image, r->box.size, &difference, err));
	if (smooth_mm < 0)
		smooth_mm = difference > NOISY * spread ? CALM_VOXELS * grow->shortest_mm : 0;
	return blur(image, r->box.size, grow->geometry.spacing_mm, smooth_mm, err);
}

static bool scale(struct region *r, size_t index, const float *image)
{
	const size_t step = r->count / SAMPLES_MAX + 1;
	size_t inside = 0, around = 0;
	for (size_t k = 0; k < r->count; k++) {
		if (r->seeds[k] == SEED_INSIDE)
			r->inside[inside++] = image[k];
		if (k % step == 0)
			r->counts[around++] = image[k];
	}
	return looks_scale(&r->grow->several.looks, index, r->inside, inside, r->counts, around);
}

/* odds is free for it yet. */
static enum rs_code take_image(struct region *r, size_t index, bool *out_tells, struct rs_error *err)
{
	struct looks *looks = &r->grow->several.looks;
	for (size_t k = 0; k < r->count; k++) {
		r->odds[k] = (float)value_of(r->grow, index, voxel_of(r->grow, &r->box, k));
		if (!isfinite(r->odds[k]))
			return rs_error_set(err, RS_REFUSED,
			                    "image %zu has a value that is not finite near the strokes",
			                    index + 1);
	}
	*out_tells = scale(r, index, r->odds);
	RS_TRY(calm(r, r->odds, looks->scale[index], err));
	*out_tells = *out_tells && scale(r, index, r->odds);
	for (size_t k = 0; k < r->count; k++)
		r->values[k * looks->images + index] = looks_scaled(looks, index, (double)r->odds[k]);
	return RS_OK;
}

static enum rs_code take_values(struct region *r, struct rs_error *err)
{
	bool any = false, tells = false;
	for (size_t k = 0; k < r->count; k++)
		r->seeds[k] = r->grow->seeds[voxel_of(r->grow, &r->box, k)];
	for (size_t i = 0; i < r->grow->several.count; i++) {
		RS_TRY(take_image(r, i, &tells, err));
		any |= tells;
	}
	return any ? RS_OK
	           : rs_error_set(err, RS_REFUSED,
	                          "all voxels near the strokes have the same value: there is nothing to tell "
	                          "inside by");
}

/* ---- place ---- */

static enum rs_code measure(struct region *r, uint8_t seed, struct rs_error *err)
{
	for (size_t k = 0; k < r->count; k++)
		r->distance[k] = r->seeds[k] == seed ? 0 : INFINITY;
	return distance_squared(r->distance, r->box.size, r->grow->geometry.spacing_mm, err);
}

static double to_face(const struct region *r, size_t k)
{
	const size_t *size = r->box.size;
	const size_t at[3] = {k % size[0], k / size[0] % size[1], k / size[0] / size[1]};
	double nearest = INFINITY;
	for (int a = 0; a < 3; a++) {
		const size_t steps = at[a] + 1 < size[a] - at[a] ? at[a] + 1 : size[a] - at[a];
		nearest = fmin(nearest, (double)steps * r->grow->geometry.spacing_mm[a]);
	}
	return nearest;
}

/* From 1 beside a stroke inside to -1 beside one outside, or the box's faces, beyond which all is outside. */
static enum rs_code find_place(struct region *r, struct rs_error *err)
{
	RS_TRY(measure(r, SEED_INSIDE, err));
	for (size_t k = 0; k < r->count; k++)
		r->place[k] = (float)sqrt(r->distance[k]);
	RS_TRY(measure(r, SEED_OUTSIDE, err));
	for (size_t k = 0; k < r->count; k++) {
		const double in = (double)r->place[k], out = fmin(sqrt(r->distance[k]), to_face(r, k));
		const double place = (out - in) / (out + in);
		r->place[k] = (float)(place * sqrt(fabs(place))); /* near strokes above all */
	}
	return RS_OK;
}

/* ---- rounds ---- */

static float bounded_odds(const struct looks *looks, const float *values)
{
	return (float)fmax(-MOST_LOOKS, fmin(looks_odds(looks, values), MOST_LOOKS));
}

static void find_odds(const struct region *r)
{
	const struct looks *looks = &r->grow->several.looks;
	for (size_t k = 0; k < r->count; k++)
		r->odds[k] = bounded_odds(looks, r->values + k * looks->images) + (float)PLACE * r->place[k];
}

static float chance(double odds) { return (float)(1 / (1 + exp(-odds))); }

static double neighbour_mm(const struct rs_grow *grow)
{
	const double *mm = grow->geometry.spacing_mm;
	return grow->options.round_mm < 0 ? NEIGHBOUR_VOXELS * cbrt(mm[0] * mm[1] * mm[2])
	                                  : grow->options.round_mm;
}

static bool is_decided(const struct region *r, size_t k)
{
	const size_t *size = r->box.size;
	const size_t at[3] = {k % size[0], k / size[0] % size[1], k / size[0] / size[1]};
	for (int a = 0; a < 3; a++) /* below it, the difference wraps around */
		if (r->box.first[a] + at[a] - r->inner.first[a] >= r->inner.size[a])
			return false;
	return true;
}

static void start_field(struct region *r)
{
	for (size_t k = 0; k < r->count; k++)
		r->inside[k] = r->seeds[k] != SEED_NONE ? r->seeds[k] == SEED_INSIDE
		                                        : chance((double)r->odds[k]);
}

/* inside: what odds and neighbours say, in turn. */
static enum rs_code settle_field(struct region *r, struct rs_error *err)
{
	for (int step = 0; step < FIELD_STEPS; step++) {
		memcpy(r->counts, r->inside, r->count * sizeof *r->counts);
		RS_TRY(blur(r->counts, r->box.size, r->grow->geometry.spacing_mm, neighbour_mm(r->grow),
		            err));
		for (size_t k = 0; k < r->count; k++) {
			const double say = TOGETHER * (2 * (double)r->counts[k] - 1);
			if (r->seeds[k] != SEED_NONE)
				r->inside[k] = r->seeds[k] == SEED_INSIDE;
			else if (is_decided(r, k))
				r->inside[k] = chance((double)r->odds[k] + say);
		}
	}
	return RS_OK;
}

static enum rs_code learn(struct region *r, double total, struct rs_error *err)
{
	const size_t step = r->count / SAMPLES_MAX + 1;
	double sum = 0;
	for (size_t k = 0; k < r->count; k++)
		sum += (double)(r->counts[k] *= k % step == 0 || r->seeds[k] != SEED_NONE);
	for (size_t k = 0; k < r->count; k++)
		r->counts[k] *= (float)(total / sum);
	const struct looks_samples samples = {r->values, r->inside, r->counts, r->count};
	RS_TRY(looks_learn(&r->grow->several.looks, &samples, err));
	find_odds(r);
	return RS_OK;
}

/* Both sides' strokes count the same. Without one outside, the box's faces are. */
static enum rs_code learn_strokes(struct region *r, struct rs_error *err)
{
	size_t painted[3] = {0};
	for (size_t k = 0; k < r->count; k++) {
		if (r->seeds[k] == SEED_NONE && !r->grow->has_outside &&
		    to_face(r, k) <= r->grow->geometry.spacing_mm[2])
			r->seeds[k] = SEED_OUTSIDE;
		painted[r->seeds[k]]++;
	}
	for (size_t k = 0; k < r->count; k++) {
		r->inside[k] = r->seeds[k] == SEED_INSIDE;
		r->counts[k] = r->seeds[k] == SEED_NONE ? 0 : 1 / (float)painted[r->seeds[k]];
	}
	return learn(r, FIRST_TOTAL, err);
}

/* mask: what hangs together with the strokes; distance: to it, squared. */
static enum rs_code find_region(struct region *r, struct rs_error *err)
{
	uint64_t kept;
	for (size_t k = 0; k < r->count; k++)
		r->mask[k] = r->inside[k] > 0.5F;
	RS_TRY(tidy(r->mask, r->box.size, r->seeds, SEED_INSIDE, &kept, err));
	for (size_t k = 0; k < r->count; k++)
		r->distance[k] = r->mask[k] ? 0 : INFINITY;
	return distance_squared(r->distance, r->box.size, r->grow->geometry.spacing_mm, err);
}

/* A region that is still small would be drowned by what is around it; half-way (by the root), so that it does not swell. */
static void balance(struct region *r)
{
	double inside = 0, outside = 0;
	for (size_t k = 0; k < r->count; k++) {
		inside += (double)r->counts[k] * (double)r->inside[k];
		outside += (double)r->counts[k] * (1 - (double)r->inside[k]);
	}
	for (size_t k = 0; k < r->count; k++)
		if (r->mask[k])
			r->counts[k] *= (float)sqrt(outside / inside);
}

/* The region is told from what is around it. */
static enum rs_code learn_region(struct region *r, struct rs_error *err)
{
	RS_TRY(find_region(r, err));
	for (size_t k = 0; k < r->count; k++)
		r->inside[k] = r->mask[k] ? fmaxf(r->inside[k], 0.5F) : fminf(r->inside[k], 0.5F);
	for (size_t k = 0; k < r->count; k++)
		r->counts[k] = r->distance[k] > NEAR_MM * NEAR_MM ? FAR_COUNTS
		               : r->seeds[k] != SEED_NONE         ? STROKE_COUNTS
		                                                  : 1;
	balance(r);
	return learn(r, TOTAL, err);
}

/* A voxel that is half inside looks like neither side: those beside the region need less. */
static enum rs_code take_halves(struct region *r, struct rs_error *err)
{
	const double *mm = r->grow->geometry.spacing_mm;
	const double reach = HALF_VOXELS * cbrt(mm[0] * mm[1] * mm[2]);
	RS_TRY(find_region(r, err));
	for (size_t k = 0; k < r->count; k++)
		if (r->distance[k] > 0 && r->distance[k] <= reach * reach)
			r->odds[k] += (float)HALF_ODDS;
	return settle_field(r, err);
}

/* ---- answers ---- */

static void give(const struct region *r)
{
	struct rs_grow *grow = r->grow;
	for (size_t k = 0; k < r->count; k++) {
		const size_t i = voxel_of(grow, &r->box, k);
		grow->guide[i] = r->odds[k];
		grow->fresh[i] = SEED_NONE;
		grow->probability[i] = r->inside[k];
		grow->candidate[i] = grow->seeds[i] == SEED_INSIDE ||
		                     (grow->seeds[i] == SEED_NONE &&
		                      (double)r->inside[k] >= grow->options.threshold);
	}
}

static enum rs_code decide_first(struct region *r, struct rs_error *err)
{
	RS_TRY(take_values(r, err));
	RS_TRY(find_place(r, err));
	RS_TRY(learn_strokes(r, err));
	for (int round = 0; round < ROUNDS; round++) {
		start_field(r);
		RS_TRY(settle_field(r, err));
		RS_TRY(learn_region(r, err));
	}
	start_field(r);
	RS_TRY(settle_field(r, err));
	return take_halves(r, err);
}

/* Beyond what was looked at the first time, place speaks for outside. */
static float odds_beyond(const struct rs_grow *grow, size_t voxel)
{
	const struct looks *looks = &grow->several.looks;
	float values[RS_GROW_IMAGES_MAX];
	for (size_t i = 0; i < looks->images; i++) {
		const double value = value_of(grow, i, voxel);
		values[i] = isfinite(value) ? looks_scaled(looks, i, value) : 0;
	}
	return bounded_odds(looks, values) - (float)PLACE;
}

/* What was painted since the last time has its way nearby. */
static enum rs_code correct(struct region *r, uint8_t side, struct rs_error *err)
{
	struct rs_grow *grow = r->grow;
	const double wide = CORRECTION_VOXELS * grow->shortest_mm,
		     by = side == SEED_INSIDE ? CORRECTION : -CORRECTION;
	for (size_t k = 0; k < r->count; k++)
		r->distance[k] = grow->fresh[voxel_of(grow, &r->box, k)] == side ? 0 : INFINITY;
	RS_TRY(distance_squared(r->distance, r->box.size, grow->geometry.spacing_mm, err));
	for (size_t k = 0; k < r->count; k++)
		if (r->distance[k] < 25 * wide * wide)
			r->odds[k] += (float)(by * exp(-r->distance[k] / (2 * wide * wide)));
	return RS_OK;
}

static enum rs_code decide_again(struct region *r, struct rs_error *err)
{
	struct rs_grow *grow = r->grow;
	for (size_t k = 0; k < r->count; k++) {
		const size_t i = voxel_of(grow, &r->box, k);
		r->seeds[k] = grow->seeds[i];
		r->inside[k] = grow->probability[i];
		r->odds[k] = isnan(grow->guide[i]) ? odds_beyond(grow, i) : grow->guide[i];
	}
	RS_TRY(correct(r, SEED_INSIDE, err));
	RS_TRY(correct(r, SEED_OUTSIDE, err));
	return settle_field(r, err);
}

enum rs_code several_decide(struct rs_grow *grow, const struct rs_box *box, struct rs_error *err)
{
	struct region r RS_CLEANUP(region_finish) = {.grow = grow, .box = *box, .inner = *box};
	if (grow->is_solved)
		r.box = growing_widened(grow, box, 3 * neighbour_mm(grow));
	RS_TRY(region_init(&r, grow->is_solved ? 1 : grow->several.count, err));
	RS_TRY(grow->is_solved ? decide_again(&r, err) : decide_first(&r, err));
	give(&r);
	return RS_OK;
}
