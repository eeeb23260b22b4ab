/* Expectation and maximisation over patterns instead of voxels: of K readers there are no more than 2^K kinds of voxels. */
#include "segment/segment_staple.h"

#include <math.h>

#define ITERATIONS_MAX 10000
#define SQUARE_STEP 1e-14 /* of every estimate, at the end (as ITK's filter has it) */

struct patterns {
	size_t readers, count; /* 2^readers */
	uint64_t *voxels;      /* by pattern: bit r, reader r has it inside */
	double *weight;        /* probability of inside */
};

static void patterns_finish(struct patterns *p)
{
	rs_free(p->voxels);
	rs_free(p->weight);
}

static size_t pattern_at(const struct rs_mask *const *masks, size_t readers, size_t voxel)
{
	size_t pattern = 0;
	for (size_t r = 0; r < readers; r++)
		pattern |= (size_t)(masks[r]->labels[voxel] != 0) << r;
	return pattern;
}

static enum rs_code count_patterns(const struct rs_mask *const *masks, size_t readers, struct patterns *out,
                                   struct rs_error *err)
{
	const size_t *size = readers ? masks[0]->geometry.size : NULL;
	if (readers < 2 || readers > RS_READERS_MAX)
		return rs_error_set(err, RS_USAGE, "a consensus is of 2 to %d masks", RS_READERS_MAX);
	for (size_t r = 1; r < readers; r++)
		for (int a = 0; a < 3; a++)
			if (masks[r]->geometry.size[a] != size[a])
				return rs_error_set(err, RS_USAGE, "mask %zu has another size than the first",
				                    r + 1);
	*out = (struct patterns){.readers = readers, .count = (size_t)1 << readers};
	out->voxels = rs_allocate_array(out->count, sizeof *out->voxels);
	out->weight = rs_allocate_array(out->count, sizeof *out->weight);
	if (!out->voxels || !out->weight)
		return rs_error_memory(err, out->count * sizeof *out->weight, "a consensus");
	const size_t voxels = size[0] * size[1] * size[2];
	for (size_t i = 0; i < voxels; i++)
		out->voxels[pattern_at(masks, readers, i)]++;
	if (out->voxels[0] == voxels)
		return rs_error_set(err, RS_NOT_FOUND, "no mask has a voxel inside");
	return RS_OK;
}

static void take_shares(const struct patterns *p)
{
	for (size_t k = 0; k < p->count; k++)
		p->weight[k] = (double)__builtin_popcountll(k) / (double)p->readers;
}

static double mean_weight(const struct patterns *p)
{
	double sum = 0, all = 0;
	for (size_t k = 0; k < p->count; k++) {
		sum += p->weight[k] * (double)p->voxels[k];
		all += (double)p->voxels[k];
	}
	return sum / all;
}

/* What readers are worth if this is how likely voxels are inside. Returns the largest squared step. */
static double judge(const struct patterns *p, struct rs_consensus *out)
{
	double largest = 0;
	for (size_t r = 0; r < p->readers; r++) {
		double inside = 0, found = 0, outside = 0, left = 0;
		for (size_t k = 0; k < p->count; k++) {
			const double in = p->weight[k] * (double)p->voxels[k];
			const double not_in = (1 - p->weight[k]) * (double)p->voxels[k];
			inside += in;
			outside += not_in;
			found += k >> r & 1 ? in : 0;
			left += k >> r & 1 ? 0 : not_in;
		}
		const double sensitivity = found / inside, specificity = left / outside;
		largest = fmax(largest, pow(sensitivity - out->sensitivity[r], 2));
		largest = fmax(largest, pow(specificity - out->specificity[r], 2));
		out->sensitivity[r] = sensitivity;
		out->specificity[r] = specificity;
	}
	return largest;
}

static void expect(const struct patterns *p, const struct rs_consensus *c)
{
	for (size_t k = 0; k < p->count; k++) {
		double inside = c->prior, outside = 1 - c->prior;
		for (size_t r = 0; r < p->readers; r++) {
			inside *= k >> r & 1 ? c->sensitivity[r] : 1 - c->sensitivity[r];
			outside *= k >> r & 1 ? 1 - c->specificity[r] : c->specificity[r];
		}
		p->weight[k] = inside + outside > 0 ? inside / (inside + outside) : p->weight[k];
	}
}

static void give_out(const struct patterns *p, const struct rs_mask *const *masks, double *probability)
{
	for (size_t i = 0, n = rs_geometry_voxels(&masks[0]->geometry); i < n; i++)
		probability[i] = p->weight[pattern_at(masks, p->readers, i)];
}

enum rs_code rs_masks_staple(const struct rs_mask *const *masks, size_t count, double *probability,
                             struct rs_consensus *out, struct rs_error *err)
{
	struct patterns p RS_CLEANUP(patterns_finish) = {.readers = 0};
	struct rs_consensus c = {.iterations = 0};
	RS_TRY(count_patterns(masks, count, &p, err));
	take_shares(&p);
	c.prior = mean_weight(&p);
	for (double step = 1; step >= SQUARE_STEP && c.iterations < ITERATIONS_MAX; c.iterations++) {
		step = judge(&p, &c);
		expect(&p, &c);
	}
	give_out(&p, masks, probability);
	*out = c;
	return RS_OK;
}

enum rs_code rs_masks_vote(const struct rs_mask *const *masks, size_t count, double *probability,
                           struct rs_consensus *out, struct rs_error *err)
{
	struct patterns p RS_CLEANUP(patterns_finish) = {.readers = 0};
	struct rs_consensus c = {.iterations = 0};
	RS_TRY(count_patterns(masks, count, &p, err));
	take_shares(&p);
	c.prior = mean_weight(&p);
	give_out(&p, masks, probability);
	for (size_t k = 0; k < p.count; k++)
		p.weight[k] = p.weight[k] > 0.5;
	judge(&p, &c);
	*out = c;
	return RS_OK;
}
