/* What a region being grown consists of, between the files that paint, solve and answer. Arrays lie on the domain, which is
 * the image or a box of it with what is around; or on cells, which are one or several of its voxels. */
#ifndef RS_SEGMENT_GROWING_H
#define RS_SEGMENT_GROWING_H

#include "segment/likeness.h"
#include "segment/looks.h"
#include "segment/segment_grow.h"

enum { SEED_NONE, SEED_INSIDE, SEED_OUTSIDE };

struct cells {
	size_t factor[3], size[3]; /* voxels of a cell; cells */
	double spacing_mm[3], difference;
	float *guide;
	uint8_t *nearest; /* SEED_… of the stroke */
};
struct several { /* images; the caller's */
	const struct rs_volume *volumes[RS_GROW_IMAGES_MAX];
	size_t count;
	struct looks looks;
};
struct rs_grow {
	struct rs_geometry geometry; /* of the image */
	struct rs_grow_options options;
	double shortest_mm;
	struct rs_box domain, box; /* box: within the domain, all beyond is outside */
	struct rs_box extent;      /* of the domain: what was ever solved */
	bool has_box, is_solved;
	float *guide, *probability;
	uint8_t *seeds, *candidate, *mask;
	uint8_t *fresh; /* LEARN alone: painted since the last update */
	struct several several;
	struct cells cells;
	uint64_t mask_voxels;
	double difference; /* of neighbours, as noise makes it */
	struct likeness likeness;
	size_t low[3], high[3]; /* painted since the last update; high < low: nothing */
	bool has_new, has_inside, has_outside;
};

static inline size_t growing_at(const struct rs_grow *grow, size_t x, size_t y, size_t z)
{
	return (z * grow->domain.size[1] + y) * grow->domain.size[0] + x;
}
/* By so much on all sides, as far as the domain goes. */
struct rs_box growing_widened(const struct rs_grow *grow, const struct rs_box *box, double mm);
/* What neighbours along x differ by where there is nothing but noise: by the median, as edges are few. */
enum rs_code growing_difference(const float *guide, const size_t size[3], double *out, struct rs_error *err);
enum rs_code growing_make_cells(struct rs_grow *grow, struct rs_error *err);
void growing_free_cells(struct rs_grow *grow);
/* The nearest stroke of each cell that touches the box of the domain; cells beyond are as they were. */
enum rs_code growing_find_nearest(struct rs_grow *grow, const struct rs_box *box, struct rs_error *err);
/* Probability and candidates within the box of the domain, from the cells' nearest strokes. */
enum rs_code growing_decide(struct rs_grow *grow, const struct rs_box *box, struct rs_error *err);

#endif
