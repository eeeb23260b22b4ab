/* A body as a map of labels: shapes with smooth outlines, varied per patient, painted one over the other. Places are LPS in
 * mm around the middle of the upper abdomen, before breath and movement. */
#ifndef RS_SIMULATE_ANATOMY_H
#define RS_SIMULATE_ANATOMY_H

#include "field.h"
#include "image/image.h"
#include "patient.h"

enum kind { ELLIPSOID, CAPSULE, COLUMN };
struct shape {
	enum kind kind;
	uint8_t label;
	bool in_cavity;   /* cut where the abdominal wall begins */
	double centre[3]; /* of a capsule: one end */
	double radius[3]; /* of a capsule: at the ends; a column has no end along z */
	double end[3];
	double cosine, sine; /* of the turn about z */
};

struct tumour {
	double centre[3], radius[3], turn[2]; /* cosine, sine about z */
	double margin, heterogeneity, necrosis;
	struct waves outline, density, death;
};
/* How far outside the boundary, in mm, negative inside; near enough to a distance within some mm of it. */
double tumour_outside(const struct tumour *tumour, const double point[static 3]);

#define SHAPES_MAX 320
struct anatomy {
	struct shape shapes[SHAPES_MAX];
	size_t count, before_tumour; /* shapes that lie below it */
	struct shape cavity;
	struct tumour tumour;
	double gas[3];             /* the bubble in the stomach, where the field is bent */
	struct field coarse, fine; /* bend all outlines */
	/* the painted map */
	struct rs_geometry grid;
	uint8_t *labels;
};

/* voxel_mm: of the map. half_mm: of the box that is painted, around the origin. */
enum rs_code anatomy_init(struct anatomy *anatomy, const struct patient *patient, uint64_t seed,
                          const double voxel_mm[static 3], const double half_mm[static 3],
                          struct rs_error *err);
void anatomy_finish(struct anatomy *anatomy); /* accepts zeroed memory */
/* From where a point is seen to where it is in the shapes: outlines are bent. */
void anatomy_bend(const struct anatomy *anatomy, const double point[static 3], double out[static 3]);

/* Fills the list of shapes and the tumour. */
void organs_place(struct anatomy *anatomy, const struct patient *patient, uint64_t seed);

#endif
