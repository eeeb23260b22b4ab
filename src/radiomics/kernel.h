/* The cube around one voxel and the features of it, in memory that is taken once for many voxels. */
#ifndef RS_RADIOMICS_KERNEL_H
#define RS_RADIOMICS_KERNEL_H

#include "radiomics/texture.h"

/* What all cubes of an image share. */
struct kernel_plan {
	const struct rs_radiomics_settings *settings;
	const struct rs_image_settings *image;
	double spacing_mm[3];
	const struct grid *grid;   /* where cubes are cut; its margin is no less than radius and distances */
	const double *intensities; /* of the grid's box, without margin */
	size_t side[3];            /* of a cube, x y z; 1 along the axis that force2D leaves out */
	struct offset *pairs, *runs; /* distances of the settings; distance 1 */
	size_t pair_count, run_count;
	struct offset *kept; /* of pairs, those that some cube has pairs at: directions of the GLCM */
	size_t kept_count;
	bool flat; /* one grey level in all */
	bool wants[RS_FAMILY_COUNT];
	bool wants_mcc;
};

struct kernel {
	const struct kernel_plan *plan;
	struct grid cube, ranks; /* levels, and their ranks among those of the cube, from 1 */
	uint32_t *present;       /* levels of the cube, ascending */
	size_t present_count;
	uint32_t *rank_of; /* by level; all 0 between cubes */
	double *values, *scratch;
	uint64_t *counts; /* voxels of each rank */
	struct tally pairs, runs, sizes;
	struct matrix matrix, weighted;
	struct glcm_room room;
	double *columns; /* for sizes_measure_in */
	uint32_t *lengths;
	ptrdiff_t *shifts;
	struct linking linking;
	struct zones zones;
	struct ngtdm_row *rows; /* by level; all 0 between cubes */
	struct ngtdm_tone *tones;
	struct rs_evidence evidence; /* of the cube at hand */
};
enum rs_code kernel_init(struct kernel *kernel, const struct kernel_plan *plan, struct rs_error *err);
void kernel_finish(struct kernel *kernel); /* accepts NULL and zeroed memory */
/* Cuts the cube around voxel (x, y, z) of the box. */
void kernel_move(struct kernel *kernel, const size_t voxel[3]);
/* Whether the cube holds a pair of voxels at an offset. */
bool kernel_has_pair(const struct kernel *kernel, struct offset offset);
/* Fills kernel->evidence for every family that is wanted. */
enum rs_code kernel_measure(struct kernel *kernel, struct rs_error *err);

#endif
