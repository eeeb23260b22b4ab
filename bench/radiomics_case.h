/* A made-up case for tools: a lumpy ellipsoid with smooth and rough texture. No patient, no file. */
#ifndef RS_BENCH_RADIOMICS_CASE_H
#define RS_BENCH_RADIOMICS_CASE_H

#include "radiomics/radiomics.h"

static inline enum rs_code made_case(size_t side, struct rs_volume *volume, struct rs_mask *mask)
{
	struct rs_geometry geometry = {
		{side, side, side}, {0.75, 0.875, 2.5}, {1, 2, 3}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	size_t count = side * side * side;
	*volume = (struct rs_volume){geometry, RS_VOXEL_I16, rs_allocate_array(count, sizeof(double))};
	*mask = (struct rs_mask){.geometry = geometry, .labels = rs_allocate_array(count, sizeof(uint32_t))};
	if (volume->voxels == NULL || mask->labels == NULL)
		return RS_NO_MEMORY;
	uint32_t noise = 12345;
	for (size_t i = 0; i < count; i++) {
		double x = (double)(i % side) / (double)side - 0.5,
		       y = (double)(i / side % side) / (double)side - 0.5;
		double z = (double)(i / side / side) / (double)side - 0.5;
		noise = noise * 1664525U + 1013904223U;
		double lump = 0.2 - x * x - y * y - 1.3 * z * z + 0.1 * x * y;
		mask->labels[i] = lump > 0 && noise % 50 != 0;
		volume->voxels[i] = (double)(int)(2000 * lump) + (double)(noise >> 24);
	}
	return RS_OK;
}

/* A solid ball that fills the volume, of smooth lumps and noise. */
static inline enum rs_code made_ball(size_t side, struct rs_volume *volume, struct rs_mask *mask)
{
	enum rs_code code = made_case(side, volume, mask);
	for (size_t i = 0; code == RS_OK && i < side * side * side; i++) {
		double middle = ((double)side - 1) / 2, x = (double)(i % side) - middle;
		double y = (double)(i / side % side) - middle, z = (double)(i / side / side) - middle;
		mask->labels[i] = x * x + y * y + z * z <= (middle + 0.5) * (middle + 0.5);
	}
	return code;
}

static inline void made_finish(struct rs_volume *volume, struct rs_mask *mask)
{
	rs_free(volume->voxels);
	rs_free(mask->labels);
}

#endif
