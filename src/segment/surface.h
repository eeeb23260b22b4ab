/* Areas of the surface between inside and outside in a cube of eight voxel centres. */
#ifndef RS_SEGMENT_SURFACE_H
#define RS_SEGMENT_SURFACE_H

#define SURFACE_CODES 256

/* Bit c of a code: corner c (x = c & 1, y = c >> 1 & 1, z = c >> 2) is inside. Codes 0 and 255 have no surface. */
void surface_areas(const double spacing_mm[3], double out[SURFACE_CODES]);

#endif
