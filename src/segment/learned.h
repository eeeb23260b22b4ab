/* The parts of learned segmentation: studies on the working grid, patches of them, the network, the model. */
#ifndef RS_SEGMENT_LEARNED_OWN_H
#define RS_SEGMENT_LEARNED_OWN_H

#include "base/base_random.h"
#include "neural/neural_train.h"
#include "segment/segment_learned.h"

#define PATCH 32 /* voxels of the working grid along each side of what the network sees */
#define PATCH_VALUES ((size_t)PATCH * PATCH * PATCH)
#define WORKING_VOXELS_MAX ((size_t)1 << 27)

struct rs_learned {
	double spacing_mm;
	size_t channels;
	char names[RS_LEARNED_CHANNELS_MAX][64];
	uint64_t seed, epochs, patches;
	struct rs_digest *cases; /* that it was trained on */
	size_t case_count;
	double *dice; /* of those held out */
	size_t dice_count;
	struct rs_network network;
};

/* ---- grids ---- */

/* An image's axes in the order and direction that come nearest to the patient's: how it lies in a file is not to be learned. */
struct turned {
	struct rs_geometry grid;
	size_t first;      /* the image's voxel that is the first one here */
	ptrdiff_t step[3]; /* from one to the next along each axis, in voxels of the image */
};
struct turned turned_of(const struct rs_geometry *image);
size_t turned_at(const struct turned *turned, size_t i); /* the image's voxel that is voxel i here */

/* The grid of cubes that covers `image`: centres of the two aligned. errors  RS_TOO_LARGE */
enum rs_code working_grid(const struct rs_geometry *image, double spacing_mm, struct rs_geometry *out,
                          struct rs_error *err);
/* From one of two such grids to the other: linear upwards; downwards the mean by a tent that reaches a voxel of `to` to either
 * side. Values beyond the border are those of the border. */
enum rs_code grid_onto(const struct rs_geometry *from, const float *values, const struct rs_geometry *to,
                       float *out, struct rs_error *err);
/* Within a hundredth of a voxel. errors  RS_REFUSED with the numbers; `what` is the second's name */
enum rs_code grid_same(const struct rs_geometry *first, const struct rs_geometry *second, const char *what,
                       struct rs_error *err);

/* ---- studies ---- */

struct study {
	struct turned turned;    /* the images' grid */
	struct rs_geometry grid; /* the working one, of cubes */
	size_t channels;
	float *values;                     /* by channel, [z][y][x]; see study_add() */
	bool has[RS_LEARNED_CHANNELS_MAX]; /* whether the channel's image is there */
	float *region;                     /* share of each voxel that the mask covers; NULL: unknown */
	size_t *inside;                    /* voxels of which it covers half or more */
	size_t inside_count;
};
void study_finish(struct study *study); /* accepts zeroed memory */
/* Images on the working grid, normalised: less the mean of the values above half of the image's mean, in their deviations, from
 * -CLIP to CLIP. That leaves air out of both, and does not change with the scanner's scale. mask: NULL for none.
 * errors  RS_USAGE where no image is there */
enum rs_code study_of(const struct rs_volume *const *images, size_t channels, const struct rs_mask *mask,
                      double spacing_mm, struct study *out, struct rs_error *err);

/* ---- patches ---- */

/* A patch for training, and its labels. Even indices lie about a voxel of the region, odd ones anywhere; all are turned, grown,
 * changed in brightness, contrast and noise, and at times lack a channel. */
void patch_draw(const struct study *study, size_t index, struct rs_stream *stream, float *out,
                uint32_t *out_labels);

/* ---- network ---- */

enum rs_code learned_network(size_t channels, uint32_t width, uint64_t seed, struct rs_network *out,
                             struct rs_error *err);

/* The probability of the region on the study's grid: the mean over the windows that see a voxel; most counts what is near their
 * middle. */
enum rs_code study_predict(const struct rs_network *network, const struct study *study, struct rs_pool *pool,
                           float *out, struct rs_error *err);

/* Leaves of what is at least half the part that is connected by faces and has the largest sum; the rest becomes 0. */
enum rs_code largest_part(const size_t size[3], float *probability, struct rs_error *err);

#endif
