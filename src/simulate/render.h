/* From a map of labels to what a scanner makes of it: moved, bent, averaged over voxels, shaded by the coil, noisy. */
#ifndef RS_SIMULATE_RENDER_H
#define RS_SIMULATE_RENDER_H

#include "anatomy.h"
#include "tissue.h"

/* Where the body is while an image is taken, relative to the T2 image. */
struct movement {
	double shift_mm[3], turn; /* sine of the angle about z */
	double breath_mm;         /* downwards, of what lies in front */
	double distortion_mm;     /* along y, of echo-planar images */
};
/* What an image does to signals. */
struct receiver {
	double shading[6]; /* of log sensitivity: x, y, z, xx, yy, zz of the place over REACH_MM */
	double gain, noise;
};
#define REACH_MM 150.0

/* Where in the map (bent outlines) a place of the image shows. */
void render_place(const struct anatomy *anatomy, const struct movement *movement, const double at[static 3],
                  double out[static 3]);
/* Pixels: whole numbers 0 … 4095. `grain` by label, see tissue_values. `out` has its geometry and voxels already. */
void render(const struct anatomy *anatomy, const struct field *grain, const struct movement *movement,
            const double looks[static LABELS], const double grains[static LABELS],
            const struct receiver *receiver, struct rs_stream *stream, struct rs_volume *out);
/* The mean of values by label, without grain, shading, noise. */
void render_truth(const struct anatomy *anatomy, const double values[static LABELS], struct rs_volume *out);
/* 1 where a voxel's middle lies within the tumour, whose boundary a reader sees at `outside_mm` from the true one, straying
 * by `straying_mm`; of what a reader draws the largest part that hangs together. reader: NULL for the truth, with all parts. */
enum rs_code render_mask(const struct anatomy *anatomy, const struct waves *reader, double outside_mm,
                         double straying_mm, struct rs_mask *out, struct rs_error *err);

#endif
