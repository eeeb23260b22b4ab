/* Filling closed contours on a slice by the even-odd rule. A pixel belongs to the region when its centre lies within the
 * contours or on one of them, to EDGE_TOLERANCE: contours are written in decimals, and what ran through a centre does so
 * only nearly after that. */
#ifndef RS_IMAGE_POLYGON_H
#define RS_IMAGE_POLYGON_H

#include "base/base.h"

/* Of a pixel: what 16 decimals and a turned grid lose. With 1e-4 the contours of IBSI's CT phantom take in a voxel that
 * its own mask leaves out. */
#define EDGE_TOLERANCE 1e-5
/* Cells touched, of all slices: about ten seconds; the outline of a body on 1000 slices takes a thirtieth of it. */
#define WORK_MAX ((uint64_t)1 << 33)

struct raster {
	size_t width, height;
	uint8_t *cells;            /* [row][column]; 0 or 1 after raster_resolve */
	size_t first_row, end_row; /* rows that may hold anything */
	uint64_t work;             /* cells touched so far, of all slices */
};

enum rs_code raster_init(struct raster *out, size_t width, size_t height, struct rs_error *err);
void raster_finish(struct raster *raster); /* accepts NULL and zeroed memory */
/* Adds a contour; the last point is joined to the first. Of the points, the coordinates `u` and `v` are column and row in
 * pixels: (0,0) is the centre of the first. They must be finite. Contours added to one slice are combined by XOR.
 * RS_TOO_LARGE when the contours would keep it busy for minutes. */
enum rs_code raster_add(struct raster *raster, const double (*points)[3], int u, int v, size_t count,
                        struct rs_error *err);
/* Turns what was added into 0 and 1, rows first_row to end_row - 1. */
void raster_resolve(struct raster *raster);
void raster_clear(struct raster *raster);

#endif
