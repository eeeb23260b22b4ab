/* A region grown from a few strokes, or within a box, and corrected while somebody looks at it. */
#ifndef RS_SEGMENT_GROW_H
#define RS_SEGMENT_GROW_H

#include "filter/filter.h"
#include "image/image.h"

/* GEODESIC: whose stroke is nearest on a path over the smoothed image that is longer where grey values change (Criminisi,
 * Sharp & Blake 2008), first on a grid of at most RS_GROW_CELLS cells, then in a band around the border so found on the image's
 * own. WALK: in that band a random walker (Grady, IEEE PAMI 28 (2006) 1768) with what inside and outside look like there as
 * prior (Grady, CVPR 2005); over the whole image it would shrink towards thin strokes.
 * LEARN: how several images together look inside (looks.h), from the strokes at first, then three times from the region so
 * found and what is around it, as GrabCut does (Rother, Kolmogorov & Blake 2004); with where strokes are, and with what
 * neighbours say of each other (mean field).
 * Dice from three strokes, of one image with a border all around (bench/segment_bench.c): 0.93, 0.94 and 0.92 at a contrast of
 * twice the noise, 0.96, 0.96 and 0.96 of four times. Of simulated patients (bench/segment_cohort.py, 20 held out), T2 alone:
 * 0.76 and 0.78; LEARN of eight sequences: 0.86, from a box alone 0.86. */
#define RS_GROW_CELLS 2500000
#define RS_GROW_IMAGES_MAX 12
enum rs_grow_method { RS_GROW_GEODESIC, RS_GROW_WALK, RS_GROW_LEARN };
struct rs_grow_options {
	enum rs_grow_method method;
	double smooth_mm; /* Gaussian before differences are looked at; 0: none; < 0: a voxel's shortest side, LEARN: by noise */
	double edge; /* how many voxels' way a difference is worth that is as large as those noise makes; > 0 */
	double band_mm;   /* half of the band's width; < 0: of four voxels */
	double threshold; /* of the probability; between 0 and 1 */
	double round_mm;  /* Gaussian over the probability; < 0: of 0.6 voxels, LEARN: of one */
};
#define RS_GROW_DEFAULT                                                                     \
	{                                                                                   \
		.smooth_mm = -1, .edge = 3, .band_mm = -1, .threshold = 0.5, .round_mm = -1 \
	}

/* A brush drawn through points, in voxels (from 0) of the image; 0 mm wide it is a line of single voxels. */
struct rs_stroke {
	bool inside;
	double radius_mm;
	size_t point_count;
	const double (*points)[3];
};

struct rs_grow;
/* Nothing is computed yet. box: NULL, or what the region surely lies in: all beyond it is outside.
 * errors  RS_USAGE for options out of range; RS_REFUSED for an image of one value or with values that are not finite;
 *         RS_NO_MEMORY */
enum rs_code rs_grow_open(const struct rs_volume *volume, const struct rs_box *box,
                          const struct rs_grow_options *options, struct rs_grow **out, struct rs_error *err);
/* LEARN takes 1 to RS_GROW_IMAGES_MAX images on one grid; they are read until the region is closed. Values need be finite only
 * where the region is looked for. */
enum rs_code rs_grow_open_several(const struct rs_volume *const *volumes, size_t count,
                                  const struct rs_box *box, const struct rs_grow_options *options,
                                  struct rs_grow **out, struct rs_error *err);
void rs_grow_close(struct rs_grow *grow); /* accepts NULL */
/* Later strokes go over earlier ones. errors  RS_USAGE when no voxel of the image (or box) is touched */
enum rs_code rs_grow_paint(struct rs_grow *grow, const struct rs_stroke *stroke, struct rs_error *err);
/* Labels of a mask on the image's grid as strokes. errors  RS_NOT_FOUND when neither label occurs */
enum rs_code rs_grow_paint_mask(struct rs_grow *grow, const struct rs_mask *strokes, uint32_t inside,
                                uint32_t outside, struct rs_error *err);
/* The first time the box, or as far around the strokes as they are wide; afterwards what is around the strokes painted since,
 * held at what is known beyond it: so strokes may reach as far as they like. With a box and
 * no inside stroke, the innermost of the box is one, and the method is WALK unless it is LEARN.
 * out_changed  the box of voxels whose answer changed; sizes 0 when none
 * errors       RS_USAGE without an inside stroke or a box; RS_REFUSED when nothing is left as inside; RS_NO_MEMORY */
enum rs_code rs_grow_update(struct rs_grow *grow, struct rs_box *out_changed, struct rs_error *err);
/* What came of it, as label 1 on the image's grid. */
enum rs_code rs_grow_mask(const struct rs_grow *grow, struct rs_mask *out, struct rs_error *err);
/* A rough outline (every label but 0) as strokes: 1 where it is inside by more than the band, or by more than half as deep as it
 * gets; 2 where it is outside by more than the band, within the box; what lies between is for growing to decide.
 * errors  RS_NOT_FOUND when nothing is inside; RS_USAGE for a band out of range; RS_NO_MEMORY */
enum rs_code rs_outline_strokes(const struct rs_mask *outline, double band_mm, struct rs_mask *out,
                                struct rs_box *out_box, struct rs_error *err);
uint64_t rs_grow_voxels(const struct rs_grow *grow);

#endif
