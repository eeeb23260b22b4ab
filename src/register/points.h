/* The points of the fixed volume that are looked at: quasi-random places between its voxels, so that the grids of both
 * volumes never beat against each other. Private to register. */
#ifndef RS_REGISTER_POINTS_H
#define RS_REGISTER_POINTS_H

#include "register/view.h"

/* Points of one chunk are worked on together, and summed up before the next chunk's. */
struct chunk {
	size_t begin, end;
	size_t row; /* of elements of the lattice: what points_sort() was told */
};
struct points {
	size_t count, chunk_count;
	double *place_mm[3], *grey; /* grey: the fixed volume's there */
	uint16_t *bin;
	struct chunk *chunks;
	double *block;
};
/* errors  RS_REFUSED when the region is next to nothing; RS_NO_MEMORY */
enum rs_code points_draw(struct points *out, const struct rs_volume *fixed, const uint8_t *region,
                         size_t count, uint64_t seed, struct rs_error *err);
void points_finish(struct points *points); /* accepts zeroed memory */
/* Greys and bins as the view has them. */
void points_look(struct points *points, const struct view *fixed, size_t bins);
/* Into the order of `keys`, one for each point: row << 16 | place along it. Only points of one row share a chunk. To be
 * done before points_look(). */
enum rs_code points_sort(struct points *points, const uint32_t *keys, struct rs_error *err);

#endif
